/*
 * 接続 (A8): user name and passphrase, the time the key needs, then the connection, and what goes
 * wrong on the way, in the dialog itself so that the next try is one key away. The passphrase lives
 * in GTK's entry, which wipes its memory, and in the job's copy, which is wiped after use.
 */
#include <stdio.h>
#include <string.h>

#include "client/kdf_progress.h"
#include "client/problem.h"
#include "client/tray/app_gtk.h"
#include "client/tray/attempt.h"
#include "client/tray/link.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"
#include "client/tray/work.h"
#include "common/crypto.h"

#define DRAW_MS 100

enum phase { PHASE_INPUT, PHASE_KEY, PHASE_ON_THE_WAY };

struct connect_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *user, *passphrase, *progress, *trouble, *ok;
    enum phase phase;
    bool heard; /* the agent has said something since the attempt began: its status is about it */
    guint timer;
    gint64 started;
    gint forecast;                       /* milliseconds; set by the job's thread */
    char accept[SSHKEY_FINGERPRINT_MAX]; /* confirmed by the person, or "" */
    unsigned attempt;
};

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct connect_dialog *dialog;
    unsigned number;
    gint forecast_ms;
    struct attempt attempt;
};

static const char *entry_text(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

/* --- the attempt, on a thread ----------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;

    attempt_run(&j->app->paths, &j->attempt);
}

static void on_edited(GtkEditable *editable, gpointer data);
static void set_phase(struct connect_dialog *d, enum phase phase);
static void show_error(struct connect_dialog *d, const json_t *error);

static void done(void *arg)
{
    struct job *j = arg;
    struct connect_dialog *d = j->app->connect;
    const struct attempt *a = &j->attempt;
    const char *detail = a->fault.text[0] != '\0' ? a->fault.text : err_text(a->rc);

    link_poke(j->app->link);
    if (d == j->dialog && d != NULL && d->attempt == j->number && d->phase == PHASE_KEY) {
        if (a->rc != 0) {
            set_phase(d, PHASE_INPUT);
            ui_trouble_msg(d->trouble, MSG_AGENT, &(struct msg_args){.detail = detail});
        } else if (!json_is_true(json_object_get(a->reply, "ok"))) {
            set_phase(d, PHASE_INPUT);
            show_error(d, json_object_get(a->reply, "error"));
        } else {
            set_phase(d, PHASE_ON_THE_WAY);
            connect_dialog_update(d);
        }
    }
    json_decref(a->reply);
    g_free(j);
}

/* --- forecast of the key derivation ----------------------------------------------------------- */

static void run_forecast(void *arg)
{
    struct job *j = arg;

    j->forecast_ms = (gint)kdf_forecast_ms();
}

static void forecast_done(void *arg)
{
    struct job *j = arg;

    if (j->app->connect == j->dialog && j->dialog != NULL)
        j->dialog->forecast = j->forecast_ms;
    g_free(j);
}

static void start_forecast(struct connect_dialog *d)
{
    struct job *j = g_new0(struct job, 1);

    j->app = d->app;
    j->dialog = d;
    work_start(run_forecast, forecast_done, j);
}

/* --- the dialog ------------------------------------------------------------------------------- */

static gboolean on_draw(gpointer data)
{
    struct connect_dialog *d = data;
    double passed = (double)(g_get_monotonic_time() - d->started) / 1000.0;

    if (d->phase == PHASE_KEY && d->forecast > 0)
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress),
                                      MIN(passed / d->forecast, 0.99));
    else
        gtk_progress_bar_pulse(GTK_PROGRESS_BAR(d->progress));
    return G_SOURCE_CONTINUE;
}

static void set_phase(struct connect_dialog *d, enum phase phase)
{
    const char *words = phase == PHASE_KEY ? TXT_OPENING_KEY : TXT_CONNECTING;

    d->phase = phase;
    gtk_widget_set_sensitive(d->user, phase == PHASE_INPUT);
    gtk_widget_set_sensitive(d->passphrase, phase == PHASE_INPUT);
    on_edited(NULL, d);
    gtk_widget_set_visible(d->progress, phase != PHASE_INPUT);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), words);
    if (phase != PHASE_INPUT && d->timer == 0)
        d->timer = g_timeout_add(DRAW_MS, on_draw, d);
    if (phase == PHASE_INPUT && d->timer != 0) {
        g_source_remove(d->timer);
        d->timer = 0;
    }
}

static void begin(struct connect_dialog *d)
{
    struct job *j = g_new0(struct job, 1);

    ui_trouble_hide(d->trouble);
    d->heard = false;
    d->started = g_get_monotonic_time();
    d->attempt++;
    set_phase(d, PHASE_KEY);
    j->app = d->app;
    j->dialog = d;
    j->number = d->attempt;
    g_strlcpy(j->attempt.user, entry_text(d->user), sizeof(j->attempt.user));
    g_strlcpy(j->attempt.passphrase, entry_text(d->passphrase), sizeof(j->attempt.passphrase));
    g_strlcpy(j->attempt.accept, d->accept, sizeof(j->attempt.accept));
    work_start(run, done, j);
}

static void close_dialog(struct connect_dialog *d)
{
    d->app->connect = NULL;
    if (d->timer != 0)
        g_source_remove(d->timer);
    gtk_widget_destroy(d->dialog);
    g_free(d);
}

/* Each question is about the key that it shows: an older one may still be open. */
struct shown {
    struct tray_app *app;
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
};

static void host_key_accepted(void *data)
{
    const struct shown *shown = data;
    struct connect_dialog *d = shown->app->connect;

    if (d == NULL || d->phase != PHASE_INPUT)
        return;
    memcpy(d->accept, shown->fingerprint, sizeof(d->accept));
    begin(d);
}

