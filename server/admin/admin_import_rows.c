/*
 * The rows of the tables that are imported: users and rules.
 */
#include "server/admin/admin_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- users ------------------------------------------------------------------------------------- */

const struct import_column user_columns[] = {
    {"name", NULL, true},    {"full-name", NULL, false}, {"state", NULL, false},
    {"groups", NULL, false}, {NULL, NULL, false},
};

static int note_group(const char *group, const char *user, void *ctx)
{
    (void)user;
    return json_object_set_new(ctx, group, json_true()) == 0 ? 0 : PRA_ENOMEM;
}

static int change_member(struct import *im, const char *op, const char *group, const char *user,
                         bool *changed)
{
    json_t *args = json_pack("{s:o, s:o}", "group", json_text(group), "user", json_text(user));
    int rc = admin_run_within(im->c, op, args, NULL);

    json_decref(args);
    if (rc == 0)
        *changed = true;
    else if (!import_fatal(rc))
        import_problem(im, "groups", "%s", im->c->f.text);
    return import_fatal(rc) ? rc : 0;
}

/* Makes the user a member of these groups and of no others. */
static int set_groups(struct import *im, const char *user, bool *changed)
{
    struct store *s = im->c->a->store;
    char *text = strdup(import_cell(im, "groups")), *rest = text, *one;
    json_t *now = json_object(), *value;
    const char *group;
    void *next;
    int rc = text == NULL || now == NULL ? PRA_ENOMEM
                                         : s->ops->member_each(s, user, note_group, now, &im->c->f);

    while (rc == 0 && (one = strsep(&rest, ";")) != NULL) {
        size_t len;

        one += strspn(one, " ");
        for (len = strlen(one); len > 0 && one[len - 1] == ' '; len--)
            one[len - 1] = '\0';
        if (one[0] == '\0' || json_object_del(now, one) == 0)
            continue;
        rc = change_member(im, "group.member.add", one, user, changed);
    }
    json_object_foreach_safe(now, next, group, value)
    {
        if (rc == 0)
            rc = change_member(im, "group.member.remove", group, user, changed);
    }
    json_decref(now);
    free(text);
    return rc;
}

/* "enabled", "disabled" or "". */
static bool read_state(struct import *im, bool *disabled)
{
    const char *state = import_cell(im, "state");

    *disabled = strcmp(state, "disabled") == 0;
    if (state[0] == '\0' || *disabled || strcmp(state, "enabled") == 0)
        return true;
    import_problem(im, "state", "must be enabled or disabled");
    return false;
}

/* Brings a user who is there to what the row says. */
static int change_user(struct import *im, const struct store_user *u, bool disabled, bool *good,
                       bool *changed)
{
    const char *full = import_cell(im, "full-name");
    json_t *who = json_pack("{s:s}", "name", u->name);
    int rc = 0;

    if (import_has(im, "full-name") && strcmp(full, u->full_name) != 0) {
        rc = import_attempt(im, "user.set",
                            json_pack("{s:s, s:o}", "name", u->name, "full-name", json_text(full)),
                            good);
        *changed = true;
    }
    if (rc == 0 && import_cell(im, "state")[0] != '\0' && u->enabled == disabled) {
        rc = admin_run_within(im->c, disabled ? "user.disable" : "user.enable", who, NULL);
        *changed = true;
    }
    json_decref(who);
    return rc;
}

static int add_user(struct import *im, const char *name, bool disabled, bool *good)
{
    const char *full = import_cell(im, "full-name");
    json_t *args = json_pack("{s:o, s:b}", "name", json_text(name), "disabled", disabled);

    if (full[0] != '\0')
        json_object_set_new(args, "full-name", json_text(full));
    return import_attempt(im, "user.add", args, good);
}

