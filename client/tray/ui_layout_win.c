/* ui_win.h: rows. All sizes are pixels but those that are named in 1/96 inch. */
#include <stdlib.h>
#include <string.h>

#include <commctrl.h>

#include "client/tray/text_win.h"
#include "client/tray/ui_internal_win.h"

#define MARGIN       14
#define GAP          8
#define LABEL_GAP    10
#define FIELD_HEIGHT 24
#define BAR_HEIGHT   16
#define LIST_HEIGHT  160
#define BUTTON_LEAST 92
/* Around the text of a framed box: its frame and the edit control's own margin. */
#define BOX_INNER 6

int ui_px(const struct ui *u, int n)
{
    return MulDiv(n, (int)u->dpi, USER_DEFAULT_SCREEN_DPI);
}

SIZE ui_measure(const struct ui *u, enum theme_font font, const wchar_t *text, int width)
{
    HDC dc = GetDC(u->window);
    HGDIOBJ old = SelectObject(dc, u->fonts.font[font]);
    RECT r = {0, 0, width, 0};
    UINT wrap = width > 0 ? DT_WORDBREAK | DT_EDITCONTROL : DT_SINGLELINE;

    (void)DrawTextW(dc, text[0] != L'\0' ? text : L" ", -1, &r,
                    DT_CALCRECT | DT_NOPREFIX | DT_EXPANDTABS | wrap);
    (void)SelectObject(dc, old);
    (void)ReleaseDC(u->window, dc);
    return (SIZE){r.right, r.bottom};
}

static SIZE measure_window(const struct ui *u, enum theme_font font, HWND w, int width)
{
    wchar_t text[TEXT_FIELD_MAX];

    (void)GetWindowTextW(w, text, TEXT_FIELD_MAX);
    return ui_measure(u, font, text, width);
}

int ui_button_width(const struct ui *u, HWND button)
{
    int text = (int)measure_window(u, THEME_PLAIN, button, 0).cx + ui_px(u, 26);
    int least = ui_px(u, BUTTON_LEAST);

    return text > least ? text : least;
}

static int height_of(const struct ui *u, const struct ui_item *item, int width)
{
    int line = (int)ui_measure(u, THEME_PLAIN, L"Ag", 0).cy;
    int field = ui_px(u, FIELD_HEIGHT);

    if (item->height > 0)
        return ui_px(u, item->height);
    switch (item->kind) {
    case UI_BOX:
        return (int)measure_window(u, THEME_PLAIN, item->control, width - ui_px(u, 2 * BOX_INNER))
                   .cy +
               ui_px(u, BOX_INNER);
    case UI_READ:
        return (int)measure_window(u, THEME_PLAIN, item->control, width - 2).cy;
    case UI_ENTRY:
    case UI_SECRET:
    case UI_CHECK:
    case UI_CHOICE:
        return field > line + 8 ? field : line + 8;
    case UI_BAR:
        return ui_px(u, BAR_HEIGHT);
    case UI_LIST:
    case UI_PICTURE:
        return ui_px(u, LIST_HEIGHT);
    default:
        return (int)measure_window(u, ui_font_of(item->kind), item->control, width).cy;
    }
}

static int label_column(const struct ui *u)
{
    int widest = 0;

    for (size_t i = 0; i < u->items; i++) {
        int w = u->item[i].label != NULL && !u->item[i].hidden
                    ? (int)measure_window(u, THEME_PLAIN, u->item[i].label, 0).cx
                    : 0;

        widest = w > widest ? w : widest;
    }
    return widest > 0 ? widest + ui_px(u, LABEL_GAP) : 0;
}

struct flow {
    int width, y, label, spare; /* spare: for the items that grow */
    HDWP moves;
};

static void move(struct flow *f, HWND w, int x, int y, int width, int height)
{
    if (f->moves != NULL)
        f->moves =
            DeferWindowPos(f->moves, w, NULL, x, y, width, height, SWP_NOZORDER | SWP_NOACTIVATE);
}

