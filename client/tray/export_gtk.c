/* 公開鍵のエクスポート (A5): fingerprint, binding, and the public key as a file or by the clipboard. */
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/keymake.h"
#include "client/tray/app_gtk.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"
#include "client/tray/words.h"

struct export_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *said;
    struct keyfile_info info;
    char line[SSHKEY_LINE_MAX];
};

static struct export_dialog *current; /* one at a time; NULL = not open */

enum { RESPONSE_COPY = 1, RESPONSE_SAVE, RESPONSE_CONNECT };

static void save_to(gpointer data, const char *path)
{
    struct fault f = {0};
    char *said;

    if (current == NULL || current != data)
        return;
    if (keymake_write_public(path, current->line, &f) == 0) {
        said = g_strdup_printf(TXT_EXPORT_SAVED, path);
        app_note(current->app, "public key exported");
    } else {
        said = g_strdup_printf("%s: %s", TXT_EXPORT_FAILED, f.text);
    }
    gtk_label_set_text(GTK_LABEL(current->said), said);
    g_free(said);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct export_dialog *d = data;
    struct tray_app *app = d->app;
    char name[KEYFILE_USER_MAX + 8];

    if (response == RESPONSE_COPY) {
        gtk_clipboard_set_text(gtk_clipboard_get(GDK_SELECTION_CLIPBOARD), d->line, -1);
        gtk_label_set_text(GTK_LABEL(d->said), TXT_EXPORT_COPIED);
    } else if (response == RESPONSE_SAVE) {
        words_public_name(d->info.user, name, sizeof(name));
        ui_save_as(d->app, d->dialog, TXT_EXPORT_TITLE, name, save_to, d);
    } else {
        gtk_widget_destroy(GTK_WIDGET(dialog));
        if (response == RESPONSE_CONNECT)
            connect_dialog_open(app);
    }
}

/*
 * Beside the profile that led here (on the administrator's stick, as often as not) the public key is
 * saved without being asked for; never over another file, and once for each profile.
 */
static void save_beside_profile(struct export_dialog *d)
{
    char name[KEYFILE_USER_MAX + 8];
    char *path;

    if (d->app->profile_folder[0] == '\0')
        return;
    words_public_name(d->info.user, name, sizeof(name));
    path = g_build_filename(d->app->profile_folder, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK) &&
        g_access(d->app->profile_folder, W_OK) == 0)
        save_to(d, path);
    g_free(path);
    d->app->profile_folder[0] = '\0';
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    (void)w;
    current = NULL;
    g_free(data);
}

static void build(struct export_dialog *d)
{
    GtkWidget *content, *grid = ui_grid(), *ok;
    char fingerprint[SSHKEY_FINGERPRINT_MAX] = "", binding[KEY_BINDING_MAX], who[160];

    (void)keymake_fingerprint(&d->info, fingerprint);
    g_snprintf(who, sizeof(who), "%s@%s", d->info.user, d->info.computer);
    d->dialog = ui_dialog(d->app, TXT_EXPORT_TITLE);
    content = ui_content(d->dialog);
    gtk_container_add(GTK_CONTAINER(content), ui_heading(TXT_KEY_READY));
    ui_row(grid, 0, TXT_L_KEY_OF, ui_label(who));
    ui_row(grid, 1, TXT_L_KEY_FINGERPRINT, ui_label(fingerprint));
    ui_row(grid, 2, TXT_L_BINDING, ui_label(key_binding_words(&d->info, binding)));
    gtk_container_add(GTK_CONTAINER(content), grid);
    if (d->info.weak)
        gtk_container_add(GTK_CONTAINER(content), ui_label(keymake_weak_words()));
    d->said = ui_label(TXT_EXPORT_WAITING);
    gtk_container_add(GTK_CONTAINER(content), d->said);
    gtk_dialog_add_buttons(GTK_DIALOG(d->dialog), TXT_B_COPY, RESPONSE_COPY, TXT_B_SAVE_TO,
                           RESPONSE_SAVE, NULL);
    ok = gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_CLOSE, GTK_RESPONSE_CLOSE);
    if (d->app->facts.has_server && d->app->view.can_connect)
        gtk_dialog_add_button(GTK_DIALOG(d->dialog), TXT_B_CONNECT, RESPONSE_CONNECT);
    gtk_widget_grab_focus(ok);
    g_signal_connect(d->dialog, "response", G_CALLBACK(on_response), d);
    g_signal_connect(d->dialog, "destroy", G_CALLBACK(on_destroy), d);
}

void export_dialog_open(struct tray_app *app)
{
    struct export_dialog *d = current;
    struct fault f = {0};
    int rc = 0;

    if (d == NULL) {
        d = g_new0(struct export_dialog, 1);
        d->app = app;
        rc = keyfile_inspect(app->paths.key_file, &d->info, &f);
        if (rc == 0)
            rc = sshkey_format_line(&d->info, d->line, sizeof(d->line));
        if (rc != 0) {
            ask_problem(app, keymake_inspect_problem(rc),
                        &(struct msg_args){.detail = f.text, .user = TXT_NAME_HOLDER});
            g_free(d);
            return;
        }
        build(d);
        current = d;
        save_beside_profile(d);
        gtk_widget_show_all(d->dialog);
    }
    gtk_window_present(GTK_WINDOW(d->dialog));
}
