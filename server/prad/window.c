/* Sizes of receive windows; see window.h. */
#include "server/prad/window.h"

/* Filled within this time a window grows. */
#define GROWTH_WITHIN_US 1000000
/* To this size at once, without a look at the round trip; it is what OpenSSH begins with, halved. All
   of it may wait in front of a slow line, and whoever shares the line behind it: the larger one is
   for what comes at FAST bytes per microsecond. */
#define BLIND_MAX      (1024u * 1024)
#define BLIND_MAX_FAST (2048u * 1024)
#define FAST           50
/* So many times what arrives in a round trip, where nothing but the window limits it, and else: a
   distant client reaches 16 MiB in three round trips. */
#define GROWTH_LIMITED 4
#define GROWTH_ELSE    2

#define IDLE_US 5000000

void window_begin(struct window *w, uint64_t now_us)
{
    *w = (struct window){.size = WINDOW_SMALL, .mark_us = now_us};
}

uint64_t window_take_answer(struct window *w, uint64_t now_us)
{
    uint64_t us = now_us - w->probe_us;
    w->probe_us = 0;
    return us > 0 ? us : 1;
}

uint32_t window_look(struct window *w, uint64_t taken, uint64_t now_us, uint64_t round_trip_us)
{
    uint64_t bytes = taken - w->mark_bytes, us = now_us - w->mark_us;
    w->mark_bytes = taken;
    w->mark_us = now_us;
    if (us == 0)
        us = 1;
    if (us >= GROWTH_WITHIN_US)
        return w->size;
    /* Less than a second's bytes and a second's microseconds: far from an overflow. */
    uint64_t on_way = round_trip_us == 0 || round_trip_us > us ? bytes : bytes * round_trip_us / us;
    uint64_t want = on_way * (on_way >= w->size / 4 * 3 ? GROWTH_LIMITED : GROWTH_ELSE);
    uint32_t least = bytes / us >= FAST ? BLIND_MAX_FAST : BLIND_MAX;
    if (want < least)
        want = least;
    if (want > WINDOW_LARGEST)
        want = WINDOW_LARGEST;
    return want > w->size ? (uint32_t)want : w->size;
}

bool window_is_idle(struct window *w, uint64_t taken, uint64_t now_us)
{
    if (now_us - w->mark_us <= IDLE_US)
        return false;
    bool idle = taken - w->mark_bytes < WINDOW_SMALL;
    w->mark_bytes = taken;
    w->mark_us = now_us;
    return idle;
}

void window_set(struct window *w, uint64_t taken, uint32_t size, uint64_t now_us)
{
    if (w->granted < taken + w->size)
        w->granted = taken + w->size;
    if (size / 2 >= w->size && w->probe_us == 0) { /* libssh tells the client of it at once */
        w->probe_bytes = w->granted;
        w->probe_us = now_us;
    }
    w->size = size;
}

uint64_t window_owed(const struct window *w, uint64_t taken)
{
    uint64_t more = w->granted > taken ? w->granted - taken : 0;
    return more > w->size ? more : w->size;
}
