/*
 * What was done to rules, and taking it back: each change is kept with the rule before and after it.
 * Taking one back is a change like any other, so it can be taken back as well.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

#define CHANGES_DEFAULT 50

static int keep(struct call *c, char dst[STORE_CHANGE_TEXT], const struct store_rule *r)
{
    json_t *rule = r == NULL ? NULL : rule_json(r);
    char *text = rule == NULL ? NULL : json_dumps(rule, JSON_COMPACT);
    bool fits = text != NULL && strlen(text) < STORE_CHANGE_TEXT;

    dst[0] = '\0';
    if (fits)
        memcpy(dst, text, strlen(text) + 1);
    free(text);
    json_decref(rule);
    return r == NULL || fits ? 0 : fault_set(&c->f, PRA_ENOMEM, "no memory for the change");
}

int change_note(struct call *c, const char *what, const struct store_rule *before,
                const struct store_rule *after)
{
    struct store *s = c->a->store;
    const struct policy_rule *r = after != NULL ? &after->rule : &before->rule;
    struct store_change *change = calloc(1, sizeof(*change));
    int rc;

    if (change == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory for the change");
    change->time = os_time_now();
    change->rule = r->id;
    change->is_group = r->is_group;
    snprintf(change->by, sizeof(change->by), "%s",
             c->account.id != 0 ? c->account.name : c->peer->name);
    snprintf(change->what, sizeof(change->what), "%s", what);
    snprintf(change->owner, sizeof(change->owner), "%s", r->owner);
    rc = keep(c, change->before, before);
    if (rc == 0)
        rc = keep(c, change->after, after);
    if (rc == 0)
        rc = s->ops->change_add(s, change, &c->f);
    free(change);
    return rc;
}

/* ---- listing ----------------------------------------------------------------------------------- */

static json_t *rule_of(const char *text)
{
    json_t *rule = text[0] == '\0' ? NULL : json_loads(text, 0, NULL);

    return rule != NULL ? rule : json_null();
}

static json_t *change_json(const struct store_change *change)
{
    return json_pack("{s:I, s:o, s:o, s:s, s:I, s:b, s:o, s:o}", "id", (json_int_t)change->id,
                     "time", json_when(change->time), "by", json_text(change->by), "what",
                     change->what, "rule", (json_int_t)change->rule, "undone", change->undone,
                     "before", rule_of(change->before), "after", rule_of(change->after));
}

static int list_change(const struct store_change *change, void *ctx)
{
    return json_array_append_new(ctx, change_json(change)) == 0 ? 0 : PRA_ENOMEM;
}

int op_rule_history(struct call *c)
{
    struct store *s = c->a->store;
    const char *user = arg_text(c, "user"), *group = arg_text(c, "group");
    int64_t limit = arg_int(c, "limit");
    struct store_user u;
    struct store_group g;
    json_t *list;
    int rc;

    if ((user == NULL) == (group == NULL))
        return fault_set(&c->f, PRA_EINVAL, "user, group: give one of the two");
    rc = user != NULL ? s->ops->user_get(s, user, &u, &c->f)
                      : s->ops->group_get(s, group, &g, &c->f);
    if (rc != 0)
        return rc;
    list = json_array();
    rc = s->ops->change_each(s, group != NULL, group != NULL ? group : user, arg_int(c, "before"),
                             limit > 0 ? (size_t)limit : CHANGES_DEFAULT, list_change, list, &c->f);
    if (rc != 0) {
        json_decref(list);
        return rc;
    }
    return give(c, list);
}

/* ---- taking back ------------------------------------------------------------------------------- */

/* The members of a rule that this operation takes; rule.set is told also of what was not there. */
static json_t *arguments(const json_t *rule, const char *op)
{
    const bool set = strcmp(op, "rule.set") == 0;
    json_t *args = json_object();

    for (const struct arg_spec *a = admin_operation(op)->args; a->name != NULL; a++) {
        json_t *value = strcmp(a->name, "id") == 0 ? NULL : rule_part(rule, a->name);

        if (value != NULL && !json_is_null(value))
            json_object_set(args, a->name, value);
        else if (set && a->type == ARG_TEXT)
            json_object_set_new(args, a->name, json_string(""));
    }
    return args;
}

/* What turns a change around: an operation, and its arguments as a new reference. */
static const char *inverse(const struct store_change *change, const json_t *before, json_t **args)
{
    if (strcmp(change->what, "delete") == 0) {
        *args = arguments(before, "rule.add");
        return "rule.add";
    }
    if (strcmp(change->what, "add") == 0) {
        *args = json_object();
    } else if (strcmp(change->what, "set") == 0) {
        *args = arguments(before, "rule.set");
    } else {
        *args = json_pack("{s:O}", "position", json_object_get(before, "position"));
    }
    json_object_set_new(*args, "id", json_integer(change->rule));
    return strcmp(change->what, "add") == 0   ? "rule.delete"
           : strcmp(change->what, "set") == 0 ? "rule.set"
                                              : "rule.move";
}

static int take_back(struct call *c, const struct store_change *change)
{
    struct store *s = c->a->store;
    json_t *args = NULL, *before = rule_of(change->before);
    const char *op = inverse(change, before, &args);
    int rc = admin_run_within(c, op, args, NULL);

    json_decref(args);
    json_decref(before);
    if (rc == PRA_ENOENT)
        return fault_set(&c->f, rc, "id: rule %lld is not there any more", (long long)change->rule);
    return rc != 0 ? rc : s->ops->change_undone(s, change->id, &c->f);
}

int op_rule_undo(struct call *c)
{
    struct store *s = c->a->store;
    struct store_change *change = calloc(1, sizeof(*change));
    int rc;

    if (change == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory for the change");
    rc = s->ops->change_get(s, arg_int(c, "id"), change, &c->f);
    if (rc == 0 && change->undone)
        rc = fault_set(&c->f, PRA_EEXIST, "id: that was taken back already");
    if (rc == 0)
        rc = take_back(c, change);
    if (rc == 0) {
        change->undone = true;
        rc = give(c, change_json(change));
    }
    free(change);
    return rc;
}
