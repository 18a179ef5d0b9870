/*
 * The SQLite back end: log bundles that clients have sent.
 */
#include "server/store/store_sqlite_internal.h"

int sqlite_bundle_add(struct store *s, const struct store_bundle *b, struct fault *f)
{
    struct sql q = sql_start(s, SQL_BUNDLE_ADD);

    sql_put_text(&q, b->user);
    sql_put_text(&q, b->public_id);
    sql_put_text(&q, b->device);
    sql_put_text(&q, b->session);
    sql_put_text(&q, b->version);
    sql_put_text(&q, b->source);
    sql_put_int(&q, b->at);
    sql_put_int(&q, b->size);
    sql_put_text(&q, b->sha256);
    sql_put_int(&q, b->lines);
    sql_put_int(&q, b->breaks);
    return sql_change(&q, f);
}

/* In the order of SQL_BUNDLE_COLUMNS. Returns 0, or PRA_ECORRUPT with the run ended. */
static int read_bundle(struct sql *q, struct store_bundle *b, struct fault *f)
{
    b->id = sql_get_int(q);
    sql_get_text(q, b->public_id, sizeof(b->public_id));
    sql_get_text(q, b->user, sizeof(b->user));
    sql_get_text(q, b->device, sizeof(b->device));
    sql_get_text(q, b->session, sizeof(b->session));
    sql_get_text(q, b->version, sizeof(b->version));
    sql_get_text(q, b->source, sizeof(b->source));
    b->at = sql_get_int(q);
    b->size = sql_get_int(q);
    sql_get_text(q, b->sha256, sizeof(b->sha256));
    b->lines = sql_get_int(q);
    b->breaks = sql_get_int(q);
    if (!q->bad)
        return 0;
    sql_end(q);
    return fault_set(f, PRA_ECORRUPT, "database: row %lld of bundles is damaged", (long long)b->id);
}

int sqlite_bundle_get(struct store *s, const char *public_id, struct store_bundle *out,
                      struct fault *f)
{
    struct sql q = sql_start(s, SQL_BUNDLE_GET);
    int rc;

    sql_put_text(&q, public_id);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "id: there is no such log bundle");
    rc = read_bundle(&q, out, f);
    if (rc == 0)
        sql_end(&q);
    return rc;
}

int sqlite_bundle_delete(struct store *s, const char *public_id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_BUNDLE_DELETE);

    sql_put_text(&q, public_id);
    return sql_change(&q, f);
}

int sqlite_bundle_each(struct store *s, const char *user, store_bundle_fn fn, void *ctx,
                       struct fault *f)
{
    struct sql q = sql_start(s, SQL_BUNDLE_EACH);
    struct store_bundle b;
    int rc;

    sql_put_text(&q, user);
    while ((rc = sql_step(&q, f)) == 1) {
        rc = read_bundle(&q, &b, f);
        if (rc != 0)
            return rc;
        rc = fn(&b, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}
