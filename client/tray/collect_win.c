/* ログの収集 (collect_dialog.h) on Windows. */
#include <stdlib.h>

#include "client/tray/app_win.h"

#include <commctrl.h>

#include "client/tray/collect_dialog.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 680
#define DRAW_ID      1
#define DRAW_MS      200
#define BAR_FULL     1000

enum { ID_INTRO = 100, ID_WORDS, ID_PROGRESS, ID_FILES, ID_CONTENT, ID_SAID, ID_SAVE, ID_SEND };

void collect_ui_front(struct ui *u)
{
    ui_front(u);
}

void collect_ui_say(struct ui *u, const char *text)
{
    ui_text(u, ID_SAID, text);
}

void collect_ui_gathered(struct ui *u)
{
    const struct collect_dialog *d = u->data;
    HWND list = ui_control(u, ID_FILES);
    struct collect_row row;

    (void)KillTimer(u->window, DRAW_ID);
    ui_hide(u, ID_WORDS, true);
    ui_hide(u, ID_PROGRESS, true);
    for (size_t i = 0; i < d->bundle->count; i++) {
        collect_row(d, i, &row);
        for (int c = 0; c < COLLECT_COLUMNS; c++)
            ui_list_cell(list, (int)i, c, row.cell[c]);
    }
    ListView_SetItemState(list, 0, LVIS_SELECTED | LVIS_FOCUSED, LVIS_SELECTED | LVIS_FOCUSED);
    ui_enable(u, ID_SAVE, d->can_save);
    ui_enable(u, ID_SEND, collect_can_send(d));
}

void collect_ui_sending(struct ui *u, const char *words)
{
    const struct collect_dialog *d = u->data;

    if (d->sending) /* what has the focus shall not be switched off */
        ui_focus(u, IDOK);
    ui_text(u, ID_WORDS, words);
    ui_hide(u, ID_WORDS, !d->sending);
    ui_enable(u, ID_SEND, collect_can_send(d));
}

static void preview(const struct ui *u, size_t row)
{
    char *text = collect_preview(u->data, row);

    (void)text_set_lines(ui_control(u, ID_CONTENT), text);
    free(text);
}

static LRESULT on_notify(struct ui *u, const NMHDR *head)
{
    const struct collect_dialog *d = u->data;
    const NMLISTVIEW *item = (const NMLISTVIEW *)head;

    if (head->idFrom == ID_FILES && head->code == (UINT)LVN_ITEMCHANGED && d->bundle != NULL &&
        (item->uNewState & LVIS_SELECTED) != 0 && item->iItem >= 0 &&
        (size_t)item->iItem < d->bundle->count)
        preview(u, (size_t)item->iItem);
    return 0;
}

static void save(const struct ui *u)
{
    const struct collect_dialog *d = u->data;
    char name[OS_PATH_MAX], path[OS_PATH_MAX];

    collect_propose_name(&d->app->paths, name);
    if (ask_save_as(u->window, TXT_COLLECT_SAVE_TITLE, name, false, path) && collect_is_open(d))
        collect_save(d, path);
}

static void on_command(struct ui *u, int id, int code)
{
    (void)code;
    if (id == ID_SAVE)
        save(u);
    else if (id == ID_SEND)
        collect_send(u->data);
    else if (id == IDOK || id == IDCANCEL)
        ui_close(u);
}

static void on_timer(struct ui *u)
{
    (void)SendMessageW(ui_control(u, ID_PROGRESS), PBM_SETPOS,
                       (WPARAM)(collect_part(u->data) * BAR_FULL), 0);
}

static void on_freed(struct ui *u)
{
    collect_gone(u->data);
}

static const struct ui_ops ops = {
    .command = on_command, .notify = on_notify, .timer = on_timer, .freed = on_freed};

struct ui *collect_ui_new(struct collect_dialog *d)
{
    static const int widths[COLLECT_COLUMNS] = {170, 80, 290, 90};
    const char *titles[COLLECT_COLUMNS];
    struct ui *u =
        ui_new(app_parent(d->app), NULL, TXT_COLLECT_TITLE, false, DIALOG_WIDTH, &ops, d);
    HWND list;

    collect_titles(titles);
    (void)ui_add(u, UI_TEXT, ID_INTRO, NULL, TXT_COLLECT_INTRO, 0);
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_COLLECTING, 0);
    (void)ui_add(u, UI_BAR, ID_PROGRESS, NULL, TXT_PROGRESS, 0);
    list = ui_add(u, UI_LIST, ID_FILES, NULL, TXT_FILES, 0);
    ui_name(list, TXT_FILES);
    for (int i = 0; i < COLLECT_COLUMNS; i++)
        ui_list_column(list, i, titles[i], ui_px(u, widths[i]));
    (void)SendMessageW(ui_add(u, UI_BOX, ID_CONTENT, NULL, "", UI_GROW), EM_SETLIMITTEXT, 0, 0);
    ui_height(u, 170);
    ui_name(ui_control(u, ID_CONTENT), TXT_CONTENT);
    (void)ui_add(u, UI_TEXT, ID_SAID, NULL, "\n", 0);
    (void)ui_button(u, ID_SEND, TXT_B_SEND, false);
    (void)ui_button(u, ID_SAVE, TXT_B_SAVE_AS, false);
    (void)ui_button(u, IDOK, TXT_B_CLOSE, true);
    ui_enable(u, ID_SAVE, false);
    ui_enable(u, ID_SEND, false);
    (void)SetTimer(u->window, DRAW_ID, DRAW_MS, NULL);
    ui_show(u, list);
    return u;
}
