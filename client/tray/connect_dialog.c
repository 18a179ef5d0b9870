/*
 * 接続 (A8): user name and passphrase, the time the key needs, then the connection, and what goes
 * wrong on the way, in the dialog itself so that the next try is one key away. The passphrase lives
 * in GTK's entry, which wipes its memory, and in the job's copy, which is wiped after use.
 */
#include <string.h>

#include "client/ipc.h"
#include "client/kdf_progress.h"
#include "client/problem.h"
#include "client/tray/app.h"
#include "client/tray/link.h"
#include "client/tray/ui.h"
#include "client/tray/work.h"
#include "common/crypto.h"
#include "common/i18n.h"

/* Opening the key is one scrypt run; a slow laptop under load may take seconds. */
#define BEGIN_TIMEOUT_MS 60000
#define ANSWER_MS        10000
#define DRAW_MS          100

enum phase { PHASE_INPUT, PHASE_KEY, PHASE_ON_THE_WAY };

struct connect_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *user, *passphrase, *progress, *trouble, *ok;
    enum phase phase;
    bool heard; /* the agent has said something since the attempt began: its status is about it */
    guint timer;
    gint64 started;
    gint forecast;                       /* milliseconds; set by the job's thread */
    char asked[SSHKEY_FINGERPRINT_MAX];  /* shown to the person, who has not answered yet */
    char accept[SSHKEY_FINGERPRINT_MAX]; /* confirmed by the person, or "" */
    unsigned attempt;
};

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct connect_dialog *dialog;
    unsigned attempt;
    gint *forecast;
    gint forecast_ms;
    char user[KEYFILE_USER_MAX + 1];
    char accept[SSHKEY_FINGERPRINT_MAX];
    char passphrase[4 * KEYFILE_PASS_MAX + 1]; /* whatever fits into the entry, whole */
    int rc;
    struct fault fault;
    json_t *reply;
};

