/*
 * コードの入力: the code of an authenticator app, when the gateway asks for one (state "code"). Without its
 * widgets; a wrong code is told in the dialog itself. The functions code_ui_*() are the toolkit's.
 */
#ifndef PRA_CLIENT_TRAY_CODE_DIALOG_H
#define PRA_CLIENT_TRAY_CODE_DIALOG_H

#include "client/tray/app.h"

/* What is typed, with NUL: a recovery code has 19 letters and dashes. */
#define CODE_TYPED_MAX 64

struct ui; /* the toolkit's window of it */

struct code_dialog {
    struct tray_app *app;
    struct ui *ui;
    bool busy;  /* a code is on its way, or what came of it is not known yet */
    bool heard; /* the agent has said something since it was given */
    unsigned number;
};

/* --- code_dialog.c, for the toolkit ------------------------------------------------------------- */

/* The button 接続 (or Enter). Nothing while a code is on its way, or none is typed. */
void code_give(struct code_dialog *d);
/* Can it be pressed? */
bool code_can_give(const struct code_dialog *d, bool filled);
/* The widgets are gone, for whatever reason; `d` is freed. */
void code_gone(struct code_dialog *d);

/* --- code_gtk.c, code_win.c --------------------------------------------------------------------- */

/* Builds and shows it; the focus is in the field. */
struct ui *code_ui_new(struct code_dialog *d);
void code_ui_front(struct ui *u);
/* Takes the text out of the field, which is empty then. */
void code_ui_take(struct ui *u, char dst[CODE_TYPED_MAX]);
/* d->busy is another one: the field can be typed into (and has the focus), or these words are shown. */
void code_ui_busy(struct ui *u, const char *words);
/* What is wrong; "" in all = nothing is. */
void code_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy);
/* Destroys the widgets, by which code_gone() comes. */
void code_ui_close(struct ui *u);

#endif
