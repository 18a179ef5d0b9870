/*
 * Which worker a new connection goes to: the one with the least to do, by the processor time that
 * it took within the last second (handshakes, packets, bytes moved: all of it), and among equals
 * the one with the fewest sessions, since these may become busy.
 */
#ifndef PRA_SERVER_PRAD_BALANCE_H
#define PRA_SERVER_PRAD_BALANCE_H

#include <stdbool.h>

struct gateway;
struct worker;

struct balance_load {
    unsigned busy;     /* thousandths of the last second that it was at work */
    unsigned fresh;    /* connections handed over since that was measured */
    unsigned sessions; /* connections held */
};

/* Index of the least loaded of `count` >= 1; among equals the first from `start` on. */
unsigned balance_choose(const struct balance_load *load, unsigned count, unsigned start);

/* True if `mine` is at its limit and some other worker has much time left: another connection of
   the same tunnel would find a faster place. */
bool balance_has_better(const struct balance_load *load, unsigned count, unsigned mine);

/* Chooses for a new connection and notes that it is on its way. Main thread. */
struct worker *balance_pick(struct gateway *g);
/* balance_has_better() for the sessions of `w`, now. Any thread. */
bool balance_can_offload(const struct worker *w);

#endif
