/* Connections waiting to log in; see limits.h. Chained hash table of sources, `lock` guards all. */
#include "server/prad/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>

#include "common/crypto.h"
#include "common/log.h"
#include "server/prad/sources.h"

#define BUCKETS 4096 /* power of two */
/* Of the oldest places, how many are looked at for one that makes room. */
#define EVICT_LOOK 16
/* Evicted connections live until their worker's next tick: at most this share of a limit. */
#define LEAVING_MAX(limit) ((limit) / 4 + 1)

TAILQ_HEAD(startup_list, startup);

/* Kept while it has places or evicted connections. */
struct source {
    struct source *next;
    struct addr_ip block;
    size_t count, leaving;
    struct startup_list places; /* oldest first */
};

struct startup {
    TAILQ_ENTRY(startup) of_all, of_source;
    struct startups *home;
    struct source *source;
    uint64_t since_ms;
    bool spoke;
    atomic_bool evicted; /* written under the lock */
};

struct startups {
    pthread_mutex_t lock;
    uint64_t seed; /* so that nobody can choose addresses that share a chain */
    size_t count, leaving;
    struct startup_list places; /* oldest first */
    struct source *bucket[BUCKETS];
};

static struct source **find(struct startups *s, const struct addr_ip *block)
{
    struct source **at = &s->bucket[source_hash(block, s->seed) & (BUCKETS - 1)];
    while (*at && !addr_ip_equal(&(*at)->block, block))
        at = &(*at)->next;
    return at;
}

int startups_new(struct startups **out)
{
    struct startups *s = calloc(1, sizeof(*s));
    if (!s)
        return PRA_ENOMEM;
    pthread_mutex_init(&s->lock, NULL);
    TAILQ_INIT(&s->places);
    crypto_random(&s->seed, sizeof(s->seed));
    *out = s;
    return 0;
}

void startups_free(struct startups *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- taking --------------------------------------------------------------------------------- */

static void take_off(struct startups *s, struct startup *p)
{
    TAILQ_REMOVE(&s->places, p, of_all);
    TAILQ_REMOVE(&p->source->places, p, of_source);
    s->count--;
    p->source->count--;
}

static void drop_if_unused(struct startups *s, struct source *source)
{
    if (source->count > 0 || source->leaving > 0)
        return;
    *find(s, &source->block) = source->next;
    free(source);
}

static bool makes_room(const struct startup *p, uint64_t now_ms)
{
    return now_ms - p->since_ms >= (p->spoke ? STARTUP_SLOW_MS : STARTUP_SILENT_MS);
}

static void evict(struct startups *s, struct startup *p)
{
    take_off(s, p);
    p->source->leaving++;
    s->leaving++;
    atomic_store(&p->evicted, true);
}

static bool make_room_of_source(struct startups *s, struct source *source, size_t limit,
                                uint64_t now_ms)
{
    struct startup *p = TAILQ_FIRST(&source->places);
    if (source->leaving >= LEAVING_MAX(limit))
        return false;
    for (int i = 0; p && i < EVICT_LOOK; i++, p = TAILQ_NEXT(p, of_source))
        if (makes_room(p, now_ms)) {
            evict(s, p);
            return true;
        }
    return false;
}

static bool make_room(struct startups *s, size_t limit, uint64_t now_ms)
{
    struct startup *p = TAILQ_FIRST(&s->places);
    if (s->leaving >= LEAVING_MAX(limit))
        return false;
    for (int i = 0; p && i < EVICT_LOOK; i++, p = TAILQ_NEXT(p, of_all))
        if (makes_room(p, now_ms)) {
            evict(s, p);
            return true;
        }
    return false;
}

/* Whether the newcomer needs another's place: from the half on, with a chance that grows to certainty. */
static bool is_crowded(const struct startups *s, size_t max)
{
    uint32_t chance;
    size_t above = s->count > max / 2 ? s->count - max / 2 : 0;
    if (above == 0)
        return false;
    crypto_random(&chance, sizeof(chance));
    return chance % (max - max / 2) < above;
}

static struct source *source_of(struct startups *s, const struct addr_ip *block)
{
    struct source **at = find(s, block), *found = *at;
    if (found)
        return found;
    struct source *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return NULL;
    fresh->block = *block;
    TAILQ_INIT(&fresh->places);
    *at = fresh;
    return fresh;
}

static enum startup_answer take(struct startups *s, struct source *source,
                                const struct startup_request *r, struct startup *p)
{
    if (source->count >= r->max_per_source &&
        !make_room_of_source(s, source, r->max_per_source, r->now_ms))
        return STARTUP_SOURCE_FULL;
    if (is_crowded(s, r->max) && !make_room(s, r->max, r->now_ms)) {
        if (s->count >= r->max)
            return STARTUP_FULL;
        if (!r->known)
            return STARTUP_EARLY;
    }
    *p = (struct startup){.home = s, .source = source, .since_ms = r->now_ms};
    TAILQ_INSERT_TAIL(&s->places, p, of_all);
    TAILQ_INSERT_TAIL(&source->places, p, of_source);
    source->count++;
    s->count++;
    return STARTUP_OK;
}

enum startup_answer startups_take(struct startups *s, const struct startup_request *r,
                                  struct startup **out)
{
    const struct addr_ip block = source_block(&r->source);
    enum startup_answer answer = STARTUP_FULL;
    struct startup *p = malloc(sizeof(*p));
    *out = NULL;
    if (!p)
        return answer;
    pthread_mutex_lock(&s->lock);
    struct source *source = source_of(s, &block);
    if (source) {
        answer = take(s, source, r, p);
        drop_if_unused(s, source);
    }
    pthread_mutex_unlock(&s->lock);
    if (answer == STARTUP_OK)
        *out = p;
    else
        free(p);
    return answer;
}

/* ---- having --------------------------------------------------------------------------------- */

void startup_give(struct startup *p)
{
    if (!p)
        return;
    struct startups *s = p->home;
    pthread_mutex_lock(&s->lock);
    if (p->evicted) {
        p->source->leaving--;
        s->leaving--;
    } else {
        take_off(s, p);
    }
    drop_if_unused(s, p->source);
    pthread_mutex_unlock(&s->lock);
    free(p);
}

void startup_spoke(struct startup *p)
{
    pthread_mutex_lock(&p->home->lock);
    p->spoke = true;
    pthread_mutex_unlock(&p->home->lock);
}

bool startup_evicted(const struct startup *p)
{
    return p && atomic_load(&p->evicted);
}

size_t startups_count(struct startups *s)
{
    pthread_mutex_lock(&s->lock);
    size_t count = s->count;
    pthread_mutex_unlock(&s->lock);
    return count;
}

/* ---- descriptors ---------------------------------------------------------------------------- */

size_t limits_clients_for(size_t descriptors)
{
    return descriptors > LIMITS_DESCRIPTORS_SPARE ? descriptors - LIMITS_DESCRIPTORS_SPARE : 0;
}

void limits_check_descriptors(size_t max_sessions)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY ||
        limits_clients_for((size_t)r.rlim_cur) >= max_sessions)
        return;
    log_event(LOG_WARN, "descriptors-few", "limit=%zu clients=%zu max_sessions=%zu",
              (size_t)r.rlim_cur, limits_clients_for((size_t)r.rlim_cur), max_sessions);
}
