/*
 * From a name to a connected socket: the name is resolved anew for every session (D6), every
 * address is tried, and an HTTP proxy is asked for the way when one is set (C12).
 */
#include "client/session_internal.h"

#include <stdio.h>
#include <string.h>

#include "client/proxy.h"
#include "client/sock.h"
#include "common/i18n.h"

/* More addresses of one name than this are not tried. */
#define ADDRESSES_MAX 8u

static void connect_next(struct session *s);

void session_connect_free(struct session *s)
{
    uv_freeaddrinfo(s->addrs);
    s->addrs = NULL;
    buf_free(&s->early);
}

/* Whom the TCP connection goes to: the gateway or the proxy. */
static const struct addr_host *next_hop(const struct session *s, uint16_t *port)
{
    *port = s->has_proxy ? s->proxy_port : s->port;
    return s->has_proxy ? &s->proxy : &s->server;
}

bool session_peer(const struct session *s, struct addr_ip *out)
{
    if (s->has_proxy || s->peer_ip.family == 0)
        return false;
    *out = s->peer_ip;
    return true;
}

static void fail_hop(struct session *s, enum cause direct, const char *what, const char *why)
{
    char detail[sizeof(s->detail)];

    (void)snprintf(detail, sizeof(detail), "%s%.140s: %s",
                   s->has_proxy ? tr("proxy ", "プロキシ ") : "", what, why);
    session_fail(s, s->has_proxy ? CAUSE_PROXY : direct, detail);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
    struct session *s = req->data;
    uint16_t port;

    if (s->state != S_RESOLVE) {
        uv_freeaddrinfo(res);
    } else if (status != 0) {
        fail_hop(s, CAUSE_RESOLVE, next_hop(s, &port)->name, sock_error_text(status));
    } else {
        s->addrs = s->next_addr = res;
        s->addrs_left = 0;
        for (const struct addrinfo *a = res; a != NULL && s->addrs_left < ADDRESSES_MAX;
             a = a->ai_next)
            s->addrs_left++;
        connect_next(s);
    }
    session_unref(s);
}

void session_begin_resolve(struct session *s)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    uint16_t port;
    const struct addr_host *hop = next_hop(s, &port);
    char service[8], what[ADDR_HOST_MAX + 32];
    int rc;

    session_enter(s, S_RESOLVE, SESSION_RESOLVE_MS);
    (void)snprintf(what, sizeof(what), "resolve %s", hop->name);
    s->events->phase(s->owner, what);
    (void)snprintf(service, sizeof(service), "%u", port);
    s->lookup.data = s;
    rc = uv_getaddrinfo(s->loop, &s->lookup, on_resolved, hop->name, service, &hints);
    if (rc == 0)
        s->handles++;
    else
        fail_hop(s, CAUSE_RESOLVE, hop->name, sock_error_text(rc));
}

void session_step_resolve(struct session *s)
{
    (void)s; /* on_resolved() goes on */
}

static enum cause cause_of(int error)
{
    switch (error) {
    case UV_ECONNREFUSED:
        return CAUSE_REFUSED;
    case UV_ETIMEDOUT:
        return CAUSE_TIMEOUT;
    default:
        return CAUSE_UNREACHABLE;
    }
}

/* Begins with the next address; the phase's time is shared among those that are left. */
static void connect_next(struct session *s)
{
    while (s->addrs_left > 0) {
        const struct addrinfo *a = s->next_addr;
        struct addr_ip ip;
        uint16_t port;
        char text[46], what[96];
        int fd;

        session_enter(s, S_CONNECT, SESSION_CONNECT_MS / s->addrs_left);
        s->next_addr = a->ai_next;
        s->addrs_left--;
        if (addr_from_sockaddr(a->ai_addr, &ip, &port) != 0)
            continue;
        s->peer_ip = ip;
        (void)snprintf(s->peer, sizeof(s->peer), ip.family == 6 ? "[%s]:%u" : "%s:%u",
                       addr_format_ip(&ip, text), port);
        (void)snprintf(what, sizeof(what), "connect %.80s", s->peer);
        s->events->phase(s->owner, what);
        fd = sock_connect(a->ai_addr, (socklen_t)a->ai_addrlen);
        if (fd < 0) {
            s->connect_error = fd;
            continue;
        }
        s->fd = fd;
        s->readable = s->writable = false;
        session_poll(s, UV_WRITABLE);
        return;
    }
    if (s->connect_error == 0) /* names of other families only */
        s->connect_error = UV_EAFNOSUPPORT;
    fail_hop(s, cause_of(s->connect_error), s->peer, sock_error_text(s->connect_error));
}

static void give_up_address(struct session *s, int error)
{
    s->connect_error = error;
    session_close_socket(s);
    connect_next(s);
}

void session_connect_late(struct session *s)
{
    give_up_address(s, UV_ETIMEDOUT);
}

static void begin_proxy(struct session *s)
{
    char request[PROXY_REQUEST_MAX];
    size_t len = proxy_request(&s->server, s->port, request);

    s->events->phase(s->owner, "ask the proxy");
    session_enter(s, S_PROXY, SESSION_PROXY_MS);
    /* The first bytes on a new connection always fit into its buffer. */
    if (sock_write(s->fd, request, len) != (ssize_t)len)
        session_fail(s, CAUSE_PROXY, tr("the request cannot be sent", "要求を送信できません"));
    session_poll(s, UV_READABLE);
}

void session_step_connect(struct session *s)
{
    int rc;

    if (!s->writable && !s->readable)
        return;
    rc = sock_connect_result(s->fd);
    if (rc != 0)
        give_up_address(s, rc);
    else if (s->has_proxy)
        begin_proxy(s);
    else
        session_enter(s, S_HANDSHAKE, SESSION_HANDSHAKE_MS);
}

/* Reads the proxy's answer; what comes behind it is kept for libssh2. */
void session_step_proxy(struct session *s)
{
    struct fault f = {0};
    size_t used = 0, room;
    uint8_t *dst;
    ssize_t n;
    int rc;

    if (!s->readable)
        return;
    dst = buf_reserve(&s->early, PROXY_HEAD_MAX, &room);
    if (dst == NULL) {
        session_fail(s, CAUSE_PROXY,
                     tr("the proxy's answer is too long", "プロキシの応答が長すぎます"));
        return;
    }
    n = sock_read(s->fd, dst, room);
    if (n == UV_EAGAIN) {
        s->readable = false;
        return;
    }
    if (n <= 0) {
        session_fail(s, CAUSE_PROXY,
                     tr("the proxy closed the connection without an answer",
                        "プロキシが応答せずに接続を閉じました"));
        return;
    }
    buf_commit(&s->early, (size_t)n);
    rc = proxy_response((const char *)buf_head(&s->early), s->early.len, &used, &f);
    if (rc == 0) {
        buf_consume(&s->early, used);
        session_enter(s, S_HANDSHAKE, SESSION_HANDSHAKE_MS);
    } else if (rc != PRA_EAGAIN) {
        session_fail(s, CAUSE_PROXY, f.text);
    }
}
