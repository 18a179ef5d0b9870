/*
 * Compiling a policy snapshot and finding things in it by name. The snapshot owns copies of all
 * it was given, never changes once compiled, and is shared between threads by its count of
 * references.
 */
#include "server/policy/policy_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *policy_reason_word(enum policy_reason r)
{
    static const char *const words[] = {
#define X(id, word) [id] = word,
        POLICY_REASON_MAP(X)
#undef X
    };
    return (unsigned)r < sizeof(words) / sizeof(words[0]) ? words[r] : "unknown";
}

struct policy *policy_ref(struct policy *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

static void policy_free(struct policy *p)
{
    table_free(&p->by_user);
    table_free(&p->by_group);
    table_free(&p->by_key);
    for (uint32_t i = 0; p->rulesets != NULL && i < p->user_count + p->group_count; i++)
        ruleset_unref(p->rulesets[i]);
    free(p->rulesets);
    table_free(&p->by_limit);
    free(p->limits);
    free(p->users);
    free(p->groups);
    free(p->member_first);
    free(p->members);
    free(p->keys);
    free(p->blobs);
    free(p->own);
    free(p->expiries);
    free(p->boundaries);
    free(p);
}

void policy_unref(struct policy *p)
{
    if (p != NULL && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
        policy_free(p);
}

uint64_t policy_generation(const struct policy *p)
{
    return p->generation;
}

/* ---- finding ----------------------------------------------------------------------------------- */

static uint64_t name_hash(const char *name)
{
    return hash_bytes(0, name, strlen(name));
}

static uint64_t blob_hash(uint32_t user, const uint8_t *blob, size_t len)
{
    return hash_bytes(user, blob, len);
}

uint32_t policy_user_number(const struct policy *p, const char *name)
{
    uint64_t hash = name_hash(name);
    uint32_t cursor = POLICY_NONE, u;

    while ((u = table_next(&p->by_user, hash, &cursor)) != POLICY_NONE) {
        if (strcmp(p->users[u].name, name) == 0)
            return u;
    }
    return POLICY_NONE;
}

static uint32_t group_number(const struct policy *p, const char *name)
{
    uint64_t hash = name_hash(name);
    uint32_t cursor = POLICY_NONE, g;

    while ((g = table_next(&p->by_group, hash, &cursor)) != POLICY_NONE) {
        if (strcmp(p->groups[g], name) == 0)
            return g;
    }
    return POLICY_NONE;
}

const struct policy_user *policy_find_user(const struct policy *p, const char *name)
{
    uint32_t u = policy_user_number(p, name);

    return u == POLICY_NONE ? NULL : &p->users[u];
}

const struct policy_key *policy_find_key(const struct policy *p, const char *user,
                                         const uint8_t *blob, size_t blob_len)
{
    uint32_t u = policy_user_number(p, user);
    uint32_t cursor = POLICY_NONE, k;

    if (u == POLICY_NONE)
        return NULL;
    uint64_t hash = blob_hash(u, blob, blob_len);
    while ((k = table_next(&p->by_key, hash, &cursor)) != POLICY_NONE) {
        const struct policy_key *key = &p->keys[k];

        if (key->blob_len == blob_len && memcmp(key->blob, blob, blob_len) == 0 &&
            strcmp(key->user, user) == 0)
            return key;
    }
    return NULL;
}

const struct policy_rule *policy_find_rule(const struct policy *p, const char *user, int64_t id)
{
    uint32_t u = policy_user_number(p, user);

    if (u == POLICY_NONE)
        return NULL;
    const struct policy_rule *r = p->rulesets[u] ? ruleset_find(p->rulesets[u], id) : NULL;
    for (uint32_t m = p->member_first[u]; r == NULL && m < p->member_first[u + 1]; m++) {
        const struct ruleset *s = p->rulesets[p->members[m]];

        r = s != NULL ? ruleset_find(s, id) : NULL;
    }
    return r;
}

/* ---- compiling --------------------------------------------------------------------------------- */

/* An array of `n` elements, never NULL on success even for none. */
static void *new_array(size_t n, size_t size)
{
    return calloc(n == 0 ? 1 : n, size);
}

static bool name_ok(const char *name, size_t cap)
{
    size_t len = strnlen(name, cap);

    return len > 0 && len < cap;
}

static int compile_users(struct policy *p, const struct policy_input *in, struct fault *f)
{
    p->users = new_array(in->user_count, sizeof(*p->users));
    if (p->users == NULL || table_init(&p->by_user, in->user_count) != 0)
        return PRA_ENOMEM;
    for (size_t i = 0; i < in->user_count; i++) {
        const struct policy_user *u = &in->users[i];

        if (!name_ok(u->name, sizeof(u->name)))
            return fault_set(f, PRA_EINVAL, "user number %zu has no valid name", i + 1);
        if (policy_user_number(p, u->name) != POLICY_NONE)
            return fault_set(f, PRA_EINVAL, "user '%s' is given twice", u->name);
        p->users[p->user_count] = *u;
        table_put(&p->by_user, name_hash(u->name), p->user_count++);
    }
    return 0;
}

static int add_group(struct policy *p, const char *name, struct fault *f)
{
    if (!name_ok(name, POLICY_NAME_MAX + 1))
        return fault_set(f, PRA_EINVAL, "a group has no valid name");
    if (group_number(p, name) != POLICY_NONE)
        return 0;
    memcpy(p->groups[p->group_count], name, strlen(name) + 1);
    table_put(&p->by_group, name_hash(name), p->group_count++);
    return 0;
}

/* Whether a ruleset of the snapshot before goes on to be this group's. */
static bool keeps_group(const struct policy_input *in, uint32_t group)
{
    const struct policy *before = in->before;

    return before->rulesets[before->user_count + group] != NULL &&
           !in->changed(true, before->groups[group], in->changed_ctx);
}

/* Groups are known by being mentioned: a group without members or rules has no effect. */
static int compile_groups(struct policy *p, const struct policy_input *in, struct fault *f)
{
    size_t max = in->member_count + (in->before ? in->before->group_count : 0);
    int rc = 0;

    for (size_t i = 0; i < in->rule_count; i++)
        max += in->rules[i].is_group;
    p->groups = new_array(max, sizeof(*p->groups));
    if (p->groups == NULL || table_init(&p->by_group, max) != 0)
        return PRA_ENOMEM;
    for (size_t i = 0; i < in->member_count && rc == 0; i++)
        rc = add_group(p, in->members[i].group, f);
    for (size_t i = 0; i < in->rule_count && rc == 0; i++) {
        if (in->rules[i].is_group)
            rc = add_group(p, in->rules[i].owner, f);
    }
    for (uint32_t g = 0; in->before != NULL && g < in->before->group_count && rc == 0; g++) {
        if (keeps_group(in, g))
            rc = add_group(p, in->before->groups[g], f);
    }
    return rc;
}

/*
 * Members as one array of owner numbers, grouped by user: count per user, add up so that each
 * entry is the end of the user's part, then fill from the back, which moves it to the start.
 */
static int compile_members(struct policy *p, const struct policy_input *in, struct fault *f)
{
    uint32_t *first = new_array((size_t)p->user_count + 1, sizeof(*first));

    p->member_first = first;
    p->members = new_array(in->member_count, sizeof(*p->members));
    if (first == NULL || p->members == NULL)
        return PRA_ENOMEM;
    for (size_t i = 0; i < in->member_count; i++) {
        uint32_t u = policy_user_number(p, in->members[i].user);

        if (u == POLICY_NONE)
            return fault_set(f, PRA_EINVAL, "group '%s': there is no user '%s'",
                             in->members[i].group, in->members[i].user);
        if (++first[u] > POLICY_GROUPS_MAX)
            return fault_set(f, PRA_EINVAL, "user '%s' is in more than %d groups",
                             in->members[i].user, POLICY_GROUPS_MAX);
    }
    for (uint32_t u = 1; u <= p->user_count; u++)
        first[u] += first[u - 1];
    for (size_t i = in->member_count; i-- > 0;) {
        uint32_t u = policy_user_number(p, in->members[i].user);

        p->members[--first[u]] = p->user_count + group_number(p, in->members[i].group);
    }
    return 0;
}

static int compile_keys(struct policy *p, const struct policy_input *in, struct fault *f)
{
    size_t bytes = 0;

    for (size_t i = 0; i < in->key_count; i++)
        bytes += in->keys[i].blob_len;
    p->keys = new_array(in->key_count, sizeof(*p->keys));
    p->blobs = new_array(bytes, 1);
    if (p->keys == NULL || p->blobs == NULL || table_init(&p->by_key, in->key_count) != 0)
        return PRA_ENOMEM;

    uint8_t *to = p->blobs;
    for (size_t i = 0; i < in->key_count; i++) {
        struct policy_key *k = &p->keys[p->key_count];
        uint32_t u = policy_user_number(p, in->keys[i].user);

        if (u == POLICY_NONE)
            return fault_set(f, PRA_EINVAL, "key %" PRId64 ": there is no user '%s'",
                             in->keys[i].id, in->keys[i].user);
        *k = in->keys[i];
        memcpy(to, in->keys[i].blob, k->blob_len);
        k->blob = to;
        to += k->blob_len;
        table_put(&p->by_key, blob_hash(u, k->blob, k->blob_len), p->key_count++);
    }
    return 0;
}

static int check_rule(const struct policy_rule *r, struct fault *f)
{
    const struct policy_target *t = &r->target;
    uint8_t family = t->is_network ? t->cidr.ip.family : t->host.ip.family;
    bool by_name = !t->is_network && !t->host.is_ip;

    if (t->port_first == 0 || t->port_first > t->port_last)
        return fault_set(f, PRA_EINVAL, "rule %" PRId64 ": its ports are not valid", r->id);
    if (by_name ? !name_ok(t->host.name, sizeof(t->host.name)) : family != 4 && family != 6)
        return fault_set(f, PRA_EINVAL, "rule %" PRId64 ": its target is not valid", r->id);
    if (t->is_network && t->cidr.prefix > (family == 4 ? 32 : 128))
        return fault_set(f, PRA_EINVAL, "rule %" PRId64 ": its network is not valid", r->id);
    if (r->hours.count > POLICY_HOURS_MAX)
        return fault_set(f, PRA_EINVAL, "rule %" PRId64 ": too many hours", r->id);
    return 0;
}

/* Rules are sorted by this and copied afterwards: a rule is too large to be moved about. */
struct order {
    uint32_t owner;
    int64_t position, id;
    uint32_t index; /* in the input */
};

static int compare_order(const void *va, const void *vb)
{
    const struct order *a = va, *b = vb;

    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int order_rules(struct policy *p, const struct policy_input *in, struct order *order,
                       struct fault *f)
{
    for (uint32_t i = 0; i < in->rule_count; i++) {
        const struct policy_rule *r = &in->rules[i];
        uint32_t n = r->is_group ? group_number(p, r->owner) : policy_user_number(p, r->owner);

        if (n == POLICY_NONE)
            return fault_set(f, PRA_EINVAL, "rule %" PRId64 ": there is no user '%s'", r->id,
                             r->owner);
        if (check_rule(r, f) != 0)
            return PRA_EINVAL;
        order[i] = (struct order){.owner = r->is_group ? p->user_count + n : n,
                                  .position = r->position,
                                  .id = r->id,
                                  .index = i};
    }
    qsort(order, in->rule_count, sizeof(*order), compare_order);
    return 0;
}

/* The rules of one owner: order[0], ..., order[count - 1]. */
static int compile_ruleset(struct policy *p, const struct policy_input *in,
                           const struct order *order, size_t count, struct fault *f)
{
    struct ruleset *s = ruleset_new(count);

    if (s == NULL)
        return PRA_ENOMEM;
    p->rulesets[order->owner] = s;
    for (size_t i = 0; i < count; i++) {
        if (ruleset_add(s, &in->rules[order[i].index]) != 0)
            return fault_set(f, PRA_EINVAL, "rule %" PRId64 " is given twice", order[i].id);
    }
    return 0;
}

static int compile_rules(struct policy *p, const struct policy_input *in, struct fault *f)
{
    struct order *order = new_array(in->rule_count, sizeof(*order));
    size_t end;

    p->rulesets = new_array((size_t)p->user_count + p->group_count, sizeof(*p->rulesets));
    int rc = order == NULL || p->rulesets == NULL ? PRA_ENOMEM : order_rules(p, in, order, f);
    for (size_t i = 0; i < in->rule_count && rc == 0; i = end) {
        for (end = i + 1; end < in->rule_count && order[end].owner == order[i].owner;)
            end++;
        rc = compile_ruleset(p, in, &order[i], end - i, f);
    }
    free(order);
    return rc;
}

/* Owners that are not `changed`: what was compiled for the snapshot before. */
static void keep_rules(struct policy *p, const struct policy_input *in)
{
    const struct policy *before = in->before;

    for (uint32_t i = 0; before != NULL && i < before->user_count; i++) {
        const char *name = before->users[i].name;
        struct ruleset *s = before->rulesets[i];
        uint32_t u;

        if (s == NULL || in->changed(false, name, in->changed_ctx))
            continue;
        u = policy_user_number(p, name);
        if (u != POLICY_NONE && p->rulesets[u] == NULL)
            p->rulesets[u] = ruleset_ref(s);
    }
    for (uint32_t g = 0; before != NULL && g < before->group_count; g++) {
        if (!keeps_group(in, g))
            continue;
        struct ruleset **to = &p->rulesets[p->user_count + group_number(p, before->groups[g])];
        if (*to == NULL)
            *to = ruleset_ref(before->rulesets[before->user_count + g]);
    }
}

static int compile_own(struct policy *p, const struct policy_input *in)
{
    p->own = new_array(in->own_count, sizeof(*p->own));
    if (p->own == NULL)
        return PRA_ENOMEM;
    for (size_t i = 0; i < in->own_count; i++)
        p->own[i] = addr_ip_unmap(&in->own[i]);
    p->own_count = in->own_count;
    return 0;
}

int policy_compile(const struct policy_input *in, struct policy **out, struct fault *f)
{
    const size_t max = POLICY_ITEMS_MAX;
    struct policy *p;
    int rc;

    if (in->user_count > max || in->member_count > max || in->key_count > max ||
        in->rule_count > max)
        return fault_set(f, PRA_EINVAL, "more than %zu users, members, keys or rules", max);
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory for the policy");
    atomic_init(&p->refs, 1);
    p->generation = in->generation;
    p->week_minute = in->week_minute;
    p->week_ctx = in->week_ctx;
    rc = compile_users(p, in, f);
    if (rc == 0)
        rc = compile_groups(p, in, f);
    if (rc == 0)
        rc = compile_members(p, in, f);
    if (rc == 0)
        rc = compile_keys(p, in, f);
    if (rc == 0)
        rc = compile_rules(p, in, f);
    if (rc == 0) {
        keep_rules(p, in);
        rc = policy_index_times(p);
    }
    if (rc == 0)
        rc = policy_compile_limits(p, in);
    if (rc == 0)
        rc = compile_own(p, in);
    if (rc != 0) {
        policy_free(p);
        return rc == PRA_ENOMEM ? fault_set(f, rc, "no memory for the policy") : rc;
    }
    *out = p;
    return 0;
}
