/* Messages of the control channel, both ways; see control.h. */
#include "client/control.h"

#include <string.h>

#include "common/crypto.h"
#include "common/i18n.h"
#include "common/jsonl.h"
#include "common/os.h"
#include "common/timefmt.h"

/* --- what we say ---------------------------------------------------------------------------- */

static json_t *head_json(const struct chainlog_head *h)
{
    char hash[2 * CRYPTO_SHA256_LEN + 1];

    crypto_hex_encode(h->hash, sizeof(h->hash), hash);
    return json_pack("{s:I, s:s}", "lines", (json_int_t)h->lines, "hash", hash);
}

json_t *control_hello(const struct control_hello *h)
{
    char os[128], clock[TIMEFMT_MAX];

    os_describe(os, sizeof(os));
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:{s:o, s:o}}", "type",
                     "hello", "proto", CONTROL_PROTO, "version", PRA_VERSION, "os", os, "machine",
                     h->machine, "clock", timefmt_rfc3339(os_time_now(), clock), "lang",
                     i18n_lang() == LANG_JA ? "ja" : "en", "binding", h->weak ? "weak" : "bound",
                     "ticket", h->ticket, "log_heads", "system", head_json(h->system), "user",
                     head_json(h->user));
}

json_t *control_ticket_stored(bool stored)
{
    return json_pack("{s:s, s:b}", "type", "ticket-stored", "stored", stored);
}

json_t *control_log_heads(const struct chainlog_head *system, const struct chainlog_head *user)
{
    return json_pack("{s:s, s:o, s:o}", "type", "log_heads", "system", head_json(system), "user",
                     head_json(user));
}

json_t *control_explain(int64_t id, int64_t rule)
{
    return json_pack("{s:s, s:I, s:I}", "type", "explain", "id", (json_int_t)id, "rule",
                     (json_int_t)rule);
}

json_t *control_bye(const char *reason)
{
    return json_pack("{s:s, s:s}", "type", "bye", "reason", reason);
}

json_t *control_join(const char *session, const char *token)
{
    return json_pack("{s:s, s:s, s:s}", "type", "join", "session", session, "token", token);
}

json_t *control_join_token(int64_t id, const char *why)
{
    return json_pack("{s:s, s:I, s:s}", "type", "join-token", "id", (json_int_t)id, "why", why);
}

json_t *control_ports(int64_t version, json_t *ports)
{
    return json_pack("{s:s, s:I, s:o}", "type", "ports", "version", (json_int_t)version, "ports",
                     ports);
}

json_t *control_log_begin(int64_t id, int64_t size, const char *sha256)
{
    return json_pack("{s:s, s:I, s:I, s:s}", "type", "log-begin", "id", (json_int_t)id, "size",
                     (json_int_t)size, "sha256", sha256);
}

json_t *control_log_data(int64_t id, const char *base64)
{
    return json_pack("{s:s, s:I, s:s}", "type", "log-data", "id", (json_int_t)id, "data", base64);
}

json_t *control_enroll(const struct control_enroll_request *r)
{
    char os[128];

    os_describe(os, sizeof(os));
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "type", "enroll", "proto",
                     CONTROL_PROTO, "version", PRA_VERSION, "os", os, "computer", r->computer,
                     "machine", r->machine, "binding", r->weak ? "weak" : "bound");
}

/* --- what the gateway says ------------------------------------------------------------------ */

/* A word of the protocol and the end that it means. */
struct word {
    const char *word;
    enum cause cause;
};

static const struct word refusals[] = {
    {"user-disabled", CAUSE_ACCOUNT},     {"no-rules", CAUSE_NO_RULES},
    {"protocol", CAUSE_PROTOCOL},         {"weak-key", CAUSE_WEAK_KEY},
    {"sessions", CAUSE_SESSIONS},         {"join", CAUSE_PROTOCOL},
    {"ticket-stale", CAUSE_TICKET_STALE}, {"ticket-missing", CAUSE_TICKET_MISSING},
    {"two-machines", CAUSE_TWO_MACHINES}, {"quarantined", CAUSE_QUARANTINED},
    {"second-factor", CAUSE_CODE_NEEDED}, {NULL, CAUSE_ACCOUNT}, /* a reason of a later version */
};

static const struct word notices[] = {
    {"shutdown", CAUSE_SHUTDOWN},
    {"key-revoked", CAUSE_KEY_REVOKED},
    {"key-quarantined", CAUSE_QUARANTINED},
    {"user-disabled", CAUSE_ACCOUNT},
    {"killed", CAUSE_KILLED},
    {"session-time", CAUSE_SESSION_TIME},
    {"session-idle", CAUSE_SESSION_IDLE},
    {NULL, CAUSE_NONE},
};

static enum cause find_cause(const struct word *list, const char *word)
{
    while (list->word != NULL && strcmp(list->word, word) != 0)
        list++;
    return list->cause;
}

