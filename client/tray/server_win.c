/* サーバ設定 (A2) on Windows: the gateway's address and its fingerprint, beside what is pinned. */
#include <stdlib.h>

#include <windows.h>

#include <commctrl.h>

#include "client/tray/app_win.h"
#include "client/tray/settings.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 560

enum { ID_ADDRESS = 100, ID_FINGERPRINT, ID_PINNED, ID_TROUBLE, ID_TROUBLE_TEXT };

static struct ui *current; /* one at a time; NULL = not open */

static void save(struct ui *u, struct tray_app *app)
{
    char address[SERVER_WHY_MAX], fingerprint[SERVER_WHY_MAX];
    struct words_refusal no;

    (void)text_get(ui_control(u, ID_ADDRESS), address, sizeof(address));
    (void)text_get(ui_control(u, ID_FINGERPRINT), fingerprint, sizeof(fingerprint));
    if (!words_server_save(&app->paths, address, fingerprint, &no)) {
        ui_trouble_show(u, ID_TROUBLE, no.what, no.why, "");
        if (no.field != WORDS_FIELD_NONE)
            ui_focus(u, no.field == WORDS_FIELD_ADDRESS ? ID_ADDRESS : ID_FINGERPRINT);
        return;
    }
    ui_close(u);
    settings_server_taken(app);
}

/* Says while it is typed whether the fingerprint can be one and is the one that was seen. */
static void look_again(struct ui *u)
{
    const struct tray_app *app = u->data;
    char typed[SERVER_WHY_MAX], words[WORDS_MAX];

    (void)text_get(ui_control(u, ID_FINGERPRINT), typed, sizeof(typed));
    words_fingerprint(&app->paths, typed, words);
    ui_text(u, ID_PINNED, words);
}

static void on_command(struct ui *u, int id, int code)
{
    if (id == ID_FINGERPRINT && code == EN_CHANGE)
        look_again(u);
    else if (id == IDOK)
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

void server_dialog_open(struct tray_app *app)
{
    char address[ADDR_TEXT_MAX];
    struct ui *u = current;
    HWND field;

    if (u != NULL) {
        ui_front(u);
        return;
    }
    settings_address(app, address);
    current = u = ui_new(app_parent(app), NULL, TXT_SERVER_TITLE, false, DIALOG_WIDTH, &ops, app);
    field = ui_add(u, UI_ENTRY, ID_ADDRESS, TXT_L_ADDRESS, address, 0);
    (void)SendMessageW(field, EM_SETCUEBANNER, FALSE, (LPARAM)L"gw.example.com");
    field = ui_add(u, UI_ENTRY, ID_FINGERPRINT, TXT_L_FINGERPRINT, app->config.fingerprint, 0);
    (void)SendMessageW(field, EM_SETCUEBANNER, FALSE, (LPARAM)L"SHA256:...");
    (void)ui_add(u, UI_DIM, ID_PINNED, NULL, "", UI_FIELD);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_SET, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
    look_again(u);
    ui_show(u, ui_control(u, ID_ADDRESS));
}
