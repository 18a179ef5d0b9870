/* サーバ設定 (A2): the gateway's address and its fingerprint; what is pinned is shown beside it. */
#include "client/tray/settings.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct server_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *address, *fingerprint, *pinned, *trouble;
};

static GtkWidget *open_dialog; /* one at a time */

static void save(struct server_dialog *d)
{
    struct tray_app *app = d->app;
    struct words_refusal no;

    if (!words_server_save(&app->paths, gtk_entry_get_text(GTK_ENTRY(d->address)),
                           gtk_entry_get_text(GTK_ENTRY(d->fingerprint)), &no)) {
        ui_trouble_show(d->trouble, no.what, no.why, "");
        if (no.field != WORDS_FIELD_NONE)
            gtk_widget_grab_focus(no.field == WORDS_FIELD_ADDRESS ? d->address : d->fingerprint);
        return;
    }
    gtk_widget_destroy(d->dialog);
    settings_server_taken(app);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    if (response == GTK_RESPONSE_OK)
        save(data);
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void on_fingerprint(GtkEditable *editable, gpointer data)
{
    struct server_dialog *d = data;
    char words[WORDS_MAX];

    words_fingerprint(&d->app->paths, gtk_entry_get_text(GTK_ENTRY(editable)), words);
    gtk_label_set_text(GTK_LABEL(d->pinned), words);
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    (void)w;
    open_dialog = NULL;
    g_free(data);
}

static void build(struct server_dialog *d)
{
    GtkWidget *grid = ui_grid(), *content;
    char address[ADDR_TEXT_MAX];

    settings_address(d->app, address);
    d->dialog = ui_dialog(d->app, TXT_SERVER_TITLE);
    content = ui_content(d->dialog);
    d->address = ui_entry(TXT_ADDRESS);
    d->fingerprint = ui_entry(TXT_FINGERPRINT);
    d->pinned = ui_label("");
    d->trouble = ui_trouble();
    gtk_entry_set_text(GTK_ENTRY(d->address), address);
    gtk_entry_set_text(GTK_ENTRY(d->fingerprint), d->app->config.fingerprint);
    gtk_entry_set_width_chars(GTK_ENTRY(d->fingerprint), 52);
    gtk_entry_set_placeholder_text(GTK_ENTRY(d->address), "gw.example.com");
    gtk_entry_set_placeholder_text(GTK_ENTRY(d->fingerprint), "SHA256:...");
    ui_row(grid, 0, TXT_L_ADDRESS, d->address);
    ui_row(grid, 1, TXT_L_FINGERPRINT, d->fingerprint);
    gtk_grid_attach(GTK_GRID(grid), d->pinned, 1, 2, 1, 1);
    gtk_style_context_add_class(gtk_widget_get_style_context(d->pinned), "dim-label");
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    ui_yes_no(d->dialog, TXT_B_SET);
    g_signal_connect(d->fingerprint, "changed", G_CALLBACK(on_fingerprint), d);
    g_signal_connect(d->dialog, "response", G_CALLBACK(on_response), d);
    g_signal_connect(d->dialog, "destroy", G_CALLBACK(on_destroy), d);
    on_fingerprint(GTK_EDITABLE(d->fingerprint), d);
}

void server_dialog_open(struct tray_app *app)
{
    struct server_dialog *d;

    if (open_dialog == NULL) {
        d = g_new0(struct server_dialog, 1);
        d->app = app;
        build(d);
        open_dialog = d->dialog;
        gtk_widget_show_all(d->dialog);
        gtk_widget_grab_focus(d->address);
    }
    gtk_window_present(GTK_WINDOW(open_dialog));
}
