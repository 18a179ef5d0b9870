/*
 * Fuzz target: what a malicious client may say over the control channel, to the gateway. What the
 * messages set off stands here as stand-ins that only look at their arguments.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonl.h"
#include "common/log.h"
#include "common/utf8.h"
#include "server/prad/balance.h"
#include "server/prad/bounds.h"
#include "server/prad/clone.h"
#include "server/prad/control_internal.h"
#include "server/prad/enroll.h"
#include "server/prad/keeper.h"
#include "server/prad/record.h"
#include "server/prad/factor.h"
#include "server/prad/tickets.h"
#include "server/prad/tunnel.h"
#include "server/prad/upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A client's words on their way into the audit, the database or the log. */
static void check_shown(const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        uint32_t cp = 0;
        size_t n = utf8_decode(text, len, &cp);

        /* A text that was cut to its column may end within a character, and nowhere else. */
        if (n == 0 && utf8_trim(text, len) == 0)
            return;
        if (n == 0 || !utf8_printable(cp))
            abort();
        text += n;
        len -= n;
    }
}

void control_send(struct session *s, json_t *o)
{
    const char *type = json_string_value(json_object_get(o, "type"));

    if (!type || (!s->hello && !s->enroll && strcmp(type, "refused") != 0))
        abort();
    if (s->enroll && strcmp(type, "enroll") != 0)
        abort();
    json_decref(o);
}

/* What the book says goes round, so that each state is told. */
bool enroll_look(struct enroll_book *b, int64_t id, uint64_t hold, struct enroll_view *out)
{
    static unsigned asked;

    (void)b;
    *out = (struct enroll_view){.id = id, .state = asked++ % ENROLL_STATE_COUNT, .holder = hold};
    return asked % 7 != 0;
}

void enroll_leave(struct enroll_book *b, const struct addr_ip *source, int64_t id)
{
    (void)b;
    (void)source;
    (void)id;
}

void startup_give(struct startup *p)
{
    (void)p;
}

void enroll_hand_in(struct keeper *k, const struct store_enrollment *request)
{
    (void)k;
    check_shown(request->computer);
    check_shown(request->os);
    check_shown(request->version);
    check_shown(request->machine);
}

void control_notice(struct session *s, const char *kind, const char *detail, int retry_in,
                    int64_t seconds)
{
    (void)s;
    (void)kind;
    (void)retry_in;
    (void)seconds;
    check_shown(detail);
}

const char *bounds_too_many(struct session *s)
{
    (void)s;
    return NULL;
}

bool factor_allows_hello(struct session *s, const char *machine)
{
    (void)s;
    check_shown(machine);
    return machine[0] != 'f';
}

bool factor_allows_join(const struct session *s, const char *session)
{
    (void)s;
    check_shown(session);
    return true;
}

/* None: a lease is no part of what this target looks at. */
bool factor_give_lease(struct session *s, const char *machine, char token[FACTOR_TOKEN_TEXT])
{
    (void)s;
    check_shown(machine);
    token[0] = '\0';
    return false;
}

void factor_bye(struct session *s)
{
    if (!s->hello)
        abort();
}

void control_push_rules(struct session *s)
{
    if (!s->hello)
        abort();
}

int upload_begin(struct session *s, const json_t *o, struct fault *f)
{
    if (!s->hello || !json_is_object(o))
        abort();
    return fault_set(f, PRA_EINVAL, "not here");
}

int upload_data(struct session *s, const json_t *o, struct fault *f)
{
    return upload_begin(s, o, f);
}

int explain_start(struct session *s, int64_t id, int64_t rule)
{
    (void)id;
    if (!s->hello || rule < 1)
        abort();
    return 0;
}

void keeper_note_device(struct keeper *k, int64_t key_id, const char *machine, const char *version,
                        const char *os, const char *binding)
{
    (void)k;
    (void)key_id;
    check_shown(machine);
    check_shown(version);
    check_shown(os);
    if (strcmp(binding, "bound") != 0 && strcmp(binding, "weak") != 0)
        abort();
}

/* A clone now and then. */
bool clone_hello(struct session *s, const struct clone_hello *h)
{
    if (!s->hello || s->restricted)
        abort();
    check_shown(h->machine);
    if (h->ticket && (!h->speaks || strlen(h->ticket) >= TICKET_TEXT))
        abort();
    return h->machine[0] != 'b';
}

int clone_ticket_stored(struct session *s, const json_t *o, struct fault *f)
{
    bool stored = true;

    if (!s->hello || s->entry.secondary)
        abort();
    return jsonl_opt_bool(o, "stored", &stored, f);
}

