/*
 * Text on a terminal: how wide it is drawn (Japanese takes two columns a letter), tables aligned by
 * that width, marks and colours. Colours only where NO_COLOR is unset and the stream is a terminal;
 * marks and words say the same without them.
 */
#ifndef PRA_CLIENT_CLI_TEXT_H
#define PRA_CLIENT_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Chooses a UTF-8 character type for wcwidth(), also where the user's locale is not installed. */
void text_init(void);

/* Columns that `s` takes on a terminal. Bytes that are not UTF-8 count as one. */
size_t text_width(const char *s);

/*
 * Copies `src` with control characters, broken UTF-8 and marks that change the writing direction
 * replaced by '?', cut at a whole letter to fit `cap`. Returns `dst`.
 */
const char *text_clean(char *dst, size_t cap, const char *src);

enum text_style { TEXT_PLAIN, TEXT_GOOD, TEXT_WARN, TEXT_BAD, TEXT_DIM, TEXT_BOLD };

bool text_has_colour(FILE *to);
/* Prints `s` in a style; nothing but `s` where there are no colours. */
void text_styled(FILE *to, enum text_style style, const char *s);

/*
 * Prints a paragraph whose first line has begun at column `indent`, broken to the terminal's width
 * (at blanks, and anywhere in Japanese) and indented; as one line where `to` is no terminal.
 */
void text_wrapped(FILE *to, size_t indent, const char *s);

/* "1.5 MiB" into dst[16]. Returns `dst`. */
const char *text_bytes(char dst[16], unsigned long long n);

#define TABLE_COLUMNS_MAX 8
#define TABLE_CELL_MAX    1024
#define TABLE_ROWS_MAX    100000

struct table;

/* NULL when out of memory; so is every later call a no-op then, and table_print() returns -1. */
struct table *table_new(size_t columns);
void table_free(struct table *t);

/* Adds a row of `columns` cells (copied and cleaned; NULL reads as ""); `style` is for cell 0. */
void table_row(struct table *t, enum text_style style, const char *const *cells);
/* Adds a line that belongs to the row above and stands under its cell `column`. */
void table_note(struct table *t, size_t column, const char *text);

/* Prints all rows indented by `indent`; the last column is not padded. Returns 0, -1. */
int table_print(const struct table *t, FILE *to, size_t indent);

#endif
