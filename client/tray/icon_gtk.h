/* The tray's icons, drawn: each state has an outline of its own, on dark and light panels alike. */
#ifndef PRA_CLIENT_TRAY_ICON_GTK_H
#define PRA_CLIENT_TRAY_ICON_GTK_H

#include <cairo.h>
#include <glib.h>

#include "client/tray/tray_state.h"

/* A square of size x size pixels. Caller destroys it. */
cairo_surface_t *icon_draw(enum tray_shape shape, int size);

/* The sizes that a panel may want, as StatusNotifierItem's a(iiay): ARGB32 in network byte order.
   Floating reference. */
GVariant *icon_pixmaps(enum tray_shape shape);

#endif
