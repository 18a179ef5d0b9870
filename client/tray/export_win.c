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

enum {
    ID_HEAD = 100,
    ID_WHO,
    ID_FINGERPRINT,
    ID_BINDING,
    ID_WEAK,
    ID_SAID,
    ID_COPY,
    ID_CONNECT,
    ID_SAVE
};

struct export_dialog {
    struct tray_app *app;
    struct keyfile_info info;
    char line[SSHKEY_LINE_MAX];
};

static struct ui *current; /* one at a time; NULL = not open */

static void save_to(struct ui *u, const char *path)
{
    const struct export_dialog *d = u->data;
    char said[OS_PATH_MAX + 512];
    struct fault f = {0};

    if (keymake_write_public(path, d->line, &f) == 0) {
        snprintf(said, sizeof(said), TXT_EXPORT_SAVED, path);
        app_note(d->app, "public key exported");
    } else {
        snprintf(said, sizeof(said), "%s: %s", TXT_EXPORT_FAILED, f.text);
    }
    ui_text(u, ID_SAID, said);
}

static void save(struct ui *u)
{
    const struct export_dialog *d = u->data;
    char name[KEYFILE_USER_MAX + 8], path[OS_PATH_MAX];

    words_public_name(d->info.user, name, sizeof(name));
    if (ask_save_as(u->window, TXT_EXPORT_TITLE, name, true, path))
        save_to(u, path);
}

/*
 * Beside the profile that led here (on the administrator's stick, as often as not) the public key is
 * saved without being asked for; never over another file, and once for each profile.
 */
static void save_beside_profile(struct ui *u)
{
    const struct export_dialog *d = u->data;
    char name[KEYFILE_USER_MAX + 8], path[OS_PATH_MAX];
    wchar_t *wide;

    if (d->app->profile_folder[0] == '\0')
        return;
    words_public_name(d->info.user, name, sizeof(name));
    if (os_path_join(path, d->app->profile_folder, name) == 0) {
        wide = text_wide(path);
        if (GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES &&
            GetLastError() == ERROR_FILE_NOT_FOUND)
            save_to(u, path);
        free(wide);
    }
    d->app->profile_folder[0] = '\0';
}

static void on_command(struct ui *u, int id, int code)
{
    const struct export_dialog *d = u->data;
    struct tray_app *app = d->app;

    (void)code;
    if (id == ID_COPY)
        ui_text(u, ID_SAID, text_copy(u->window, d->line) ? TXT_EXPORT_COPIED : TXT_COPY_FAILED);
    else if (id == ID_SAVE)
        save(u);
    else if (id == IDOK || id == IDCANCEL || id == ID_CONNECT)
        ui_close(u);
    if (id == ID_CONNECT)
        connect_dialog_open(app);
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
    if (d->app->facts.has_server && d->app->view.can_connect)
        (void)ui_button(u, ID_CONNECT, TXT_B_CONNECT, false);
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
    save_beside_profile(current);
}
