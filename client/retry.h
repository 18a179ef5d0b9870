/*
 * When to try again after the gateway was lost: 1, 2, 4 ... 30 seconds, each stretched or
 * shortened by up to a quarter so that thousands of clients do not come back in one moment (N6).
 * Pure: the caller brings the random number and keeps the time.
 */
#ifndef PRA_CLIENT_RETRY_H
#define PRA_CLIENT_RETRY_H

#include <stdint.h>

#define RETRY_FIRST_MS 1000u
#define RETRY_MAX_MS   30000u
/* The longest wait that a gateway may ask for in its notice. */
#define RETRY_ASKED_MAX_MS (10u * 60 * 1000)

struct retry {
    unsigned attempt; /* attempts waited for since the last success */
};

/* After a success, or when a person starts afresh. */
void retry_reset(struct retry *r);

/*
 * Milliseconds until the next attempt, and counts it. `random` is uniform over 32 bits.
 * `asked_ms` > 0 is the gateway's wish: it replaces the first step, is capped at
 * RETRY_ASKED_MAX_MS and only stretched, never shortened, so that nobody comes too early.
 */
uint32_t retry_next_ms(struct retry *r, uint32_t random, uint32_t asked_ms);

#endif
