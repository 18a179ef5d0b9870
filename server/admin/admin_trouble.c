/*
 * What went wrong for a user lately, for the helpdesk: what the gateway recorded, and what his own client
 * wrote down in the last bundle that he sent, with code, cause and remedy of
 * the message table.
 */
#include "server/admin/admin_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/msg.h"
#include "common/os.h"
#include "common/timefmt.h"

#define SINCE_S       (30 * 86400)
#define TROUBLES_READ 100
#define LIMIT         20

/* Which message the user saw; an empty reason stands for every other one of that kind. */
static const struct {
    enum audit_kind kind;
    const char *reason;
    enum msg_id msg;
} meanings[] = {
    {AUDIT_LOGIN_REFUSED, "user-disabled", MSG_RULES_ACCOUNT},
    {AUDIT_LOGIN_REFUSED, "key-revoked", MSG_KEY_REVOKED},
    {AUDIT_LOGIN_REFUSED, "weak-key", MSG_KEY_WEAK},
    {AUDIT_LOGIN_REFUSED, "ticket-stale", MSG_KEY_TICKET_STALE},
    {AUDIT_LOGIN_REFUSED, "ticket-missing", MSG_KEY_TICKET_MISSING},
    {AUDIT_LOGIN_REFUSED, "two-machines", MSG_KEY_TWO_MACHINES},
    {AUDIT_LOGIN_REFUSED, "quarantined", MSG_KEY_QUARANTINED},
    {AUDIT_LOGIN_REFUSED, "session-limit", MSG_SESSIONS_MANY},
    {AUDIT_LOGIN_REFUSED, "factor-wrong", MSG_CODE_WRONG},
    {AUDIT_LOGIN_REFUSED, "factor-used", MSG_CODE_USED},
    {AUDIT_LOGIN_REFUSED, "factor-late", MSG_CODE_LATE},
    {AUDIT_LOGIN_REFUSED, "factor-paused", MSG_CODE_PAUSED},
    {AUDIT_LOGIN_REFUSED, "factor-missing", MSG_CODE_MISSING},
    {AUDIT_LOGIN_REFUSED, "factor-failed", MSG_CODE_FAILED},
    {AUDIT_LOGIN_REFUSED, "factor-lease", MSG_CODE_NEEDED},
    {AUDIT_LOGIN_REFUSED, "enroll-code", MSG_ENROLL_CODE},
    {AUDIT_LOGIN_REFUSED, "enroll-many", MSG_ENROLL_MANY},
    {AUDIT_LOGIN_REFUSED, "", MSG_KEY_UNREGISTERED},
    {AUDIT_CHANNEL_REFUSED, "user-connections", MSG_LIMIT_CONNECTIONS},
    {AUDIT_CHANNEL_REFUSED, "rule-connections", MSG_LIMIT_CONNECTIONS},
    {AUDIT_CHANNEL_REFUSED, "user-rate", MSG_LIMIT_RATE},
    {AUDIT_CHANNEL_REFUSED, "rule-rate", MSG_LIMIT_RATE},
    {AUDIT_CHANNEL_REFUSED, "quota-day", MSG_LIMIT_QUOTA},
    {AUDIT_CHANNEL_REFUSED, "quota-month", MSG_LIMIT_QUOTA},
    {AUDIT_CHANNEL_REFUSED, "", MSG_TARGET_DENIED},
    {AUDIT_CHANNEL_FAILED, "", MSG_TARGET_UNREACHABLE},
    {AUDIT_CHANNEL_CUT, "closed", MSG_CUT_CHANNEL},
    {AUDIT_CHANNEL_CUT, "idle", MSG_LIMIT_IDLE},
    {AUDIT_CHANNEL_CUT, "quota-day", MSG_LIMIT_QUOTA},
    {AUDIT_CHANNEL_CUT, "quota-month", MSG_LIMIT_QUOTA},
    {AUDIT_CHANNEL_CUT, "", MSG_CUT_RULE},
    {AUDIT_SESSION_CUT, "killed", MSG_SESSION_KILLED},
    {AUDIT_SESSION_CUT, "key-revoked", MSG_KEY_REVOKED},
    {AUDIT_SESSION_CUT, "key-quarantined", MSG_KEY_QUARANTINED},
    {AUDIT_SESSION_CUT, "user-disabled", MSG_RULES_ACCOUNT},
    {AUDIT_SESSION_CUT, "session-time", MSG_SESSION_TIME},
    {AUDIT_SESSION_CUT, "session-idle", MSG_SESSION_IDLE},
    {AUDIT_LIMIT, "", MSG_LIMIT_BANDWIDTH},
    {AUDIT_CLOCK, "", MSG_CLOCK},
    {AUDIT_PROTOCOL_ERROR, "", MSG_PROTOCOL},
    {AUDIT_ENROLL, "denied", MSG_ENROLL_DENIED},
    {AUDIT_ENROLL, "used", MSG_ENROLL_USED},
    {AUDIT_ENROLL, "expired", MSG_ENROLL_EXPIRED},
};

struct troubles {
    json_t *list;
    enum i18n_lang lang;
};