static int on_welcome(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    struct control_welcome w = {.version = "", .user = "", .source = "", .lease = ""};
    int64_t connections = 1;
    const char *clock;
    int rc;

    if ((rc = jsonl_get_string(m, "session", 64, &w.session, f)) != 0 ||
        (rc = jsonl_get_string(m, "clock", TIMEFMT_MAX, &clock, f)) != 0 ||
        (rc = jsonl_opt_string(m, "version", 64, &w.version, f)) != 0 ||
        (rc = jsonl_opt_string(m, "user", 256, &w.user, f)) != 0 ||
        (rc = jsonl_opt_string(m, "source", 64, &w.source, f)) != 0 ||
        (rc = jsonl_opt_int(m, "connections", 1, CONTROL_CONNECTIONS_MAX, &connections, f)) != 0 ||
        (rc = jsonl_opt_string(m, "lease", CONTROL_TOKEN_LEN, &w.lease, f)) != 0 ||
        (rc = jsonl_opt_int(m, "logs", 0, INT32_MAX, &w.logs, f)) != 0)
        return rc;
    w.connections = (unsigned)connections;
    if (timefmt_parse(clock, &w.clock) != 0)
        return fault_set(f, PRA_EINVAL, "member 'clock' is not a time");
    h->welcome(arg, &w);
    return 0;
}

static int on_refused(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    const char *reason, *detail = "";
    int rc;

    if ((rc = jsonl_get_string(m, "reason", 64, &reason, f)) != 0 ||
        (rc = jsonl_opt_string(m, "detail", CONTROL_TEXT_MAX, &detail, f)) != 0)
        return rc;
    h->refused(arg, find_cause(refusals, reason), detail);
    return 0;
}

static int on_joined(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    const char *session;
    int rc = jsonl_get_string(m, "session", 64, &session, f);

    if (rc == 0)
        h->joined(arg, session);
    return rc;
}

static int on_ticket(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    const char *ticket;
    int rc = jsonl_get_string(m, "ticket", CONTROL_TOKEN_LEN, &ticket, f);

    if (rc == 0)
        h->ticket(arg, ticket);
    return rc;
}

static int on_join_token(const json_t *m, const struct control_handler *h, void *arg,
                         struct fault *f)
{
    struct control_join_token t = {.reason = ""};
    int rc;

    if ((rc = jsonl_get_int(m, "id", 0, INT64_MAX, &t.id, f)) != 0 ||
        (rc = jsonl_opt_string(m, "token", CONTROL_TOKEN_LEN, &t.token, f)) != 0 ||
        (rc = jsonl_opt_string(m, "reason", 64, &t.reason, f)) != 0)
        return rc;
    h->join_token(arg, &t);
    return 0;
}

static int on_rules(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    struct plan plan;
    int rc = plan_parse(m, &plan, f);

    if (rc == 0)
        h->rules(arg, &plan);
    return rc;
}

static int read_channel(const json_t *m, struct control_channel *c, struct fault *f)
{
    int64_t port;
    int rc;

    *c = (struct control_channel){.detail = "", .name = "", .limit = "", .of = "", .value = ""};
    if ((rc = jsonl_get_int(m, "origin_port", 0, UINT16_MAX, &port, f)) != 0 ||
        (rc = jsonl_get_string(m, "target", ADDR_TEXT_MAX, &c->target, f)) != 0 ||
        (rc = jsonl_get_string(m, "reason", 64, &c->reason, f)) != 0 ||
        (rc = jsonl_opt_string(m, "detail", CONTROL_TEXT_MAX, &c->detail, f)) != 0 ||
        (rc = jsonl_opt_string(m, "name", CONTROL_TEXT_MAX, &c->name, f)) != 0 ||
        (rc = jsonl_opt_string(m, "limit", 64, &c->limit, f)) != 0 ||
        (rc = jsonl_opt_string(m, "of", 64, &c->of, f)) != 0 ||
        (rc = jsonl_opt_string(m, "value", 64, &c->value, f)) != 0 ||
        (rc = jsonl_opt_int(m, "rule", 0, INT64_MAX, &c->rule, f)) != 0)
        return rc;
    c->origin_port = (uint16_t)port;
    return 0;
}

static int on_open_failed(const json_t *m, const struct control_handler *h, void *arg,
                          struct fault *f)
{
    struct control_channel c;
    int rc = read_channel(m, &c, f);

    if (rc == 0)
        h->open_failed(arg, &c);
    return rc;
}

static int on_cut(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    struct control_channel c;
    int rc = read_channel(m, &c, f);

    if (rc == 0)
        h->cut(arg, &c);
    return rc;
}

