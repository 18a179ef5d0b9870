/*
 * Enrollment: a user's PC hands in its public key by itself. An administrator makes a one-use code,
 * the PC presents it at the SSH port together with a signature of its key (server/prad/enroll.h),
 * and an administrator approves or refuses what came. Of a code only the hash is kept; whoever comes
 * first with it is the only one who can.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "common/utf8.h"

static const char *const state_words[ENROLL_STATE_COUNT] = {
#define X(id, word) [id] = word,
    ENROLL_STATE_MAP(X)
#undef X
};

/* For people: a code that nobody came with in time is `expired`, and so is a request nobody decided. */
static const char *state_of(const struct store_enrollment *e, int64_t now)
{
    if (e->decided == 0 && now >= e->expires)
        return "expired";
    return state_words[e->state];
}

static json_t *enrollment_json(const struct store_enrollment *e)
{
    return json_pack(
        "{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
        (json_int_t)e->id, "user", json_text(e->user), "state", state_of(e, os_time_now()),
        "fingerprint", json_text_or_null(e->fingerprint), "computer",
        json_text_or_null(e->computer), "os", json_text_or_null(e->os), "version",
        json_text_or_null(e->version), "binding", json_text_or_null(e->binding), "machine",
        json_text_or_null(e->machine), "source", json_text_or_null(e->source), "created",
        json_when(e->created), "created-by", json_text_or_null(e->created_by), "expires",
        json_when(e->expires), "requested", json_when(e->requested), "decided",
        json_when(e->decided), "decided-by", json_text_or_null(e->decided_by));
}

/* Who asks, as the audit knows him. */
static void note_who(const struct call *c, char dst[POLICY_NAME_MAX + 1])
{
    snprintf(dst, POLICY_NAME_MAX + 1, "%s", c->account.id != 0 ? c->account.name : c->peer->name);
}

/* ---- the code ---------------------------------------------------------------------------------- */

static int count_live(const struct store_enrollment *e, void *ctx)
{
    size_t *count = ctx;

    *count += e->decided == 0 && os_time_now() < e->expires;
    return 0;
}

int op_enroll_code(struct call *c)
{
    struct store *s = c->a->store;
    struct store_enrollment e = {.state = ENROLL_OPEN, .created = os_time_now()};
    char code[CODE_TEXT_MAX + 1] = "";
    int64_t hours = arg_int(c, "hours");
    struct store_user u;
    json_t *result;
    size_t live = 0;
    int rc = s->ops->user_get(s, arg_text(c, "user"), &u, &c->f);

    if (rc == 0)
        rc = s->ops->enroll_each(s, NULL, count_live, &live, &c->f);
    if (rc == 0 && live >= ENROLL_LIVE_MAX)
        rc = fault_set(&c->f, PRA_EAGAIN,
                       "%d codes are out already: withdraw some, or wait until they expire",
                       ENROLL_LIVE_MAX);
    if (rc == 0)
        rc = s->ops->enroll_purge(s, e.created - ENROLL_KEPT_S, &c->f);
    if (rc == 0)
        rc = code_make(ENROLL_CODE_CHARS, code, e.code);
    if (rc != 0)
        return rc;
    memcpy(e.user, u.name, sizeof(e.user));
    note_who(c, e.created_by);
    e.expires = e.created + (hours == 0 ? ENROLL_HOURS_DEFAULT : hours) * 3600;
    rc = s->ops->enroll_add(s, &e, &e.id, &c->f);
    if (rc != 0)
        return rc;
    if (!u.enabled)
        warn(c, "user '%s' is disabled: enable him before he connects", u.name);
    c->a->enroll_changes++;
    result = enrollment_json(&e);
    if (result != NULL)
        json_object_set_new(result, "code", json_string(code));
    crypto_wipe(code, sizeof(code));
    return give(c, result);
}

/* ---- lists ------------------------------------------------------------------------------------- */

struct enrollments {
    json_t *list;
    const char *state, *search;
    int64_t now;
};

static bool shows(const struct store_enrollment *e, const char *text)
{
    const char *const shown[] = {e->user, e->fingerprint, e->computer, e->os, e->source};

    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        if (strcasestr(shown[i], text) != NULL)
            return true;
    return false;
}

static int list_one(const struct store_enrollment *e, void *ctx)
{
    const struct enrollments *w = ctx;

    if ((w->state != NULL && strcmp(state_of(e, w->now), w->state) != 0) ||
        (w->search != NULL && !shows(e, w->search)))
        return 0;
    return json_array_append_new(w->list, enrollment_json(e)) == 0 ? 0 : PRA_ENOMEM;
}

int op_enroll_list(struct call *c)
{
    struct store *s = c->a->store;
    struct enrollments w = {.list = json_array(), .now = os_time_now()};
    struct listing l;
    struct store_user u;
    int rc = list_read(c, &l);

    if (rc == 0 && l.sort != NULL)
        rc = fault_set(&c->f, PRA_EINVAL, "sort: enrollments come newest first");
    if (rc == 0 && l.user != NULL)
        rc = s->ops->user_get(s, l.user, &u, &c->f);
    w.state = l.state;
    w.search = l.search;
    if (rc == 0)
        rc = s->ops->enroll_each(s, l.user, list_one, &w, &c->f);
    return list_cut(c, &l, w.list, rc);
}

