/*
 * The random pool of A3, as a person sees it: fed by moving the mouse and by typing, drawn as it
 * fills. Every event is mixed into OpenSSL's generator, which is enough without it.
 */
#ifndef PRA_CLIENT_TRAY_POOL_GTK_H
#define PRA_CLIENT_TRAY_POOL_GTK_H

#include <gtk/gtk.h>

#include "client/tray/pool_state.h"

/*
 * The picture, and the bar below it. Listens to all events of `window` until that is destroyed, for
 * `state`, which lives as long; `filled` is called once.
 */
GtkWidget *pool_new(GtkWidget *window, struct pool_state *state, void (*filled)(gpointer data),
                    gpointer data);

#endif
