/* 公開鍵のエクスポート (A5) on Windows: fingerprint, binding, and the public key as a file or by the
   clipboard. */
#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

#include "client/keymake.h"
#include "client/tray/app_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"
#include "client/tray/words.h"

#define DIALOG_WIDTH 600

enum { ID_HEAD = 100, ID_WHO, ID_FINGERPRINT, ID_BINDING, ID_WEAK, ID_SAID, ID_COPY, ID_SAVE };

struct export_dialog {
    struct tray_app *app;
    struct keyfile_info info;
    char line[SSHKEY_LINE_MAX];
};

static struct ui *current; /* one at a time; NULL = not open */

static void save(struct ui *u)
{
    const struct export_dialog *d = u->data;
    char name[KEYFILE_USER_MAX + 8], path[OS_PATH_MAX], said[OS_PATH_MAX + 512];
    struct fault f = {0};

    words_public_name(d->info.user, name, sizeof(name));
    if (!ask_save_as(u->window, TXT_EXPORT_TITLE, name, true, path))
        return;
    if (keymake_write_public(path, d->line, &f) == 0) {
        snprintf(said, sizeof(said), TXT_EXPORT_SAVED, path);
        app_note(d->app, "public key exported");
    } else {
        snprintf(said, sizeof(said), "%s: %s", TXT_EXPORT_FAILED, f.text);
    }
    ui_text(u, ID_SAID, said);
}

static void on_command(struct ui *u, int id, int code)
{
    const struct export_dialog *d = u->data;

    (void)code;
    if (id == ID_COPY)
        ui_text(u, ID_SAID, text_copy(u->window, d->line) ? TXT_EXPORT_COPIED : TXT_COPY_FAILED);
    else if (id == ID_SAVE)
        save(u);
    else if (id == IDOK || id == IDCANCEL)
        ui_close(u);
}

static void on_freed(struct ui *u)
{
    current = NULL;
    free(u->data);
}

static const struct ui_ops ops = {.command = on_command, .freed = on_freed};

static void build(const struct export_dialog *d, struct ui *u)
{
    char fingerprint[SSHKEY_FINGERPRINT_MAX] = "", binding[KEY_BINDING_MAX], who[160];
    HWND close;

    (void)keymake_fingerprint(&d->info, fingerprint);
    snprintf(who, sizeof(who), "%s@%s", d->info.user, d->info.computer);
    (void)ui_add(u, UI_HEADING, ID_HEAD, NULL, TXT_KEY_READY, 0);
    (void)ui_add(u, UI_READ, ID_WHO, TXT_L_KEY_OF, who, 0);
    (void)ui_add(u, UI_READ, ID_FINGERPRINT, TXT_L_KEY_FINGERPRINT, fingerprint, 0);
    (void)ui_add(u, UI_READ, ID_BINDING, TXT_L_BINDING, key_binding_words(&d->info, binding), 0);
    if (d->info.weak)
        (void)ui_add(u, UI_TEXT, ID_WEAK, NULL, keymake_weak_words(), 0);
    (void)ui_add(u, UI_TEXT, ID_SAID, NULL, TXT_EXPORT_WAITING, 0);
    (void)ui_button(u, ID_COPY, TXT_B_COPY, false);
    (void)ui_button(u, ID_SAVE, TXT_B_SAVE_TO, false);
    close = ui_button(u, IDOK, TXT_B_CLOSE, true);
    ui_show(u, close);
}

void export_dialog_open(struct tray_app *app)
{
    struct export_dialog *d;
    struct fault f = {0};
    int rc;

    if (current != NULL) {
        ui_front(current);
        return;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL)
        abort();
    d->app = app;
    rc = keyfile_inspect(app->paths.key_file, &d->info, &f);
    if (rc == 0)
        rc = sshkey_format_line(&d->info, d->line, sizeof(d->line));
    if (rc != 0) {
        ask_problem(app, keymake_inspect_problem(rc),
                    &(struct msg_args){.detail = f.text, .user = TXT_NAME_HOLDER});
        free(d);
        return;
    }
    current = ui_new(app_parent(app), NULL, TXT_EXPORT_TITLE, false, DIALOG_WIDTH, &ops, d);
    build(d, current);
}
