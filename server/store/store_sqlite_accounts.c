/*
 * The SQLite back end: accounts that administer, their recovery codes and log-ins.
 */
#include "server/store/store_sqlite_internal.h"

int sqlite_bad_row(struct sql *q, const char *table, int64_t id, struct fault *f)
{
    sql_end(q);
    return fault_set(f, PRA_ECORRUPT, "database: row %lld of %s is damaged", (long long)id, table);
}

int sqlite_run_add(struct sql *q, int64_t *id, struct fault *f)
{
    int rc = sql_change(q, f);

    if (rc == 0)
        *id = sqlite3_last_insert_rowid(q->s->db);
    return rc;
}

/* A value of a fixed length, or NULL where it is not set. */
static void put_fixed(struct sql *q, bool set, const uint8_t *data, size_t len)
{
    if (set)
        sql_put_blob(q, data, len);
    else
        sql_put_text(q, NULL);
}

bool sqlite_get_fixed(struct sql *q, uint8_t *dst, size_t len)
{
    size_t got;

    sql_get_blob(q, dst, len, &got);
    q->bad = q->bad || (got != 0 && got != len);
    return got == len;
}

int sqlite_secret(struct store *s, uint8_t out[STORE_HASH_LEN], struct fault *f)
{
    struct sql q = sql_start(s, SQL_SECRET);
    int rc = sql_step(&q, f);

    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ECORRUPT, "database: its secret is missing");
    if (!sqlite_get_fixed(&q, out, STORE_HASH_LEN))
        return sqlite_bad_row(&q, "secrets", 1, f);
    sql_end(&q);
    return 0;
}

/* ---- accounts ---------------------------------------------------------------------------------- */

/* In the order in which SQL_ACCOUNT_ADD and SQL_ACCOUNT_SET name their values. */
static void put_account(struct sql *q, const struct store_account *a)
{
    sql_put_text(q, a->role);
    sql_put_text(q, a->full_name);
    sql_put_text(q, a->mail);
    sql_put_int(q, a->enabled);
    put_fixed(q, a->has_password, a->salt, sizeof(a->salt));
    put_fixed(q, a->has_password, a->proof, sizeof(a->proof));
    put_fixed(q, a->has_setup, a->setup, sizeof(a->setup));
    sql_put_int(q, a->setup_expires);
    put_fixed(q, a->has_totp, a->totp, sizeof(a->totp));
    sql_put_int(q, a->totp_on);
    sql_put_int(q, a->totp_step);
    sql_put_int(q, a->failures);
    sql_put_int(q, a->failed_at);
    sql_put_int(q, a->expires);
    sql_put_int(q, a->last_login);
}

void sqlite_read_account(struct sql *q, struct store_account *a)
{
    a->id = sql_get_int(q);
    sql_get_text(q, a->name, sizeof(a->name));
    sql_get_text(q, a->role, sizeof(a->role));
    sql_get_text(q, a->full_name, sizeof(a->full_name));
    sql_get_text(q, a->mail, sizeof(a->mail));
    a->enabled = sql_get_int(q) != 0;
    a->has_password = sqlite_get_fixed(q, a->salt, sizeof(a->salt));
    a->has_password = sqlite_get_fixed(q, a->proof, sizeof(a->proof)) && a->has_password;
    a->has_setup = sqlite_get_fixed(q, a->setup, sizeof(a->setup));
    a->setup_expires = sql_get_int(q);
    a->has_totp = sqlite_get_fixed(q, a->totp, sizeof(a->totp));
    a->totp_on = sql_get_int(q) != 0 && a->has_totp;
    a->totp_step = sql_get_int(q);
    a->failures = sql_get_int(q);
    a->failed_at = sql_get_int(q);
    a->created = sql_get_int(q);
    a->expires = sql_get_int(q);
    a->last_login = sql_get_int(q);
    a->passkeys = sql_get_int(q);
}

