/* Comma separated values; see csv.h. */
#include "server/admin/csv.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
/* What makes a spreadsheet calculate, and the apostrophe that says that it shall not. */
#define FORMULA "=+-@\t\r'"

void csv_open(struct csv_reader *r, char *text, size_t len)
{
    const size_t mark = strlen(BYTE_ORDER_MARK);

    *r = (struct csv_reader){.text = text, .len = len, .line = 1};
    if (len >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0)
        r->at = mark;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* What a cell ends at. */
enum end { END_CELL, END_ROW, END_TEXT };

/* Ends a cell at `at`, whose byte says what comes next. */
static int end_cell(struct csv_reader *r, char *at, enum end *end, struct fault *f)
{
    char *text_end = r->text + r->len, by = *at;

    if (at == text_end) {
        *end = END_TEXT;
        return 0;
    }
    *at++ = '\0';
    if (by == '\r' && at < text_end && *at == '\n')
        at++;
    else if (by == '\r')
        return fault_set(f, PRA_EINVAL, "a line ends in CR alone");
    *end = by == ',' ? END_CELL : END_ROW;
    r->line += *end == END_ROW;
    r->at = (size_t)(at - r->text);
    return 0;
}

/* The text between quotation marks, a doubled one being one, put together in place. */
static int quoted(struct csv_reader *r, char **out, enum end *end, struct fault *f)
{
    char *from = r->text + r->at + 1, *to = from, *text_end = r->text + r->len;

    *out = to;
    for (;; from++) {
        if (from == text_end)
            return fault_set(f, PRA_EINVAL, "a quotation mark is not closed");
        if (*from == '"' && from + 1 < text_end && from[1] == '"')
            from++;
        else if (*from == '"')
            break;
        r->line += *from == '\n';
        *to++ = *from;
    }
    from++;
    if (from < text_end && strchr(",\r\n", *from) == NULL)
        return fault_set(f, PRA_EINVAL, "there is text behind a closing quotation mark");
    if (from == text_end)
        r->at = r->len;
    if (end_cell(r, from, end, f) != 0)
        return PRA_EINVAL;
    *to = '\0';
    return 0;
}

static int plain(struct csv_reader *r, char **out, enum end *end, struct fault *f)
{
    char *from = r->text + r->at;
    size_t n = strcspn(from, ",\r\n\"");

    if (from[n] == '"')
        return fault_set(f, PRA_EINVAL, "a quotation mark stands inside a cell without them");
    *out = from;
    r->at += n;
    return end_cell(r, from + n, end, f);
}

static bool is_empty(const struct csv_row *row)
{
    return row->count == 1 && row->cell[0][0] == '\0';
}

/* Without the apostrophe that csv_put() has written. */
static char *unguard(char *cell)
{
    return cell[0] == '\'' && cell[1] != '\0' && strchr(FORMULA, cell[1]) != NULL ? cell + 1 : cell;
}

static int read_row(struct csv_reader *r, struct csv_row *row, struct fault *f)
{
    enum end end = END_CELL;

    *row = (struct csv_row){.line = r->line};
    while (end == END_CELL) {
        char *cell = r->text + r->at;
        int rc;

        if (row->count == CSV_COLUMNS_MAX)
            return fault_set(f, PRA_EINVAL, "a row has more than %d cells", CSV_COLUMNS_MAX);
        rc = r->text[r->at] == '"' ? quoted(r, &cell, &end, f) : plain(r, &cell, &end, f);
        if (rc != 0)
            return rc;
        row->cell[row->count++] = unguard(cell);
    }
    return 0;
}

int csv_next(struct csv_reader *r, struct csv_row *row, struct fault *f)
{
    while (r->at < r->len) {
        int rc = read_row(r, row, f);

        if (rc != 0)
            return rc;
        if (!is_empty(row))
            return 1;
    }
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------- */

int csv_put(struct buf *out, const char *text, bool first)
{
    int rc = first ? 0 : buf_append(out, ",", 1);

    if (rc == 0)
        rc = buf_append(out, "\"", 1);
    if (rc == 0 && text[0] != '\0' && strchr(FORMULA, text[0]) != NULL)
        rc = buf_append(out, "'", 1);
    while (rc == 0 && *text != '\0') {
        size_t n = strcspn(text, "\"");

        rc = buf_append(out, text, n);
        text += n;
        if (rc == 0 && *text == '"') {
            rc = buf_append(out, "\"\"", 2);
            text++;
        }
    }
    return rc == 0 ? buf_append(out, "\"", 1) : rc;
}

int csv_end_row(struct buf *out)
{
    return buf_append(out, "\r\n", 2);
}

int csv_begin(struct buf *out)
{
    return buf_append(out, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK));
}
