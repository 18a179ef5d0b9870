/* What GTK's files of the tray have of their own, beside app.h. */
#ifndef PRA_CLIENT_TRAY_APP_GTK_H
#define PRA_CLIENT_TRAY_APP_GTK_H

#include <gtk/gtk.h>

#include "client/tray/app.h"

struct sni;

struct shell {
    GtkApplication *gtk;
    struct sni *sni;
    guint tick; /* timer of the countdown, 0 = none */
};

/* The window that dialogs belong to; NULL while it is hidden. */
GtkWindow *app_parent(const struct tray_app *app);

/* --- window_gtk.c --- */
GtkWindow *window_gtk(const struct window *w);

#endif
