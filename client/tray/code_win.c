/* コードの入力 (code_dialog.h) on Windows. */
#include <stdlib.h>

#include "client/tray/app_win.h"

#include <commctrl.h>

#include "client/tray/code_dialog.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 440

enum { ID_WHAT = 100, ID_CODE, ID_WORDS, ID_TROUBLE, ID_TROUBLE_TEXT };

static void look_again(const struct ui *u)
{
    ui_enable(u, IDOK, code_can_give(u->data, GetWindowTextLengthW(ui_control(u, ID_CODE)) > 0));
}

void code_ui_busy(struct ui *u, const char *words)
{
    const struct code_dialog *d = u->data;

    if (d->busy && IsWindowEnabled(ui_control(u, ID_CODE)))
        ui_focus(u, IDCANCEL);
    ui_enable(u, ID_CODE, !d->busy);
    look_again(u);
    ui_text(u, ID_WORDS, words);
    ui_hide(u, ID_WORDS, !d->busy);
    if (!d->busy)
        ui_focus(u, ID_CODE);
}

void code_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u, ID_TROUBLE, title, cause, remedy);
}

void code_ui_take(struct ui *u, char dst[CODE_TYPED_MAX])
{
    (void)text_get(ui_control(u, ID_CODE), dst, CODE_TYPED_MAX);
    (void)SetWindowTextW(ui_control(u, ID_CODE), L"");
}

void code_ui_front(struct ui *u)
{
    ui_front(u);
}

void code_ui_close(struct ui *u)
{
    ui_close(u);
}

static bool on_close(struct ui *u)
{
    (void)u;
    return true;
}

static void on_command(struct ui *u, int id, int code)
{
    if (id == ID_CODE && code == EN_CHANGE)
        look_again(u);
    else if (id == IDOK)
        code_give(u->data);
    else if (id == IDCANCEL)
        ui_close(u);
}

static void on_freed(struct ui *u)
{
    code_gone(u->data);
}

static const struct ui_ops ops = {.command = on_command, .close = on_close, .freed = on_freed};

struct ui *code_ui_new(struct code_dialog *d)
{
    struct ui *u = ui_new(app_parent(d->app), NULL, TXT_CODE_TITLE, false, DIALOG_WIDTH, &ops, d);

    (void)ui_add(u, UI_TEXT, ID_WHAT, NULL, TXT_CODE_WHAT, 0);
    (void)ui_add(u, UI_ENTRY, ID_CODE, TXT_L_CODE, "", 0);
    (void)SendMessageW(ui_control(u, ID_CODE), EM_SETLIMITTEXT, CODE_TYPED_MAX - 1, 0);
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_CONNECTING, 0);
    ui_hide(u, ID_WORDS, true);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_CONNECT, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
    look_again(u);
    ui_show(u, ui_control(u, ID_CODE));
    return u;
}
