/*
 * The main window: status in words, what is wrong, the list of forwards, the menus. Below the list
 * stands what is in the way of the forward that is chosen, or else of the first that is not ready.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <commctrl.h>

#include "client/tray/app_win.h"
#include "client/tray/freeport.h"
#include "client/tray/notify_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_internal_win.h"
#include "client/tray/words.h"

#define LEAST_WIDTH  640
#define FIRST_WIDTH  860
#define FIRST_HEIGHT 520
#define ICON_SIZE    48

enum {
    ID_ICON = 100,
    ID_CAPTION,
    ID_HEADLINE,
    ID_DETAIL,
    ID_TROUBLE,
    ID_TROUBLE_TEXT,
    ID_LIST,
    ID_EMPTY,
    ID_NOTE,
    ID_SAID,
    ID_COPY,
    ID_COMMAND = 200
};

enum {
    COLUMN_STATE,
    COLUMN_NAME,
    COLUMN_LOCAL,
    COLUMN_TARGET,
    COLUMN_OPEN,
    COLUMN_TRAFFIC,
    COLUMNS
};

struct window {
    struct tray_app *app;
    struct ui *ui;
    HWND connect, disconnect, retry, next, copy;
    enum tray_command next_command;
    HICON icon;
    enum tray_shape shape;
    int icon_size;
};

/* --- menus ------------------------------------------------------------------------------------ */

static void make_menus(struct window *w)
{
    struct words_menu_line lines[WORDS_MENU_LINES];
    HMENU bar = CreateMenu(), sub = NULL;

    words_menu_bar(lines);
    for (size_t i = 0; i < WORDS_MENU_LINES; i++) {
        wchar_t *label = text_label(lines[i].label);

        if (lines[i].command == TRAY_CMD_NONE) {
            sub = CreatePopupMenu();
            (void)AppendMenuW(bar, MF_POPUP, (UINT_PTR)sub, label);
        } else if (lines[i].command == TRAY_CMD_LINE) {
            (void)AppendMenuW(sub, MF_SEPARATOR, 0, NULL);
        } else {
            (void)AppendMenuW(sub, MF_STRING, (UINT_PTR)ID_COMMAND + (UINT_PTR)lines[i].command,
                              label);
        }
        free(label);
    }
    (void)SetMenu(w->ui->window, bar);
}

static void update_menus(const struct window *w)
{
    HMENU bar = GetMenu(w->ui->window);

    for (int i = 0; i < TRAY_CMD_COUNT; i++) /* what is in no menu is not found */
        (void)EnableMenuItem(bar, (UINT)(ID_COMMAND + i),
                             words_command_on(&w->app->facts, &w->app->view, (enum tray_command)i)
                                 ? MF_BYCOMMAND | MF_ENABLED
                                 : MF_BYCOMMAND | MF_GRAYED);
}

/* --- the list --------------------------------------------------------------------------------- */

static HWND list_of(const struct window *w)
{
    return ui_control(w->ui, ID_LIST);
}

static int chosen_row(const struct window *w)
{
    return (int)SendMessageW(list_of(w), LVM_GETNEXTITEM, (WPARAM)-1, LVNI_SELECTED);
}

static void set_columns(const struct window *w)
{
    static const int widths[COLUMNS] = {130, 130, 150, 190, 64, 150};
    const char *const titles[COLUMNS] = {TXT_COL_STATE,  TXT_COL_NAME, TXT_COL_LOCAL,
                                         TXT_COL_TARGET, TXT_COL_OPEN, TXT_COL_TRAFFIC};

    for (int i = 0; i < COLUMNS; i++)
        ui_list_column(list_of(w), i, titles[i], ui_px(w->ui, widths[i]));
}

static void update_note(struct window *w)
{
    const json_t *status = w->app->facts.status;
    size_t count = tray_row_count(status);
    char text[sizeof(((struct tray_row *)0)->note) + TRAY_CELL_MAX + 256] = "";
    char note[FREEPORT_NOTE_MAX];
    struct tray_row row;
    int chosen = chosen_row(w);

    for (size_t i = 0; i < count && text[0] == '\0'; i++) {
        tray_row(status, i, &row);
        if (chosen >= 0 ? (size_t)chosen != i : row.ready)
            continue;
        freeport_note(&row, note);
        if (note[0] != '\0')
            snprintf(text, sizeof(text), "%s %s  %s\n%s", row.mark, row.name, row.local, note);
    }
    ui_text(w->ui, ID_NOTE, text);
    ui_hide(w->ui, ID_NOTE, text[0] == '\0');
}

