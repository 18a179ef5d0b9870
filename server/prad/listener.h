/*
 * The listening sockets: accepts, checks the limits, and hands each socket to the next worker.
 * Owned by the main thread.
 */
#ifndef PRA_SERVER_PRAD_LISTENER_H
#define PRA_SERVER_PRAD_LISTENER_H

#include <event2/event.h>

#include "server/prad/gateway.h"

struct listener;

/* Binds every address of the configuration; accepts nothing yet. Before privileges are dropped.
   Returns 0, PRA_EACCES, PRA_EBUSY, PRA_EIO with the address in `f`. */
int listener_bind(const struct config *c, struct listener **out, struct fault *f);
/* Begins to accept for `g` on `base`. Returns 0, PRA_ENOMEM. */
int listener_start(struct listener *l, struct event_base *base, struct gateway *g);
/* Closes the sockets. NULL is fine. */
void listener_free(struct listener *l);

#endif