int sqlite_account_add(struct store *s, const struct store_account *a, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCOUNT_ADD);

    put_account(&q, a);
    sql_put_text(&q, a->name);
    sql_put_int(&q, a->created);
    return sqlite_run_add(&q, id, f);
}

/* The one row of a statement that is ready to run. Returns 0, PRA_ENOENT without a sentence. */
static int one_account(struct sql *q, struct store_account *out, struct fault *f)
{
    int rc = sql_step(q, f);

    if (rc != 1)
        return rc < 0 ? rc : PRA_ENOENT;
    sqlite_read_account(q, out);
    if (q->bad)
        return sqlite_bad_row(q, "accounts", out->id, f);
    sql_end(q);
    return 0;
}

int sqlite_account_get(struct store *s, const char *name, struct store_account *out,
                       struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCOUNT_GET);
    int rc;

    sql_put_text(&q, name);
    rc = one_account(&q, out, f);
    return rc == PRA_ENOENT ? fault_set(f, rc, "there is no account '%s'", name) : rc;
}

int sqlite_account_by_id(struct store *s, int64_t id, struct store_account *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCOUNT_BY_ID);
    int rc;

    sql_put_int(&q, id);
    rc = one_account(&q, out, f);
    return rc == PRA_ENOENT ? fault_set(f, rc, "there is no account %lld", (long long)id) : rc;
}

int sqlite_account_set(struct store *s, const struct store_account *a, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCOUNT_SET);

    put_account(&q, a);
    sql_put_int(&q, a->id);
    return sql_change(&q, f);
}

int sqlite_account_delete(struct store *s, int64_t id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCOUNT_DELETE);

    sql_put_int(&q, id);
    return sql_change(&q, f);
}

int sqlite_account_each(struct store *s, store_account_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ACCOUNT_EACH);
    struct store_account a;
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        sqlite_read_account(&q, &a);
        if (q.bad)
            return sqlite_bad_row(&q, "accounts", a.id, f);
        rc = fn(&a, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- recovery codes ---------------------------------------------------------------------------- */

int sqlite_recovery_set(struct store *s, int64_t account, uint8_t (*hashes)[STORE_HASH_LEN],
                        size_t count, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RECOVERY_CLEAR);
    int rc;

    sql_put_int(&q, account);
    rc = sql_run(&q, f);
    for (size_t i = 0; i < count && rc == 0; i++) {
        q = sql_start(s, SQL_RECOVERY_ADD);
        sql_put_int(&q, account);
        sql_put_blob(&q, hashes[i], STORE_HASH_LEN);
        rc = sql_run(&q, f);
    }
    return rc;
}

int sqlite_recovery_use(struct store *s, int64_t account, const uint8_t hash[STORE_HASH_LEN],
                        struct fault *f)
{
    struct sql q = sql_start(s, SQL_RECOVERY_USE);

    sql_put_int(&q, account);
    sql_put_blob(&q, hash, STORE_HASH_LEN);
    return sql_change(&q, f);
}

int sqlite_recovery_count(struct store *s, int64_t account, int64_t *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RECOVERY_COUNT);
    int rc;

    sql_put_int(&q, account);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : PRA_EIO;
    *out = sql_get_int(&q);
    sql_end(&q);
    return 0;
}

/* ---- forgotten passwords ----------------------------------------------------------------------- */

int sqlite_reset_get(struct store *s, int64_t account, struct store_reset *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RESET_GET);
    int rc;

    sql_put_int(&q, account);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : PRA_ENOENT;
    out->account = account;
    q.bad = !sqlite_get_fixed(&q, out->hash, sizeof(out->hash));
    out->expires = sql_get_int(&q);
    out->since = sql_get_int(&q);
    out->asked = sql_get_int(&q);
    if (q.bad)
        return sqlite_bad_row(&q, "resets", account, f);
    sql_end(&q);
    return 0;
}

