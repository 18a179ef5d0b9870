/* オプション: start at login, connect at start, notices, language, proxy. */
#include "client/tray/settings.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct prefs_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *autostart, *connect, *notices, *language, *proxy, *trouble;
};

static GtkWidget *open_dialog; /* one at a time */

static void read_choices(const struct prefs_dialog *d, struct settings_options *o)
{
    memset(o, 0, sizeof(*o));
    o->autostart = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(d->autostart));
    o->prefs.connect_at_start = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(d->connect));
    o->prefs.notices = (enum tray_notices)gtk_combo_box_get_active(GTK_COMBO_BOX(d->notices));
    o->prefs.language = (enum prefs_language)gtk_combo_box_get_active(GTK_COMBO_BOX(d->language));
    g_strlcpy(o->proxy, gtk_entry_get_text(GTK_ENTRY(d->proxy)), sizeof(o->proxy));
}

static void save(struct prefs_dialog *d)
{
    struct tray_app *app = d->app;
    struct settings_options o;
    struct words_refusal no;

    read_choices(d, &o);
    if (!settings_options_save(app, &o, &no)) {
        ui_trouble_show(d->trouble, no.what, no.why, "");
        if (no.field == WORDS_FIELD_PROXY)
            gtk_widget_grab_focus(d->proxy);
        return;
    }
    gtk_widget_destroy(d->dialog);
    settings_options_taken(app);
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

static GtkWidget *check(const char *label, bool on)
{
    GtkWidget *box = gtk_check_button_new_with_mnemonic(label);

    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(box), on);
    return box;
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
    const char *notices[3], *languages[3];
    GtkWidget *content, *grid = ui_grid();
    struct settings_options o;

    settings_options(d->app, &o);
    settings_notices(notices);
    settings_languages(languages);
    d->dialog = ui_dialog(d->app, TXT_OPTIONS_TITLE);
    content = ui_content(d->dialog);
    d->autostart = check(TXT_C_AUTOSTART, o.autostart);
    d->connect = check(TXT_C_CONNECT, o.prefs.connect_at_start);
    d->notices = choice(TXT_NOTICES, notices, (int)o.prefs.notices);
    d->language = choice(TXT_LANGUAGE, languages, (int)o.prefs.language);
    d->proxy = ui_entry(TXT_PROXY);
    gtk_entry_set_text(GTK_ENTRY(d->proxy), o.proxy);
    gtk_entry_set_placeholder_text(GTK_ENTRY(d->proxy), "proxy.example.com:8080");
    d->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), d->autostart);
    gtk_container_add(GTK_CONTAINER(content), d->connect);
    ui_row(grid, 0, TXT_L_NOTICES, d->notices);
    ui_row(grid, 1, TXT_L_LANGUAGE, d->language);
    ui_row(grid, 2, TXT_L_PROXY, d->proxy);
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    ui_yes_no(d->dialog, TXT_B_OK);
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