void control_refuse(struct session *s, const char *reason, const char *detail)
{
    s->restricted = true;
    check_shown(reason);
    check_shown(detail);
}

const char *session_restriction(const struct session *s)
{
    return s->quarantined ? "quarantined" : "";
}

void live_describe(struct live *l, struct live_entry *e, const char *version, const char *os,
                   const char *binding, bool pra)
{
    (void)l;
    (void)e;
    (void)pra;
    check_shown(version);
    check_shown(os);
    check_shown(binding);
}

void live_set_ports(struct live *l, struct live_entry *e, json_t *ports)
{
    size_t i;
    json_t *port;

    (void)l;
    (void)e;
    if (json_array_size(ports) > LIVE_PORTS_MAX)
        abort();
    json_array_foreach(ports, i, port)
    {
        check_shown(json_string_value(json_object_get(port, "local")));
        check_shown(json_string_value(json_object_get(port, "state")));
        check_shown(json_string_value(json_object_get(port, "program")));
    }
    json_decref(ports);
}

/* Every second token is good, so that both ways are gone. */
int tunnel_issue(struct live *l, struct live_entry *primary, unsigned max, uint64_t now_ms,
                 uint64_t life_ms, char token[TUNNEL_TOKEN_TEXT])
{
    static unsigned asked;

    (void)l;
    (void)primary;
    (void)max;
    (void)now_ms;
    (void)life_ms;
    memset(token, '0', TUNNEL_TOKEN_TEXT - 1);
    token[TUNNEL_TOKEN_TEXT - 1] = '\0';
    return asked++ % 2 == 0 ? 0 : PRA_EFULL;
}

enum tunnel_answer tunnel_join(struct live *l, struct live_entry *e, const char *session,
                               const char *token, unsigned max, uint64_t now_ms)
{
    (void)l;
    (void)max;
    (void)now_ms;
    if (strlen(session) >= AUDIT_SESSION_MAX || strlen(token) >= TUNNEL_TOKEN_TEXT || e->secondary)
        abort();
    if (token[0] != '0')
        return TUNNEL_UNKNOWN;
    e->secondary = true;
    return TUNNEL_JOINED;
}

const char *tunnel_answer_word(enum tunnel_answer a)
{
    if (a == TUNNEL_JOINED)
        abort();
    return "join-unknown";
}

bool balance_can_offload(const struct worker *w)
{
    return w->draining;
}

void record_session(struct session *s, enum audit_kind kind, const char *reason, const char *text)
{
    (void)s;
    (void)kind;
    check_shown(reason);
    check_shown(text);
}

const char *record_endpoint(char dst[RECORD_ENDPOINT_MAX], const struct addr_ip *ip, uint16_t port)
{
    (void)ip;
    (void)port;
    dst[0] = '\0';
    return dst;
}

void session_must_end(struct session *s, const char *reason)
{
    (void)s;
    check_shown(reason);
}

void session_end_soon(struct session *s, const char *reason)
{
    session_must_end(s, reason);
}

static const uint8_t ed25519_blob[4 + 11 + 4 + 32] = "\0\0\0\013ssh-ed25519\0\0\0\040";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gateway gateway;
    static struct settings settings = {.config = {.max_connections = 4, .join_timeout = 30}};
    static struct worker worker = {.gateway = &gateway, .settings = &settings};
    static struct session session;
    struct buf b;

    log_set_level(LOG_ERROR);
    memset(&session, 0, sizeof(session));
    session.worker = &worker;
    /* What begins with an 'E' comes from a PC that enrols, the rest from one that has logged in. */
    if (size > 0 && data[0] == 'E') {
        const struct enroll_view view = {.id = 1};

        if (!enroll_login(&session, &view, ed25519_blob, sizeof(ed25519_blob)))
            abort();
        data++;
        size--;
    }
    buf_init(&b, CONTROL_IN_MAX);
    if (buf_append(&b, data, size) != 0) {
        enroll_end(&session);
        return 0;
    }
    for (;;) {
        json_t *message = NULL;
        struct fault f = {0};
        int rc = jsonl_next(&b, JSONL_CLIENT_MAX, &message, &f);

        if (rc == PRA_EAGAIN)
            break;
        if (rc != 0)
            continue;
        rc = control_receive(&session, message, &f);
        if (rc != 0 && f.text[0] == '\0')
            abort();
        json_decref(message);
    }
    buf_free(&b);
    enroll_end(&session);
    return 0;
}
