/*
 * The tray's one state, what a command does, and what the toolkits' files do for that: GTK's are
 * *_gtk.c, those for Windows *_win.c, everything else is for both. All of it runs on the toolkit's
 * loop; threads (link.h, work.h) hand results over to it by value, through loop_post().
 */
#ifndef PRA_CLIENT_TRAY_APP_H
#define PRA_CLIENT_TRAY_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "client/config.h"
#include "client/paths.h"
#include "client/tray/prefs.h"
#include "client/tray/tray_state.h"
#include "keys/keyfile.h"

struct link;
struct shell;
struct window;
struct code_dialog;
struct connect_dialog;

struct tray_app {
    struct shell *shell; /* the toolkit's */
    struct paths paths;
    struct prefs prefs;
    struct config config;    /* as last read by app_reload() */
    struct keyfile_info key; /* valid if facts.has_key */
    json_t *status;          /* of the agent; NULL = none runs */
    json_t *offline;         /* what to show then */
    uint64_t status_at;      /* os_monotonic_ms() */
    struct tray_facts facts;
    struct tray_view view;
    struct tray_told told;
    struct link *link;
    struct window *window;            /* NULL until shown first */
    struct connect_dialog *connect;   /* NULL = not open */
    struct code_dialog *code;         /* likewise */
    char profile_folder[OS_PATH_MAX]; /* of a profile taken since the start, for the key; or "" */
    bool ask_at_start; /* for the passphrase, as soon as it is known whether an agent connects */
};

/* --- app.c ------------------------------------------------------------------------------------ */

/* Reads settings and key file anew, then draws. Call when one of our dialogs has changed them. */
void app_reload(struct tray_app *app);
/* Draws everything from the facts. */
void app_refresh(struct tray_app *app);
/* Takes a status of the agent (borrowed; NULL = no agent runs): a link_status_fn; `arg` is the app. */
void app_take_status(void *arg, json_t *status);
/* Does what a menu entry or a button says; `row` is for TRAY_CMD_COPY. */
void app_command(struct tray_app *app, enum tray_command command, size_t row);
/* The same for an icon in a tray: its menu, a click on it, no tray there (any more). */
void app_icon_command(void *app, enum tray_command command, size_t row);
void app_icon_click(void *app);
void app_icon_gone(struct tray_app *app);
/* Builds the window anew, in the language that is set now. */
void app_rebuild(struct tray_app *app);
/* One line into User.log, if an agent runs. */
void app_note(struct tray_app *app, const char *text);
/* Frees what it holds; windows are gone already. */
void app_free(struct tray_app *app);

/* --- shell_gtk.c, shell_win.c: the desktop around us ------------------------------------------- */

/* Icon, tool tip and menu of the tray, from facts and view. */
void shell_draw(struct tray_app *app);
void shell_notify(struct tray_app *app, const struct tray_notice *notice);
/* Calls app_refresh() each second, or not. */
void shell_tick(struct tray_app *app, bool on);
/* Does closing the window leave an icon in a tray? */
bool shell_hides(const struct tray_app *app);
/* Into the clipboard; false where another program holds it. */
bool shell_copy(struct tray_app *app, const char *text);
void shell_quit(struct tray_app *app);
/* A line for who looks for a fault in this program. */
void shell_log(const char *what, const char *why);
/* Runs `fn` on the loop, from any thread. */
void loop_post(void (*fn)(void *arg), void *arg);

/* --- window_gtk.c, window_win.c ---------------------------------------------------------------- */

struct window *window_new(struct tray_app *app);
void window_present(struct window *w);
void window_update(struct window *w);
void window_say(struct window *w, const char *text); /* line at the bottom */
bool window_shown(const struct window *w);           /* NULL: false */
void window_free(struct window *w);

/* --- dialogs; each may be asked for again while open and then comes to the front --------------- */

void connect_dialog_open(struct tray_app *app);
void connect_dialog_hear(struct connect_dialog *d, const json_t *status); /* each, before that */
void connect_dialog_update(struct connect_dialog *d); /* after each app_refresh() */
void code_dialog_open(struct tray_app *app);          /* nothing unless one is asked for */
void code_dialog_hear(struct code_dialog *d, const json_t *status);
void code_dialog_update(struct code_dialog *d);
void server_dialog_open(struct tray_app *app);
void keygen_dialog_open(struct tray_app *app);
void export_dialog_open(struct tray_app *app);
void enroll_dialog_open(struct tray_app *app); /* nothing without a server and a key */
void collect_dialog_open(struct tray_app *app);
void prefs_dialog_open(struct tray_app *app);
void profile_dialog_open(struct tray_app *app, const char *path);
void profile_dialog_choose(struct tray_app *app); /* asks which file first */

#endif
