/*
 * 鍵生成 (A3): user name, passphrase with its strength, the random pool, then the key. The result is
 * the dialog of 公開鍵のエクスポート. Making the key is keyfile_create(), as for `pra keygen`.
 */
#include <string.h>

#include "client/kdf_progress.h"
#include "client/keymake.h"
#include "client/tray/app_gtk.h"
#include "client/tray/pool_gtk.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"
#include "client/tray/words.h"
#include "client/tray/work.h"
#include "common/crypto.h"
#include "common/i18n.h"

#define DRAW_MS 100

struct keygen_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *user, *passphrase, *again, *strength, *bar, *words, *advice, *progress,
        *trouble;
    struct pool *pool;
    bool force, allow_weak;
    guint timer;
    gint64 started;
    guint64 forecast;
};

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct keygen_dialog *dialog;
    bool force, allow_weak;
    char user[KEYFILE_USER_MAX + 1];
    char passphrase[4 * KEYFILE_PASS_MAX + 1]; /* whatever fits into the entry, whole */
    int rc;
    struct fault fault;
    struct keyfile_info info;
};

static struct keygen_dialog *current; /* one at a time; NULL = not open */

static const char *text_of(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

/* --- what is typed ---------------------------------------------------------------------------- */

static const char *missing(const struct keygen_dialog *d)
{
    return words_keygen_missing(text_of(d->user), text_of(d->passphrase), text_of(d->again),
                                pool_full(d->pool));
}

static void look_again(gpointer data)
{
    struct keygen_dialog *d = data;
    const char *passphrase = text_of(d->passphrase), *what = missing(d);
    char strength[WORDS_MAX];

    gtk_level_bar_set_value(GTK_LEVEL_BAR(d->bar), words_strength(passphrase, strength));
    gtk_label_set_text(GTK_LABEL(d->words), strength);
    if (what[0] == '\0' && words_strength_poor(passphrase))
        what = keymake_advice();
    gtk_label_set_text(GTK_LABEL(d->advice), what);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->dialog), GTK_RESPONSE_OK,
                                      d->timer == 0 && missing(d)[0] == '\0');
}

static void on_edited(GtkEditable *editable, gpointer data)
{
    (void)editable;
    look_again(data);
}

/* --- the key ---------------------------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;
    struct keyfile_options opt = {.type = CRYPTO_ED25519,
                                  .user = j->user,
                                  .passphrase = j->passphrase,
                                  .allow_weak = j->allow_weak,
                                  .force = j->force};

    j->rc = keyfile_create(j->app->paths.key_file, &opt, &j->info, &j->fault);
    crypto_wipe(j->passphrase, sizeof(j->passphrase));
}

static gboolean on_draw(gpointer data)
{
    struct keygen_dialog *d = data;
    double passed = (double)(g_get_monotonic_time() - d->started) / 1000.0;

    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress),
                                  d->forecast > 0 ? MIN(passed / (double)d->forecast, 0.99) : 0.5);
    return G_SOURCE_CONTINUE;
}

static void set_busy(struct keygen_dialog *d, bool busy)
{
    GtkWidget *inputs[] = {d->user, d->passphrase, d->again};

    for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++)
        gtk_widget_set_sensitive(inputs[i], !busy);
    gtk_widget_set_visible(d->progress, busy);
    d->started = g_get_monotonic_time();
    if (busy) {
        d->timer = g_timeout_add(DRAW_MS, on_draw, d);
    } else if (d->timer != 0) {
        g_source_remove(d->timer);
        d->timer = 0;
    }
    look_again(d);
}

static void begin(struct keygen_dialog *d);

static void weak_accepted(gpointer data)
{
    (void)data;
    if (current == NULL)
        return;
    current->allow_weak = true;
    begin(current);
}

static void ask_weak(struct tray_app *app, const char *detail)
{
    struct msg_text text;
    char *title, *body;

    msg_format(MSG_KEYGEN_WEAK, i18n_lang(), &(struct msg_args){.detail = detail}, &text);
    title = g_strdup_printf("%s %s", text.code, text.title);
    body = g_strdup_printf("%s\n\n%s", text.cause, keymake_weak_words());
    ask(app, &(struct ask_question){.title = title,
                                    .text = body,
                                    .action = TXT_B_WEAK,
                                    .careful = true,
                                    .yes = weak_accepted});
    g_free(title);
    g_free(body);
}

static void failed(struct keygen_dialog *d, const struct job *j)
{
    struct msg_args args = {.name = j->app->paths.key_file, .detail = j->fault.text};
    enum msg_id id = keymake_problem(j->rc);

    set_busy(d, false);
    if (j->rc == PRA_EWEAK && !j->allow_weak)
        ask_weak(j->app, j->fault.text);
    else if (id != MSG_NONE)
        ui_trouble_msg(d->trouble, id, &args);
    else
        ui_trouble_show(d->trouble, j->fault.text, "", "");
}

static void done(void *arg)
{
    struct job *j = arg;
    struct tray_app *app = j->app;
    bool open = current != NULL && current == j->dialog;

    if (j->rc != 0 && open) {
        failed(current, j);
    } else if (j->rc == 0) {
        if (open)
            gtk_widget_destroy(current->dialog);
        app_reload(app);
        app_note(app, "key made");
        export_dialog_open(app);
    }
    g_free(j);
}

static void begin(struct keygen_dialog *d)
{
    struct job *j = g_new0(struct job, 1);

    ui_trouble_hide(d->trouble);
    j->app = d->app;
    j->dialog = d;
    j->force = d->force;
    j->allow_weak = d->allow_weak;
    g_strlcpy(j->user, text_of(d->user), sizeof(j->user));
    g_strlcpy(j->passphrase, text_of(d->passphrase), sizeof(j->passphrase));
    set_busy(d, true);
    work_start(run, done, j);
}

/* --- the dialog ------------------------------------------------------------------------------- */

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct keygen_dialog *d = data;

    if (response != GTK_RESPONSE_OK)
        gtk_widget_destroy(GTK_WIDGET(dialog));
    else if (d->timer == 0 && missing(d)[0] == '\0')
        begin(d);
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct keygen_dialog *d = data;

    (void)w;
    if (d->timer != 0)
        g_source_remove(d->timer);
    current = NULL;
    g_free(d);
}

