/*
 * The queue of audit events: a ring under one mutex, filled by any thread, emptied by the writer
 * (the keeper thread). Nothing is done under the mutex but copying one event. When the ring is
 * full the event is only counted; the counts go out as AUDIT_OVERFLOW events with the next batch.
 */
#include "server/audit/audit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/os.h"

struct audit_queue {
    pthread_mutex_t lock; /* guards everything below */
    struct audit_event *ring;
    size_t capacity, start, count;
    uint64_t lost[AUDIT_KIND_COUNT];
    uint64_t lost_ever;
    bool any_lost;
    void (*wake)(void *ctx, bool urgent);
    void *ctx;
};

const char *audit_kind_word(enum audit_kind k)
{
    static const char *const words[] = {
#define X(id, word) [id] = word,
        AUDIT_KIND_MAP(X)
#undef X
    };
    return (unsigned)k < AUDIT_KIND_COUNT ? words[k] : "unknown";
}

int audit_queue_new(size_t capacity, void (*wake)(void *ctx, bool urgent), void *ctx,
                    struct audit_queue **out)
{
    struct audit_queue *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return PRA_ENOMEM;
    q->ring = calloc(capacity, sizeof(*q->ring));
    if (q->ring == NULL || capacity == 0 || pthread_mutex_init(&q->lock, NULL) != 0) {
        free(q->ring);
        free(q);
        return PRA_ENOMEM;
    }
    q->capacity = capacity;
    q->wake = wake;
    q->ctx = ctx;
    *out = q;
    return 0;
}

void audit_queue_free(struct audit_queue *q)
{
    if (q == NULL)
        return;
    pthread_mutex_destroy(&q->lock);
    free(q->ring);
    free(q);
}

void audit_record(struct audit_queue *q, const struct audit_event *e)
{
    int64_t now = os_time_now_ms();
    bool was_empty, half_full = false;

    if (q == NULL || (unsigned)e->kind >= AUDIT_KIND_COUNT)
        return;
    pthread_mutex_lock(&q->lock);
    was_empty = q->count == 0 && !q->any_lost;
    if (q->count == q->capacity) {
        uint64_t times = e->times > 0 ? e->times : 1;

        q->lost[e->kind] += times;
        q->lost_ever += times;
        q->any_lost = true;
    } else {
        struct audit_event *slot = &q->ring[(q->start + q->count++) % q->capacity];

        *slot = *e;
        if (slot->time_ms == 0)
            slot->time_ms = now;
        half_full = q->count == q->capacity / 2;
    }
    pthread_mutex_unlock(&q->lock);
    if ((was_empty || half_full) && q->wake != NULL)
        q->wake(q->ctx, half_full);
}

/* Turns counters into events while there is room for them; called with the lock held. */
static size_t take_lost(struct audit_queue *q, struct audit_event *out, size_t max)
{
    size_t n = 0;

    q->any_lost = false;
    for (unsigned k = 0; k < AUDIT_KIND_COUNT; k++) {
        if (q->lost[k] == 0)
            continue;
        if (n == max) {
            q->any_lost = true;
            break;
        }
        out[n] = (struct audit_event){.kind = AUDIT_OVERFLOW, .time_ms = os_time_now_ms()};
        snprintf(out[n].reason, sizeof(out[n].reason), "%s", audit_kind_word(k));
        snprintf(out[n].detail, sizeof(out[n].detail), "lost=%" PRIu64, q->lost[k]);
        out[n].times = q->lost[k];
        q->lost[k] = 0;
        n++;
    }
    return n;
}

size_t audit_queue_take(struct audit_queue *q, struct audit_event *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&q->lock);
    while (n < max && q->count > 0) {
        out[n++] = q->ring[q->start];
        q->start = (q->start + 1) % q->capacity;
        q->count--;
    }
    if (q->count == 0)
        q->start = 0; /* the same memory again, and none beyond what was ever needed at once */
    if (q->any_lost && q->count == 0)
        n += take_lost(q, out + n, max - n);
    pthread_mutex_unlock(&q->lock);
    return n;
}

void audit_queue_look(struct audit_queue *q, size_t *waiting, size_t *capacity, uint64_t *lost)
{
    pthread_mutex_lock(&q->lock);
    *waiting = q->count;
    *capacity = q->capacity;
    *lost = q->lost_ever;
    pthread_mutex_unlock(&q->lock);
}
