/* ui_win.h: windows, their life and their messages. Rows are in ui_layout_win.c. */
#include "client/tray/ui_win.h"

#include <stdlib.h>
#include <string.h>

#include <commctrl.h>

#include "client/tray/text_win.h"
#include "client/tray/ui_internal_win.h"

#define PICTURE_CLASS L"PraPicture"

static struct ui *open_windows;
static HINSTANCE program;

HINSTANCE ui_instance(void)
{
    return program;
}

/* --- items ------------------------------------------------------------------------------------ */

static struct ui_item *find(const struct ui *u, int id)
{
    for (size_t i = 0; i < u->items; i++)
        if (u->item[i].id == id)
            return (struct ui_item *)&u->item[i];
    return NULL;
}

HWND ui_control(const struct ui *u, int id)
{
    const struct ui_item *item = find(u, id);

    return item != NULL ? item->control : GetDlgItem(u->window, id);
}

void ui_focus(const struct ui *u, int id)
{
    (void)SendMessageW(u->window, WM_NEXTDLGCTL, (WPARAM)ui_control(u, id), TRUE);
}

void ui_enable(const struct ui *u, int id, bool on)
{
    HWND w = ui_control(u, id);

    if (w != NULL && (IsWindowEnabled(w) != 0) != on) {
        /* Who stands on a button that goes away must not be left on nothing. */
        if (!on && GetFocus() == w)
            (void)SendMessageW(u->window, WM_NEXTDLGCTL, 0, FALSE);
        (void)EnableWindow(w, on);
    }
}

void ui_hide(struct ui *u, int id, bool hidden)
{
    struct ui_item *item = find(u, id);

    if (item == NULL || item->hidden == hidden)
        return;
    item->hidden = hidden;
    (void)ShowWindow(item->control, hidden ? SW_HIDE : SW_SHOWNA);
    if (item->label != NULL)
        (void)ShowWindow(item->label, hidden ? SW_HIDE : SW_SHOWNA);
    ui_layout(u);
}

void ui_text(struct ui *u, int id, const char *text)
{
    if (text_set_lines(ui_control(u, id), text))
        ui_layout(u);
}

/* --- messages --------------------------------------------------------------------------------- */

static LRESULT colour_static(struct ui *u, HDC dc, HWND control)
{
    enum theme_colour text = THEME_TEXT, back = THEME_BACK;

    for (size_t i = 0; i < u->items; i++) {
        if (u->item[i].control != control)
            continue;
        if (u->item[i].kind == UI_BAD)
            text = THEME_BAD;
        else if (u->item[i].kind == UI_DIM)
            text = THEME_DIM;
        else if (u->item[i].kind == UI_BOX)
            back = THEME_FIELD;
    }
    (void)SetTextColor(dc, theme_colour(text));
    (void)SetBkColor(dc, theme_colour(back));
    return (LRESULT)theme_brush(back);
}

static LRESULT colour_field(HDC dc)
{
    (void)SetTextColor(dc, theme_colour(THEME_TEXT));
    (void)SetBkColor(dc, theme_colour(THEME_FIELD));
    return (LRESULT)theme_brush(THEME_FIELD);
}

static void set_fonts(struct ui *u)
{
    theme_fonts_free(&u->fonts);
    theme_fonts_make(&u->fonts, u->dpi);
    for (size_t i = 0; i < u->items; i++) {
        (void)SendMessageW(u->item[i].control, WM_SETFONT,
                           (WPARAM)u->fonts.font[ui_font_of(u->item[i].kind)], TRUE);
        if (u->item[i].label != NULL)
            (void)SendMessageW(u->item[i].label, WM_SETFONT, (WPARAM)u->fonts.font[THEME_PLAIN],
                               TRUE);
    }
    for (HWND w = GetWindow(u->window, GW_CHILD); w != NULL; w = GetWindow(w, GW_HWNDNEXT))
        if (SendMessageW(w, WM_GETFONT, 0, 0) == 0 ||
            SendMessageW(w, WM_GETDLGCODE, 0, 0) & DLGC_BUTTON)
            (void)SendMessageW(w, WM_SETFONT, (WPARAM)u->fonts.font[THEME_PLAIN], TRUE);
}

static void on_dpi(struct ui *u, UINT dpi, const RECT *r)
{
    u->dpi = dpi;
    set_fonts(u);
    (void)SetWindowPos(u->window, NULL, r->left, r->top, r->right - r->left, r->bottom - r->top,
                       SWP_NOZORDER | SWP_NOACTIVATE);
    ui_layout(u);
}

static void destroyed(struct ui *u)
{
    struct ui **at = &open_windows;

    while (*at != NULL && *at != u)
        at = &(*at)->next;
    if (*at != NULL)
        *at = u->next;
    (void)SetWindowLongPtrW(u->window, DWLP_USER, 0);
    theme_fonts_free(&u->fonts);
    if (u->ops->freed != NULL)
        u->ops->freed(u);
    free(u);
}