int sqlite_reset_put(struct store *s, const struct store_reset *r, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RESET_PUT);

    sql_put_int(&q, r->account);
    sql_put_blob(&q, r->hash, sizeof(r->hash));
    sql_put_int(&q, r->expires);
    sql_put_int(&q, r->since);
    sql_put_int(&q, r->asked);
    return sql_change(&q, f);
}

int sqlite_reset_delete(struct store *s, int64_t account, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RESET_DELETE);

    sql_put_int(&q, account);
    return sql_run(&q, f);
}

/* ---- log-ins ----------------------------------------------------------------------------------- */

static void read_login(struct sql *q, struct store_login *l)
{
    l->id = sql_get_int(q);
    l->account = sql_get_int(q);
    q->bad = !sqlite_get_fixed(q, l->token, sizeof(l->token)) || q->bad;
    sql_get_text(q, l->public_id, sizeof(l->public_id));
    l->open = sql_get_int(q) != 0;
    l->created = sql_get_int(q);
    l->seen = sql_get_int(q);
    l->tries = sql_get_int(q);
    sql_get_text(q, l->source, sizeof(l->source));
    sql_get_text(q, l->agent, sizeof(l->agent));
}

int sqlite_login_add(struct store *s, const struct store_login *l, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_LOGIN_ADD);

    sql_put_int(&q, l->account);
    sql_put_blob(&q, l->token, sizeof(l->token));
    sql_put_text(&q, l->public_id);
    sql_put_int(&q, l->open);
    sql_put_int(&q, l->created);
    sql_put_int(&q, l->seen);
    sql_put_int(&q, l->tries);
    sql_put_text(&q, l->source);
    sql_put_text(&q, l->agent);
    return sqlite_run_add(&q, id, f);
}

int sqlite_login_get(struct store *s, const uint8_t token[STORE_HASH_LEN], struct store_login *out,
                     struct fault *f)
{
    struct sql q = sql_start(s, SQL_LOGIN_GET);
    int rc;

    sql_put_blob(&q, token, STORE_HASH_LEN);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no such log-in");
    read_login(&q, out);
    if (q.bad)
        return sqlite_bad_row(&q, "logins", out->id, f);
    sql_end(&q);
    return 0;
}

int sqlite_login_set(struct store *s, const struct store_login *l, struct fault *f)
{
    struct sql q = sql_start(s, SQL_LOGIN_SET);

    sql_put_blob(&q, l->token, sizeof(l->token));
    sql_put_int(&q, l->open);
    sql_put_int(&q, l->seen);
    sql_put_int(&q, l->tries);
    sql_put_int(&q, l->id);
    return sql_change(&q, f);
}

int sqlite_login_delete(struct store *s, int64_t id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_LOGIN_DELETE);

    sql_put_int(&q, id);
    return sql_run(&q, f);
}

int sqlite_login_end(struct store *s, int64_t account, int64_t except, struct fault *f)
{
    struct sql q = sql_start(s, SQL_LOGIN_END);

    sql_put_int(&q, account);
    sql_put_int(&q, except);
    return sql_run(&q, f);
}

int sqlite_login_expire(struct store *s, bool open, int64_t seen_before, int64_t created_before,
                        struct fault *f)
{
    struct sql q = sql_start(s, SQL_LOGIN_EXPIRE);

    sql_put_int(&q, open);
    sql_put_int(&q, seen_before);
    sql_put_int(&q, created_before);
    return sql_run(&q, f);
}

int sqlite_login_each(struct store *s, int64_t account, store_login_fn fn, void *ctx,
                      struct fault *f)
{
    struct sql q = sql_start(s, SQL_LOGIN_EACH);
    struct store_login l;
    int rc;

    sql_put_int(&q, account);
    while ((rc = sql_step(&q, f)) == 1) {
        read_login(&q, &l);
        if (q.bad)
            return sqlite_bad_row(&q, "logins", l.id, f);
        rc = fn(&l, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}
