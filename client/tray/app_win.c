/*
 * The Windows tray's one state: what the agent said last, what the files say, what follows from both,
 * and what a command does. See app_win.h.
 */
#include "client/tray/app_win.h"

#include <stdio.h>

#include "client/cli_remote.h"
#include "client/tray/link.h"
#include "client/tray/notify_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"

HWND app_parent(const struct tray_app *app)
{
    if (app->window == NULL || !IsWindowVisible(window_handle(app->window)))
        return NULL;
    return window_handle(app->window);
}

bool app_hides(const struct tray_app *app)
{
    return notify_hosted(app->notify);
}

void app_refresh(struct tray_app *app)
{
    struct tray_notice notice;

    app->facts.status = app->status != NULL ? app->status : app->offline;
    app->facts.age = (long)((GetTickCount64() - app->status_at) / 1000);
    tray_look(&app->facts, &app->view);
    notify_update(app->notify, &app->facts, &app->view);
    if (tray_notice(&app->view, app->prefs.notices, &app->told, &notice))
        notify_show(app->notify, &notice);
    if (app->window != NULL)
        window_update(app->window);
    if (app->connect != NULL)
        connect_dialog_update(app->connect);
    notify_ticks(app->notify, app->view.retry_in >= 0);
}

void app_take_status(struct tray_app *app, json_t *status)
{
    json_t *old = app->status;

    app->status = json_is_object(status) ? json_incref(status) : NULL;
    app->status_at = GetTickCount64();
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
        OutputDebugStringA(f.text);
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

void app_free(struct tray_app *app)
{
    json_decref(app->status);
    json_decref(app->offline);
    app->status = app->offline = NULL;
}

/* --- commands --------------------------------------------------------------------------------- */

static void open_window(struct tray_app *app)
{
    if (app->window == NULL)
        app->window = window_new(app);
    window_present(app->window);
}

static void disconnect_now(void *data)
{
    struct tray_app *app = data;

    link_send(&app->paths, json_pack("{s:s}", "op", "disconnect"));
}

static void copy_address(struct tray_app *app, size_t row)
{
    char said[TRAY_CELL_MAX + 64];
    struct tray_row r;

    if (row >= tray_row_count(app->facts.status))
        return;
    tray_row(app->facts.status, row, &r);
    if (text_copy(notify_window(), r.local))
        snprintf(said, sizeof(said), TXT_COPIED, r.local);
    else
        snprintf(said, sizeof(said), "%s", TXT_COPY_FAILED);
    if (app->window != NULL)
        window_say(app->window, said);
}

static void quit_now(void *data)
{
    (void)data;
    PostQuitMessage(0);
}

static void quit(struct tray_app *app)
{
    if (app->view.can_disconnect)
        ask(app, TXT_ASK_QUIT, TXT_ASK_QUIT_WHY, TXT_B_QUIT, quit_now, app);
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
        ask(app, TXT_ASK_DISCONNECT, TXT_ASK_DISCONNECT_WHY, TXT_B_DISCONNECT, disconnect_now, app);
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
    char text[512];

    snprintf(text, sizeof(text), TXT_ABOUT, PRA_VERSION);
    ask_message(app, ASK_INFO, "PRA", text);
}
