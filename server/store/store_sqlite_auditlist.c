/*
 * The SQLite back end: the list of audit records as people see it, newest first, and the walk over
 * all of them for an export.
 *
 * A million records must not hold up prad. Conditions on the time and one of user and kind are
 * answered by an index alone. All other conditions are looked up record by record along that index,
 * a bounded number of them in one call, which says where to go on. Statements are put together of
 * constants; every value is bound by its number.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

#define HAS(column) column " LIKE ?9 ESCAPE '\\'"
enum {
    V_SINCE = 1,
    V_UNTIL,
    V_USER,
    V_KIND,
    V_DEVICE,
    V_SOURCE,
    V_TARGET,
    V_SESSION,
    V_PATTERN,
    V_TIME,
    V_ID,
    V_LIMIT,
    V_OFFSET
};

#define IN_TIME "time_ms >= ?1 AND time_ms < ?2"
/* What follows a place; written so that the index narrows it down. */
#define BEHIND " AND time_ms <= ?10 AND (time_ms < ?10 OR id < ?11)"
#define NEWEST " ORDER BY time_ms DESC, id DESC"
#define SEARCHED                                                                                   \
    HAS("user")                                                                                    \
    " OR " HAS("kind") " OR " HAS("source") " OR " HAS("target") " OR " HAS(                       \
        "target_ip") " OR " HAS("reason") " OR " HAS("detail") " OR " HAS("device") " OR " HAS("s" \
                                                                                               "e" \
                                                                                               "s" \
                                                                                               "s" \
                                                                                               "i" \
                                                                                               "o" \
                                                                                               "n")

/* ---- conditions ---------------------------------------------------------------------------------- */

/* The index along which is looked. */
static bool by_user(const struct store_audit_filter *w)
{
    return w->user != NULL;
}

static bool by_kind(const struct store_audit_filter *w)
{
    return w->user == NULL && w->kind != NULL;
}

/* Conditions that no index answers together with that one. */
static bool has_more(const struct store_audit_filter *w)
{
    return (w->user != NULL && w->kind != NULL) || w->device != NULL || w->source != NULL ||
           w->target != NULL || w->session != NULL || w->search != NULL;
}

static void add_equal(sqlite3_str *t, bool asked, const char *condition)
{
    if (!asked)
        return;
    sqlite3_str_appendall(t, " AND ");
    sqlite3_str_appendall(t, condition);
}

static void add_more(sqlite3_str *t, const struct store_audit_filter *w)
{
    add_equal(t, w->kind != NULL, "kind = ?4");
    add_equal(t, w->device != NULL, "device = ?5");
    add_equal(t, w->source != NULL, "source = ?6");
    add_equal(t, w->target != NULL, "target = ?7");
    add_equal(t, w->session != NULL, "session = ?8");
    add_equal(t, w->search != NULL, "(" SEARCHED ")");
}

/* " FROM audit INDEXED BY ... WHERE ...": what the index alone answers. */
static void add_indexed(sqlite3_str *t, const struct store_audit_filter *w, bool behind)
{
    const char *index = by_user(w) ? "audit_user" : by_kind(w) ? "audit_kind" : "audit_time";

    sqlite3_str_appendf(t, " FROM audit INDEXED BY %s WHERE " IN_TIME, index);
    add_equal(t, by_user(w), "user = ?3");
    add_equal(t, by_kind(w), "kind = ?4");
    if (behind)
        sqlite3_str_appendall(t, BEHIND);
}

/* Binds what the statement has; a pattern lives as long as the run. */
static void bind_filter(struct sql *q, const struct store_audit_filter *w, const char *pattern)
{
    const struct {
        int number;
        const char *text;
    } texts[] = {{V_USER, w->user},
                 {V_KIND, w->kind},
                 {V_DEVICE, w->device},
                 {V_SOURCE, w->source},
                 {V_TARGET, w->target},
                 {V_SESSION, w->session},
                 {V_PATTERN, w->search != NULL ? pattern : NULL}};
    int last = sqlite3_bind_parameter_count(q->st);

    if (q->st == NULL || last == 0)
        return;
    sqlite3_bind_int64(q->st, V_SINCE, w->since_ms);
    sqlite3_bind_int64(q->st, V_UNTIL, w->until_ms > 0 ? w->until_ms : INT64_MAX);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].text != NULL && texts[i].number <= last)
            sqlite3_bind_text(q->st, texts[i].number, texts[i].text, -1, SQLITE_STATIC);
    }
}

static void bind_int(struct sql *q, int number, int64_t value)
{
    if (q->st != NULL && number <= sqlite3_bind_parameter_count(q->st))
        sqlite3_bind_int64(q->st, number, value);
}

