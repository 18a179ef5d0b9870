/*
 * The SQLite back end: device tickets, which are columns of the keys they belong to.
 */
#include "server/store/store_sqlite_internal.h"

static void put_ticket(struct sql *q, bool has, const uint8_t hash[CRYPTO_SHA256_LEN])
{
    sql_put_blob(q, has ? hash : (const uint8_t *)"", has ? CRYPTO_SHA256_LEN : 0);
}

int sqlite_ticket_set(struct store *s, const struct store_ticket *t, int64_t now, struct fault *f)
{
    struct sql q = sql_start(s, SQL_TICKET_SET);

    put_ticket(&q, t->has_current, t->current);
    put_ticket(&q, t->has_next, t->next);
    sql_put_int(&q, t->has_current || t->has_next ? now : 0);
    sql_put_int(&q, t->key);
    return sql_run(&q, f);
}

/* False: there is none. Any other length than a hash's marks the row as bad. */
static bool get_ticket(struct sql *q, uint8_t hash[CRYPTO_SHA256_LEN])
{
    size_t len;

    sql_get_blob(q, hash, CRYPTO_SHA256_LEN, &len);
    if (len != 0 && len != CRYPTO_SHA256_LEN)
        q->bad = true;
    return len != 0;
}

int sqlite_ticket_each(struct store *s, store_ticket_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_TICKET_EACH);
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        struct store_ticket t = {.key = sql_get_int(&q)};

        t.has_current = get_ticket(&q, t.current);
        t.has_next = get_ticket(&q, t.next);
        if (q.bad)
            return sqlite_bad_row(&q, "keys", t.key, f);
        rc = fn(&t, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_ticket_clear(struct store *s, int64_t key, struct fault *f)
{
    struct sql q = sql_start(s, SQL_TICKET_CLEAR);

    sql_put_int(&q, key);
    return sql_run(&q, f);
}
