/*
 * Operations on users, groups and members.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/os.h"

/* A list in the making. */
struct listed {
    struct call *c;
    json_t *list;
};

static json_t *user_json(const struct store_user *u)
{
    return json_pack("{s:I, s:o, s:b, s:o, s:o, s:s}", "id", (json_int_t)u->id, "name",
                     json_text(u->name), "enabled", u->enabled, "full-name",
                     json_text_or_null(u->full_name), "created", json_when(u->created), "clone",
                     u->clone == POLICY_CLONE_DEFAULT ? "default" : policy_clone_word(u->clone));
}

static json_t *group_json(const struct store_group *g)
{
    return json_pack("{s:I, s:o, s:o, s:o}", "id", (json_int_t)g->id, "name", json_text(g->name),
                     "members", json_array(), "created", json_when(g->created));
}

/* ---- users ------------------------------------------------------------------------------------- */

int op_user_add(struct call *c)
{
    const char *name = arg_text(c, "name"), *full = arg_text(c, "full-name");
    struct store *s = c->a->store;
    struct store_user u = {.enabled = !arg_bool(c, "disabled"), .created = os_time_now()};
    int rc = check_name(c, "name", name);

    if (rc == 0 && full != NULL && full[0] != '\0')
        rc = check_label(c, "full-name", full);
    if (rc != 0)
        return rc;
    snprintf(u.name, sizeof(u.name), "%s", name);
    snprintf(u.full_name, sizeof(u.full_name), "%s", full != NULL ? full : "");
    rc = s->ops->user_add(s, &u, &u.id, &c->f);
    if (rc == PRA_EEXIST)
        return fault_set(&c->f, rc, "name: user '%s' exists already", name);
    return rc != 0 ? rc : give(c, user_json(&u));
}

static int note_group(const char *group, const char *user, void *ctx)
{
    (void)user;
    return json_array_append_new(ctx, json_text(group)) == 0 ? 0 : PRA_ENOMEM;
}

static int list_user(const struct store_user_row *r, void *ctx)
{
    struct listed *l = ctx;
    struct store *s = l->c->a->store;
    json_t *user = user_json(&r->user), *groups = json_array();
    int rc = json_object_set_new(user, "groups", groups) == 0 ? 0 : PRA_ENOMEM;

    if (rc == 0)
        rc = s->ops->member_each(s, r->user.name, note_group, groups, &l->c->f);
    if (rc == 0 && (json_object_set_new(user, "keys", json_integer(r->keys)) ||
                    json_object_set_new(user, "rules", json_integer(r->rules)) ||
                    json_array_append(l->list, user)))
        rc = PRA_ENOMEM;
    json_decref(user);
    return rc;
}

int op_user_list(struct call *c)
{
    struct store *s = c->a->store;
    struct listed of = {c, json_array()};
    struct listing l;
    int64_t total = 0;
    int rc = list_read(c, &l);

    if (rc == 0)
        rc = s->ops->user_list(s, &l, list_user, &of, &total, &c->f);
    return list_give(c, &l, of.list, total, rc);
}

int op_user_set(struct call *c)
{
    const char *name = arg_text(c, "name"), *full = arg_text(c, "full-name");
    const char *clone = arg_text(c, "clone");
    struct store *s = c->a->store;
    struct store_user u;
    int rc = s->ops->user_get(s, name, &u, &c->f);

    if (rc == 0 && full == NULL && clone == NULL)
        rc = fault_set(&c->f, PRA_EINVAL, "full-name: nothing to change was given");
    if (rc == 0 && full != NULL && full[0] != '\0')
        rc = check_label(c, "full-name", full);
    if (rc == 0 && clone != NULL)
        rc = read_clone(c, clone, &u.clone);
    if (rc != 0)
        return rc;
    if (full != NULL)
        snprintf(u.full_name, sizeof(u.full_name), "%s", full);
    rc = s->ops->user_set(s, &u, &c->f);
    return rc != 0 ? rc : give(c, user_json(&u));
}

static int set_enabled(struct call *c, bool enabled)
{
    struct store *s = c->a->store;
    const char *name = arg_text(c, "name");
    struct store_user u;
    int64_t leases = 0;
    int rc = s->ops->user_get(s, name, &u, &c->f);

    if (rc == 0)
        rc = s->ops->user_enable(s, name, enabled, &c->f);
    if (rc == 0 && !enabled)
        rc = s->ops->factor->lease_clear(s, u.id, &leases, &c->f);
    if (rc != 0)
        return rc;
    c->a->lease_changes += !enabled; /* also for one that is on its way into the store */
    if (u.enabled == enabled)
        warn(c, "user '%s' was %s already", name, enabled ? "enabled" : "disabled");
    u.enabled = enabled;
    return give(c, user_json(&u));
}

int op_user_enable(struct call *c)
{
    return set_enabled(c, true);
}

int op_user_disable(struct call *c)
{
    return set_enabled(c, false);
}

