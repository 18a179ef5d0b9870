/*
 * The SQLite back end: users, groups, members and keys.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

/* A row that does not fit our limits was not written by us. */
static int bad_row(struct sql *q, const char *table, int64_t id, struct fault *f)
{
    sql_end(q);
    return fault_set(f, PRA_ECORRUPT, "database: row %lld of %s is damaged", (long long)id, table);
}

/* Id of the row that was just added. */
static int run_add(struct sql *q, int64_t *id, struct fault *f)
{
    int rc = sql_change(q, f);

    if (rc == 0)
        *id = sqlite3_last_insert_rowid(q->s->db);
    return rc;
}

/* A statement whose only value is a name. */
static int change_by_name(struct store *s, enum sql_id id, const char *name, struct fault *f)
{
    struct sql q = sql_start(s, id);

    sql_put_text(&q, name);
    return sql_change(&q, f);
}

/* ---- users ------------------------------------------------------------------------------------- */

/* A word that this program does not know marks the row as bad. */
static enum policy_clone get_clone(struct sql *q)
{
    enum policy_clone clone = POLICY_CLONE_DEFAULT;
    char word[STORE_WORD_MAX + 1];

    sql_get_text(q, word, sizeof(word));
    if (policy_clone_parse(word, &clone) != 0)
        q->bad = true;
    return clone;
}

void sqlite_read_user(struct sql *q, struct store_user *u)
{
    u->id = sql_get_int(q);
    sql_get_text(q, u->name, sizeof(u->name));
    u->enabled = sql_get_int(q) != 0;
    sql_get_text(q, u->full_name, sizeof(u->full_name));
    u->created = sql_get_int(q);
    u->clone = get_clone(q);
}

int sqlite_user_add(struct store *s, const struct store_user *u, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USER_ADD);

    sql_put_text(&q, u->name);
    sql_put_int(&q, u->enabled);
    sql_put_text(&q, u->full_name);
    sql_put_int(&q, u->created);
    return run_add(&q, id, f);
}

int sqlite_user_get(struct store *s, const char *name, struct store_user *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USER_GET);
    int rc;

    sql_put_text(&q, name);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no user '%s'", name);
    sqlite_read_user(&q, out);
    if (q.bad)
        return bad_row(&q, "users", out->id, f);
    sql_end(&q);
    return 0;
}

int sqlite_user_set(struct store *s, const struct store_user *u, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USER_SET);

    sql_put_text(&q, u->full_name);
    sql_put_text(&q, policy_clone_word(u->clone));
    sql_put_int(&q, u->id);
    return sql_change(&q, f);
}

int sqlite_user_enable(struct store *s, const char *name, bool enabled, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USER_ENABLE);

    sql_put_int(&q, enabled);
    sql_put_text(&q, name);
    return sql_change(&q, f);
}

int sqlite_user_delete(struct store *s, const char *name, struct fault *f)
{
    store_touch(s, false, name);
    return change_by_name(s, SQL_USER_DELETE, name, f);
}

int sqlite_user_each(struct store *s, store_user_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USER_EACH);
    struct store_user u;
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        sqlite_read_user(&q, &u);
        if (q.bad)
            return bad_row(&q, "users", u.id, f);
        rc = fn(&u, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- groups ------------------------------------------------------------------------------------ */

void sqlite_read_group(struct sql *q, struct store_group *g)
{
    g->id = sql_get_int(q);
    sql_get_text(q, g->name, sizeof(g->name));
    g->created = sql_get_int(q);
}

int sqlite_group_add(struct store *s, const struct store_group *g, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_GROUP_ADD);

    sql_put_text(&q, g->name);
    sql_put_int(&q, g->created);
    return run_add(&q, id, f);
}

int sqlite_group_get(struct store *s, const char *name, struct store_group *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_GROUP_GET);
    int rc;

    sql_put_text(&q, name);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no group '%s'", name);
    sqlite_read_group(&q, out);
    if (q.bad)
        return bad_row(&q, "groups", out->id, f);
    sql_end(&q);
    return 0;
}

int sqlite_group_delete(struct store *s, const char *name, struct fault *f)
{
    store_touch(s, true, name);
    return change_by_name(s, SQL_GROUP_DELETE, name, f);
}

static int change_member(struct store *s, enum sql_id id, const char *group, const char *user,
                         struct fault *f)
{
    struct sql q = sql_start(s, id);

    sql_put_text(&q, group);
    sql_put_text(&q, user);
    return sql_change(&q, f);
}

int sqlite_member_add(struct store *s, const char *group, const char *user, struct fault *f)
{
    return change_member(s, SQL_MEMBER_ADD, group, user, f);
}

int sqlite_member_remove(struct store *s, const char *group, const char *user, struct fault *f)
{
    return change_member(s, SQL_MEMBER_REMOVE, group, user, f);
}

static int walk_members(struct sql *q, store_member_fn fn, void *ctx, struct fault *f)
{
    char group[POLICY_NAME_MAX + 1], name[POLICY_NAME_MAX + 1];
    int rc;

    while ((rc = sql_step(q, f)) == 1) {
        sql_get_text(q, group, sizeof(group));
        sql_get_text(q, name, sizeof(name));
        if (q->bad)
            return bad_row(q, "members", 0, f);
        rc = fn(group, name, ctx);
        if (rc != 0) {
            sql_end(q);
            return rc;
        }
    }
    return rc;
}

