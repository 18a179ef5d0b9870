/* Meters of users and rules; see meter.h. */
#include "server/prad/meter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 4096
/* Opens that may come at once where no burst is said. */
#define BURST_OF_RATE 2

struct meter {
    struct meter *next;
    unsigned holders; /* under the registry's lock */

    pthread_mutex_t lock; /* what follows, up to the atomic ones */
    int64_t max_connections;
    unsigned connections;
    struct bucket opens;
    struct fair way[METER_WAYS];

    atomic_llong quota_day, quota_month; /* 0 = none */
    atomic_llong day, month, stored;     /* bytes; `stored` is what of `day` the store knows */

    int64_t rule;
    char name[]; /* "" of a rule */
};

struct meters {
    pthread_mutex_t lock;
    size_t taken; /* the first place that meters_take_changed() has not been at */
    struct meter *place[PLACES];
};

int meters_new(struct meters **out)
{
    struct meters *m = calloc(1, sizeof(*m));
    if (!m)
        return PRA_ENOMEM;
    pthread_mutex_init(&m->lock, NULL);
    *out = m;
    return 0;
}

static void destroy(struct meter *one)
{
    pthread_mutex_destroy(&one->lock);
    free(one);
}

void meters_free(struct meters *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < PLACES; i++) {
        while (m->place[i]) {
            struct meter *one = m->place[i];
            m->place[i] = one->next;
            destroy(one);
        }
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* ---- finding ------------------------------------------------------------------------------- */

static struct meter **place_of(struct meters *m, const char *name, int64_t rule)
{
    uint32_t hash = 2166136261u ^ (uint32_t)rule; /* FNV-1a */
    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    struct meter **at = &m->place[hash % PLACES];
    while (*at && ((*at)->rule != rule || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    return at;
}

static struct meter *hold(struct meters *m, const char *name, int64_t rule)
{
    size_t len = strlen(name) + 1;
    pthread_mutex_lock(&m->lock);
    struct meter **at = place_of(m, name, rule), *one = *at;
    if (!one && (one = calloc(1, sizeof(*one) + len)) != NULL) {
        pthread_mutex_init(&one->lock, NULL);
        one->rule = rule;
        memcpy(one->name, name, len);
        *at = one;
    }
    if (one)
        one->holders++;
    pthread_mutex_unlock(&m->lock);
    return one;
}

struct meter *meters_user(struct meters *m, const char *name)
{
    return hold(m, name, 0);
}

struct meter *meters_rule(struct meters *m, int64_t rule)
{
    return hold(m, "", rule);
}

struct meter *meter_ref(struct meters *m, struct meter *one)
{
    pthread_mutex_lock(&m->lock);
    one->holders++;
    pthread_mutex_unlock(&m->lock);
    return one;
}

void meter_release(struct meters *m, struct meter *one)
{
    if (!one)
        return;
    pthread_mutex_lock(&m->lock);
    one->holders--;
    pthread_mutex_unlock(&m->lock);
}

static int64_t bound(const struct policy_limits *l, enum policy_limit limit)
{
    return l->value[limit] > 0 ? l->value[limit] : 0;
}

void meter_limit(struct meter *one, const struct policy_limits *l, uint64_t now_us)
{
    int64_t rate = bound(l, LIMIT_RATE), burst = bound(l, LIMIT_BURST);
    pthread_mutex_lock(&one->lock);
    one->max_connections = bound(l, LIMIT_CONNECTIONS);
    bucket_set(&one->opens, rate, burst > 0 ? burst : rate * BURST_OF_RATE, now_us);
    fair_set(&one->way[METER_UP], bound(l, LIMIT_UPLOAD), now_us);
    fair_set(&one->way[METER_DOWN], bound(l, LIMIT_DOWNLOAD), now_us);
    pthread_mutex_unlock(&one->lock);
    atomic_store(&one->quota_day, bound(l, LIMIT_QUOTA_DAY));
    atomic_store(&one->quota_month, bound(l, LIMIT_QUOTA_MONTH));
}

void meters_look(struct meters *m, const char *user, struct meter_use *out)
{
    *out = (struct meter_use){0};
    pthread_mutex_lock(&m->lock);
    struct meter *one = *place_of(m, user, 0);
    if (one) {
        pthread_mutex_lock(&one->lock);
        out->connections = one->connections;
        pthread_mutex_unlock(&one->lock);
        out->day = atomic_load(&one->day);
        out->month = atomic_load(&one->month);
    }
    pthread_mutex_unlock(&m->lock);
}

/* ---- connections --------------------------------------------------------------------------- */

enum policy_limit meter_enter(struct meter *one, bool anyway, uint64_t now_us, uint64_t *wait_us)
{
    enum policy_limit against = LIMIT_COUNT;
    pthread_mutex_lock(&one->lock);
    bucket_fill(&one->opens, now_us);
    if (!anyway && one->max_connections > 0 && one->connections >= one->max_connections) {
        against = LIMIT_CONNECTIONS;
    } else if (!anyway && !bucket_take(&one->opens, 1)) {
        against = LIMIT_RATE;
        *wait_us = bucket_wait_us(&one->opens, 1);
    } else {
        one->connections++;
    }
    pthread_mutex_unlock(&one->lock);
    return against;
}

void meter_leave(struct meter *one)
{
    pthread_mutex_lock(&one->lock);
    one->connections--;
    pthread_mutex_unlock(&one->lock);
}

/* ---- bytes a second ------------------------------------------------------------------------ */

bool meter_shapes(struct meter *one, enum meter_way way)
{
    pthread_mutex_lock(&one->lock);
    bool shapes = one->way[way].bucket.rate > 0;
    pthread_mutex_unlock(&one->lock);
    return shapes;
}

int meter_join(struct meter *one, enum meter_way way, struct fair_party *p, const void *who)
{
    pthread_mutex_lock(&one->lock);
    int rc = fair_join(&one->way[way], p, who);
    pthread_mutex_unlock(&one->lock);
    return rc;
}

void meter_part(struct meter *one, enum meter_way way, struct fair_party *p)
{
    pthread_mutex_lock(&one->lock);
    fair_leave(&one->way[way], p);
    pthread_mutex_unlock(&one->lock);
}

int64_t meter_ask(struct meter *one, enum meter_way way, struct fair_party *p, int64_t want,
                  uint64_t now_us)
{
    pthread_mutex_lock(&one->lock);
    int64_t may = fair_ask(&one->way[way], p, want, now_us);
    pthread_mutex_unlock(&one->lock);
    return may;
}

void meter_spend(struct meter *one, struct fair_party *p, int64_t n)
{
    pthread_mutex_lock(&one->lock);
    fair_spend(p, n);
    pthread_mutex_unlock(&one->lock);
}

void meter_rest(struct meter *one, enum meter_way way, struct fair_party *p)
{
    pthread_mutex_lock(&one->lock);
    fair_rest(&one->way[way], p);
    pthread_mutex_unlock(&one->lock);
}

/* ---- bytes a day and a month --------------------------------------------------------------- */

void meter_moved(struct meter *one, uint64_t bytes)
{
    atomic_fetch_add(&one->day, (long long)bytes);
    atomic_fetch_add(&one->month, (long long)bytes);
}

enum policy_limit meter_quota(const struct meter *one)
{
    long long day = atomic_load(&one->quota_day), month = atomic_load(&one->quota_month);
    if (day > 0 && atomic_load(&one->day) >= day)
        return LIMIT_QUOTA_DAY;
    if (month > 0 && atomic_load(&one->month) >= month)
        return LIMIT_QUOTA_MONTH;
    return LIMIT_COUNT;
}

int meters_load(struct meters *m, const struct store_quota *q, const char *today)
{
    struct meter *one = meters_user(m, q->user);
    if (!one)
        return PRA_ENOMEM;
    atomic_fetch_add(&one->month, q->bytes);
    if (strcmp(q->day, today) == 0) {
        atomic_fetch_add(&one->day, q->bytes);
        atomic_fetch_add(&one->stored, q->bytes);
    }
    meter_release(m, one);
    return 0;
}

/* Calls `fn` for each meter until it returns false; the registry is locked meanwhile. */
static void each(struct meters *m, bool (*fn)(struct meter *one, void *ctx), void *ctx)
{
    bool more = true;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < PLACES && more; i++)
        for (struct meter *one = m->place[i]; one && more; one = one->next)
            more = fn(one, ctx);
    pthread_mutex_unlock(&m->lock);
}

static bool take_changed(struct meter *one, const char *today, struct store_quota *q)
{
    long long day = atomic_load(&one->day);
    bool counts = atomic_load(&one->quota_day) > 0 || atomic_load(&one->quota_month) > 0;
    if (!counts || day == atomic_load(&one->stored))
        return false;
    *q = (struct store_quota){.bytes = day};
    snprintf(q->user, sizeof(q->user), "%s", one->name);
    snprintf(q->day, sizeof(q->day), "%s", today);
    atomic_store(&one->stored, day);
    return true;
}

size_t meters_take_changed(struct meters *m, const char *today, struct store_quota *out, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&m->lock);
    for (; m->taken < PLACES; m->taken++) {
        for (struct meter *one = m->place[m->taken]; one && count < max; one = one->next)
            count += take_changed(one, today, &out[count]);
        if (count == max)
            break; /* the rest of this place, and of all others, is for the next call */
    }
    if (m->taken == PLACES)
        m->taken = 0;
    pthread_mutex_unlock(&m->lock);
    return count;
}

void meters_put_back(struct meters *m, const struct store_quota *q)
{
    pthread_mutex_lock(&m->lock);
    struct meter *one = *place_of(m, q->user, 0);
    if (one)
        atomic_store(&one->stored, -1);
    pthread_mutex_unlock(&m->lock);
}

static bool new_day(struct meter *one, void *ctx)
{
    const bool *month = ctx;
    atomic_store(&one->day, 0);
    atomic_store(&one->stored, 0);
    if (*month)
        atomic_store(&one->month, 0);
    return true;
}

void meters_new_day(struct meters *m, bool month)
{
    each(m, new_day, &month);
}

/* Would a new one be the same? */
static bool is_blank(struct meter *one, uint64_t now_us)
{
    if (one->holders > 0 || atomic_load(&one->month) > 0)
        return false;
    bucket_fill(&one->opens, now_us);
    bool full = bucket_is_full(&one->opens);
    for (unsigned way = 0; way < METER_WAYS; way++) {
        bucket_fill(&one->way[way].bucket, now_us);
        full = full && bucket_is_full(&one->way[way].bucket);
    }
    return full;
}

void meters_sweep(struct meters *m, uint64_t now_us)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < PLACES; i++) {
        for (struct meter **at = &m->place[i]; *at;) {
            struct meter *one = *at;
            if (is_blank(one, now_us)) {
                *at = one->next;
                destroy(one);
            } else {
                at = &one->next;
            }
        }
    }
    pthread_mutex_unlock(&m->lock);
}
