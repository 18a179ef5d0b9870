/* notify_win.h */
#include "client/tray/notify_win.h"

#include <stdlib.h>
#include <string.h>

#include <shellapi.h>

#include "client/tray/app_win.h"
#include "client/tray/icon_pixels.h"
#include "client/tray/text_win.h"
#include "client/tray/theme_win.h"

#define ICON_ID          1
#define TICK_ID          1
#define TICK_MS          1000
#define PROFILE_PATH_MAX 4096
/* Explorer starts after us at login, and again when it has crashed: TaskbarCreated says so; where none
   is there at all the window opens by itself after this. */
#define HOST_ID      2
#define HOST_WAIT_MS 3000

struct notify {
    HWND window;
    UINT taskbar_created;
    const struct notify_events *events;
    void *arg;
    bool hosted, menu_open;
    enum tray_shape shape;
    HICON icon;
    const struct tray_facts *facts;
    const struct tray_view *view;
};

static struct notify *self; /* one hidden window a program */

HWND notify_window(void)
{
    return self != NULL ? self->window : NULL;
}

bool notify_hosted(const struct notify *n)
{
    return n->hosted;
}

/* --- the icon --------------------------------------------------------------------------------- */

HICON notify_icon(enum tray_shape shape, int size)
{
    BITMAPINFO head = {.bmiHeader = {.biSize = sizeof(head.bmiHeader),
                                     .biWidth = size,
                                     .biHeight = -size,
                                     .biPlanes = 1,
                                     .biBitCount = 32}};
    ICONINFO info = {.fIcon = TRUE};
    void *pixels = NULL;
    HICON icon = NULL;
    HDC dc = GetDC(NULL);

    info.hbmColor = CreateDIBSection(dc, &head, DIB_RGB_COLORS, &pixels, NULL, 0);
    info.hbmMask = CreateBitmap(size, size, 1, 1, NULL);
    if (info.hbmColor != NULL && info.hbmMask != NULL) {
        icon_pixels(shape, size, false, pixels);
        icon = CreateIconIndirect(&info);
    }
    if (info.hbmColor != NULL)
        (void)DeleteObject(info.hbmColor);
    if (info.hbmMask != NULL)
        (void)DeleteObject(info.hbmMask);
    (void)ReleaseDC(NULL, dc);
    return icon;
}

static NOTIFYICONDATAW data_of(const struct notify *n)
{
    NOTIFYICONDATAW d;

    memset(&d, 0, sizeof(d));
    d.cbSize = sizeof(d);
    d.hWnd = n->window;
    d.uID = ICON_ID;
    d.uCallbackMessage = NOTIFY_ICON;
    d.hIcon = n->icon;
    d.uVersion = NOTIFYICON_VERSION_4;
    (void)GetWindowTextW(n->window, d.szTip, (int)(sizeof(d.szTip) / sizeof(d.szTip[0])));
    return d;
}

static void set_hosted(struct notify *n, bool hosted)
{
    bool before = n->hosted;

    n->hosted = hosted;
    if (hosted != before)
        n->events->hosted(n->arg, hosted);
}

/* Adds the icon where there is none, and changes it where there is. */
static void put(struct notify *n)
{
    NOTIFYICONDATAW d = data_of(n);
    bool done;

    d.uFlags = NIF_MESSAGE | NIF_ICON | NIF_TIP | NIF_SHOWTIP;
    done = n->hosted && Shell_NotifyIconW(NIM_MODIFY, &d);
    if (!done) {
        done = Shell_NotifyIconW(NIM_ADD, &d);
        if (done)
            (void)Shell_NotifyIconW(NIM_SETVERSION, &d);
    }
    set_hosted(n, done);
}

