/* What the files of the tray for Windows have of their own, beside app.h. */
#ifndef PRA_CLIENT_TRAY_APP_WIN_H
#define PRA_CLIENT_TRAY_APP_WIN_H

#include <windows.h>

#include "client/tray/app.h"
#include "client/tray/ask.h"

struct notify;

struct shell {
    struct notify *notify;
};

/* The window that dialogs belong to; NULL while it is hidden. */
HWND app_parent(const struct tray_app *app);

/* --- autostart_win.c: has this user switched off what starts at login? --- */
bool prefs_autostart_off(void);

/* --- window_win.c --- */
HWND window_handle(const struct window *w);

/* --- ask_win.c --- */
/* Asks where to save, beginning with `name`; false if nowhere. */
bool ask_save_as(HWND owner, const char *title, const char *name, bool overwrite,
                 char path[OS_PATH_MAX]);

/* Asks which file of `pattern`; false if none. */
bool ask_open(HWND owner, const char *title, const wchar_t *pattern, char path[OS_PATH_MAX]);

#endif
