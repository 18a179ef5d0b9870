/*
 * The SQLite back end: what is known of devices, when their machine tags changed, and what was done to
 * rules.
 */
#include "server/store/store_sqlite_internal.h"

#include <stdio.h>

/* ---- devices ----------------------------------------------------------------------------------- */

int sqlite_key_describe(struct store *s, const struct store_key *k, struct fault *f)
{
    struct sql q = sql_start(s, SQL_KEY_DESCRIBE);

    sql_put_text(&q, k->name);
    sql_put_text(&q, k->place);
    sql_put_text(&q, k->mail);
    sql_put_text(&q, policy_clone_word(k->clone));
    sql_put_int(&q, k->id);
    return sql_change(&q, f);
}

/* Another tag than before, if there was one before, is kept. */
static int note_tag(struct store *s, int64_t id, const char *machine_tag, int64_t now,
                    struct fault *f)
{
    struct sql q = sql_start(s, SQL_KEY_TAG_ADD);
    int rc;

    sql_put_int(&q, id);
    sql_put_int(&q, now);
    sql_put_text(&q, machine_tag);
    rc = sql_change(&q, f);
    if (rc != 0)
        return rc == PRA_ENOENT ? 0 : rc;
    q = sql_start(s, SQL_KEY_TAG_TRIM);
    sql_put_int(&q, id);
    sql_put_int(&q, STORE_TAGS_MAX);
    return sql_run(&q, f);
}

int sqlite_key_note(struct store *s, int64_t id, const char *machine_tag, const char *version,
                    const char *os, const char *binding, int64_t now, struct fault *f)
{
    int rc = note_tag(s, id, machine_tag, now, f);
    struct sql q = sql_start(s, SQL_KEY_NOTE);

    if (rc != 0)
        return rc;
    sql_put_text(&q, machine_tag);
    sql_put_text(&q, version);
    sql_put_text(&q, os);
    sql_put_text(&q, binding);
    sql_put_int(&q, now);
    sql_put_int(&q, id);
    return sql_change(&q, f);
}

int sqlite_key_tags(struct store *s, int64_t id, store_tag_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_KEY_TAG_EACH);
    char before[STORE_WORD_MAX + 1], after[STORE_WORD_MAX + 1];
    int rc;

    sql_put_int(&q, id);
    while ((rc = sql_step(&q, f)) == 1) {
        int64_t time = sql_get_int(&q);

        sql_get_text(&q, before, sizeof(before));
        sql_get_text(&q, after, sizeof(after));
        rc = fn(time, before, after, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- rules ------------------------------------------------------------------------------------- */

int sqlite_change_add(struct store *s, const struct store_change *c, struct fault *f)
{
    struct sql q = sql_start(s, SQL_CHANGE_ADD);
    int rc;

    sql_put_int(&q, c->time);
    sql_put_text(&q, c->by);
    sql_put_text(&q, c->what);
    sql_put_int(&q, c->rule);
    sql_put_int(&q, c->is_group);
    sql_put_text(&q, c->owner);
    sql_put_text(&q, c->before);
    sql_put_text(&q, c->after);
    rc = sql_change(&q, f);
    if (rc != 0)
        return rc;
    q = sql_start(s, SQL_CHANGE_TRIM);
    sql_put_int(&q, STORE_CHANGES_MAX);
    return sql_run(&q, f);
}

static void read_change(struct sql *q, struct store_change *c)
{
    c->id = sql_get_int(q);
    c->time = sql_get_int(q);
    sql_get_text(q, c->by, sizeof(c->by));
    sql_get_text(q, c->what, sizeof(c->what));
    c->rule = sql_get_int(q);
    c->is_group = sql_get_int(q) != 0;
    sql_get_text(q, c->owner, sizeof(c->owner));
    sql_get_text(q, c->before, sizeof(c->before));
    sql_get_text(q, c->after, sizeof(c->after));
    c->undone = sql_get_int(q) != 0;
}

static int damaged(struct sql *q, int64_t id, struct fault *f)
{
    sql_end(q);
    return fault_set(f, PRA_ECORRUPT, "database: row %lld of rule_changes is damaged",
                     (long long)id);
}

int sqlite_change_get(struct store *s, int64_t id, struct store_change *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_CHANGE_GET);
    int rc;

    sql_put_int(&q, id);
    rc = sql_step(&q, f);
    if (rc == 0)
        return fault_set(f, PRA_ENOENT, "there is no change %lld", (long long)id);
    if (rc < 0)
        return rc;
    read_change(&q, out);
    if (q.bad)
        return damaged(&q, id, f);
    sql_end(&q);
    return 0;
}

int sqlite_change_each(struct store *s, bool is_group, const char *owner, int64_t before,
                       size_t max, store_change_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_CHANGE_EACH);
    struct store_change c;
    int rc;

    sql_put_int(&q, is_group);
    sql_put_text(&q, owner);
    sql_put_int(&q, before);
    sql_put_int(&q, (int64_t)max);
    while ((rc = sql_step(&q, f)) == 1) {
        read_change(&q, &c);
        if (q.bad)
            return damaged(&q, c.id, f);
        rc = fn(&c, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_change_undone(struct store *s, int64_t id, struct fault *f)
{
    struct sql q = sql_start(s, SQL_CHANGE_UNDONE);

    sql_put_int(&q, id);
    return sql_change(&q, f);
}

int sqlite_change_forget(struct store *s, bool is_group, const char *owner, struct fault *f)
{
    struct sql q = sql_start(s, SQL_CHANGE_FORGET);

    sql_put_int(&q, is_group);
    sql_put_text(&q, owner);
    return sql_run(&q, f);
}
