/* オプション on Windows: start at login, connect at start, notices, language, proxy. */
#include <stdlib.h>

#include <windows.h>

#include <commctrl.h>

#include "client/tray/app_win.h"
#include "client/tray/settings.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 460

enum {
    ID_AUTOSTART = 100,
    ID_CONNECT,
    ID_NOTICES,
    ID_LANGUAGE,
    ID_PROXY,
    ID_TROUBLE,
    ID_TROUBLE_TEXT
};

static struct ui *current; /* one at a time; NULL = not open */

static bool checked(const struct ui *u, int id)
{
    return SendMessageW(ui_control(u, id), BM_GETCHECK, 0, 0) == BST_CHECKED;
}

static int chosen(const struct ui *u, int id)
{
    return (int)SendMessageW(ui_control(u, id), CB_GETCURSEL, 0, 0);
}

static void save(struct ui *u, struct tray_app *app)
{
    struct settings_options o = {.autostart = checked(u, ID_AUTOSTART),
                                 .prefs = {.notices = (enum tray_notices)chosen(u, ID_NOTICES),
                                           .language = (enum prefs_language)chosen(u, ID_LANGUAGE),
                                           .connect_at_start = checked(u, ID_CONNECT)}};
    struct words_refusal no;

    (void)text_get(ui_control(u, ID_PROXY), o.proxy, sizeof(o.proxy));
    if (!settings_options_save(app, &o, &no)) {
        ui_trouble_show(u, ID_TROUBLE, no.what, no.why, "");
        if (no.field == WORDS_FIELD_PROXY)
            ui_focus(u, ID_PROXY);
        return;
    }
    ui_close(u);
    settings_options_taken(app);
}

static void on_command(struct ui *u, int id, int code)
{
    (void)code;
    if (id == IDOK)
        save(u, u->data);
    else if (id == IDCANCEL)
        ui_close(u);
}

static void on_freed(struct ui *u)
{
    (void)u;
    current = NULL;
}

static const struct ui_ops ops = {.command = on_command, .freed = on_freed};

static void check(struct ui *u, int id, const char *label, bool on)
{
    HWND w = ui_add(u, UI_CHECK, id, NULL, label, 0);

    (void)SendMessageW(w, BM_SETCHECK, on ? BST_CHECKED : BST_UNCHECKED, 0);
}

static void choice(struct ui *u, int id, const char *label, const char *const words[3], int active)
{
    HWND w = ui_add(u, UI_CHOICE, id, label, "", 0);

    for (int i = 0; i < 3; i++) {
        wchar_t *wide = text_wide(words[i]);

        (void)SendMessageW(w, CB_ADDSTRING, 0, (LPARAM)wide);
        free(wide);
    }
    (void)SendMessageW(w, CB_SETCURSEL, (WPARAM)active, 0);
}

static void build(struct ui *u, const struct tray_app *app)
{
    const char *notices[3], *languages[3];
    struct settings_options o;
    HWND field;

    settings_options(app, &o);
    settings_notices(notices);
    settings_languages(languages);
    check(u, ID_AUTOSTART, TXT_C_AUTOSTART, o.autostart);
    check(u, ID_CONNECT, TXT_C_CONNECT, o.prefs.connect_at_start);
    choice(u, ID_NOTICES, TXT_L_NOTICES, notices, (int)o.prefs.notices);
    choice(u, ID_LANGUAGE, TXT_L_LANGUAGE, languages, (int)o.prefs.language);
    field = ui_add(u, UI_ENTRY, ID_PROXY, TXT_L_PROXY, o.proxy, 0);
    (void)SendMessageW(field, EM_SETCUEBANNER, FALSE, (LPARAM)L"proxy.example.com:8080");
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_OK, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
}

void prefs_dialog_open(struct tray_app *app)
{
    if (current != NULL) {
        ui_front(current);
        return;
    }
    current = ui_new(app_parent(app), NULL, TXT_OPTIONS_TITLE, false, DIALOG_WIDTH, &ops, app);
    build(current, app);
    ui_show(current, ui_control(current, ID_AUTOSTART));
}