/* Takes over `t`. */
static struct sql prepare(struct store *s, sqlite3_str *t)
{
    char *text = sqlite3_str_finish(t);
    struct sql q = {.s = (struct sqlite_store *)s};

    if (text != NULL)
        q = sql_prepare(s, text);
    sqlite3_free(text);
    return q;
}

/* ---- newest first -------------------------------------------------------------------------------- */

/* One request for a part of the list. */
struct part {
    struct store *s;
    const struct store_audit_filter *filter;
    const struct store_audit_place *from;
    size_t offset, limit;
    char pattern[SQL_PATTERN_MAX];
    int64_t ids[STORE_AUDIT_LIMIT];
    size_t count; /* of ids */
};

static struct sql part_begin(struct part *p, sqlite3_str *t, int64_t limit, int64_t offset)
{
    struct sql q = prepare(p->s, t);

    bind_filter(&q, p->filter, p->pattern);
    bind_int(&q, V_TIME, p->from->time_ms);
    bind_int(&q, V_ID, p->from->id);
    bind_int(&q, V_LIMIT, limit);
    bind_int(&q, V_OFFSET, offset);
    return q;
}

static bool behind(const struct part *p)
{
    return p->from->id != 0;
}

/* No condition at all. */
static bool is_everything(const struct part *p)
{
    const struct store_audit_filter *w = p->filter;

    return !by_user(w) && !by_kind(w) && w->since_ms == 0 && w->until_ms == 0 && !behind(p);
}

/* The index knows everything: it is counted, and so many of it are taken. */
static int find_indexed(struct part *p, struct store_audit_found *found, struct fault *f)
{
    sqlite3_str *t = sqlite3_str_new(NULL);
    struct sql q;
    int rc;

    sqlite3_str_appendall(t, "SELECT count(*)");
    if (is_everything(p))
        sqlite3_str_appendall(t, " FROM audit"); /* pages are counted, not their entries */
    else
        add_indexed(t, p->filter, behind(p));
    q = part_begin(p, t, 0, 0);
    rc = sql_step(&q, f);
    found->total = rc == 1 ? sql_get_int(&q) : 0;
    sql_drop(&q);
    if (rc < 0)
        return rc;
    t = sqlite3_str_new(NULL);
    sqlite3_str_appendall(t, "SELECT id");
    add_indexed(t, p->filter, behind(p));
    sqlite3_str_appendall(t, NEWEST " LIMIT ?12 OFFSET ?13");
    q = part_begin(p, t, (int64_t)p->limit, (int64_t)p->offset);
    while ((rc = sql_step(&q, f)) == 1)
        p->ids[p->count++] = sql_get_int(&q);
    sql_drop(&q);
    found->complete = true;
    return rc;
}

/* Where the records that one call looks at end; complete if there are no more. */
static int find_end(struct part *p, int64_t scan, struct store_audit_found *found, struct fault *f)
{
    sqlite3_str *t = sqlite3_str_new(NULL);
    struct sql q;
    int rc;

    sqlite3_str_appendall(t, "SELECT time_ms, id");
    add_indexed(t, p->filter, behind(p));
    sqlite3_str_appendall(t, NEWEST " LIMIT ?12 OFFSET ?13");
    q = part_begin(p, t, 1, scan - 1);
    rc = sql_step(&q, f);
    found->complete = rc == 0;
    if (rc == 1) {
        found->next.time_ms = sql_get_int(&q);
        found->next.id = sql_get_int(&q);
    }
    sql_drop(&q);
    return rc < 0 ? rc : 0;
}

/* A part of the index, its records looked at one by one. */
static int find_looking(struct part *p, struct store_audit_found *found, struct fault *f)
{
    int64_t scan = p->filter->search != NULL ? STORE_AUDIT_SCAN_SEARCH : STORE_AUDIT_SCAN;
    sqlite3_str *t = sqlite3_str_new(NULL);
    struct sql q;
    int rc;

    sqlite3_str_appendall(t, "SELECT a.id FROM (SELECT id AS pick");
    add_indexed(t, p->filter, behind(p));
    sqlite3_str_appendall(t, NEWEST " LIMIT ?12) CROSS JOIN audit a ON a.id = pick WHERE 1");
    add_more(t, p->filter);
    q = part_begin(p, t, scan, 0);
    while ((rc = sql_step(&q, f)) == 1) {
        if ((size_t)found->total >= p->offset && p->count < p->limit)
            p->ids[p->count++] = sql_get_int(&q);
        found->total++;
    }
    sql_drop(&q);
    return rc == 0 ? find_end(p, scan, found, f) : rc;
}