void notify_update(struct notify *n, const struct tray_facts *facts, const struct tray_view *view)
{
    char tip[TRAY_TEXT_MAX + 8] = "PRA: ";
    bool first = n->icon == NULL, other = first || n->shape != view->shape;
    HICON old = n->icon;

    n->facts = facts;
    n->view = view;
    memcpy(tip + strlen(tip), view->headline, strlen(view->headline) + 1);
    if (!text_set(n->window, tip) && !other)
        return;
    if (other)
        n->icon = notify_icon(view->shape, GetSystemMetrics(SM_CXSMICON));
    n->shape = view->shape;
    put(n);
    if (other && old != NULL)
        (void)DestroyIcon(old);
}

void notify_show(struct notify *n, const struct tray_notice *notice)
{
    NOTIFYICONDATAW d = data_of(n);

    d.uFlags = NIF_INFO;
    d.dwInfoFlags = (notice->error ? NIIF_WARNING : NIIF_INFO) | NIIF_RESPECT_QUIET_TIME;
    text_wide_copy(d.szInfoTitle, sizeof(d.szInfoTitle) / sizeof(d.szInfoTitle[0]), notice->title);
    text_wide_copy(d.szInfo, sizeof(d.szInfo) / sizeof(d.szInfo[0]), notice->body);
    (void)Shell_NotifyIconW(NIM_MODIFY, &d);
}

void notify_ticks(struct notify *n, bool on)
{
    if (on)
        (void)SetTimer(n->window, TICK_ID, TICK_MS, NULL);
    else
        (void)KillTimer(n->window, TICK_ID);
}

/* --- the menu --------------------------------------------------------------------------------- */

static HMENU make_menu(const struct tray_item *items, size_t count)
{
    HMENU menu = CreatePopupMenu();
    UINT flags;

    for (size_t i = 0; i < count; i++) {
        /* Plain text: what a gateway named shall not make a mnemonic. */
        wchar_t label[2 * TRAY_CELL_MAX], wide[TRAY_CELL_MAX], *p = label;

        text_wide_copy(wide, TRAY_CELL_MAX, items[i].label);
        for (const wchar_t *q = wide; *q != L'\0'; q++) {
            if (*q == L'&')
                *p++ = L'&';
            *p++ = *q;
        }
        *p = L'\0';
        flags = items[i].command == TRAY_CMD_LINE ? MF_SEPARATOR : MF_STRING;
        if (items[i].command != TRAY_CMD_LINE && !items[i].enabled)
            flags |= MF_GRAYED;
        (void)AppendMenuW(menu, flags, i + 1, label);
    }
    (void)SetMenuDefaultItem(menu, 0, TRUE);
    return menu;
}

static void open_menu(struct notify *n, int x, int y)
{
    struct tray_item items[TRAY_MENU_MAX];
    size_t count;
    HMENU menu;
    int chosen;

    if (n->view == NULL || n->menu_open)
        return;
    count = tray_menu(n->facts, n->view, items);
    menu = make_menu(items, count);
    n->menu_open = true;
    /* Without being in front the menu would not go away by a click elsewhere. */
    (void)SetForegroundWindow(n->window);
    chosen = TrackPopupMenu(menu, TPM_RETURNCMD | TPM_NONOTIFY | TPM_RIGHTBUTTON, x, y, 0,
                            n->window, NULL);
    (void)PostMessageW(n->window, WM_NULL, 0, 0);
    n->menu_open = false;
    (void)DestroyMenu(menu);
    if (chosen > 0 && (size_t)chosen <= count)
        n->events->command(n->arg, items[chosen - 1].command, items[chosen - 1].row);
}

static void on_icon(struct notify *n, WPARAM wp, LPARAM lp)
{
    switch (LOWORD(lp)) {
    case NIN_SELECT:
    case NIN_KEYSELECT:
    case NIN_BALLOONUSERCLICK:
        n->events->activate(n->arg);
        break;
    case WM_CONTEXTMENU:
        open_menu(n, (short)LOWORD(wp), (short)HIWORD(wp));
        break;
    default:
        break;
    }
}

/* --- the hidden window ------------------------------------------------------------------------ */

