/* See host.h. */
#include "server/prad/host.h"

#include "common/os.h"
#include "server/prad/condition.h"
#include "server/prad/tickets.h"

#define PENALTIES_SHOWN 1000

static int host_session_list(void *ctx, const struct listing *l, json_t **out, int64_t *total)
{
    const struct host *h = ctx;
    return live_list(h->gateway->live, l, out, total);
}

static size_t host_session_count(void *ctx)
{
    const struct host *h = ctx;
    return live_count(h->gateway->live);
}

static int host_session_kill(void *ctx, const char *id, const char *why)
{
    const struct host *h = ctx;
    return live_kill(h->gateway->live, id, why);
}

static json_t *host_live_find(void *ctx, const struct admin_live_query *q)
{
    const struct host *h = ctx;
    return live_find(h->gateway->live, q);
}

static int host_channel_list(void *ctx, const char *session, json_t **out)
{
    const struct host *h = ctx;
    return live_channels(h->gateway->live, session, out);
}

static json_t *host_port_list(void *ctx)
{
    const struct host *h = ctx;
    return live_ports(h->gateway->live);
}

static void host_device_each(void *ctx, void (*fn)(const char *user, const char *device, void *arg),
                             void *arg)
{
    const struct host *h = ctx;
    live_each_device(h->gateway->live, fn, arg);
}

static void host_limits(void *ctx, const char *user, struct policy_limits *l, json_t **used)
{
    const struct host *h = ctx;
    quota_limits(h->quota, user, l, used);
}

static json_t *host_condition(void *ctx)
{
    const struct host *h = ctx;
    struct condition c;
    condition_read(h->gateway, &c);
    return condition_json(&c);
}

static int host_channel_close(void *ctx, const char *session, const char *channel)
{
    const struct host *h = ctx;
    return live_channel_close(h->gateway->live, session, channel);
}

static json_t *host_door(void *ctx)
{
    const struct host *h = ctx;
    struct gateway *g = h->gateway;
    size_t penalties = 0;
    json_decref(sources_list(g->sources, os_time_now(), 0, &penalties));
    return json_pack("{s:I, s:I, s:I}", "waiting", (json_int_t)startups_count(g->startups),
                     "refused", (json_int_t)atomic_load(&g->refused), "penalties",
                     (json_int_t)penalties);
}

static json_t *host_penalty_list(void *ctx)
{
    const struct host *h = ctx;
    size_t total;
    return sources_list(h->gateway->sources, os_time_now(), PENALTIES_SHOWN, &total);
}

static void host_penalty_clear(void *ctx, const struct addr_ip *source)
{
    const struct host *h = ctx;
    sources_forgive(h->gateway->sources, source, os_time_now());
}

static void host_ticket_forget(void *ctx, int64_t key)
{
    const struct host *h = ctx;
    tickets_forget(h->gateway->tickets, key);
}

static void host_settle(void *ctx)
{
    const struct host *h = ctx;
    h->settle(h->keeper);
}

static void host_breathe(void *ctx)
{
    const struct host *h = ctx;
    h->breathe(h->keeper);
}

static void host_take_effect(void *ctx)
{
    const struct host *h = ctx;
    h->take_effect(h->keeper);
}

struct admin_host host_functions(struct host *h)
{
    return (struct admin_host){.ctx = h,
                               .session_list = host_session_list,
                               .session_count = host_session_count,
                               .session_kill = host_session_kill,
                               .live_find = host_live_find,
                               .channel_list = host_channel_list,
                               .channel_close = host_channel_close,
                               .port_list = host_port_list,
                               .door = host_door,
                               .penalty_list = host_penalty_list,
                               .penalty_clear = host_penalty_clear,
                               .device_each = host_device_each,
                               .limits = host_limits,
                               .condition = host_condition,
                               .ticket_forget = host_ticket_forget,
                               .settle = host_settle,
                               .breathe = host_breathe,
                               .take_effect = host_take_effect};
}
