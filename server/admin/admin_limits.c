/* Operations on limits after login: what users, groups and rules may, and what is in force. */
#include "server/admin/admin_internal.h"

#include <string.h>

/* ---- as arguments and as JSON -------------------------------------------------------------------- */

int limits_read(struct call *c, bool of_rule, struct policy_limits *l)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        enum policy_limit limit = (enum policy_limit)i;
        const char *text = arg_text(c, policy_limit_word(limit));

        if (text != NULL && (!of_rule || policy_limit_of_rule(limit)) &&
            policy_limit_parse(limit, text, &l->value[i], &c->f) != 0)
            return PRA_EINVAL;
    }
    if (l->value[LIMIT_BURST] > 0 && l->value[LIMIT_RATE] <= 0)
        return fault_set(&c->f, PRA_EINVAL, "burst: needs rate, which it goes beyond for a moment");
    return 0;
}

json_t *limits_json(const struct policy_limits *l)
{
    json_t *set = NULL;

    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        char text[POLICY_LIMIT_TEXT];

        if (l->value[i] == POLICY_UNSET)
            continue;
        if (set == NULL)
            set = json_object();
        json_object_set_new(
            set, policy_limit_word((enum policy_limit)i),
            json_string(policy_limit_format((enum policy_limit)i, l->value[i], text)));
    }
    return set != NULL ? set : json_null();
}

json_t *rule_part(const json_t *rule, const char *name)
{
    json_t *part = json_object_get(rule, name);

    return part != NULL ? part : json_object_get(json_object_get(rule, "limits"), name);
}

/* ---- what is in force ---------------------------------------------------------------------------- */

void limits_show(struct call *c, const char *user, json_t *to)
{
    const struct admin_host *h = &c->a->host;
    struct policy_limits l = {0};
    struct policy *p = user != NULL && to != NULL ? admin_policy(c->a) : NULL;
    json_t *used = NULL;

    if (p == NULL) /* nobody is asked about, or there is no memory */
        return;
    policy_user_limits(p, user, &l);
    policy_unref(p);
    if (h->limits != NULL)
        h->limits(h->ctx, user, &l, &used);
    json_object_set_new(to, "limits", limits_json(&l));
    json_object_set_new(to, "used", used != NULL ? used : json_null());
}

/* Of a user or group: its id and what is set for it, or a sentence that says that it is not there. */
static int find_limits(struct call *c, enum policy_limits_kind kind, int64_t *id,
                       struct policy_limits *l)
{
    struct store *s = c->a->store;
    struct store_user u = {0};
    struct store_group g = {0};
    const char *name = arg_text(c, "name");
    int rc = kind == POLICY_LIMITS_GROUP ? s->ops->group_get(s, name, &g, &c->f)
                                         : s->ops->user_get(s, name, &u, &c->f);

    *id = kind == POLICY_LIMITS_GROUP ? g.id : u.id;
    return rc != 0 ? rc : s->ops->limits->get(s, kind, *id, l, &c->f);
}

static int give_limits(struct call *c, enum policy_limits_kind kind, const struct policy_limits *l)
{
    json_t *answer =
        json_pack("{s:o, s:o}", "name", json_text(arg_text(c, "name")), "own", limits_json(l));

    if (answer != NULL && kind == POLICY_LIMITS_USER)
        limits_show(c, arg_text(c, "name"), answer);
    return give(c, answer);
}

static int show(struct call *c, enum policy_limits_kind kind)
{
    struct policy_limits l;
    int64_t id;
    int rc = find_limits(c, kind, &id, &l);

    return rc != 0 ? rc : give_limits(c, kind, &l);
}

/* Changes what is given; "" takes a limit away. */
static int change(struct call *c, enum policy_limits_kind kind)
{
    struct store *s = c->a->store;
    struct policy_limits l;
    int64_t id;
    int rc = find_limits(c, kind, &id, &l);

    if (rc == 0)
        rc = limits_read(c, false, &l);
    if (rc == 0)
        rc = s->ops->limits->set(s, kind, id, &l, &c->f);
    return rc != 0 ? rc
                   : give(c, json_pack("{s:o, s:o}", "name", json_text(arg_text(c, "name")), "own",
                                       limits_json(&l)));
}

int op_user_limits(struct call *c)
{
    return show(c, POLICY_LIMITS_USER);
}

int op_user_limit(struct call *c)
{
    return change(c, POLICY_LIMITS_USER);
}

int op_group_limits(struct call *c)
{
    return show(c, POLICY_LIMITS_GROUP);
}

int op_group_limit(struct call *c)
{
    return change(c, POLICY_LIMITS_GROUP);
}

/* ---- quotas, for prad's keeper ------------------------------------------------------------------- */

int admin_quota_each(struct admin *a, const char *from, store_quota_fn fn, void *ctx,
                     struct fault *f)
{
    return a->store->ops->limits->quota_each(a->store, from, fn, ctx, f);
}

int admin_quota_store(struct admin *a, const struct store_quota *q, size_t count, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    int rc = db->begin(a->store, f);

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = db->limits->quota_put(a->store, &q[i], f);
    return rc == 0 ? db->commit(a->store, f) : (db->rollback(a->store), rc);
}

int admin_quota_tidy(struct admin *a, const char *before_day, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    int rc = db->begin(a->store, f);

    if (rc == 0)
        rc = db->limits->quota_tidy(a->store, before_day, f);
    return rc == 0 ? db->commit(a->store, f) : (db->rollback(a->store), rc);
}
