/*
 * What is odd about a list of rules, read in their order: rules that an earlier one always decides
 * before, forwards of the same local port, rules that are over. Only what is certain is said: a rule
 * for a name and one for addresses may or may not meet, so that is no finding.
 */
#include "server/admin/admin_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/os.h"

#define CHECKED_MAX 2000 /* rules of one user: each is compared with each before it */

struct checked {
    struct call *c;
    struct policy_rule *rule;
    size_t count;
    bool cut; /* there were more */
};

static int collect(const struct store_rule *r, void *ctx)
{
    struct checked *k = ctx;

    if (k->count == CHECKED_MAX)
        k->cut = true;
    else
        k->rule[k->count++] = r->rule;
    return 0;
}

static int collect_group(const char *group, const char *user, void *ctx)
{
    struct checked *k = ctx;

    (void)user;
    return k->c->a->store->ops->rule_each(k->c->a->store, true, group, collect, k, &k->c->f);
}

static int by_position(const void *va, const void *vb)
{
    const struct policy_rule *a = va, *b = vb;

    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static bool network_covers(const struct addr_cidr *a, const struct addr_cidr *b)
{
    return a->prefix <= b->prefix && addr_cidr_contains(a, &b->ip);
}

/* A single address as the network that it is. False for a name. */
static bool as_network(const struct policy_target *t, struct addr_cidr *out)
{
    if (t->is_network) {
        *out = t->cidr;
        return true;
    }
    *out = (struct addr_cidr){.ip = t->host.ip, .prefix = t->host.ip.family == 6 ? 128 : 32};
    return t->host.is_ip;
}

static bool target_covers(const struct policy_target *a, const struct policy_target *b)
{
    struct addr_cidr na, nb;
    bool a_net = as_network(a, &na), b_net = as_network(b, &nb);

    if (a->port_first > b->port_first || a->port_last < b->port_last)
        return false;
    if (a_net && b_net)
        return network_covers(&na, &nb);
    return !a_net && !b_net && strcmp(a->host.name, b->host.name) == 0;
}

/* Does `a` apply whenever `b` does, as far as source and time go? */
static bool conditions_cover(const struct policy_rule *a, const struct policy_rule *b)
{
    if (a->hours.count > 0)
        return false;
    if (a->expires != 0 && (b->expires == 0 || b->expires > a->expires))
        return false;
    return !a->has_from || (b->has_from && network_covers(&a->from, &b->from));
}

static bool same_local(const struct policy_rule *a, const struct policy_rule *b)
{
    return a->local.port != 0 && a->local.port == b->local.port &&
           addr_ip_equal(&a->local.ip, &b->local.ip);
}

static void add(json_t *list, const struct policy_rule *r, const char *kind,
                const struct policy_rule *by)
{
    json_t *o = json_pack("{s:I, s:o, s:s, s:o, s:o}", "rule", (json_int_t)r->id, "name",
                          json_text(r->name), "kind", kind, "by",
                          by != NULL ? json_integer((json_int_t)by->id) : json_null(), "by-name",
                          by != NULL ? json_text(by->name) : json_null());

    json_array_append_new(list, o);
}

/* The first finding of each kind for one rule. */
static void look_at(const struct checked *k, size_t at, int64_t now, json_t *list)
{
    const struct policy_rule *r = &k->rule[at];
    bool decided = false, local = false;

    if (r->expires != 0 && r->expires <= now) {
        add(list, r, "expired", NULL);
        return;
    }
    for (size_t i = 0; i < at && !(decided && local); i++) {
        const struct policy_rule *before = &k->rule[i];

        if (before->expires != 0 && before->expires <= now)
            continue;
        if (!decided && conditions_cover(before, r) && target_covers(&before->target, &r->target)) {
            add(list, r, before->action == r->action ? "redundant" : "never", before);
            decided = true;
        }
        if (!local && same_local(before, r) && conditions_cover(before, r)) {
            add(list, r, "same-local", before);
            local = true;
        }
    }
}

/* Rules of a group by themselves, or a user's as they are read for him. */
static int collect_all(struct checked *k, const char *user, const char *group)
{
    struct store *s = k->c->a->store;
    struct store_user u;
    struct store_group g;
    size_t own;
    int rc = user != NULL ? s->ops->user_get(s, user, &u, &k->c->f)
                          : s->ops->group_get(s, group, &g, &k->c->f);

    if (rc == 0)
        rc = s->ops->rule_each(s, user == NULL, user != NULL ? user : group, collect, k, &k->c->f);
    own = k->count;
    if (rc == 0 && user != NULL)
        rc = s->ops->member_each(s, user, collect_group, k, &k->c->f);
    if (rc == 0)
        qsort(k->rule + own, k->count - own, sizeof(*k->rule), by_position);
    return rc;
}

int op_rule_check(struct call *c)
{
    const char *user = arg_text(c, "user"), *group = arg_text(c, "group");
    struct checked k = {.c = c};
    json_t *list;
    int rc;

    if ((user == NULL) == (group == NULL))
        return fault_set(&c->f, PRA_EINVAL, "user, group: give one of the two");
    k.rule = calloc(CHECKED_MAX, sizeof(*k.rule));
    if (k.rule == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory");
    rc = collect_all(&k, user, group);
    list = json_array();
    for (size_t i = 0; i < k.count && rc == 0; i++)
        look_at(&k, i, os_time_now(), list);
    free(k.rule);
    if (rc != 0) {
        json_decref(list);
        return rc;
    }
    if (k.cut)
        warn(c, "only the first %d rules were looked at", CHECKED_MAX);
    return give(c, list);
}
