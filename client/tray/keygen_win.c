/* 鍵生成 (keygen_dialog.h) on Windows. */
#include <stdlib.h>

#include "client/tray/app_win.h"

#include <commctrl.h>

#include "client/tray/keygen_dialog.h"
#include "client/tray/pool_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 500
#define DRAW_ID      1
#define DRAW_MS      100
#define BAR_FULL     1000

enum {
    ID_INTRO = 100,
    ID_USER,
    ID_PASSPHRASE,
    ID_AGAIN,
    ID_STRENGTH,
    ID_BITS,
    ID_POOL_WORDS,
    ID_POOL,
    ID_POOL_BAR,
    ID_ADVICE,
    ID_WORDS,
    ID_PROGRESS,
    ID_TROUBLE,
    ID_TROUBLE_TEXT
};

void keygen_ui_read(struct ui *u, struct keygen_typed *t)
{
    (void)text_get(ui_control(u, ID_USER), t->user, sizeof(t->user));
    (void)text_get_secret(ui_control(u, ID_PASSPHRASE), t->passphrase, sizeof(t->passphrase));
    (void)text_get_secret(ui_control(u, ID_AGAIN), t->again, sizeof(t->again));
}

void keygen_ui_show(struct ui *u, double strength, const char *words, const char *advice,
                    bool ready)
{
    (void)SendMessageW(ui_control(u, ID_STRENGTH), PBM_SETPOS, (WPARAM)(strength * BAR_FULL), 0);
    (void)text_set(ui_control(u, ID_BITS), words);
    (void)text_set(ui_control(u, ID_ADVICE), advice);
    ui_enable(u, IDOK, ready);
}

void keygen_ui_busy(struct ui *u)
{
    static const int inputs[] = {ID_USER, ID_PASSPHRASE, ID_AGAIN};
    const struct keygen_dialog *d = u->data;

    if (d->busy)
        ui_focus(u, IDCANCEL);
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        ui_enable(u, inputs[i], !d->busy);
    ui_hide(u, ID_WORDS, !d->busy);
    ui_hide(u, ID_PROGRESS, !d->busy);
    if (d->busy)
        (void)SetTimer(u->window, DRAW_ID, DRAW_MS, NULL);
    else
        (void)KillTimer(u->window, DRAW_ID);
}

void keygen_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u, ID_TROUBLE, title, cause, remedy);
}

void keygen_ui_front(struct ui *u)
{
    ui_front(u);
}

void keygen_ui_close(struct ui *u)
{
    ui_close(u);
}

static void on_command(struct ui *u, int id, int code)
{
    struct keygen_dialog *d = u->data;

    if ((id == ID_USER || id == ID_PASSPHRASE || id == ID_AGAIN) && code == EN_CHANGE &&
        d->ui != NULL)
        keygen_look(d);
    else if (id == IDOK)
        keygen_begin(d);
    else if (id == IDCANCEL)
        ui_close(u);
}

static void on_timer(struct ui *u)
{
    (void)SendMessageW(ui_control(u, ID_PROGRESS), PBM_SETPOS,
                       (WPARAM)(keygen_part(u->data) * BAR_FULL), 0);
}

static void on_event(struct ui *u, const MSG *m)
{
    struct keygen_dialog *d = u->data;
    bool grew = false;

    if (pool_event(&d->pool, m, &grew)) {
        (void)text_set(ui_control(u, ID_POOL_WORDS), TXT_POOL_FULL);
        keygen_look(d);
    }
    if (!grew)
        return;
    (void)InvalidateRect(ui_control(u, ID_POOL), NULL, FALSE);
    (void)SendMessageW(ui_control(u, ID_POOL_BAR), PBM_SETPOS,
                       d->pool.filled * BAR_FULL / POOL_CELLS, 0);
}

static void on_draw(struct ui *u, int id, HDC dc, const RECT *r, UINT dpi)
{
    const struct keygen_dialog *d = u->data;

    (void)id;
    pool_draw(&d->pool, dc, r, dpi);
}

static void on_closing(struct ui *u)
{
    text_forget(ui_control(u, ID_PASSPHRASE));
    text_forget(ui_control(u, ID_AGAIN));
}

static void on_freed(struct ui *u)
{
    keygen_gone(u->data);
}

static const struct ui_ops ops = {.command = on_command,
                                  .timer = on_timer,
                                  .event = on_event,
                                  .draw = on_draw,
                                  .closing = on_closing,
                                  .freed = on_freed};

static void add_secret(struct ui *u, int id, const char *label)
{
    (void)SendMessageW(ui_add(u, UI_SECRET, id, label, "", 0), EM_SETLIMITTEXT, KEYFILE_PASS_MAX,
                       0);
}

struct ui *keygen_ui_new(struct keygen_dialog *d, const char *user)
{
    struct ui *u = ui_new(app_parent(d->app), NULL, TXT_KEYGEN_TITLE, false, DIALOG_WIDTH, &ops, d);

    (void)ui_add(u, UI_TEXT, ID_INTRO, NULL, TXT_KEYGEN_INTRO, 0);
    (void)ui_add(u, UI_ENTRY, ID_USER, TXT_L_USER, user, 0);
    add_secret(u, ID_PASSPHRASE, TXT_L_PASSPHRASE);
    add_secret(u, ID_AGAIN, TXT_L_AGAIN);
    (void)ui_add(u, UI_BAR, ID_STRENGTH, TXT_L_STRENGTH, TXT_STRENGTH, 0);
    (void)ui_add(u, UI_DIM, ID_BITS, NULL, "", UI_FIELD);
    (void)ui_add(u, UI_TEXT, ID_POOL_WORDS, NULL, TXT_POOL_FEED, 0);
    (void)ui_add(u, UI_PICTURE, ID_POOL, NULL, TXT_POOL, 0);
    ui_height(u, POOL_HEIGHT);
    (void)ui_add(u, UI_BAR, ID_POOL_BAR, NULL, TXT_POOL, 0);
    (void)ui_add(u, UI_TEXT, ID_ADVICE, NULL, "", 0);
    ui_height(u, 36); /* its text changes with every key: the window shall not */
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_MAKING_KEY, 0);
    (void)ui_add(u, UI_BAR, ID_PROGRESS, NULL, TXT_PROGRESS, 0);
    ui_hide(u, ID_WORDS, true);
    ui_hide(u, ID_PROGRESS, true);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_GENERATE, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
    d->ui = u; /* what is typed is looked at from now on */
    ui_show(u, ui_control(u, user[0] != '\0' ? ID_PASSPHRASE : ID_USER));
    return u;
}
