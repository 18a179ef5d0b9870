/*
 * Opening a channel: what was asked is checked, policy decides, the name is resolved off this
 * thread, policy decides about each address, and exactly a checked address is connected to. The
 * request stays unanswered meanwhile; no other channel waits for it.
 */
#include "server/prad/channel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "server/prad/bounds.h"
#include "server/prad/record.h"

/* Each packet costs an encryption and some 40 bytes around it, whatever it carries: a client that
   asks for one byte at a time would turn one read of a busy target into minutes of work. */
#define MAX_PACKET_LEAST 1024

enum policy_answer channel_ask(struct channel *ch, const struct addr_host *host,
                               const struct addr_ip *ip)
{
    const struct worker *w = ch->session->worker;
    struct policy_query q = {.user = ch->session->entry.user,
                             .source = ch->session->entry.source,
                             .host = host,
                             .ip = ip,
                             .port = ch->port,
                             .now = os_time_now()};
    struct policy_verdict v;
    policy_evaluate(w->policy, &q, &v);
    ch->rule = v.rule ? v.rule->id : 0;
    ch->rule_logs = v.rule && v.rule->log;
    if (v.answer == POLICY_DENY)
        ch->why = policy_reason_word(v.reason);
    return v.answer;
}

const char *channel_rule_name(const struct channel *ch)
{
    const struct worker *w = ch->session->worker;
    const struct policy_rule *r = NULL;
    if (w->policy_before)
        r = policy_find_rule(w->policy_before, ch->session->entry.user, ch->rule);
    if (!r)
        r = policy_find_rule(w->policy, ch->session->entry.user, ch->rule);
    return r ? r->name : "";
}

static void stop(struct channel_opening *o)
{
    if (event_initialized(&o->timer))
        event_del(&o->timer);
    lookup_cancel(o->lookup);
    o->lookup = NULL;
}

void channel_opening_free(struct channel_opening *o)
{
    if (!o)
        return;
    stop(o);
    ssh_message_free(o->request);
    free(o);
}

void channel_fail(struct channel *ch, enum channel_failure failure, const char *why,
                  const char *text)
{
    stop(ch->opening);
    pump_close_target(ch, false);
    ch->opening->failure = failure;
    ch->opening->failure_text = text;
    ch->why = why;
    ch->state = CHANNEL_ANSWERING;
    channel_ready(ch);
}

static void deny(struct channel *ch)
{
    channel_fail(ch, FAILURE_DENIED, ch->why, "the rules of the gateway do not allow this target");
}

/* ---- connecting ---------------------------------------------------------------------------- */

static void connect_next(struct channel *ch);

static void fail_by_errno(struct channel *ch)
{
    switch (ch->opening->last_errno) {
    case 0: /* no address was left to try: policy changed its mind */
        deny(ch);
        return;
    case ECONNREFUSED:
        channel_fail(ch, FAILURE_REFUSED, "refused", "the target refused the connection");
        return;
    case ETIMEDOUT:
        channel_fail(ch, FAILURE_TIMEOUT, "timeout", "the target does not answer");
        return;
    case EHOSTUNREACH:
    case ENETUNREACH:
        channel_fail(ch, FAILURE_UNREACHABLE, "unreachable",
                     "there is no way from the gateway to the target");
        return;
    default:
        channel_fail(ch, FAILURE_ERROR, "error", "the gateway could not connect");
        log_event(LOG_WARN, "connect-error", "session=%s target=%s error=\"%s\"",
                  ch->session->entry.id, ch->target, strerrordesc_np(ch->opening->last_errno));
    }
}

