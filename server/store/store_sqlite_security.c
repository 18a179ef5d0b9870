/*
 * The SQLite back end: what secures log-ins beside the password. Tokens of programs, passkeys with
 * their challenges, and the networks that the portal may be used from.
 */
#include "server/store/store_sqlite_internal.h"

static int run_with_id(struct store *s, enum sql_id statement, int64_t id, bool must_be,
                       struct fault *f)
{
    struct sql q = sql_start(s, statement);

    sql_put_int(&q, id);
    return must_be ? sql_change(&q, f) : sql_run(&q, f);
}

/* ---- tokens ------------------------------------------------------------------------------------- */

static void read_token(struct sql *q, struct store_token *t)
{
    t->id = sql_get_int(q);
    t->account = sql_get_int(q);
    sql_get_text(q, t->account_name, sizeof(t->account_name));
    sql_get_text(q, t->name, sizeof(t->name));
    q->bad = !sqlite_get_fixed(q, t->hash, sizeof(t->hash)) || q->bad;
    sql_get_text(q, t->scopes, sizeof(t->scopes));
    t->created = sql_get_int(q);
    t->expires = sql_get_int(q);
    t->used = sql_get_int(q);
    sql_get_text(q, t->source, sizeof(t->source));
}

int sqlite_token_add(struct store *s, const struct store_token *t, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_TOKEN_ADD);

    sql_put_int(&q, t->account);
    sql_put_text(&q, t->name);
    sql_put_blob(&q, t->hash, sizeof(t->hash));
    sql_put_text(&q, t->scopes);
    sql_put_int(&q, t->created);
    sql_put_int(&q, t->expires);
    return sqlite_run_add(&q, id, f);
}

int sqlite_token_get(struct store *s, const uint8_t hash[STORE_HASH_LEN], struct store_token *out,
                     struct fault *f)
{
    struct sql q = sql_start(s, SQL_TOKEN_GET);
    int rc;

    sql_put_blob(&q, hash, STORE_HASH_LEN);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no such token");
    read_token(&q, out);
    if (q.bad)
        return sqlite_bad_row(&q, "tokens", out->id, f);
    sql_end(&q);
    return 0;
}

int sqlite_token_used(struct store *s, int64_t id, int64_t now, const char *source, struct fault *f)
{
    struct sql q = sql_start(s, SQL_TOKEN_USED);

    sql_put_int(&q, now);
    sql_put_text(&q, source);
    sql_put_int(&q, id);
    return sql_change(&q, f);
}

int sqlite_token_delete(struct store *s, int64_t id, struct fault *f)
{
    return run_with_id(s, SQL_TOKEN_DELETE, id, true, f);
}

int sqlite_token_clear(struct store *s, int64_t account, struct fault *f)
{
    return run_with_id(s, SQL_TOKEN_CLEAR, account, false, f);
}

int sqlite_token_each(struct store *s, int64_t account, store_token_fn fn, void *ctx,
                      struct fault *f)
{
    struct sql q = sql_start(s, SQL_TOKEN_EACH);
    struct store_token t;
    int rc;

