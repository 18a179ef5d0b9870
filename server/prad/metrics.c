/*
 * The two pages of metrics.h. One request a connection, read until its headers end, then answered and
 * closed: two fixed paths need no HTTP library in the process that holds the host key, and no more of
 * HTTP than a request line (RFC 9112, 3). Everything that a peer can do is bounded by the three
 * numbers in the header: how many, how much, how long.
 */
#include "server/prad/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/log.h"

struct peer {
    struct metrics *metrics;
    struct peer *older, *newer;
    struct bufferevent *bev;
    struct event *deadline;
    bool answered; /* what comes now is thrown away until the peer closes */
};

struct metrics {
    struct gateway *gateway;
    struct event_base *base;
    struct evconnlistener *listener;
    struct peer *newest, *oldest;
    unsigned count;
};

/* ---- connections ------------------------------------------------------------------------------ */

static void peer_free(struct peer *p)
{
    struct metrics *m = p->metrics;
    if (p->older)
        p->older->newer = p->newer;
    else
        m->oldest = p->newer;
    if (p->newer)
        p->newer->older = p->older;
    else
        m->newest = p->older;
    m->count--;
    if (p->deadline)
        event_free(p->deadline);
    bufferevent_free(p->bev);
    free(p);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    peer_free(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        peer_free(arg);
}

/* All is written: the peer closes, so that our close is no reset that throws the answer away. */
static void on_written(struct bufferevent *bev, void *arg)
{
    struct peer *p = arg;
    if (p->answered)
        shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* ---- answers ---------------------------------------------------------------------------------- */

static void answer(struct peer *p, const char *status, struct evbuffer *body, bool head_only)
{
    struct evbuffer *out = bufferevent_get_output(p->bev);
    evbuffer_add_printf(out,
                        "HTTP/1.1 %s\r\n"
                        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                        "Content-Length: %zu\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "%sConnection: close\r\n\r\n",
                        status, evbuffer_get_length(body),
                        strncmp(status, "405", 3) == 0 ? "Allow: GET, HEAD\r\n" : "");
    if (!head_only)
        evbuffer_add_buffer(out, body);
    p->answered = true;
}

/* "/metrics", a query behind it or not. */
static bool is_path(const char *at, size_t len, const char *path)
{
    size_t n = strlen(path);
    return len >= n && memcmp(at, path, n) == 0 && (len == n || at[n] == '?');
}

static const char *fill(struct peer *p, const char *path, size_t len, struct evbuffer *body)
{
    struct condition c;
    char trouble[CONDITION_TEXT_MAX];
    condition_read(p->metrics->gateway, &c);
    if (is_path(path, len, "/metrics")) {
        metrics_write(body, &c, &p->metrics->gateway->counters);
        return "200 OK";
    }
    if (!is_path(path, len, "/healthz")) {
        evbuffer_add_printf(body, "There are /metrics and /healthz.\n");
        return "404 Not Found";
    }
    if (condition_good(&c, trouble)) {
        evbuffer_add_printf(body, "ok\n");
        return "200 OK";
    }
    evbuffer_add_printf(body, "%s", trouble);
    return "503 Service Unavailable";
}

/* `line` is the request line without its end. */
static void handle(struct peer *p, const char *line)
{
    struct evbuffer *body = evbuffer_new();
    bool head = strncmp(line, "HEAD ", 5) == 0, get = strncmp(line, "GET ", 4) == 0;
    const char *path = strchr(line, ' '), *end = path ? strchr(path + 1, ' ') : NULL;
    const char *status;
    if (!body) {
        peer_free(p);
        return;
    }
    if (!end || strncmp(end, " HTTP/1.", 8) != 0 || strlen(end) != 9)
        status = "400 Bad Request";
    else if (!head && !get)
        status = "405 Method Not Allowed";
    else
        status = fill(p, path + 1, (size_t)(end - path - 1), body);
    answer(p, status, body, head);
    evbuffer_free(body);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct peer *p = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    if (p->answered) {
        evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos < 0) {
        if (evbuffer_get_length(in) >= METRICS_REQUEST_MAX)
            peer_free(p);
        return;
    }
    char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
    evbuffer_drain(in, evbuffer_get_length(in));
    if (line)
        handle(p, line);
    free(line);
}

/* ---- life ------------------------------------------------------------------------------------- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int len, void *arg)
{
    const struct timeval limit = {.tv_sec = METRICS_SECONDS};
    struct metrics *m = arg;
    struct peer *p = calloc(1, sizeof(*p));
    (void)listener;
    (void)from;
    (void)len;
    if (m->count >= METRICS_CONNECTIONS_MAX)
        peer_free(m->oldest);
    if (!p || !(p->bev = bufferevent_socket_new(m->base, fd, BEV_OPT_CLOSE_ON_FREE))) {
        evutil_closesocket(fd);
        free(p);
        return;
    }
    p->metrics = m;
    p->older = m->newest;
    *(m->newest ? &m->newest->newer : &m->oldest) = p;
    m->newest = p;
    m->count++;
    p->deadline = event_new(m->base, -1, 0, on_deadline, p);
    bufferevent_setcb(p->bev, on_read, on_written, on_event, p);
    bufferevent_setwatermark(p->bev, EV_READ, 0, METRICS_REQUEST_MAX);
    if (!p->deadline || event_add(p->deadline, &limit) != 0 ||
        bufferevent_enable(p->bev, EV_READ | EV_WRITE) != 0)
        peer_free(p);
}

int metrics_open(struct event_base *base, const struct config *c, struct metrics **out,
                 struct fault *f)
{
    struct sockaddr_storage at;
    if (c->metrics_listen.port == 0)
        return 0;
    struct metrics *m = calloc(1, sizeof(*m));
    if (!m)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    m->base = base;
    socklen_t len = addr_to_sockaddr(&c->metrics_listen.ip, c->metrics_listen.port, &at);
    m->listener = evconnlistener_new_bind(
        base, on_accept, m,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE | LEV_OPT_DISABLED,
        METRICS_CONNECTIONS_MAX, (struct sockaddr *)&at, (int)len);
    if (!m->listener) {
        int err = errno;
        free(m);
        return fault_set(f,
                         err == EADDRINUSE ? PRA_EBUSY
                         : err == EACCES   ? PRA_EACCES
                                           : PRA_EIO,
                         "[metrics] listen: %s", strerrordesc_np(err));
    }
    *out = m;
    return 0;
}

void metrics_serve(struct metrics *m, struct gateway *g)
{
    if (!m)
        return;
    m->gateway = g;
    evconnlistener_enable(m->listener);
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (struct peer *p = m->newest, *older; p; p = older) {
        older = p->older;
        peer_free(p);
    }
    evconnlistener_free(m->listener);
    free(m);
}
