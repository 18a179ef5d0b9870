/* 接続 (connect_dialog.h) on Windows. */
#include <stdlib.h>

#include "client/tray/app_win.h"

#include <commctrl.h>

#include "client/tray/connect_dialog.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 440
#define DRAW_ID      1
#define DRAW_MS      100
#define BAR_FULL     1000

enum { ID_NAME = 100, ID_USER, ID_PASSPHRASE, ID_WORDS, ID_PROGRESS, ID_TROUBLE, ID_TROUBLE_TEXT };

static bool filled(const struct ui *u, int id)
{
    return GetWindowTextLengthW(ui_control(u, id)) > 0;
}

static void look_again(const struct ui *u)
{
    ui_enable(u, IDOK, connect_can_begin(u->data, filled(u, ID_USER), filled(u, ID_PASSPHRASE)));
}

/* Where there is no telling (what comes after the key) the bar says so by standing near its end. */
static void on_timer(struct ui *u)
{
    const struct connect_dialog *d = u->data;
    double part = connect_part(d);

    if (part < 0)
        part = d->phase == CONNECT_ON_THE_WAY ? 0.99 : 0;
    (void)SendMessageW(ui_control(u, ID_PROGRESS), PBM_SETPOS, (WPARAM)(part * BAR_FULL), 0);
}

void connect_ui_phase(struct ui *u, const char *words)
{
    const struct connect_dialog *d = u->data;
    bool busy = d->phase != CONNECT_INPUT;

    if (busy && IsWindowEnabled(ui_control(u, ID_USER)))
        ui_focus(u, IDCANCEL);
    ui_enable(u, ID_USER, !busy);
    ui_enable(u, ID_PASSPHRASE, !busy);
    look_again(u);
    ui_text(u, ID_WORDS, words);
    ui_hide(u, ID_WORDS, !busy);
    ui_hide(u, ID_PROGRESS, !busy);
    if (busy)
        (void)SetTimer(u->window, DRAW_ID, DRAW_MS, NULL);
    else
        (void)KillTimer(u->window, DRAW_ID);
}

void connect_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u, ID_TROUBLE, title, cause, remedy);
}

void connect_ui_read(struct ui *u, struct attempt *a)
{
    (void)text_get(ui_control(u, ID_USER), a->user, sizeof(a->user));
    (void)text_get_secret(ui_control(u, ID_PASSPHRASE), a->passphrase, sizeof(a->passphrase));
}

void connect_ui_again(struct ui *u)
{
    ui_focus(u, ID_PASSPHRASE);
}

void connect_ui_front(struct ui *u)
{
    ui_front(u);
}

void connect_ui_close(struct ui *u)
{
    ui_close(u);
}

static bool on_close(struct ui *u)
{
    connect_cancel(u->data);
    return true;
}

static void on_command(struct ui *u, int id, int code)
{
    if ((id == ID_USER || id == ID_PASSPHRASE) && code == EN_CHANGE)
        look_again(u);
    else if (id == IDOK)
        connect_begin(u->data);
    else if (id == IDCANCEL && on_close(u))
        ui_close(u);
}

static void on_freed(struct ui *u)
{
    connect_gone(u->data);
}

/* The field's memory is Windows': written over before it goes. */
static void on_closing(struct ui *u)
{
    text_forget(ui_control(u, ID_PASSPHRASE));
}

static const struct ui_ops ops = {.command = on_command,
                                  .timer = on_timer,
                                  .close = on_close,
                                  .closing = on_closing,
                                  .freed = on_freed};

struct ui *connect_ui_new(struct connect_dialog *d, const char *user)
{
    struct ui *u = ui_new(app_parent(d->app), NULL, TXT_CONNECT, false, DIALOG_WIDTH, &ops, d);

    if (d->app->config.name[0] != '\0')
        (void)ui_add(u, UI_HEADING, ID_NAME, NULL, d->app->config.name, 0);
    (void)ui_add(u, UI_ENTRY, ID_USER, TXT_L_USER, user, 0);
    (void)ui_add(u, UI_SECRET, ID_PASSPHRASE, TXT_L_PASSPHRASE, "", 0);
    (void)SendMessageW(ui_control(u, ID_PASSPHRASE), EM_SETLIMITTEXT, KEYFILE_PASS_MAX, 0);
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_OPENING_KEY, 0);
    (void)ui_add(u, UI_BAR, ID_PROGRESS, NULL, TXT_PROGRESS, 0);
    ui_hide(u, ID_WORDS, true);
    ui_hide(u, ID_PROGRESS, true);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_CONNECT, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
    look_again(u);
    ui_show(u, ui_control(u, user[0] != '\0' ? ID_PASSPHRASE : ID_USER));
    return u;
}
