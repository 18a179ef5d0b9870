/*
 * Operations on rules: parsing, checks of what makes sense together, and the warnings of the
 * rule editor.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

/* ---- as JSON ----------------------------------------------------------------------------------- */

static json_t *local_json(const struct policy_local *l)
{
    char text[32];

    if (l->port == 0)
        return json_null();
    policy_format_local(l, text, sizeof(text));
    return json_string(text);
}

json_t *rule_json(const struct store_rule *in)
{
    const struct policy_rule *r = &in->rule;
    char target[ADDR_TEXT_MAX + 8], source[50];

    policy_format_target(&r->target, target, sizeof(target));
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:b, s:o, s:o}", "id",
        (json_int_t)r->id, "user", r->is_group ? json_null() : json_text(r->owner), "group",
        r->is_group ? json_text(r->owner) : json_null(), "name", json_text(r->name), "target",
        target, "local", local_json(&r->local), "fallback", local_json(&r->fallback), "position",
        (json_int_t)r->position, "action", r->action == POLICY_ACTION_ALLOW ? "allow" : "deny",
        "from", r->has_from ? json_string(addr_format_cidr(&r->from, source)) : json_null(),
        "hours", json_text_or_null(in->hours), "expires", json_when(r->expires), "log", r->log,
        "limits", limits_json(&in->limits), "created", json_when(in->created));
}

/* ---- adding ------------------------------------------------------------------------------------ */

static int read_owner(struct call *c, struct policy_rule *r)
{
    struct store *s = c->a->store;
    const char *user = arg_text(c, "user"), *group = arg_text(c, "group");
    struct store_group g;
    struct store_user u;
    int rc;

    if ((user == NULL) == (group == NULL))
        return fault_set(&c->f, PRA_EINVAL, "user, group: give one of the two");
    r->is_group = group != NULL;
    rc =
        r->is_group ? s->ops->group_get(s, group, &g, &c->f) : s->ops->user_get(s, user, &u, &c->f);
    if (rc != 0)
        return fault_wrap(&c->f, rc, r->is_group ? "group" : "user");
    snprintf(r->owner, sizeof(r->owner), "%s", r->is_group ? g.name : u.name);
    return 0;
}

static int read_name(struct call *c, struct policy_rule *r)
{
    const char *name = arg_text(c, "name");

    if (strlen(name) > POLICY_LABEL_MAX)
        return fault_set(&c->f, PRA_EINVAL, "name: longer than %d bytes", POLICY_LABEL_MAX);
    if (check_label(c, "name", name) != 0)
        return PRA_EINVAL;
    memcpy(r->name, name, strlen(name) + 1);
    return 0;
}

static int read_action(struct call *c, struct policy_rule *r)
{
    const char *action = arg_text(c, "action");

    if (action == NULL || strcmp(action, "allow") == 0)
        r->action = POLICY_ACTION_ALLOW;
    else if (strcmp(action, "deny") == 0)
        r->action = POLICY_ACTION_DENY;
    else
        return fault_set(&c->f, PRA_EINVAL, "action: must be allow or deny");
    return 0;
}

static int read_conditions(struct call *c, struct store_rule *out)
{
    const char *from = arg_text(c, "from"), *hours = arg_text(c, "hours");
    struct policy_rule *r = &out->rule;

    if (from != NULL) {
        if (addr_parse_cidr(from, strlen(from), &r->from) != 0)
            return fault_set(&c->f, PRA_EINVAL,
                             "from: '%.60s' is no network such as 192.0.2.0/24 (the bits behind "
                             "the prefix must be zero)",
                             from);
        r->has_from = true;
    }
    if (hours != NULL) {
        if (policy_parse_hours(hours, &r->hours, &c->f) != 0)
            return PRA_EINVAL;
        memcpy(out->hours, hours, strlen(hours) + 1);
    }
    if (arg_text(c, "expires") != NULL) {
        if (parse_when(c, "expires", &r->expires) != 0)
            return PRA_EINVAL;
        if (r->expires <= 0)
            return fault_set(&c->f, PRA_EINVAL, "expires: lies before 1970");
    }
    return 0;
}