static enum msg_id meaning_of(const char *kind, const char *reason)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(kind, audit_kind_word(meanings[i].kind)) == 0 &&
            (meanings[i].reason[0] == '\0' || strcmp(reason, meanings[i].reason) == 0))
            return meanings[i].msg;
    }
    return MSG_NONE;
}

static int add(struct troubles *t, json_t *trouble)
{
    return json_array_append_new(t->list, trouble) == 0 ? 0 : PRA_ENOMEM;
}

static int by_time(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;

    return strcmp(json_string_value(json_object_get(*x, "time")),
                  json_string_value(json_object_get(*y, "time")));
}

/* The newest of both sides, oldest first. */
static json_t *newest_of(json_t *list, size_t limit)
{
    size_t count = json_array_size(list);
    json_t **sorted = calloc(count + 1, sizeof(json_t *)), *out = json_array();

    for (size_t i = 0; i < count && sorted != NULL; i++)
        sorted[i] = json_array_get(list, i);
    if (sorted != NULL)
        qsort(sorted, count, sizeof(json_t *), by_time);
    for (size_t i = count > limit ? count - limit : 0; i < count && sorted != NULL; i++)
        json_array_append(out, sorted[i]);
    free(sorted);
    json_decref(list);
    return out;
}

static int take_record(const struct store_audit *r, void *ctx)
{
    struct troubles *t = ctx;
    const struct audit_event *e = &r->event;
    enum msg_id id = meaning_of(r->kind, e->reason);
    char when[TIMEFMT_MAX];
    struct msg_text text;

    if (id == MSG_NONE || json_array_size(t->list) >= TROUBLES_READ)
        return 0;
    msg_format(id, t->lang,
               &(struct msg_args){.user = e->user,
                                  .target = e->target,
                                  .name = e->detail,
                                  .detail = e->reason,
                                  .server = t->lang == LANG_JA ? "ゲートウェイ" : "the gateway"},
               &text);
    return add(t, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "time",
                            timefmt_rfc3339_ms(e->time_ms, when), "by", "gateway", "kind", r->kind,
                            "reason", e->reason, "session", e->session, "target",
                            json_text_or_null(e->target), "code", text.code, "title", text.title,
                            "cause", text.cause, "remedy", text.remedy));
}

/* The title of a code, which all causes of it share. */
static const char *title_of(const char *code, enum i18n_lang lang)
{
    for (int id = MSG_NONE + 1; id < MSG_COUNT; id++) {
        const struct msg_entry *e = msg_entry((enum msg_id)id, lang);

        if (strcmp(e->code, code) == 0)
            return e->title;
    }
    return "";
}

/* The client's own words; they name cause and remedy in its language. */
static int add_client(struct troubles *t, const json_t *problems)
{
    size_t i;
    json_t *p;
    int rc = 0;

    json_array_foreach(problems, i, p)
    {
        const char *code = json_string_value(json_object_get(p, "code"));
        int64_t at = json_integer_value(json_object_get(p, "at"));
        char when[TIMEFMT_MAX];

        if (code != NULL && rc == 0)
            rc = add(t,
                     json_pack("{s:s, s:s, s:n, s:n, s:n, s:n, s:s, s:s, s:O, s:n}", "time",
                               timefmt_rfc3339_ms(at, when), "by", "client", "kind", "reason",
                               "session", "target", "code", code, "title", title_of(code, t->lang),
                               "cause", json_object_get(p, "text"), "remedy"));
    }
    return rc;
}

static int newest(const struct store_bundle *b, void *ctx)
{
    *(struct store_bundle *)ctx = *b;
    return 1;
}

int op_user_trouble(struct call *c)
{
    struct store *s = c->a->store;
    const char *lang = arg_text(c, "lang"), *user = arg_text(c, "user");
    struct store_audit_filter filter = {.user = user, .since_ms = (os_time_now() - SINCE_S) * 1000};
    const struct store_audit_place top = {0};
    struct store_audit_found found;
    struct troubles t = {.list = json_array()};
    struct store_bundle b = {0};
    struct store_user u;
    json_t *problems;
    int rc = s->ops->user_get(s, user, &u, &c->f);

    t.lang = lang != NULL && strcmp(lang, "ja") == 0 ? LANG_JA : LANG_EN;
    if (rc == 0 && lang != NULL && strcmp(lang, "ja") != 0 && strcmp(lang, "en") != 0)
        rc = fault_set(&c->f, PRA_EINVAL, "lang: must be ja or en");
    if (rc == 0)
        rc = s->ops->audit_find(s, &filter, &top, 0, STORE_AUDIT_LIMIT, take_record, &t, &found,
                                &c->f);
    if (rc >= 0 && s->ops->bundle_each(s, user, newest, &b, &c->f) == 1 &&
        (problems = bundle_problems(c->a, b.public_id)) != NULL) {
        rc = add_client(&t, problems);
        json_decref(problems);
    }
    if (rc < 0) {
        json_decref(t.list);
        return rc;
    }
    return give(c, newest_of(t.list, LIMIT));
}
