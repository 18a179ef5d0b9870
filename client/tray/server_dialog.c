/* サーバ設定 (A2): the gateway's address and its fingerprint; what is pinned is shown beside it. */
#include "client/hostkey.h"
#include "client/server_change.h"
#include "client/tray/app.h"
#include "client/tray/ui.h"
#include "common/i18n.h"

struct server_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *address, *fingerprint, *pinned, *trouble;
};

static GtkWidget *open_dialog; /* one at a time */

/* What a person typed or pasted, without blanks around it. Caller frees. */
static char *typed(GtkWidget *entry)
{
    return g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY(entry))));
}

static void say(struct server_dialog *d, const char *what, const char *why)
{
    ui_trouble_show(d->trouble, what, why, "");
}

static void save(struct server_dialog *d, const char *address, const char *fingerprint)
{
    struct tray_app *app = d->app;
    struct config wanted = {0}, now;
    struct server_change change = {.server = &wanted};
    char why[SERVER_WHY_MAX];
    struct fault f = {0};
    bool moved = false;

    if (!server_read_address(address, &wanted, why)) {
        say(d, tr("The address cannot be used", "アドレスが使用できません"), why);
        gtk_widget_grab_focus(d->address);
        return;
    }
    if (fingerprint[0] != '\0' && config_check_fingerprint(fingerprint, &f) != 0) {
        say(d, tr("The fingerprint is not complete", "指紋が正しくありません"),
            tr("SHA256: and 43 characters are expected, as your administrator gave them.",
               "システム管理者さまから伝えられた、SHA256: に続く 43 文字を入力してください。"));
        gtk_widget_grab_focus(d->fingerprint);
        return;
    }
    if (fingerprint[0] != '\0')
        change.fingerprint = fingerprint;
    if (config_load(app->paths.config_file, &now, &f) != 0 ||
        server_change(&app->paths, &now, &change, &moved, &f) != 0) {
        say(d, tr("The settings cannot be saved", "設定を保存できません"), f.text);
        return;
    }
    gtk_widget_destroy(d->dialog);
    app_reload(app);
    if (app->view.can_disconnect)
        ui_message(
            app, GTK_MESSAGE_INFO, tr("Saved", "設定しました"),
            tr("The connection that stands keeps the old address until you connect again.",
               "現在の接続は以前のアドレスのままです。接続し直すと新しい設定が有効になります。"));
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct server_dialog *d = data;
    char *address, *fingerprint;

    if (response != GTK_RESPONSE_OK) {
        gtk_widget_destroy(GTK_WIDGET(dialog));
        return;
    }
    address = typed(d->address);
    fingerprint = typed(d->fingerprint);
    save(d, address, fingerprint);
    g_free(address);
    g_free(fingerprint);
}

/* Says while it is typed whether the fingerprint can be one and is the one that was seen. */
static void on_fingerprint(GtkEditable *editable, gpointer data)
{
    struct server_dialog *d = data;
    char *text = typed(GTK_WIDGET(editable));
    struct hostkey_pin pin;
    bool known = hostkey_pin_read(d->app->paths.known_host, &pin, NULL) == 0;
    char *words = NULL;

    if (text[0] != '\0' && config_check_fingerprint(text, NULL) != 0)
        words = g_strdup(tr("× not complete: SHA256: and 43 characters",
                            "× SHA256: に続く 43 文字を入力してください"));
    else if (text[0] != '\0' && known && g_strcmp0(text, pin.fingerprint) != 0)
        words = g_strdup(tr("× differs from the key that the gateway showed last time",
                            "× 前回の接続で確認した鍵と異なります"));
    else if (text[0] != '\0')
        words = g_strdup(known ? tr("● the key that the gateway showed last time",
                                    "● 前回の接続で確認した鍵と一致します")
                               : tr("● complete", "● 形式は正しいです"));
    else if (known)
        words = g_strdup_printf(tr("Confirmed before: %s", "確認済みの指紋: %s"), pin.fingerprint);
    else
        words =
            g_strdup(tr("If this stays empty, PRA shows the fingerprint at the first connection "
                        "and asks you to compare it.",
                        "空欄の場合は、初回の接続時に指紋を表示して確認をお願いします。"));
    gtk_label_set_text(GTK_LABEL(d->pinned), words);
    g_free(words);
    g_free(text);
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    (void)w;
    open_dialog = NULL;
    g_free(data);
}

static void build(struct server_dialog *d)
{
    GtkWidget *grid = ui_grid(), *content, *ok;
    const struct config *c = &d->app->config;
    char address[ADDR_TEXT_MAX] = "";

    d->dialog = ui_dialog(d->app, tr("Server", "サーバ設定"));
    content = ui_content(d->dialog);
    if (c->has_server)
        config_format_address(&c->server, c->server_port, address);
    d->address = ui_entry(tr("Server address", "SUS サーバアドレス"));
    d->fingerprint = ui_entry(tr("Fingerprint", "指紋"));
    d->pinned = ui_label("");
    d->trouble = ui_trouble();
    gtk_entry_set_text(GTK_ENTRY(d->address), address);
    gtk_entry_set_text(GTK_ENTRY(d->fingerprint), c->fingerprint);
    gtk_entry_set_width_chars(GTK_ENTRY(d->fingerprint), 52);
    gtk_entry_set_placeholder_text(GTK_ENTRY(d->address), "gw.example.com");
    gtk_entry_set_placeholder_text(GTK_ENTRY(d->fingerprint), "SHA256:...");
    ui_row(grid, 0, tr("Server _address:", "SUS サーバアドレス(_A):"), d->address);
    ui_row(grid, 1, tr("_Fingerprint:", "指紋(_F):"), d->fingerprint);
    gtk_grid_attach(GTK_GRID(grid), d->pinned, 1, 2, 1, 1);
    gtk_style_context_add_class(gtk_widget_get_style_context(d->pinned), "dim-label");
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), d->trouble);
    gtk_dialog_add_button(GTK_DIALOG(d->dialog), tr("_Cancel", "キャンセル(_C)"),
                          GTK_RESPONSE_CANCEL);
    ok = gtk_dialog_add_button(GTK_DIALOG(d->dialog), tr("_Set", "設定(_S)"), GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(ok), "suggested-action");
    gtk_dialog_set_default_response(GTK_DIALOG(d->dialog), GTK_RESPONSE_OK);
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
