/*
 * The SQLite back end: second factors of users, who needs one, and leases.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

/* ---- policy ------------------------------------------------------------------------------------ */

static int policy_get(struct store *s, bool is_group, int64_t owner, enum policy_factor *out,
                      struct fault *f)
{
    struct sql q = sql_start(s, is_group ? SQL_FACTOR_GROUP_POLICY : SQL_FACTOR_USER_POLICY);
    int rc;

    *out = POLICY_FACTOR_INHERIT;
    sql_put_int(&q, owner);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc;
    *out = (enum policy_factor)sql_get_int(&q);
    sql_end(&q);
    return 0;
}

static int policy_set(struct store *s, bool is_group, int64_t owner, enum policy_factor policy,
                      struct fault *f)
{
    struct sql q;

    if (policy == POLICY_FACTOR_INHERIT) {
        q = sql_start(s, is_group ? SQL_FACTOR_GROUP_POLICY_DROP : SQL_FACTOR_USER_POLICY_DROP);
        sql_put_int(&q, owner);
    } else {
        q = sql_start(s, is_group ? SQL_FACTOR_GROUP_POLICY_SET : SQL_FACTOR_USER_POLICY_SET);
        sql_put_int(&q, owner);
        sql_put_int(&q, policy);
    }
    return sql_run(&q, f);
}

static int policy_each(struct store *s, store_factor_policy_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACTOR_POLICY_EACH);
    char user[POLICY_NAME_MAX + 1];
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        sql_get_text(&q, user, sizeof(user));
        enum policy_factor policy = (enum policy_factor)sql_get_int(&q);
        rc = fn(user, policy, sql_get_int(&q) != 0, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- authenticators ---------------------------------------------------------------------------- */

static int get(struct store *s, int64_t user_id, struct store_factor *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACTOR_GET);
    int rc;

    sql_put_int(&q, user_id);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "this user has no second factor");
    out->user_id = sql_get_int(&q);
    (void)sqlite_get_fixed(&q, out->secret, sizeof(out->secret));
    out->on = sql_get_int(&q) != 0;
    out->step = sql_get_int(&q);
    out->made = sql_get_int(&q);
    sql_get_text(&q, out->made_by, sizeof(out->made_by));
    out->used = sql_get_int(&q);
    out->wrong = sql_get_int(&q);
    out->paused_until = sql_get_int(&q);
    out->told = sql_get_int(&q) != 0;
    if (q.bad)
        return sqlite_bad_row(&q, "factors", user_id, f);
    sql_end(&q);
    return 0;
}

static int set(struct store *s, const struct store_factor *factor, struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACTOR_SET);

    sql_put_int(&q, factor->user_id);
    sql_put_blob(&q, factor->secret, sizeof(factor->secret));
    sql_put_int(&q, factor->on);
    sql_put_int(&q, factor->step);
    sql_put_int(&q, factor->made);
    sql_put_text(&q, factor->made_by);
    sql_put_int(&q, factor->used);
    sql_put_int(&q, factor->wrong);
    sql_put_int(&q, factor->paused_until);
    sql_put_int(&q, factor->told);
    return sql_change(&q, f);
}

/* A statement whose only value is a number, whether it finds a row or not. */
static int run_with(struct store *s, enum sql_id id, int64_t value, struct fault *f)
{
    struct sql q = sql_start(s, id);

    sql_put_int(&q, value);
    return sql_run(&q, f);
}

static int remove_factor(struct store *s, int64_t user_id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACTOR_REMOVE);
    int rc;

    sql_put_int(&q, user_id);
    rc = sql_change(&q, f);
    if (rc == 0)
        rc = run_with(s, SQL_FACTOR_RECOVERY_CLEAR, user_id, f);
    return rc == 0 ? run_with(s, SQL_LEASE_CLEAR, user_id, f) : rc;
}

/* ---- recovery codes ---------------------------------------------------------------------------- */

static int recovery_set(struct store *s, int64_t user_id, uint8_t (*hashes)[STORE_FACTOR_HASH_LEN],
                        size_t count, struct fault *f)
{
    int rc = run_with(s, SQL_FACTOR_RECOVERY_CLEAR, user_id, f);

    for (size_t i = 0; i < count && rc == 0; i++) {
        struct sql q = sql_start(s, SQL_FACTOR_RECOVERY_ADD);

        sql_put_int(&q, user_id);
        sql_put_blob(&q, hashes[i], STORE_FACTOR_HASH_LEN);
        rc = sql_run(&q, f);
    }
    return rc;
}

