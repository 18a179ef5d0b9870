/*
 * make-icon FILE.ico: the program's icon in the sizes that Windows asks for: what
 * packaging/desktop/pra-tray.svg shows, by arithmetic, so that no drawing program is needed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const int sizes[] = {16, 20, 24, 32, 40, 48, 64, 128, 256};

#define COUNT       (sizeof(sizes) / sizeof(sizes[0]))
#define FILE_HEAD   6
#define ENTRY_LEN   16
#define PICTURE_LEN 40

#define SAMPLES 8

static double square(double x)
{
    return x * x;
}

/* Within `half` of the line from (ax, ay) to (bx, by): a stroke with round ends. */
static bool in_stroke(double x, double y, const double line[4], double half)
{
    double dx = line[2] - line[0], dy = line[3] - line[1];
    double t = ((x - line[0]) * dx + (y - line[1]) * dy) / (square(dx) + square(dy));

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return square(x - line[0] - t * dx) + square(y - line[1] - t * dy) <= square(half);
}

/* A dot from which an arrow goes; in the picture's own units of 64 x 64. */
static bool in_sign(double x, double y)
{
    static const double shaft[4] = {24, 32, 44, 32}, upper[4] = {38, 21, 50, 32},
                        lower[4] = {50, 32, 38, 43};

    return square(x - 17) + square(y - 32) <= square(7) || in_stroke(x, y, shaft, 3) ||
           in_stroke(x, y, upper, 3) || in_stroke(x, y, lower, 3);
}

/* 3 to 61, corners of radius 14. */
static bool in_plate(double x, double y)
{
    double dx = x < 17 ? 17 - x : x > 47 ? x - 47 : 0, dy = y < 17 ? 17 - y : y > 47 ? y - 47 : 0;

    return square(dx) + square(dy) <= square(14);
}

/* 0xAARRGGBB: blue with a white sign, mixed by how many of the samples hit which. */
static uint32_t pixel(int column, int row, int size)
{
    uint32_t plate = 0, sign = 0, value;

    for (int i = 0; i < SAMPLES * SAMPLES; i++) {
        int sx = i % SAMPLES, sy = i / SAMPLES;
        double x = (column + (sx + 0.5) / SAMPLES) * 64 / size;
        double y = (row + (sy + 0.5) / SAMPLES) * 64 / size;

        plate += in_plate(x, y);
        sign += in_sign(x, y);
    }
    if (plate == 0)
        return 0;
    value = plate * 255 / (SAMPLES * SAMPLES) << 24;
    value |= (0x35 * (plate - sign) + 0xFF * sign) / plate << 16;
    value |= (0x85 * (plate - sign) + 0xFF * sign) / plate << 8;
    return value | (0xE4 * (plate - sign) + 0xFF * sign) / plate;
}

static void put(FILE *f, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        (void)putc((int)(value >> (8 * i) & 0xFF), f);
}

/* A row of the mask has a bit a pixel, in units of four bytes; alpha makes it superfluous. */
static uint32_t mask_len(int size)
{
    return (uint32_t)((size + 31) / 32 * 4 * size);
}

static uint32_t picture_len(int size)
{
    return PICTURE_LEN + (uint32_t)(size * size * 4) + mask_len(size);
}

static void put_entry(FILE *f, int size, uint32_t offset)
{
    put(f, (uint32_t)size & 0xFF, 1); /* 0 means 256 */
    put(f, (uint32_t)size & 0xFF, 1);
    put(f, 0, 2);
    put(f, 1, 2);
    put(f, 32, 2);
    put(f, picture_len(size), 4);
    put(f, offset, 4);
}

static void put_picture(FILE *f, int size)
{
    put(f, PICTURE_LEN, 4);
    put(f, (uint32_t)size, 4);
    put(f, (uint32_t)size * 2, 4); /* picture and mask */
    put(f, 1, 2);
    put(f, 32, 2);
    for (int i = 0; i < 6; i++)
        put(f, 0, 4);
    for (int y = size - 1; y >= 0; y--) /* from the bottom */
        for (int x = 0; x < size; x++)
            put(f, pixel(x, y, size), 4);
    for (uint32_t i = 0; i < mask_len(size); i++)
        put(f, 0, 1);
}

int main(int argc, char **argv)
{
    uint32_t offset = FILE_HEAD + ENTRY_LEN * COUNT;
    FILE *f = argc == 2 ? fopen(argv[1], "wb") : NULL;

    if (f == NULL)
        return EXIT_FAILURE;
    put(f, 0, 2);
    put(f, 1, 2);
    put(f, COUNT, 2);
    for (size_t i = 0; i < COUNT; i++) {
        put_entry(f, sizes[i], offset);
        offset += picture_len(sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        put_picture(f, sizes[i]);
    return ferror(f) != 0 || fclose(f) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
