/*
 * Fuzz target: a table that an administrator uploads, read to its end. Every cell lies inside the text,
 * and what was read is the same after it was written and read once more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/admin/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct csv_row *row)
{
    struct csv_reader again;
    struct csv_row back;
    struct fault f = {0};
    struct buf out;
    char *text;

    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < row->count; i++)
        if (csv_put(&out, row->cell[i], i == 0) != 0)
            abort();
    if (csv_end_row(&out) != 0 || (text = strndup((const char *)buf_head(&out), out.len)) == NULL)
        abort();
    csv_open(&again, text, out.len);
    if (csv_next(&again, &back, &f) != 1 || back.count != row->count)
        abort();
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(back.cell[i], row->cell[i]) != 0)
            abort();
    free(text);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct csv_reader r;
    struct csv_row row;
    struct fault f = {0};

    if (text == NULL || size > 65536) {
        free(text);
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    csv_open(&r, text, strlen(text));
    while (csv_next(&r, &row, &f) == 1) {
        for (size_t i = 0; i < row.count; i++)
            if (row.cell[i] < text || row.cell[i] + strlen(row.cell[i]) > text + size)
                abort();
        if (row.count > 1 || row.cell[0][0] != '\0')
            write_and_read(&row);
    }
    free(text);
    return 0;
}