static int read_rule(struct call *c, struct store_rule *out)
{
    const char *local = arg_text(c, "local"), *fallback = arg_text(c, "fallback");
    struct policy_rule *r = &out->rule;
    int rc = read_owner(c, r);

    if (rc == 0)
        rc = read_name(c, r);
    if (rc == 0)
        rc = policy_parse_target(arg_text(c, "target"), &r->target, &c->f);
    if (rc == 0 && local != NULL)
        rc = policy_parse_local(local, &r->local, &c->f);
    if (rc == 0 && fallback != NULL && policy_parse_local(fallback, &r->fallback, &c->f) != 0)
        rc = fault_wrap(&c->f, PRA_EINVAL, "fallback");
    if (rc == 0)
        rc = read_action(c, r);
    if (rc == 0)
        rc = read_conditions(c, out);
    if (rc == 0)
        rc = limits_read(c, true, &out->limits);
    r->log = arg_bool(c, "log");
    r->position = arg_int(c, "position");
    if (rc == 0 && json_object_get(c->args, "position") != NULL && r->position < 1)
        return fault_set(&c->f, PRA_EINVAL, "position: the first is 1");
    out->created = os_time_now();
    return rc;
}

/* Parts that only make sense together. */
static int check_forward(struct call *c, const struct policy_rule *r)
{
    if (r->local.port == 0)
        return r->fallback.port == 0
                   ? 0
                   : fault_set(&c->f, PRA_EINVAL, "fallback: needs local, which it stands in for");
    if (r->action == POLICY_ACTION_DENY)
        return fault_set(&c->f, PRA_EINVAL,
                         "local: a rule that denies delivers no forward; leave local out");
    if (r->target.is_network)
        return fault_set(&c->f, PRA_EINVAL,
                         "local: a forward leads to one host, but the target is a network");
    if (r->target.port_first != r->target.port_last)
        return fault_set(&c->f, PRA_EINVAL,
                         "local: a forward leads to one port, but the target is a range of ports");
    if (r->fallback.port == r->local.port && addr_ip_equal(&r->fallback.ip, &r->local.ip))
        return fault_set(&c->f, PRA_EINVAL, "fallback: is the same as local");
    return 0;
}

/* ---- warnings ---------------------------------------------------------------------------------- */

/* Protocols that put addresses or ports inside their data (A10): a forward carries only half. */
static const struct {
    uint16_t port;
    const char *name;
} carries_addresses[] = {
    {21, "FTP (active and passive mode)"},
    {111, "the RPC port mapper"},
    {135, "Windows RPC"},
    {554, "RTSP"},
    {1720, "H.323"},
    {5060, "SIP"},
};

static void warn_about_protocol(struct call *c, const struct policy_rule *r)
{
    if (r->target.port_first != r->target.port_last || r->action == POLICY_ACTION_DENY)
        return;
    for (size_t i = 0; i < sizeof(carries_addresses) / sizeof(carries_addresses[0]); i++) {
        if (r->target.port_first == carries_addresses[i].port)
            warn(c,
                 "port %u is usually %s: applications that put addresses or port numbers inside "
                 "their data do not work through a port forward",
                 r->target.port_first, carries_addresses[i].name);
    }
}

struct conflict {
    struct call *c;
    const struct policy_rule *new;
};

static int look_for_conflict(const struct store_rule *in, void *ctx)
{
    struct conflict *look = ctx;
    const struct policy_rule *old = &in->rule, *new = look->new;

    if (old->local.port == new->local.port && addr_ip_equal(&old->local.ip, &new->local.ip) &&
        old->id != new->id)
        warn(look->c,
             "rule %lld '%s' of the same %s uses the same local port: of the two only the "
             "first that applies is delivered",
             (long long)old->id, old->name, old->is_group ? "group" : "user");
    return 0;
}

static void warn_about_target(struct call *c, const struct policy_rule *r)
{
    const struct policy_target *t = &r->target;
    const struct addr_ip *ip = t->is_network ? &t->cidr.ip : &t->host.ip;

    if (r->action == POLICY_ACTION_DENY)
        return;
    if (!t->is_network && !t->host.is_ip) {
        if (strcmp(t->host.name, "localhost") == 0)
            warn(c, "localhost is the gateway itself, not the user's PC");
        return;
    }
    switch (addr_classify(ip)) {
    case ADDR_LOOPBACK:
        warn(c, "loopback addresses are the gateway itself, not the user's PC");
        break;
    case ADDR_MAPPED:
    case ADDR_NAT64:
        warn(c, "this is an IPv4 address in IPv6 clothes: rules for IPv4 addresses do not see it");
        break;
    default:
        break;
    }
}

