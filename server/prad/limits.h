/*
 * Connections that wait to log in: how many there may be, in all and from one source (an IPv4
 * address or an IPv6 /64; OpenSSH: MaxStartups, PerSourceNetBlockSize). Callers unmap v4-mapped
 * addresses. The listener takes a place for each connection before a worker gets its socket; the
 * worker gives the place back when the session has logged in or died.
 *
 * When all places are taken, one that waits makes room for the newcomer: the oldest that has said
 * nothing for a second, or has not logged in within five. So whoever holds places without using
 * them cannot keep others out, and a crowd that comes back at once, which uses them, is let in as
 * it comes. From the half on, a newcomer needs another's place at random, the likelier the fuller
 * it is; where no place makes room, it is turned away unless its source is known (sources.h).
 *
 * Any thread; guarded by a mutex.
 */
#ifndef PRA_SERVER_PRAD_LIMITS_H
#define PRA_SERVER_PRAD_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* Before one of these ages, in ms, a place makes room for nobody. */
#define STARTUP_SILENT_MS 1000
#define STARTUP_SLOW_MS   5000

struct startups;
struct startup; /* one place */

/* Returns 0, PRA_ENOMEM. */
int startups_new(struct startups **out);
/* Every place has been given back. */
void startups_free(struct startups *s);

enum startup_answer {
    STARTUP_OK,
    STARTUP_FULL,
    STARTUP_SOURCE_FULL,
    STARTUP_EARLY /* turned away at random */
};

struct startup_request {
    struct addr_ip source;
    bool known;                 /* never turned away at random */
    size_t max, max_per_source; /* places */
    uint64_t now_ms;            /* monotonic */
};

/* Takes a place; the caller owns `*out`, NULL unless STARTUP_OK. Out of memory = full. */
enum startup_answer startups_take(struct startups *s, const struct startup_request *r,
                                  struct startup **out);
/* Gives a place back and frees it. NULL is fine. */
void startup_give(struct startup *p);

/* The peer has said something. */
void startup_spoke(struct startup *p);
/* True if the connection has to end, since its place is another's now. NULL is not evicted. */
bool startup_evicted(const struct startup *p);

/* How many places are taken now. */
size_t startups_count(struct startups *s);

/* What a process needs besides one descriptor for each client: targets are more on top of it. */
#define LIMITS_DESCRIPTORS_SPARE 256

/* How many clients `descriptors` are enough for, with none of them connected to a target. */
size_t limits_clients_for(size_t descriptors);
/* Logs a warning when this process may open fewer descriptors than `max_sessions` clients need. */
void limits_check_descriptors(size_t max_sessions);

#endif
