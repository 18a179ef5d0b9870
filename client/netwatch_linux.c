/*
 * netwatch.h by rtnetlink(7) for addresses, links and routes, and by a timer that never fires but
 * is cancelled when the clock jumps, which waking up from sleep does (timerfd_create(2)).
 */
#include "client/netwatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client/fdwatch.h"

struct netwatch {
    int netlink, clock; /* -1 = none */
    struct fdwatch netlink_watch, clock_watch;
    uv_timer_t settle;
    void (*changed)(void *arg);
    void *arg;
};

static int open_netlink(void)
{
    struct sockaddr_nl sa = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                          RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int arm_clock(int fd)
{
    /* A time that does not come; what counts is that setting the clock cancels it. */
    struct itimerspec never = {.it_value = {.tv_sec = INT32_MAX}};

    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static int open_clock(void)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd >= 0 && arm_clock(fd) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void on_settled(uv_timer_t *t)
{
    struct netwatch *w = t->data;

    w->changed(w->arg);
}

static void settle(struct netwatch *w)
{
    if (!uv_is_active((uv_handle_t *)&w->settle))
        uv_timer_start(&w->settle, on_settled, NETWATCH_SETTLE_MS, 0);
}

static void on_netlink(uv_poll_t *h, int status, int events)
{
    struct netwatch *w = h->data;
    char data[8192];
    ssize_t n;

    (void)status;
    (void)events;
    /* What exactly has changed does not matter; ENOBUFS means that there was more than fits. */
    do
        n = recv(w->netlink, data, sizeof(data), 0);
    while (n > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS)));
    settle(w);
}

static void on_clock(uv_poll_t *h, int status, int events)
{
    struct netwatch *w = h->data;
    uint64_t count;

    (void)status;
    (void)events;
    if (read(w->clock, &count, sizeof(count)) < 0 && errno == ECANCELED)
        settle(w);
    (void)arm_clock(w->clock);
}

struct netwatch *netwatch_open(uv_loop_t *loop, void (*changed)(void *arg), void *arg)
{
    struct netwatch *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    w->changed = changed;
    w->arg = arg;
    uv_timer_init(loop, &w->settle);
    w->settle.data = w;
    w->netlink = open_netlink();
    w->clock = open_clock();
    if (w->netlink >= 0 && fdwatch_open(&w->netlink_watch, loop, w->netlink, w) == 0)
        fdwatch_set(&w->netlink_watch, UV_READABLE, on_netlink);
    if (w->clock >= 0 && fdwatch_open(&w->clock_watch, loop, w->clock, w) == 0)
        fdwatch_set(&w->clock_watch, UV_READABLE, on_clock);
    return w;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void netwatch_close(struct netwatch *w)
{
    if (w == NULL)
        return;
    fdwatch_close(&w->netlink_watch);
    fdwatch_close(&w->clock_watch);
    if (w->netlink >= 0)
        close(w->netlink);
    if (w->clock >= 0)
        close(w->clock);
    uv_close((uv_handle_t *)&w->settle, on_closed);
}