/* The result of a change, with what an administrator should look at twice. */
static int give_rule(struct call *c, const struct store_rule *r)
{
    struct store *s = c->a->store;
    struct conflict look = {.c = c, .new = &r->rule};
    int rc = 0;

    c->rule = r->rule.id;
    if (r->rule.local.port != 0 && !c->within)
        rc = s->ops->rule_each(s, r->rule.is_group, r->rule.owner, look_for_conflict, &look, &c->f);
    warn_about_protocol(c, &r->rule);
    warn_about_target(c, &r->rule);
    if (r->rule.expires != 0 && r->rule.expires <= os_time_now())
        warn(c, "the rule has expired already");
    return rc != 0 ? rc : give(c, rule_json(r));
}

int op_rule_add(struct call *c)
{
    struct store *s = c->a->store;
    struct store_rule r = {0};
    int64_t id = 0;
    int rc = read_rule(c, &r);

    if (rc == 0)
        rc = check_forward(c, &r.rule);
    if (rc == 0)
        rc = s->ops->rule_add(s, &r, &id, &c->f);
    if (rc == 0)
        rc = s->ops->rule_get(s, id, &r, &c->f); /* with the position it was given */
    if (rc == 0)
        rc = change_note(c, "add", NULL, &r);
    return rc != 0 ? rc : give_rule(c, &r);
}

/*
 * The arguments of `rule.add` that make the rule as it will be: what it is, and in its place what is
 * given; "" takes a value away. New reference.
 */
static json_t *merge(const struct call *c, const struct store_rule *now)
{
    json_t *args = json_object(), *rule = rule_json(now);
    const char *owner = now->rule.is_group ? "group" : "user";

    json_object_set(args, owner, json_object_get(rule, owner));
    for (const struct arg_spec *a = c->op->args; a->name != NULL; a++) {
        json_t *given = json_object_get(c->args, a->name);
        json_t *value = given != NULL ? given : rule_part(rule, a->name);

        if (strcmp(a->name, "id") != 0 && value != NULL && !json_is_null(value) &&
            !(json_is_string(value) && json_string_length(value) == 0))
            json_object_set(args, a->name, value);
    }
    json_decref(rule);
    return args;
}

int op_rule_set(struct call *c)
{
    struct store *s = c->a->store;
    struct store_rule before, after = {0};
    json_t *given = c->args;
    int64_t id = arg_int(c, "id");
    int rc = s->ops->rule_get(s, id, &before, &c->f);

    c->rule = id;
    if (rc != 0)
        return rc;
    c->args = merge(c, &before);
    if (arg_text(c, "name") == NULL || arg_text(c, "target") == NULL)
        rc = fault_set(&c->f, PRA_EINVAL, "%s: is empty",
                       arg_text(c, "name") == NULL ? "name" : "target");
    if (rc == 0)
        rc = read_rule(c, &after);
    if (rc == 0)
        rc = check_forward(c, &after.rule);
    json_decref(c->args);
    c->args = given; /* for the audit: what was asked */
    if (rc != 0)
        return rc;
    after.rule.id = id;
    after.rule.position = before.rule.position;
    after.created = before.created;
    rc = s->ops->rule_set(s, &after, &c->f);
    if (rc == 0)
        rc = change_note(c, "set", &before, &after);
    return rc != 0 ? rc : give_rule(c, &after);
}

/* ---- listing ----------------------------------------------------------------------------------- */

static int list_rule(const struct store_rule *r, void *ctx)
{
    return json_array_append_new(ctx, rule_json(r)) == 0 ? 0 : PRA_ENOMEM;
}

struct merge {
    struct call *c;
    json_t *rules; /* of all groups of the user, one group after the other */
};

static int collect_group(const char *group, const char *user, void *ctx)
{
    struct merge *m = ctx;
    struct store *s = m->c->a->store;

    (void)user;
    return s->ops->rule_each(s, true, group, list_rule, m->rules, &m->c->f);
}

