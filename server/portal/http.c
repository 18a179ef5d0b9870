/*
 * HTTPS by evhttp over TLS, with what evhttp does not bound: a request has to be whole in a fixed
 * time, however slowly its bytes come, and its answer taken in another; bytes are counted as they
 * come off TLS; connections are counted, in all and by source. Every answer, of whatever kind, gets
 * its headers from http_headers(): what evhttp would say by itself is never sent.
 */
#include "server/portal/portal.h"

#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "common/log.h"

/* One connection of a browser; lives as long as its TLS. */
struct conn {
    struct http *http;
    struct conn *next, *prev;
    struct bufferevent *bev;
    struct event *timer; /* the end of the request's time, or of the pause between two */
    struct addr_ip source;
    unsigned rank;  /* how many its source had when it came; the last ones make room first */
    size_t held;    /* bytes of the request that is being read or answered */
    bool looked;    /* its source is known and counted */
    bool busy;      /* a request is whole and not answered yet */
    bool answering; /* what is written is ours */
    bool cut;       /* on its way out */
};

struct http {
    struct portal *portal;
    struct evhttp *evhttp;
    struct evconnlistener *listener; /* evhttp's */
    struct conn *conns;              /* the newest one first */
    unsigned count;
    size_t held; /* of all connections */
    bool full;
};

/* ---- connections -------------------------------------------------------------------------------- */

static void conn_gone(void *owner)
{
    struct conn *c = owner;
    struct http *h = c->http;

    if (c->timer != NULL)
        event_free(c->timer);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        h->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    h->held -= c->held;
    h->count--;
    if (h->full && h->listener != NULL && h->count < HTTP_CONNECTIONS) {
        h->full = false;
        evconnlistener_enable(h->listener);
    }
    free(c);
}

/* The connection ends as if the browser had gone; evhttp frees what belongs to it. */
static void conn_cut(struct conn *c)
{
    evutil_socket_t fd = bufferevent_getfd(c->bev);

    c->cut = true;
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

static void conn_wait(struct conn *c, int seconds)
{
    const struct timeval limit = {.tv_sec = seconds};

    event_add(c->timer, &limit);
}

bool http_same_source(const struct addr_ip *a, const struct addr_ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 6 ? 8 : 4) == 0;
}

/* evhttp makes the connection before it knows the socket, so the source is looked at a turn later. */
static void look_at_source(struct conn *c)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    unsigned same = 0;
    int on = 1, size = HTTP_SOCKET_BUFFER, fd = (int)bufferevent_getfd(c->bev);
    uint16_t port;

    c->looked = true;
    conn_wait(c, HTTP_REQUEST_S);
    if (fd < 0 || getpeername(fd, (struct sockaddr *)&ss, &len) != 0 ||
        addr_from_sockaddr((struct sockaddr *)&ss, &c->source, &port) != 0) {
        conn_cut(c);
        return;
    }
    c->source = addr_ip_unmap(&c->source);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* 40 ms an answer without */
    /* The kernel would keep megabytes for a browser that does not read, and prad needs that memory. */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    for (struct conn *o = c->http->conns; o != NULL; o = o->next)
        same += o->looked && http_same_source(&o->source, &c->source);
    c->rank = same;
    if (same > HTTP_OF_SOURCE)
        conn_cut(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;

    (void)fd;
    (void)what;
    if (!c->looked)
        look_at_source(c);
    else
        conn_cut(c);
}

/*
 * All places are taken: one of those that only wait is given up, of a source that has many before
 * one of a source that has few, and then the one that has been there longest. So whoever holds
 * connections open keeps nobody out for longer than it takes to come in. Returns false if all are
 * at work.
 */
static bool make_room(struct http *h)
{
    struct conn *worst = NULL;

    for (struct conn *c = h->conns; c != NULL; c = c->next) {
        if (c->looked && !c->busy && !c->cut && (worst == NULL || c->rank >= worst->rank))
            worst = c;
    }
    if (worst != NULL)
        conn_cut(worst);
    return worst != NULL;
}

/* ---- bytes -------------------------------------------------------------------------------------- */

static void conn_hold(struct conn *c, size_t bytes)
{
    c->http->held += bytes - c->held;
    c->held = bytes;
}

