/*
 * The Windows tray's one state and what its files do for each other; the same roles as in app.h, which
 * is GTK's. All of it runs on the message loop; threads hand results over by loop_post().
 */
#ifndef PRA_CLIENT_TRAY_APP_WIN_H
#define PRA_CLIENT_TRAY_APP_WIN_H

#include <stdbool.h>

#include <windows.h>

#include <jansson.h>

#include "client/config.h"
#include "client/paths.h"
#include "client/tray/prefs.h"
#include "client/tray/tray_state.h"
#include "keys/keyfile.h"

struct link;
struct ui;
struct notify;
struct connect_dialog;

struct tray_app {
    struct paths paths;
    struct prefs prefs;
    struct config config;    /* as last read by app_reload() */
    struct keyfile_info key; /* valid if facts.has_key */
    json_t *status;          /* of the agent; NULL = none runs */
    json_t *offline;         /* what to show then */
    ULONGLONG status_at;     /* GetTickCount64() */
    struct tray_facts facts;
    struct tray_view view;
    struct tray_told told;
    struct link *link;
    struct notify *notify;
    struct window *window; /* NULL until shown first */
    struct connect_dialog *connect;
    char profile_folder[OS_PATH_MAX]; /* of a profile taken since the start, for the key; or "" */
    bool ask_at_start; /* for the passphrase, as soon as it is known whether an agent connects */
};

/* Reads settings and key file anew, then draws. Call when one of our dialogs has changed them. */
void app_reload(struct tray_app *app);
/* Draws everything from the facts. */
void app_refresh(struct tray_app *app);
/* Takes a status of the agent (borrowed; NULL = no agent runs). */
void app_take_status(struct tray_app *app, json_t *status);
/* Does what a menu entry or a button says; `row` is for TRAY_CMD_COPY. */
void app_command(struct tray_app *app, enum tray_command command, size_t row);
/* The window that dialogs belong to; NULL while it is hidden. */
HWND app_parent(const struct tray_app *app);
/* Builds the window anew, in the language that is set now. */
void app_rebuild(struct tray_app *app);
/* Does closing the window leave an icon in a tray? */
bool app_hides(const struct tray_app *app);
/* One line into User.log, if an agent runs. */
void app_note(struct tray_app *app, const char *text);
/* Frees what it holds; windows are gone already. */
void app_free(struct tray_app *app);

/* --- autostart_win.c: has this user switched off what starts at login? --- */
bool prefs_autostart_off(void);

/* --- window_win.c --- */
struct window *window_new(struct tray_app *app);
void window_present(struct window *w);
void window_update(struct window *w);
void window_say(struct window *w, const char *text); /* line at the bottom */
void window_free(struct window *w);
HWND window_handle(const struct window *w);

/* --- dialogs; each may be asked for again while open and then comes to the front --- */
void connect_dialog_open(struct tray_app *app);
void connect_dialog_hear(struct connect_dialog *d, const json_t *status); /* each, before that */
void connect_dialog_update(struct connect_dialog *d); /* after each app_refresh() */
void server_dialog_open(struct tray_app *app);
void keygen_dialog_open(struct tray_app *app);
void export_dialog_open(struct tray_app *app);
void collect_dialog_open(struct tray_app *app);
void prefs_dialog_open(struct tray_app *app);
void about_dialog_open(struct tray_app *app);
void profile_dialog_open(struct tray_app *app, const char *path);
void profile_dialog_choose(struct tray_app *app); /* asks which file first */

/* --- ask_win.c --- */
enum ask_icon { ASK_INFO, ASK_WARNING, ASK_ERROR };
/* A message with one OK button. */
void ask_message(struct tray_app *app, enum ask_icon icon, const char *title, const char *text);
/* Code, cause and remedy of a message (A14), with one OK button. */
void ask_problem(struct tray_app *app, enum msg_id id, const struct msg_args *args);
/* A question; `yes` runs after the button `action` and not after "cancel". */
void ask(struct tray_app *app, const char *title, const char *text, const char *action,
         void (*yes)(void *data), void *data);
/* The same about something that is not to be taken back: Enter means "cancel". `data` is the question's
   own, and goes with it (free()). */
void ask_careful(struct tray_app *app, const char *title, const char *text, const char *action,
                 void (*yes)(void *data), void *data);
/* Asks where to save, beginning with `name`; false if nowhere. */
bool ask_save_as(HWND owner, const char *title, const char *name, bool overwrite,
                 char path[OS_PATH_MAX]);

/* Asks which file of `pattern`; false if none. */
bool ask_open(HWND owner, const char *title, const wchar_t *pattern, char path[OS_PATH_MAX]);

/* --- loop_win.c --- */
/* Runs `fn` on the message loop, from any thread. */
void loop_post(void (*fn)(void *arg), void *arg);

#endif
