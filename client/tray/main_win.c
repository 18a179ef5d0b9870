/*
 * The program pra-tray.exe: one instance per session, an icon in the notification area where there is
 * one, and the window by itself where there is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winsock2.h>

#include <windows.h>

#include <objbase.h>
#include <shellapi.h>

#include "client/tray/app_win.h"
#include "client/tray/link.h"
#include "client/tray/notify_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"
#include "common/msg.h"
#include "common/os.h"
#include "common/posix_win.h"

#define INSTANCE_MUTEX L"Local\\jp.pra.Tray-"

/* A first instance that is still starting has no window yet. */
#define FIND_TRIES   50
#define FIND_WAIT_MS 100
#define COPY_WAIT_MS 10000

/* --- the icon --------------------------------------------------------------------------------- */

static void on_hosted(void *arg, bool hosted)
{
    if (!hosted)
        app_icon_gone(arg);
}

static void on_tick(void *arg)
{
    app_refresh(arg);
}

static void on_theme(void *arg)
{
    (void)arg;
    ui_theme_changed();
}

static void on_profile(void *arg, const char *path)
{
    profile_dialog_open(arg, path);
}

static const struct notify_events events = {.profile = on_profile,
                                            .activate = app_icon_click,
                                            .command = app_icon_command,
                                            .hosted = on_hosted,
                                            .tick = on_tick,
                                            .theme = on_theme};

/* --- one instance ----------------------------------------------------------------------------- */

static HANDLE instance_mutex; /* held until we end */

struct options {
    bool background, if_set_up, at_login, version, unknown;
    wchar_t profile[OS_PATH_MAX]; /* absolute, or "" */
};

static void send_profile(HWND to, const wchar_t *path)
{
    COPYDATASTRUCT copy = {.dwData = NOTIFY_PROFILE,
                           .cbData = (DWORD)((wcslen(path) + 1) * sizeof(wchar_t)),
                           .lpData = (void *)(uintptr_t)path};

    (void)SendMessageTimeoutW(to, WM_COPYDATA, 0, (LPARAM)&copy, SMTO_ABORTIFHUNG, COPY_WAIT_MS,
                              NULL);
}

/*
 * Made by this user alone: a name without the user, or one that everybody may open, would let another
 * user of the same session (runas) keep the tray from starting. Returns true if there was one.
 */
static bool is_second(void)
{
    SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa)};
    wchar_t name[sizeof(INSTANCE_MUTEX) / sizeof(wchar_t) + WIN_SID_TEXT_MAX];
    bool second;

    (void)swprintf(name, sizeof(name) / sizeof(name[0]), INSTANCE_MUTEX L"%hs",
                   win_user_sid_text());
    sa.lpSecurityDescriptor = win_private("", "", "GA");
    if (sa.lpSecurityDescriptor == NULL)
        return false;
    instance_mutex = CreateMutexW(&sa, FALSE, name);
    /* One that we may not open is not ours: two icons are better than none. */
    second = instance_mutex != NULL && GetLastError() == ERROR_ALREADY_EXISTS;
    LocalFree(sa.lpSecurityDescriptor);
    return second;
}

static bool is_own(HWND window)
{
    uint8_t sid[WIN_SID_MAX], own[WIN_SID_MAX];
    DWORD pid = 0;
    HANDLE process;
    bool same;

    (void)GetWindowThreadProcessId(window, &pid);
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL)
        return false;
    same = win_user_sid(process, sid) && win_user_sid(NULL, own) && EqualSid(sid, own);
    (void)CloseHandle(process);
    return same;
}

/* The hidden window of this user's tray: any program may make one of that class. */
static HWND find_first(void)
{
    HWND window = FindWindowExW(NULL, NULL, NOTIFY_CLASS, NULL);

    while (window != NULL && !is_own(window))
        window = FindWindowExW(NULL, window, NOTIFY_CLASS, NULL);
    return window;
}

/* True if another one runs; it shows its window or the profile, unless this one is for the background. */
static bool hand_over(const struct options *o)
{
    bool asks = !o->background || o->profile[0] != L'\0';
    HWND other = NULL;
    DWORD process = 0;

    if (!is_second())
        return false;
    for (int i = 0; i < FIND_TRIES && other == NULL && asks; i++) {
        other = find_first();
        if (other == NULL)
            Sleep(FIND_WAIT_MS);
    }
    if (other != NULL) {
        (void)GetWindowThreadProcessId(other, &process);
        (void)AllowSetForegroundWindow(process);
        if (o->profile[0] != L'\0')
            send_profile(other, o->profile);
        else
            (void)PostMessageW(other, NOTIFY_OPEN, 0, 0);
    }
    return true;
}

/* --- start and end ---------------------------------------------------------------------------- */

