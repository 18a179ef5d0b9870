/*
 * The SQLite back end: audit records are added and read, never changed (the schema's trigger says so
 * too), and deleted only when they are old. Beside them stand counts by day and kind, which are exact
 * whatever became of the records. store_sqlite_auditlist.c has the list for people.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>
#include <time.h>

static const char *ip_text(const struct addr_ip *ip, char dst[46])
{
    return ip->family == 0 ? "" : addr_format_ip(ip, dst);
}

static int add_one(struct store *s, const struct audit_event *e, struct fault *f)
{
    struct sql q = sql_start(s, SQL_AUDIT_ADD);
    char source[46], target_ip[46];

    sql_put_text(&q, audit_kind_word(e->kind));
    sql_put_int(&q, e->time_ms);
    sql_put_text(&q, e->session);
    sql_put_text(&q, e->user);
    sql_put_text(&q, e->device);
    sql_put_text(&q, ip_text(&e->source, source));
    sql_put_int(&q, e->source_port);
    sql_put_text(&q, e->target);
    sql_put_text(&q, ip_text(&e->target_ip, target_ip));
    sql_put_int(&q, e->rule);
    sql_put_text(&q, e->reason);
    sql_put_text(&q, e->detail);
    sql_put_int(&q, (int64_t)e->bytes_in);
    sql_put_int(&q, (int64_t)e->bytes_out);
    sql_put_int(&q, e->times > 0 ? (int64_t)e->times : 1);
    return sql_change(&q, f);
}

/* ---- counts ------------------------------------------------------------------------------------- */

/* Counts of one day that are not in the table yet. */
struct tally {
    char day[SQLITE_DAY_MAX];
    int64_t count[AUDIT_KIND_COUNT];
};

void sqlite_day(int64_t time_ms, char dst[SQLITE_DAY_MAX])
{
    time_t t = (time_t)(time_ms / 1000);
    struct tm tm = {0};

    if (localtime_r(&t, &tm) == NULL || strftime(dst, SQLITE_DAY_MAX, "%Y-%m-%d", &tm) == 0)
        memcpy(dst, "0000-00-00", SQLITE_DAY_MAX);
}

static int tally_write(struct store *s, struct tally *t, struct fault *f)
{
    int rc = 0;

    for (unsigned k = 0; k < AUDIT_KIND_COUNT && rc == 0; k++) {
        if (t->count[k] == 0)
            continue;
        struct sql q = sql_start(s, SQL_COUNT_ADD);

        sql_put_text(&q, t->day);
        sql_put_text(&q, audit_kind_word((enum audit_kind)k));
        sql_put_int(&q, t->count[k]);
        rc = sql_run(&q, f);
        t->count[k] = 0;
    }
    return rc;
}

/* An overflow is itself an event, and says how many of another kind were lost as records. */
static void tally_add(struct tally *t, const struct audit_event *e)
{
    int64_t times = e->times > 0 ? (int64_t)e->times : 1;

    if (e->kind != AUDIT_OVERFLOW) {
        t->count[e->kind] += times;
        return;
    }
    t->count[AUDIT_OVERFLOW]++;
    for (unsigned k = 0; k < AUDIT_KIND_COUNT; k++) {
        if (strcmp(e->reason, audit_kind_word((enum audit_kind)k)) == 0)
            t->count[k] += times;
    }
}

int sqlite_audit_add(struct store *s, const struct audit_event *events, size_t count,
                     struct fault *f)
{
    struct tally t = {.day = ""};
    char day[SQLITE_DAY_MAX];
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        sqlite_day(events[i].time_ms, day);
        if (strcmp(day, t.day) != 0) {
            rc = tally_write(s, &t, f);
            memcpy(t.day, day, sizeof(day));
        }
        tally_add(&t, &events[i]);
        if (rc == 0)
            rc = add_one(s, &events[i], f);
    }
    return rc == 0 ? tally_write(s, &t, f) : rc;
}

int sqlite_each_count(struct store *s, enum sql_id id, const char *since, const char *until,
                      store_audit_count_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, id);
    struct store_audit_count c;
    int rc;

    sql_put_text(&q, since);
    sql_put_text(&q, until);
    while ((rc = sql_step(&q, f)) == 1) {
        sql_get_text(&q, c.day, sizeof(c.day));
        sql_get_text(&q, c.kind, sizeof(c.kind));
        c.count = sql_get_int(&q);
        rc = fn(&c, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_count_each(struct store *s, const char *since, const char *until,
                      store_audit_count_fn fn, void *ctx, struct fault *f)
{
    return sqlite_each_count(s, SQL_COUNT_EACH, since, until, fn, ctx, f);
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* An address that is not one any more reads as none: a record is evidence, and is always shown. */
static void read_ip(struct sql *q, struct addr_ip *ip)
{
    char text[64];

    sql_get_text(q, text, sizeof(text));
    memset(ip, 0, sizeof(*ip));
    if (text[0] != '\0' && addr_parse_ip(text, strlen(text), ip) != 0)
        memset(ip, 0, sizeof(*ip));
}

void sqlite_read_audit(struct sql *q, struct store_audit *r, char kind[STORE_WORD_MAX])
{
    struct audit_event *e = &r->event;

    memset(r, 0, sizeof(*r));
    r->id = sql_get_int(q);
    sql_get_text(q, kind, STORE_WORD_MAX);
    r->kind = kind;
    e->kind = AUDIT_KIND_COUNT;
    for (unsigned k = 0; k < AUDIT_KIND_COUNT; k++) {
        if (strcmp(kind, audit_kind_word((enum audit_kind)k)) == 0)
            e->kind = (enum audit_kind)k;
    }
    e->time_ms = sql_get_int(q);
    sql_get_text(q, e->session, sizeof(e->session));
    sql_get_text(q, e->user, sizeof(e->user));
    sql_get_text(q, e->device, sizeof(e->device));
    read_ip(q, &e->source);
    e->source_port = (uint16_t)sql_get_int(q);
    sql_get_text(q, e->target, sizeof(e->target));
    read_ip(q, &e->target_ip);
    e->rule = sql_get_int(q);
    sql_get_text(q, e->reason, sizeof(e->reason));
    sql_get_text(q, e->detail, sizeof(e->detail));
    e->bytes_in = (uint64_t)sql_get_int(q);
    e->bytes_out = (uint64_t)sql_get_int(q);
    e->times = (uint64_t)sql_get_int(q);
}

/* ---- growing old --------------------------------------------------------------------------------- */

int sqlite_audit_expire(struct store *s, int64_t before_ms, size_t max, size_t *deleted,
                        struct fault *f)
{
    struct sql q = sql_start(s, SQL_AUDIT_EXPIRE);
    int rc;

    sql_put_int(&q, before_ms);
    sql_put_int(&q, (int64_t)max);
    rc = sql_run(&q, f);
    if (rc == 0)
        *deleted = (size_t)sqlite3_changes(q.s->db);
    return rc;
}

int sqlite_number_get(struct store *s, const char *name, int64_t *value, struct fault *f)
{
    struct sql q = sql_start(s, SQL_NUMBER_GET);
    int rc;

    sql_put_text(&q, name);
    rc = sql_step(&q, f);
    *value = rc == 1 ? sql_get_int(&q) : 0;
    if (rc == 1)
        sql_end(&q);
    return rc < 0 ? rc : 0;
}

int sqlite_number_set(struct store *s, const char *name, int64_t value, struct fault *f)
{
    struct sql q = sql_start(s, SQL_NUMBER_SET);

    sql_put_text(&q, name);
    sql_put_int(&q, value);
    return sql_run(&q, f);
}