static void cut_largest(struct http *h)
{
    struct conn *largest = NULL;

    for (struct conn *c = h->conns; c != NULL; c = c->next) {
        if (!c->cut && !c->busy && (largest == NULL || c->held > largest->held))
            largest = c;
    }
    if (largest != NULL)
        conn_cut(largest);
}

/* What came off TLS. evhttp bounds bodies and headers, but not the line before a chunk. */
static void on_input(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
    struct conn *c = arg;

    (void)in;
    if (info->n_added == 0)
        return;
    conn_hold(c, c->held + info->n_added);
    if (c->held > HTTP_WIRE_MAX)
        conn_cut(c);
    else if (c->http->held > HTTP_HELD_MAX)
        cut_largest(c->http);
}

/*
 * What is to be written. A page of evhttp's own (the request line is broken, headers are too large)
 * has none of our headers, and whoever sends such things is no browser: he gets nothing. The answer
 * to "Expect: 100-continue" is evhttp's, too.
 */
static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    static const char go_on[] = "HTTP/1.1 100 ";
    struct conn *c = arg;
    char begin[sizeof(go_on) - 1];

    if (info->n_added == 0 || c->answering || c->cut)
        return;
    if (info->orig_size == 0 && evbuffer_copyout(out, begin, sizeof(begin)) == sizeof(begin) &&
        memcmp(begin, go_on, sizeof(begin)) == 0)
        return;
    conn_cut(c);
}

static void watch_bytes(struct conn *c)
{
    if (evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c) == NULL ||
        evbuffer_add_cb(bufferevent_get_output(c->bev), on_output, c) == NULL)
        abort();
}

/* ---- coming ------------------------------------------------------------------------------------- */

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct http *h = arg;
    struct conn *c = calloc(1, sizeof(*c));
    struct bufferevent *bev;

    /* NULL would make evhttp speak without TLS. */
    if (c == NULL)
        abort();
    c->http = h;
    c->next = h->conns;
    if (c->next != NULL)
        c->next->prev = c;
    h->conns = c;
    h->count++;
    if (h->count >= HTTP_CONNECTIONS && !make_room(h)) {
        h->full = true;
        evconnlistener_disable(h->listener);
    }
    c->timer = event_new(base, -1, 0, on_timer, c);
    if (c->timer == NULL)
        abort();
    bev = tls_accept(h->portal->tls, base, conn_gone, c);
    if (bev == NULL)
        abort();
    c->bev = bev;
    watch_bytes(c);
    conn_wait(c, 0);
    return bev;
}

/* ---- answers ------------------------------------------------------------------------------------ */

static struct conn *conn_of(struct evhttp_request *req)
{
    return tls_owner(evhttp_connection_get_bufferevent(evhttp_request_get_connection(req)));
}

void http_headers(struct portal *p, struct evhttp_request *req, const char *type)
{
    static const struct {
        const char *name, *value;
    } headers[] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
         "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
        {"Cache-Control", "no-store"},
    };
    struct evkeyvalq *out = evhttp_request_get_output_headers(req);

    conn_of(req)->answering = true;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        evhttp_add_header(out, headers[i].name, headers[i].value);
    /* Behind a certificate that nobody vouches for this would lock people out of a renewed one. */
    if (!tls_self_signed(p->tls))
        evhttp_add_header(out, "Strict-Transport-Security", "max-age=31536000");
    evhttp_add_header(out, "Content-Type", type);
}

void http_prepare_stream(struct evhttp_request *req)
{
    struct evhttp_connection *ec = evhttp_request_get_connection(req);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(ec);
    const struct timeval limit = {.tv_sec = HTTP_IDLE_S};

    evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
    bufferevent_set_timeouts(bev, NULL, &limit);
    bufferevent_setwatermark(bev, EV_READ, 0, HTTP_HEADERS_MAX);
}

void http_cut(struct evhttp_request *req)
{
    conn_cut(conn_of(req));
}

void http_limit(struct evhttp_request *req, int seconds)
{
    conn_wait(conn_of(req), seconds);
}

void http_source(struct evhttp_request *req, char dst[46])
{
    addr_format_ip(&conn_of(req)->source, dst);
}