int sqlite_member_each(struct store *s, const char *user, store_member_fn fn, void *ctx,
                       struct fault *f)
{
    struct sql q = sql_start(s, user != NULL ? SQL_MEMBER_OF : SQL_MEMBER_EACH);

    if (user != NULL)
        sql_put_text(&q, user);
    return walk_members(&q, fn, ctx, f);
}

int sqlite_owner_each(struct store *s, bool groups, const char *after, int64_t limit,
                      int (*fn)(const char *name, void *ctx), void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, groups ? SQL_GROUP_NAMES : SQL_USER_NAMES);
    char name[POLICY_NAME_MAX + 1];
    int rc;

    sql_put_text(&q, after);
    sql_put_int(&q, limit);
    while ((rc = sql_step(&q, f)) == 1) {
        sql_get_text(&q, name, sizeof(name));
        rc = fn(name, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_member_of_group(struct store *s, const char *group, store_member_fn fn, void *ctx,
                           struct fault *f)
{
    struct sql q = sql_start(s, SQL_MEMBER_IN);

    sql_put_text(&q, group);
    return walk_members(&q, fn, ctx, f);
}

/* ---- keys -------------------------------------------------------------------------------------- */

/* What this program does not know is not let in. */
static enum policy_key_state get_state(struct sql *q)
{
    int64_t state = sql_get_int(q);

    return state == POLICY_KEY_ACTIVE || state == POLICY_KEY_QUARANTINED
               ? (enum policy_key_state)state
               : POLICY_KEY_REVOKED;
}

void sqlite_read_key(struct sql *q, struct store_key *k)
{
    k->id = sql_get_int(q);
    sql_get_text(q, k->user, sizeof(k->user));
    sql_get_text(q, k->fingerprint, sizeof(k->fingerprint));
    sql_get_text(q, k->type, sizeof(k->type));
    sql_get_blob(q, k->blob, sizeof(k->blob), &k->blob_len);
    sql_get_text(q, k->comment, sizeof(k->comment));
    k->any_client = sql_get_int(q) != 0;
    k->state = get_state(q);
    k->registered = sql_get_int(q);
    k->revoked = sql_get_int(q);
    k->last_seen = sql_get_int(q);
    sql_get_text(q, k->machine_tag, sizeof(k->machine_tag));
    sql_get_text(q, k->version, sizeof(k->version));
    sql_get_text(q, k->os, sizeof(k->os));
    sql_get_text(q, k->binding, sizeof(k->binding));
    k->machine_changes = sql_get_int(q);
    k->machine_changed = sql_get_int(q);
    sql_get_text(q, k->name, sizeof(k->name));
    sql_get_text(q, k->place, sizeof(k->place));
    sql_get_text(q, k->mail, sizeof(k->mail));
    k->clone = get_clone(q);
    k->ticket_since = sql_get_int(q);
}

int sqlite_key_add(struct store *s, const struct store_key *k, int64_t *id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_KEY_ADD);

    sql_put_text(&q, k->fingerprint);
    sql_put_text(&q, k->type);
    sql_put_blob(&q, k->blob, k->blob_len);
    sql_put_text(&q, k->comment);
    sql_put_int(&q, k->any_client);
    sql_put_int(&q, k->state);
    sql_put_int(&q, k->registered);
    sql_put_text(&q, k->user);
    return run_add(&q, id, f);
}

int sqlite_key_update(struct store *s, const struct store_key *k, struct fault *f)
{
    struct sql q = sql_start(s, SQL_KEY_UPDATE);

    sql_put_text(&q, k->comment);
    sql_put_int(&q, k->any_client);
    sql_put_int(&q, k->state);
    sql_put_int(&q, k->registered);
    sql_put_int(&q, k->revoked);
    sql_put_int(&q, k->id);
    return sql_change(&q, f);
}

int sqlite_key_each(struct store *s, const char *user, const char *fingerprint, store_key_fn fn,
                    void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, fingerprint != NULL ? SQL_KEY_WITH
                                : user != NULL      ? SQL_KEY_OF
                                                    : SQL_KEY_EACH);
    struct store_key k;
    int rc;

    if (fingerprint != NULL || user != NULL)
        sql_put_text(&q, fingerprint != NULL ? fingerprint : user);
    while ((rc = sql_step(&q, f)) == 1) {
        sqlite_read_key(&q, &k);
        if (q.bad)
            return bad_row(&q, "keys", k.id, f);
        if (fingerprint != NULL && user != NULL && strcmp(k.user, user) != 0)
            continue;
        rc = fn(&k, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_key_seen(struct store *s, const char *user, const char *fingerprint, int64_t now,
                    struct fault *f)
{
    struct sql q = sql_start(s, SQL_KEY_SEEN);

    sql_put_int(&q, now);
    sql_put_text(&q, fingerprint);
    sql_put_text(&q, user);
    return sql_run(&q, f);
}
