/*
 * The SQLite back end: codes with which users enrol their PCs, and what came for them.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>

static const char *const state_words[ENROLL_STATE_COUNT] = {
#define X(id, word) [id] = word,
    ENROLL_STATE_MAP(X)
#undef X
};

int sqlite_enroll_add(struct store *s, const struct store_enrollment *e, int64_t *id,
                      struct fault *f)
{
    struct sql q = sql_start(s, SQL_ENROLL_ADD);
    int rc;

    sql_put_text(&q, e->user);
    sql_put_blob(&q, e->code, sizeof(e->code));
    sql_put_text(&q, state_words[e->state]);
    sql_put_int(&q, e->created);
    sql_put_text(&q, e->created_by);
    sql_put_int(&q, e->expires);
    rc = sql_change(&q, f);
    if (rc == 0)
        *id = sqlite3_last_insert_rowid(q.s->db);
    return rc;
}

/* In the order of SQL_ENROLL_COLUMNS. Returns 0, or PRA_ECORRUPT with the run ended. */
static int read_enrollment(struct sql *q, struct store_enrollment *e, struct fault *f)
{
    char state[STORE_WORD_MAX + 1];
    size_t len;
    int found = -1;

    e->id = sql_get_int(q);
    sql_get_text(q, e->user, sizeof(e->user));
    sql_get_blob(q, e->code, sizeof(e->code), &len);
    sql_get_text(q, state, sizeof(state));
    e->created = sql_get_int(q);
    sql_get_text(q, e->created_by, sizeof(e->created_by));
    e->expires = sql_get_int(q);
    e->requested = sql_get_int(q);
    e->decided = sql_get_int(q);
    sql_get_text(q, e->decided_by, sizeof(e->decided_by));
    sql_get_text(q, e->fingerprint, sizeof(e->fingerprint));
    sql_get_text(q, e->type, sizeof(e->type));
    sql_get_blob(q, e->blob, sizeof(e->blob), &e->blob_len);
    sql_get_text(q, e->computer, sizeof(e->computer));
    sql_get_text(q, e->os, sizeof(e->os));
    sql_get_text(q, e->version, sizeof(e->version));
    sql_get_text(q, e->binding, sizeof(e->binding));
    sql_get_text(q, e->machine, sizeof(e->machine));
    sql_get_text(q, e->source, sizeof(e->source));
    for (int i = 0; i < ENROLL_STATE_COUNT; i++)
        found = strcmp(state, state_words[i]) == 0 ? i : found;
    if (q->bad || len != sizeof(e->code) || found < 0) {
        sql_end(q);
        return fault_set(f, PRA_ECORRUPT, "database: row %lld of enrollments is damaged",
                         (long long)e->id);
    }
    e->state = (enum enroll_state)found;
    return 0;
}

int sqlite_enroll_get(struct store *s, int64_t id, struct store_enrollment *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ENROLL_GET);
    int rc;

    sql_put_int(&q, id);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ENOENT, "there is no enrollment %lld", (long long)id);
    rc = read_enrollment(&q, out, f);
    if (rc == 0)
        sql_end(&q);
    return rc;
}

int sqlite_enroll_set(struct store *s, const struct store_enrollment *e, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ENROLL_SET);

    sql_put_text(&q, state_words[e->state]);
    sql_put_int(&q, e->requested);
    sql_put_int(&q, e->decided);
    sql_put_text(&q, e->decided_by);
    sql_put_text(&q, e->fingerprint);
    sql_put_text(&q, e->type);
    sql_put_blob(&q, e->blob, e->blob_len);
    sql_put_text(&q, e->computer);
    sql_put_text(&q, e->os);
    sql_put_text(&q, e->version);
    sql_put_text(&q, e->binding);
    sql_put_text(&q, e->machine);
    sql_put_text(&q, e->source);
    sql_put_int(&q, e->id);
    return sql_change(&q, f);
}

int sqlite_enroll_each(struct store *s, const char *user, store_enrollment_fn fn, void *ctx,
                       struct fault *f)
{
    struct sql q = sql_start(s, SQL_ENROLL_EACH);
    struct store_enrollment e;
    int rc;

    sql_put_text(&q, user);
    while ((rc = sql_step(&q, f)) == 1) {
        rc = read_enrollment(&q, &e, f);
        if (rc != 0)
            return rc;
        rc = fn(&e, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_enroll_purge(struct store *s, int64_t before, struct fault *f)
{
    struct sql q = sql_start(s, SQL_ENROLL_PURGE);

    sql_put_int(&q, before);
    return sql_run(&q, f);
}
