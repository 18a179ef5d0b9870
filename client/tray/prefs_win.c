/* オプション on Windows: start at login, connect at start, notices, language, proxy. */
#include <stdlib.h>

#include <windows.h>

#include <commctrl.h>

#include "client/tray/app_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"
#include "client/tray/words.h"

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
    enum prefs_language before = app->prefs.language;
    bool autostart = checked(u, ID_AUTOSTART);
    struct prefs p = {.notices = (enum tray_notices)chosen(u, ID_NOTICES),
                      .language = (enum prefs_language)chosen(u, ID_LANGUAGE),
                      .connect_at_start = checked(u, ID_CONNECT)};
    char why[SERVER_WHY_MAX] = "", proxy[SERVER_WHY_MAX];
    struct fault f = {0};

    (void)text_get(ui_control(u, ID_PROXY), proxy, sizeof(proxy));
    if (words_proxy_save(&app->paths, proxy, why) != 0) {
        ui_trouble_show(u, ID_TROUBLE, TXT_PROXY_BAD, why, "");
        (void)SendMessageW(u->window, WM_NEXTDLGCTL, (WPARAM)ui_control(u, ID_PROXY), TRUE);
        return;
    }
    if (prefs_save(&app->paths, &p, &f) != 0 ||
        (autostart != prefs_autostart() && prefs_set_autostart(autostart, &f) != 0)) {
        ui_trouble_show(u, ID_TROUBLE, TXT_SETTINGS_FAILED, f.text, "");
        return;
    }
    app->prefs = p;
    ui_close(u);
    app_reload(app);
    if (p.language != before) {
        prefs_apply_language(&p);
        app_rebuild(app);
    }
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
    const char *const notices[3] = {TXT_ALL, TXT_ERRORS_ONLY, TXT_NONE};
    const char *const languages[3] = {TXT_AS_SYSTEM, "日本語", "English"};
    const struct config *c = &app->config;
    char proxy[ADDR_TEXT_MAX] = "";
    HWND field;

    if (c->has_proxy)
        config_format_address(&c->proxy, c->proxy_port, proxy);
    check(u, ID_AUTOSTART, TXT_C_AUTOSTART, prefs_autostart());
    check(u, ID_CONNECT, TXT_C_CONNECT, app->prefs.connect_at_start);
    choice(u, ID_NOTICES, TXT_L_NOTICES, notices, (int)app->prefs.notices);
    choice(u, ID_LANGUAGE, TXT_L_LANGUAGE, languages, (int)app->prefs.language);
    field = ui_add(u, UI_ENTRY, ID_PROXY, TXT_L_PROXY, proxy, 0);
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
