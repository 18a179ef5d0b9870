/* 接続 (connect_dialog.h) in GTK, whose entry wipes its memory. */
#include <stdio.h>

#include "client/tray/connect_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct ui {
    struct connect_dialog *d;
    GtkWidget *dialog, *user, *passphrase, *progress, *trouble, *ok;
};

static const char *entry_text(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

static double part(gconstpointer data)
{
    return connect_part(data);
}

static void on_edited(GtkEditable *editable, gpointer data)
{
    struct ui *u = data;

    (void)editable;
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), GTK_RESPONSE_OK,
                                      connect_can_begin(u->d, entry_text(u->user)[0] != '\0',
                                                        entry_text(u->passphrase)[0] != '\0'));
}

void connect_ui_phase(struct ui *u, const char *words)
{
    bool busy = u->d->phase != CONNECT_INPUT;

    gtk_widget_set_sensitive(u->user, !busy);
    gtk_widget_set_sensitive(u->passphrase, !busy);
    on_edited(NULL, u);
    ui_progress_run(u->progress, busy, words);
}

void connect_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u->trouble, title, cause, remedy);
}

void connect_ui_read(struct ui *u, struct attempt *a)
{
    g_strlcpy(a->user, entry_text(u->user), sizeof(a->user));
    g_strlcpy(a->passphrase, entry_text(u->passphrase), sizeof(a->passphrase));
}

void connect_ui_again(struct ui *u)
{
    gtk_widget_grab_focus(u->passphrase);
}

void connect_ui_front(struct ui *u)
{
    gtk_window_present(GTK_WINDOW(u->dialog));
}

void connect_ui_close(struct ui *u)
{
    gtk_widget_destroy(u->dialog);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct ui *u = data;

    if (response == GTK_RESPONSE_OK) {
        connect_begin(u->d);
    } else {
        connect_cancel(u->d);
        gtk_widget_destroy(GTK_WIDGET(dialog));
    }
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct ui *u = data;

    (void)w;
    connect_gone(u->d);
    g_free(u);
}

static void build(struct ui *u, struct tray_app *app, const char *user)
{
    GtkWidget *content, *grid = ui_grid();

    u->dialog = ui_dialog(app, TXT_CONNECT);
    content = ui_content(u->dialog);
    u->user = ui_entry(TXT_USER);
    u->passphrase = ui_secret(TXT_PASSPHRASE);
    gtk_entry_set_text(GTK_ENTRY(u->user), user);
    ui_row(grid, 0, TXT_L_USER, u->user);
    ui_row(grid, 1, TXT_L_PASSPHRASE, u->passphrase);
    u->progress = ui_progress(part, u->d);
    u->trouble = ui_trouble();
    if (app->config.name[0] != '\0')
        gtk_container_add(GTK_CONTAINER(content), ui_heading(app->config.name));
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), u->progress);
    gtk_container_add(GTK_CONTAINER(content), u->trouble);
    ui_yes_no(u->dialog, TXT_B_CONNECT);
    g_signal_connect(u->user, "changed", G_CALLBACK(on_edited), u);
    g_signal_connect(u->passphrase, "changed", G_CALLBACK(on_edited), u);
}

struct ui *connect_ui_new(struct connect_dialog *d, const char *user)
{
    struct ui *u = g_new0(struct ui, 1);

    u->d = d;
    build(u, d->app, user);
    on_edited(NULL, u);
    ui_dialog_show(u->dialog, user[0] != '\0' ? u->passphrase : u->user, G_CALLBACK(on_response), u,
                   G_CALLBACK(on_destroy), u);
    gtk_editable_select_region(GTK_EDITABLE(u->user), 0, 0); /* what has no focus is not marked */
    return u;
}
