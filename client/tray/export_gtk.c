/* 公開鍵のエクスポート (export_dialog.h) in GTK. */
#include "client/tray/export_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct ui {
    struct export_dialog *d;
    GtkWidget *dialog, *said;
};

enum { RESPONSE_COPY = 1, RESPONSE_SAVE, RESPONSE_CONNECT, RESPONSE_ENROLL };

void export_ui_front(struct ui *u)
{
    gtk_window_present(GTK_WINDOW(u->dialog));
}

void export_ui_say(struct ui *u, const char *text)
{
    gtk_label_set_text(GTK_LABEL(u->said), text);
}

static void on_chosen(gpointer data, const char *path)
{
    if (export_is_open(data))
        export_save(data, path);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct export_dialog *d = data;
    struct tray_app *app = d->app;
    char name[EXPORT_NAME_MAX];

    if (response == RESPONSE_COPY) {
        export_copy(d);
    } else if (response == RESPONSE_SAVE) {
        export_name(d, name);
        ui_save_as(app, GTK_WIDGET(dialog), TXT_EXPORT_TITLE, name, on_chosen, d);
    } else {
        gtk_widget_destroy(GTK_WIDGET(dialog));
        if (response == RESPONSE_CONNECT)
            connect_dialog_open(app);
        else if (response == RESPONSE_ENROLL)
            enroll_dialog_open(app);
    }
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct ui *u = data;

    (void)w;
    export_gone(u->d);
    g_free(u);
}

static void build(struct ui *u)
{
    const struct export_dialog *d = u->d;
    GtkWidget *content, *grid = ui_grid(), *close;

    u->dialog = ui_dialog(d->app, TXT_EXPORT_TITLE);
    content = ui_content(u->dialog);
    gtk_container_add(GTK_CONTAINER(content), ui_heading(TXT_KEY_READY));
    ui_row(grid, 0, TXT_L_KEY_OF, ui_label(d->who));
    ui_row(grid, 1, TXT_L_KEY_FINGERPRINT, ui_label(d->fingerprint));
    ui_row(grid, 2, TXT_L_BINDING, ui_label(d->binding));
    gtk_container_add(GTK_CONTAINER(content), grid);
    if (d->info.weak)
        gtk_container_add(GTK_CONTAINER(content), ui_label(keymake_weak_words()));
    u->said = ui_label(TXT_EXPORT_WAITING);
    gtk_container_add(GTK_CONTAINER(content), u->said);
    gtk_dialog_add_buttons(GTK_DIALOG(u->dialog), TXT_B_COPY, RESPONSE_COPY, TXT_B_SAVE_TO,
                           RESPONSE_SAVE, NULL);
    if (d->can_enroll)
        gtk_dialog_add_button(GTK_DIALOG(u->dialog), TXT_M_ENROLL, RESPONSE_ENROLL);
    close = gtk_dialog_add_button(GTK_DIALOG(u->dialog), TXT_B_CLOSE, GTK_RESPONSE_CLOSE);
    if (d->can_connect)
        gtk_dialog_add_button(GTK_DIALOG(u->dialog), TXT_B_CONNECT, RESPONSE_CONNECT);
    gtk_widget_grab_focus(close);
}

struct ui *export_ui_new(struct export_dialog *d)
{
    struct ui *u = g_new0(struct ui, 1);

    u->d = d;
    build(u);
    ui_dialog_show(u->dialog, NULL, G_CALLBACK(on_response), d, G_CALLBACK(on_destroy), u);
    return u;
}
