/*
 * Users and rules from a CSV table. Each row becomes the operations that an administrator would run one
 * by one, so every check and every audit record is theirs; all of them happen in one transaction or
 * none. `user.import.check` and `rule.import.check` do the same, say what would happen and every problem
 * by line and column, and take it all back.
 */
#include "server/admin/admin_import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

#define PROBLEMS_SHOWN 1000
#define SLICE_MS       100         /* of a large table, before others have their turn */
#define SLICED_MIN     (16 * 1024) /* bytes of a table that is large */

/* ---- problems ---------------------------------------------------------------------------------- */

/* Number of a column in the file, from 1; 0 = it is not there. */
static size_t find_cell(const struct import *im, const char *column)
{
    for (size_t i = 0; i < im->places; i++) {
        if (im->place[i] != NULL && strcmp(im->place[i]->name, column) == 0)
            return i + 1;
    }
    return 0;
}

bool import_has(const struct import *im, const char *column)
{
    return find_cell(im, column) > 0;
}

const char *import_cell(const struct import *im, const char *column)
{
    size_t i = find_cell(im, column);

    return i > 0 && i <= im->row.count ? im->row.cell[i - 1] : "";
}

static void add_problem(struct import *im, size_t cell, const char *column, const char *text)
{
    if (im->wrong++ < PROBLEMS_SHOWN)
        json_array_append_new(im->problems,
                              json_pack("{s:I, s:o, s:o, s:o}", "line", (json_int_t)im->row.line,
                                        "column", json_text_or_null(column), "cell",
                                        cell > 0 ? json_integer((json_int_t)cell) : json_null(),
                                        "problem", json_text(text)));
}

void import_problem(struct import *im, const char *column, const char *fmt, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    add_problem(im, column != NULL ? find_cell(im, column) : 0, column, text);
}

bool import_fatal(int rc)
{
    return rc == PRA_EIO || rc == PRA_ENOMEM || rc == PRA_ECORRUPT || rc == PRA_EFULL ||
           rc == PRA_EACCES;
}

/* The argument that a sentence begins with ("local: ...", "local 'x': ..."), if it is a column. */
static const struct import_column *blamed(const struct import *im, const char *sentence)
{
    size_t len = strcspn(sentence, ": ");

    for (const struct import_column *col = im->columns; col->name != NULL; col++) {
        if (strlen(col->name) == len && strncmp(col->name, sentence, len) == 0)
            return col;
    }
    return NULL;
}

/* The column stands beside the sentence already. */
static const char *without_name(const char *sentence, const struct import_column *col)
{
    size_t len = col != NULL ? strlen(col->name) : 0;

    return len > 0 && strncmp(sentence + len, ": ", 2) == 0 ? sentence + len + 2 : sentence;
}

/* Takes what is wrong out of the arguments. False if there is nothing to try any more. */
static bool mend(json_t *args, const struct import_column *col)
{
    if (col == NULL || json_object_get(args, col->name) == NULL ||
        (col->required && col->stand_in == NULL))
        return false;
    if (col->stand_in != NULL)
        json_object_set_new(args, col->name, json_string(col->stand_in));
    else
        json_object_del(args, col->name);
    return true;
}

int import_attempt(struct import *im, const char *op, json_t *args, bool *good)
{
    const struct import_column *col = NULL;
    int rc = 0;

    *good = true;
    do {
        const char *text = im->c->f.text;

        rc = admin_run_within(im->c, op, args, NULL);
        if (rc == 0 || import_fatal(rc))
            break;
        rc = 0;
        col = blamed(im, text);
        /* What no column is blamed for may come of what was taken out. */
        if (*good || col != NULL)
            import_problem(im, col != NULL ? col->name : NULL, "%s", without_name(text, col));
        *good = false;
    } while (mend(args, col));
    json_decref(args);
    return rc;
}

/* ---- the table --------------------------------------------------------------------------------- */

static const struct import_column *column_named(const struct import *im, const char *name)
{
    for (const struct import_column *col = im->columns; col->name != NULL; col++) {
        if (strcmp(col->name, name) == 0)
            return col;
    }
    return NULL;
}

