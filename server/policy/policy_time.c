/*
 * When the answers of a snapshot may change by themselves: rules expire, hours begin and end.
 */
#include "server/policy/policy_internal.h"

#include <stdlib.h>

static int compare_time(const void *va, const void *vb)
{
    const int64_t *a = va, *b = vb;

    return *a < *b ? -1 : *a > *b;
}

/* Calls `each` for every rule that has hours or expires. */
static void each_timed(struct policy *p, void (*each)(const struct policy_rule *r, void *ctx),
                       void *ctx)
{
    for (uint32_t i = 0; i < p->user_count + p->group_count; i++) {
        const struct ruleset *s = p->rulesets[i];

        for (uint32_t r = 0; s != NULL && s->timed && r < s->count; r++)
            each(&s->rules[r], ctx);
    }
}

struct times {
    bool boundary[WEEK_MINUTES];
    size_t expiries;
};

static void count_times(const struct policy_rule *r, void *ctx)
{
    struct times *seen = ctx;

    seen->expiries += r->expires != 0;
    for (unsigned i = 0; i < r->hours.count; i++) {
        seen->boundary[r->hours.span[i].from % WEEK_MINUTES] = true;
        seen->boundary[r->hours.span[i].to % WEEK_MINUTES] = true;
    }
}

static void add_expiry(const struct policy_rule *r, void *ctx)
{
    struct policy *p = ctx;

    if (r->expires != 0)
        p->expiries[p->expiry_count++] = r->expires;
}

int policy_index_times(struct policy *p)
{
    struct times seen = {.expiries = 0};
    size_t boundaries = 0;

    each_timed(p, count_times, &seen);
    for (unsigned m = 0; m < WEEK_MINUTES; m++)
        boundaries += seen.boundary[m];
    p->expiries = calloc(seen.expiries + 1, sizeof(*p->expiries));
    p->boundaries = calloc(boundaries + 1, sizeof(*p->boundaries));
    if (p->expiries == NULL || p->boundaries == NULL)
        return PRA_ENOMEM;
    each_timed(p, add_expiry, p);
    qsort(p->expiries, p->expiry_count, sizeof(*p->expiries), compare_time);
    for (unsigned m = 0; m < WEEK_MINUTES; m++) {
        if (seen.boundary[m])
            p->boundaries[p->boundary_count++] = (uint16_t)m;
    }
    return 0;
}

static int64_t next_expiry(const struct policy *p, int64_t now)
{
    size_t low = 0, high = p->expiry_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (p->expiries[mid] > now)
            high = mid;
        else
            low = mid + 1;
    }
    return low < p->expiry_count ? p->expiries[low] : INT64_MAX;
}

static unsigned week_minute(const struct policy *p, int64_t t)
{
    return p->week_minute(t, p->week_ctx) % WEEK_MINUTES;
}

/* How far local time is ahead of minute-of-epoch at `t`; changes when the clocks do. */
static unsigned zone_offset(const struct policy *p, int64_t t)
{
    int64_t utc = (t / 60) % WEEK_MINUTES;

    return (unsigned)((week_minute(p, t) + 2 * (int64_t)WEEK_MINUTES - utc) % WEEK_MINUTES);
}

/* The first second in (from, to] at which the offset is no longer that of `from`. */
static int64_t clock_change(const struct policy *p, int64_t from, int64_t to)
{
    unsigned before = zone_offset(p, from);

    while (to - from > 1) {
        int64_t mid = from + (to - from) / 2;

        if (zone_offset(p, mid) == before)
            from = mid;
        else
            to = mid;
    }
    return to;
}

static int64_t next_boundary(const struct policy *p, int64_t now)
{
    unsigned minute, wait = WEEK_MINUTES;
    int64_t at;

    if (p->boundary_count == 0 || p->week_minute == NULL)
        return INT64_MAX;
    minute = week_minute(p, now);
    for (size_t i = 0; i < p->boundary_count; i++) {
        unsigned distance = (p->boundaries[i] + WEEK_MINUTES - minute) % WEEK_MINUTES;

        if (distance > 0 && distance < wait)
            wait = distance;
    }
    at = now - now % 60 + (int64_t)wait * 60;
    /* Where the clocks change on the way, the answers may change at that moment: ask then. */
    return zone_offset(p, at) == zone_offset(p, now) ? at : clock_change(p, now, at);
}

int64_t policy_next_change(const struct policy *p, int64_t now)
{
    int64_t expiry = next_expiry(p, now), boundary = next_boundary(p, now);

    return expiry < boundary ? expiry : boundary;
}