static void on_close(struct ui *u)
{
    if (u->ops->close == NULL || u->ops->close(u))
        ui_close(u);
}

/* WM_COMMAND: Esc is IDCANCEL, which closes unless the window has a button of that id. */
static void on_command(struct ui *u, int id, int code)
{
    if (id == IDCANCEL && GetDlgItem(u->window, IDCANCEL) == NULL)
        on_close(u);
    else if (u->ops->command != NULL)
        u->ops->command(u, id, code);
}

static void on_min_size(const struct ui *u, MINMAXINFO *m)
{
    m->ptMinTrackSize.x = ui_px(u, u->width);
    m->ptMinTrackSize.y = ui_px(u, 300);
}

/* Gives what a dialog procedure's caller expects in DWLP_MSGRESULT. */
static INT_PTR answer(const struct ui *u, LRESULT result)
{
    (void)SetWindowLongPtrW(u->window, DWLP_MSGRESULT, result);
    return TRUE;
}

static INT_PTR CALLBACK procedure(HWND w, UINT message, WPARAM wp, LPARAM lp)
{
    struct ui *u = (struct ui *)GetWindowLongPtrW(w, DWLP_USER);

    if (u == NULL)
        return FALSE;
    switch (message) {
    case WM_COMMAND:
        on_command(u, LOWORD(wp), HIWORD(wp));
        return TRUE;
    case WM_CLOSE:
        on_close(u);
        return TRUE;
    case WM_NOTIFY:
        return u->ops->notify != NULL ? answer(u, u->ops->notify(u, (const NMHDR *)lp)) : FALSE;
    case WM_TIMER:
        if (u->ops->timer != NULL)
            u->ops->timer(u);
        return TRUE;
    case WM_SIZE:
        if (wp != SIZE_MINIMIZED && u->resizable)
            ui_layout(u);
        return TRUE;
    case WM_GETMINMAXINFO:
        if (u->resizable)
            on_min_size(u, (MINMAXINFO *)lp);
        return TRUE;
    case WM_DPICHANGED:
        on_dpi(u, HIWORD(wp), (const RECT *)lp);
        return TRUE;
    case WM_CTLCOLORDLG:
        return (INT_PTR)theme_brush(THEME_BACK);
    case WM_CTLCOLORSTATIC:
    case WM_CTLCOLORBTN:
        return (INT_PTR)colour_static(u, (HDC)wp, (HWND)lp);
    case WM_CTLCOLOREDIT:
    case WM_CTLCOLORLISTBOX:
        return (INT_PTR)colour_field((HDC)wp);
    case WM_DESTROY:
        if (u->ops->closing != NULL)
            u->ops->closing(u);
        return TRUE;
    case WM_NCDESTROY:
        destroyed(u);
        return TRUE;
    default:
        return FALSE;
    }
}

/* A control that is only looked at; its parent draws it. */
static LRESULT CALLBACK picture_procedure(HWND w, UINT message, WPARAM wp, LPARAM lp)
{
    struct ui *u = (struct ui *)GetWindowLongPtrW(GetParent(w), DWLP_USER);
    PAINTSTRUCT ps;
    RECT r;

    if (message == WM_ERASEBKGND)
        return 1;
    if (message != WM_PAINT || u == NULL || u->ops->draw == NULL)
        return DefWindowProcW(w, message, wp, lp);
    (void)BeginPaint(w, &ps);
    (void)GetClientRect(w, &r);
    u->ops->draw(u, GetDlgCtrlID(w), ps.hdc, &r, u->dpi);
    (void)EndPaint(w, &ps);
    return 0;
}

bool ui_handle(MSG *m)
{
    for (struct ui *u = open_windows; u != NULL; u = u->next) {
        if (m->hwnd != u->window && !IsChild(u->window, m->hwnd))
            continue;
        if (u->ops->event != NULL && (m->message == WM_MOUSEMOVE || m->message == WM_KEYDOWN))
            u->ops->event(u, m);
        return IsDialogMessageW(u->window, m);
    }
    return false;
}

