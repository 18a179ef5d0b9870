/*
 * 接続 (A8) without its widgets: user name and passphrase, the time the key needs, then the connection,
 * and what goes wrong on the way, in the dialog itself so that the next try is one key away. The
 * functions connect_ui_*() are the toolkit's.
 */
#ifndef PRA_CLIENT_TRAY_CONNECT_DIALOG_H
#define PRA_CLIENT_TRAY_CONNECT_DIALOG_H

#include "client/tray/app.h"
#include "client/tray/attempt.h"

enum connect_phase { CONNECT_INPUT, CONNECT_KEY, CONNECT_ON_THE_WAY };

struct ui; /* the toolkit's window of it */

struct connect_dialog {
    struct tray_app *app;
    struct ui *ui;
    enum connect_phase phase;
    bool heard; /* the agent has said something since the attempt began: its status is about it */
    uint64_t started, forecast;          /* milliseconds; forecast 0 = not known */
    char accept[SSHKEY_FINGERPRINT_MAX]; /* confirmed by the person, or "" */
    unsigned attempt;
};

/* --- connect_dialog.c, for the toolkit --------------------------------------------------------- */

/* The button 接続 (or Enter). Nothing while an attempt is on its way, or a field is empty. */
void connect_begin(struct connect_dialog *d);
/* Can it be pressed? */
bool connect_can_begin(const struct connect_dialog *d, bool user_filled, bool passphrase_filled);
/* How far the key is, 0 to 1; negative = there is no telling. */
double connect_part(const struct connect_dialog *d);
/* A person closes the dialog: that means the attempt, not only its window. The caller destroys it. */
void connect_cancel(const struct connect_dialog *d);
/* The widgets are gone, for whatever reason; `d` is freed. */
void connect_gone(struct connect_dialog *d);

/* --- connect_gtk.c, connect_win.c -------------------------------------------------------------- */

/* Builds and shows it; the focus is in the first field that is empty. */
struct ui *connect_ui_new(struct connect_dialog *d, const char *user);
void connect_ui_front(struct ui *u);
/* User name and passphrase as they are typed. */
void connect_ui_read(struct ui *u, struct attempt *a);
/* d->phase is another one: the fields can be typed into, or the progress shows these words. */
void connect_ui_phase(struct ui *u, const char *words);
/* What is wrong; "" in all = nothing is. */
void connect_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy);
/* The focus to the passphrase. */
void connect_ui_again(struct ui *u);
/* Destroys the widgets, by which connect_gone() comes. */
void connect_ui_close(struct ui *u);

#endif