static void update_list(struct window *w)
{
    const json_t *status = w->app->facts.status;
    HWND list = list_of(w);
    size_t count = tray_row_count(status);
    struct tray_row row;
    char state[128];

    while (ListView_GetItemCount(list) > (int)count)
        (void)SendMessageW(list, LVM_DELETEITEM, (WPARAM)ListView_GetItemCount(list) - 1, 0);
    for (size_t i = 0; i < count; i++) {
        const char *cells[COLUMNS] = {state,      row.name,        row.local,
                                      row.target, row.connections, row.traffic};

        tray_row(status, i, &row);
        snprintf(state, sizeof(state), "%s %s", row.mark, row.word);
        for (int c = 0; c < COLUMNS; c++)
            ui_list_cell(list, (int)i, c, cells[c]);
    }
    ui_hide(w->ui, ID_LIST, count == 0);
    ui_hide(w->ui, ID_EMPTY, count > 0);
    (void)ShowWindow(w->copy, count > 0 ? SW_SHOWNA : SW_HIDE);
    ui_enable(w->ui, ID_COPY, chosen_row(w) >= 0);
    update_note(w);
}

/* Colour of the first cell: the mark and the word say it without. */
static LRESULT on_draw_cell(const struct window *w, NMLVCUSTOMDRAW *draw)
{
    struct tray_row row;

    if (draw->nmcd.dwDrawStage == CDDS_PREPAINT)
        return CDRF_NOTIFYITEMDRAW;
    if (draw->nmcd.dwDrawStage == CDDS_ITEMPREPAINT)
        return CDRF_NOTIFYSUBITEMDRAW;
    if (draw->nmcd.dwDrawStage != (CDDS_ITEMPREPAINT | CDDS_SUBITEM))
        return CDRF_DODEFAULT;
    tray_row(w->app->facts.status, draw->nmcd.dwItemSpec, &row);
    draw->clrText = theme_colour(draw->iSubItem != COLUMN_STATE ? THEME_TEXT
                                 : row.ready                    ? THEME_GOOD
                                                                : THEME_BAD);
    return CDRF_NEWFONT;
}

/* A header takes no colours from its list. */
static LRESULT on_draw_header(NMCUSTOMDRAW *draw)
{
    if (!theme_is_dark())
        return CDRF_DODEFAULT;
    if (draw->dwDrawStage == CDDS_PREPAINT)
        return CDRF_NOTIFYITEMDRAW;
    if (draw->dwDrawStage == CDDS_ITEMPREPAINT)
        (void)SetTextColor(draw->hdc, theme_colour(THEME_TEXT));
    return CDRF_DODEFAULT;
}

static LRESULT on_notify(struct ui *u, const NMHDR *head)
{
    struct window *w = u->data;
    const NMITEMACTIVATE *item = (const NMITEMACTIVATE *)head;

    if (w->copy == NULL)
        return 0;
    if (head->code == (UINT)NM_CUSTOMDRAW)
        return head->hwndFrom == list_of(w) ? on_draw_cell(w, (NMLVCUSTOMDRAW *)(uintptr_t)head)
                                            : on_draw_header((NMCUSTOMDRAW *)(uintptr_t)head);
    if (head->hwndFrom != list_of(w))
        return 0;
    if ((head->code == (UINT)NM_CLICK && item->iSubItem == COLUMN_LOCAL && item->iItem >= 0) ||
        (head->code == (UINT)LVN_ITEMACTIVATE && item->iItem >= 0)) {
        app_command(w->app, TRAY_CMD_COPY, (size_t)item->iItem);
    } else if (head->code == (UINT)LVN_ITEMCHANGED) {
        ui_enable(u, ID_COPY, chosen_row(w) >= 0);
        update_note(w);
    }
    return 0;
}

/* --- layout ----------------------------------------------------------------------------------- */