    sql_put_int(&q, account);
    while ((rc = sql_step(&q, f)) == 1) {
        read_token(&q, &t);
        if (q.bad)
            return sqlite_bad_row(&q, "tokens", t.id, f);
        rc = fn(&t, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- passkeys ----------------------------------------------------------------------------------- */

static void read_passkey(struct sql *q, struct store_passkey *p)
{
    p->id = sql_get_int(q);
    p->account = sql_get_int(q);
    sql_get_text(q, p->name, sizeof(p->name));
    sql_get_blob(q, p->credential, sizeof(p->credential), &p->credential_len);
    sql_get_text(q, p->rp, sizeof(p->rp));
    p->algorithm = sql_get_int(q);
    sql_get_blob(q, p->key, sizeof(p->key), &p->key_len);
    p->counter = sql_get_int(q);
    p->created = sql_get_int(q);
    p->used = sql_get_int(q);
}

int sqlite_passkey_add(struct store *s, const struct store_passkey *p, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_PASSKEY_ADD);

    sql_put_int(&q, p->account);
    sql_put_text(&q, p->name);
    sql_put_blob(&q, p->credential, p->credential_len);
    sql_put_text(&q, p->rp);
    sql_put_int(&q, p->algorithm);
    sql_put_blob(&q, p->key, p->key_len);
    sql_put_int(&q, p->counter);
    sql_put_int(&q, p->created);
    return sqlite_run_add(&q, id, f);
}

int sqlite_passkey_set(struct store *s, const struct store_passkey *p, struct fault *f)
{
    struct sql q = sql_start(s, SQL_PASSKEY_SET);

    sql_put_text(&q, p->name);
    sql_put_int(&q, p->counter);
    sql_put_int(&q, p->used);
    sql_put_int(&q, p->id);
    return sql_change(&q, f);
}

int sqlite_passkey_delete(struct store *s, int64_t id, struct fault *f)
{
    return run_with_id(s, SQL_PASSKEY_DELETE, id, true, f);
}

int sqlite_passkey_clear(struct store *s, int64_t account, struct fault *f)
{
    return run_with_id(s, SQL_PASSKEY_CLEAR, account, false, f);
}

int sqlite_passkey_each(struct store *s, int64_t account, store_passkey_fn fn, void *ctx,
                        struct fault *f)
{
    struct sql q = sql_start(s, SQL_PASSKEY_EACH);
    struct store_passkey p;
    int rc;

    sql_put_int(&q, account);
    while ((rc = sql_step(&q, f)) == 1) {
        read_passkey(&q, &p);
        if (q.bad)
            return sqlite_bad_row(&q, "passkeys", p.id, f);
        rc = fn(&p, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_challenge_set(struct store *s, int64_t login, const uint8_t challenge[STORE_HASH_LEN],
                         int64_t now, struct fault *f)
{
    struct sql q = sql_start(s, SQL_CHALLENGE_SET);

    sql_put_int(&q, login);
    sql_put_blob(&q, challenge, STORE_HASH_LEN);
    sql_put_int(&q, now);
    return sql_run(&q, f);
}

int sqlite_challenge_take(struct store *s, int64_t login, uint8_t challenge[STORE_HASH_LEN],
                          int64_t *made, struct fault *f)
{
    struct sql q = sql_start(s, SQL_CHALLENGE_GET);
    int rc;

    sql_put_int(&q, login);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no challenge");
    if (!sqlite_get_fixed(&q, challenge, STORE_HASH_LEN))
        return sqlite_bad_row(&q, "challenges", login, f);
    *made = sql_get_int(&q);
    sql_end(&q);
    return run_with_id(s, SQL_CHALLENGE_DELETE, login, true, f);
}

/* ---- where the portal may be used from ---------------------------------------------------------- */

int sqlite_access_add(struct store *s, const struct store_access *r, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCESS_ADD);

    sql_put_text(&q, r->network);
    sql_put_text(&q, r->comment);
    sql_put_int(&q, r->created);
    return sqlite_run_add(&q, id, f);
}

int sqlite_access_delete(struct store *s, int64_t id, struct fault *f)
{
    return run_with_id(s, SQL_ACCESS_DELETE, id, true, f);
}

int sqlite_access_clear(struct store *s, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCESS_CLEAR);

    return sql_run(&q, f);
}

int sqlite_access_each(struct store *s, store_access_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCESS_EACH);
    struct store_access r;
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        r.id = sql_get_int(&q);
        sql_get_text(&q, r.network, sizeof(r.network));
        sql_get_text(&q, r.comment, sizeof(r.comment));
        r.created = sql_get_int(&q);
        if (q.bad)
            return sqlite_bad_row(&q, "access_rules", r.id, f);
        rc = fn(&r, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}
