/* icon_gtk.h by cairo. Coordinates are those of a square of 1 x 1. */
#include "client/tray/icon_gtk.h"

#include <math.h>

struct colour {
    double r, g, b;
};

/* Middle tones: seen on a dark and on a light panel. */
static const struct colour grey = {0.55, 0.57, 0.60}, blue = {0.21, 0.52, 0.89},
                           green = {0.15, 0.64, 0.41}, amber = {0.90, 0.58, 0.00},
                           red = {0.88, 0.11, 0.14}, white = {1.0, 1.0, 1.0};

static void use(cairo_t *cr, const struct colour *c)
{
    cairo_set_source_rgb(cr, c->r, c->g, c->b);
}

static void ring(cairo_t *cr, const struct colour *c)
{
    use(cr, c);
    cairo_set_line_width(cr, 0.13);
    cairo_arc(cr, 0.5, 0.5, 0.38, 0, 2 * M_PI);
    cairo_stroke(cr);
}

static void dots(cairo_t *cr)
{
    use(cr, &blue);
    for (int i = 0; i < 3; i++) {
        cairo_arc(cr, 0.18 + 0.32 * i, 0.5, 0.13, 0, 2 * M_PI);
        cairo_fill(cr);
    }
}

/* A disc with a tick: the form says "good" without its colour. */
static void disc(cairo_t *cr)
{
    use(cr, &green);
    cairo_arc(cr, 0.5, 0.5, 0.45, 0, 2 * M_PI);
    cairo_fill(cr);
    use(cr, &white);
    cairo_set_line_width(cr, 0.11);
    cairo_move_to(cr, 0.28, 0.52);
    cairo_line_to(cr, 0.44, 0.67);
    cairo_line_to(cr, 0.72, 0.35);
    cairo_stroke(cr);
}

static void half(cairo_t *cr)
{
    ring(cr, &amber);
    cairo_arc(cr, 0.5, 0.5, 0.38, M_PI / 2, 3 * M_PI / 2);
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void cross(cairo_t *cr)
{
    use(cr, &red);
    cairo_set_line_width(cr, 0.2);
    cairo_move_to(cr, 0.18, 0.18);
    cairo_line_to(cr, 0.82, 0.82);
    cairo_move_to(cr, 0.82, 0.18);
    cairo_line_to(cr, 0.18, 0.82);
    cairo_stroke(cr);
}

static void triangle(cairo_t *cr)
{
    use(cr, &amber);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(cr, 0.08);
    cairo_move_to(cr, 0.5, 0.09);
    cairo_line_to(cr, 0.95, 0.89);
    cairo_line_to(cr, 0.05, 0.89);
    cairo_close_path(cr);
    cairo_fill_preserve(cr);
    cairo_stroke(cr);
    use(cr, &white);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_width(cr, 0.1);
    cairo_move_to(cr, 0.5, 0.38);
    cairo_line_to(cr, 0.5, 0.6);
    cairo_stroke(cr);
    cairo_arc(cr, 0.5, 0.76, 0.06, 0, 2 * M_PI);
    cairo_fill(cr);
}

cairo_surface_t *icon_draw(enum tray_shape shape, int size)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, size, size);
    cairo_t *cr = cairo_create(surface);

    cairo_scale(cr, size, size);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    switch (shape) {
    case TRAY_CONNECTING:
        dots(cr);
        break;
    case TRAY_ON:
        disc(cr);
        break;
    case TRAY_PARTLY:
        half(cr);
        break;
    case TRAY_ERROR:
        cross(cr);
        break;
    case TRAY_ACTION:
        triangle(cr);
        break;
    default:
        ring(cr, &grey);
        break;
    }
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    return surface;
}

/* Cairo's pixels are premultiplied and in the machine's byte order; a panel wants neither. */
static void add_pixels(GVariantBuilder *b, enum tray_shape shape, int size)
{
    cairo_surface_t *surface = icon_draw(shape, size);
    const guint8 *data = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    guint8 *out = g_malloc((gsize)size * (gsize)size * 4), *p = out;
    gsize len = (gsize)size * (gsize)size * 4;

    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            guint32 v = *(const guint32 *)(const void *)(data + y * stride + x * 4);
            guint32 a = v >> 24;

            *p++ = (guint8)a;
            for (int shift = 16; shift >= 0; shift -= 8)
                *p++ = (guint8)(a > 0 ? MIN(255u, (v >> shift & 0xFFu) * 255u / a) : 0);
        }
    cairo_surface_destroy(surface);
    g_variant_builder_add(
        b, "(ii@ay)", size, size,
        g_variant_new_from_data(G_VARIANT_TYPE("ay"), out, len, TRUE, g_free, out));
}

GVariant *icon_pixmaps(enum tray_shape shape)
{
    static const int sizes[] = {16, 22, 24, 32, 48, 64};
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("a(iiay)"));
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        add_pixels(&b, shape, sizes[i]);
    return g_variant_builder_end(&b);
}
