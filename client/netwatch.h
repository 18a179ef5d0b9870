/*
 * Tells when the network may have changed: an address, a link or a route came or went, or the
 * machine has slept or its clock was set (N6). Several changes within NETWATCH_SETTLE_MS are told
 * once. netwatch_linux.c; on the agent's loop.
 */
#ifndef PRA_CLIENT_NETWATCH_H
#define PRA_CLIENT_NETWATCH_H

#include <uv.h>

#define NETWATCH_SETTLE_MS 1000

struct netwatch;

/* NULL when the system does not tell; the caller does without. */
struct netwatch *netwatch_open(uv_loop_t *loop, void (*changed)(void *arg), void *arg);

/* NULL is fine. */
void netwatch_close(struct netwatch *w);

#endif
