/*
 * Tables as comma separated values (RFC 4180), as spreadsheets write and read them: UTF-8 with or
 * without a byte order mark, CRLF or LF, cells in quotation marks that may hold commas and line breaks.
 *
 * A cell that begins with = + - @, a tab or a carriage return is a formula to a spreadsheet, so csv_put()
 * writes an apostrophe in front of it, and csv_next() takes that away again.
 */
#ifndef PRA_SERVER_ADMIN_CSV_H
#define PRA_SERVER_ADMIN_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

#define CSV_COLUMNS_MAX 32

struct csv_reader {
    char *text; /* changed while it is read: cells are ended where they stand */
    size_t at, len;
    unsigned line; /* of `at`, from 1 */
};

struct csv_row {
    unsigned line; /* where it begins */
    size_t count;
    char *cell[CSV_COLUMNS_MAX]; /* inside the reader's text */
};

/* Reads `text`, which has a NUL behind its `len` bytes and stays the caller's. */
void csv_open(struct csv_reader *r, char *text, size_t len);

/*
 * The next row that is not empty. Returns 1 with a row, 0 at the end, PRA_EINVAL with a sentence and the
 * row's line and number of whole cells: nothing behind that can be trusted.
 */
int csv_next(struct csv_reader *r, struct csv_row *row, struct fault *f);

/* Appends a cell; `first` of its row. Returns 0, PRA_EFULL, PRA_ENOMEM. */
int csv_put(struct buf *out, const char *text, bool first);
int csv_end_row(struct buf *out);
/* The byte order mark, without which Excel takes UTF-8 for the system's code page. */
int csv_begin(struct buf *out);

#endif
