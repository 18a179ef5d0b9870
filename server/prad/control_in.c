/* What a client says over the control channel, and what is done about it; see control.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "server/prad/balance.h"
#include "server/prad/bounds.h"
#include "server/prad/clone.h"
#include "server/prad/control_internal.h"
#include "server/prad/enroll.h"
#include "server/prad/factor.h"
#include "server/prad/keeper.h"
#include "server/prad/record.h"
#include "server/prad/tickets.h"
#include "server/prad/tunnel.h"
#include "server/prad/upload.h"

#define PROTOCOL 1
/* More than this between the two clocks is told and audited (D9). */
#define CLOCK_TOLERANCE_S 120

#define MACHINE_TAG_MAX 16
#define TIME_MAX        40
#define PORTS_MAX       4096
#define PORT_TEXT_MAX   256

/* ---- hello --------------------------------------------------------------------------------- */

struct hello {
    int64_t proto;
    const char *version, *os, *machine, *clock, *binding, *ticket;
    bool has_ticket; /* the member is there, if only with null */
    int64_t clock_s;
};

static int parse_hello(const json_t *o, struct hello *h, struct fault *f)
{
    int rc = jsonl_get_int(o, "proto", 0, INT32_MAX, &h->proto, f);
    if (rc == 0 && h->proto != PROTOCOL)
        return fault_set(f, PRA_EVERSION, "protocol %" PRId64 " is not spoken here, only %d",
                         h->proto, PROTOCOL);
    if (rc == 0)
        rc = jsonl_get_string(o, "version", LIVE_VERSION_MAX, &h->version, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "os", LIVE_OS_MAX, &h->os, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "machine", MACHINE_TAG_MAX, &h->machine, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "clock", TIME_MAX, &h->clock, f);
    if (rc == 0 && timefmt_parse(h->clock, &h->clock_s) != 0)
        rc = fault_set(f, PRA_EINVAL, "member 'clock' is not a time");
    h->binding = "weak";
    if (rc == 0)
        rc = jsonl_opt_string(o, "binding", 8, &h->binding, f);
    if (rc == 0 && strcmp(h->binding, "bound") != 0 && strcmp(h->binding, "weak") != 0)
        rc = fault_set(f, PRA_EINVAL, "member 'binding' is neither bound nor weak");
    h->has_ticket = json_object_get(o, "ticket") != NULL;
    return rc == 0 ? jsonl_opt_string(o, "ticket", TICKET_TEXT - 1, &h->ticket, f) : rc;
}

static void welcome(struct session *s, const char *machine)
{
    char token[FACTOR_TOKEN_TEXT];
    char now[TIMEFMT_MAX], source[RECORD_ENDPOINT_MAX];
    record_endpoint(source, &s->entry.source, s->entry.source_port);
    bool lease = factor_give_lease(s, machine, token);
    control_send(s, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s*}", "type", "welcome",
                              "session", s->entry.id, "version", PRA_VERSION, "clock",
                              timefmt_rfc3339(os_time_now(), now), "user", s->entry.user, "source",
                              source, "connections",
                              (json_int_t)worker_config(s->worker)->max_connections, "logs",
                              (json_int_t)BUNDLE_SIZE_MAX, "lease", lease ? token : NULL));
    crypto_wipe(token, sizeof(token));
}

static void compare_clocks(struct session *s, int64_t client)
{
    int64_t ahead = client - os_time_now();
    if (ahead >= -CLOCK_TOLERANCE_S && ahead <= CLOCK_TOLERANCE_S)
        return;
    char text[64];
    snprintf(text, sizeof(text), "client is %+" PRId64 " s", ahead);
    record_session(s, AUDIT_CLOCK, "clock", text);
    control_notice(s, "clock", text, -1, ahead);
}

static int receive_log_heads(struct session *s, const json_t *o, struct fault *f);