/* ---- deciding ---------------------------------------------------------------------------------- */

/* The enrollment that an argument names, as long as somebody may still decide about it. */
static int read_undecided(struct call *c, struct store_enrollment *e)
{
    int rc = c->a->store->ops->enroll_get(c->a->store, arg_int(c, "id"), e, &c->f);

    if (rc != 0)
        return rc;
    memcpy(c->device, e->fingerprint, sizeof(c->device));
    if (e->decided != 0)
        return fault_set(&c->f, PRA_EEXIST, "id: decided already: %s by %s", state_words[e->state],
                         e->decided_by);
    return 0;
}

static int decide(struct call *c, struct store_enrollment *e, enum enroll_state state)
{
    e->state = state;
    e->decided = os_time_now();
    note_who(c, e->decided_by);
    c->a->enroll_changes++;
    return c->a->store->ops->enroll_set(c->a->store, e, &c->f);
}

int op_enroll_approve(struct call *c)
{
    struct store_enrollment e;
    struct store_key k = {.state = POLICY_KEY_ACTIVE, .registered = os_time_now()};
    int rc = read_undecided(c, &e);

    if (rc == 0 && e.state != ENROLL_WAITING)
        rc = fault_set(&c->f, PRA_ENOENT, "id: nobody has come with this code yet");
    if (rc == 0 && os_time_now() >= e.expires)
        rc = fault_set(&c->f, PRA_EINVAL, "id: this request has expired; make a new code");
    if (rc != 0)
        return rc;
    memcpy(k.user, e.user, sizeof(k.user));
    memcpy(k.fingerprint, e.fingerprint, sizeof(k.fingerprint));
    memcpy(k.type, e.type, sizeof(k.type));
    memcpy(k.blob, e.blob, e.blob_len);
    k.blob_len = e.blob_len;
    snprintf(k.comment, sizeof(k.comment), "%.60s@%.60s", e.user, e.computer);
    utf8_mend(k.comment);
    rc = key_register(c, &k);
    return rc == 0 ? decide(c, &e, ENROLL_APPROVED) : rc;
}

int op_enroll_deny(struct call *c)
{
    struct store_enrollment e;
    int rc = read_undecided(c, &e);

    if (rc == 0)
        rc = decide(c, &e, e.state == ENROLL_WAITING ? ENROLL_DENIED : ENROLL_WITHDRAWN);
    return rc == 0 ? give(c, enrollment_json(&e)) : rc;
}

/* ---- what prad asks ---------------------------------------------------------------------------- */

uint64_t admin_enroll_changes(const struct admin *a)
{
    return a->enroll_changes;
}

int admin_enroll_each(struct admin *a, int (*fn)(const struct store_enrollment *, void *),
                      void *ctx)
{
    struct fault f = {0};
    int rc = a->store->ops->enroll_each(a->store, NULL, fn, ctx, &f);

    if (rc < 0)
        log_event(LOG_ERROR, "enrollments-not-read", "error=\"%s\"", f.text);
    return rc;
}

/* Fills the row of a code that nobody has come with. */
static int take_request(struct admin *a, const struct store_enrollment *r, struct fault *f)
{
    struct store_enrollment e;
    int rc = a->store->ops->enroll_get(a->store, r->id, &e, f);

    if (rc != 0)
        return rc;
    if (e.state != ENROLL_OPEN || os_time_now() >= e.expires)
        return PRA_EEXIST; /* the one who asks is told so by what he sees of it */
    memcpy(e.type, r->type, sizeof(e.type));
    memcpy(e.fingerprint, r->fingerprint, sizeof(e.fingerprint));
    memcpy(e.blob, r->blob, sizeof(e.blob));
    e.blob_len = r->blob_len;
    memcpy(e.computer, r->computer, sizeof(e.computer));
    memcpy(e.os, r->os, sizeof(e.os));
    memcpy(e.version, r->version, sizeof(e.version));
    memcpy(e.binding, r->binding, sizeof(e.binding));
    memcpy(e.machine, r->machine, sizeof(e.machine));
    memcpy(e.source, r->source, sizeof(e.source));
    e.state = ENROLL_WAITING;
    e.requested = os_time_now();
    return a->store->ops->enroll_set(a->store, &e, f);
}

int admin_enroll_request(struct admin *a, const struct store_enrollment *request)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc != 0)
        return PRA_EIO;
    rc = take_request(a, request, &f);
    rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    if (rc == 0)
        a->enroll_changes++;
    else if (rc != PRA_EEXIST && rc != PRA_ENOENT)
        log_event(LOG_ERROR, "enrollment-not-stored", "error=\"%s\"", f.text);
    return rc;
}
