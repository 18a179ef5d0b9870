/*
 * ログの収集 without its widgets: gathers the helpdesk's bundle, shows what goes in, file by file, and
 * writes it where the person says, or sends it through the agent's connection. The same bundle as `pra log
 * collect` and `pra log send`; the checks are `pra check --json`, run by itself, since they speak SSH and
 * this program does not. The functions collect_ui_*()
 * are the toolkit's.
 */
#ifndef PRA_CLIENT_TRAY_COLLECT_DIALOG_H
#define PRA_CLIENT_TRAY_COLLECT_DIALOG_H

#include "client/collect.h"
#include "client/tray/app.h"

struct ui; /* the toolkit's window of it */

struct collect_dialog {
    struct tray_app *app;
    struct ui *ui;
    struct collect *bundle; /* NULL until gathered */
    json_t *check;          /* what the checks said; NULL = they could not be run */
    bool can_save, sending;
    unsigned number;  /* of all that were opened: jobs know theirs by it */
    uint64_t started; /* milliseconds */
};

enum { COLLECT_NAME, COLLECT_SIZE, COLLECT_WHAT, COLLECT_REMOVED, COLLECT_COLUMNS };

/* A line of the list of files. */
struct collect_row {
    const char *cell[COLLECT_COLUMNS]; /* borrowed from the bundle and from here */
    char size[16], removed[32];
};

/* --- collect_dialog.c, for the toolkit ---------------------------------------------------------- */

void collect_titles(const char *titles[COLLECT_COLUMNS]);
void collect_row(const struct collect_dialog *d, size_t i, struct collect_row *row);
/* What file `i` holds, UTF-8 without NUL; of a long file the end, where the news is. free() it. */
char *collect_preview(const struct collect_dialog *d, size_t i);
/* How far the gathering is, 0 to 1, by the time that it takes at most; -1 while something is sent. */
double collect_part(const struct collect_dialog *d);
/* The button 保存: the name to propose is collect_propose_name()'s; this writes and says what came of it. */
void collect_save(const struct collect_dialog *d, const char *path);
/* The button 送信. Nothing while something is being sent. */
void collect_send(struct collect_dialog *d);
/* Can it be pressed? */
bool collect_can_send(const struct collect_dialog *d);
/* Is it still the dialog that is open? For what comes back from choosing a file. */
bool collect_is_open(const struct collect_dialog *d);
/* The widgets are gone; `d` is freed. */
void collect_gone(struct collect_dialog *d);

/* --- collect_gtk.c, collect_win.c --------------------------------------------------------------- */

struct ui *collect_ui_new(struct collect_dialog *d);
void collect_ui_front(struct ui *u);
/* d->bundle is there: shows its files instead of the progress. */
void collect_ui_gathered(struct ui *u);
/* d->sending is another one: the progress with these words is shown, or not. */
void collect_ui_sending(struct ui *u, const char *words);
void collect_ui_say(struct ui *u, const char *text);

#endif
