/*
 * GET /metrics for Prometheus (text format 0.0.4) and GET /healthz, on an address of their own,
 * [metrics] listen; off unless it is set. No names of users, no addresses, no secrets: whoever can
 * reach that address may read it. Owned by the main thread.
 */
#ifndef PRA_SERVER_PRAD_METRICS_H
#define PRA_SERVER_PRAD_METRICS_H

#include <event2/event.h>

#include "server/prad/condition.h"

#define METRICS_CONNECTIONS_MAX 16   /* the oldest one makes room */
#define METRICS_REQUEST_MAX     4096 /* bytes of a request */
#define METRICS_SECONDS         5    /* from the connection to the end of the answer */

struct metrics;
struct evbuffer;

/* Takes the address; *out is NULL if prad.ini asks for none. Returns 0, PRA_EBUSY, PRA_EACCES, PRA_EIO,
   PRA_ENOMEM. */
int metrics_open(struct event_base *base, const struct config *c, struct metrics **out,
                 struct fault *f);
/* Answers from now on, for a gateway that has started. NULL is fine. */
void metrics_serve(struct metrics *m, struct gateway *g);
void metrics_free(struct metrics *m);

/* The text of /metrics. */
void metrics_write(struct evbuffer *out, const struct condition *c, const struct counters *n);

#endif
