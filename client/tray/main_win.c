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
#include "common/os.h"

#define INSTANCE_MUTEX L"Local\\jp.pra.Tray"

/* A first instance that is still starting has no window yet. */
#define FIND_TRIES   50
#define FIND_WAIT_MS 100

static void on_status(void *arg, json_t *status)
{
    struct tray_app *app = arg;

    app_take_status(app, status);
    if (app->ask_at_start && app->view.can_connect)
        app_command(app, TRAY_CMD_CONNECT, 0);
    app->ask_at_start = false;
}

/* --- the icon --------------------------------------------------------------------------------- */

static void on_activate(void *arg)
{
    app_command(arg, TRAY_CMD_OPEN, 0);
}

static void on_menu(void *arg, enum tray_command command, size_t row)
{
    app_command(arg, command, row);
}

/* No tray: the window is the only way in. */
static void on_hosted(void *arg, bool hosted)
{
    const struct tray_app *app = arg;

    if (!hosted && app_parent(app) == NULL)
        app_command(arg, TRAY_CMD_OPEN, 0);
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

static const struct notify_events events = {.activate = on_activate,
                                            .command = on_menu,
                                            .hosted = on_hosted,
                                            .tick = on_tick,
                                            .theme = on_theme};

/* --- one instance ----------------------------------------------------------------------------- */

static HANDLE instance_mutex; /* held until we end */

/* True if another one runs; its window opens unless this one should stay in the background. */
static bool hand_over(bool background)
{
    HWND other = NULL;
    DWORD process = 0;

    instance_mutex = CreateMutexW(NULL, FALSE, INSTANCE_MUTEX);
    if (GetLastError() != ERROR_ALREADY_EXISTS && GetLastError() != ERROR_ACCESS_DENIED)
        return false;
    for (int i = 0; i < FIND_TRIES && other == NULL && !background; i++) {
        other = FindWindowW(NOTIFY_CLASS, NULL);
        if (other == NULL)
            Sleep(FIND_WAIT_MS);
    }
    if (other != NULL) {
        (void)GetWindowThreadProcessId(other, &process);
        (void)AllowSetForegroundWindow(process);
        (void)PostMessageW(other, NOTIFY_OPEN, 0, 0);
    }
    return true;
}

/* --- start and end ---------------------------------------------------------------------------- */

struct options {
    bool background, version, unknown;
};

static struct options read_options(void)
{
    struct options o = {0};
    int count = 0;
    LPWSTR *argv = CommandLineToArgvW(GetCommandLineW(), &count);

    for (int i = 1; argv != NULL && i < count; i++) {
        if (wcscmp(argv[i], L"--background") == 0 || wcscmp(argv[i], L"-b") == 0)
            o.background = true;
        else if (wcscmp(argv[i], L"--version") == 0 || wcscmp(argv[i], L"-V") == 0)
            o.version = true;
        else
            o.unknown = true;
    }
    if (argv != NULL)
        (void)LocalFree(argv);
    return o;
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
    static struct tray_app app;
    struct options options = read_options();
    WSADATA winsock;
    int code;

    (void)hPrevInstance, (void)lpCmdLine, (void)nShowCmd;
    os_process_harden();
    (void)WSAStartup(MAKEWORD(2, 2), &winsock); /* for freeport.h; nothing else here has sockets */
    i18n_init();
    if (options.version || options.unknown) {
        say_wide(options.version ? "pra-tray " PRA_VERSION : "pra-tray [--background] [--version]",
                 options.version ? MB_ICONINFORMATION : MB_ICONWARNING);
        return options.version ? EXIT_SUCCESS : 2;
    }
    if (hand_over(options.background))
        return EXIT_SUCCESS;
    (void)CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    ui_init(hInstance);
    if (init(&app) != 0)
        return EXIT_FAILURE;
    app.notify = notify_new(hInstance, &events, &app);
    app.ask_at_start = app.prefs.connect_at_start;
    app_reload(&app);
    app.link = link_new(&app.paths, on_status, &app);
    if (!options.background)
        app_command(&app, TRAY_CMD_OPEN, 0);
    code = run();
    link_free(app.link);
    window_free(app.window);
    notify_free(app.notify);
    app_free(&app);
    return code;
}
