/*
 * 登録コードで登録 without its widgets: the administrator's code and the passphrase go to `pra enroll`, which
 * hands the key in and waits for the decision; what it says on its way is shown. Run as a program of its
 * own, since that speaks SSH and this one does not; both secrets go through its standard input. The functions
 * enroll_ui_*() are the toolkit's.
 */
#ifndef PRA_CLIENT_TRAY_ENROLL_DIALOG_H
#define PRA_CLIENT_TRAY_ENROLL_DIALOG_H

#include "client/tray/app.h"
#include "client/tray/attempt.h"

/* What is typed, with NUL: a code has 19 letters and dashes. */
#define ENROLL_TYPED_MAX 64

struct ui; /* the toolkit's window of it */
struct enroll_job;

enum enroll_phase { ENROLL_INPUT, ENROLL_BUSY, ENROLL_WAITING };

struct enroll_dialog {
    struct tray_app *app;
    struct ui *ui;
    enum enroll_phase phase;
    struct enroll_job *job;              /* in the phases that are not the input */
    char accept[SSHKEY_FINGERPRINT_MAX]; /* of the gateway, confirmed by the person; or "" */
};

/* What stands in the fields. Whoever reads it wipes it. */
struct enroll_typed {
    char code[ENROLL_TYPED_MAX], passphrase[ATTEMPT_PASS_MAX];
};

/* What the gateway says of a request that waits: shown for comparing. */
struct enroll_waits {
    char user[TRAY_CELL_MAX], fingerprint[TRAY_CELL_MAX], expires[TRAY_CELL_MAX];
};

/* --- enroll_dialog.c, for the toolkit ------------------------------------------------------------ */

/* Can the button 登録 be pressed? */
bool enroll_can_begin(const struct enroll_dialog *d, bool code_filled, bool passphrase_filled);
/* It was (or Enter). Nothing while something is missing or under way. */
void enroll_begin(struct enroll_dialog *d);
/* The widgets are gone; a wait ends, the request stays at the gateway. `d` is freed. */
void enroll_gone(struct enroll_dialog *d);

/* --- enroll_gtk.c, enroll_win.c ------------------------------------------------------------------ */

/* Builds and shows it; the focus is in the first field. */
struct ui *enroll_ui_new(struct enroll_dialog *d);
void enroll_ui_front(struct ui *u);
void enroll_ui_read(struct ui *u, struct enroll_typed *t);
/* d->phase or what is said in it is another: fields, progress with its words, or what waits. */
void enroll_ui_phase(struct ui *u, const char *words);
/* d->phase is ENROLL_WAITING: these are shown until another phase. */
void enroll_ui_waits(struct ui *u, const struct enroll_waits *w);
/* What is wrong; "" in all = nothing is. */
void enroll_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy);
/* Destroys the widgets, by which enroll_gone() comes. */
void enroll_ui_close(struct ui *u);

#endif