static const char *entry_text(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

/* --- the attempt, on a thread ----------------------------------------------------------------- */

static int ask(struct ipc *ipc, const char *op, json_t **reply, struct fault *f)
{
    json_t *request = json_pack("{s:s}", "op", op);
    int rc = ipc_call(ipc, request, ANSWER_MS, reply, f);

    json_decref(request);
    return rc;
}

static bool on_the_way(const json_t *reply)
{
    const char *state =
        json_string_value(json_object_get(json_object_get(reply, "status"), "state"));

    return state != NULL && (strcmp(state, "waiting") == 0 || strcmp(state, "connecting") == 0 ||
                             strcmp(state, "error") == 0);
}

/*
 * An attempt that goes on with old settings ends first, as `pra connect` does it; and a session that
 * only waits for a first rule, since the agent would keep it and have nothing new to say.
 */
static int end_old(struct ipc *ipc, struct fault *f)
{
    json_t *reply = NULL, *ended = NULL;
    int rc = ask(ipc, "status", &reply, f);

    if (rc == 0 && on_the_way(reply))
        rc = ask(ipc, "disconnect", &ended, f);
    json_decref(ended);
    json_decref(reply);
    return rc;
}

static void run(void *arg)
{
    struct job *j = arg;
    struct ipc *ipc = NULL;

    j->rc = ipc_connect_or_start(&j->app->paths, &ipc, &j->fault);
    if (j->rc == 0)
        j->rc = end_old(ipc, &j->fault);
    if (j->rc == 0)
        j->rc =
            ipc_call_connect(ipc, j->user, j->passphrase, j->accept[0] != '\0' ? j->accept : NULL,
                             BEGIN_TIMEOUT_MS, &j->reply, &j->fault);
    crypto_wipe(j->passphrase, sizeof(j->passphrase));
    ipc_close(ipc);
}

static void on_edited(GtkEditable *editable, gpointer data);
static void set_phase(struct connect_dialog *d, enum phase phase);
static void show_error(struct connect_dialog *d, const json_t *error);

static void done(void *arg)
{
    struct job *j = arg;
    struct connect_dialog *d = j->app->connect;
    const char *detail = j->fault.text[0] != '\0' ? j->fault.text : err_text(j->rc);

    link_poke(j->app->link);
    if (d == j->dialog && d != NULL && d->attempt == j->attempt && d->phase == PHASE_KEY) {
        if (j->rc != 0) {
            set_phase(d, PHASE_INPUT);
            ui_trouble_msg(d->trouble, MSG_AGENT, &(struct msg_args){.detail = detail});
        } else if (!json_is_true(json_object_get(j->reply, "ok"))) {
            set_phase(d, PHASE_INPUT);
            show_error(d, json_object_get(j->reply, "error"));
        } else {
            set_phase(d, PHASE_ON_THE_WAY);
            connect_dialog_update(d);
        }
    }
    json_decref(j->reply);
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
    const char *words = phase == PHASE_KEY ? tr("Opening the key ...", "鍵を読み込んでいます ...")
                                           : tr("Connecting ...", "接続しています ...");

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
    j->attempt = d->attempt;
    g_strlcpy(j->user, entry_text(d->user), sizeof(j->user));
    g_strlcpy(j->passphrase, entry_text(d->passphrase), sizeof(j->passphrase));
    g_strlcpy(j->accept, d->accept, sizeof(j->accept));
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

static void host_key_accepted(gpointer data)
{
    struct tray_app *app = data;

    if (app->connect == NULL || app->connect->phase != PHASE_INPUT)
        return;
    g_strlcpy(app->connect->accept, app->connect->asked, sizeof(app->connect->accept));
    begin(app->connect);
}

/* What the gateway showed has to be compared by the person; nothing is trusted before. */
static void ask_host_key(struct connect_dialog *d, const char *seen)
{
    char *text = g_strdup_printf(
        tr("This PC connects to %s for the first time. Compare this fingerprint with the one that "
           "your administrator gave you:\n\n%s\n\nConnect only if they are the same.",
           "%s へ初めて接続します。次の指紋を、システム管理者さまから伝えられたものと比べて"
           "ください。\n\n%s\n\n同じ場合だけ接続してください。"),
        d->app->view.detail, seen);

    g_strlcpy(d->asked, seen, sizeof(d->asked));
    ui_ask(d->app, tr("Is this your company's gateway?", "このゲートウェイに接続しますか?"), text,
           tr("_Same, connect", "同じなので接続(_S)"), host_key_accepted, d->app);
    g_free(text);
}

static void show_error(struct connect_dialog *d, const json_t *error)
{
    struct msg_args args;
    enum msg_id id = problem_read(error, &args);
    const char *seen = args.detail != NULL ? args.detail : "";

    d->accept[0] = '\0'; /* good for one attempt only */
    if (id == MSG_HOSTKEY_UNKNOWN && config_check_fingerprint(seen, NULL) == 0) {
        ask_host_key(d, seen);
        return;
    }
    if (id != MSG_NONE)
        ui_trouble_msg(d->trouble, id, &args);
    else
        ui_trouble_show(
            d->trouble,
            json_string_value(json_object_get(error, "message")) != NULL
                ? json_string_value(json_object_get(error, "message"))
                : tr("The agent gave no reason", "エージェントが理由を返しませんでした"),
            "", "");
    gtk_widget_grab_focus(d->passphrase);
}

/*
 * Only link.c's line brings states, in the agent's order. What came before the attempt is not about
 * it; neither is the end of an older attempt on the way.
 */
void connect_dialog_hear(struct connect_dialog *d, const json_t *status)
{
    const char *state = json_string_value(json_object_get(status, "state"));

    if (d->phase != PHASE_INPUT && state != NULL && strcmp(state, "disconnected") != 0)
        d->heard = true;
}

void connect_dialog_update(struct connect_dialog *d)
{
    struct tray_app *app = d->app;
    const struct tray_view *view = &app->view;

    if (d->phase != PHASE_ON_THE_WAY || !d->heard)
        return;
    if (view->can_disconnect && !view->can_connect && view->shape != TRAY_CONNECTING) {
        close_dialog(d);
        ui_message(
            app, view->shape == TRAY_ON ? GTK_MESSAGE_INFO : GTK_MESSAGE_WARNING,
            tr("Connected; port forwarding has begun", "接続が完了し、ポート転送を開始しました"),
            view->headline);
    } else if (view->can_retry) {
        char *title = g_strdup_printf("%s %s", view->trouble.code, view->trouble.title);

        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), view->headline);
        ui_trouble_show(d->trouble, title, view->trouble.cause, view->trouble.remedy);
        g_free(title);
    } else if (view->shape == TRAY_CONNECTING) {
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress),
                                  tr("Connecting ...", "接続しています ..."));
    } else {
        set_phase(d, PHASE_INPUT);
        if (view->has_trouble)
            show_error(d, json_object_get(app->status, "error"));
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

    d->dialog = ui_dialog(app, tr("Connect", "接続"));
    content = ui_content(d->dialog);
    d->user = ui_entry(tr("User name", "ユーザ名"));
    d->passphrase = ui_secret(tr("Passphrase", "パスフレーズ"));
    gtk_entry_set_text(GTK_ENTRY(d->user),
                       app->config.user[0] != '\0' ? app->config.user : app->key.user);
    ui_row(grid, 0, tr("_User name:", "ユーザ名(_U):"), d->user);
    ui_row(grid, 1, tr("_Passphrase:", "パスフレーズ(_P):"), d->passphrase);
    d->progress = ui_name(gtk_progress_bar_new(), tr("Progress", "進行状況"));
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(d->progress), TRUE);
    gtk_widget_set_no_show_all(d->progress, TRUE);
    d->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), d->progress);
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    gtk_dialog_add_button(GTK_DIALOG(d->dialog), tr("_Cancel", "キャンセル(_C)"),
                          GTK_RESPONSE_CANCEL);
    d->ok =
        gtk_dialog_add_button(GTK_DIALOG(d->dialog), tr("Co_nnect", "接続(_N)"), GTK_RESPONSE_OK);
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
