/* The back-off of retry.h. */
#include "client/retry.h"

void retry_reset(struct retry *r)
{
    r->attempt = 0;
}

uint32_t retry_next_ms(struct retry *r, uint32_t random, uint32_t asked_ms)
{
    uint32_t base = RETRY_FIRST_MS, spread;

    for (unsigned i = 0; i < r->attempt && base < RETRY_MAX_MS; i++)
        base *= 2;
    if (base > RETRY_MAX_MS)
        base = RETRY_MAX_MS;
    if (r->attempt < UINT32_MAX)
        r->attempt++;

    if (asked_ms > 0) {
        base = asked_ms < RETRY_ASKED_MAX_MS ? asked_ms : RETRY_ASKED_MAX_MS;
        spread = base / 4;
        return base + (uint32_t)(((uint64_t)random * (spread + 1)) >> 32);
    }
    spread = base / 2;
    return base - base / 4 + (uint32_t)(((uint64_t)random * (spread + 1)) >> 32);
}
