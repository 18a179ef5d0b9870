/*
 * Where the portal may be used from (management access, D7): networks that an owner lists. No list
 * means everywhere; with one, a request of the portal from any other address is answered with
 * nothing but that, before it is looked at who asks. pra-admin on the console is never asked, so
 * there is always a way back: `pra-admin access reset`.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/os.h"

/* A walk over the rules: is `ip` in one of them? */
struct walk {
    struct addr_ip ip;
    unsigned count;
    bool within;
};

static int look(const struct store_access *r, void *ctx)
{
    struct walk *w = ctx;
    struct addr_cidr net;

    w->count++;
    if (addr_parse_cidr(r->network, strlen(r->network), &net) != 0)
        return PRA_ECORRUPT;
    w->within = w->within || addr_cidr_contains(&net, &w->ip);
    return 0;
}

static int walk_rules(struct call *c, struct walk *w)
{
    if (addr_parse_ip(c->source, strlen(c->source), &w->ip) != 0)
        w->ip = (struct addr_ip){0};
    return c->a->store->ops->access_each(c->a->store, look, w, &c->f);
}

int sources_check(struct call *c)
{
    struct walk w = {0};
    struct audit_event e;
    int rc;

    if (!c->peer->portal)
        return 0;
    rc = walk_rules(c, &w);
    if (rc != 0 || w.count == 0 || w.within)
        return rc;
    if (throttle_first_refusal(c->a->throttle, c->source, os_time_now())) {
        audit_of(c, 0, &e);
        e.kind = AUDIT_ACCOUNT_REFUSED;
        snprintf(e.reason, sizeof(e.reason), "address");
        admin_store_audit(c->a, &e, 1);
    }
    c->code = "address-refused";
    return fault_set(&c->f, PRA_EACCES, "management is not allowed from this address");
}

/* ---- operations --------------------------------------------------------------------------------- */

static json_t *access_json(const struct store_access *r)
{
    return json_pack("{s:I, s:s, s:o, s:o}", "id", (json_int_t)r->id, "network", r->network,
                     "comment", json_text_or_null(r->comment), "created", json_when(r->created));
}

static int list_access(const struct store_access *r, void *ctx)
{
    return json_array_append_new(ctx, access_json(r)) == 0 ? 0 : PRA_ENOMEM;
}

int op_access_list(struct call *c)
{
    json_t *list = json_array();
    int rc = c->a->store->ops->access_each(c->a->store, list_access, list, &c->f);

    if (rc == 0)
        return give(c, list);
    json_decref(list);
    return rc;
}

/* The rules as they are now in the open transaction must let in who made them, unless he insists. */
static int keep_way_in(struct call *c)
{
    struct walk w = {0};
    int rc = walk_rules(c, &w);

    if (rc != 0)
        return rc;
    if (w.count == 0)
        warn(c, "there is no rule now: the portal can be used from every address");
    if (w.count == 0 || w.within || c->source[0] == '\0' || arg_bool(c, "confirm"))
        return 0;
    c->code = "would-lock-out";
    return fault_set(&c->f, PRA_EINVAL,
                     "confirm: after this the portal could no longer be used from %s, where you "
                     "are",
                     c->source);
}

int op_access_add(struct call *c)
{
    struct store_access r = {.created = os_time_now()};
    const char *network = arg_text(c, "network"), *comment = arg_text(c, "comment");
    struct store *s = c->a->store;
    struct addr_cidr net;
    struct walk w = {0};
    char text[50];
    int rc = 0;

    if (addr_parse_cidr(network, strlen(network), &net) != 0)
        return fault_set(&c->f, PRA_EINVAL,
                         "network: must be an address or a network such as 192.0.2.0/24");
    snprintf(r.network, sizeof(r.network), "%s", addr_format_cidr(&net, text));
    if (comment != NULL && comment[0] != '\0') {
        rc = check_label(c, "comment", comment);
        snprintf(r.comment, sizeof(r.comment), "%s", comment);
    }
    if (rc == 0)
        rc = walk_rules(c, &w);
    if (rc == 0 && w.count >= ACCESS_RULES_MAX)
        rc = fault_set(&c->f, PRA_EINVAL, "network: there are %d already", ACCESS_RULES_MAX);
    if (rc == 0)
        rc = s->ops->access_add(s, &r, &r.id, &c->f);
    if (rc == PRA_EEXIST)
        return fault_set(&c->f, rc, "network: %s is there already", r.network);
    if (rc == 0)
        rc = keep_way_in(c);
    return rc != 0 ? rc : give(c, access_json(&r));
}

struct wanted {
    int64_t id;
    struct store_access found;
};

static int find_access(const struct store_access *r, void *ctx)
{
    struct wanted *w = ctx;

    if (r->id == w->id)
        w->found = *r;
    return 0;
}

int op_access_delete(struct call *c)
{
    struct wanted w = {.id = arg_int(c, "id")};
    struct store *s = c->a->store;
    int rc = s->ops->access_each(s, find_access, &w, &c->f);

    if (rc == 0 && w.found.id == 0)
        rc = fault_set(&c->f, PRA_ENOENT, "id: there is no such access rule");
    if (rc == 0)
        rc = s->ops->access_delete(s, w.id, &c->f);
    if (rc == 0)
        rc = keep_way_in(c);
    return rc != 0 ? rc : give(c, access_json(&w.found));
}

/* The way back on the console: these rules go, and nothing else. */
int op_access_reset(struct call *c)
{
    struct walk w = {0};
    int rc = walk_rules(c, &w);

    if (rc == 0)
        rc = c->a->store->ops->access_clear(c->a->store, &c->f);
    return rc != 0 ? rc : give(c, json_pack("{s:i}", "removed", (int)w.count));
}
