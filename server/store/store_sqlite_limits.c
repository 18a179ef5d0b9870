/* The SQLite back end: limits after login, a row for each that is set, and what was moved of quotas. */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

/* ---- limits -------------------------------------------------------------------------------------- */

static int limits_get(struct store *s, enum policy_limits_kind kind, int64_t id,
                      struct policy_limits *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_LIMITS_GET);
    char word[STORE_WORD_MAX];
    int rc;

    memset(out, 0, sizeof(*out));
    sql_put_int(&q, kind);
    sql_put_int(&q, id);
    while ((rc = sql_step(&q, f)) == 1) {
        enum policy_limit limit;

        sql_get_text(&q, word, sizeof(word));
        limit = policy_limit_find(word);
        if (limit < LIMIT_COUNT) /* else a newer program's */
            out->value[limit] = sql_get_int(&q);
    }
    return rc;
}

static int limits_set(struct store *s, enum policy_limits_kind kind, int64_t id,
                      const struct policy_limits *in, struct fault *f)
{
    struct sql q = sql_start(s, SQL_LIMITS_CLEAR);
    int rc;

    sql_put_int(&q, kind);
    sql_put_int(&q, id);
    rc = sql_run(&q, f);
    for (unsigned i = 0; i < LIMIT_COUNT && rc == 0; i++) {
        if (in->value[i] == POLICY_UNSET)
            continue;
        q = sql_start(s, SQL_LIMITS_ADD);
        sql_put_int(&q, kind);
        sql_put_int(&q, id);
        sql_put_text(&q, policy_limit_word((enum policy_limit)i));
        sql_put_int(&q, in->value[i]);
        rc = sql_run(&q, f);
    }
    return rc;
}

/* Rows come sorted by whose they are: what belongs together is handed on when the next one begins. */
static int limits_each(struct store *s, store_limits_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_LIMITS_EACH);
    struct policy_limits_of of = {0};
    int64_t owner = 0;
    bool any = false;
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        enum policy_limits_kind kind = (enum policy_limits_kind)sql_get_int(&q);
        int64_t id = sql_get_int(&q);
        char word[STORE_WORD_MAX];
        enum policy_limit limit;

        if (any && (of.kind != kind || owner != id) && (rc = fn(&of, ctx)) != 0) {
            sql_end(&q);
            return rc;
        }
        if (!any || of.kind != kind || owner != id)
            memset(&of, 0, sizeof(of));
        any = true;
        of.kind = kind;
        owner = id;
        of.rule = kind == POLICY_LIMITS_RULE ? id : 0;
        sql_get_text(&q, of.name, sizeof(of.name));
        sql_get_text(&q, word, sizeof(word));
        limit = policy_limit_find(word);
        if (limit < LIMIT_COUNT)
            of.limits.value[limit] = sql_get_int(&q);
    }
    return rc == 0 && any ? fn(&of, ctx) : rc;
}

/* ---- quotas -------------------------------------------------------------------------------------- */

static int quota_put(struct store *s, const struct store_quota *in, struct fault *f)
{
    struct sql q = sql_start(s, SQL_QUOTA_PUT);

    sql_put_text(&q, in->user);
    sql_put_text(&q, in->day);
    sql_put_int(&q, in->bytes);
    return sql_run(&q, f);
}

static int quota_each(struct store *s, const char *from, store_quota_fn fn, void *ctx,
                      struct fault *f)
{
    struct sql q = sql_start(s, SQL_QUOTA_EACH);
    struct store_quota one;
    int rc;

    sql_put_text(&q, from);
    while ((rc = sql_step(&q, f)) == 1) {
        memset(&one, 0, sizeof(one));
        sql_get_text(&q, one.user, sizeof(one.user));
        sql_get_text(&q, one.day, sizeof(one.day));
        one.bytes = sql_get_int(&q);
        rc = fn(&one, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

static int quota_tidy(struct store *s, const char *before_day, struct fault *f)
{
    struct sql q = sql_start(s, SQL_QUOTA_TIDY);

    sql_put_text(&q, before_day);
    return sql_run(&q, f);
}

const struct store_limit_ops sqlite_limit_ops = {.get = limits_get,
                                                 .set = limits_set,
                                                 .each = limits_each,
                                                 .quota_put = quota_put,
                                                 .quota_each = quota_each,
                                                 .quota_tidy = quota_tidy};
