/* Connections waiting to log in; see limits.h. Chained hash table of sources, `lock` guards all. */
#include "server/prad/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/crypto.h"
#include "common/log.h"

#define BUCKETS 4096 /* power of two */

struct source {
    struct source *next;
    struct addr_ip ip;
    size_t count;
};

struct startups {
    pthread_mutex_t lock;
    uint64_t seed; /* so that nobody can choose addresses that share a chain */
    size_t total;
    struct source *bucket[BUCKETS];
};

/* Whoever has one IPv6 address has its whole /64. */
static struct addr_ip block_of(const struct addr_ip *ip)
{
    struct addr_ip block = *ip;
    if (block.family == 6)
        memset(block.bytes + 8, 0, 8);
    return block;
}

static struct source **find(struct startups *s, const struct addr_ip *ip)
{
    uint64_t h = s->seed ^ ip->family;
    for (size_t i = 0; i < sizeof(ip->bytes); i++)
        h = (h ^ ip->bytes[i]) * 0x100000001b3u; /* FNV-1a */
    struct source **at = &s->bucket[(h >> 32) & (BUCKETS - 1)];
    while (*at && !addr_ip_equal(&(*at)->ip, ip))
        at = &(*at)->next;
    return at;
}

int startups_new(struct startups **out)
{
    struct startups *s = calloc(1, sizeof(*s));
    if (!s)
        return PRA_ENOMEM;
    pthread_mutex_init(&s->lock, NULL);
    crypto_random(&s->seed, sizeof(s->seed));
    *out = s;
    return 0;
}

void startups_free(struct startups *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (s->bucket[i]) {
            struct source *next = s->bucket[i]->next;
            free(s->bucket[i]);
            s->bucket[i] = next;
        }
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static enum startup_answer take(struct startups *s, const struct addr_ip *source, size_t max,
                                size_t max_per_source)
{
    if (s->total >= max)
        return STARTUP_FULL;
    const struct addr_ip block = block_of(source);
    struct source **at = find(s, &block);
    if (!*at) {
        struct source *fresh = calloc(1, sizeof(*fresh));
        if (!fresh)
            return STARTUP_FULL;
        fresh->ip = block;
        *at = fresh;
    }
    if ((*at)->count >= max_per_source)
        return STARTUP_SOURCE_FULL;
    (*at)->count++;
    s->total++;
    return STARTUP_OK;
}

enum startup_answer startups_take(struct startups *s, const struct addr_ip *source, size_t max,
                                  size_t max_per_source)
{
    pthread_mutex_lock(&s->lock);
    enum startup_answer answer = take(s, source, max, max_per_source);
    pthread_mutex_unlock(&s->lock);
    return answer;
}

void startups_give(struct startups *s, const struct addr_ip *source)
{
    const struct addr_ip block = block_of(source);
    pthread_mutex_lock(&s->lock);
    struct source **at = find(s, &block);
    if (*at) {
        s->total--;
        if (--(*at)->count == 0) {
            struct source *gone = *at;
            *at = gone->next;
            free(gone);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

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