static int take_user(struct import *im)
{
    struct store *s = im->c->a->store;
    const char *name = import_cell(im, "name");
    bool disabled, good = true, changed = false, state_good = read_state(im, &disabled);
    struct store_user u;
    int found;

    if (json_object_get(im->seen, name) != NULL) {
        import_problem(im, "name", "line %lld is about this user already",
                       (long long)json_integer_value(json_object_get(im->seen, name)));
        return 0;
    }
    json_object_set_new(im->seen, name, json_integer(im->row.line));
    found = s->ops->user_get(s, name, &u, &im->c->f);
    if (found != 0 && found != PRA_ENOENT)
        return found;
    int rc = found == 0 ? change_user(im, &u, disabled && state_good, &good, &changed)
                        : add_user(im, name, disabled, &good);
    /* A user who could not be added is in no group. */
    if (rc == 0 && import_has(im, "groups") && s->ops->user_get(s, name, &u, &im->c->f) == 0)
        rc = set_groups(im, name, &changed);
    if (found != 0)
        im->added++;
    else if (changed)
        im->changed++;
    else
        im->unchanged++;
    return rc;
}

static int import_users(struct call *c, bool check)
{
    return import_table(c, user_columns, take_user, check, true);
}

int op_user_import(struct call *c)
{
    return import_users(c, false);
}

int op_user_import_check(struct call *c)
{
    return import_check(c, import_users);
}

/* ---- rules ------------------------------------------------------------------------------------- */

const struct import_column rule_columns[] = {
    {"user", NULL, false},     {"group", NULL, false},        {"name", "x", true},
    {"target", "x:1", true},   {"local", NULL, false},        {"fallback", NULL, false},
    {"action", NULL, false},   {"from", NULL, false},         {"hours", NULL, false},
    {"expires", NULL, false},  {"log", NULL, false},          {"max-connections", NULL, false},
    {"rate", NULL, false},     {"burst", NULL, false},        {"upload", NULL, false},
    {"download", NULL, false}, {"channel-idle", NULL, false}, {NULL, NULL, false},
};

static int collect_id(const struct store_rule *r, void *ctx)
{
    return json_array_append_new(ctx, json_integer(r->rule.id)) == 0 ? 0 : PRA_ENOMEM;
}

/* Deletes what the owner of the row had before, when the first row about him comes. */
static int clear_owner(struct import *im)
{
    struct store *s = im->c->a->store;
    const char *group = import_cell(im, "group");
    bool is_group = group[0] != '\0';
    const char *name = is_group ? group : import_cell(im, "user");
    char owner[2 + 1024 + 1];
    json_t *ids, *args;
    int rc;

    snprintf(owner, sizeof(owner), "%c:%s", is_group ? 'g' : 'u', name);
    if (!im->replace || json_object_get(im->seen, owner) != NULL)
        return 0;
    json_object_set_new(im->seen, owner, json_true());
    ids = json_array();
    rc = s->ops->rule_each(s, is_group, name, collect_id, ids, &im->c->f);
    for (size_t i = json_array_size(ids); i > 0 && rc == 0;
         i--) { /* the last one moves no others */
        args = json_pack("{s:O}", "id", json_array_get(ids, i - 1));
        rc = admin_run_within(im->c, "rule.delete", args, NULL);
        json_decref(args);
        im->removed += rc == 0;
    }
    json_decref(ids);
    return rc;
}

static int take_rule(struct import *im)
{
    const char *log = import_cell(im, "log");
    json_t *args = json_object();
    bool good = true;
    int rc = clear_owner(im);

    for (const struct import_column *col = rule_columns; col->name != NULL; col++) {
        const char *text = import_cell(im, col->name);

        if (strcmp(col->name, "log") != 0 && (text[0] != '\0' || col->required))
            json_object_set_new(args, col->name, json_text(text));
    }
    if (strcmp(log, "yes") == 0)
        json_object_set_new(args, "log", json_true());
    else if (log[0] != '\0' && strcmp(log, "no") != 0)
        import_problem(im, "log", "must be yes or no");
    if (rc != 0)
        json_decref(args);
    else
        rc = import_attempt(im, "rule.add", args, &good);
    im->added++;
    return rc;
}

static int import_rules(struct call *c, bool check)
{
    return import_table(c, rule_columns, take_rule, check, false); /* all of an owner's or none */
}

int op_rule_import(struct call *c)
{
    return import_rules(c, false);
}

int op_rule_import_check(struct call *c)
{
    return import_check(c, import_rules);
}
