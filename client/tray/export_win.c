/* 公開鍵のエクスポート (export_dialog.h) on Windows. */
#include "client/tray/app_win.h"
#include "client/tray/export_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 600

enum {
    ID_HEAD = 100,
    ID_WHO,
    ID_FINGERPRINT,
    ID_BINDING,
    ID_WEAK,
    ID_SAID,
    ID_COPY,
    ID_CONNECT,
    ID_SAVE,
    ID_ENROLL
};

void export_ui_front(struct ui *u)
{
    ui_front(u);
}

void export_ui_say(struct ui *u, const char *text)
{
    ui_text(u, ID_SAID, text);
}

static void save(struct ui *u)
{
    const struct export_dialog *d = u->data;
    char name[EXPORT_NAME_MAX], path[OS_PATH_MAX];

    export_name(d, name);
    if (ask_save_as(u->window, TXT_EXPORT_TITLE, name, true, path) && export_is_open(d))
        export_save(d, path);
}

static void on_command(struct ui *u, int id, int code)
{
    const struct export_dialog *d = u->data;
    struct tray_app *app = d->app;

    (void)code;
    if (id == ID_COPY)
        export_copy(d);
    else if (id == ID_SAVE)
        save(u);
    else if (id == IDOK || id == IDCANCEL || id == ID_CONNECT || id == ID_ENROLL)
        ui_close(u);
    if (id == ID_CONNECT)
        connect_dialog_open(app);
    else if (id == ID_ENROLL)
        enroll_dialog_open(app);
}

static void on_freed(struct ui *u)
{
    export_gone(u->data);
}

static const struct ui_ops ops = {.command = on_command, .freed = on_freed};

struct ui *export_ui_new(struct export_dialog *d)
{
    struct ui *u = ui_new(app_parent(d->app), NULL, TXT_EXPORT_TITLE, false, DIALOG_WIDTH, &ops, d);
    HWND close;

    (void)ui_add(u, UI_HEADING, ID_HEAD, NULL, TXT_KEY_READY, 0);
    (void)ui_add(u, UI_READ, ID_WHO, TXT_L_KEY_OF, d->who, 0);
    (void)ui_add(u, UI_READ, ID_FINGERPRINT, TXT_L_KEY_FINGERPRINT, d->fingerprint, 0);
    (void)ui_add(u, UI_READ, ID_BINDING, TXT_L_BINDING, d->binding, 0);
    if (d->info.weak)
        (void)ui_add(u, UI_TEXT, ID_WEAK, NULL, keymake_weak_words(), 0);
    (void)ui_add(u, UI_TEXT, ID_SAID, NULL, TXT_EXPORT_WAITING, 0);
    (void)ui_button(u, ID_COPY, TXT_B_COPY, false);
    (void)ui_button(u, ID_SAVE, TXT_B_SAVE_TO, false);
    if (d->can_enroll)
        (void)ui_button(u, ID_ENROLL, TXT_M_ENROLL, false);
    close = ui_button(u, IDOK, TXT_B_CLOSE, true);
    if (d->can_connect)
        (void)ui_button(u, ID_CONNECT, TXT_B_CONNECT, false);
    ui_show(u, close);
    return u;
}