static GtkWidget *make_form(struct keygen_dialog *d)
{
    GtkWidget *grid = ui_grid();

    d->user = ui_entry(TXT_USER);
    gtk_entry_set_text(GTK_ENTRY(d->user),
                       d->app->facts.has_key ? d->app->key.user : d->app->config.user);
    d->passphrase = ui_secret(TXT_PASSPHRASE);
    d->again = ui_secret(TXT_AGAIN);
    d->strength = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, UI_SPACE);
    d->bar = ui_name(gtk_level_bar_new(), TXT_STRENGTH);
    gtk_widget_set_valign(d->bar, GTK_ALIGN_CENTER);
    d->words = gtk_label_new("");
    gtk_label_set_width_chars(GTK_LABEL(d->words), 24);
    gtk_label_set_xalign(GTK_LABEL(d->words), 0);
    gtk_box_pack_start(GTK_BOX(d->strength), d->bar, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(d->strength), d->words, FALSE, FALSE, 0);
    ui_row(grid, 0, TXT_L_USER, d->user);
    ui_row(grid, 1, TXT_L_PASSPHRASE, d->passphrase);
    ui_row(grid, 2, TXT_L_AGAIN, d->again);
    ui_row(grid, 3, TXT_L_STRENGTH, d->strength);
    return grid;
}

static void build(struct keygen_dialog *d)
{
    GtkWidget *content, *ok;

    d->dialog = ui_dialog(d->app, TXT_KEYGEN_TITLE);
    content = ui_content(d->dialog);
    d->pool = pool_new(d->dialog, look_again, d);
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_KEYGEN_INTRO));
    gtk_container_add(GTK_CONTAINER(content), make_form(d));
    gtk_container_add(GTK_CONTAINER(content), pool_widget(d->pool));
    d->advice = ui_label("");
    gtk_label_set_width_chars(GTK_LABEL(d->advice), 50);
    d->progress = ui_name(gtk_progress_bar_new(), TXT_PROGRESS);
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(d->progress), TRUE);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), TXT_MAKING_KEY);
    gtk_widget_set_no_show_all(d->progress, TRUE);
    d->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), d->advice);
    gtk_container_add(GTK_CONTAINER(content), d->progress);
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_CANCEL, GTK_RESPONSE_CANCEL);
    ok = gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_GENERATE, GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(ok), "suggested-action");
    gtk_dialog_set_default_response(GTK_DIALOG(d->dialog), GTK_RESPONSE_OK);
    g_signal_connect(d->user, "changed", G_CALLBACK(on_edited), d);
    g_signal_connect(d->passphrase, "changed", G_CALLBACK(on_edited), d);
    g_signal_connect(d->again, "changed", G_CALLBACK(on_edited), d);
    g_signal_connect(d->dialog, "response", G_CALLBACK(on_response), d);
    g_signal_connect(d->dialog, "destroy", G_CALLBACK(on_destroy), d);
}

static void open_now(gpointer data)
{
    struct tray_app *app = data;

    if (current == NULL) {
        current = g_new0(struct keygen_dialog, 1);
        current->app = app;
        current->force = app->facts.has_key; /* the question was answered */
        current->forecast = kdf_forecast_ms();
        build(current);
        gtk_widget_show_all(current->dialog);
        look_again(current);
        gtk_widget_grab_focus(text_of(current->user)[0] != '\0' ? current->passphrase
                                                                : current->user);
        gtk_editable_select_region(GTK_EDITABLE(current->user), 0, 0);
    }
    gtk_window_present(GTK_WINDOW(current->dialog));
}

void keygen_dialog_open(struct tray_app *app)
{
    if (current != NULL || !app->facts.has_key)
        open_now(app);
    else
        ask(app, &(struct ask_question){.title = TXT_ASK_REPLACE,
                                        .text = TXT_ASK_REPLACE_WHY,
                                        .action = TXT_B_REPLACE,
                                        .careful = true,
                                        .yes = open_now,
                                        .data = app});
}
