/*
 * Users and rules as CSV tables, which can be imported again as they are. A table is made in parts of
 * whole owners, one a request (user.table, rule.table), so that 100,000 rules need neither memory nor
 * prad's keeper for long, and what one owner has is of one moment; or in one answer (user.export,
 * rule.export), for the console.
 */
#include "server/admin/admin_import.h"

#include <stdio.h>
#include <string.h>

#define EXPORT_MAX  (48u * 1024 * 1024) /* bytes, below what an answer may hold */
#define PART_BYTES  (128u * 1024)       /* a part is over with the owner that reaches this ... */
#define PART_OWNERS 500                 /* ... or with so many of them */

struct export
{
    struct call *c;
    const struct import_column *columns;
    struct buf out;
    json_int_t rows;
    size_t owners;     /* of this part */
    bool groups;       /* those of `names` are groups */
    const char *group; /* users of this group only, or NULL */
    char last[POLICY_NAME_MAX + 1];
    bool full; /* the part: there may be more behind `last` */
};

/* ---- rows -------------------------------------------------------------------------------------- */

/* The text of a cell; only what the tables hold. */
static int put_value(struct buf *out, const json_t *value, bool first)
{
    if (json_is_boolean(value))
        return csv_put(out, json_is_true(value) ? "yes" : "no", first);
    return csv_put(out, json_is_string(value) ? json_string_value(value) : "", first);
}

static int put_row(struct export *e, const json_t *row)
{
    int rc = row != NULL ? 0 : PRA_ENOMEM; /* no row is better than an empty one */

    for (const struct import_column *col = e->columns; col->name != NULL && rc == 0; col++)
        rc = put_value(&e->out, rule_part(row, col->name), col == e->columns);
    e->rows++;
    return rc == 0 ? csv_end_row(&e->out) : rc;
}

static int put_heads(struct export *e)
{
    int rc = csv_begin(&e->out);

    for (const struct import_column *col = e->columns; col->name != NULL && rc == 0; col++)
        rc = csv_put(&e->out, col->name, col == e->columns);
    return rc == 0 ? csv_end_row(&e->out) : rc;
}

struct groups {
    char joined[(POLICY_NAME_MAX + 1) * POLICY_GROUPS_MAX + 1]; /* "it;sales" */
    const char *wanted;
    bool found;
};

static int join_group(const char *group, const char *user, void *ctx)
{
    struct groups *g = ctx;
    size_t len = strlen(g->joined);

    (void)user;
    snprintf(g->joined + len, sizeof(g->joined) - len, "%s%s", len > 0 ? ";" : "", group);
    g->found = g->found || strcmp(group, g->wanted) == 0;
    return 0;
}

static int put_user(struct export *e, const char *name)
{
    struct store *s = e->c->a->store;
    const char *state = arg_text(e->c, "state");
    struct groups g = {.wanted = e->group != NULL ? e->group : ""};
    struct store_user u;
    json_t *row;
    int rc = s->ops->user_get(s, name, &u, &e->c->f);

    if (rc == 0)
        rc = s->ops->member_each(s, name, join_group, &g, &e->c->f);
    if (rc != 0 || (e->group != NULL && !g.found) ||
        (state != NULL && strcmp(state, u.enabled ? "enabled" : "disabled") != 0))
        return rc;
    row = json_pack("{s:o, s:o, s:s, s:o}", "name", json_text(u.name), "full-name",
                    json_text(u.full_name), "state", u.enabled ? "enabled" : "disabled", "groups",
                    json_text(g.joined));
    rc = put_row(e, row);
    json_decref(row);
    return rc;
}

static int put_rule(const struct store_rule *r, void *ctx)
{
    json_t *row = rule_json(r);
    int rc = put_row(ctx, row);

    json_decref(row);
    return rc;
}

static int put_rules(struct export *e, const char *owner)
{
    struct store *s = e->c->a->store;

    return s->ops->rule_each(s, e->groups, owner, put_rule, e, &e->c->f);
}

/* ---- parts ------------------------------------------------------------------------------------- */

struct names {
    char name[PART_OWNERS][POLICY_NAME_MAX + 1];
    size_t count;
};

static int note_name(const char *name, void *ctx)
{
    struct names *n = ctx;

    snprintf(n->name[n->count++], sizeof(n->name[0]), "%s", name);
    return 0;
}

/* The owners behind e->last, until the part is full or there are no more. */
static int put_owners(struct export *e, int (*put)(struct export *, const char *))
{
    struct store *s = e->c->a->store;
    struct names n = {.count = 0};
    size_t begun = e->out.len;
    int rc;

    rc = s->ops->owner_each(s, e->groups, e->last, PART_OWNERS, note_name, &n, &e->c->f);
    for (size_t i = 0; i < n.count && rc == 0 && !e->full; i++) {
        rc = put(e, n.name[i]);
        memcpy(e->last, n.name[i], sizeof(e->last));
        e->full = ++e->owners >= PART_OWNERS || e->out.len - begun >= PART_BYTES;
    }
    return rc;
}

static int put_rule_part(struct export *e)
{
    int rc = put_owners(e, put_rules);

    if (rc == 0 && !e->full && !e->groups) {
        e->groups = true;
        e->last[0] = '\0';
        rc = put_owners(e, put_rules);
    }
    return rc;
}

