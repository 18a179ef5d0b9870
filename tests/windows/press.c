/*
 * Looks at windows and presses what is in them, for tests under wine.
 *
 *   press list                    every visible window and control, a line
 * each: depth class state text (tabs between, \n for a line break); state: e
 * enabled, x checked, f has the focus press click TITLE TEXT        presses the
 * button of that text in the window of that title press type TITLE N TEXT puts
 * TEXT into the N-th edit field (from 0) press close TITLE             what the
 * cross in the corner does
 *
 * Text is UTF-8; & of access keys does not count. Exit 0 done, 1 there is no
 * such thing, 2 usage.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#define TEXT_MAX  4096
#define ANSWER_MS 5000

struct search {
    const wchar_t *text; /* of a button */
    int edit;            /* number of an edit field, if text is NULL */
    HWND found;
};

static wchar_t *from_utf8(const char *text)
{
    int n = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *out = calloc((size_t)n + 1, sizeof(*out));

    if (out)
        MultiByteToWideChar(CP_UTF8, 0, text, -1, out, n);
    return out;
}

static void text_of(HWND window, wchar_t out[TEXT_MAX])
{
    DWORD_PTR n;

    out[0] = L'\0';
    SendMessageTimeoutW(window, WM_GETTEXT, TEXT_MAX, (LPARAM)out, SMTO_ABORTIFHUNG, ANSWER_MS, &n);
    for (size_t length = wcslen(out); length > 0 && out[length - 1] == L' '; length--)
        out[length - 1] = L'\0'; /* NSIS leaves one in its titles */
}

static void without_access_key(wchar_t *text)
{
    wchar_t *to = text;

    for (; *text; text++)
        if (*text != L'&')
            *to++ = *text;
    *to = L'\0';
}

static bool has_class(HWND window, const wchar_t *wanted)
{
    wchar_t name[128];

    return GetClassNameW(window, name, ARRAYSIZE(name)) && wcsstr(_wcslwr(name), wanted);
}

static bool has_focus(HWND window)
{
    GUITHREADINFO info = {.cbSize = sizeof(info)};

    return GetGUIThreadInfo(GetWindowThreadProcessId(window, NULL), &info) &&
           info.hwndFocus == window;
}

static void print_window(HWND window, int depth)
{
    static wchar_t text[TEXT_MAX];
    char utf8[TEXT_MAX * 3];
    wchar_t name[128] = L"";
    DWORD_PTR checked = 0;

    GetClassNameW(window, name, ARRAYSIZE(name));
    text_of(window, text);
    without_access_key(text);
    SendMessageTimeoutW(window, BM_GETCHECK, 0, 0, SMTO_ABORTIFHUNG, ANSWER_MS, &checked);
    printf("%d\t%ls\t%s%s%s\t", depth, name, IsWindowEnabled(window) ? "e" : "-",
           checked == BST_CHECKED && has_class(window, L"button") ? "x" : "",
           has_focus(window) ? "f" : "");
    if (!WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof(utf8), NULL, NULL))
        utf8[0] = '\0';
    for (const char *c = utf8; *c; c++)
        if (*c == '\n')
            fputs("\\n", stdout);
        else if (*c != '\r' && *c != '\t')
            putchar(*c);
    putchar('\n');
}

static BOOL CALLBACK list_child(HWND window, LPARAM unused)
{
    (void)unused;
    if (IsWindowVisible(window))
        print_window(window, 1);
    return TRUE;
}

static BOOL CALLBACK list_top(HWND window, LPARAM unused)
{
    (void)unused;
    if (IsWindowVisible(window)) {
        print_window(window, 0);
        EnumChildWindows(window, list_child, 0);
    }
    return TRUE;
}

static BOOL CALLBACK match_child(HWND window, LPARAM param)
{
    struct search *s = (struct search *)param;
    wchar_t text[TEXT_MAX];

    if (!IsWindowVisible(window))
        return TRUE;
    if (s->text) {
        text_of(window, text);
        without_access_key(text);
        if (IsWindowEnabled(window) && has_class(window, L"button") && wcscmp(text, s->text) == 0)
            s->found = window;
    } else if (has_class(window, L"edit") && s->edit-- == 0) {
        s->found = window;
    }
    return s->found == NULL;
}

/* What match_child() looks for, in any window of that title. */
struct in_window {
    const wchar_t *title;
    struct search *what;
    HWND window;
};

static BOOL CALLBACK match_top(HWND window, LPARAM param)
{
    struct in_window *w = (struct in_window *)param;
    wchar_t text[TEXT_MAX];

    text_of(window, text);
    if (!IsWindowVisible(window) || !IsWindowEnabled(window) || wcscmp(text, w->title) != 0)
        return TRUE;
    w->window = window;
    if (!w->what)
        return FALSE;
    EnumChildWindows(window, match_child, (LPARAM)w->what);
    return w->what->found == NULL;
}

static int click(const char *title, const char *text)
{
    struct search what = {.text = from_utf8(text)};
    struct in_window where = {.title = from_utf8(title), .what = &what};

    EnumWindows(match_top, (LPARAM)&where);
    if (!what.found)
        return 1;
    SetForegroundWindow(where.window);
    return !PostMessageW(what.found, BM_CLICK, 0, 0);
}

static int type(const char *title, const char *number, const char *text)
{
    struct search what = {.edit = (int)strtol(number, NULL, 10)};
    struct in_window where = {.title = from_utf8(title), .what = &what};
    DWORD_PTR answer;

    EnumWindows(match_top, (LPARAM)&where);
    if (!what.found)
        return 1;
    return !SendMessageTimeoutW(what.found, WM_SETTEXT, 0, (LPARAM)from_utf8(text),
                                SMTO_ABORTIFHUNG, ANSWER_MS, &answer);
}

static int close_window(const char *title)
{
    struct in_window where = {.title = from_utf8(title)};

    EnumWindows(match_top, (LPARAM)&where);
    return !where.window || !PostMessageW(where.window, WM_CLOSE, 0, 0);
}

int main(void)
{
    int argc, n;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &argc);
    char *argv[6] = {0};

    /* main()'s own arguments are in the system's code page. */
    for (int i = 0; i < argc && i < 5; i++) {
        n = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);
        argv[i] = calloc((size_t)n + 1, 1);
        WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, argv[i], n, NULL, NULL);
    }
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        EnumWindows(list_top, 0);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "click") == 0)
        return click(argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[1], "type") == 0)
        return type(argv[2], argv[3], argv[4]);
    if (argc == 3 && strcmp(argv[1], "close") == 0)
        return close_window(argv[2]);
    fputs("usage: press list | click TITLE TEXT | type TITLE N TEXT | close "
          "TITLE\n",
          stderr);
    return 2;
}
