/* Choosing connections; see spread.h. */
#include "client/spread.h"

/* Above this our own loop is what limits, and more connections would be more work for it. */
#define LOOP_BUSY_MAX 750

/* True if `a` has less to do than `b`. */
static bool idler(const struct spread_connection *a, const struct spread_connection *b)
{
    if (a->busy != b->busy)
        return a->busy < b->busy;
    if (a->rate != b->rate)
        return a->rate < b->rate;
    return a->channels < b->channels;
}

size_t spread_choose(const struct spread_connection *c, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++)
        if (c[i].usable && (!c[best].usable || idler(&c[i], &c[best])))
            best = i;
    return best;
}

enum spread_want spread_wants(const struct spread_connection *c, size_t n,
                              const struct spread_way *way)
{
    size_t usable = 0, busy = 0;

    for (size_t i = 0; i < n; i++) {
        if (!c[i].usable)
            continue;
        if (c[i].busy == 0)
            return SPREAD_ENOUGH;
        usable++;
        busy += c[i].busy;
    }
    if (usable == 0 || busy <= usable)
        return SPREAD_ENOUGH;
    if (way->round_trip_us >= SPREAD_FAR_US)
        return SPREAD_DISTANCE;
    return way->loop_busy <= LOOP_BUSY_MAX && usable < way->cores ? SPREAD_LOAD : SPREAD_ENOUGH;
}
