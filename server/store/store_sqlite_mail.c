/*
 * The SQLite back end: mail that waits to be sent, and what became of it.
 */
#include "server/store/store_sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#define ALL (-1) /* SQL's LIMIT for all rows */

/* What changes while it is tried, in the order of SQL_MAIL_ADD and SQL_MAIL_SET. */
static void put_state(struct sql *q, const struct store_mail *m)
{
    sql_put_text(q, m->state);
    sql_put_int(q, m->due);
    sql_put_int(q, m->tries);
    sql_put_int(q, m->tried);
    sql_put_int(q, m->finished);
    sql_put_text(q, m->error);
}

static void read_mail(struct sql *q, struct store_mail *m)
{
    m->id = sql_get_int(q);
    sql_get_text(q, m->state, sizeof(m->state));
    m->due = sql_get_int(q);
    m->tries = sql_get_int(q);
    m->tried = sql_get_int(q);
    m->finished = sql_get_int(q);
    sql_get_text(q, m->error, sizeof(m->error));
    sql_get_text(q, m->kind, sizeof(m->kind));
    sql_get_text(q, m->recipient, sizeof(m->recipient));
    sql_get_text(q, m->subject, sizeof(m->subject));
    m->created = sql_get_int(q);
    m->good_until = sql_get_int(q);
}

/* The one row of a statement that is ready to run. Returns 0, PRA_ENOENT without a sentence. */
static int one_mail(struct sql *q, struct store_mail *out, struct fault *f)
{
    int rc = sql_step(q, f);

    if (rc != 1)
        return rc < 0 ? rc : PRA_ENOENT;
    read_mail(q, out);
    if (q->bad)
        return sqlite_bad_row(q, "mail", out->id, f);
    sql_end(q);
    return 0;
}

int sqlite_mail_add(struct store *s, const struct store_mail *m, const char *content, int64_t *id,
                    struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_ADD);
    int rc;

    put_state(&q, m);
    sql_put_text(&q, m->kind);
    sql_put_text(&q, m->recipient);
    sql_put_text(&q, m->subject);
    sql_put_text(&q, content);
    sql_put_int(&q, m->created);
    sql_put_int(&q, m->good_until);
    rc = sql_change(&q, f);
    if (rc == 0)
        *id = sqlite3_last_insert_rowid(q.s->db);
    return rc;
}

int sqlite_mail_get(struct store *s, int64_t id, struct store_mail *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_GET);
    int rc;

    sql_put_int(&q, id);
    rc = one_mail(&q, out, f);
    return rc == PRA_ENOENT ? fault_set(f, rc, "there is no mail %lld", (long long)id) : rc;
}

int sqlite_mail_content(struct store *s, int64_t id, char **out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_CONTENT);
    const unsigned char *text;
    int rc;

    sql_put_int(&q, id);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no mail %lld", (long long)id);
    text = sqlite3_column_text(q.st, 0); /* of any length, unlike other texts */
    *out = strdup(text != NULL ? (const char *)text : "");
    sql_end(&q);
    return *out != NULL ? 0 : fault_set(f, PRA_ENOMEM, "no memory for a mail");
}

int sqlite_mail_next(struct store *s, int64_t now, struct store_mail *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_NEXT);

    sql_put_int(&q, now);
    return one_mail(&q, out, f);
}

int sqlite_mail_set(struct store *s, const struct store_mail *m, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_SET);

    put_state(&q, m);
    sql_put_int(&q, m->id);
    return sql_change(&q, f);
}

int sqlite_mail_empty(struct store *s, int64_t id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_EMPTY);

    sql_put_int(&q, id);
    return sql_change(&q, f);
}

int sqlite_mail_delete(struct store *s, int64_t id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_DELETE);

    sql_put_int(&q, id);
    return sql_change(&q, f);
}

int sqlite_mail_each(struct store *s, int64_t limit, int64_t offset, store_mail_fn fn, void *ctx,
                     struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_EACH);
    struct store_mail m;
    int rc;

    sql_put_int(&q, limit > 0 ? limit : ALL);
    sql_put_int(&q, offset);
    while ((rc = sql_step(&q, f)) == 1) {
        read_mail(&q, &m);
        if (q.bad)
            return sqlite_bad_row(&q, "mail", m.id, f);
        rc = fn(&m, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

static int read_counts(struct store *s, enum sql_id query, struct store_mail_counts *out,
                       struct fault *f)
{
    struct sql q = sql_start(s, query);
    int rc = sql_step(&q, f);

    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_EIO, "database: mail cannot be counted");
    out->all = sql_get_int(&q);
    out->waiting = sql_get_int(&q);
    out->bytes = sql_get_int(&q);
    out->failed = sql_get_int(&q);
    out->dropped = sql_get_int(&q);
    sql_end(&q);
    return 0;
}

int sqlite_mail_counts(struct store *s, struct store_mail_counts *out, struct fault *f)
{
    return read_counts(s, SQL_MAIL_COUNTS, out, f);
}

int sqlite_mail_length(struct store *s, struct store_mail_counts *out, struct fault *f)
{
    return read_counts(s, SQL_MAIL_LENGTH, out, f);
}

int sqlite_mail_resume(struct store *s, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_RESUME);

    return sql_run(&q, f);
}

int sqlite_mail_dropped(struct store *s, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_DROPPED);

    return sql_change(&q, f);
}

int sqlite_mail_tidy(struct store *s, int64_t before, int64_t keep, struct fault *f)
{
    struct sql q = sql_start(s, SQL_MAIL_TIDY);

    sql_put_int(&q, before);
    sql_put_int(&q, keep);
    return sql_run(&q, f);
}
