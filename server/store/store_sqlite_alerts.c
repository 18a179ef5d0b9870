/*
 * The SQLite back end: alerts with their counts, devices that should always be there, planned
 * outages, and facts that are compared with what is found at the next start.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

/* ---- alerts -------------------------------------------------------------------------------------- */

static void put_alert(struct sql *q, const struct store_alert *a)
{
    sql_put_text(q, a->kind);
    sql_put_text(q, a->subject);
    sql_put_text(q, a->severity);
    sql_put_int(q, a->first);
    sql_put_int(q, a->last);
    sql_put_int(q, a->times);
    sql_put_text(q, a->user);
    sql_put_text(q, a->device);
    sql_put_text(q, a->source);
    sql_put_text(q, a->detail);
    sql_put_int(q, a->judged);
    sql_put_text(q, a->judged_by);
    sql_put_text(q, a->note);
    sql_put_int(q, a->acked);
    sql_put_text(q, a->acked_by);
}

void sqlite_read_alert(struct sql *q, struct store_alert *a)
{
    a->id = sql_get_int(q);
    sql_get_text(q, a->kind, sizeof(a->kind));
    sql_get_text(q, a->subject, sizeof(a->subject));
    sql_get_text(q, a->severity, sizeof(a->severity));
    a->first = sql_get_int(q);
    a->last = sql_get_int(q);
    a->times = sql_get_int(q);
    sql_get_text(q, a->user, sizeof(a->user));
    sql_get_text(q, a->device, sizeof(a->device));
    sql_get_text(q, a->source, sizeof(a->source));
    sql_get_text(q, a->detail, sizeof(a->detail));
    a->judged = sql_get_int(q);
    sql_get_text(q, a->judged_by, sizeof(a->judged_by));
    sql_get_text(q, a->note, sizeof(a->note));
    a->acked = sql_get_int(q);
    sql_get_text(q, a->acked_by, sizeof(a->acked_by));
}

/* The one row that the statement gives. Returns 0, PRA_ENOENT, another error. */
static int one_alert(struct sql *q, struct store_alert *a, struct fault *f)
{
    int rc = sql_step(q, f);

    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no such alert");
    sqlite_read_alert(q, a);
    if (q->bad)
        return sqlite_bad_row(q, "alerts", a->id, f);
    sql_end(q);
    return 0;
}

int sqlite_alert_add(struct store *s, const struct store_alert *a, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_ADD);

    put_alert(&q, a);
    return sqlite_run_add(&q, id, f);
}

int sqlite_alert_set(struct store *s, const struct store_alert *a, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_SET);

    put_alert(&q, a);
    sql_put_int(&q, a->id);
    return sql_change(&q, f);
}

int sqlite_alert_get(struct store *s, int64_t id, struct store_alert *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_GET);

    sql_put_int(&q, id);
    return one_alert(&q, out, f);
}

int sqlite_alert_open(struct store *s, const char *kind, const char *subject, int64_t since,
                      struct store_alert *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_OPEN);

    sql_put_text(&q, kind);
    sql_put_text(&q, subject);
    sql_put_int(&q, since);
    return one_alert(&q, out, f);
}

int sqlite_alert_recent(struct store *s, const char *kind, int64_t since, int64_t *number,
                        struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_RECENT);
    int rc;

    sql_put_text(&q, kind);
    sql_put_int(&q, since);
    rc = sql_step(&q, f);
    if (rc == 1) {
        *number = sql_get_int(&q);
        sql_end(&q);
    }
    return rc < 0 ? rc : 0;
}

int sqlite_alert_sums(struct store *s, struct store_alert_sums *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_SUMS);
    int rc = sql_step(&q, f);

    memset(out, 0, sizeof(*out));
    if (rc != 1)
        return rc;
    out->open = sql_get_int(&q);
    out->critical = sql_get_int(&q);
    out->warning = sql_get_int(&q);
    out->notice = sql_get_int(&q);
    out->unjudged = sql_get_int(&q);
    sql_end(&q);
    return 0;
}

int sqlite_alert_expire(struct store *s, int64_t before, size_t max, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_EXPIRE);

    sql_put_int(&q, before);
    sql_put_int(&q, (int64_t)max);
    return sql_run(&q, f);
}

int sqlite_alert_count_add(struct store *s, int64_t time_ms, const char *kind, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_COUNT_ADD);
    char day[SQLITE_DAY_MAX];

    sqlite_day(time_ms, day);
    sql_put_text(&q, day);
    sql_put_text(&q, kind);
    return sql_run(&q, f);
}

