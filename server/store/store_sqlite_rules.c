/*
 * The SQLite back end: rules and their positions. A rule's parts are stored as the text that an
 * administrator would write, so that the table can be read, and are parsed again when loaded.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

#define PART_MAX (ADDR_TEXT_MAX + 8) /* longest text of a target: host and a range of ports */

/* ---- reading ----------------------------------------------------------------------------------- */

static int read_local(struct sql *q, struct policy_local *l, struct fault *f)
{
    char text[PART_MAX];

    sql_get_text(q, text, sizeof(text));
    return text[0] == '\0' ? 0 : policy_parse_local(text, l, f);
}

static int read_source(struct sql *q, struct policy_rule *r, struct fault *f)
{
    char text[PART_MAX];

    sql_get_text(q, text, sizeof(text));
    r->has_from = text[0] != '\0';
    if (r->has_from && addr_parse_cidr(text, strlen(text), &r->from) != 0)
        return fault_set(f, PRA_EINVAL, "source '%s' is no network", text);
    return 0;
}

static int read_hours(struct sql *q, struct store_rule *out, struct fault *f)
{
    sql_get_text(q, out->hours, sizeof(out->hours));
    return out->hours[0] == '\0' ? 0 : policy_parse_hours(out->hours, &out->rule.hours, f);
}

static int read_parts(struct sql *q, struct store_rule *out, struct fault *f)
{
    struct policy_rule *r = &out->rule;
    char action[16], target[PART_MAX];
    int rc;

    r->id = sql_get_int(q);
    r->is_group = sql_get_int(q) != 0;
    sql_get_text(q, r->owner, sizeof(r->owner));
    r->position = sql_get_int(q);
    sql_get_text(q, r->name, sizeof(r->name));
    sql_get_text(q, action, sizeof(action));
    sql_get_text(q, target, sizeof(target));
    /* Whatever does not say allow denies. */
    r->action = strcmp(action, "allow") == 0 ? POLICY_ACTION_ALLOW : POLICY_ACTION_DENY;
    rc = policy_parse_target(target, &r->target, f);
    if (rc == 0)
        rc = read_local(q, &r->local, f);
    if (rc == 0)
        rc = read_local(q, &r->fallback, f);
    if (rc == 0)
        rc = read_source(q, r, f);
    if (rc == 0)
        rc = read_hours(q, out, f);
    if (rc != 0)
        return rc;
    r->expires = sql_get_int(q);
    r->log = sql_get_int(q) != 0;
    out->created = sql_get_int(q);
    return q->bad ? fault_set(f, PRA_ECORRUPT, "a value is too long") : 0;
}

int sqlite_read_rule(struct sql *q, struct store_rule *out, struct fault *f)
{
    int rc;

    memset(out, 0, sizeof(*out));
    rc = read_parts(q, out, f);
    if (rc == 0)
        return 0;
    fault_wrap(f, PRA_ECORRUPT, "database: rule %lld", (long long)out->rule.id);
    sql_end(q);
    return PRA_ECORRUPT;
}

int sqlite_rule_get(struct store *s, int64_t id, struct store_rule *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RULE_GET);
    int rc;

    sql_put_int(&q, id);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no rule %lld", (long long)id);
    rc = sqlite_read_rule(&q, out, f);
    if (rc != 0)
        return rc;
    sql_end(&q);
    return sqlite_rule_limits(s, out, f);
}

int sqlite_rule_limits(struct store *s, struct store_rule *r, struct fault *f)
{
    return s->ops->limits->get(s, POLICY_LIMITS_RULE, r->rule.id, &r->limits, f);
}

static int walk_rules(struct sql *q, bool limits, store_rule_fn fn, void *ctx, struct fault *f)
{
    struct store_rule r;
    int rc;

    while ((rc = sql_step(q, f)) == 1) {
        rc = sqlite_read_rule(q, &r, f);
        if (rc != 0)
            return rc;
        if (limits)
            rc = sqlite_rule_limits(&q->s->base, &r, f);
        if (rc == 0)
            rc = fn(&r, ctx);
        if (rc != 0) {
            sql_end(q);
            return rc;
        }
    }
    return rc;
}

int sqlite_rule_each(struct store *s, bool is_group, const char *owner, store_rule_fn fn, void *ctx,
                     struct fault *f)
{
    struct sql q = sql_start(s, owner == NULL ? SQL_RULE_EACH
                                : is_group    ? SQL_RULE_OF_GROUP
                                              : SQL_RULE_OF_USER);

    if (owner != NULL)
        sql_put_text(&q, owner);
    return walk_rules(&q, true, fn, ctx, f);
}

int sqlite_rule_load(struct store *s, store_rule_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RULE_LOAD);

    return walk_rules(&q, false, fn, ctx, f);
}

/* ---- positions --------------------------------------------------------------------------------- */

static int last_position(struct store *s, const struct policy_rule *r, int64_t *last,
                         struct fault *f)
{
    struct sql q = sql_start(s, r->is_group ? SQL_RULE_LAST_GROUP : SQL_RULE_LAST_USER);
    int rc;

    sql_put_text(&q, r->owner);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_EIO, "database: no answer");
    *last = sql_get_int(&q);
    sql_end(&q);
    return 0;
}