/* One word of the command line. --autostart is what an installer writes for everybody. */
static void read_option(struct options *o, const wchar_t *word)
{
    bool autostart = wcscmp(word, L"--autostart") == 0;

    if (autostart || wcscmp(word, L"--background") == 0 || wcscmp(word, L"-b") == 0)
        o->background = true;
    else if (wcscmp(word, L"--version") == 0 || wcscmp(word, L"-V") == 0)
        o->version = true;
    else if (wcscmp(word, L"--if-set-up") == 0)
        o->if_set_up = true;
    else if (word[0] == L'-' ||
             GetFullPathNameW(word, OS_PATH_MAX, o->profile, NULL) >= OS_PATH_MAX)
        o->unknown = true;
    o->at_login = o->at_login || autostart;
}

static void read_options(struct options *o)
{
    int count = 0;
    LPWSTR *argv = CommandLineToArgvW(GetCommandLineW(), &count);

    for (int i = 1; argv != NULL && i < count; i++)
        read_option(o, argv[i]);
    if (argv != NULL)
        (void)LocalFree(argv);
}

static void say_wide(const char *text, UINT icon)
{
    wchar_t *wide = text_wide(text);

    (void)MessageBoxW(NULL, wide, L"PRA", MB_OK | icon);
    free(wide);
}

/* `pra.exe` stands beside this program, in the build folder as when installed. */
static int find_agent(struct paths *paths, struct fault *f)
{
    wchar_t self[OS_PATH_MAX];
    DWORD n = GetModuleFileNameW(NULL, self, OS_PATH_MAX);
    char *utf8, *slash;
    int rc;

    if (n == 0 || n >= OS_PATH_MAX)
        return fault_set(f, PRA_EIO, "this program's own path cannot be read");
    utf8 = text_utf8(self);
    slash = strrchr(utf8, '\\');
    if (slash != NULL)
        *slash = '\0';
    rc = os_path_join(paths->agent_program, utf8, "pra.exe");
    free(utf8);
    return rc == 0 ? 0 : fault_set(f, rc, "the path of pra.exe is too long");
}

static int init(struct tray_app *app)
{
    struct fault f = {0};
    int rc = paths_init(&app->paths, &f);

    if (rc == 0)
        rc = find_agent(&app->paths, &f);
    if (rc == 0 && prefs_load(&app->paths, &app->prefs, &f) != 0)
        OutputDebugStringA(f.text); /* and goes on with the defaults */
    prefs_apply_language(&app->prefs);
    if (rc != 0)
        say_wide(f.text, MB_ICONERROR);
    return rc;
}

/* Has this user settings, so that starting at login is of use? */
static bool is_set_up(const struct paths *paths)
{
    wchar_t *config = text_wide(paths->config_file);
    bool there = GetFileAttributesW(config) != INVALID_FILE_ATTRIBUTES;

    free(config);
    return there;
}

static void open_profile(struct tray_app *app, const wchar_t *wide)
{
    char *path = text_utf8(wide);

    profile_dialog_open(app, path);
    free(path);
}

static int run(void)
{
    MSG m;

    while (GetMessageW(&m, NULL, 0, 0) > 0) {
        if (ui_handle(&m))
            continue;
        (void)TranslateMessage(&m);
        (void)DispatchMessageW(&m);
    }
    return (int)m.wParam;
}

int WINAPI wWinMain(HINSTANCE hInstance, HINSTANCE hPrevInstance, PWSTR lpCmdLine, int nShowCmd)
{
    static struct shell shell;
    static struct tray_app app = {.shell = &shell};
    static struct options options;
    WSADATA winsock;
    int code;

    (void)hPrevInstance, (void)lpCmdLine, (void)nShowCmd;
    os_process_harden();
    read_options(&options);
    (void)WSAStartup(MAKEWORD(2, 2), &winsock); /* for freeport.h; nothing else here has sockets */
    i18n_init();
    msg_speak_of_windows();
    if (options.version || options.unknown) {
        say_wide(options.version ? "pra-tray " PRA_VERSION
                                 : "pra-tray [--background] [--if-set-up] [--version] [FILE.pra]",
                 options.version ? MB_ICONINFORMATION : MB_ICONWARNING);
        return options.version ? EXIT_SUCCESS : 2;
    }
    if (hand_over(&options))
        return EXIT_SUCCESS;
    (void)CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    ui_init(hInstance);
    if (init(&app) != 0)
        return EXIT_FAILURE;
    if ((options.if_set_up || options.at_login) && !is_set_up(&app.paths))
        return EXIT_SUCCESS;
    if (options.at_login && prefs_autostart_off())
        return EXIT_SUCCESS;
    shell.notify = notify_new(hInstance, &events, &app);
    app.ask_at_start = app.prefs.connect_at_start;
    app_reload(&app);
    app.link = link_new(&app.paths, app_take_status, &app);
    if (options.profile[0] != L'\0')
        open_profile(&app, options.profile);
    else if (!options.background)
        app_command(&app, TRAY_CMD_OPEN, 0);
    code = run();
    link_free(app.link);
    window_free(app.window);
    notify_free(shell.notify);
    app_free(&app);
    return code;
}