/* One item; only measured where there are no moves. */
static void place(const struct ui *u, const struct ui_item *item, struct flow *f)
{
    int margin = ui_px(u, MARGIN), x = margin, width = f->width - 2 * margin, height;
    SIZE label = {0, 0};

    if (item->label != NULL || (item->flags & UI_FIELD) != 0) {
        x += f->label;
        width -= f->label;
    }
    height = height_of(u, item, width);
    if ((item->flags & UI_GROW) != 0)
        height += f->spare;
    if (item->label != NULL) {
        label = measure_window(u, THEME_PLAIN, item->label, 0);
        move(f, item->label, margin,
             f->y + (height > label.cy + ui_px(u, 20) ? 0 : (height - label.cy) / 2), f->label,
             label.cy);
    }
    /* A drop-down list's height is that of its list, too. */
    move(f, item->control, x, f->y, width, item->kind == UI_CHOICE ? height * 8 : height);
    f->y += height + ui_px(u, GAP);
}

static void place_buttons(const struct ui *u, struct flow *f)
{
    int height = ui_px(u, 28), x = f->width - ui_px(u, MARGIN);

    if (u->buttons == 0)
        return;
    f->y += ui_px(u, GAP);
    for (size_t i = u->buttons; i-- > 0;) {
        int width = ui_button_width(u, u->button[i]);

        x -= width;
        move(f, u->button[i], x, f->y, width, height);
        x -= ui_px(u, GAP);
    }
    f->y += height;
}

/* The width that all buttons beside each other need. */
static int buttons_width(const struct ui *u)
{
    int width = 2 * ui_px(u, MARGIN) - ui_px(u, GAP);

    for (size_t i = 0; i < u->buttons; i++)
        width += ui_button_width(u, u->button[i]) + ui_px(u, GAP);
    return width;
}

static int flow_all(const struct ui *u, struct flow *f)
{
    f->y = ui_px(u, MARGIN);
    f->label = label_column(u);
    for (size_t i = 0; i < u->items; i++)
        if (!u->item[i].hidden)
            place(u, &u->item[i], f);
    place_buttons(u, f);
    return f->y + ui_px(u, MARGIN);
}

/* The window's size for this client area. */
static void set_client(const struct ui *u, int width, int height)
{
    RECT r = {0, 0, width, height};

    (void)AdjustWindowRectExForDpi(&r, (DWORD)GetWindowLongPtrW(u->window, GWL_STYLE),
                                   GetMenu(u->window) != NULL,
                                   (DWORD)GetWindowLongPtrW(u->window, GWL_EXSTYLE), u->dpi);
    (void)SetWindowPos(u->window, NULL, 0, 0, r.right - r.left, r.bottom - r.top,
                       SWP_NOMOVE | SWP_NOZORDER | SWP_NOACTIVATE);
}

static void rows(struct ui *u)
{
    struct flow f = {0};
    RECT client;
    int need;

    (void)GetClientRect(u->window, &client);
    f.width = u->resizable && IsWindowVisible(u->window) ? client.right : ui_px(u, u->width);
    if (f.width < buttons_width(u)) /* texts differ in length by language */
        f.width = buttons_width(u);
    need = flow_all(u, &f);
    if (!u->resizable || !IsWindowVisible(u->window)) {
        set_client(u, f.width, need);
    } else if (client.bottom != need) {
        f.spare = client.bottom - need;
    }
    f.moves = BeginDeferWindowPos((int)(u->items * 2 + u->buttons));
    (void)flow_all(u, &f);
    if (f.moves != NULL)
        (void)EndDeferWindowPos(f.moves);
}

void ui_layout(struct ui *u)
{
    RECT client;

    if (!u->ready || u->laying)
        return;
    u->laying = true; /* resizing brings WM_SIZE, which asks again */
    if (u->ops->layout != NULL) {
        (void)GetClientRect(u->window, &client);
        u->ops->layout(u, client.right, client.bottom);
    } else {
        rows(u);
    }
    (void)InvalidateRect(u->window, NULL, TRUE);
    u->laying = false;
}