/* What the gateway showed has to be compared by the person; nothing is trusted before. */
static void ask_host_key(struct connect_dialog *d, const char *seen)
{
    char text[MSG_TEXT_MAX];
    struct shown *shown = work_alloc(sizeof(*shown));

    shown->app = d->app;
    snprintf(shown->fingerprint, sizeof(shown->fingerprint), "%s", seen);
    snprintf(text, sizeof(text), TXT_HOST_KEY_WHY, d->app->view.detail, seen);
    ask(d->app, &(struct ask_question){.title = TXT_ASK_HOST_KEY,
                                       .text = text,
                                       .action = TXT_B_SAME,
                                       .careful = true,
                                       .yes = host_key_accepted,
                                       .data = shown,
                                       .owned = true});
}

static void show_error(struct connect_dialog *d, const json_t *error)
{
    struct msg_args args;
    enum msg_id id = problem_read(error, &args);
    const char *seen = attempt_host_key(error);

    d->accept[0] = '\0'; /* good for one attempt only */
    if (seen != NULL) {
        ask_host_key(d, seen);
        return;
    }
    if (id != MSG_NONE)
        ui_trouble_msg(d->trouble, id, &args);
    else
        ui_trouble_show(d->trouble, attempt_reason(error), "", "");
    gtk_widget_grab_focus(d->passphrase);
}

/* Only link.c's line brings states, in the agent's order. */
void connect_dialog_hear(struct connect_dialog *d, const json_t *status)
{
    if (d->phase != PHASE_INPUT && attempt_hears(status))
        d->heard = true;
}

void connect_dialog_update(struct connect_dialog *d)
{
    struct tray_app *app = d->app;
    const struct tray_view *view = &app->view;
    char *title;

    if (d->phase != PHASE_ON_THE_WAY || !d->heard)
        return;
    switch (attempt_judge(view)) {
    case ATTEMPT_UP:
        close_dialog(d);
        ask_message(app, view->shape == TRAY_ON ? ASK_INFO : ASK_WARNING, TXT_CONNECTED,
                    view->headline);
        break;
    case ATTEMPT_WAITING:
        title = g_strdup_printf("%s %s", view->trouble.code, view->trouble.title);
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), view->headline);
        ui_trouble_show(d->trouble, title, view->trouble.cause, view->trouble.remedy);
        g_free(title);
        break;
    case ATTEMPT_ON_THE_WAY:
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), TXT_CONNECTING);
        break;
    default:
        set_phase(d, PHASE_INPUT);
        if (view->has_trouble)
            show_error(d, json_object_get(app->status, "error"));
        break;
    }
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct connect_dialog *d = data;

    (void)dialog;
    if (response == GTK_RESPONSE_OK && d->phase == PHASE_INPUT) {
        begin(d);
    } else if (response != GTK_RESPONSE_OK) {
        if (d->phase != PHASE_INPUT) /* "cancel" means the attempt, not only its window */
            link_send(&d->app->paths, json_pack("{s:s}", "op", "disconnect"));
        close_dialog(d);
    }
}

static void on_edited(GtkEditable *editable, gpointer data)
{
    struct connect_dialog *d = data;

    (void)editable;
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->dialog), GTK_RESPONSE_OK,
                                      d->phase == PHASE_INPUT && entry_text(d->user)[0] != '\0' &&
                                          entry_text(d->passphrase)[0] != '\0');
}

static void build(struct connect_dialog *d)
{
    GtkWidget *content, *grid = ui_grid();
    struct tray_app *app = d->app;

    d->dialog = ui_dialog(app, TXT_CONNECT);
    content = ui_content(d->dialog);
    d->user = ui_entry(TXT_USER);
    d->passphrase = ui_secret(TXT_PASSPHRASE);
    gtk_entry_set_text(GTK_ENTRY(d->user),
                       app->config.user[0] != '\0' ? app->config.user : app->key.user);
    ui_row(grid, 0, TXT_L_USER, d->user);
    ui_row(grid, 1, TXT_L_PASSPHRASE, d->passphrase);
    d->progress = ui_name(gtk_progress_bar_new(), TXT_PROGRESS);
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(d->progress), TRUE);
    gtk_widget_set_no_show_all(d->progress, TRUE);
    d->trouble = ui_trouble();
    if (app->config.name[0] != '\0')
        gtk_container_add(GTK_CONTAINER(content), ui_heading(app->config.name));
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), d->progress);
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_CANCEL, GTK_RESPONSE_CANCEL);
    d->ok = gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_CONNECT, GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(d->ok), "suggested-action");
    gtk_dialog_set_default_response(GTK_DIALOG(d->dialog), GTK_RESPONSE_OK);
    g_signal_connect(d->user, "changed", G_CALLBACK(on_edited), d);
    g_signal_connect(d->passphrase, "changed", G_CALLBACK(on_edited), d);
    g_signal_connect(d->dialog, "response", G_CALLBACK(on_response), d);
}

void connect_dialog_open(struct tray_app *app)
{
    struct connect_dialog *d = app->connect;

    if (d == NULL) {
        d = g_new0(struct connect_dialog, 1);
        d->app = app;
        app->connect = d;
        build(d);
        gtk_widget_show_all(d->dialog);
        on_edited(NULL, d);
        gtk_widget_grab_focus(entry_text(d->user)[0] != '\0' ? d->passphrase : d->user);
        gtk_editable_select_region(GTK_EDITABLE(d->user), 0,
                                   0); /* what has no focus is not marked */
        start_forecast(d);
    }
    gtk_window_present(GTK_WINDOW(d->dialog));
}