static void put(const struct ui *u, int id, int x, int y, int width, int height)
{
    (void)SetWindowPos(ui_control(u, id), NULL, x, y, width, height, SWP_NOZORDER | SWP_NOACTIVATE);
}

static int text_height(const struct ui *u, int id, enum theme_font font, int width)
{
    wchar_t text[TEXT_FIELD_MAX];

    (void)GetWindowTextW(ui_control(u, id), text, TEXT_FIELD_MAX);
    return (int)ui_measure(u, font, text, width).cy;
}

static bool shown(const struct ui *u, int id)
{
    return (GetWindowLongPtrW(ui_control(u, id), GWL_STYLE) & WS_VISIBLE) != 0;
}

/* The buttons at the right of the head, from right to left. Returns where they begin. */
static int put_buttons(const struct window *w, int right, int y)
{
    HWND buttons[] = {w->disconnect, w->connect, w->retry, w->next};
    int height = ui_px(w->ui, 28), gap = ui_px(w->ui, 8);

    for (size_t i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++) {
        int width = ui_button_width(w->ui, buttons[i]);

        if ((GetWindowLongPtrW(buttons[i], GWL_STYLE) & WS_VISIBLE) == 0)
            continue;
        right -= width;
        (void)SetWindowPos(buttons[i], NULL, right, y, width, height,
                           SWP_NOZORDER | SWP_NOACTIVATE);
        right -= gap;
    }
    return right;
}

static int put_head(const struct window *w, int margin, int width)
{
    struct ui *u = w->ui;
    int icon = ui_px(u, ICON_SIZE), x = margin + icon + ui_px(u, 12), y = margin;
    int right = put_buttons(w, width - margin, margin + ui_px(u, 12)), room = right - x;
    int bottom;

    put(u, ID_ICON, margin, y + ui_px(u, 4), icon, icon);
    put(u, ID_CAPTION, x, y, room, text_height(u, ID_CAPTION, THEME_PLAIN, room));
    y += text_height(u, ID_CAPTION, THEME_PLAIN, room) + 2;
    put(u, ID_HEADLINE, x, y, room, text_height(u, ID_HEADLINE, THEME_BIG, room));
    y += text_height(u, ID_HEADLINE, THEME_BIG, room) + 2;
    if (shown(u, ID_DETAIL)) {
        put(u, ID_DETAIL, x, y, room, text_height(u, ID_DETAIL, THEME_PLAIN, room));
        y += text_height(u, ID_DETAIL, THEME_PLAIN, room);
    }
    bottom = margin + icon + ui_px(u, 8);
    return y > bottom ? y : bottom;
}

static int box_height(const struct ui *u, int id, int width)
{
    return text_height(u, id, THEME_PLAIN, width - ui_px(u, 16)) + ui_px(u, 8);
}

/* The list's own label, "Forwards:", is the item's. */
static HWND label_of(const struct ui *u, int id)
{
    for (size_t i = 0; i < u->items; i++)
        if (u->item[i].id == id)
            return u->item[i].label;
    return NULL;
}

