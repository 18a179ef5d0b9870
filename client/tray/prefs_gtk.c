/* オプション: start at login, connect at start, notices, language, proxy. */
#include "client/tray/app_gtk.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"
#include "client/tray/words.h"

struct prefs_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *autostart, *connect, *notices, *language, *proxy, *trouble;
};

static GtkWidget *open_dialog; /* one at a time */

static void save(struct prefs_dialog *d)
{
    struct tray_app *app = d->app;
    enum prefs_language before = app->prefs.language;
    bool autostart = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(d->autostart));
    struct prefs p = {
        .notices = (enum tray_notices)gtk_combo_box_get_active(GTK_COMBO_BOX(d->notices)),
        .language = (enum prefs_language)gtk_combo_box_get_active(GTK_COMBO_BOX(d->language)),
        .connect_at_start = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(d->connect))};
    char why[SERVER_WHY_MAX] = "";
    struct fault f = {0};

    if (words_proxy_save(&app->paths, gtk_entry_get_text(GTK_ENTRY(d->proxy)), why) != 0) {
        ui_trouble_show(d->trouble, TXT_PROXY_BAD, why, "");
        gtk_widget_grab_focus(d->proxy);
        return;
    }
    if (prefs_save(&app->paths, &p, &f) != 0 ||
        (autostart != prefs_autostart() && prefs_set_autostart(autostart, &f) != 0)) {
        ui_trouble_show(d->trouble, TXT_SETTINGS_FAILED, f.text, "");
        return;
    }
    app->prefs = p;
    gtk_widget_destroy(d->dialog);
    app_reload(app);
    if (p.language != before) {
        prefs_apply_language(&p);
        app_rebuild(app);
    }
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    if (response == GTK_RESPONSE_OK)
        save(data);
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    (void)w;
    open_dialog = NULL;
    g_free(data);
}

static GtkWidget *choice(const char *name, const char *const words[3], int active)
{
    GtkWidget *combo = gtk_combo_box_text_new();

    for (int i = 0; i < 3; i++)
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), words[i]);
    gtk_combo_box_set_active(GTK_COMBO_BOX(combo), active);
    return ui_name(combo, name);
}

static void build(struct prefs_dialog *d)
{
    const char *const notices[3] = {TXT_ALL, TXT_ERRORS_ONLY, TXT_NONE};
    const char *const languages[3] = {TXT_AS_SYSTEM, "日本語", "English"};
    GtkWidget *content, *grid = ui_grid(), *ok;
    const struct config *c = &d->app->config;
    char proxy[ADDR_TEXT_MAX] = "";

    d->dialog = ui_dialog(d->app, TXT_OPTIONS_TITLE);
    content = ui_content(d->dialog);
    d->autostart = gtk_check_button_new_with_mnemonic(TXT_C_AUTOSTART);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->autostart), prefs_autostart());
    d->connect = gtk_check_button_new_with_mnemonic(TXT_C_CONNECT);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->connect), d->app->prefs.connect_at_start);
    d->notices = choice(TXT_NOTICES, notices, (int)d->app->prefs.notices);
    d->language = choice(TXT_LANGUAGE, languages, (int)d->app->prefs.language);
    d->proxy = ui_entry(TXT_PROXY);
    if (c->has_proxy)
        gtk_entry_set_text(GTK_ENTRY(d->proxy),
                           config_format_address(&c->proxy, c->proxy_port, proxy));
    gtk_entry_set_placeholder_text(GTK_ENTRY(d->proxy), "proxy.example.com:8080");
    d->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), d->autostart);
    gtk_container_add(GTK_CONTAINER(content), d->connect);
    ui_row(grid, 0, TXT_L_NOTICES, d->notices);
    ui_row(grid, 1, TXT_L_LANGUAGE, d->language);
    ui_row(grid, 2, TXT_L_PROXY, d->proxy);
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_CANCEL, GTK_RESPONSE_CANCEL);
    ok = gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_OK, GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(ok), "suggested-action");
    gtk_dialog_set_default_response(GTK_DIALOG(d->dialog), GTK_RESPONSE_OK);
    g_signal_connect(d->dialog, "response", G_CALLBACK(on_response), d);
    g_signal_connect(d->dialog, "destroy", G_CALLBACK(on_destroy), d);
}

void prefs_dialog_open(struct tray_app *app)
{
    struct prefs_dialog *d;

    if (open_dialog == NULL) {
        d = g_new0(struct prefs_dialog, 1);
        d->app = app;
        build(d);
        open_dialog = d->dialog;
        gtk_widget_show_all(d->dialog);
    }
    gtk_window_present(GTK_WINDOW(open_dialog));
}