/* Gives the whole records whose ids were found. */
static int give_records(const struct part *p, store_audit_fn fn, void *ctx, struct fault *f)
{
    char kind[STORE_WORD_MAX];
    struct store_audit r;
    int rc = 0;

    for (size_t i = 0; i < p->count && rc == 0; i++) {
        struct sql q = sql_start(p->s, SQL_AUDIT_GET);

        sql_put_int(&q, p->ids[i]);
        rc = sql_step(&q, f);
        if (rc != 1)
            continue; /* an error ends this; a record that has gone cannot be, but would be no harm */
        sqlite_read_audit(&q, &r, kind);
        sql_end(&q);
        rc = fn(&r, ctx);
    }
    return rc;
}

int sqlite_audit_find(struct store *s, const struct store_audit_filter *filter,
                      const struct store_audit_place *from, size_t offset, size_t limit,
                      store_audit_fn fn, void *ctx, struct store_audit_found *found,
                      struct fault *f)
{
    struct part p = {.s = s, .filter = filter, .from = from, .offset = offset, .limit = limit};
    int rc = 0;

    memset(found, 0, sizeof(*found));
    if (limit > STORE_AUDIT_LIMIT)
        return fault_set(f, PRA_EINVAL, "limit: at most %d", STORE_AUDIT_LIMIT);
    if (filter->search != NULL)
        rc = sql_pattern(filter->search, p.pattern, f);
    if (rc == 0)
        rc = has_more(filter) ? find_looking(&p, found, f) : find_indexed(&p, found, f);
    return rc == 0 ? give_records(&p, fn, ctx, f) : rc;
}

/* ---- oldest first -------------------------------------------------------------------------------- */

static int one_number(struct sql *q, int64_t *out, struct fault *f)
{
    int rc = sql_step(q, f);

    if (rc == 1) {
        *out = sql_get_int(q);
        sql_end(q);
    }
    return rc < 0 ? rc : 0;
}

int sqlite_audit_last(struct store *s, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_AUDIT_LAST);

    *id = 0;
    return one_number(&q, id, f);
}

/* By ids, whatever the filter: an export passes over all records anyway, in the order in which they
   were written, and what is written meanwhile comes behind. */
static struct sql walk_begin(struct store *s, const struct store_audit_filter *filter,
                             const char *pattern, int64_t after, int64_t last, size_t max)
{
    sqlite3_str *t = sqlite3_str_new(NULL);
    struct sql q;

    sqlite3_str_appendall(t, "SELECT " SQL_AUDIT_COLUMNS " FROM audit NOT INDEXED WHERE " IN_TIME
                             " AND id > ?10 AND id <= ?11");
    add_equal(t, filter->user != NULL, "user = ?3");
    add_more(t, filter);
    sqlite3_str_appendall(t, " ORDER BY id LIMIT ?12");
    q = prepare(s, t);
    bind_filter(&q, filter, pattern);
    bind_int(&q, V_TIME, after);
    bind_int(&q, V_ID, last);
    bind_int(&q, V_LIMIT, (int64_t)max);
    return q;
}

int sqlite_audit_each(struct store *s, const struct store_audit_filter *filter, int64_t after,
                      int64_t upto, size_t max, store_audit_fn fn, void *ctx, int64_t *next,
                      struct fault *f)
{
    int64_t scan = filter->search != NULL ? STORE_AUDIT_SCAN_SEARCH : STORE_AUDIT_SCAN;
    struct sql q = sql_start(s, SQL_AUDIT_FIRST);
    char pattern[SQL_PATTERN_MAX], kind[STORE_WORD_MAX];
    int64_t first = 0, last;
    struct store_audit r = {0};
    size_t count = 0;
    int rc;

    *next = 0;
    sql_put_int(&q, after);
    rc = one_number(&q, &first, f);
    if (rc == 0 && filter->search != NULL)
        rc = sql_pattern(filter->search, pattern, f);
    if (rc != 0 || first == 0 || first > upto)
        return rc;
    last = upto - first >= scan ? first + scan - 1 : upto;
    q = walk_begin(s, filter, pattern, first - 1, last, max);
    while (rc == 0 && (rc = sql_step(&q, f)) == 1) {
        sqlite_read_audit(&q, &r, kind);
        count++;
        rc = fn(&r, ctx);
    }
    sql_drop(&q);
    if (rc == 0 && count == max)
        last = r.id;
    if (rc == 0 && last < upto)
        *next = last;
    return rc;
}
