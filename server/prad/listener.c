/* Accepting connections; see listener.h. */
#include "server/prad/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "server/prad/balance.h"
#include "server/prad/limits.h"
#include "server/prad/record.h"
#include "server/prad/worker.h"

#define BACKLOG 4096
/* Accepted in one turn, and how long to wait when the system has no descriptors left. */
#define ACCEPT_PER_TURN 64
#define PAUSE_MS        100
/* A line in front of the version (RFC 4253 4.2), sshd's words; our client tells people by it. */
#define TURNED_AWAY "Not allowed at this time\r\n"
/* At most one audit record of refused connections in this time; the rest is counted. */
#define REPORT_MS 1000

struct listener {
    struct gateway *gateway;
    struct event_base *base;
    unsigned count;
    int fd[CONFIG_LISTEN_MAX];
    struct event *event[CONFIG_LISTEN_MAX];
    struct event *resume;
    uint64_t reported_ms;
    unsigned long suppressed;
};

/* ---- accepting ------------------------------------------------------------------------------ */

static void report_refusal(struct listener *l, const struct addr_ip *ip, uint16_t port,
                           const char *reason)
{
    uint64_t now = os_monotonic_ms();
    atomic_fetch_add(&l->gateway->refused, 1);
    counters_note(&l->gateway->counters, AUDIT_LOGIN_REFUSED, reason);
    if (now - l->reported_ms < REPORT_MS) {
        l->suppressed++;
        return;
    }
    record_source(l->gateway->audit, ip, port, AUDIT_LOGIN_REFUSED, reason);
    if (l->suppressed > 0)
        log_event(LOG_WARN, "connections-refused", "more=%lu", l->suppressed);
    l->reported_ms = now;
    l->suppressed = 0;
}

/* NULL = welcome, with a place among the startups; otherwise the audit's word. */
static const char *check_limits(struct gateway *g, struct arrival *a)
{
    const struct config *c = &g->settings->config;
    const struct source_limits l = {.min = c->penalty_min, .max = c->penalty_max};
    if (atomic_load(&g->sessions) >= (unsigned long)c->max_sessions)
        return "sessions-full";
    enum source_standing standing = sources_standing(g->sources, &a->ip, &l, os_time_now());
    if (standing == SOURCE_PENALISED)
        return "penalty";
    a->probation = standing == SOURCE_PROBATION;
    const struct startup_request r = {.source = a->ip,
                                      .known = standing != SOURCE_STRANGER,
                                      .max = (size_t)c->max_startups,
                                      .max_per_source = (size_t)c->max_startups_per_source,
                                      .now_ms = os_monotonic_ms()};
    switch (startups_take(g->startups, &r, &a->place)) {
    case STARTUP_OK:
        return NULL;
    case STARTUP_SOURCE_FULL:
        return "startups-of-source-full";
    case STARTUP_EARLY:
        return "startups-crowded";
    default:
        return "startups-full";
    }
}

static void take_in(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    const int on = 1;
    struct addr_ip raw;
    struct arrival a = {.fd = fd};
    if (addr_from_sockaddr((const struct sockaddr *)from, &raw, &a.port) != 0) {
        close(fd);
        return;
    }
    a.ip = addr_ip_unmap(&raw);
    const char *refused = check_limits(l->gateway, &a);
    if (refused) {
        (void)send(fd, TURNED_AWAY, sizeof(TURNED_AWAY) - 1, MSG_NOSIGNAL);
        close(fd);
        report_refusal(l, &a.ip, a.port, refused);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    worker_adopt(balance_pick(l->gateway), &a);
}

static void set_accepting(struct listener *l, bool on)
{
    for (unsigned i = 0; i < l->count; i++) {
        if (on)
            event_add(l->event[i], NULL);
        else
            event_del(l->event[i]);
    }
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    set_accepting(arg, true);
}

/* Without descriptors or memory, accept() would fail at once again: live tunnels go first. */
static void pause_accepting(struct listener *l, int err)
{
    const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
    log_event(LOG_ERROR, "accept-failed", "error=\"%s\"", strerrordesc_np(err));
    set_accepting(l, false);
    event_add(l->resume, &pause);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct listener *l = arg;
    for (int i = 0; i < ACCEPT_PER_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof(from);
        int conn = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (conn >= 0) {
            take_in(l, conn, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(l, errno);
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

/* ---- life ----------------------------------------------------------------------------------- */

static int bind_one(const struct config_listen *at, int *out, struct fault *f)
{
    const int on = 1;
    struct sockaddr_storage sa;
    char where[RECORD_ENDPOINT_MAX];
    socklen_t len = addr_to_sockaddr(&at->ip, at->port, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (sa.ss_family == AF_INET6)
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        if (bind(fd, (struct sockaddr *)&sa, len) == 0) {
            *out = fd;
            return 0;
        }
    }
    int err = errno;
    if (fd >= 0)
        close(fd);
    return fault_set(f,
                     err == EACCES       ? PRA_EACCES
                     : err == EADDRINUSE ? PRA_EBUSY
                                         : PRA_EIO,
                     "cannot listen on %s: %s", record_endpoint(where, &at->ip, at->port),
                     strerrordesc_np(err));
}

int listener_bind(const struct config *c, struct listener **out, struct fault *f)
{
    struct listener *l = calloc(1, sizeof(*l));
    if (!l)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    for (; l->count < c->listen_count; l->count++) {
        int rc = bind_one(&c->listen[l->count], &l->fd[l->count], f);
        if (rc != 0) {
            listener_free(l);
            return rc;
        }
    }
    *out = l;
    return 0;
}

int listener_start(struct listener *l, struct event_base *base, struct gateway *g, struct fault *f)
{
    l->gateway = g;
    l->base = base;
    limits_check_descriptors((size_t)g->settings->config.max_sessions);
    l->resume = event_new(base, -1, 0, on_resume, l);
    if (!l->resume)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    for (unsigned i = 0; i < l->count; i++) {
        l->event[i] = event_new(base, l->fd[i], EV_READ | EV_PERSIST, on_accept, l);
        if (!l->event[i] || event_add(l->event[i], NULL) != 0)
            return fault_set(f, PRA_ENOMEM, "out of memory");
        if (listen(l->fd[i], BACKLOG) != 0)
            return fault_set(f, PRA_EBUSY, "cannot listen: %s", strerrordesc_np(errno));
    }
    return 0;
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    if (l->resume)
        event_free(l->resume);
    for (unsigned i = 0; i < l->count; i++) {
        if (l->event[i])
            event_free(l->event[i]);
        close(l->fd[i]);
    }
    free(l);
}