static int shift(struct store *s, const struct policy_rule *r, bool open_gap, int64_t position,
                 struct fault *f)
{
    static const enum sql_id ids[2][2] = {{SQL_RULE_CLOSE_GAP_USER, SQL_RULE_CLOSE_GAP_GROUP},
                                          {SQL_RULE_OPEN_GAP_USER, SQL_RULE_OPEN_GAP_GROUP}};
    struct sql q = sql_start(s, ids[open_gap][r->is_group]);

    sql_put_text(&q, r->owner);
    sql_put_int(&q, position);
    return sql_run(&q, f);
}

static int set_position(struct store *s, int64_t id, int64_t position, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RULE_SET_POSITION);

    sql_put_int(&q, position);
    sql_put_int(&q, id);
    return sql_change(&q, f);
}

/* ---- changing ---------------------------------------------------------------------------------- */

static const char *local_text(const struct policy_local *l, char *dst, size_t cap)
{
    if (l->port == 0)
        return NULL;
    policy_format_local(l, dst, cap);
    return dst;
}

/* A rule's parts as text, as long as a statement needs them. */
struct parts {
    char target[PART_MAX], local[32], fallback[32], source[50];
};

/* From the name on, in the order of the table. */
static void put_parts(struct sql *q, const struct store_rule *in, struct parts *p)
{
    const struct policy_rule *r = &in->rule;

    policy_format_target(&r->target, p->target, sizeof(p->target));
    sql_put_text(q, r->name);
    sql_put_text(q, r->action == POLICY_ACTION_ALLOW ? "allow" : "deny");
    sql_put_text(q, p->target);
    sql_put_text(q, local_text(&r->local, p->local, sizeof(p->local)));
    sql_put_text(q, local_text(&r->fallback, p->fallback, sizeof(p->fallback)));
    sql_put_text(q, r->has_from ? addr_format_cidr(&r->from, p->source) : NULL);
    sql_put_text(q, in->hours[0] != '\0' ? in->hours : NULL);
    sql_put_int(q, r->expires);
    sql_put_int(q, r->log);
}

static int insert_rule(struct store *s, const struct store_rule *in, int64_t position, int64_t *id,
                       struct fault *f)
{
    const struct policy_rule *r = &in->rule;
    struct parts p;
    struct sql q = sql_start(s, SQL_RULE_ADD);
    int rc;

    sql_put_text(&q, r->is_group ? NULL : r->owner);
    sql_put_text(&q, r->is_group ? r->owner : NULL);
    sql_put_int(&q, position);
    put_parts(&q, in, &p);
    sql_put_int(&q, in->created);
    rc = sql_change(&q, f);
    if (rc != 0)
        return rc;
    *id = sqlite3_last_insert_rowid(q.s->db);
    return s->ops->limits->set(s, POLICY_LIMITS_RULE, *id, &in->limits, f);
}

int sqlite_rule_add(struct store *s, const struct store_rule *in, int64_t *id, struct fault *f)
{
    int64_t last = 0, position = in->rule.position;
    int rc = last_position(s, &in->rule, &last, f);

    store_touch(s, in->rule.is_group, in->rule.owner);
    if (rc != 0)
        return rc;
    if (position <= 0 || position > last)
        position = last + 1;
    else
        rc = shift(s, &in->rule, true, position, f);
    return rc != 0 ? rc : insert_rule(s, in, position, id, f);
}

int sqlite_rule_set(struct store *s, const struct store_rule *in, struct fault *f)
{
    struct sql q = sql_start(s, SQL_RULE_SET);
    struct parts p;
    int rc;

    store_touch(s, in->rule.is_group, in->rule.owner);
    put_parts(&q, in, &p);
    sql_put_int(&q, in->rule.id);
    rc = sql_change(&q, f);
    return rc != 0 ? rc : s->ops->limits->set(s, POLICY_LIMITS_RULE, in->rule.id, &in->limits, f);
}

int sqlite_rule_move(struct store *s, int64_t id, int64_t position, struct fault *f)
{
    struct store_rule r = {0};
    int64_t last = 0;
    int rc = sqlite_rule_get(s, id, &r, f);

    if (rc == 0)
        rc = last_position(s, &r.rule, &last, f);
    if (rc != 0)
        return rc;
    if (position <= 0 || position > last)
        position = last;
    store_touch(s, r.rule.is_group, r.rule.owner);
    /* Out of the row of positions, gap closed, gap opened, back in. */
    rc = set_position(s, id, 0, f);
    if (rc == 0)
        rc = shift(s, &r.rule, false, r.rule.position, f);
    if (rc == 0)
        rc = shift(s, &r.rule, true, position, f);
    return rc != 0 ? rc : set_position(s, id, position, f);
}

int sqlite_rule_delete(struct store *s, int64_t id, struct fault *f)
{
    struct store_rule r = {0};
    struct sql q;
    int rc = sqlite_rule_get(s, id, &r, f);

    if (rc != 0)
        return rc;
    store_touch(s, r.rule.is_group, r.rule.owner);
    q = sql_start(s, SQL_RULE_DELETE);
    sql_put_int(&q, id);
    rc = sql_change(&q, f);
    return rc != 0 ? rc : shift(s, &r.rule, false, r.rule.position, f);
}
