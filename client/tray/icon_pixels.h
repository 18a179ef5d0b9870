/* The icons of tray_state.h as pixels, by arithmetic alone: for systems without a drawing library. */
#ifndef PRA_CLIENT_TRAY_ICON_PIXELS_H
#define PRA_CLIENT_TRAY_ICON_PIXELS_H

#include <stdint.h>

#include "client/tray/tray_state.h"

#define ICON_PIXELS_MAX 256

/*
 * Draws `shape` into `size` x `size` pixels, rows from the top, 0xAARRGGBB, the colour multiplied by
 * alpha where `premultiplied`. `size` is 1 to ICON_PIXELS_MAX.
 */
void icon_pixels(enum tray_shape shape, int size, bool premultiplied, uint32_t *pixels);

#endif
