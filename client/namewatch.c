/* A timer, a lookup and a trial connection, one after the other; see namewatch.h. */
#include "client/namewatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"

#define TEXT_MAX 256

struct namewatch {
    unsigned open; /* handles and requests that libuv still knows */
    bool stopped;
    bool trying; /* `trial` is open */
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    uv_tcp_t trial;
    uv_connect_t connect;

    char name[ADDR_HOST_MAX];
    uint16_t port;
    struct addr_ip peer;
    uint64_t interval_ms;
    namewatch_moved *moved;
    void *arg;

    unsigned misses;
    char addresses[TEXT_MAX];
};

static void begin_lookup(uv_timer_t *t);

bool namewatch_judge(unsigned *misses, const struct addr_ip *peer, const struct addr_ip *found,
                     size_t count)
{
    if (count == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (addr_ip_equal(&found[i], peer)) {
            *misses = 0;
            return false;
        }
    }
    if (*misses < NAMEWATCH_MISSES)
        (*misses)++;
    return *misses == NAMEWATCH_MISSES;
}

static void release(struct namewatch *w)
{
    if (--w->open == 0)
        free(w);
}

static void on_closed(uv_handle_t *h)
{
    release(h->data);
}

/* Thousands of clients shall not ask in one moment. */
static void wait_for_next(struct namewatch *w)
{
    uint32_t random;

    if (w->stopped)
        return;
    crypto_random(&random, sizeof(random));
    uv_timer_start(&w->timer, begin_lookup,
                   w->interval_ms * 3 / 4 + random % (w->interval_ms / 2 + 1), 0);
}

static void end_trial(struct namewatch *w)
{
    if (w->trying)
        uv_close((uv_handle_t *)&w->trial, on_closed);
    w->trying = false;
}

/* The end of one round in which the name led elsewhere. */
static void tell_owner(struct namewatch *w, bool answers)
{
    end_trial(w);
    wait_for_next(w);
    if (!w->stopped)
        w->moved(w->arg, w->addresses, answers);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct namewatch *w = req->data;

    if (w->trying) { /* else the time was over, or the watch */
        uv_timer_stop(&w->timer);
        tell_owner(w, status == 0);
    }
    release(w);
}

static void on_late(uv_timer_t *t)
{
    tell_owner(t->data, false);
}

static void try_address(struct namewatch *w, const struct sockaddr *sa)
{
    if (uv_tcp_init(w->timer.loop, &w->trial) != 0) {
        tell_owner(w, false);
        return;
    }
    w->trial.data = w->connect.data = w;
    w->trying = true;
    w->open++;
    if (uv_tcp_connect(&w->connect, &w->trial, sa, on_connected) != 0) {
        tell_owner(w, false);
        return;
    }
    w->open++;
    uv_timer_start(&w->timer, on_late, NAMEWATCH_CONNECT_MS, 0);
}

/* Takes the addresses out of an answer and writes them down as text. */
static size_t take_addresses(struct namewatch *w, const struct addrinfo *res,
                             struct addr_ip found[NAMEWATCH_ADDRESSES_MAX])
{
    size_t count = 0, len = 0;
    uint16_t port;
    char text[46];

    w->addresses[0] = '\0';
    for (; res != NULL && count < NAMEWATCH_ADDRESSES_MAX; res = res->ai_next) {
        int n;

        if (addr_from_sockaddr(res->ai_addr, &found[count], &port) != 0)
            continue;
        n = snprintf(w->addresses + len, sizeof(w->addresses) - len, "%s%s", count > 0 ? ", " : "",
                     addr_format_ip(&found[count], text));
        count++;
        if (n > 0 && (size_t)n < sizeof(w->addresses) - len)
            len += (size_t)n;
        w->addresses[len] = '\0';
    }
    return count;
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
    struct addr_ip found[NAMEWATCH_ADDRESSES_MAX];
    struct namewatch *w = req->data;
    size_t count = status == 0 ? take_addresses(w, res, found) : 0;

    if (w->stopped)
        count = 0;
    if (namewatch_judge(&w->misses, &w->peer, found, count))
        try_address(w, res->ai_addr);
    else
        wait_for_next(w);
    uv_freeaddrinfo(res);
    release(w);
}

static void begin_lookup(uv_timer_t *t)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct namewatch *w = t->data;
    char service[8];

    (void)snprintf(service, sizeof(service), "%u", w->port);
    if (uv_getaddrinfo(t->loop, &w->lookup, on_resolved, w->name, service, &hints) == 0)
        w->open++;
    else
        wait_for_next(w);
}

struct namewatch *namewatch_start(uv_loop_t *loop, const char *name, uint16_t port,
                                  const struct addr_ip *peer, long interval, namewatch_moved *moved,
                                  void *arg)
{
    struct namewatch *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    (void)snprintf(w->name, sizeof(w->name), "%s", name);
    w->port = port;
    w->peer = *peer;
    w->interval_ms = (uint64_t)interval * 1000;
    w->moved = moved;
    w->arg = arg;
    uv_timer_init(loop, &w->timer);
    w->timer.data = w->lookup.data = w;
    w->open = 1;
    wait_for_next(w);
    return w;
}

void namewatch_stop(struct namewatch *w)
{
    if (w == NULL || w->stopped)
        return;
    w->stopped = true;
    end_trial(w);
    (void)uv_cancel((uv_req_t *)&w->lookup); /* if it has not begun */
    uv_close((uv_handle_t *)&w->timer, on_closed);
}
