/*
 * Tries a target for an administrator's `explain`: resolves its name and connects, blocking the
 * calling thread for at most PROBE_WAIT_MS.
 */
#ifndef PRA_SERVER_PRAD_PROBE_H
#define PRA_SERVER_PRAD_PROBE_H

#include <jansson.h>

#include "common/addr.h"
#include "server/prad/mailbox.h"
#include "server/prad/resolver.h"

#define PROBE_WAIT_MS 3000

/* `box` belongs to the caller's thread and to nothing else. Returns what struct admin_host's
   `probe` returns: a new reference, NULL = no memory. */
json_t *probe_target(struct resolver *r, struct mailbox *box, const struct addr_host *host,
                     uint16_t port);

#endif
