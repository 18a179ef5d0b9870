/*
 * How the gateway is: one reading of everything that /metrics, /healthz and `pra-admin status` tell,
 * and the judgement of it. Any thread.
 */
#ifndef PRA_SERVER_PRAD_CONDITION_H
#define PRA_SERVER_PRAD_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "server/prad/descriptors.h"
#include "server/prad/gateway.h"

/* A thread that has not been round its loop for this long does not work. A large import keeps the
   keeper for seconds. */
#define CONDITION_SILENT_MS 15000
#define CONDITION_TEXT_MAX  512

struct condition {
    int64_t started;    /* seconds since the epoch */
    size_t sessions;    /* tunnels and standard clients that are logged in */
    size_t connections; /* held, logged in or not */
    size_t startups;    /* of these, not logged in */
    size_t channels;
    uint64_t connections_total, bytes_in, bytes_out; /* since the start */
    size_t audit_waiting, audit_capacity, lookups_waiting;
    uint64_t audit_lost, store_errors;
    uint64_t mail_waiting, mail_failed, mail_dropped;
    uint64_t store_cache;                   /* bytes of memory that hold pages of the database */
    struct descriptors files, portal_files; /* of this process; the portal's, 0: it does not tell */
    bool store_fails;                       /* the last thing that had to be written was not */
    bool draining;
    uint64_t keeper_silent_ms;
    unsigned workers;
    struct {
        unsigned busy; /* thousandths of the last second */
        unsigned sessions;
        uint64_t silent_ms;
    } worker[GATEWAY_WORKERS_MAX];
};

void condition_read(struct gateway *g, struct condition *c);

/* True if all is well; otherwise what is not stands in `dst`, one sentence a line. */
bool condition_good(const struct condition *c, char dst[CONDITION_TEXT_MAX]);

/* For `pra-admin status`: members of its answer. NULL = no memory. */
json_t *condition_json(const struct condition *c);

#endif
