/* The desktop around the tray (app.h) on Windows: the icon, notices, the clipboard, the message loop. */
#include "client/tray/app_win.h"
#include "client/tray/notify_win.h"
#include "client/tray/text_win.h"

HWND app_parent(const struct tray_app *app)
{
    return window_shown(app->window) ? window_handle(app->window) : NULL;
}

void shell_draw(struct tray_app *app)
{
    notify_update(app->shell->notify, &app->facts, &app->view);
}

void shell_notify(struct tray_app *app, const struct tray_notice *notice)
{
    notify_show(app->shell->notify, notice);
}

void shell_tick(struct tray_app *app, bool on)
{
    notify_ticks(app->shell->notify, on);
}

bool shell_hides(const struct tray_app *app)
{
    return notify_hosted(app->shell->notify);
}

bool shell_copy(struct tray_app *app, const char *text)
{
    (void)app;
    return text_copy(notify_window(), text);
}

void shell_quit(struct tray_app *app)
{
    (void)app;
    PostQuitMessage(0);
}

void shell_log(const char *what, const char *why)
{
    OutputDebugStringA("pra-tray: ");
    OutputDebugStringA(what);
    OutputDebugStringA(": ");
    OutputDebugStringA(why);
}
