/*
 * What the GTK files of the tray share: the application's one state and the windows' entrances.
 * Everything here runs on GTK's loop; the two kinds of threads (link.c, work.c) hand results over
 * to it by value.
 */
#ifndef PRA_CLIENT_TRAY_APP_H
#define PRA_CLIENT_TRAY_APP_H

#include <gtk/gtk.h>
#include <jansson.h>

#include "client/config.h"
#include "client/paths.h"
#include "client/tray/prefs.h"
#include "client/tray/tray_state.h"
#include "keys/keyfile.h"
#include "keys/sshkey.h"

struct link;
struct sni;
struct window;
struct connect_dialog;

struct tray_app {
    GtkApplication *gtk;
    struct paths paths;
    struct prefs prefs;
    struct config config;    /* as last read by app_reload() */
    struct keyfile_info key; /* valid if facts.has_key */
    json_t *status;          /* of the agent; NULL = none runs */
    json_t *offline;         /* what to show then */
    gint64 status_at;        /* monotonic microseconds */
    struct tray_facts facts;
    struct tray_view view;
    struct tray_told told;
    struct link *link;
    struct sni *sni;
    struct window *window;          /* NULL until shown first */
    struct connect_dialog *connect; /* NULL = not open */
    guint tick;                     /* timer of the countdown, 0 = none */
    char *profile_folder;           /* of a profile taken since the start, for the key; or NULL */
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
GtkWindow *app_parent(struct tray_app *app);
/* Builds the window anew, in the language that is set now. */
void app_rebuild(struct tray_app *app);
/* Does closing the window leave an icon in a tray? */
bool app_hides(const struct tray_app *app);
/* One line into User.log, if an agent runs. */
void app_note(struct tray_app *app, const char *text);

/* --- window.c --- */
struct window *window_new(struct tray_app *app);
void window_present(struct window *w);
void window_update(struct window *w);
void window_say(struct window *w, const char *text); /* line at the bottom */
void window_free(struct window *w);
GtkWindow *window_gtk(struct window *w);

/* --- dialogs; each may be asked for again while open and then comes to the front --- */
void connect_dialog_open(struct tray_app *app);
void connect_dialog_hear(struct connect_dialog *d, const json_t *status); /* each, before that */
void connect_dialog_update(struct connect_dialog *d); /* after each app_refresh() */
void server_dialog_open(struct tray_app *app);
void keygen_dialog_open(struct tray_app *app);
void export_dialog_open(struct tray_app *app);
void collect_dialog_open(struct tray_app *app);
void prefs_dialog_open(struct tray_app *app);
void profile_dialog_open(struct tray_app *app, const char *path);
void profile_dialog_choose(struct tray_app *app); /* asks which file first */
void about_dialog_open(struct tray_app *app);

#endif
