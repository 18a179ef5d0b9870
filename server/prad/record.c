/* Audit events and log lines; see record.h. */
#include "server/prad/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/prad/channel.h"
#include "server/prad/session.h"

const char *record_endpoint(char dst[RECORD_ENDPOINT_MAX], const struct addr_ip *ip, uint16_t port)
{
    char text[46];
    addr_format_ip(ip, text);
    if (ip->family == 6)
        snprintf(dst, RECORD_ENDPOINT_MAX, "[%s]:%u", text, port);
    else
        snprintf(dst, RECORD_ENDPOINT_MAX, "%s:%u", text, port);
    return dst;
}

static bool is_trouble(enum audit_kind kind)
{
    return kind == AUDIT_LOGIN_REFUSED || kind == AUDIT_JOIN_REFUSED ||
           kind == AUDIT_CHANNEL_REFUSED || kind == AUDIT_REQUEST_REFUSED ||
           kind == AUDIT_PROTOCOL_ERROR || kind == AUDIT_CHANNEL_CUT || kind == AUDIT_SESSION_CUT;
}

static void copy(char *dst, size_t cap, const char *src)
{
    snprintf(dst, cap, "%s", src ? src : "");
}

static void fill(struct audit_event *e, const struct session *s, enum audit_kind kind,
                 const char *reason, const char *detail)
{
    *e = (struct audit_event){
        .kind = kind, .source = s->entry.source, .source_port = s->entry.source_port};
    copy(e->session, sizeof(e->session), s->entry.id);
    copy(e->user, sizeof(e->user), s->entry.user);
    copy(e->device, sizeof(e->device), s->entry.device);
    copy(e->reason, sizeof(e->reason), reason);
    copy(e->detail, sizeof(e->detail), detail);
}

/* Details that hold a space are quoted, unless log_escape() has done so already. */
static const char *quote(const char *detail)
{
    return strchr(detail, ' ') && detail[0] != '"' ? "\"" : "";
}

static void write_down(const struct session *s, const struct audit_event *e, enum log_level level)
{
    char source[RECORD_ENDPOINT_MAX], user[2 * POLICY_NAME_MAX], bytes[64] = "";
    const char *q = quote(e->detail);
    if (e->bytes_in != 0 || e->bytes_out != 0)
        snprintf(bytes, sizeof(bytes), " in=%" PRIu64 " out=%" PRIu64, e->bytes_in, e->bytes_out);
    audit_record(s->worker->gateway->audit, e);
    log_event(is_trouble(e->kind) ? LOG_WARN : level, audit_kind_word(e->kind),
              "session=%s src=%s user=%s%s%s%s%s%s%s%s%s%s", e->session,
              record_endpoint(source, &e->source, e->source_port),
              log_escape(user, sizeof(user), e->user, strlen(e->user)),
              *e->target ? " target=" : "", e->target, *e->reason ? " reason=" : "", e->reason,
              bytes, *e->detail ? " detail=" : "", q, e->detail, q);
}

/* What a client can make as many of as it likes. */
static const enum audit_kind thinned[RECORD_THINNED] = {AUDIT_CHANNEL_REFUSED, AUDIT_CHANNEL_FAILED,
                                                        AUDIT_REQUEST_REFUSED};

/* True if a refusal is one too many in this minute: it is counted, and written down later. */
static bool suppressed(struct session *s, enum audit_kind kind)
{
    for (size_t i = 0; i < RECORD_THINNED; i++) {
        if (kind != thinned[i])
            continue;
        if (s->refusals < RECORD_REFUSALS_MAX) {
            s->refusals++;
            return false;
        }
        s->refused[i]++;
        return true;
    }
    return false;
}

void record_suppressed(struct session *s)
{
    s->refusals = 0;
    s->limits_refused = 0;
    for (size_t i = 0; i < RECORD_THINNED; i++) {
        struct audit_event e;
        char text[64];
        unsigned count = s->refused[i];
        s->refused[i] = 0;
        if (count == 0)
            continue;
        snprintf(text, sizeof(text), "%u more refusals in a minute", count);
        fill(&e, s, thinned[i], "suppressed", text);
        e.times = count;
        write_down(s, &e, LOG_INFO);
    }
}

void record_session(struct session *s, enum audit_kind kind, const char *reason, const char *detail)
{
    struct audit_event e;
    counters_note(&s->worker->gateway->counters, kind, reason ? reason : "");
    if (suppressed(s, kind))
        return;
    fill(&e, s, kind, reason, detail);
    if (kind == AUDIT_LOGOUT || kind == AUDIT_LEAVE) {
        e.bytes_in = atomic_load(&s->entry.bytes_in);
        e.bytes_out = atomic_load(&s->entry.bytes_out);
    }
    write_down(s, &e, LOG_INFO);
}

void record_channel(struct channel *ch, enum audit_kind kind, const char *reason,
                    const char *detail)
{
    struct audit_event e;
    counters_note(&ch->session->worker->gateway->counters, kind, reason ? reason : "");
    if (suppressed(ch->session, kind))
        return;
    fill(&e, ch->session, kind, reason, detail);
    copy(e.target, sizeof(e.target), ch->target);
    e.target_ip = ch->ip;
    e.rule = ch->rule;
    e.bytes_in = ch->bytes_in;
    e.bytes_out = ch->bytes_out;
    write_down(ch->session, &e, ch->rule_logs ? LOG_INFO : LOG_DEBUG);
}

void record_limited(struct channel *ch, const char *detail)
{
    struct session *s = ch->session;
    const struct channel_limit *l = &ch->opening->limit;
    uint64_t bit = (uint64_t)1 << (l->limit + (l->of_rule ? LIMIT_COUNT : 0));
    if ((s->limits_refused & bit) == 0) {
        s->limits_refused |= bit;
        record_channel(ch, AUDIT_CHANNEL_REFUSED, ch->why, detail);
        return;
    }
    counters_note(&s->worker->gateway->counters, AUDIT_CHANNEL_REFUSED, ch->why);
    s->refused[0]++;
}

void record_source(struct audit_queue *q, const struct addr_ip *ip, uint16_t port,
                   enum audit_kind kind, const char *reason)
{
    char source[RECORD_ENDPOINT_MAX];
    struct audit_event e = {.kind = kind, .source = *ip, .source_port = port};
    copy(e.reason, sizeof(e.reason), reason);
    audit_record(q, &e);
    log_event(LOG_WARN, audit_kind_word(kind), "src=%s reason=%s",
              record_endpoint(source, ip, port), reason);
}
