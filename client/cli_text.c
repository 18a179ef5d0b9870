/*
 * Widths, cleaning, colours and tables of the command line. Single-threaded. Text is UTF-8; what a
 * peer sent is cleaned when it enters a table, so that no escape sequence reaches the terminal.
 */
#include "client/cli_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli_term.h"
#include "common/utf8.h"

#define UTF8_BYTES_MAX 4

/* Takes one letter from the front of `s`; a byte that begins none is 0xfffd. 0 at the end. */
static size_t next_letter(const char *s, uint32_t *letter)
{
    size_t n;

    if (*s == '\0')
        return 0;
    n = utf8_decode(s, strnlen(s, UTF8_BYTES_MAX), letter);
    if (n > 0)
        return n;
    *letter = 0xfffd;
    return 1;
}

size_t text_width(const char *s)
{
    size_t total = 0, n;
    uint32_t letter;

    while ((n = next_letter(s, &letter)) > 0) {
        total += term_letter_width(letter);
        s += n;
    }
    return total;
}

const char *text_clean(char *dst, size_t cap, const char *src)
{
    size_t used = 0, n;
    uint32_t letter;

    while ((n = next_letter(src, &letter)) > 0) {
        bool shown = letter != 0xfffd && utf8_printable(letter);
        size_t out = shown ? n : 1;

        if (used + out >= cap)
            break;
        if (shown)
            memcpy(dst + used, src, n);
        else
            dst[used] = '?';
        used += out;
        src += n;
    }
    dst[used] = '\0';
    return dst;
}

bool text_has_colour(FILE *to)
{
    const char *no = getenv("NO_COLOR");

    return (no == NULL || no[0] == '\0') && term_has_colour(to);
}

void text_styled(FILE *to, enum text_style style, const char *s)
{
    static const char *const codes[] = {"", "32", "33", "31", "2", "1"};

    if (style == TEXT_PLAIN || !text_has_colour(to))
        fputs(s, to);
    else
        fprintf(to, "\033[%sm%s\033[0m", codes[style], s);
}

/* Marks that must not begin a line in Japanese. */
static bool stays_with_line(uint32_t letter)
{
    return letter == 0x3001 || letter == 0x3002 || letter == ')' || letter == 0xff09 ||
           letter == 0x300d;
}

/* Bytes of the piece at the front of `s` that is not broken: a letter of two columns with the marks
   behind it, or a word with the blank behind it. */
static size_t next_piece(const char *s)
{
    size_t len = 0, n;
    uint32_t letter;

    while ((n = next_letter(s + len, &letter)) > 0) {
        bool wide = term_letter_width(letter) == 2;

        if (wide && len > 0 && !stays_with_line(letter))
            break;
        len += n;
        if (letter == ' ')
            break;
        if (wide) {
            while ((n = next_letter(s + len, &letter)) > 0 && stays_with_line(letter))
                len += n;
            break;
        }
    }
    return len;
}

void text_wrapped(FILE *to, size_t indent, const char *s)
{
    size_t width = term_width(to), column = indent, n;

    while ((n = next_piece(s)) > 0) {
        char piece[TABLE_CELL_MAX];
        size_t w, blank;

        snprintf(piece, sizeof(piece), "%.*s", (int)n, s);
        w = text_width(piece);
        blank = w > 0 && piece[strlen(piece) - 1] == ' ' ? 1 : 0;
        if (column > indent && column + w - blank > width) {
            fprintf(to, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (column + w > width) /* the blank would stand alone on the next line */
            piece[strlen(piece) - blank] = '\0';
        fputs(piece, to);
        column += w;
        s += n;
    }
    fputc('\n', to);
}

const char *text_bytes(char dst[16], unsigned long long n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)n;
    size_t unit = 0;

    while (value >= 1024.0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024.0;
        unit++;
    }
    snprintf(dst, 16, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return dst;
}

struct row {
    char *cell[TABLE_COLUMNS_MAX]; /* NULL reads as "" */
    size_t note_column;
    enum text_style style;
    bool is_note; /* one text under column `note_column`, in cell[0] */
};

struct table {
    size_t columns, count, room;
    struct row *rows;
    bool failed; /* out of memory or over TABLE_ROWS_MAX */
};

struct table *table_new(size_t columns)
{
    struct table *t = columns <= TABLE_COLUMNS_MAX ? calloc(1, sizeof(*t)) : NULL;

    if (t != NULL)
        t->columns = columns;
    return t;
}

void table_free(struct table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        for (size_t c = 0; c < t->columns; c++)
            free(t->rows[i].cell[c]);
    free(t->rows);
    free(t);
}

static struct row *add_row(struct table *t)
{
    if (t == NULL || t->failed)
        return NULL;
    if (t->count == t->room) {
        size_t room = t->room == 0 ? 16 : t->room * 2;
        struct row *rows = room > TABLE_ROWS_MAX ? NULL : realloc(t->rows, room * sizeof(*t->rows));

        if (rows == NULL) {
            t->failed = true;
            return NULL;
        }
        t->rows = rows;
        t->room = room;
    }
    memset(&t->rows[t->count], 0, sizeof(t->rows[0]));
    return &t->rows[t->count++];
}

static void set_cell(struct table *t, struct row *row, size_t column, const char *text)
{
    char clean[TABLE_CELL_MAX];

    row->cell[column] = strdup(text_clean(clean, sizeof(clean), text != NULL ? text : ""));
    if (row->cell[column] == NULL)
        t->failed = true;
}

void table_row(struct table *t, enum text_style style, const char *const *cells)
{
    struct row *row = add_row(t);

    if (row == NULL)
        return;
    row->style = style;
    for (size_t c = 0; c < t->columns; c++)
        set_cell(t, row, c, cells[c]);
}

void table_note(struct table *t, size_t column, const char *text)
{
    struct row *row = add_row(t);

    if (row == NULL)
        return;
    row->is_note = true;
    row->note_column = column;
    set_cell(t, row, 0, text);
}

static void print_padding(FILE *to, size_t n)
{
    fprintf(to, "%*s", (int)n, "");
}

int table_print(const struct table *t, FILE *to, size_t indent)
{
    size_t width[TABLE_COLUMNS_MAX] = {0};

    if (t == NULL || t->failed)
        return -1;
    for (size_t i = 0; i < t->count; i++)
        for (size_t c = 0; c < t->columns && !t->rows[i].is_note; c++) {
            size_t w = text_width(t->rows[i].cell[c]);

            width[c] = w > width[c] ? w : width[c];
        }
    for (size_t i = 0; i < t->count; i++) {
        const struct row *row = &t->rows[i];
        size_t pad = indent;

        if (row->is_note) {
            for (size_t c = 0; c < row->note_column; c++)
                pad += width[c] > 0 ? width[c] + 2 : 0;
            print_padding(to, pad);
            text_wrapped(to, pad, row->cell[0]);
            continue;
        }
        for (size_t c = 0; c < t->columns; c++) {
            if (width[c] == 0 || row->cell[c][0] == '\0') {
                pad += width[c] > 0 ? width[c] + 2 : 0;
                continue;
            }
            print_padding(to, pad);
            text_styled(to, c == 0 ? row->style : TEXT_PLAIN, row->cell[c]);
            pad = width[c] + 2 - text_width(row->cell[c]);
        }
        fputc('\n', to);
    }
    return 0;
}
