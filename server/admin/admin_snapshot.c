/*
 * From rows to a policy snapshot: everything is brought into arrays, compiled and thrown away.
 */
#include "server/admin/admin_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A growing array of elements of one size. */
struct list {
    void *items;
    size_t count, alloc, size;
};

struct loading {
    struct list users, members, keys, rules, limits;
    uint8_t *blobs;
    size_t blob_len, blob_alloc;
};

/* A new zeroed element at the end, NULL without memory. */
static void *list_add(struct list *l)
{
    if (l->count == l->alloc) {
        size_t alloc = l->alloc == 0 ? 64 : l->alloc * 2;
        void *items = realloc(l->items, alloc * l->size);

        if (items == NULL)
            return NULL;
        l->items = items;
        l->alloc = alloc;
    }
    void *item = (char *)l->items + l->count++ * l->size;
    memset(item, 0, l->size);
    return item;
}

static int load_user(const struct store_user *u, void *ctx)
{
    struct loading *load = ctx;
    struct policy_user *to = list_add(&load->users);

    if (to == NULL)
        return PRA_ENOMEM;
    memcpy(to->name, u->name, sizeof(to->name));
    to->enabled = u->enabled;
    to->clone = u->clone;
    return 0;
}

/* Users and what is set for them both come by name: one walk over the array meets each of them. */
struct factors {
    struct list *users;
    size_t at;
};

static int load_factor(const char *user, enum policy_factor policy, bool has_factor, void *ctx)
{
    struct factors *to = ctx;
    struct policy_user *users = to->users->items;

    while (to->at < to->users->count && strcmp(users[to->at].name, user) < 0)
        to->at++;
    if (to->at < to->users->count && strcmp(users[to->at].name, user) == 0) {
        users[to->at].factor = policy;
        users[to->at].has_factor = has_factor;
    }
    return 0;
}

static int load_member(const char *group, const char *user, void *ctx)
{
    struct loading *load = ctx;
    struct policy_member *to = list_add(&load->members);

    if (to == NULL)
        return PRA_ENOMEM;
    memcpy(to->group, group, strlen(group) + 1);
    memcpy(to->user, user, strlen(user) + 1);
    return 0;
}

static int load_blob(struct loading *load, const struct store_key *k)
{
    if (load->blob_len + k->blob_len > load->blob_alloc) {
        size_t alloc = load->blob_alloc * 2 + SSHKEY_BLOB_MAX * 4;
        uint8_t *blobs = realloc(load->blobs, alloc);

        if (blobs == NULL)
            return PRA_ENOMEM;
        load->blobs = blobs;
        load->blob_alloc = alloc;
    }
    memcpy(load->blobs + load->blob_len, k->blob, k->blob_len);
    load->blob_len += k->blob_len;
    return 0;
}

static int load_key(const struct store_key *k, void *ctx)
{
    struct loading *load = ctx;
    struct policy_key *to = list_add(&load->keys);

    if (to == NULL || load_blob(load, k) != 0)
        return PRA_ENOMEM;
    to->id = k->id;
    to->blob_len = k->blob_len;
    to->any_client = k->any_client;
    to->state = k->state;
    to->clone = k->clone;
    memcpy(to->user, k->user, sizeof(to->user));
    memcpy(to->fingerprint, k->fingerprint, sizeof(to->fingerprint));
    memcpy(to->comment, k->comment, sizeof(to->comment));
    return 0;
}

static int load_limits(const struct policy_limits_of *l, void *ctx)
{
    struct loading *load = ctx;
    struct policy_limits_of *to = list_add(&load->limits);

    if (to == NULL)
        return PRA_ENOMEM;
    *to = *l;
    return 0;
}

static int load_rule(const struct store_rule *r, void *ctx)
{
    struct loading *load = ctx;
    struct policy_rule *to = list_add(&load->rules);

    if (to == NULL)
        return PRA_ENOMEM;
    *to = r->rule;
    return 0;
}

/* ---- rules from the snapshot before ---------------------------------------------------------- */