static void on_timer(struct notify *n, WPARAM id)
{
    if (id == TICK_ID) {
        n->events->tick(n->arg);
    } else if (id == HOST_ID) {
        (void)KillTimer(n->window, HOST_ID);
        if (!n->hosted)
            n->events->hosted(n->arg, false);
    }
}

/* A second instance, or any program of this session, names a profile: it is only shown. Read by the loop,
   so that the sender does not wait for a person. */
struct named {
    struct notify *n;
    char *path;
};

static void open_named(void *arg)
{
    struct named *named = arg;

    named->n->events->profile(named->n->arg, named->path);
    free(named->path);
    free(named);
}

static bool on_copy(struct notify *n, const COPYDATASTRUCT *copy)
{
    size_t count = copy->cbData / sizeof(wchar_t);
    const wchar_t *wide = copy->lpData;
    struct named *named;

    if (copy->dwData != NOTIFY_PROFILE || wide == NULL || count == 0 || count > PROFILE_PATH_MAX ||
        wide[count - 1] != L'\0')
        return false;
    named = malloc(sizeof(*named));
    if (named == NULL)
        abort();
    *named = (struct named){n, text_utf8(wide)};
    loop_post(open_named, named);
    return true;
}

static LRESULT CALLBACK procedure(HWND w, UINT message, WPARAM wp, LPARAM lp)
{
    struct notify *n = self;

    if (n == NULL || n->window != w)
        return DefWindowProcW(w, message, wp, lp);
    if (message == n->taskbar_created) { /* a new tray, which knows of no icon */
        n->hosted = false;
        if (n->icon != NULL)
            put(n);
        return 0;
    }
    switch (message) {
    case NOTIFY_ICON:
        on_icon(n, wp, lp);
        return 0;
    case NOTIFY_CALL:
        loop_run_calls();
        return 0;
    case NOTIFY_OPEN:
        n->events->activate(n->arg);
        return 0;
    case WM_COPYDATA:
        return on_copy(n, (const COPYDATASTRUCT *)lp);
    case WM_TIMER:
        on_timer(n, wp);
        return 0;
    case WM_SETTINGCHANGE:
        if (theme_reload())
            n->events->theme(n->arg);
        return 0;
    case WM_CLOSE: /* an installer asks us to end */
        PostQuitMessage(0);
        return 0;
    case WM_ENDSESSION: /* so does one that closes what uses its files; or the person logs off */
        if (wp != 0)
            PostQuitMessage(0);
        return 0;
    default:
        return DefWindowProcW(w, message, wp, lp);
    }
}

struct notify *notify_new(HINSTANCE instance, const struct notify_events *events, void *arg)
{
    WNDCLASSW class = {
        .lpfnWndProc = procedure, .hInstance = instance, .lpszClassName = NOTIFY_CLASS};
    struct notify *n = calloc(1, sizeof(*n));

    if (n == NULL || RegisterClassW(&class) == 0)
        abort();
    n->events = events;
    n->arg = arg;
    n->taskbar_created = RegisterWindowMessageW(L"TaskbarCreated");
    /* Top level though never shown: broadcasts do not reach message-only windows. */
    n->window = CreateWindowExW(WS_EX_TOOLWINDOW, NOTIFY_CLASS, L"PRA", WS_POPUP, 0, 0, 0, 0, NULL,
                                NULL, instance, NULL);
    if (n->window == NULL)
        abort();
    self = n;
    (void)SetTimer(n->window, HOST_ID, HOST_WAIT_MS, NULL);
    return n;
}

void notify_free(struct notify *n)
{
    NOTIFYICONDATAW d;

    if (n == NULL)
        return;
    d = data_of(n);
    (void)Shell_NotifyIconW(NIM_DELETE, &d);
    self = NULL;
    (void)DestroyWindow(n->window);
    if (n->icon != NULL)
        (void)DestroyIcon(n->icon);
    free(n);
}