static int receive_hello(struct session *s, const json_t *o, struct fault *f)
{
    struct hello h = {0};
    if (s->hello)
        return fault_set(f, PRA_EINVAL, "hello was said already");
    int rc = parse_hello(o, &h, f);
    if (rc != 0)
        return rc;
    char version[LIVE_VERSION_MAX + 1], os[LIVE_OS_MAX + 1], machine[MACHINE_TAG_MAX + 1];
    log_escape(version, sizeof(version), h.version, strlen(h.version));
    log_escape(os, sizeof(os), h.os, strlen(h.os));
    log_escape(machine, sizeof(machine), h.machine, strlen(h.machine));
    live_describe(s->worker->gateway->live, &s->entry, version, os, h.binding, true);
    keeper_note_device(s->worker->gateway->keeper, s->key_id, machine, version, os, h.binding);
    log_event(LOG_INFO, "hello", "session=%s version=%s os=%s machine=%s binding=%s", s->entry.id,
              version, os, machine, h.binding);
    s->hello = true;
    if (!factor_allows_hello(s, machine)) {
        record_session(s, AUDIT_LOGIN_REFUSED, "factor-lease", machine);
        control_refuse(s, "second-factor", "a code is needed");
        return 0;
    }
    welcome(s, machine);
    compare_clocks(s, h.clock_s);
    if (s->restricted) {
        if (s->quarantined)
            record_session(s, AUDIT_LOGIN_REFUSED, "quarantined", "");
        control_refuse(s, session_restriction(s), s->quarantined ? "" : "this account is disabled");
        return 0;
    }
    if (strcmp(h.binding, "weak") == 0 && worker_config(s->worker)->refuse_weak_keys) {
        record_session(s, AUDIT_LOGIN_REFUSED, "weak-key", "");
        control_refuse(s, "weak-key", "this gateway asks for keys that are bound to their machine");
        return 0;
    }
    if (!clone_hello(s, &(struct clone_hello){
                            .machine = machine, .speaks = h.has_ticket, .ticket = h.ticket}))
        return 0;
    const char *many = bounds_too_many(s);
    if (many) {
        record_session(s, AUDIT_LOGIN_REFUSED, "session-limit", many);
        control_refuse(s, "sessions", many);
        return 0;
    }
    control_push_rules(s);
    const json_t *heads = json_object_get(o, "log_heads");
    return json_is_object(heads) ? receive_log_heads(s, heads, f) : 0;
}

/* ---- more connections for one tunnel -------------------------------------------------------- */

/* Why this session gets no token; NULL if there is nothing against it. */
static const char *no_token(const struct session *s, const char *why)
{
    if (s->worker->draining || s->ending_ms != 0)
        return "shutdown";
    if (strcmp(why, "load") == 0 && !balance_can_offload(s->worker))
        return "no-gain";
    return NULL;
}

static int receive_join_token(struct session *s, const json_t *o, struct fault *f)
{
    const struct config *c = worker_config(s->worker);
    char token[TUNNEL_TOKEN_TEXT];
    const char *why = "";
    int64_t id;
    int rc = jsonl_get_int(o, "id", 0, INT64_MAX, &id, f);
    if (rc == 0)
        rc = jsonl_opt_string(o, "why", 16, &why, f);
    if (rc != 0)
        return rc;
    const char *reason = no_token(s, why);
    if (!reason && tunnel_issue(s->worker->gateway->live, &s->entry, (unsigned)c->max_connections,
                                os_monotonic_ms(), (uint64_t)c->join_timeout * 1000, token) != 0)
        reason = "limit";
    if (reason)
        control_send(s, json_pack("{s:s, s:I, s:n, s:s}", "type", "join-token", "id",
                                  (json_int_t)id, "token", "reason", reason));
    else
        control_send(s,
                     json_pack("{s:s, s:I, s:s, s:I}", "type", "join-token", "id", (json_int_t)id,
                               "token", token, "seconds", (json_int_t)c->join_timeout));
    crypto_wipe(token, sizeof(token));
    return 0;
}

