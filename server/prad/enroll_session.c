/* A session that enrols: what it may say, and what it is told; see enroll.h. */
#include "server/prad/enroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonl.h"
#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "common/utf8.h"
#include "server/prad/control.h"
#include "server/prad/record.h"

#define PROTOCOL        1
#define MACHINE_TAG_MAX 16

struct enroll_visit {
    struct store_enrollment request;
    bool asked;
    const char *told; /* the state that the client knows of; NULL = none */
    uint64_t asked_ms;
};

/* The same is asked of a key as when an administrator registers its line. */
static bool take_key(struct store_enrollment *r, const uint8_t *blob, size_t len)
{
    char line[SSHKEY_TYPE_MAX + 4 * ((SSHKEY_BLOB_MAX + 2) / 3) + 2];
    struct sshkey_public key;
    size_t type_len = len < 4 ? SIZE_MAX : (size_t)blob[2] << 8 | blob[3], at;
    if (len > SSHKEY_BLOB_MAX || blob[0] != 0 || blob[1] != 0 || type_len >= SSHKEY_TYPE_MAX ||
        type_len > len - 4)
        return false;
    memcpy(line, blob + 4, type_len);
    at = type_len;
    line[at++] = ' ';
    crypto_base64_encode(blob, len, line + at);
    if (sshkey_parse_line(line, at + strlen(line + at), &key, NULL) != 0)
        return false;
    memcpy(r->type, key.type, sizeof(r->type));
    memcpy(r->blob, key.blob, key.blob_len);
    r->blob_len = key.blob_len;
    return sshkey_fingerprint(blob, len, r->fingerprint) == 0;
}

bool enroll_login(struct session *s, const struct enroll_view *view, const uint8_t *blob,
                  size_t len)
{
    struct gateway *g = s->worker->gateway;
    struct enroll_visit *v = calloc(1, sizeof(*v));
    if (!v || !take_key(&v->request, blob, len)) {
        free(v);
        enroll_leave(g->enroll, &s->entry.source, view->id);
        return false;
    }
    v->request.id = view->id;
    addr_format_ip(&s->entry.source, v->request.source);
    memcpy(s->entry.user, view->user, sizeof(s->entry.user));
    s->enroll = v;
    s->phase = SESSION_OPEN;
    s->login_ms = os_monotonic_ms();
    startup_give(s->place);
    s->place = NULL;
    return true;
}

bool enroll_has_asked(const struct session *s)
{
    return s->enroll && s->enroll->asked;
}

/* Peer text as people may see it, cut to fit. */
static void copy_shown(char *dst, size_t cap, const char *src)
{
    size_t len = strlen(src), n = 0, used;
    char one[UTF8_SAFE_MAX];
    for (size_t i = 0; i < len; i += used) {
        size_t add = utf8_take_safe(src + i, len - i, "", one, &used);
        if (n + add >= cap)
            break;
        memcpy(dst + n, one, add);
        n += add;
    }
    dst[n] = '\0';
}

static int read_request(const json_t *o, struct store_enrollment *r, struct fault *f)
{
    const char *version, *os, *computer, *machine, *binding;
    int64_t proto;
    int rc = jsonl_get_int(o, "proto", 0, INT32_MAX, &proto, f);
    if (rc == 0 && proto != PROTOCOL)
        return fault_set(f, PRA_EVERSION, "this protocol is not spoken here, only %d", PROTOCOL);
    if (rc == 0)
        rc = jsonl_get_string(o, "version", STORE_WORD_MAX, &version, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "os", POLICY_LABEL_MAX, &os, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "computer", STORE_WORD_MAX, &computer, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "machine", MACHINE_TAG_MAX, &machine, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "binding", 8, &binding, f);
    if (rc == 0 && strcmp(binding, "bound") != 0 && strcmp(binding, "weak") != 0)
        rc = fault_set(f, PRA_EINVAL, "member 'binding' is neither bound nor weak");
    if (rc != 0)
        return rc;
    copy_shown(r->version, sizeof(r->version), version);
    copy_shown(r->os, sizeof(r->os), os);
    copy_shown(r->computer, sizeof(r->computer), computer);
    copy_shown(r->machine, sizeof(r->machine), machine);
    copy_shown(r->binding, sizeof(r->binding), binding);
    return 0;
}

int enroll_receive(struct session *s, const json_t *o, struct fault *f)
{
    struct enroll_visit *v = s->enroll;
    const char *type;
    int rc = jsonl_get_string(o, "type", 32, &type, f);
    if (rc != 0)
        return rc;
    if (strcmp(type, "bye") == 0) {
        session_must_end(s, "client-bye");
        return 0;
    }
    if (strcmp(type, "enroll") != 0 || v->asked)
        return fault_set(f, PRA_EINVAL, "a connection that enrols says enroll, once, and bye");
    rc = read_request(o, &v->request, f);
    if (rc != 0)
        return rc;
    v->asked = true;
    record_session(s, AUDIT_ENROLL, "request", v->request.computer);
    enroll_tick(s);
    return 0;
}

/* How the request stands, in the protocol's words; NULL while the keeper has yet to take it. */
static const char *state_of(const struct session *s, const struct enroll_view *view)
{
    bool mine = strcmp(view->fingerprint, s->enroll->request.fingerprint) == 0;
    switch (view->state) {
    case ENROLL_OPEN:
        return os_time_now() >= view->expires ? "expired" : NULL;
    case ENROLL_WAITING:
        if (!mine)
            return "used";
        return os_time_now() >= view->expires                                   ? "expired"
               : view->holder != s->entry.connection && s->enroll->told != NULL ? "replaced"
                                                                                : "waiting";
    case ENROLL_APPROVED:
        return mine ? "approved" : "used";
    case ENROLL_DENIED:
        return mine ? "denied" : "used";
    default:
        return "withdrawn";
    }
}

static void tell(struct session *s, const struct enroll_view *view, const char *state)
{
    char until[TIMEFMT_MAX];
    if (s->enroll->told && strcmp(s->enroll->told, state) == 0)
        return;
    s->enroll->told = state;
    control_send(s, json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "enroll", "state", state, "user",
                              s->entry.user, "fingerprint", s->enroll->request.fingerprint,
                              "expires", timefmt_rfc3339(view->expires, until)));
    record_session(s, AUDIT_ENROLL, state, s->enroll->request.computer);
    if (strcmp(state, "waiting") != 0)
        session_end_soon(s, state);
}

void enroll_tick(struct session *s)
{
    struct enroll_visit *v = s->enroll;
    struct gateway *g = s->worker->gateway;
    struct enroll_view view = {0};
    uint64_t now = os_monotonic_ms();
    if (!v->asked || s->ending_ms != 0)
        return;
    /* The newest connection waits; one that was cut off without a word gives way to it. */
    uint64_t hold = v->told ? 0 : s->entry.connection;
    const char *state = "withdrawn";
    if (enroll_look(g->enroll, v->request.id, 0, &view)) {
        if (strcmp(view.fingerprint, v->request.fingerprint) == 0)
            enroll_look(g->enroll, v->request.id, hold, &view);
        state = state_of(s, &view);
    }
    if (state) {
        tell(s, &view, state);
    } else if (v->asked_ms == 0 || now - v->asked_ms >= ENROLL_AGAIN_MS) {
        v->asked_ms = now;
        enroll_hand_in(g->keeper, &v->request);
    }
}

void enroll_end(struct session *s)
{
    if (!s->enroll)
        return;
    enroll_leave(s->worker->gateway->enroll, &s->entry.source, s->enroll->request.id);
    free(s->enroll);
    s->enroll = NULL;
}
