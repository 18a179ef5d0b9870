/*
 * How many connections may be waiting to log in, in all and from one source: an IPv4 address or an
 * IPv6 /64 (OpenSSH: MaxStartups, PerSourceNetBlockSize). Callers unmap v4-mapped addresses. The
 * listener asks before it hands a socket to a worker; the worker gives the place back when the
 * session has logged in or died. Any thread; guarded by a mutex.
 */
#ifndef PRA_SERVER_PRAD_LIMITS_H
#define PRA_SERVER_PRAD_LIMITS_H

#include <stddef.h>

#include "common/addr.h"

struct startups;

/* Returns 0, PRA_ENOMEM. */
int startups_new(struct startups **out);
void startups_free(struct startups *s);

enum startup_answer { STARTUP_OK, STARTUP_FULL, STARTUP_SOURCE_FULL };

/* Takes a place for `source` unless `max` or `max_per_source` are reached. Out of memory = full. */
enum startup_answer startups_take(struct startups *s, const struct addr_ip *source, size_t max,
                                  size_t max_per_source);
/* Gives back a place that was taken for `source`. */
void startups_give(struct startups *s, const struct addr_ip *source);

/* What a process needs besides one descriptor for each client: targets are more on top of it. */
#define LIMITS_DESCRIPTORS_SPARE 256

/* How many clients `descriptors` are enough for, with none of them connected to a target. */
size_t limits_clients_for(size_t descriptors);
/* Logs a warning when this process may open fewer descriptors than `max_sessions` clients need. */
void limits_check_descriptors(size_t max_sessions);

#endif