/*
 * Reading and compiling 100,000 rules takes most of the time of a change: those of owners that this
 * transaction has not touched are as they were.
 */
static bool was_touched(bool is_group, const char *owner, void *ctx)
{
    const struct admin *a = ctx;

    return store_is_touched(a->store, is_group, owner);
}

static bool takes_over(const struct admin *a, bool fresh)
{
    return !fresh && a->policy != NULL && !a->store->touched.all;
}

static int load_rules(struct admin *a, bool fresh, struct loading *load, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    const struct store_touched *t = &a->store->touched;
    int rc = 0;

    if (!takes_over(a, fresh))
        return db->rule_load(a->store, load_rule, load, f);
    for (size_t i = 0; i < t->count && rc == 0; i++)
        rc = db->rule_each(a->store, t->owner[i].is_group, t->owner[i].name, load_rule, load, f);
    return rc;
}

/* The blobs do not move any more: point the keys at them. */
static void place_blobs(struct loading *load)
{
    struct policy_key *keys = load->keys.items;
    const uint8_t *at = load->blobs;

    for (size_t i = 0; i < load->keys.count; i++) {
        keys[i].blob = at;
        at += keys[i].blob_len;
    }
}

/* The gateway's local time: hours are written for the place where it stands (TZ, /etc/localtime). */
static unsigned local_week_minute(int64_t t, void *ctx)
{
    time_t when = (time_t)t;
    struct tm tm;

    (void)ctx;
    if (localtime_r(&when, &tm) == NULL)
        return 0;
    return (unsigned)((tm.tm_wday + 6) % 7 * 1440 + tm.tm_hour * 60 + tm.tm_min);
}

static int compile(struct admin *a, bool fresh, struct loading *load, uint64_t generation,
                   struct policy **out, struct fault *f)
{
    struct policy_input in = {.generation = generation,
                              .users = load->users.items,
                              .user_count = load->users.count,
                              .members = load->members.items,
                              .member_count = load->members.count,
                              .keys = load->keys.items,
                              .key_count = load->keys.count,
                              .rules = load->rules.items,
                              .rule_count = load->rules.count,
                              .before = takes_over(a, fresh) ? a->policy : NULL,
                              .changed = was_touched,
                              .changed_ctx = a,
                              .limits = load->limits.items,
                              .limit_count = load->limits.count,
                              .own = a->own,
                              .own_count = a->own_count,
                              .week_minute = local_week_minute};

    place_blobs(load);
    return policy_compile(&in, out, f);
}

int snapshot_load(struct admin *a, bool fresh, struct policy **out, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    struct loading load = {.users = {.size = sizeof(struct policy_user)},
                           .members = {.size = sizeof(struct policy_member)},
                           .keys = {.size = sizeof(struct policy_key)},
                           .rules = {.size = sizeof(struct policy_rule)},
                           .limits = {.size = sizeof(struct policy_limits_of)}};
    uint64_t generation = 0;
    int rc = db->generation(a->store, &generation, f);

    if (rc == 0)
        rc = db->user_each(a->store, load_user, &load, f);
    if (rc == 0)
        rc = db->factor->policy_each(a->store, load_factor, &(struct factors){.users = &load.users},
                                     f);
    if (rc == 0)
        rc = db->member_each(a->store, NULL, load_member, &load, f);
    if (rc == 0)
        rc = db->key_each(a->store, NULL, NULL, load_key, &load, f);
    if (rc == 0)
        rc = load_rules(a, fresh, &load, f);
    if (rc == 0)
        rc = db->limits->each(a->store, load_limits, &load, f);
    if (rc == 0)
        rc = compile(a, fresh, &load, generation, out, f);
    if (rc == PRA_ENOMEM)
        fault_set(f, rc, "no memory for the policy");
    free(load.users.items);
    free(load.members.items);
    free(load.keys.items);
    free(load.rules.items);
    free(load.limits.items);
    free(load.blobs);
    return rc;
}
