/*
 * What all threads of prad share: settings, host key, audit queue, the registry of sessions, and
 * counters. Made by main() before the threads start and freed after they have ended, so its
 * members need no lock; each of them guards itself.
 */
#ifndef PRA_SERVER_PRAD_GATEWAY_H
#define PRA_SERVER_PRAD_GATEWAY_H

#include <stdatomic.h>
#include <stdbool.h>

#include <libssh/libssh.h>

#include "server/audit/audit.h"
#include "server/config.h"
#include "server/prad/counters.h"
#include "server/prad/limits.h"
#include "server/prad/live.h"
#include "server/prad/meter.h"
#include "server/prad/resolver.h"
#include "server/prad/sources.h"

struct enroll_book;
struct factor_book;
struct keeper;
struct tickets;
struct upload_desk;
struct worker;

/* One reading of prad.ini: never changed after it is published, freed with its last reference. */
struct settings {
    atomic_uint refs;
    struct config config;
};

struct settings *settings_new(const struct config *c); /* NULL = no memory */
struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings *s);

#define GATEWAY_WORKERS_MAX 64

struct gateway {
    struct settings *settings; /* main thread's reference */
    ssh_key host_key;          /* workers copy it */
    struct audit_queue *audit;
    struct resolver *resolver;
    struct startups *startups;
    struct sources *sources;
    struct live *live;
    struct meters *meters;
    struct enroll_book *enroll;
    struct tickets *tickets;
    struct factor_book *leases;
    struct upload_desk *uploads;
    struct keeper *keeper;
    struct worker *worker[GATEWAY_WORKERS_MAX];
    unsigned worker_count;
    atomic_size_t windows_grown;      /* bytes, above what every channel begins with; see pump.c */
    atomic_uint sessions;             /* connections held, logged in or not */
    atomic_uint factor_waiting;       /* sessions that wait for a person's code */
    atomic_uint_fast64_t connections; /* taken since the start: numbers them */
    atomic_uint_fast64_t refused;     /* connections turned away before they had a place */
    struct counters counters;
    int64_t started;                      /* seconds since the epoch */
    atomic_uint_fast64_t keeper_alive_ms; /* when its loop last came round, monotonic */
    atomic_uint_fast64_t store_errors;    /* writes that the store refused */
    atomic_bool store_fails;              /* the last one was refused */
    atomic_uint_fast64_t mail_waiting, mail_failed,
        mail_dropped; /* the keeper's, as of the last second */
    atomic_uint_fast64_t portal_files,
        portal_files_max;             /* the portal's descriptors; 0: it does not tell */
    atomic_uint_fast64_t store_cache; /* bytes; the keeper's, as of the last second */
    atomic_bool draining;
    unsigned next_worker; /* where balance_pick() begins to look; main thread only */
};

/*
 * Reads the host key, opens the store, starts keeper, resolver and workers. Returns 0 or a
 * PRA_E* with a sentence in `f`; then nothing runs.
 */
int gateway_start(struct gateway *g, const struct config *c, struct fault *f);

/* Gives new settings and the current log file to every thread. Main thread only. */
void gateway_reload(struct gateway *g, const struct config *c);

/* Tells clients that the gateway goes away; sessions without connections end at once. */
void gateway_drain(struct gateway *g);

/* Ends what is left, joins all threads, frees everything. */
void gateway_stop(struct gateway *g);

#endif
