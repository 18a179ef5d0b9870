/* 登録コードで登録 (enroll_dialog.h) on Windows. */
#include <stdlib.h>

#include "client/tray/app_win.h"

#include <commctrl.h>

#include "client/tray/enroll_dialog.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 560

enum {
    ID_INTRO = 100,
    ID_CODE,
    ID_PASSPHRASE,
    ID_WAITS,
    ID_USER,
    ID_FINGERPRINT,
    ID_EXPIRES,
    ID_WORDS,
    ID_TROUBLE,
    ID_TROUBLE_TEXT
};

static void look_again(const struct ui *u)
{
    ui_enable(u, IDOK,
              enroll_can_begin(u->data, GetWindowTextLengthW(ui_control(u, ID_CODE)) > 0,
                               GetWindowTextLengthW(ui_control(u, ID_PASSPHRASE)) > 0));
}

void enroll_ui_read(struct ui *u, struct enroll_typed *t)
{
    (void)text_get(ui_control(u, ID_CODE), t->code, sizeof(t->code));
    (void)text_get_secret(ui_control(u, ID_PASSPHRASE), t->passphrase, sizeof(t->passphrase));
}

void enroll_ui_phase(struct ui *u, const char *words)
{
    const struct enroll_dialog *d = u->data;
    bool input = d->phase == ENROLL_INPUT, was = IsWindowEnabled(ui_control(u, ID_CODE)) != FALSE;

    if (!input && was) /* what has the focus shall not be switched off */
        ui_focus(u, IDCANCEL);
    ui_enable(u, ID_CODE, input);
    ui_enable(u, ID_PASSPHRASE, input);
    look_again(u);
    ui_text(u, ID_WORDS, words);
    ui_hide(u, ID_WORDS, input);
    for (int id = ID_WAITS; id <= ID_EXPIRES; id++)
        ui_hide(u, id, d->phase != ENROLL_WAITING);
    if (input && !was)
        ui_focus(u, ID_PASSPHRASE);
}

void enroll_ui_waits(struct ui *u, const struct enroll_waits *w)
{
    ui_text(u, ID_USER, w->user);
    ui_text(u, ID_FINGERPRINT, w->fingerprint);
    ui_text(u, ID_EXPIRES, w->expires);
}

void enroll_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u, ID_TROUBLE, title, cause, remedy);
}

void enroll_ui_front(struct ui *u)
{
    ui_front(u);
}

void enroll_ui_close(struct ui *u)
{
    ui_close(u);
}

static void on_command(struct ui *u, int id, int code)
{
    if ((id == ID_CODE || id == ID_PASSPHRASE) && code == EN_CHANGE)
        look_again(u);
    else if (id == IDOK)
        enroll_begin(u->data);
    else if (id == IDCANCEL)
        ui_close(u);
}

static void on_closing(struct ui *u)
{
    text_forget(ui_control(u, ID_PASSPHRASE));
}

static void on_freed(struct ui *u)
{
    enroll_gone(u->data);
}

static const struct ui_ops ops = {.command = on_command, .closing = on_closing, .freed = on_freed};

struct ui *enroll_ui_new(struct enroll_dialog *d)
{
    struct ui *u = ui_new(app_parent(d->app), NULL, TXT_ENROLL_TITLE, false, DIALOG_WIDTH, &ops, d);

    (void)ui_add(u, UI_TEXT, ID_INTRO, NULL, TXT_ENROLL_INTRO, 0);
    (void)SendMessageW(ui_add(u, UI_ENTRY, ID_CODE, TXT_L_ENROLL_CODE, "", 0), EM_SETLIMITTEXT,
                       ENROLL_TYPED_MAX - 1, 0);
    (void)SendMessageW(ui_add(u, UI_SECRET, ID_PASSPHRASE, TXT_L_PASSPHRASE, "", 0),
                       EM_SETLIMITTEXT, KEYFILE_PASS_MAX, 0);
    (void)ui_add(u, UI_TEXT, ID_WAITS, NULL, TXT_ENROLL_WAITS, 0);
    (void)ui_add(u, UI_READ, ID_USER, TXT_L_ITS_USER, "", 0);
    (void)ui_add(u, UI_READ, ID_FINGERPRINT, TXT_L_KEY_FINGERPRINT, "", 0);
    (void)ui_add(u, UI_READ, ID_EXPIRES, TXT_L_EXPIRES, "", 0);
    for (int id = ID_WAITS; id <= ID_EXPIRES; id++)
        ui_hide(u, id, true);
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_CONNECTING, 0);
    ui_hide(u, ID_WORDS, true);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_ENROLL, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
    look_again(u);
    ui_show(u, ui_control(u, ID_CODE));
    return u;
}