static void on_layout(struct ui *u, int width, int height)
{
    struct window *w = u->data;
    int margin = ui_px(u, 14), gap = ui_px(u, 8), inner = width - 2 * margin, y, bottom, line;

    y = put_head(w, margin, width) + gap;
    line = (int)ui_measure(u, THEME_PLAIN, L"Ag", 0).cy;
    if (shown(u, ID_TROUBLE)) {
        put(u, ID_TROUBLE, margin, y, inner, text_height(u, ID_TROUBLE, THEME_BOLD, inner));
        y += text_height(u, ID_TROUBLE, THEME_BOLD, inner) + gap / 2;
        put(u, ID_TROUBLE_TEXT, margin, y, inner, box_height(u, ID_TROUBLE_TEXT, inner));
        y += box_height(u, ID_TROUBLE_TEXT, inner) + gap;
    }
    bottom = height - margin - ui_px(u, 28);
    put(u, ID_SAID, margin, bottom + (ui_px(u, 28) - line) / 2, inner - ui_px(u, 170), line);
    (void)SetWindowPos(w->copy, NULL, width - margin - ui_button_width(u, w->copy), bottom,
                       ui_button_width(u, w->copy), ui_px(u, 28), SWP_NOZORDER | SWP_NOACTIVATE);
    bottom -= gap;
    if (shown(u, ID_NOTE)) {
        bottom -= box_height(u, ID_NOTE, inner);
        put(u, ID_NOTE, margin, bottom, inner, box_height(u, ID_NOTE, inner));
        bottom -= gap;
    }
    (void)SetWindowPos(label_of(u, ID_LIST), NULL, margin, y, inner, line,
                       SWP_NOZORDER | SWP_NOACTIVATE);
    put(u, ID_EMPTY, margin, y + line, inner, 2 * line);
    y += line + gap / 2;
    put(u, ID_LIST, margin, y, inner, bottom - y > line * 3 ? bottom - y : line * 3);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void on_command(struct ui *u, int id, int code)
{
    struct window *w = u->data;
    int row = chosen_row(w);

    (void)code;
    if (row >= 0 && (id == ID_COPY || (id == IDOK && GetFocus() == list_of(w)))) /* Enter */
        app_command(w->app, TRAY_CMD_COPY, (size_t)row);
    else if (id == IDRETRY)
        app_command(w->app, w->next_command, 0);
    else if (id >= ID_COMMAND && id < ID_COMMAND + TRAY_CMD_COUNT)
        app_command(w->app, (enum tray_command)(id - ID_COMMAND), 0);
}

static void on_draw(struct ui *u, int id, HDC dc, const RECT *r, UINT dpi)
{
    struct window *w = u->data;

    (void)id, (void)dpi;
    if (w->icon == NULL || w->icon_size != r->right) {
        if (w->icon != NULL)
            (void)DestroyIcon(w->icon);
        w->icon_size = r->right;
        w->icon = notify_icon(w->shape, w->icon_size);
    }
    (void)FillRect(dc, r, theme_brush(THEME_BACK));
    (void)DrawIconEx(dc, 0, 0, w->icon, r->right, r->right, 0, NULL, DI_NORMAL);
}

/* Closing puts the window away while a tray shows the icon; else it ends the program. */
static bool on_close(struct ui *u)
{
    const struct window *w = u->data;

    if (shell_hides(w->app))
        (void)ShowWindow(u->window, SW_HIDE);
    else
        app_command(w->app, TRAY_CMD_QUIT, 0);
    return false;
}

static const struct ui_ops ops = {.command = on_command,
                                  .notify = on_notify,
                                  .draw = on_draw,
                                  .layout = on_layout,
                                  .close = on_close};

static void set_shape(struct window *w, enum tray_shape shape)
{
    char name[TRAY_TEXT_MAX];

    snprintf(name, sizeof(name), "%s: %s", TXT_STATUS, tray_shape_word(shape));
    text_set(ui_control(w->ui, ID_ICON), name);
    if (w->shape == shape && w->icon != NULL)
        return;
    if (w->icon != NULL)
        (void)DestroyIcon(w->icon);
    w->icon = NULL;
    w->shape = shape;
    (void)InvalidateRect(ui_control(w->ui, ID_ICON), NULL, FALSE);
}

static void show_button(struct window *w, HWND button, bool on)
{
    bool was = (GetWindowLongPtrW(button, GWL_STYLE) & WS_VISIBLE) != 0;

    if (was == on)
        return;
    if (!on && GetFocus() == button)
        (void)SendMessageW(w->ui->window, WM_NEXTDLGCTL, 0, FALSE);
    (void)ShowWindow(button, on ? SW_SHOWNA : SW_HIDE);
    ui_layout(w->ui);
}

/* The button that leads on, for who does not know where to begin. */
static void set_next(struct window *w, enum tray_step step)
{
    const char *label;

    w->next_command = words_next_step(step, &label);
    if (text_set_label(w->next, label))
        ui_layout(w->ui);
    show_button(w, w->next, w->next_command != TRAY_CMD_NONE);
}

void window_update(struct window *w)
{
    const struct tray_view *view = &w->app->view;
    char title[WORDS_TITLE_MAX];

    set_shape(w, view->shape);
    ui_text(w->ui, ID_HEADLINE, view->headline);
    ui_text(w->ui, ID_DETAIL, view->detail);
    ui_hide(w->ui, ID_DETAIL, view->detail[0] == '\0');
    ui_enable(w->ui, ID_COMMAND + TRAY_CMD_CONNECT, view->can_connect);
    ui_enable(w->ui, ID_COMMAND + TRAY_CMD_DISCONNECT, view->can_disconnect);
    show_button(w, w->retry, view->can_retry);
    update_menus(w);
    if (view->has_trouble) {
        words_title(&view->trouble, title);
        ui_trouble_show(w->ui, ID_TROUBLE, title, view->trouble.cause, view->trouble.remedy);
    } else {
        ui_trouble_show(w->ui, ID_TROUBLE, "", "", "");
    }
    set_next(w, view->next);
    update_list(w);
}

static void build(struct window *w)
{
    struct ui *u = w->ui;

    (void)ui_add(u, UI_PICTURE, ID_ICON, NULL, "", 0);
    (void)ui_add(u, UI_DIM, ID_CAPTION, NULL, TXT_STATUS, 0);
    (void)ui_add(u, UI_STATUS, ID_HEADLINE, NULL, "", 0);
    (void)ui_add(u, UI_DIM, ID_DETAIL, NULL, "", 0);
    w->next = ui_make_button(u, IDRETRY, "");
    w->retry = ui_make_button(u, ID_COMMAND + TRAY_CMD_RETRY, TXT_B_RETRY);
    w->connect = ui_make_button(u, ID_COMMAND + TRAY_CMD_CONNECT, TXT_B_CONNECT);
    w->disconnect = ui_make_button(u, ID_COMMAND + TRAY_CMD_DISCONNECT, TXT_B_DISCONNECT);
    (void)ShowWindow(w->next, SW_HIDE);
    (void)ShowWindow(w->retry, SW_HIDE);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_add(u, UI_LIST, ID_LIST, TXT_L_FORWARDS, "", 0);
    ui_name(list_of(w), TXT_FORWARDS);
    set_columns(w);
    (void)ui_add(u, UI_DIM, ID_EMPTY, NULL, TXT_NO_FORWARDS, 0);
    (void)ui_add(u, UI_BOX, ID_NOTE, NULL, "", 0);
    ui_name(ui_control(u, ID_NOTE), TXT_NOTE);
    (void)ui_add(u, UI_DIM, ID_SAID, NULL, "", 0);
    w->copy = ui_make_button(u, ID_COPY, TXT_B_COPY_ADDRESS);
    make_menus(w);
}

struct window *window_new(struct tray_app *app)
{
    struct window *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    w->app = app;
    w->ui = ui_new(NULL, UI_WINDOW_CLASS, "PRA", true, LEAST_WIDTH, &ops, w);
    build(w);
    (void)SetWindowPos(w->ui->window, NULL, 0, 0, ui_px(w->ui, FIRST_WIDTH),
                       ui_px(w->ui, FIRST_HEIGHT), SWP_NOMOVE | SWP_NOZORDER | SWP_NOACTIVATE);
    window_update(w);
    return w;
}

void window_present(struct window *w)
{
    if (!w->ui->ready)
        ui_show(w->ui, w->next_command != TRAY_CMD_NONE ? w->next
                       : w->app->view.can_connect       ? w->connect
                                                        : w->disconnect);
    (void)ShowWindow(w->ui->window, IsIconic(w->ui->window) ? SW_RESTORE : SW_SHOW);
    ui_front(w->ui);
}

void window_say(struct window *w, const char *text)
{
    ui_text(w->ui, ID_SAID, text);
    NotifyWinEvent(EVENT_OBJECT_NAMECHANGE, ui_control(w->ui, ID_SAID), OBJID_CLIENT, CHILDID_SELF);
}

bool window_shown(const struct window *w)
{
    return w != NULL && IsWindowVisible(w->ui->window);
}

HWND window_handle(const struct window *w)
{
    return w->ui->window;
}

void window_free(struct window *w)
{
    if (w == NULL)
        return;
    ui_close(w->ui);
    if (w->icon != NULL)
        (void)DestroyIcon(w->icon);
    free(w);
}