static int recovery_use(struct store *s, int64_t user_id, const uint8_t *hash, struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACTOR_RECOVERY_USE);

    sql_put_int(&q, user_id);
    sql_put_blob(&q, hash, STORE_FACTOR_HASH_LEN);
    return sql_change(&q, f);
}

static int recovery_count(struct store *s, int64_t user_id, int64_t *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_FACTOR_RECOVERY_COUNT);
    int rc;

    sql_put_int(&q, user_id);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : PRA_EIO;
    *out = sql_get_int(&q);
    sql_end(&q);
    return 0;
}

/* ---- leases ------------------------------------------------------------------------------------ */

static int lease_add(struct store *s, const struct store_lease *l, int64_t most, int64_t *id,
                     struct fault *f)
{
    struct sql q = sql_start(s, SQL_LEASE_ADD);
    int rc;

    sql_put_int(&q, l->user_id);
    sql_put_int(&q, l->key_id);
    sql_put_text(&q, l->machine);
    sql_put_blob(&q, l->hash, sizeof(l->hash));
    sql_put_int(&q, l->made);
    sql_put_int(&q, l->expires);
    rc = sqlite_run_add(&q, id, f);
    if (rc != 0)
        return rc;
    q = sql_start(s, SQL_LEASE_TRIM);
    sql_put_int(&q, l->user_id);
    sql_put_int(&q, most);
    return sql_run(&q, f);
}

static int lease_each(struct store *s, int64_t user_id, store_lease_fn fn, void *ctx,
                      struct fault *f)
{
    struct sql q = sql_start(s, user_id != 0 ? SQL_LEASE_OF : SQL_LEASE_EACH);
    struct store_lease l;
    int rc;

    if (user_id != 0)
        sql_put_int(&q, user_id);
    while ((rc = sql_step(&q, f)) == 1) {
        l.id = sql_get_int(&q);
        l.user_id = sql_get_int(&q);
        l.key_id = sql_get_int(&q);
        sql_get_text(&q, l.machine, sizeof(l.machine));
        (void)sqlite_get_fixed(&q, l.hash, sizeof(l.hash));
        l.made = sql_get_int(&q);
        l.expires = sql_get_int(&q);
        if (q.bad)
            return sqlite_bad_row(&q, "factor_leases", l.id, f);
        rc = fn(&l, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

static int lease_delete(struct store *s, int64_t id, struct fault *f)
{
    return run_with(s, SQL_LEASE_DELETE, id, f);
}

static int lease_clear(struct store *s, int64_t user_id, int64_t *count, struct fault *f)
{
    int rc = run_with(s, SQL_LEASE_CLEAR, user_id, f);

    *count = rc == 0 ? sqlite3_changes(((struct sqlite_store *)s)->db) : 0;
    return rc;
}

static int lease_clear_key(struct store *s, int64_t key_id, struct fault *f)
{
    return run_with(s, SQL_LEASE_CLEAR_KEY, key_id, f);
}

static int lease_clear_group(struct store *s, int64_t group_id, struct fault *f)
{
    return run_with(s, SQL_LEASE_CLEAR_GROUP, group_id, f);
}

static int lease_expire(struct store *s, int64_t now, struct fault *f)
{
    return run_with(s, SQL_LEASE_EXPIRE, now, f);
}

const struct store_factor_ops sqlite_factor_ops = {.policy_get = policy_get,
                                                   .policy_set = policy_set,
                                                   .policy_each = policy_each,
                                                   .get = get,
                                                   .set = set,
                                                   .remove = remove_factor,
                                                   .recovery_set = recovery_set,
                                                   .recovery_use = recovery_use,
                                                   .recovery_count = recovery_count,
                                                   .lease_add = lease_add,
                                                   .lease_each = lease_each,
                                                   .lease_delete = lease_delete,
                                                   .lease_clear = lease_clear,
                                                   .lease_clear_key = lease_clear_key,
                                                   .lease_clear_group = lease_clear_group,
                                                   .lease_expire = lease_expire};
