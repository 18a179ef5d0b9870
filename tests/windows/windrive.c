/*
 * windrive.exe: looks at another program's windows and drives them, for tests under wine. Reads one
 * command a line, answers each with one line of JSON ({"error": ...} where it fails):
 *
 *   dump                      every top-level window of the program that owns a PraTray window
 *   set HWND TEXT             WM_SETTEXT, as typing over the whole field does it
 *   click HWND                presses a button
 *   post HWND MSG WP LP       PostMessage; send: SendMessage, gives the result
 *   key VK [MODIFIER...]      pressed and released at the keyboard, to whoever has the focus
 *   type TEXT                 letters at the keyboard
 *   mouse X Y                 moves it
 *   clip                      the clipboard's text
 *   taskbar                   broadcasts TaskbarCreated, as a restarted Explorer does
 *   quit
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
#include <winsock2.h>

#include <commctrl.h>

#include <jansson.h>

#define TEXT_MAX 16384
#define LINE_MAX 16384

static json_t *utf8(const wchar_t *wide)
{
    static char text[4 * TEXT_MAX];

    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, (int)sizeof(text), NULL, NULL) <= 0)
        text[0] = '\0';
    return json_string(text);
}

static json_t *text_of(HWND w)
{
    static wchar_t wide[TEXT_MAX];

    wide[0] = L'\0';
    (void)SendMessageTimeoutW(w, WM_GETTEXT, TEXT_MAX, (LPARAM)wide, SMTO_ABORTIFHUNG, 2000, NULL);
    return utf8(wide);
}

/* Cells of a list in another process: its memory has to hold what it fills in.
 */
static json_t *rows_of(HWND list)
{
    json_t *rows = json_array();
    DWORD pid = 0;
    HANDLE process;
    char *there;
    int count = (int)SendMessageW(list, LVM_GETITEMCOUNT, 0, 0);
    HWND header = (HWND)SendMessageW(list, LVM_GETHEADER, 0, 0);
    int columns = (int)SendMessageW(header, HDM_GETITEMCOUNT, 0, 0);
    static wchar_t text[1024];

    (void)GetWindowThreadProcessId(list, &pid);
    process = OpenProcess(PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE, FALSE, pid);
    there = VirtualAllocEx(process, NULL, 8192, MEM_COMMIT, PAGE_READWRITE);
    for (int r = 0; there != NULL && r < count; r++) {
        json_t *row = json_array();

        for (int c = 0; c < columns; c++) {
            LVITEMW item = {.mask = LVIF_TEXT,
                            .iItem = r,
                            .iSubItem = c,
                            .pszText = (wchar_t *)(void *)(there + 1024),
                            .cchTextMax = 1024};

            (void)WriteProcessMemory(process, there, &item, sizeof(item), NULL);
            (void)SendMessageW(list, LVM_GETITEMTEXTW, (WPARAM)r, (LPARAM)there);
            (void)ReadProcessMemory(process, there + 1024, text, sizeof(text), NULL);
            json_array_append_new(row, utf8(text));
        }
        json_array_append_new(rows, row);
    }
    if (there != NULL)
        (void)VirtualFreeEx(process, there, 0, MEM_RELEASE);
    (void)CloseHandle(process);
    return rows;
}

static json_t *look(HWND w)
{
    wchar_t class_name[64] = L"";
    RECT r = {0};
    json_t *o;

    (void)GetClassNameW(w, class_name, 64);
    (void)GetWindowRect(w, &r);
    o = json_pack("{s:I, s:o, s:o, s:i, s:b, s:b, s:I, s:[i,i,i,i]}", "hwnd",
                  (json_int_t)(intptr_t)w, "class", utf8(class_name), "text", text_of(w), "id",
                  GetDlgCtrlID(w), "visible", IsWindowVisible(w) != 0, "enabled",
                  IsWindowEnabled(w) != 0, "style", (json_int_t)(DWORD)GetWindowLongW(w, GWL_STYLE),
                  "rect", (int)r.left, (int)r.top, (int)r.right, (int)r.bottom);
    if (wcscmp(class_name, WC_LISTVIEWW) == 0)
        json_object_set_new(o, "rows", rows_of(w));
    return o;
}

static BOOL CALLBACK add_child(HWND w, LPARAM list)
{
    (void)json_array_append_new((json_t *)list, look(w));
    return TRUE;
}

struct search {
    DWORD pid;
    json_t *windows;
};

static BOOL CALLBACK add_window(HWND w, LPARAM arg)
{
    const struct search *s = (const struct search *)arg;
    DWORD pid = 0;
    json_t *o, *children;

    (void)GetWindowThreadProcessId(w, &pid);
    if (pid != s->pid)
        return TRUE;
    o = look(w);
    children = json_array();
    (void)EnumChildWindows(w, add_child, (LPARAM)children);
    json_object_set_new(o, "children", children);
    json_array_append_new(s->windows, o);
    return TRUE;
}

