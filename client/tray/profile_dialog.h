/*
 * A connection profile (`*.pra`) that was opened, without its widgets: shown, taken after a yes, and
 * then the next step by itself, so that nothing but the passphrase is left to type. A profile may come
 * from anybody, so it is always shown before it changes anything, and beside it what was trusted until
 * now. The functions profile_ui_*() are the toolkit's.
 */
#ifndef PRA_CLIENT_TRAY_PROFILE_DIALOG_H
#define PRA_CLIENT_TRAY_PROFILE_DIALOG_H

#include "client/server_change.h"
#include "client/tray/app.h"

struct ui; /* the toolkit's window of it */

struct profile_row {
    const char *label;
    char word[ADDR_TEXT_MAX];      /* the profile's */
    char was[ADDR_TEXT_MAX + 128]; /* what is set now, in words; "" = the same, or nothing */
};
#define PROFILE_ROWS 4

struct profile_dialog {
    struct tray_app *app;
    struct ui *ui;
    struct profile profile;
    enum profile_effect effect;
    char folder[OS_PATH_MAX]; /* where the profile is */
};

/* --- profile_dialog.c, for the toolkit ---------------------------------------------------------- */

/* What it says, row by row; returns how many. */
size_t profile_rows(const struct profile_dialog *d, struct profile_row rows[PROFILE_ROWS]);
/* Would it replace what a person has trusted before? */
bool profile_alarms(const struct profile_dialog *d);
/* The button 使用する. Closes the dialog, or says in it why not. */
void profile_use(struct profile_dialog *d);
/* The widgets are gone; `d` is freed. */
void profile_gone(struct profile_dialog *d);

/* --- profile_gtk.c, profile_win.c --------------------------------------------------------------- */

/* Builds and shows it. Enter means no: a yes has to be meant. */
struct ui *profile_ui_new(struct profile_dialog *d);
void profile_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy);
/* Destroys the widgets, by which profile_gone() comes. */
void profile_ui_close(struct ui *u);

#endif
