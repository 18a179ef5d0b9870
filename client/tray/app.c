/*
 * The tray's one state: what the agent said last, what the files say, what follows from both, and
 * what a command does. See app.h.
 */
#include "client/tray/app.h"

#include <stdio.h>

#include "client/cli_remote.h"
#include "client/tray/ask.h"
#include "client/tray/link.h"
#include "client/tray/texts.h"

void app_refresh(struct tray_app *app)
{
    struct tray_notice notice;

    app->facts.status = app->status != NULL ? app->status : app->offline;
    app->facts.age = (long)((os_monotonic_ms() - app->status_at) / 1000);
    tray_look(&app->facts, &app->view);
    shell_draw(app);
    if (tray_notice(&app->view, app->prefs.notices, &app->told, &notice))
        shell_notify(app, &notice);
    if (app->window != NULL)
        window_update(app->window);
    if (app->connect != NULL)
        connect_dialog_update(app->connect);
    if (app->code != NULL)
        code_dialog_update(app->code);
    shell_tick(app, app->view.retry_in >= 0);
}

void app_take_status(void *arg, json_t *status)
{
    struct tray_app *app = arg;
    json_t *old = app->status;

    app->status = json_is_object(status) ? json_incref(status) : NULL;
    app->status_at = os_monotonic_ms();
    if (app->connect != NULL)
        connect_dialog_hear(app->connect, app->status);
    if (app->code != NULL)
        code_dialog_hear(app->code, app->status);
    app_refresh(app);
    json_decref(old); /* the view pointed into it until now */
    if (app->ask_at_start && app->view.can_connect)
        app_command(app, TRAY_CMD_CONNECT, 0);
    app->ask_at_start = false;
}

void app_reload(struct tray_app *app)
{
    json_t *old = app->offline;
    struct config config;
    struct fault f = {0};

    if (config_load(app->paths.config_file, &config, &f) == 0)
        app->config = config;
    else
        shell_log("the settings are kept as they were", f.text);
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
    app->facts.status = NULL;
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

static void ask_disconnect(struct tray_app *app)
{
    ask(app, &(struct ask_question){.title = TXT_ASK_DISCONNECT,
                                    .text = TXT_ASK_DISCONNECT_WHY,
                                    .action = TXT_B_DISCONNECT,
                                    .yes = disconnect_now,
                                    .data = app});
}

static void copy_address(struct tray_app *app, size_t row)
{
    char said[TRAY_CELL_MAX + 64];
    struct tray_row r;

    if (row >= tray_row_count(app->facts.status))
        return;
    tray_row(app->facts.status, row, &r);
    if (shell_copy(app, r.local))
        snprintf(said, sizeof(said), TXT_COPIED, r.local);
    else
        snprintf(said, sizeof(said), "%s", TXT_COPY_FAILED);
    if (app->window != NULL)
        window_say(app->window, said);
}

static void quit_now(void *data)
{
    shell_quit(data);
}

static void quit(struct tray_app *app)
{
    if (app->view.can_disconnect)
        ask(app, &(struct ask_question){.title = TXT_ASK_QUIT,
                                        .text = TXT_ASK_QUIT_WHY,
                                        .action = TXT_B_QUIT,
                                        .yes = quit_now,
                                        .data = app});
    else
        quit_now(app);
}

static void about(struct tray_app *app)
{
    char text[512];

    snprintf(text, sizeof(text), TXT_ABOUT, PRA_VERSION);
    ask_message(app, ASK_INFO, "PRA", text);
}

void app_command(struct tray_app *app, enum tray_command command, size_t row)
{
    static void (*const simple[TRAY_CMD_COUNT])(struct tray_app * app) = {
        [TRAY_CMD_OPEN] = open_window,
        [TRAY_CMD_CONNECT] = connect_dialog_open,
        [TRAY_CMD_CODE] = code_dialog_open,
        [TRAY_CMD_DISCONNECT] = ask_disconnect,
        [TRAY_CMD_SERVER] = server_dialog_open,
        [TRAY_CMD_KEYGEN] = keygen_dialog_open,
        [TRAY_CMD_EXPORT] = export_dialog_open,
        [TRAY_CMD_ENROLL] = enroll_dialog_open,
        [TRAY_CMD_COLLECT] = collect_dialog_open,
        [TRAY_CMD_SETTINGS] = prefs_dialog_open,
        [TRAY_CMD_QUIT] = quit,
        [TRAY_CMD_PROFILE] = profile_dialog_choose,
        [TRAY_CMD_ABOUT] = about,
    };

    if (command == TRAY_CMD_COPY)
        copy_address(app, row);
    else if (command == TRAY_CMD_RETRY) /* to a waiting agent "connect" means "now" */
        link_send(&app->paths, json_pack("{s:s}", "op", "connect"));
    else if (command >= 0 && command < TRAY_CMD_COUNT && simple[command] != NULL)
        simple[command](app);
}

void app_icon_command(void *app, enum tray_command command, size_t row)
{
    app_command(app, command, row);
}

void app_icon_click(void *app)
{
    app_command(app, TRAY_CMD_OPEN, 0);
}

/* The window is the only way in then. */
void app_icon_gone(struct tray_app *app)
{
    if (!shell_hides(app) && !window_shown(app->window))
        app_command(app, TRAY_CMD_OPEN, 0);
}
