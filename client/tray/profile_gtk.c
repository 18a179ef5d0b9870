/*
 * A connection profile (`*.pra`) that was opened: shown, taken after a yes, and then the next step by
 * itself, so that nothing but the passphrase is left to type. A profile may come from anybody, so it
 * is always shown before it changes anything, and beside it what was trusted until now.
 */
#include "client/server_change.h"
#include "client/tray/app_gtk.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct profile_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *trouble;
    struct profile profile;
    enum profile_effect effect;
    char *folder; /* where the profile is */
};

static GtkWidget *open_dialog; /* one at a time; a newer profile takes its place */

/* What is left to do with these settings: the key, else the connection. */
static void go_on(struct tray_app *app)
{
    if (!app->facts.has_key)
        keygen_dialog_open(app);
    else if (app->view.can_disconnect && !app->view.can_connect)
        ask_message(app, ASK_INFO, TXT_SERVER_SAVED, TXT_PROFILE_STANDS);
    else
        connect_dialog_open(app);
}

/* Takes the profile; false and a sentence in `f` if that fails. */
static bool take(struct tray_app *app, const struct profile *p, const char *folder, struct fault *f)
{
    struct config now;
    bool moved = false;

    if (config_load(app->paths.config_file, &now, f) != 0 ||
        profile_apply(&app->paths, &now, p, &moved, f) != 0)
        return false;
    g_strlcpy(app->profile_folder, folder, sizeof(app->profile_folder));
    app_note(app, "profile taken");
    app_reload(app);
    return true;
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct profile_dialog *d = data;
    struct tray_app *app = d->app;
    struct fault f = {0};

    if (response == GTK_RESPONSE_OK && !take(app, &d->profile, d->folder, &f)) {
        ui_trouble_show(d->trouble, TXT_SETTINGS_FAILED, f.text, "");
        return;
    }
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_OK)
        go_on(app);
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct profile_dialog *d = data;

    if (open_dialog == w)
        open_dialog = NULL;
    g_free(d->folder);
    g_free(d);
}

/* A row with the profile's word and, below it where that differs, the one that is set now. */
static void add_row(GtkWidget *grid, int *row, const char *label, const char *now, const char *word)
{
    ui_row(grid, (*row)++, label, ui_label(word));
    if (now[0] != '\0' && g_strcmp0(now, word) != 0) {
        char *text = g_strdup_printf(TXT_PROFILE_NOW, now);
        GtkWidget *was = ui_label(text);

        gtk_style_context_add_class(gtk_widget_get_style_context(was), "pra-bad");
        gtk_grid_attach(GTK_GRID(grid), was, 1, (*row)++, 1, 1);
        g_free(text);
    }
}

static GtkWidget *make_grid(const struct profile_dialog *d)
{
    const struct config *c = &d->app->config;
    char server[ADDR_TEXT_MAX], now[ADDR_TEXT_MAX] = "";
    GtkWidget *grid = ui_grid();
    int row = 0;

    config_format_address(&d->profile.server, d->profile.port, server);
    if (c->has_server)
        config_format_address(&c->server, c->server_port, now);
    if (d->profile.name[0] != '\0')
        ui_row(grid, row++, TXT_L_NAME, ui_label(d->profile.name));
    add_row(grid, &row, TXT_L_ITS_ADDRESS, now, server);
    add_row(grid, &row, TXT_L_KEY_FINGERPRINT, c->fingerprint, d->profile.fingerprint);
    add_row(grid, &row, TXT_L_ITS_USER, c->user, d->profile.user);
    return grid;
}

static void build(struct profile_dialog *d)
{
    bool replaces = d->effect >= PROFILE_OTHER_USER;
    GtkWidget *content, *use, *cancel, *words;

    d->dialog = ui_dialog(d->app, TXT_PROFILE);
    content = ui_content(d->dialog);
    gtk_container_add(GTK_CONTAINER(content), ui_heading(TXT_PROFILE_ASK));
    words = ui_label(profile_effect_words(d->effect));
    if (d->effect >= PROFILE_OTHER_KEY)
        gtk_style_context_add_class(gtk_widget_get_style_context(words), "pra-bad");
    gtk_container_add(GTK_CONTAINER(content), words);
    gtk_container_add(GTK_CONTAINER(content), make_grid(d));
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_PROFILE_CAREFUL));
    d->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    cancel = gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_CANCEL, GTK_RESPONSE_CANCEL);
    use = gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_USE, GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(use),
                                replaces ? "destructive-action" : "suggested-action");
    /* It may come from anybody: a yes has to be meant. */
    gtk_dialog_set_default_response(GTK_DIALOG(d->dialog), GTK_RESPONSE_CANCEL);
    gtk_widget_grab_focus(cancel);
    g_signal_connect(d->dialog, "response", G_CALLBACK(on_response), d);
    g_signal_connect(d->dialog, "destroy", G_CALLBACK(on_destroy), d);
}

/* Shows what a profile would change; what changes nothing goes on at once. */
static void show(struct tray_app *app, const struct profile *p, const char *path)
{
    struct profile_dialog *d;
    struct fault f = {0};
    enum profile_effect effect = profile_compare(&app->paths, &app->config, p);
    char *folder = g_path_get_dirname(path);

    if (open_dialog != NULL)
        gtk_widget_destroy(open_dialog);
    if (effect == PROFILE_SAME && take(app, p, folder, &f)) {
        g_free(folder);
        go_on(app);
        return;
    }
    d = g_new0(struct profile_dialog, 1);
    d->app = app;
    d->profile = *p;
    d->effect = effect;
    d->folder = folder;
    build(d);
    open_dialog = d->dialog;
    gtk_widget_show_all(d->dialog);
    ui_trouble_hide(d->trouble);
    gtk_window_present(GTK_WINDOW(d->dialog));
}

void profile_dialog_open(struct tray_app *app, const char *path)
{
    struct profile p;
    struct fault f = {0};
    char *why;

    app_command(app, TRAY_CMD_OPEN, 0);
    if (profile_load(path, &p, &f) == 0) {
        show(app, &p, path);
        return;
    }
    why = g_utf8_make_valid(f.text, -1); /* a path need not be UTF-8 */
    ask_message(app, ASK_ERROR, TXT_PROFILE_BAD, why);
    g_free(why);
}

static void on_chosen(gpointer data, const char *path)
{
    profile_dialog_open(data, path);
}

void profile_dialog_choose(struct tray_app *app)
{
    ui_open(app, TXT_PROFILE_OPEN, "*.pra", on_chosen, app);
}