int sqlite_alert_count_each(struct store *s, const char *since, const char *until,
                            store_audit_count_fn fn, void *ctx, struct fault *f)
{
    return sqlite_each_count(s, SQL_ALERT_COUNT_EACH, since, until, fn, ctx, f);
}

/* ---- who is told --------------------------------------------------------------------------------- */

int sqlite_alert_mail_set(struct store *s, int64_t account, const char *minimum, struct fault *f)
{
    struct sql q = sql_start(s, minimum[0] == '\0' ? SQL_ALERT_MAIL_DROP : SQL_ALERT_MAIL_SET);

    sql_put_int(&q, account);
    if (minimum[0] != '\0')
        sql_put_text(&q, minimum);
    return sql_run(&q, f);
}

int sqlite_alert_mail_each(struct store *s, int64_t account, store_alert_mail_fn fn, void *ctx,
                           struct fault *f)
{
    struct sql q = sql_start(s, SQL_ALERT_MAIL_EACH);
    char minimum[STORE_WORD_MAX];
    int rc;

    sql_put_int(&q, account);
    while ((rc = sql_step(&q, f)) == 1) {
        int64_t id = sql_get_int(&q);

        sql_get_text(&q, minimum, sizeof(minimum));
        rc = fn(id, minimum, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- devices that should always be there ----------------------------------------------------------- */

int sqlite_watch_set(struct store *s, int64_t key, int64_t after, int64_t now, struct fault *f)
{
    struct sql q = sql_start(s, after == 0 ? SQL_WATCH_DROP : SQL_WATCH_SET);

    sql_put_int(&q, key);
    if (after != 0) {
        sql_put_int(&q, after);
        sql_put_int(&q, now);
    }
    return sql_run(&q, f);
}

int sqlite_watch_note(struct store *s, const struct store_watch *w, struct fault *f)
{
    struct sql q = sql_start(s, SQL_WATCH_NOTE);

    sql_put_int(&q, w->online);
    sql_put_int(&q, w->since);
    sql_put_int(&q, w->told);
    sql_put_int(&q, w->key);
    return sql_run(&q, f);
}

int sqlite_watch_each(struct store *s, store_watch_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_WATCH_EACH);
    struct store_watch w;
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        w.key = sql_get_int(&q);
        sql_get_text(&q, w.user, sizeof(w.user));
        sql_get_text(&q, w.device, sizeof(w.device));
        sql_get_text(&q, w.comment, sizeof(w.comment));
        w.after = sql_get_int(&q);
        w.online = sql_get_int(&q) != 0;
        w.since = sql_get_int(&q);
        w.told = sql_get_int(&q) != 0;
        if (q.bad)
            return sqlite_bad_row(&q, "watched", w.key, f);
        rc = fn(&w, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- planned outages ------------------------------------------------------------------------------- */

int sqlite_outage_add(struct store *s, const struct store_outage *o, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_OUTAGE_ADD);

    sql_put_int(&q, o->since);
    sql_put_int(&q, o->until);
    sql_put_text(&q, o->user);
    sql_put_text(&q, o->note);
    sql_put_text(&q, o->by);
    return sqlite_run_add(&q, id, f);
}

int sqlite_outage_delete(struct store *s, int64_t id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_OUTAGE_DELETE);

    sql_put_int(&q, id);
    return sql_change(&q, f);
}

int sqlite_outage_each(struct store *s, store_outage_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_OUTAGE_EACH);
    struct store_outage o;
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        o.id = sql_get_int(&q);
        o.since = sql_get_int(&q);
        o.until = sql_get_int(&q);
        sql_get_text(&q, o.user, sizeof(o.user));
        sql_get_text(&q, o.note, sizeof(o.note));
        sql_get_text(&q, o.by, sizeof(o.by));
        if (q.bad)
            return sqlite_bad_row(&q, "outages", o.id, f);
        rc = fn(&o, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_outage_expire(struct store *s, int64_t before, struct fault *f)
{
    struct sql q = sql_start(s, SQL_OUTAGE_EXPIRE);

    sql_put_int(&q, before);
    return sql_run(&q, f);
}

/* ---- facts ----------------------------------------------------------------------------------------- */

int sqlite_fact_get(struct store *s, const char *name, char value[STORE_FACT_MAX], struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACT_GET);
    int rc;

    sql_put_text(&q, name);
    value[0] = '\0';
    rc = sql_step(&q, f);
    if (rc == 1) {
        sql_get_text(&q, value, STORE_FACT_MAX);
        sql_end(&q);
    }
    return rc < 0 ? rc : 0;
}

int sqlite_fact_set(struct store *s, const char *name, const char *value, struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACT_SET);

    sql_put_text(&q, name);
    sql_put_text(&q, value);
    return sql_run(&q, f);
}
