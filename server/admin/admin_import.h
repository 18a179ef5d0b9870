/* Tables that are imported: what those of users and of rules have in common; see admin_import.c. */
#ifndef PRA_SERVER_ADMIN_ADMIN_IMPORT_H
#define PRA_SERVER_ADMIN_ADMIN_IMPORT_H

#include "server/admin/admin_internal.h"
#include "server/admin/csv.h"

#define IMPORT_ROWS_MAX 100000

/*
 * A column: an argument of the row's operation. `stand_in` is a value that is good in any row, so that a
 * row whose required cell is wrong is looked at further; an optional cell that is wrong is left out then.
 */
struct import_column {
    const char *name, *stand_in;
    bool required;
};

struct import {
    struct call *c;
    const struct import_column *columns;                /* end with a NULL name */
    const struct import_column *place[CSV_COLUMNS_MAX]; /* of the file's columns */
    size_t places;
    struct csv_row row;
    bool replace;
    bool keep;       /* of a table in slices: what a slice did stays */
    bool sliced;     /* others have their turn in between */
    uint64_t since;  /* when the slice began, monotonic */
    json_int_t kept; /* rows that stay whatever comes */
    json_t *problems;
    json_t *seen; /* names of users, owners of rules: those that a row was about */
    json_int_t rows, added, changed, removed, unchanged, wrong;
};

/* Of the tables of users and of rules, which are exported and imported alike. */
extern const struct import_column user_columns[], rule_columns[];

/* One row. Returns 0, also when something is wrong with it and was noted, or what ends the import. */
typedef int (*import_row_fn)(struct import *im);

/*
 * Runs the argument "csv" through `take`; `check`: problems are part of the result, no refusal. With `slices` a
 * large table lets others have their turn: rows are independent of each other, and a second import after one
 * that was broken off does the rest. Then all rows are tried first and taken back, so a table with problems
 * changes nothing; only a change that others make meanwhile, or the end of prad, may leave a part of it.
 */
int import_table(struct call *c, const struct import_column *columns, import_row_fn take,
                 bool check, bool slices);
/* Runs an import and takes it back. */
int import_check(struct call *c, int (*run)(struct call *c, bool check));

bool import_has(const struct import *im, const char *column);
/* "" if the file has no such column. */
const char *import_cell(const struct import *im, const char *column);
/* Notes what is wrong with the row; `column` may be NULL. */
void import_problem(struct import *im, const char *column, const char *fmt, ...)
    FORMAT_PRINTF(3, 4);
/* Not the row's fault: the import cannot go on. */
bool import_fatal(int rc);
/*
 * Runs an operation of the row with `args` (taken over). What is wrong is noted, and tried again without
 * it, so that one look finds all of a row's problems; what such a try changes is taken back in the end.
 * *good: it was done as it stood. Returns 0 or what ends the import.
 */
int import_attempt(struct import *im, const char *op, json_t *args, bool *good);

#endif
