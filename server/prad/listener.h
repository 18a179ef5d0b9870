/*
 * The listening sockets: accepts, checks the limits, and hands each socket to the next worker.
 * Owned by the main thread.
 */
#ifndef PRA_SERVER_PRAD_LISTENER_H
#define PRA_SERVER_PRAD_LISTENER_H

#include <event2/event.h>

#include "server/prad/gateway.h"

struct listener;

/* Binds every address of the configuration, before privileges are dropped; a connection is still
   refused. Returns 0, PRA_EACCES, PRA_EBUSY, PRA_EIO with the address in `f`. */
int listener_bind(const struct config *c, struct listener **out, struct fault *f);
/* Listens, and accepts for `g` on `base`. Returns 0, PRA_ENOMEM, PRA_EBUSY. */
int listener_start(struct listener *l, struct event_base *base, struct gateway *g, struct fault *f);
/* Closes the sockets. NULL is fine. */
void listener_free(struct listener *l);

#endif
