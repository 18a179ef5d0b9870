/*
 * What is remembered of sources (an IPv4 address or an IPv6 /64): penalties of those whose
 * connections came to nothing, as sshd's PerSourcePenalties, and where registered keys have logged
 * in from. A penalty is a time until which the source is refused; each offence adds to it, and it
 * runs off by itself. Below `min` seconds it is not enforced yet, above `max` it does not grow.
 *
 * A source from which a registered key has logged in within SOURCES_KNOWN_DAYS is *known*. In an
 * office of 500 behind one address one broken laptop must not lock out the others: connections of a
 * known source with a penalty are let in *on probation*, which means that the first key they offer
 * has to be a registered one.
 *
 * Kept over a restart in a file: a line of "ADDRESS UNTIL KNOWN" for each source, in seconds since
 * 1970. At most SOURCES_MAX are remembered; of eight whose addresses share a place, the one that
 * matters least is forgotten first. Any thread; guarded by a mutex.
 */
#ifndef PRA_SERVER_PRAD_SOURCES_H
#define PRA_SERVER_PRAD_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/addr.h"
#include "common/err.h"

#define SOURCES_MAX        65536
#define SOURCES_KNOWN_DAYS 30

struct sources;

/* Whoever has one IPv6 address has its whole /64. */
struct addr_ip source_block(const struct addr_ip *ip);
uint64_t source_hash(const struct addr_ip *block, uint64_t seed);

/* Returns 0, PRA_ENOMEM. */
int sources_new(struct sources **out);
void sources_free(struct sources *s);

/* In seconds; max 0 = no penalties at all. */
struct source_limits {
    long min, max;
};

enum source_standing {
    SOURCE_STRANGER,
    SOURCE_KNOWN,
    SOURCE_PROBATION, /* known, with a penalty */
    SOURCE_PENALISED
};

/* Times are wall clock, seconds since 1970; a penalty never lasts longer than `max` from `now`, so a
   clock that was set does not lock anybody out. */
enum source_standing sources_standing(struct sources *s, const struct addr_ip *ip,
                                      const struct source_limits *l, int64_t now);
/* Adds `seconds` to the penalty. True if it is enforced from now on and was not before. */
bool sources_penalise(struct sources *s, const struct addr_ip *ip, long seconds,
                      const struct source_limits *l, int64_t now);
/* A registered key has logged in from there. */
void sources_welcome(struct sources *s, const struct addr_ip *ip, int64_t now);

/* Forgives the penalty of `ip`, or of all if NULL. Returns how many were in force. */
size_t sources_forgive(struct sources *s, const struct addr_ip *ip, int64_t now);
/* [{"source","until","known"}] of those with a penalty, the longest first, at most `limit`; `*total`
   counts all. NULL = no memory. */
json_t *sources_list(struct sources *s, int64_t now, size_t limit, size_t *total);

/*
 * Writes the file if anything worth keeping has changed since the last time, mode 0600.
 * Returns 0, PRA_ENOMEM, PRA_EIO.
 */
int sources_save(struct sources *s, const char *path, int64_t now, struct fault *f);
/* No file is no failure. Returns 0; PRA_ECORRUPT with the line in `f`: what stood above it is known.
   PRA_EIO, PRA_ENOMEM, PRA_ETOOBIG. */
int sources_load(struct sources *s, const char *path, int64_t now, struct fault *f);

#endif