/* The first row: which column stands where. False if the rows below cannot be understood. */
static bool read_heads(struct import *im)
{
    json_int_t before = im->wrong;

    for (size_t i = 0; i < im->row.count; i++) {
        const char *name = im->row.cell[i];
        const struct import_column *col = column_named(im, name);
        char text[128];

        if (col == NULL)
            snprintf(text, sizeof(text), "'%.40s' is no column of this table", name);
        else if (import_has(im, name))
            snprintf(text, sizeof(text), "the column '%.40s' is there twice", name);
        if (col == NULL || import_has(im, name))
            add_problem(im, i + 1, name, text);
        im->place[im->places++] = col;
    }
    for (const struct import_column *col = im->columns; col->name != NULL; col++) {
        if (col->required && !import_has(im, col->name))
            import_problem(im, col->name, "the first line has no such column");
    }
    return im->wrong == before;
}

/* One row; what is wrong with it is noted. */
static int take_row(struct import *im, import_row_fn take)
{
    if (im->row.count != im->places) {
        import_problem(im, NULL, "%zu cells, but the first line has %zu", im->row.count,
                       im->places);
        return 0;
    }
    im->rows++;
    return take(im);
}

/* The log-in or the token that the request came with. */
struct way_in {
    int64_t id;
    bool there;
};

static int find_login(const struct store_login *l, void *ctx)
{
    struct way_in *w = ctx;

    w->there = w->there || l->id == w->id;
    return 0;
}

static int find_token(const struct store_token *t, void *ctx)
{
    struct way_in *w = ctx;

    w->there = w->there || (t->id == w->id && os_time_now() < t->expires);
    return 0;
}

/* Does whoever imports still have the right to? Others had their turn meanwhile. */
static int still_allowed(struct call *c)
{
    const struct store_ops *db = c->a->store->ops;
    struct way_in way = {.id = c->api.id != 0 ? c->api.id : c->login.id};
    struct store_account now;
    int rc;

    if (c->account.id == 0)
        return 0;
    rc = db->account_by_id(c->a->store, c->account.id, &now, &c->f);
    if (rc == PRA_ENOENT ||
        (rc == 0 && (!account_live(&now, os_time_now()) || strcmp(now.role, c->account.role) != 0)))
        return fault_set(&c->f, PRA_EACCES, "your account may not do this any more");
    if (rc == 0 && c->api.id != 0)
        rc = db->token_each(c->a->store, now.id, find_token, &way, &c->f);
    else if (rc == 0)
        rc = db->login_each(c->a->store, now.id, find_login, &way, &c->f);
    return rc == 0 && !way.there
               ? fault_set(&c->f, PRA_ECLOSED, "the log-in or the token is good no more")
               : rc;
}

/* The end of a slice, if it is time: others are served, and another transaction begins. */
static int pause_import(struct import *im)
{
    struct admin *a = im->c->a;
    int rc = 0;

    if (!im->sliced || os_monotonic_ms() - im->since < SLICE_MS)
        return 0;
    if (im->keep) {
        rc = admin_finish(a, 0, &im->c->f);
        im->kept = rc == 0 ? im->rows : im->kept;
    } else {
        a->store->ops->rollback(a->store);
    }
    a->host.breathe(a->host.ctx);
    if (rc == 0)
        rc = a->store->ops->begin(a->store, &im->c->f);
    if (rc == 0)
        rc = still_allowed(im->c);
    im->since = os_monotonic_ms();
    return rc;
}

static int read_table(struct import *im, char *text, size_t len, import_row_fn take)
{
    struct csv_reader reader;
    struct fault f = {0};
    int more, rc = 0;

    csv_open(&reader, text, len);
    more = csv_next(&reader, &im->row, &f);
    if (more == 0)
        import_problem(im, NULL, "the table is empty: the first line names the columns");
    if (more == 1 && !read_heads(im))
        return 0;
    while (more == 1 && rc == 0 && (more = csv_next(&reader, &im->row, &f)) == 1) {
        if (im->rows == IMPORT_ROWS_MAX)
            return fault_set(&im->c->f, PRA_EINVAL, "csv: more than %d rows", IMPORT_ROWS_MAX);
        rc = take_row(im, take);
        if (im->keep && im->wrong > 0) /* it had none before: somebody has changed something */
            return rc;
        if (rc == 0)
            rc = pause_import(im);
    }
    if (rc == 0 && more < 0)
        add_problem(im, im->row.count + 1, NULL, f.text);
    return rc;
}