/* Who presented a token that is not his learns no more than that. */
static void refuse_join(struct session *s, const char *word)
{
    record_session(s, AUDIT_JOIN_REFUSED, word, "");
    control_send(s, json_pack("{s:s, s:s, s:s}", "type", "refused", "reason", "join", "detail",
                              "this connection may not join that session"));
    session_end_soon(s, word);
}

static int receive_join(struct session *s, const json_t *o, struct fault *f)
{
    char before[sizeof(s->entry.id)], text[AUDIT_TEXT_MAX];
    const char *session, *token;
    if (s->hello || s->channel_count > 0)
        return fault_set(f, PRA_EINVAL, "join must be the first that is said and asked for");
    int rc = jsonl_get_string(o, "session", AUDIT_SESSION_MAX - 1, &session, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "token", TUNNEL_TOKEN_TEXT - 1, &token, f);
    if (rc != 0)
        return rc;
    memcpy(before, s->entry.id, sizeof(before));
    if (s->restricted || !factor_allows_join(s, session)) {
        refuse_join(s, s->restricted ? "user-disabled" : "join-foreign");
        return 0;
    }
    enum tunnel_answer answer =
        tunnel_join(s->worker->gateway->live, &s->entry, session, token,
                    (unsigned)worker_config(s->worker)->max_connections, os_monotonic_ms());
    if (answer != TUNNEL_JOINED) {
        refuse_join(s, tunnel_answer_word(answer));
        return 0;
    }
    s->hello = true;
    snprintf(text, sizeof(text), "logged in as %s", before);
    record_session(s, AUDIT_JOIN, "", text);
    control_send(s, json_pack("{s:s, s:s}", "type", "joined", "session", s->entry.id));
    return 0;
}

/* ---- reports ------------------------------------------------------------------------------- */

static int one_head(struct session *s, const json_t *o, const char *log, struct fault *f)
{
    const json_t *head = json_object_get(o, log);
    if (!head || json_is_null(head))
        return 0;
    if (!json_is_object(head))
        return fault_set(f, PRA_EINVAL, "member '%s' is not an object", log);
    int64_t lines;
    const char *hash;
    int rc = jsonl_get_int(head, "lines", 0, INT64_MAX, &lines, f);
    if (rc == 0)
        rc = jsonl_get_string(head, "hash", 64, &hash, f);
    if (rc != 0)
        return rc;
    char text[AUDIT_TEXT_MAX], shown[80];
    snprintf(text, sizeof(text), "lines=%" PRId64 " hash=%s", lines,
             log_escape(shown, sizeof(shown), hash, strlen(hash)));
    record_session(s, AUDIT_LOG_HEAD, log, text);
    return 0;
}

static int receive_log_heads(struct session *s, const json_t *o, struct fault *f)
{
    int rc = one_head(s, o, "system", f);
    return rc == 0 ? one_head(s, o, "user", f) : rc;
}

/* Peer text for administrators: escaped as in the log, without the log's quotes, whole. */
static json_t *shown(const char *text)
{
    char escaped[4 * PORT_TEXT_MAX + 3];
    size_t len;
    log_escape(escaped, sizeof(escaped), text, strlen(text));
    len = strlen(escaped);
    return escaped[0] == '"' ? json_stringn(escaped + 1, len - 2) : json_stringn(escaped, len);
}

/* Adds one port that is not listening to the text of the audit, and to what administrators see. */
static int one_port(const json_t *port, char *text, size_t cap, json_t *kept, struct fault *f)
{
    const char *local, *state, *program = "";
    const json_t *holder = json_object_get(port, "holder");
    int64_t pid = 0;
    int rc = jsonl_get_string(port, "local", 64, &local, f);
    if (rc == 0)
        rc = jsonl_get_string(port, "state", 16, &state, f);
    if (rc == 0 && json_is_object(holder)) {
        rc = jsonl_opt_string(holder, "program", PORT_TEXT_MAX, &program, f);
        if (rc == 0)
            rc = jsonl_opt_int(holder, "pid", 0, INT32_MAX, &pid, f);
    }
    if (rc != 0 || strcmp(state, "listening") == 0)
        return rc;
    char where[80], what[32], who[128];
    size_t used = strlen(text);
    snprintf(text + used, cap - used, "%s%s %s %s (%" PRId64 ")", used ? "; " : "",
             log_escape(where, sizeof(where), local, strlen(local)),
             log_escape(what, sizeof(what), state, strlen(state)),
             log_escape(who, sizeof(who), program, strlen(program)), pid);
    if (json_array_size(kept) < LIVE_PORTS_MAX)
        json_array_append_new(kept, json_pack("{s:o, s:o, s:o, s:I}", "local", shown(local),
                                              "state", shown(state), "program", shown(program),
                                              "pid", (json_int_t)pid));
    return 0;
}

