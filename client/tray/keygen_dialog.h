/*
 * 鍵生成 (A3) without its widgets: user name, passphrase with its strength, the random pool, then the
 * key. The result is the dialog of 公開鍵のエクスポート. Making the key is keyfile_create(), as for
 * `pra keygen`. The functions keygen_ui_*() are the toolkit's.
 */
#ifndef PRA_CLIENT_TRAY_KEYGEN_DIALOG_H
#define PRA_CLIENT_TRAY_KEYGEN_DIALOG_H

#include "client/tray/app.h"
#include "client/tray/attempt.h"
#include "client/tray/pool_state.h"

struct ui; /* the toolkit's window of it */

struct keygen_dialog {
    struct tray_app *app;
    struct ui *ui;
    struct pool_state pool; /* the toolkit feeds it */
    bool force, allow_weak, busy;
    uint64_t started, forecast; /* milliseconds; forecast 0 = not known */
};

/* What stands in the fields. Whoever reads it wipes it. */
struct keygen_typed {
    char user[4 * KEYFILE_USER_MAX + 1], passphrase[ATTEMPT_PASS_MAX], again[ATTEMPT_PASS_MAX];
};

/* --- keygen_dialog.c, for the toolkit ----------------------------------------------------------- */

/* Something was typed, or the pool is full: shows what follows from it. */
void keygen_look(struct keygen_dialog *d);
/* The button 生成 (or Enter). Nothing while something is missing or a key is being made. */
void keygen_begin(struct keygen_dialog *d);
/* How far the key is, 0 to 1. */
double keygen_part(const struct keygen_dialog *d);
/* The widgets are gone; `d` is freed. */
void keygen_gone(struct keygen_dialog *d);

/* --- keygen_gtk.c, keygen_win.c ----------------------------------------------------------------- */

/* Builds and shows it; the focus is in the first field that is empty. */
struct ui *keygen_ui_new(struct keygen_dialog *d, const char *user);
void keygen_ui_front(struct ui *u);
void keygen_ui_read(struct ui *u, struct keygen_typed *t);
/* The bar of the strength (0 to 1) and its words, what is missing or advised, and whether the button can
   be pressed. */
void keygen_ui_show(struct ui *u, double strength, const char *words, const char *advice,
                    bool ready);
/* d->busy is another one: the fields can be typed into, or the progress is shown. */
void keygen_ui_busy(struct ui *u);
/* What is wrong; "" in all = nothing is. */
void keygen_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy);
/* Destroys the widgets, by which keygen_gone() comes. */
void keygen_ui_close(struct ui *u);

#endif