static void connected(struct channel *ch)
{
    ch->state = CHANNEL_ANSWERING;
    channel_ready(ch);
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct channel *ch = arg;
    int err = ETIMEDOUT;
    socklen_t len = sizeof(err);
    if ((what & EV_WRITE) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        err = errno;
    if (err == 0) {
        connected(ch);
        return;
    }
    ch->opening->last_errno = err;
    pump_close_target(ch, false);
    connect_next(ch);
}

/* Each address gets an equal share of the time that is left of connect_timeout. */
static struct timeval share_of_time(const struct channel *ch)
{
    const struct config *c = worker_config(ch->session->worker);
    uint64_t end = ch->asked_ms + (uint64_t)c->connect_timeout * 1000;
    uint64_t now = os_monotonic_ms();
    uint64_t left = end > now ? end - now : 1;
    uint64_t ms = left / (ch->opening->candidate_count - ch->opening->candidate_at + 1) + 1;
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/*
 * Returns 0 when the target is there already, EINPROGRESS, or why it cannot be. A target on this
 * host answers before the first connect() returns, but only the second tells; asking costs less than
 * a turn of the loop.
 */
static int begin_connect(struct channel *ch, const struct addr_ip *ip)
{
    struct sockaddr_storage to;
    socklen_t len = addr_to_sockaddr(ip, ch->port, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    ch->fd = fd;
    ch->ip = *ip;
    int err = connect(fd, (struct sockaddr *)&to, len) == 0 ? 0 : errno;
    if (err == EINPROGRESS)
        err = connect(fd, (struct sockaddr *)&to, len) == 0 ? 0 : errno;
    if (err == EALREADY)
        err = EINPROGRESS;
    if (err != 0 && err != EINPROGRESS)
        pump_close_target(ch, false);
    return err;
}

static void connect_next(struct channel *ch)
{
    ch->state = CHANNEL_CONNECTING;
    while (ch->opening->candidate_at < ch->opening->candidate_count) {
        const struct addr_ip *ip = &ch->opening->candidate[ch->opening->candidate_at++];
        if (channel_ask(ch, &ch->opening->host, ip) != POLICY_ALLOW)
            continue;
        if (!bounds_enter_rule(ch))
            return;
        int err = begin_connect(ch, ip);
        if (err == 0) {
            connected(ch);
            return;
        }
        if (err != EINPROGRESS) {
            ch->opening->last_errno = err;
            continue;
        }
        struct timeval share = share_of_time(ch);
        event_assign(&ch->writable, ch->session->worker->base, ch->fd, EV_WRITE, on_connected, ch);
        if (event_add(&ch->writable, &share) == 0)
            return;
        pump_close_target(ch, false);
        ch->opening->last_errno = ENOMEM;
    }
    fail_by_errno(ch);
}

/* ---- the name ------------------------------------------------------------------------------ */

static void on_resolved(void *ctx, const struct lookup_result *r)
{
    struct channel *ch = ctx;
    ch->opening->lookup = NULL;
    event_del(&ch->opening->timer);
    if (r->error != 0) {
        channel_fail(ch, FAILURE_DNS, "dns", resolver_error_text(r->error));
        return;
    }
    for (size_t i = 0; i < r->count; i++)
        if (channel_ask(ch, &ch->opening->host, &r->ip[i]) == POLICY_ALLOW)
            ch->opening->candidate[ch->opening->candidate_count++] = r->ip[i];
    if (ch->opening->candidate_count == 0)
        deny(ch);
    else
        connect_next(ch);
}

static void on_name_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    channel_fail(arg, FAILURE_DNS, "dns", "the name server does not answer");
}

static void resolve(struct channel *ch)
{
    struct worker *w = ch->session->worker;
    struct timeval limit = {.tv_sec = worker_config(w)->connect_timeout};
    int rc = resolver_start(w->gateway->resolver, ch->session->entry.user, ch->host, &w->mailbox,
                            on_resolved, ch, &ch->opening->lookup);
    if (rc != 0) {
        channel_fail(ch, FAILURE_LIMIT, "resolver-full", "too many names are being looked up");
        return;
    }
    event_assign(&ch->opening->timer, w->base, -1, 0, on_name_late, ch);
    event_add(&ch->opening->timer, &limit);
}

/* ---- the request --------------------------------------------------------------------------- */

/* Takes the host from the request, and whether it and the port are good. `shown` gets the text of both. */
static void read_target(struct channel_opening *o, ssh_message request,
                        char shown[CHANNEL_TARGET_MAX])
{
    uint32_t port = ssh_message_channel_request_open_destination_port_raw(request);
    const char *host = ssh_message_channel_request_open_destination(request);
    char escaped[CHANNEL_TARGET_MAX - 12];
    if (!host)
        host = "";
    snprintf(shown, CHANNEL_TARGET_MAX, "%s:%u",
             log_escape(escaped, sizeof(escaped), host, strlen(host)), port);
    if (addr_parse_host(host, strlen(host), &o->host) != 0) {
        o->host = (struct addr_host){0};
        o->bad = "bad-host";
    } else if (port == 0 || port > UINT16_MAX) {
        o->bad = "bad-port";
    }
}

static struct channel *make(struct session *s, ssh_message request)
{
    char target[CHANNEL_TARGET_MAX];
    struct channel_opening *o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    read_target(o, request, target);
    size_t target_len = strlen(target) + 1, host_len = strlen(o->host.name) + 1;
    struct channel *ch = calloc(1, sizeof(*ch) + target_len + host_len);
    if (!ch) {
        free(o);
        return NULL;
    }
    ch->target = memcpy(ch->text, target, target_len);
    ch->host = memcpy(ch->text + target_len, o->host.name, host_len);
    ch->port = (uint16_t)ssh_message_channel_request_open_destination_port_raw(request);
    ch->session = s;
    ch->opening = o;
    o->failure_text = "";
    o->request = request;
    ch->fd = -1;
    ch->asked_ms = os_monotonic_ms();
    ch->origin_port = ssh_message_channel_request_open_originator_port_raw(request);
    ch->next = s->channels;
    if (s->channels)
        s->channels->prev = ch;
    s->channels = ch;
    s->channel_count++;
    return ch;
}

/* What the session may not ask at all. True if the request was refused. */
static bool refuse_early(struct channel *ch)
{
    const struct session *s = ch->session;
    const char *bad = ch->opening->bad;
    if (s->ending_ms != 0)
        channel_fail(ch, FAILURE_DENIED, "session-ended", "the session has been ended");
    else if (s->restricted)
        channel_fail(ch, FAILURE_DENIED, session_restriction(s),
                     "this account is disabled, or its key is in quarantine");
    else if (!s->hello && !s->any_client)
        channel_fail(ch, FAILURE_DENIED, "no-hello",
                     "this key works with the PRA client only (key add --any-client)");
    else if (s->worker->draining)
        channel_fail(ch, FAILURE_LIMIT, "shutdown", "the gateway is being restarted");
    else if (s->channel_count > worker_config(s->worker)->max_channels_per_session)
        channel_fail(ch, FAILURE_LIMIT, "channel-limit", "too many connections at once");
    else if (bad)
        channel_fail(ch, FAILURE_DENIED, bad, "the target is not a valid host and port");
    else if (ssh_message_channel_request_open_max_packet(ch->opening->request) < MAX_PACKET_LEAST)
        channel_fail(ch, FAILURE_DENIED, "tiny-packets", "the maximum packet is too small");
    else
        return !bounds_enter(ch);
    return true;
}

void channel_request(struct session *s, ssh_message request)
{
    struct channel *ch = make(s, request);
    if (!ch) {
        ssh_message_channel_request_open_reply_failure(request, 4, "out of memory");
        ssh_message_free(request);
        return;
    }
    if (refuse_early(ch))
        return;
    struct channel_opening *o = ch->opening;
    enum policy_answer answer = channel_ask(ch, &o->host, NULL);
    if (answer == POLICY_DENY) {
        deny(ch);
    } else if (o->host.is_ip) {
        o->candidate[o->candidate_count++] = o->host.ip;
        connect_next(ch);
    } else {
        resolve(ch);
    }
}