static json_t *report(const struct import *im)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "rows", im->rows, "added", im->added,
                     "changed", im->changed, "removed", im->removed, "unchanged", im->unchanged,
                     "problem-count", im->wrong, "problems", im->problems);
}

/* All or nothing: the sentence of a table that has problems. */
static int refuse(const struct import *im)
{
    const json_t *first = json_array_get(im->problems, 0);
    const char *column = json_string_value(json_object_get(first, "column"));

    if (im->kept > 0)
        return fault_set(&im->c->f, PRA_EINVAL, "line %lld: %s",
                         (long long)json_integer_value(json_object_get(first, "line")),
                         json_string_value(json_object_get(first, "problem")));
    return fault_set(
        &im->c->f, PRA_EINVAL, "csv: %lld %s, nothing was changed; line %lld%s%.40s: %s",
        (long long)im->wrong, im->wrong == 1 ? "problem" : "problems",
        (long long)json_integer_value(json_object_get(first, "line")), column != NULL ? ", " : "",
        column != NULL ? column : "", json_string_value(json_object_get(first, "problem")));
}

/* A table in slices that was broken off: answer and record say how much of it stays. */
static int broken_off(const struct import *im, int rc)
{
    struct call *c = im->c;
    const struct fault why = c->f;

    c->code = "partly";
    snprintf(c->note, sizeof(c->note), "rows-kept=%lld", (long long)im->kept);
    return fault_set(&c->f, rc, "csv: the first %lld rows were imported, then: %s",
                     (long long)im->kept, why.text);
}

/* One time through the table. Returns 0 or what ends the import; `im` has what came of it. */
static int run_table(struct import *im, import_row_fn take)
{
    char *text = strdup(arg_text(im->c, "csv"));
    int rc;

    im->problems = json_array();
    im->seen = json_object();
    im->since = os_monotonic_ms();
    rc = text != NULL && im->problems != NULL && im->seen != NULL
             ? read_table(im, text, strlen(text), take)
             : PRA_ENOMEM;
    if (rc == PRA_ENOMEM)
        fault_set(&im->c->f, rc, "no memory for the table");
    free(text);
    json_decref(im->seen);
    im->seen = NULL;
    return rc;
}

/* Tries all of a large table and takes it back, so that a problem in it changes nothing. */
static int try_table(const struct import *as, import_row_fn take)
{
    struct store *s = as->c->a->store;
    struct import im = *as;
    int rc;

    im.keep = false;
    rc = run_table(&im, take);
    if (rc == 0 && im.wrong > 0)
        rc = refuse(&im);
    json_decref(im.problems);
    if (rc != 0)
        return rc;
    s->ops->rollback(s);
    return s->ops->begin(s, &as->c->f);
}

int import_table(struct call *c, const struct import_column *columns, import_row_fn take,
                 bool check, bool slices)
{
    struct admin *a = c->a;
    struct import im = {.c = c, .columns = columns, .replace = arg_bool(c, "replace")};
    int rc = 0;

    if (a->importing)
        return fault_set(&c->f, PRA_EBUSY, "csv: another table is being imported: try again later");
    im.sliced = slices && !c->within && !c->batched && a->host.breathe != NULL &&
                strlen(arg_text(c, "csv")) >= SLICED_MIN;
    im.keep = im.sliced && !check;
    a->importing = true;
    if (im.keep)
        rc = try_table(&im, take);
    if (rc == 0)
        rc = run_table(&im, take);
    a->importing = false;
    if (rc == 0 && im.wrong > 0 && !check)
        rc = refuse(&im);
    if (rc != 0 && im.kept > 0)
        rc = broken_off(&im, rc);
    if (rc == 0)
        rc = give(c, report(&im));
    json_decref(im.problems);
    return rc;
}

int import_check(struct call *c, int (*run)(struct call *c, bool check))
{
    struct store *s = c->a->store;
    int rc = s->ops->begin(s, &c->f);

    if (rc != 0)
        return rc;
    rc = run(c, true);
    s->ops->rollback(s);
    return rc;
}
