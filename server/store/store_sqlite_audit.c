/*
 * The SQLite back end: audit records. Appended and read, never changed (the schema's trigger
 * says so too).
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

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
    return sql_change(&q, f);
}

int sqlite_audit_add(struct store *s, const struct audit_event *events, size_t count,
                     struct fault *f)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_one(s, &events[i], f);
    return rc;
}

/* Filters pick a statement, so that each has the index that serves it. */
enum shape { ALL, BY_KIND, BY_USER, BY_BOTH };

static struct sql start_filtered(struct store *s, const enum sql_id ids[4],
                                 const struct store_audit_filter *filter, size_t limit)
{
    enum shape shape = filter->user != NULL ? (filter->kind != NULL ? BY_BOTH : BY_USER)
                                            : (filter->kind != NULL ? BY_KIND : ALL);
    struct sql q = sql_start(s, ids[shape]);

    sql_put_int(&q, filter->after);
    sql_put_int(&q, filter->since_ms);
    sql_put_int(&q, filter->until_ms > 0 ? filter->until_ms : INT64_MAX);
    sql_put_text(&q, filter->user != NULL ? filter->user : filter->kind);
    sql_put_text(&q, filter->kind);
    sql_put_int(&q, (int64_t)limit);
    return q;
}

/* An address that is not one any more reads as none: a record is evidence, and is always shown. */
static void read_ip(struct sql *q, struct addr_ip *ip)
{
    char text[64];

    sql_get_text(q, text, sizeof(text));
    memset(ip, 0, sizeof(*ip));
    if (text[0] != '\0' && addr_parse_ip(text, strlen(text), ip) != 0)
        memset(ip, 0, sizeof(*ip));
}

static void read_record(struct sql *q, struct store_audit *r, char kind[STORE_WORD_MAX])
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
}

int sqlite_audit_each(struct store *s, const struct store_audit_filter *filter, size_t max,
                      store_audit_fn fn, void *ctx, struct fault *f)
{
    static const enum sql_id ids[] = {SQL_AUDIT_EACH, SQL_AUDIT_EACH_KIND, SQL_AUDIT_EACH_USER,
                                      SQL_AUDIT_EACH_BOTH};
    struct sql q = start_filtered(s, ids, filter, max);
    char kind[STORE_WORD_MAX];
    struct store_audit r;
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        read_record(&q, &r, kind);
        rc = fn(&r, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_audit_tail(struct store *s, const struct store_audit_filter *filter, size_t count,
                      int64_t *after, struct fault *f)
{
    static const enum sql_id ids[] = {SQL_AUDIT_TAIL, SQL_AUDIT_TAIL_KIND, SQL_AUDIT_TAIL_USER,
                                      SQL_AUDIT_TAIL_BOTH};
    struct sql q = start_filtered(s, ids, filter, count - 1);
    int rc = sql_step(&q, f);

    if (rc < 0)
        return rc;
    *after = filter->after; /* fewer than `count`: from the beginning */
    if (rc == 1) {
        *after = sql_get_int(&q) - 1;
        sql_end(&q);
    }
    return 0;
}
