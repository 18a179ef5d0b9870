/*
 * Inside of a policy snapshot; only for policy*.c.
 *
 * The rules of an owner, a user or a group, are a ruleset: ordered by (position, id), so "earlier
 * rule" is "smaller number". It never changes, and snapshots share it: a change of one owner's
 * rules costs that owner's rules, not those of everybody.
 *
 * Rules that could match the same request share a bucket: same target (a name, or a network), same
 * single port or any range. A request looks into the buckets of its name and of its address cut to
 * each prefix length that the owner uses - at most 33 (IPv4) or 129 (IPv6) of them, however many
 * rules there are.
 */
#ifndef PRA_SERVER_POLICY_POLICY_INTERNAL_H
#define PRA_SERVER_POLICY_POLICY_INTERNAL_H

#include <stdatomic.h>

#include "server/policy/policy.h"

#define POLICY_NONE UINT32_MAX

/* A hash table from 64-bit hashes to item numbers; the caller compares the items. */
struct table_slot {
    uint32_t hash;
    uint32_t item; /* POLICY_NONE = free */
};
struct table {
    struct table_slot *slots;
    uint32_t mask;
};

/* Room for `items` entries. Returns 0, PRA_ENOMEM. */
int table_init(struct table *t, size_t items);
void table_free(struct table *t);
void table_put(struct table *t, uint64_t hash, uint32_t item);
/*
 * Walks the items with this hash: set *cursor to POLICY_NONE first; returns POLICY_NONE after the
 * last one.
 */
uint32_t table_next(const struct table *t, uint64_t hash, uint32_t *cursor);

uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);

enum bucket_kind {
    BUCKET_NAME, /* targets that are this host name */
    BUCKET_NET,  /* targets that are this network or address */
    BUCKET_PORT  /* every address or network target, whatever it is: "would need the address" */
};

struct bucket_key {
    uint16_t port; /* 0 = targets with a range of ports */
    uint8_t kind, family, prefix;
    uint8_t ip[16];   /* cut to prefix */
    const char *name; /* BUCKET_NAME only, else NULL */
};

struct bucket {
    struct bucket_key key;
    uint32_t head, tail; /* rule numbers, ascending along next[] */
};

struct ruleset {
    atomic_uint refs;
    bool timed; /* some rule has hours or expires */
    uint32_t count, bucket_count;
    struct policy_rule *rules;
    uint32_t *next_target, *next_port; /* chains of the buckets, by rule number */
    struct bucket *buckets;
    struct table by_id, by_bucket;
    uint64_t v4; /* bit n: there is an IPv4 target with prefix n */
    uint64_t v6[3];
};

/* For `count` rules, which come by ruleset_add(). NULL without memory. */
struct ruleset *ruleset_new(size_t count);
struct ruleset *ruleset_ref(struct ruleset *s);
void ruleset_unref(struct ruleset *s); /* NULL is fine */
/* Copies `r`. Call in ascending order, at most `count` times. Returns 0, PRA_EINVAL (id is there). */
int ruleset_add(struct ruleset *s, const struct policy_rule *r);
/* The bucket with this key, NULL if there is none. */
const struct bucket *ruleset_bucket(const struct ruleset *s, const struct bucket_key *key);
const struct policy_rule *ruleset_find(const struct ruleset *s, int64_t id);

struct policy {
    atomic_uint refs;
    uint64_t generation;

    struct policy_user *users;
    uint32_t user_count;
    char (*groups)[POLICY_NAME_MAX + 1];
    uint32_t group_count;
    struct ruleset **rulesets; /* of users (by number), then of groups; NULL = no rules */
    uint32_t *member_first;    /* user_count + 1; groups of user u: members[member_first[u]], ... */
    uint32_t *members;         /* numbers of owners: user_count + number of the group */

    struct policy_key *keys;
    uint32_t key_count;
    uint8_t *blobs; /* what keys[].blob point into */

    struct policy_limits_of *limits;
    uint32_t limit_count;

    struct table by_user, by_group, by_key, by_limit;

    struct addr_ip *own;
    size_t own_count;

    policy_week_minute_fn week_minute;
    void *week_ctx;
    int64_t *expiries; /* ascending */
    size_t expiry_count;
    uint16_t
        *boundaries; /* minutes of the week at which some rule's hours begin or end, ascending */
    size_t boundary_count;
};

#define WEEK_MINUTES 10080u

/* Number of a user; POLICY_NONE if there is none. */
uint32_t policy_user_number(const struct policy *p, const char *name);

/* `ip` with everything behind `prefix` bits cleared. */
struct addr_ip policy_mask(const struct addr_ip *ip, unsigned prefix);

/* Takes over the limits. Returns 0, PRA_ENOMEM. */
int policy_compile_limits(struct policy *p, const struct policy_input *in);

/* Collects expiries and boundaries. Returns 0, PRA_ENOMEM. */
int policy_index_times(struct policy *p);

#endif
