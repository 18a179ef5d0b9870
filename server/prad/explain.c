/*
 * "explain": which rule decides about one of the user's forwards, what its name resolves to, and
 * whether the target answers. Asks policy, the resolver and the target one after the other, like
 * an open that is never answered; belongs to the session's worker.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/os.h"
#include "server/prad/control_internal.h"
#include "server/prad/resolver.h"

#define EXPLAIN_WAIT_S 3

struct explain {
    struct explain *next;
    struct session *session;
    int64_t id, rule;
    struct addr_host host;
    uint16_t port;
    struct policy_verdict verdict; /* only answer and reason; the rule is copied below */
    int64_t deciding;
    char name[POLICY_LABEL_MAX + 1];
    struct lookup *lookup;
    json_t *dns, *connect;
    int fd;
    uint64_t begun_ms;
    struct event timer, connected;
};

/* `c` is x's control channel, which its session may have let go of already. */
static void drop(struct control *c, struct explain *x)
{
    for (struct explain **at = &c->explains; *at; at = &(*at)->next) {
        if (*at == x) {
            *at = x->next;
            c->explain_count--;
            break;
        }
    }
    lookup_cancel(x->lookup);
    if (event_initialized(&x->timer))
        event_del(&x->timer);
    if (event_initialized(&x->connected))
        event_del(&x->connected);
    if (x->fd >= 0)
        close(x->fd);
    json_decref(x->dns);
    json_decref(x->connect);
    free(x);
}

void explain_cancel_all(struct control *c)
{
    while (c->explains)
        drop(c, c->explains);
}

static void finish(struct explain *x)
{
    struct session *s = x->session;
    bool allow = x->verdict.answer == POLICY_ALLOW;
    control_send(
        s, json_pack("{s:s, s:I, s:I, s:s, s:s, s:I, s:s, s:{s:s, s:s}, s:O?, s:O?}", "type",
                     "explained", "id", (json_int_t)x->id, "rule", (json_int_t)x->rule, "decision",
                     allow ? "allow" : "deny", "reason", policy_reason_word(x->verdict.reason),
                     "deciding", (json_int_t)x->deciding, "name", x->name, "key", "fingerprint",
                     s->entry.device, "state", "active", "dns", x->dns, "connect", x->connect));
    drop(s->control, x);
}

static void ask(struct explain *x, const struct addr_ip *ip)
{
    const struct session *s = x->session;
    struct policy_query q = {.user = s->entry.user,
                             .source = s->entry.source,
                             .host = &x->host,
                             .ip = ip,
                             .port = x->port,
                             .now = os_time_now()};
    policy_evaluate(s->worker->policy, &q, &x->verdict);
    const struct policy_rule *r = x->verdict.rule;
    x->deciding = r ? r->id : 0;
    memset(x->name, 0, sizeof(x->name));
    if (r)
        memcpy(x->name, r->name, strlen(r->name));
    x->verdict.rule = NULL;
}

static void connect_result(struct explain *x, int err)
{
    uint64_t ms = os_monotonic_ms() - x->begun_ms;
    x->connect = json_pack("{s:b, s:I, s:s?}", "ok", err == 0, "ms", (json_int_t)ms, "error",
                           err == 0 ? NULL : strerrordesc_np(err));
    finish(x);
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
    int err = ETIMEDOUT;
    socklen_t len = sizeof(err);
    if ((what & EV_WRITE) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        err = errno;
    connect_result(arg, err);
}

static void try_connect(struct explain *x, const struct addr_ip *ip)
{
    const struct timeval wait = {.tv_sec = EXPLAIN_WAIT_S};
    struct sockaddr_storage to;
    socklen_t len = addr_to_sockaddr(ip, x->port, &to);
    x->begun_ms = os_monotonic_ms();
    x->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x->fd < 0 || (connect(x->fd, (struct sockaddr *)&to, len) != 0 && errno != EINPROGRESS)) {
        connect_result(x, errno);
        return;
    }
    event_assign(&x->connected, x->session->worker->base, x->fd, EV_WRITE, on_connected, x);
    event_add(&x->connected, &wait);
}