static int receive_ports(struct session *s, const json_t *o, struct fault *f)
{
    const json_t *ports = json_object_get(o, "ports");
    if (!json_is_array(ports) || json_array_size(ports) > PORTS_MAX)
        return fault_set(f, PRA_EINVAL, "member 'ports' is not an array of at most %d", PORTS_MAX);
    char text[AUDIT_TEXT_MAX] = "";
    size_t i;
    const json_t *port;
    json_t *kept = json_array();
    json_array_foreach(ports, i, port)
    {
        int rc = one_port(port, text, sizeof(text), kept, f);
        if (rc != 0) {
            json_decref(kept);
            return rc;
        }
    }
    if (json_array_size(kept) == 0) {
        json_decref(kept);
        kept = NULL; /* most clients: nothing is kept for them */
    }
    live_set_ports(s->worker->gateway->live, &s->entry, kept);
    record_session(s, AUDIT_PORT_REPORT, *text ? "trouble" : "listening", text);
    return 0;
}

static int receive_explain(struct session *s, const json_t *o, struct fault *f)
{
    int64_t id, rule;
    int rc = jsonl_get_int(o, "id", INT64_MIN, INT64_MAX, &id, f);
    if (rc == 0)
        rc = jsonl_get_int(o, "rule", 1, INT64_MAX, &rule, f);
    if (rc == 0 && (rc = explain_start(s, id, rule)) != 0)
        fault_set(f, rc, "more than %d explanations at once", CONTROL_EXPLAIN_MAX);
    return rc;
}

static int receive_bye(struct session *s, const json_t *o, struct fault *f)
{
    const char *reason = "user";
    int rc = jsonl_opt_string(o, "reason", 16, &reason, f);
    if (rc == 0 && strcmp(reason, "user") == 0)
        factor_bye(s);
    if (rc == 0)
        session_must_end(s, strcmp(reason, "shutdown") == 0 ? "client-shutdown" : "client-bye");
    return rc;
}

int control_receive(struct session *s, const json_t *o, struct fault *f)
{
    static const struct {
        const char *type;
        int (*receive)(struct session *s, const json_t *o, struct fault *f);
    } TYPES[] = {{"ports", receive_ports},     {"log_heads", receive_log_heads},
                 {"explain", receive_explain}, {"join-token", receive_join_token},
                 {"log-begin", upload_begin},  {"log-data", upload_data},
                 {"bye", receive_bye},         {"ticket-stored", clone_ticket_stored}};
    const char *type;
    if (s->enroll)
        return enroll_receive(s, o, f);
    int rc = jsonl_get_string(o, "type", 32, &type, f);
    if (rc != 0)
        return rc;
    if (strcmp(type, "hello") == 0)
        return receive_hello(s, o, f);
    if (strcmp(type, "join") == 0)
        return receive_join(s, o, f);
    if (!s->hello)
        return fault_set(f, PRA_EINVAL, "the first message must be hello");
    if (s->entry.secondary && strcmp(type, "bye") != 0)
        return fault_set(f, PRA_EINVAL, "a connection that has joined says only bye");
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
        if (strcmp(type, TYPES[i].type) == 0)
            return TYPES[i].receive(s, o, f);
    return fault_set(f, PRA_EINVAL, "this type of message is not known");
}
