/* Quotas in the store; see quota.h. */
#include "server/prad/quota.h"

#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/os.h"
#include "server/prad/bounds.h"

/* In one transaction. */
#define BATCH 256
/* Days of before this are forgotten: the month before may still be asked about. */
#define KEPT_S (62 * 86400)

static void day_of(int64_t t, char day[STORE_DAY_MAX])
{
    time_t when = (time_t)t;
    struct tm tm;
    if (!localtime_r(&when, &tm) || strftime(day, STORE_DAY_MAX, "%Y-%m-%d", &tm) == 0)
        memcpy(day, "1970-01-01", STORE_DAY_MAX);
}

static int load(const struct store_quota *one, void *ctx)
{
    const struct quota *q = ctx;
    return meters_load(q->gateway->meters, one, q->today);
}

/* What is known of today and its month. */
static void read_back(struct quota *q)
{
    char month[STORE_DAY_MAX];
    struct fault f = {0};
    memcpy(month, q->today, sizeof(month));
    memcpy(month + 8, "01", 2);
    if (admin_quota_each(q->admin, month, load, q, &f) != 0)
        log_event(LOG_ERROR, "quotas-not-read", "error=\"%s\"", f.text);
}

void quota_begin(struct quota *q, struct gateway *g, struct admin *a)
{
    q->gateway = g;
    q->admin = a;
    day_of(os_time_now(), q->today);
    read_back(q);
}

void quota_set(struct quota *q, const struct config *c)
{
    q->defaults = (struct policy_limits){0};
    bounds_fill_user(&q->defaults, c);
}

static void store(struct quota *q)
{
    struct store_quota batch[BATCH];
    struct fault f = {0};
    size_t n;
    do {
        n = meters_take_changed(q->gateway->meters, q->today, batch, BATCH);
        if (n > 0 && admin_quota_store(q->admin, batch, n, &f) != 0) {
            for (size_t i = 0; i < n; i++)
                meters_put_back(q->gateway->meters, &batch[i]);
            if (!q->failed)
                log_event(LOG_ERROR, "quotas-not-stored", "error=\"%s\"", f.text);
            q->failed = true;
            return;
        }
    } while (n == BATCH);
    q->failed = false;
}

void quota_tick(struct quota *q)
{
    char today[STORE_DAY_MAX], old[STORE_DAY_MAX];
    struct fault f = {0};
    int64_t now = os_time_now();
    store(q);
    meters_sweep(q->gateway->meters, os_monotonic_ms() * 1000);
    day_of(now, today);
    if (strcmp(today, q->today) == 0)
        return;
    /* A clock that was wrong for a while comes back to a day of which something is stored. */
    bool back = strcmp(today, q->today) < 0;
    meters_new_day(q->gateway->meters, back || strncmp(today, q->today, 7) != 0);
    memcpy(q->today, today, sizeof(today));
    if (back)
        read_back(q);
    day_of(now - KEPT_S, old);
    if (admin_quota_tidy(q->admin, old, &f) != 0)
        log_event(LOG_WARN, "quotas-not-tidied", "error=\"%s\"", f.text);
}

void quota_limits(const struct quota *q, const char *user, struct policy_limits *l, json_t **used)
{
    struct meter_use u;
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (l->value[i] == POLICY_UNSET && q->defaults.value[i] > 0)
            l->value[i] = q->defaults.value[i];
    meters_look(q->gateway->meters, user, &u);
    *used = json_pack("{s:I, s:I, s:I}", "connections", (json_int_t)u.connections, "day",
                      (json_int_t)u.day, "month", (json_int_t)u.month);
}