static void on_resolved(void *ctx, const struct lookup_result *r)
{
    struct explain *x = ctx;
    x->lookup = NULL;
    event_del(&x->timer);
    json_t *addresses = json_array();
    const struct addr_ip *allowed = NULL;
    char text[46];
    for (size_t i = 0; i < r->count; i++) {
        json_array_append_new(addresses, json_string(addr_format_ip(&r->ip[i], text)));
        if (!allowed) {
            ask(x, &r->ip[i]);
            if (x->verdict.answer == POLICY_ALLOW)
                allowed = &r->ip[i];
        }
    }
    x->dns = json_pack("{s:b, s:o, s:s?}", "ok", r->error == 0, "addresses", addresses, "error",
                       r->error == 0 ? NULL : resolver_error_text(r->error));
    if (allowed)
        try_connect(x, allowed);
    else
        finish(x);
}

static void on_name_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct explain *x = arg;
    x->dns = json_pack("{s:b, s:[], s:s}", "ok", 0, "addresses", "error",
                       "the name server does not answer");
    finish(x);
}

static void look_up(struct explain *x)
{
    const struct timeval wait = {.tv_sec = EXPLAIN_WAIT_S};
    struct worker *w = x->session->worker;
    if (resolver_start(w->gateway->resolver, x->session->entry.user, x->host.name, &w->mailbox,
                       on_resolved, x, &x->lookup) != 0) {
        finish(x);
        return;
    }
    event_assign(&x->timer, w->base, -1, 0, on_name_late, x);
    event_add(&x->timer, &wait);
}

struct wanted {
    int64_t id;
    const struct policy_rule *found;
};

static bool is_wanted(const struct policy_rule *r, void *ctx)
{
    struct wanted *w = ctx;
    if (r->id == w->id)
        w->found = r;
    return w->found == NULL;
}

/* A user may ask about rules that are delivered to them, or carry their name: of other people's
   rules they learn nothing, not even that they exist. */
static const struct policy_rule *find_rule(const struct session *s, int64_t id)
{
    const struct policy *p = s->worker->policy;
    struct wanted w = {.id = id};
    policy_each_forward(p, s->entry.user, &s->entry.source, os_time_now(), is_wanted, &w);
    if (w.found)
        return w.found;
    const struct policy_rule *r = policy_find_rule(p, s->entry.user, id);
    return r && !r->is_group && strcmp(r->owner, s->entry.user) == 0 ? r : NULL;
}

int explain_start(struct session *s, int64_t id, int64_t rule)
{
    struct control *c = s->control;
    if (c->explain_count >= CONTROL_EXPLAIN_MAX)
        return PRA_EFULL;
    struct explain *x = calloc(1, sizeof(*x));
    if (!x)
        return PRA_ENOMEM;
    x->session = s;
    x->id = id;
    x->rule = rule;
    x->fd = -1;
    x->next = c->explains;
    c->explains = x;
    c->explain_count++;

    const struct policy_rule *r = find_rule(s, rule);
    x->verdict = (struct policy_verdict){.answer = POLICY_DENY, .reason = POLICY_BY_DEFAULT};
    if (!r || r->target.is_network) {
        finish(x);
        return 0;
    }
    x->host = r->target.host;
    x->port = r->target.port_first;
    ask(x, NULL);
    if (x->host.is_ip)
        x->dns = json_pack("{s:b, s:[s], s:n}", "ok", 1, "addresses", x->host.name, "error");
    if (x->verdict.answer == POLICY_DENY)
        finish(x);
    else if (x->host.is_ip)
        try_connect(x, &x->host.ip);
    else
        look_up(x);
    return 0;
}
