/*
 * A token bucket: so many tokens a second, and no more than a burst of them saved. Pure: the caller
 * brings the clock (monotonic microseconds) and the lock.
 */
#ifndef PRA_SERVER_PRAD_BUCKET_H
#define PRA_SERVER_PRAD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Largest rate and burst: a million parts of that many tokens fit into 63 bits. */
#define BUCKET_MAX ((int64_t)1 << 40)

struct bucket {
    int64_t rate;  /* tokens a second; 0 = unlimited */
    int64_t burst; /* tokens */
    int64_t level; /* in millionths of a token, so that nothing is lost by rounding */
    uint64_t at_us;
};

/* Begins full, or with the part of it that was left when the limits change. Values beyond BUCKET_MAX,
   and a burst below 1, are cut. */
void bucket_set(struct bucket *b, int64_t rate, int64_t burst, uint64_t now_us);
/* Adds what has come since the last look. A clock that went back adds nothing, and nothing twice. */
void bucket_fill(struct bucket *b, uint64_t now_us);
/* Whole tokens that are there; after bucket_fill(). INT64_MAX if unlimited. */
int64_t bucket_level(const struct bucket *b);
/* True, and `n` taken, if they are there. Unlimited: always. After bucket_fill(). */
bool bucket_take(struct bucket *b, int64_t n);
/* Gives back what was not used, up to the burst. */
void bucket_return(struct bucket *b, int64_t n);
/* Microseconds until `n` (cut to the burst) will be there; 0 = they are. After bucket_fill(). */
uint64_t bucket_wait_us(const struct bucket *b, int64_t n);
/* True if it is as one that was just made. After bucket_fill(). */
bool bucket_is_full(const struct bucket *b);

#endif