struct placed {
    json_int_t position, id;
    json_t *rule;
};

static int compare_placed(const void *va, const void *vb)
{
    const struct placed *a = va, *b = vb;

    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Appends the rules of several groups as they are read: by position, then by id. */
static int append_sorted(json_t *list, const json_t *rules)
{
    size_t n = json_array_size(rules);
    struct placed *sorted = calloc(n + 1, sizeof(*sorted));
    int rc = sorted == NULL ? PRA_ENOMEM : 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        json_t *r = json_array_get(rules, i);

        sorted[i] = (struct placed){.position = json_integer_value(json_object_get(r, "position")),
                                    .id = json_integer_value(json_object_get(r, "id")),
                                    .rule = r};
    }
    if (rc == 0)
        qsort(sorted, n, sizeof(*sorted), compare_placed);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = json_array_append(list, sorted[i].rule) == 0 ? 0 : PRA_ENOMEM;
    free(sorted);
    return rc;
}

/* The rules of a user in the order in which they are read: his own, then his groups' (D2). */
static int list_effective(struct call *c, const char *user, json_t *list)
{
    struct store *s = c->a->store;
    struct merge m = {.c = c, .rules = json_array()};
    int rc = s->ops->rule_each(s, false, user, list_rule, list, &c->f);

    if (rc == 0)
        rc = s->ops->member_each(s, user, collect_group, &m, &c->f);
    if (rc == 0)
        rc = append_sorted(list, m.rules);
    if (rc == PRA_ENOMEM)
        fault_set(&c->f, rc, "no memory for the list");
    json_decref(m.rules);
    return rc;
}

int op_rule_list(struct call *c)
{
    struct store *s = c->a->store;
    bool effective = arg_bool(c, "effective");
    json_t *list = json_array();
    struct listing l;
    struct store_group g;
    struct store_user u;
    int64_t total = 0;
    int rc = list_read(c, &l);

    if (rc == 0 && l.user != NULL && l.group != NULL)
        rc = fault_set(&c->f, PRA_EINVAL, "user, group: give one of the two");
    else if (rc == 0 && l.user != NULL)
        rc = s->ops->user_get(s, l.user, &u, &c->f);
    else if (rc == 0 && l.group != NULL)
        rc = s->ops->group_get(s, l.group, &g, &c->f);
    else if (rc == 0 && effective)
        rc = fault_set(&c->f, PRA_EINVAL, "effective: needs user");
    if (rc == 0 && effective && (l.search != NULL || l.sort != NULL))
        rc = fault_set(&c->f, PRA_EINVAL,
                       "effective: has an order of its own, and is neither sorted nor searched");
    if (effective)
        return list_cut(c, &l, list, rc == 0 ? list_effective(c, l.user, list) : rc);
    if (rc == 0)
        rc = s->ops->rule_list(s, &l, list_rule, list, &total, &c->f);
    return list_give(c, &l, list, total, rc);
}

/* ---- moving and deleting ----------------------------------------------------------------------- */

int op_rule_move(struct call *c)
{
    struct store *s = c->a->store;
    int64_t id = arg_int(c, "id"), position = arg_int(c, "position");
    struct store_rule before, r;
    int rc;

    c->rule = id;
    if (position < 1)
        return fault_set(&c->f, PRA_EINVAL, "position: the first is 1");
    rc = s->ops->rule_get(s, id, &before, &c->f);
    if (rc == 0)
        rc = s->ops->rule_move(s, id, position, &c->f);
    if (rc == 0)
        rc = s->ops->rule_get(s, id, &r, &c->f);
    if (rc == 0)
        rc = change_note(c, "move", &before, &r);
    return rc != 0 ? rc : give(c, rule_json(&r));
}

int op_rule_delete(struct call *c)
{
    struct store *s = c->a->store;
    int64_t id = arg_int(c, "id");
    struct store_rule r;
    int rc = s->ops->rule_get(s, id, &r, &c->f);

    c->rule = id;
    if (rc == 0)
        rc = s->ops->rule_delete(s, id, &c->f);
    if (rc == 0)
        rc = change_note(c, "delete", &r, NULL);
    return rc != 0 ? rc : give(c, rule_json(&r));
}
