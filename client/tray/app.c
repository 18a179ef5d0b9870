/*
 * The tray's one state: what the agent said last, what the files say, what follows from both, and
 * what a command does. See app.h.
 */
#include "client/tray/app.h"

#include "client/cli_remote.h"
#include "client/tray/link.h"
#include "client/tray/sni.h"
#include "client/tray/texts.h"
#include "client/tray/ui.h"

#define NOTICE_ID "state"

GtkWindow *app_parent(struct tray_app *app)
{
    if (app->window == NULL || !gtk_widget_get_visible(GTK_WIDGET(window_gtk(app->window))))
        return NULL;
    return window_gtk(app->window);
}

bool app_hides(const struct tray_app *app)
{
    return sni_hosted(app->sni);
}

static void notify(struct tray_app *app)
{
    struct tray_notice notice;
    GNotification *n;

    if (!tray_notice(&app->view, app->prefs.notices, &app->told, &notice))
        return;
    n = g_notification_new(notice.title);
    g_notification_set_body(n, notice.body);
    g_notification_set_default_action(n, "app.open");
    g_notification_set_priority(n, notice.error ? G_NOTIFICATION_PRIORITY_HIGH
                                                : G_NOTIFICATION_PRIORITY_NORMAL);
    /* One id: a newer state takes the place of an older one. */
    g_application_send_notification(G_APPLICATION(app->gtk), NOTICE_ID, n);
    g_object_unref(n);
}

static gboolean on_tick(gpointer data)
{
    struct tray_app *app = data;

    app_refresh(app);
    if (app->view.retry_in >= 0)
        return G_SOURCE_CONTINUE;
    app->tick = 0;
    return G_SOURCE_REMOVE;
}

void app_refresh(struct tray_app *app)
{
    app->facts.status = app->status != NULL ? app->status : app->offline;
    app->facts.age = (long)((g_get_monotonic_time() - app->status_at) / G_TIME_SPAN_SECOND);
    tray_look(&app->facts, &app->view);
    notify(app);
    sni_update(app->sni, &app->facts, &app->view);
    if (app->window != NULL)
        window_update(app->window);
    if (app->connect != NULL)
        connect_dialog_update(app->connect);
    if (app->view.retry_in >= 0 && app->tick == 0)
        app->tick = g_timeout_add_seconds(1, on_tick, app);
}

void app_take_status(struct tray_app *app, json_t *status)
{
    json_t *old = app->status;

    app->status = json_is_object(status) ? json_incref(status) : NULL;
    app->status_at = g_get_monotonic_time();
    if (app->connect != NULL)
        connect_dialog_hear(app->connect, app->status);
    app_refresh(app);
    json_decref(old); /* the view pointed into it until now */
}

void app_reload(struct tray_app *app)
{
    json_t *old = app->offline;
    struct config config;
    struct fault f = {0};

    if (config_load(app->paths.config_file, &config, &f) == 0)
        app->config = config;
    else
        g_warning("%s", f.text);
    app->facts.has_server = app->config.has_server;
    app->facts.has_key = keyfile_inspect(app->paths.key_file, &app->key, NULL) == 0;
    app->offline = remote_offline_status(&app->paths);
    app_refresh(app);
    json_decref(old);
}

void app_rebuild(struct tray_app *app)
{
    if (app->window != NULL) {
        window_free(app->window);
        app->window = window_new(app);
        window_present(app->window);
    }
    app_refresh(app);
}

void app_note(struct tray_app *app, const char *text)
{
    link_send(&app->paths, json_pack("{s:s, s:s, s:s}", "op", "note", "log", "user", "text", text));
}

/* --- commands --------------------------------------------------------------------------------- */

static void open_window(struct tray_app *app)
{
    if (app->window == NULL)
        app->window = window_new(app);
    window_present(app->window);
}

static void disconnect_now(gpointer data)
{
    struct tray_app *app = data;

    link_send(&app->paths, json_pack("{s:s}", "op", "disconnect"));
}

static void ask_disconnect(struct tray_app *app)
{
    ui_ask(app, TXT_ASK_DISCONNECT, TXT_ASK_DISCONNECT_WHY, TXT_B_DISCONNECT, disconnect_now, app);
}

static void copy_address(struct tray_app *app, size_t row)
{
    GtkClipboard *clipboard = gtk_clipboard_get(GDK_SELECTION_CLIPBOARD);
    struct tray_row r;
    char *said;

    if (row >= tray_row_count(app->facts.status))
        return;
    tray_row(app->facts.status, row, &r);
    gtk_clipboard_set_text(clipboard, r.local, -1);
    said = g_strdup_printf(TXT_COPIED, r.local);
    if (app->window != NULL)
        window_say(app->window, said);
    g_free(said);
}

static void quit_now(gpointer data)
{
    struct tray_app *app = data;

    g_application_quit(G_APPLICATION(app->gtk));
}

static void quit(struct tray_app *app)
{
    if (app->view.can_disconnect)
        ui_ask(app, TXT_ASK_QUIT, TXT_ASK_QUIT_WHY, TXT_B_QUIT, quit_now, app);
    else
        quit_now(app);
}

void app_command(struct tray_app *app, enum tray_command command, size_t row)
{
    switch (command) {
    case TRAY_CMD_OPEN:
        open_window(app);
        break;
    case TRAY_CMD_RETRY: /* to a waiting agent "connect" means "now" */
        link_send(&app->paths, json_pack("{s:s}", "op", "connect"));
        break;
    case TRAY_CMD_CONNECT:
        connect_dialog_open(app);
        break;
    case TRAY_CMD_DISCONNECT:
        ask_disconnect(app);
        break;
    case TRAY_CMD_COPY:
        copy_address(app, row);
        break;
    case TRAY_CMD_SERVER:
        server_dialog_open(app);
        break;
    case TRAY_CMD_KEYGEN:
        keygen_dialog_open(app);
        break;
    case TRAY_CMD_EXPORT:
        export_dialog_open(app);
        break;
    case TRAY_CMD_COLLECT:
        collect_dialog_open(app);
        break;
    case TRAY_CMD_SETTINGS:
        prefs_dialog_open(app);
        break;
    case TRAY_CMD_QUIT:
        quit(app);
        break;
    default:
        break;
    }
}

/* --- the small dialog ------------------------------------------------------------------------- */

void about_dialog_open(struct tray_app *app)
{
    char *text = g_strdup_printf(TXT_ABOUT, PRA_VERSION);

    ui_message(app, GTK_MESSAGE_INFO, "PRA", text);
    g_free(text);
}
