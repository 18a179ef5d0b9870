/* Second factors of users, as the store keeps them; a part of store.h. */
#ifndef PRA_SERVER_STORE_STORE_FACTOR_H
#define PRA_SERVER_STORE_STORE_FACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "server/policy/policy.h"

#define STORE_FACTOR_SECRET_LEN  20 /* as many as SHA-1 gives: RFC 4226, 4 */
#define STORE_FACTOR_HASH_LEN    32
#define STORE_FACTOR_MACHINE_MAX 16

struct store;

/* A user's authenticator app. */
struct store_factor {
    int64_t user_id;
    uint8_t secret[STORE_FACTOR_SECRET_LEN];
    bool on;      /* confirmed by a code: log-ins are asked for one */
    int64_t step; /* of the last code that was taken: none up to it is good */
    int64_t made; /* when the secret was made, */
    char made_by[POLICY_NAME_MAX + 1];
    int64_t used;         /* when a code was last good, 0 = never */
    int64_t wrong;        /* codes since then that were not */
    int64_t paused_until; /* no code is looked at before */
    bool told;            /* the audit has this pause */
};

/* What spares the same device the next code for a while. The token itself is the client's. */
struct store_lease {
    int64_t id, user_id, key_id;
    char machine[STORE_FACTOR_MACHINE_MAX + 1];
    uint8_t hash[STORE_FACTOR_HASH_LEN]; /* of the token */
    int64_t made, expires;
};

/* Callbacks as in store.h. */
typedef int (*store_lease_fn)(const struct store_lease *, void *ctx);
typedef int (*store_factor_policy_fn)(const char *user, enum policy_factor policy, bool has_factor,
                                      void *ctx);

struct store_factor_ops {
    /* What is set for a user, or a group, itself: POLICY_FACTOR_INHERIT if nothing is. */
    int (*policy_get)(struct store *s, bool is_group, int64_t owner, enum policy_factor *out,
                      struct fault *f);
    int (*policy_set)(struct store *s, bool is_group, int64_t owner, enum policy_factor policy,
                      struct fault *f);
    /* Users for whom something is set, himself or by a group (then the strictest), or who have a
       confirmed factor; by name. */
    int (*policy_each)(struct store *s, store_factor_policy_fn fn, void *ctx, struct fault *f);

    int (*get)(struct store *s, int64_t user_id, struct store_factor *out, struct fault *f);
    /* Adds it, or replaces the one that the user has. */
    int (*set)(struct store *s, const struct store_factor *factor, struct fault *f);
    /* With recovery codes and leases. PRA_ENOENT: he has none. */
    int (*remove)(struct store *s, int64_t user_id, struct fault *f);

    int (*recovery_set)(struct store *s, int64_t user_id, uint8_t (*hashes)[STORE_FACTOR_HASH_LEN],
                        size_t count, struct fault *f);
    /* Removes it. PRA_ENOENT: there is none such. */
    int (*recovery_use)(struct store *s, int64_t user_id, const uint8_t *hash, struct fault *f);
    int (*recovery_count)(struct store *s, int64_t user_id, int64_t *out, struct fault *f);

    /* The oldest of this user beyond `most` go. */
    int (*lease_add)(struct store *s, const struct store_lease *l, int64_t most, int64_t *id,
                     struct fault *f);
    /* `user_id` 0 = all; newest first. */
    int (*lease_each)(struct store *s, int64_t user_id, store_lease_fn fn, void *ctx,
                      struct fault *f);
    int (*lease_delete)(struct store *s, int64_t id, struct fault *f);
    int (*lease_clear)(struct store *s, int64_t user_id, int64_t *count, struct fault *f);
    int (*lease_clear_key)(struct store *s, int64_t key_id, struct fault *f);
    int (*lease_clear_group)(struct store *s, int64_t group_id, struct fault *f);
    int (*lease_expire)(struct store *s, int64_t now, struct fault *f);
};

#endif