static int put_user_part(struct export *e)
{
    return put_owners(e, put_user);
}

/* The arguments of a table that are wrong whatever is in the store. */
static int check_users(struct call *c)
{
    struct store *s = c->a->store;
    const char *state = arg_text(c, "state"), *group = arg_text(c, "group");
    struct store_group g;

    if (state != NULL && strcmp(state, "enabled") != 0 && strcmp(state, "disabled") != 0)
        return fault_set(&c->f, PRA_EINVAL, "state: '%.16s' is neither enabled nor disabled",
                         state);
    return group == NULL ? 0 : s->ops->group_get(s, group, &g, &c->f);
}

static int check_rules(struct call *c, const char **owner, bool *is_group)
{
    struct store *s = c->a->store;
    const char *user = arg_text(c, "user"), *group = arg_text(c, "group");
    struct store_user u;
    struct store_group g;

    *owner = user != NULL ? user : group;
    *is_group = group != NULL;
    if (user != NULL && group != NULL)
        return fault_set(&c->f, PRA_EINVAL, "user, group: give one of the two");
    if (user != NULL)
        return s->ops->user_get(s, user, &u, &c->f);
    return group == NULL ? 0 : s->ops->group_get(s, group, &g, &c->f);
}

static int no_room(struct export *e, int rc)
{
    if (rc == PRA_EFULL)
        return fault_set(&e->c->f, PRA_ETOOBIG,
                         "the table is larger than %u MiB: export parts of it", EXPORT_MAX >> 20);
    return rc == PRA_ENOMEM ? fault_set(&e->c->f, rc, "no memory for the table") : rc;
}

/* What was written; a last part may hold nothing. */
static json_t *written(const struct export *e)
{
    const char *text = (const char *)buf_head(&e->out);

    return json_stringn(text != NULL ? text : "", e->out.len);
}

/* All parts as one answer. */
static int give_whole(struct export *e, int rc, int (*part)(struct export *))
{
    if (rc == 0)
        rc = put_heads(e);
    while (rc == 0 && part != NULL) {
        e->full = false;
        e->owners = 0;
        rc = part(e);
        if (!e->full)
            break;
    }
    rc = no_room(e, rc);
    if (rc == 0)
        rc = give(e->c, json_pack("{s:I, s:o}", "rows", e->rows, "csv", written(e)));
    buf_free(&e->out);
    return rc;
}

/* One part; "after" of the next one is "u:NAME" or "g:NAME". */
static int give_part(struct export *e, int rc, const char *file, int (*part)(struct export *))
{
    const char *after = arg_text(e->c, "after");
    char next[POLICY_NAME_MAX + 3];

    if (rc == 0 && after != NULL && strncmp(after, "u:", 2) != 0 &&
        (e->columns != rule_columns || strncmp(after, "g:", 2) != 0))
        rc = fault_set(&e->c->f, PRA_EINVAL, "after: is not what a part before named as next");
    if (rc == 0 && after == NULL)
        rc = put_heads(e);
    if (rc == 0 && after != NULL) {
        e->groups = after[0] == 'g';
        snprintf(e->last, sizeof(e->last), "%s", after + 2);
    }
    if (rc == 0)
        rc = part(e);
    snprintf(next, sizeof(next), "%s%s", e->groups ? "g:" : "u:", e->last);
    rc = no_room(e, rc);
    if (rc == 0)
        rc = give(e->c, json_pack("{s:o, s:o, s:s, s:s, s:s}", "text", written(e), "next",
                                  e->full ? json_text(next) : json_null(), "type",
                                  "text/csv; charset=utf-8", "ending", "csv", "name", file));
    buf_free(&e->out);
    return rc;
}

/* ---- operations -------------------------------------------------------------------------------- */

static void export_new(struct export *e, struct call *c, const struct import_column *columns)
{
    *e = (struct export){.c = c, .columns = columns};
    buf_init(&e->out, EXPORT_MAX);
}

int op_user_export(struct call *c)
{
    struct export e;

    export_new(&e, c, user_columns);
    e.group = arg_text(c, "group");
    return give_whole(&e, check_users(c), put_user_part);
}

int op_user_table(struct call *c)
{
    struct export e;

    export_new(&e, c, user_columns);
    e.group = arg_text(c, "group");
    return give_part(&e, check_users(c), "users", put_user_part);
}

static int put_one_owner(struct export *e)
{
    return put_rules(e, arg_text(e->c, e->groups ? "group" : "user"));
}

int op_rule_export(struct call *c)
{
    struct export e;
    const char *owner;
    int rc;

    export_new(&e, c, rule_columns);
    rc = check_rules(c, &owner, &e.groups);
    return give_whole(&e, rc, owner != NULL ? put_one_owner : put_rule_part);
}

int op_rule_table(struct call *c)
{
    struct export e;
    const char *owner;
    int rc;

    export_new(&e, c, rule_columns);
    rc = check_rules(c, &owner, &e.groups);
    if (rc == 0 && owner != NULL && arg_text(c, "after") != NULL)
        rc = fault_set(&c->f, PRA_EINVAL, "after: the rules of one user or group are one part");
    return give_part(&e, rc, "rules", owner != NULL ? put_one_owner : put_rule_part);
}
