/* Limits after login, and what was moved of them, in the store; a part of store.h. */
#ifndef PRA_SERVER_STORE_STORE_LIMITS_H
#define PRA_SERVER_STORE_STORE_LIMITS_H

#include "server/policy/policy.h"
#include "server/store/store_usage.h"

struct store;

/* Bytes that a user moved on a local day. */
struct store_quota {
    char user[POLICY_NAME_MAX + 1];
    char day[STORE_DAY_MAX];
    int64_t bytes;
};

/* Callbacks as in store.h. */
typedef int (*store_limits_fn)(const struct policy_limits_of *, void *ctx);
typedef int (*store_quota_fn)(const struct store_quota *, void *ctx);

struct store_limit_ops {
    /* Of the user, group or rule with this id; all unset if it has none. */
    int (*get)(struct store *s, enum policy_limits_kind kind, int64_t id, struct policy_limits *out,
               struct fault *f);
    /* Replaces all of them. Go with the user, group or rule when that is deleted. */
    int (*set)(struct store *s, enum policy_limits_kind kind, int64_t id,
               const struct policy_limits *in, struct fault *f);
    /* All of them, one call for each user, group and rule that has some. */
    int (*each)(struct store *s, store_limits_fn fn, void *ctx, struct fault *f);

    /* What was moved until now; replaces what was noted for that day. */
    int (*quota_put)(struct store *s, const struct store_quota *q, struct fault *f);
    /* Of days from `from` on. */
    int (*quota_each)(struct store *s, const char *from, store_quota_fn fn, void *ctx,
                      struct fault *f);
    int (*quota_tidy)(struct store *s, const char *before_day, struct fault *f);
};

#endif
