/*
 * The icon in Windows' notification area, its menu and its notices; and the hidden window that hears
 * about them, about a restarted Explorer (TaskbarCreated), about a second instance, and that runs what
 * threads hand over. Its title is the tool tip.
 */
#ifndef PRA_CLIENT_TRAY_NOTIFY_WIN_H
#define PRA_CLIENT_TRAY_NOTIFY_WIN_H

#include <stdbool.h>
#include <stddef.h>

#include <windows.h>

#include "client/tray/tray_state.h"

/* The hidden window's class, and what may be posted to it. */
#define NOTIFY_CLASS L"PraTray"
enum {
    NOTIFY_ICON = WM_APP + 1, /* from the icon */
    NOTIFY_CALL,              /* of loop_post(): something waits */
    NOTIFY_OPEN /* from a second instance; WM_COPYDATA of NOTIFY_PROFILE brings a path */
};

/* dwData of a WM_COPYDATA that holds the UTF-16 path of a profile. */
#define NOTIFY_PROFILE 0x50524131

struct notify;

struct notify_events {
    void (*activate)(void *arg);
    void (*command)(void *arg, enum tray_command command, size_t row);
    void (*hosted)(void *arg, bool hosted);       /* a tray has come or gone */
    void (*tick)(void *arg);                      /* each second while asked for */
    void (*theme)(void *arg);                     /* the system's colours have changed */
    void (*profile)(void *arg, const char *path); /* was double-clicked */
};

struct notify *notify_new(HINSTANCE instance, const struct notify_events *events, void *arg);
void notify_free(struct notify *n);

HWND notify_window(void);
/* Is there a tray that shows the icon? */
bool notify_hosted(const struct notify *n);
/* Draws icon and tool tip; keeps what the menu is made of (borrowed until the next call). */
void notify_update(struct notify *n, const struct tray_facts *facts, const struct tray_view *view);
void notify_show(struct notify *n, const struct tray_notice *notice);
/* Ticks each second, or not. */
void notify_ticks(struct notify *n, bool on);

/* An icon of this shape; DestroyIcon() it. */
HICON notify_icon(enum tray_shape shape, int size);

/* loop_win.c: runs what waits, for NOTIFY_CALL. */
void loop_run_calls(void);

#endif