static json_t *dump(void)
{
    HWND tray = FindWindowW(L"PraTray", NULL);
    GUITHREADINFO gui = {.cbSize = sizeof(gui)};
    struct search s = {.windows = json_array()};
    DWORD thread = GetWindowThreadProcessId(tray, &s.pid);

    if (tray != NULL)
        (void)EnumWindows(add_window, (LPARAM)&s);
    (void)GetGUIThreadInfo(thread, &gui);
    return json_pack("{s:I, s:I, s:I, s:b, s:o}", "pid", (json_int_t)s.pid, "focus",
                     (json_int_t)(intptr_t)gui.hwndFocus, "front",
                     (json_int_t)(intptr_t)GetForegroundWindow(), "menu",
                     (gui.flags & GUI_INMENUMODE) != 0, "windows", s.windows);
}

/* --- doing
 * ------------------------------------------------------------------------------------
 */

static json_t *fine(void)
{
    return json_pack("{s:b}", "ok", 1);
}

static HWND window_at(const char *text, char **rest)
{
    return (HWND)(intptr_t)strtoll(text, rest, 10);
}

static json_t *set_text(const char *args)
{
    static wchar_t wide[LINE_MAX];
    char *rest;
    HWND w = window_at(args, &rest);

    if (*rest == ' ')
        rest++;
    (void)MultiByteToWideChar(CP_UTF8, 0, rest, -1, wide, LINE_MAX);
    (void)SendMessageW(w, WM_SETTEXT, 0, (LPARAM)wide);
    return fine();
}

static json_t *message(const char *args, bool wait)
{
    char *rest;
    HWND w = window_at(args, &rest);
    UINT m = (UINT)strtoul(rest, &rest, 0);
    WPARAM wp = (WPARAM)strtoll(rest, &rest, 0);
    LPARAM lp = (LPARAM)strtoll(rest, &rest, 0);

    if (wait)
        return json_pack("{s:I}", "result", (json_int_t)SendMessageW(w, m, wp, lp));
    return PostMessageW(w, m, wp, lp) ? fine() : NULL;
}

static void press(WORD key, WORD letter, bool up)
{
    INPUT in = {.type = INPUT_KEYBOARD};

    in.ki.wVk = key;
    in.ki.wScan = letter != 0 ? letter : (WORD)MapVirtualKeyW(key, MAPVK_VK_TO_VSC);
    in.ki.dwFlags = (letter != 0 ? KEYEVENTF_UNICODE : 0) | (up ? KEYEVENTF_KEYUP : 0);
    (void)SendInput(1, &in, sizeof(in));
}

static json_t *keys(const char *args)
{
    WORD key[8];
    size_t n = 0;
    char *rest = (char *)(uintptr_t)args;

    for (; n < 8; n++) {
        key[n] = (WORD)strtoul(rest, &rest, 0);
        if (key[n] == 0)
            break;
    }
    for (size_t i = n; i-- > 0;) /* modifiers, which come after the key, go down first */
        press(key[i], 0, false);
    for (size_t i = 0; i < n; i++)
        press(key[i], 0, true);
    return fine();
}

static json_t *type(const char *args)
{
    static wchar_t wide[LINE_MAX];

    (void)MultiByteToWideChar(CP_UTF8, 0, args, -1, wide, LINE_MAX);
    for (const wchar_t *p = wide; *p != L'\0'; p++) {
        press(0, *p, false);
        press(0, *p, true);
    }
    return fine();
}

static json_t *mouse(const char *args)
{
    char *rest;
    int x = (int)strtol(args, &rest, 10), y = (int)strtol(rest, &rest, 10);

    return SetCursorPos(x, y) ? fine() : NULL;
}

static json_t *clip(void)
{
    json_t *text = NULL;
    HANDLE data;

    if (!OpenClipboard(NULL))
        return NULL;
    data = GetClipboardData(CF_UNICODETEXT);
    if (data != NULL) {
        text = json_pack("{s:o}", "text", utf8(GlobalLock(data)));
        (void)GlobalUnlock(data);
    }
    (void)CloseClipboard();
    return text;
}

static json_t *obey(char *line)
{
    char *args = strchr(line, ' ');

    if (args != NULL)
        *args++ = '\0';
    else
        args = line + strlen(line);
    if (strcmp(line, "dump") == 0)
        return dump();
    if (strcmp(line, "set") == 0)
        return set_text(args);
    if (strcmp(line, "click") == 0)
        return PostMessageW(window_at(args, NULL), BM_CLICK, 0, 0) ? fine() : NULL;
    if (strcmp(line, "post") == 0 || strcmp(line, "send") == 0)
        return message(args, line[0] == 's');
    if (strcmp(line, "key") == 0)
        return keys(args);
    if (strcmp(line, "type") == 0)
        return type(args);
    if (strcmp(line, "mouse") == 0)
        return mouse(args);
    if (strcmp(line, "clip") == 0)
        return clip();
    if (strcmp(line, "taskbar") == 0)
        return PostMessageW(HWND_BROADCAST, RegisterWindowMessageW(L"TaskbarCreated"), 0, 0)
                   ? fine()
                   : NULL;
    return NULL;
}

int main(void)
{
    static char line[LINE_MAX];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        json_t *answer;
        char *text;

        line[strcspn(line, "\r\n")] = '\0';
        if (strcmp(line, "quit") == 0)
            break;
        answer = obey(line);
        if (answer == NULL)
            answer = json_pack("{s:s, s:i}", "error", "failed", "code", (int)GetLastError());
        text = json_dumps(answer, JSON_COMPACT);
        (void)printf("%s\n", text);
        (void)fflush(stdout);
        free(text);
        json_decref(answer);
    }
    return 0;
}