void ui_theme_changed(void)
{
    for (struct ui *u = open_windows; u != NULL; u = u->next) {
        theme_frame(u->window);
        ui_theme_items(u);
        (void)RedrawWindow(u->window, NULL, NULL,
                           RDW_INVALIDATE | RDW_ERASE | RDW_FRAME | RDW_ALLCHILDREN);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

void ui_init(HINSTANCE instance)
{
    INITCOMMONCONTROLSEX controls = {.dwSize = sizeof(controls),
                                     .dwICC = ICC_LISTVIEW_CLASSES | ICC_PROGRESS_CLASS |
                                              ICC_STANDARD_CLASSES};
    WNDCLASSW picture = {.lpfnWndProc = picture_procedure,
                         .hInstance = instance,
                         .lpszClassName = PICTURE_CLASS,
                         .hCursor = LoadCursorW(NULL, (LPCWSTR)IDC_ARROW)};
    WNDCLASSW window = {.lpfnWndProc = DefDlgProcW,
                        .cbWndExtra = DLGWINDOWEXTRA,
                        .hInstance = instance,
                        .lpszClassName = UI_WINDOW_CLASS,
                        .hIcon = LoadIconW(instance, MAKEINTRESOURCEW(1)),
                        .hCursor = LoadCursorW(NULL, (LPCWSTR)IDC_ARROW)};

    program = instance;
    (void)InitCommonControlsEx(&controls);
    (void)RegisterClassW(&picture);
    (void)RegisterClassW(&window);
}

/* An empty dialog template in memory: header, no menu, the class's name, no title. */
struct template
{
    DLGTEMPLATE head;
    WORD menu;
    wchar_t name[32];
    WORD title;
};

static HWND make_window(HWND owner, const wchar_t *class_name, bool resizable)
{
    static const DWORD style = WS_POPUP | WS_CAPTION | WS_SYSMENU;
    struct template t;
    size_t n = class_name != NULL ? wcslen(class_name) : 0;

    memset(&t, 0, sizeof(t));
    t.head.style = style | (resizable ? WS_THICKFRAME | WS_MAXIMIZEBOX : DS_MODALFRAME) |
                   (owner == NULL ? WS_MINIMIZEBOX : 0);
    t.head.dwExtendedStyle = WS_EX_CONTROLPARENT | (owner == NULL ? WS_EX_APPWINDOW : 0);
    if (n > 0 && n < sizeof(t.name) / sizeof(t.name[0]) - 1)
        memcpy(t.name, class_name, n * sizeof(wchar_t));
    return CreateDialogIndirectParamW(program, &t.head, owner, procedure, 0);
}

struct ui *ui_new(HWND owner, const wchar_t *class_name, const char *title, bool resizable,
                  int width, const struct ui_ops *ops, void *data)
{
    struct ui *u = calloc(1, sizeof(*u));

    if (u == NULL)
        abort();
    u->window = make_window(owner, class_name, resizable);
    if (u->window == NULL)
        abort();
    u->ops = ops;
    u->data = data;
    u->width = width;
    u->resizable = resizable;
    u->dpi = GetDpiForWindow(u->window);
    theme_fonts_make(&u->fonts, u->dpi);
    (void)SetWindowLongPtrW(u->window, DWLP_USER, (LONG_PTR)u);
    theme_frame(u->window);
    text_set(u->window, title);
    (void)SendMessageW(u->window, WM_SETICON, ICON_BIG,
                       (LPARAM)LoadIconW(program, MAKEINTRESOURCEW(1)));
    u->next = open_windows;
    open_windows = u;
    return u;
}

static void centre(const struct ui *u)
{
    HWND owner = GetWindow(u->window, GW_OWNER);
    MONITORINFO monitor = {.cbSize = sizeof(monitor)};
    RECT r, over;
    int x, y;

    (void)GetWindowRect(u->window, &r);
    (void)GetMonitorInfoW(
        MonitorFromWindow(owner != NULL ? owner : u->window, MONITOR_DEFAULTTOPRIMARY), &monitor);
    over = monitor.rcWork;
    if (owner != NULL && IsWindowVisible(owner) && !IsIconic(owner))
        (void)GetWindowRect(owner, &over);
    x = (over.left + over.right - (r.right - r.left)) / 2;
    y = (over.top + over.bottom - (r.bottom - r.top)) / 2;
    if (x < monitor.rcWork.left)
        x = monitor.rcWork.left;
    if (y + (r.bottom - r.top) > monitor.rcWork.bottom)
        y = monitor.rcWork.bottom - (r.bottom - r.top);
    if (y < monitor.rcWork.top)
        y = monitor.rcWork.top;
    (void)SetWindowPos(u->window, NULL, x, y, 0, 0, SWP_NOSIZE | SWP_NOZORDER | SWP_NOACTIVATE);
}

void ui_show(struct ui *u, HWND focus)
{
    u->ready = true;
    set_fonts(u);
    ui_theme_items(u);
    ui_layout(u);
    centre(u);
    (void)ShowWindow(u->window, SW_SHOWNORMAL);
    ui_front(u);
    if (focus != NULL)
        (void)SendMessageW(u->window, WM_NEXTDLGCTL, (WPARAM)focus, TRUE);
}

void ui_front(struct ui *u)
{
    if (IsIconic(u->window))
        (void)ShowWindow(u->window, SW_RESTORE);
    (void)SetForegroundWindow(u->window);
}

void ui_close(struct ui *u)
{
    (void)DestroyWindow(u->window);
}