static int on_notice(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    struct control_notice n = {.detail = "", .limit = "", .of = ""};
    int rc;

    if ((rc = jsonl_get_string(m, "kind", 64, &n.kind, f)) != 0 ||
        (rc = jsonl_opt_string(m, "detail", CONTROL_TEXT_MAX, &n.detail, f)) != 0 ||
        (rc = jsonl_opt_string(m, "limit", 64, &n.limit, f)) != 0 ||
        (rc = jsonl_opt_string(m, "of", 64, &n.of, f)) != 0 ||
        (rc = jsonl_opt_int(m, "seconds", INT32_MIN, INT32_MAX, &n.seconds, f)) != 0 ||
        (rc = jsonl_opt_int(m, "retry_in", 0, INT32_MAX, &n.retry_in, f)) != 0)
        return rc;
    n.cause = find_cause(notices, n.kind);
    n.clock = strcmp(n.kind, "clock") == 0;
    h->notice(arg, &n);
    return 0;
}

static int on_explained(const json_t *m, const struct control_handler *h, void *arg,
                        struct fault *f)
{
    int64_t id;
    int rc = jsonl_get_int(m, "id", 0, INT64_MAX, &id, f);

    if (rc == 0)
        h->explained(arg, id, m);
    return rc;
}

static int on_log(const json_t *m, const struct control_handler *h, void *arg, struct fault *f)
{
    static const char *const states[] = {[CONTROL_LOG_GO] = "go",
                                         [CONTROL_LOG_MORE] = "more",
                                         [CONTROL_LOG_DONE] = "done",
                                         [CONTROL_LOG_REFUSED] = "refused"};
    struct control_log l = {.reason = "", .bundle = ""};
    const char *state;
    int rc;

    if ((rc = jsonl_get_int(m, "id", 0, INT64_MAX, &l.id, f)) != 0 ||
        (rc = jsonl_get_string(m, "state", 16, &state, f)) != 0 ||
        (rc = jsonl_opt_string(m, "reason", 64, &l.reason, f)) != 0 ||
        (rc = jsonl_opt_string(m, "bundle", 64, &l.bundle, f)) != 0 ||
        (rc = jsonl_opt_int(m, "bytes", 0, INT32_MAX, &l.bytes, f)) != 0)
        return rc;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(state, states[i]) != 0)
            continue;
        l.state = (enum control_log_state)i;
        h->log(arg, &l);
        return 0;
    }
    return fault_set(f, PRA_EINVAL, "member 'state' is none that this version knows");
}

int control_read_enroll(const json_t *msg, struct control_enroll *out, struct fault *f)
{
    static const struct {
        const char *word;
        enum control_enroll_state state;
    } states[] = {{"waiting", CONTROL_ENROLL_WAITING},  {"approved", CONTROL_ENROLL_APPROVED},
                  {"denied", CONTROL_ENROLL_DENIED},    {"used", CONTROL_ENROLL_USED},
                  {"expired", CONTROL_ENROLL_EXPIRED},  {"withdrawn", CONTROL_ENROLL_EXPIRED},
                  {"replaced", CONTROL_ENROLL_REPLACED}};
    const char *type, *state;
    int rc = jsonl_get_string(msg, "type", 64, &type, f);

    if (rc != 0)
        return rc;
    if (strcmp(type, "enroll") != 0)
        return PRA_ENOENT;
    if ((rc = jsonl_get_string(msg, "state", 64, &state, f)) != 0 ||
        (rc = jsonl_get_string(msg, "user", 256, &out->user, f)) != 0 ||
        (rc = jsonl_get_string(msg, "fingerprint", 64, &out->fingerprint, f)) != 0 ||
        (rc = jsonl_get_string(msg, "expires", TIMEFMT_MAX, &out->expires, f)) != 0)
        return rc;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(state, states[i].word) == 0) {
            out->state = states[i].state;
            return 0;
        }
    }
    return fault_set(f, PRA_EINVAL, "member 'state' is none that this version knows");
}

static const struct {
    const char *type;
    int (*read)(const json_t *m, const struct control_handler *h, void *arg, struct fault *f);
} types[] = {
    {"welcome", on_welcome},
    {"refused", on_refused},
    {"ticket", on_ticket},
    {"rules", on_rules},
    {"open-failed", on_open_failed},
    {"cut", on_cut},
    {"notice", on_notice},
    {"explained", on_explained},
    {"joined", on_joined},
    {"join-token", on_join_token},
    {"log", on_log},
};

int control_dispatch(const json_t *msg, const struct control_handler *h, void *arg, struct fault *f)
{
    const char *type;
    int rc = jsonl_get_string(msg, "type", 64, &type, f);

    if (rc != 0)
        return rc;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].type, type) != 0)
            continue;
        rc = types[i].read(msg, h, arg, f);
        return rc == 0 ? 0 : fault_wrap(f, rc, "message '%s' of the gateway", types[i].type);
    }
    return 0;
}
