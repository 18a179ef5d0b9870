/*
 * The ports of this installation (B5, C8): which there are, in which direction, what for, which one must be
 * open, and how it is with those that can be looked at from here: the gateway's port is asked as a browser
 * would, and has to answer `10022 OK!`.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "common/addr.h"
#include "server/portal/api_internal.h"

#define PATIENCE_S 3
#define ANSWER_MAX 1024

static const char request[] = "GET / HTTP/1.0\r\n\r\n", wanted[] = "10022 OK!";

struct portcheck {
    struct pending *q;
    struct bufferevent *bev;
};

static json_t *row(json_int_t port, const char *direction, const char *protocol, const char *use,
                   bool mandatory, const char *state)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:b, s:s}", "port", port, "direction", direction,
                     "protocol", protocol, "use", use, "mandatory", mandatory, "state", state);
}

static void answer(struct portcheck *p, bool open)
{
    const struct config *c = p->q->portal->config;
    struct addr_host host;
    uint16_t portal = 0;
    json_t *rows = json_array();

    addr_parse_host_port(c->portal_listen, CONFIG_PORTAL_PORT, &host, &portal);
    json_array_append_new(
        rows, row(c->listen[0].port, "in", "TCP", "ssh", true, open ? "open" : "closed"));
    json_array_append_new(rows, row(portal, "in", "TCP", "portal", false, "open"));
    json_array_append_new(rows, row(53, "out", "TCP/UDP", "dns", false, "untested"));
    json_array_append_new(rows, row(123, "out", "UDP", "ntp", false, "untested"));
    json_array_append_new(rows, row(0, "out", "TCP", "targets", true, "untested"));
    pending_send(p->q, 200, json_pack("{s:o}", "result", rows));
    if (p->bev != NULL)
        bufferevent_free(p->bev);
    free(p);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(bev);

    if (evbuffer_search(in, wanted, strlen(wanted), NULL).pos >= 0)
        answer(arg, true);
    else if (evbuffer_get_length(in) > ANSWER_MAX)
        answer(arg, false);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    if ((what & BEV_EVENT_CONNECTED) != 0)
        bufferevent_write(bev, request, strlen(request));
    else
        answer(arg, false);
}

/* Where the gateway listens, seen from its own host. */
static void own_address(const struct config *c, struct addr_ip *ip)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"};
    const char *text = loopback[c->listen[0].ip.family == 6];

    *ip = c->listen[0].ip;
    if (addr_classify(ip) == ADDR_UNSPECIFIED)
        addr_parse_ip(text, strlen(text), ip);
}

void portcheck_start(struct pending *q)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const struct config *c = q->portal->config;
    struct portcheck *p = calloc(1, sizeof(*p));
    struct sockaddr_storage sa;
    struct addr_ip ip;
    socklen_t len;

    if (p == NULL) {
        pending_fail(q, 500, "internal", "out of memory");
        return;
    }
    p->q = q;
    own_address(c, &ip);
    len = addr_to_sockaddr(&ip, c->listen[0].port, &sa);
    p->bev = bufferevent_socket_new(q->portal->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (p->bev != NULL) {
        bufferevent_setcb(p->bev, on_read, NULL, on_event, p);
        bufferevent_set_timeouts(p->bev, &patience, &patience);
        bufferevent_enable(p->bev, EV_READ | EV_WRITE);
    }
    if (p->bev == NULL || bufferevent_socket_connect(p->bev, (struct sockaddr *)&sa, (int)len) != 0)
        answer(p, false);
}
