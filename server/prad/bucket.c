/* Token buckets; see bucket.h. */
#include "server/prad/bucket.h"

/* A clock that went back by more was set. */
#define BACK_US 1000000
#define PARTS   1000000 /* of a token; tokens a second are parts a microsecond */

static int64_t cap(const struct bucket *b)
{
    return b->burst * PARTS;
}

static int64_t within(int64_t value, int64_t least)
{
    return value < least ? least : value > BUCKET_MAX ? BUCKET_MAX : value;
}

void bucket_set(struct bucket *b, int64_t rate, int64_t burst, uint64_t now_us)
{
    bool fresh = b->rate == 0;
    if (!fresh)
        bucket_fill(b, now_us);
    b->rate = within(rate, 0);
    b->burst = within(burst, 1);
    if (fresh)
        b->at_us = now_us;
    if (fresh || b->level > cap(b))
        b->level = cap(b);
}

void bucket_fill(struct bucket *b, uint64_t now_us)
{
    if (b->rate == 0)
        return;
    if (now_us <= b->at_us) { /* a thread that was faster has looked at the clock later */
        if (b->at_us - now_us > BACK_US)
            b->at_us = now_us;
        return;
    }
    uint64_t passed = now_us - b->at_us;
    int64_t missing = cap(b) - b->level;
    b->at_us = now_us;
    if (passed > (uint64_t)(missing / b->rate))
        b->level = cap(b);
    else
        b->level += (int64_t)passed * b->rate;
}

int64_t bucket_level(const struct bucket *b)
{
    return b->rate == 0 ? INT64_MAX : b->level / PARTS;
}

bool bucket_take(struct bucket *b, int64_t n)
{
    if (b->rate == 0)
        return true;
    if (n > b->level / PARTS)
        return false;
    b->level -= n * PARTS;
    return true;
}

void bucket_return(struct bucket *b, int64_t n)
{
    if (b->rate == 0)
        return;
    if (n > (cap(b) - b->level) / PARTS)
        b->level = cap(b);
    else
        b->level += n * PARTS;
}

uint64_t bucket_wait_us(const struct bucket *b, int64_t n)
{
    if (b->rate == 0)
        return 0;
    int64_t want = (n < b->burst ? n : b->burst) * PARTS;
    return want <= b->level ? 0 : (uint64_t)((want - b->level + b->rate - 1) / b->rate);
}

bool bucket_is_full(const struct bucket *b)
{
    return b->rate == 0 || b->level == cap(b);
}
