/*
 * icon_pixels.h. A shape is a function from a place in a square of 1 x 1 to a colour; each pixel is the
 * mean of SAMPLES x SAMPLES places. The forms and colours are those of icon.c.
 */
#include "client/tray/icon_pixels.h"

#define SAMPLES 8

/* 0xRRGGBB, and nothing. */
enum {
    NOTHING = -1,
    GREY = 0x8C9199,
    BLUE = 0x3685E3,
    GREEN = 0x26A369,
    AMBER = 0xE69400,
    RED = 0xE01C24,
    WHITE = 0xFFFFFF
};

static double square(double x)
{
    return x * x;
}

static bool in_disc(double x, double y, double cx, double cy, double r)
{
    return square(x - cx) + square(y - cy) <= square(r);
}

/* Within `half` of the line from (ax, ay) to (bx, by): a stroke with round ends. */
static bool in_stroke(double x, double y, const double line[4], double half)
{
    double dx = line[2] - line[0], dy = line[3] - line[1];
    double t = ((x - line[0]) * dx + (y - line[1]) * dy) / (square(dx) + square(dy));

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return in_disc(x, y, line[0] + t * dx, line[1] + t * dy, half);
}

static bool in_ring(double x, double y)
{
    return in_disc(x, y, 0.5, 0.5, 0.445) && !in_disc(x, y, 0.5, 0.5, 0.315);
}

static int look_off(double x, double y)
{
    return in_ring(x, y) ? GREY : NOTHING;
}

static int look_connecting(double x, double y)
{
    for (int i = 0; i < 3; i++)
        if (in_disc(x, y, 0.18 + 0.32 * i, 0.5, 0.13))
            return BLUE;
    return NOTHING;
}

static int look_on(double x, double y)
{
    static const double down[4] = {0.28, 0.52, 0.44, 0.67}, up[4] = {0.44, 0.67, 0.72, 0.35};

    if (in_stroke(x, y, down, 0.055) || in_stroke(x, y, up, 0.055))
        return WHITE;
    return in_disc(x, y, 0.5, 0.5, 0.45) ? GREEN : NOTHING;
}

static int look_partly(double x, double y)
{
    return in_ring(x, y) || (x < 0.5 && in_disc(x, y, 0.5, 0.5, 0.38)) ? AMBER : NOTHING;
}

static int look_error(double x, double y)
{
    static const double down[4] = {0.18, 0.18, 0.82, 0.82}, up[4] = {0.18, 0.82, 0.82, 0.18};

    return in_stroke(x, y, down, 0.1) || in_stroke(x, y, up, 0.1) ? RED : NOTHING;
}

static int look_action(double x, double y)
{
    static const double mark[4] = {0.5, 0.38, 0.5, 0.6};
    /* A triangle with its point at the top: how wide it is at this height. */
    double half = 0.45 * (y - 0.09) / 0.8 + 0.03;

    if (in_stroke(x, y, mark, 0.05) || in_disc(x, y, 0.5, 0.76, 0.06))
        return WHITE;
    return y >= 0.06 && y <= 0.93 && x >= 0.5 - half && x <= 0.5 + half ? AMBER : NOTHING;
}

static int (*const looks[TRAY_SHAPE_COUNT])(double x, double y) = {
    [TRAY_OFF] = look_off,       [TRAY_CONNECTING] = look_connecting, [TRAY_ON] = look_on,
    [TRAY_PARTLY] = look_partly, [TRAY_ERROR] = look_error,           [TRAY_ACTION] = look_action};

static uint32_t pixel(enum tray_shape shape, double left, double top, double width,
                      bool premultiplied)
{
    static const double step = 1.0 / SAMPLES;
    uint32_t sum[3] = {0, 0, 0}, hits = 0, divisor, value;

    for (int i = 0; i < SAMPLES * SAMPLES; i++) {
        int column = i % SAMPLES, line = i / SAMPLES;
        int colour =
            looks[shape](left + width * step * (column + 0.5), top + width * step * (line + 0.5));

        if (colour == NOTHING)
            continue;
        hits++;
        for (int c = 0; c < 3; c++)
            sum[c] += (uint32_t)colour >> (16 - 8 * c) & 0xFF;
    }
    divisor = premultiplied ? SAMPLES * SAMPLES : hits;
    value = hits * 255 / (SAMPLES * SAMPLES) << 24;
    for (int c = 0; c < 3 && hits > 0; c++)
        value |= sum[c] / divisor << (16 - 8 * c);
    return value;
}

void icon_pixels(enum tray_shape shape, int size, bool premultiplied, uint32_t *pixels)
{
    double width = 1.0 / size;

    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
            pixels[y * size + x] = pixel(shape, x * width, y * width, width, premultiplied);
}