static void send_body(struct portal *p, struct evhttp_request *req, int status, const char *type,
                      const void *data, size_t len)
{
    struct evbuffer *body = evbuffer_new();

    http_headers(p, req, type);
    conn_wait(conn_of(req), HTTP_REQUEST_S + (int)(len / HTTP_SLOWEST));
    if (body != NULL && len > 0 && evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
        evbuffer_add(body, data, len);
    evhttp_send_reply(req, status, NULL, body);
    if (body != NULL)
        evbuffer_free(body);
}

void http_send_json(struct portal *p, struct evhttp_request *req, int status, json_t *body)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);

    send_body(p, req, status, "application/json; charset=utf-8", text,
              text == NULL ? 0 : strlen(text));
    free(text);
    json_decref(body);
}

void http_send_error(struct portal *p, struct evhttp_request *req, int status, const char *code,
                     const char *message)
{
    http_send_json(p, req, status,
                   json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message));
}

static void send_asset(struct portal *p, struct evhttp_request *req, const char *path)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(req);

    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        http_send_error(p, req, 405, "invalid", "this is only for GET");
        return;
    }
    for (const struct asset *a = assets; a->path != NULL; a++) {
        if (strcmp(a->path, path) == 0) {
            send_body(p, req, 200, a->type, a->data, a->len);
            return;
        }
    }
    http_send_error(p, req, 404, "not-found", "there is no such page");
}

static void on_answered(struct evhttp_request *req, void *arg)
{
    struct conn *c;

    (void)arg;
    if (evhttp_request_get_connection(req) == NULL)
        return;
    c = conn_of(req);
    c->busy = c->answering = false;
    conn_hold(c, evbuffer_get_length(bufferevent_get_input(c->bev)));
    conn_wait(c, HTTP_IDLE_S);
}

/* A request is whole. */
static void on_request(struct evhttp_request *req, void *arg)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
    struct conn *c = conn_of(req);
    struct http *h = arg;
    size_t prefix = strlen(API_PREFIX);

    event_del(c->timer); /* now it is our turn; prad and the KDF have limits of their own */
    c->busy = true;
    evhttp_request_set_on_complete_cb(req, on_answered, NULL);
    if (path == NULL || path[0] == '\0')
        path = "/";
    if (!request_is_clear(req)) {
        /* What follows it may be another request, or not: nobody can tell. */
        evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
        http_send_error(h->portal, req, 400, "invalid", "the request can be read in two ways");
    } else if (strncmp(path, API_PREFIX, prefix) == 0 && path[prefix] == '/')
        api_handle(h->portal, req, path + prefix);
    else
        send_asset(h->portal, req, path);
}

/* ---- opening ------------------------------------------------------------------------------------ */

int http_new(struct portal *p, struct http **out, struct fault *f)
{
    struct http *h = calloc(1, sizeof(*h));
    struct evhttp_bound_socket *bound;
    struct addr_host host;
    char ip[46];
    uint16_t port;

    if (h == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory");
    h->portal = p;
    h->evhttp = evhttp_new(p->base);
    if (h->evhttp == NULL ||
        addr_parse_host_port(p->config->portal_listen, CONFIG_PORTAL_PORT, &host, &port)) {
        http_free(h);
        return fault_set(f, PRA_ENOMEM, "no memory");
    }
    evhttp_set_bevcb(h->evhttp, on_connection, h);
    evhttp_set_gencb(h->evhttp, on_request, h);
    evhttp_set_max_headers_size(h->evhttp, HTTP_HEADERS_MAX);
    evhttp_set_max_body_size(h->evhttp, HTTP_BODY_MAX);
    evhttp_set_timeout(h->evhttp, HTTP_IDLE_S + 5);
    /* All it knows, so that it is we who refuse the others; but CONNECT, after which it never closes. */
    evhttp_set_allowed_methods(h->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                              EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
                                              EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                                              EVHTTP_REQ_TRACE);
    bound = evhttp_bind_socket_with_handle(h->evhttp, addr_format_ip(&host.ip, ip), port);
    if (bound == NULL) {
        http_free(h);
        return fault_set(f, PRA_EIO, "[portal] listen: cannot listen at %s: %s",
                         p->config->portal_listen,
                         evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    }
    h->listener = evhttp_bound_socket_get_listener(bound);
    *out = h;
    return 0;
}

void http_close(struct http *h)
{
    if (h == NULL)
        return;
    h->listener = NULL;
    if (h->evhttp != NULL)
        evhttp_free(h->evhttp);
    h->evhttp = NULL;
}

void http_free(struct http *h)
{
    http_close(h);
    free(h);
}
