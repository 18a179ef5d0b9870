/*
 * The random pool of A3, as a person sees it: fed by moving the mouse and by typing, drawn as it
 * fills. Every event is mixed into OpenSSL's generator, which is enough without it.
 */
#ifndef PRA_CLIENT_TRAY_POOL_GTK_H
#define PRA_CLIENT_TRAY_POOL_GTK_H

#include <gtk/gtk.h>

struct pool;

/* Listens to all events of `window`. `filled` is called once. Freed with the window. */
struct pool *pool_new(GtkWidget *window, void (*filled)(gpointer data), gpointer data);

/* The picture and the bar below it. */
GtkWidget *pool_widget(struct pool *p);
gboolean pool_full(const struct pool *p);

#endif