int op_user_delete(struct call *c)
{
    struct store *s = c->a->store;
    const char *name = arg_text(c, "name");
    struct store_user u;
    int rc = s->ops->user_get(s, name, &u, &c->f);

    if (rc == 0)
        rc = s->ops->user_delete(s, name, &c->f);
    if (rc == 0)
        rc = s->ops->change_forget(s, false, name, &c->f);
    return rc != 0 ? rc : give(c, user_json(&u));
}

/* ---- groups ------------------------------------------------------------------------------------ */

int op_group_add(struct call *c)
{
    struct store *s = c->a->store;
    const char *name = arg_text(c, "name");
    struct store_group g = {.created = os_time_now()};
    int rc = check_name(c, "name", name);

    if (rc != 0)
        return rc;
    snprintf(g.name, sizeof(g.name), "%s", name);
    rc = s->ops->group_add(s, &g, &g.id, &c->f);
    if (rc == PRA_EEXIST)
        return fault_set(&c->f, rc, "name: group '%s' exists already", name);
    return rc != 0 ? rc : give(c, group_json(&g));
}

static int note_member(const char *group, const char *user, void *ctx)
{
    (void)group;
    return json_array_append_new(ctx, json_text(user)) == 0 ? 0 : PRA_ENOMEM;
}

static int list_group(const struct store_group *g, void *ctx)
{
    struct listed *l = ctx;
    struct store *s = l->c->a->store;
    json_t *group = group_json(g);
    enum policy_factor policy = POLICY_FACTOR_INHERIT;
    int rc = s->ops->member_of_group(s, g->name, note_member, json_object_get(group, "members"),
                                     &l->c->f);

    if (rc == 0)
        rc = s->ops->factor->policy_get(s, true, g->id, &policy, &l->c->f);
    if (rc == 0)
        json_object_set_new(group, "factor", json_string(factor_policy_word(policy)));
    if (rc == 0 && json_array_append(l->list, group) != 0)
        rc = PRA_ENOMEM;
    json_decref(group);
    return rc;
}

int op_group_list(struct call *c)
{
    struct store *s = c->a->store;
    struct listed of = {c, json_array()};
    struct listing l;
    int64_t total = 0;
    int rc = list_read(c, &l);

    if (rc == 0)
        rc = s->ops->group_list(s, &l, list_group, &of, &total, &c->f);
    return list_give(c, &l, of.list, total, rc);
}

int op_group_delete(struct call *c)
{
    struct store *s = c->a->store;
    const char *name = arg_text(c, "name");
    struct store_group g;
    int rc = s->ops->group_get(s, name, &g, &c->f);

    if (rc == 0)
        rc = s->ops->group_delete(s, name, &c->f);
    if (rc == 0)
        rc = s->ops->change_forget(s, true, name, &c->f);
    return rc != 0 ? rc : give(c, group_json(&g));
}

/* ---- members ----------------------------------------------------------------------------------- */

static int count_membership(const char *group, const char *user, void *ctx)
{
    (void)group;
    (void)user;
    ++*(unsigned *)ctx;
    return 0;
}

/* Both exist, or a sentence that says which does not. */
static int find_both(struct call *c, const char *group, const char *user)
{
    struct store *s = c->a->store;
    struct store_group g;
    struct store_user u;
    int rc = s->ops->group_get(s, group, &g, &c->f);

    return rc != 0 ? rc : s->ops->user_get(s, user, &u, &c->f);
}

int op_member_add(struct call *c)
{
    struct store *s = c->a->store;
    const char *group = arg_text(c, "group"), *user = arg_text(c, "user");
    unsigned groups = 0;
    int rc = find_both(c, group, user);

    if (rc == 0)
        rc = s->ops->member_each(s, user, count_membership, &groups, &c->f);
    if (rc == 0 && groups >= POLICY_GROUPS_MAX)
        return fault_set(&c->f, PRA_EINVAL,
                         "user: '%s' is in %d groups, which is the most a user "
                         "can be in",
                         user, POLICY_GROUPS_MAX);
    if (rc == 0)
        rc = s->ops->member_add(s, group, user, &c->f);
    if (rc == PRA_EEXIST)
        return fault_set(&c->f, rc, "user: '%s' is in group '%s' already", user, group);
    return rc != 0 ? rc
                   : give(c, json_pack("{s:o, s:o}", "group", json_text(group), "user",
                                       json_text(user)));
}

int op_member_remove(struct call *c)
{
    struct store *s = c->a->store;
    const char *group = arg_text(c, "group"), *user = arg_text(c, "user");
    int rc = find_both(c, group, user);

    if (rc != 0)
        return rc;
    rc = s->ops->member_remove(s, group, user, &c->f);
    if (rc == PRA_ENOENT)
        return fault_set(&c->f, rc, "user: '%s' is not in group '%s'", user, group);
    return rc != 0 ? rc
                   : give(c, json_pack("{s:o, s:o}", "group", json_text(group), "user",
                                       json_text(user)));
}
