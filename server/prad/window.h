/*
 * How much a client may have on its way to us on one channel: 64 KiB at first, more as far as its
 * measured rate and round trip ask for it, and what of it may still have to be kept here. Pure: no
 * clock, no libssh; pump.c does what this says.
 */
#ifndef PRA_SERVER_PRAD_WINDOW_H
#define PRA_SERVER_PRAD_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* The window that every channel begins with, and its smallest; two of the largest packets. */
#define WINDOW_SMALL (64u * 1024)
/* No window grows beyond this. */
#define WINDOW_LARGEST (64u * 1024 * 1024)

/* Bytes are counted from the channel's beginning, times are monotonic microseconds. */
struct window {
    uint32_t size;
    uint64_t granted; /* the client cannot have sent more than this, or than taken + size */
    uint64_t mark_bytes, mark_us; /* bytes taken, and time, when a window's worth began to count */
    uint64_t probe_bytes, probe_us; /* bytes beyond this were granted at that time; 0 = no probe */
};

void window_begin(struct window *w, uint64_t now_us);

/* True if a window's worth has been taken since it was last looked at. */
static inline bool window_is_filled(const struct window *w, uint64_t taken)
{
    return taken - w->mark_bytes >= w->size;
}

/* True if a byte has come that the client could only send after it heard of the last growth. */
static inline bool window_has_answer(const struct window *w, uint64_t taken)
{
    return w->probe_us != 0 && taken > w->probe_bytes;
}
/* The time from the growth to that byte, at least 1: no shorter than a round trip. Ends the probe. */
uint64_t window_take_answer(struct window *w, uint64_t now_us);

/*
 * Looks at a window that is filled: the size that it should have, never less than it has. It grows
 * fourfold blindly up to 1 MiB when filled within a second (2 MiB at 50 MB/s), then to a multiple of what arrives in a
 * round trip, so a near client, or one limited by something else, gets no more than it has use for.
 * `round_trip_us` is the shortest that the session has seen, 0 = none yet.
 */
uint32_t window_look(struct window *w, uint64_t taken, uint64_t now_us, uint64_t round_trip_us);

/* True if next to nothing came for five seconds: it should be the smallest again. Asked about once
   a second. */
bool window_is_idle(struct window *w, uint64_t taken, uint64_t now_us);

/* Gives it another size, 1 to WINDOW_LARGEST. */
void window_set(struct window *w, uint64_t taken, uint32_t size, uint64_t now_us);

/* What may have to be kept here at most, what is kept already included: the size, and what a
   larger window than this one had granted and the client has not sent yet. */
uint64_t window_owed(const struct window *w, uint64_t taken);

#endif
