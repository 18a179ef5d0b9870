/*
 * Watches the gateway's name while a connection to it stands (D6, dynamic DNS): does the name still
 * lead to the address that we are connected to? Lives on the agent's loop; lookups run on libuv's
 * pool.
 */
#ifndef PRA_CLIENT_NAMEWATCH_H
#define PRA_CLIENT_NAMEWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "common/addr.h"

/* So many lookups in a row must miss the address: one alone may be another server's old answer. */
#define NAMEWATCH_MISSES 2
/* Of one answer. */
#define NAMEWATCH_ADDRESSES_MAX 16
/* How long the new address may take to accept a connection. */
#define NAMEWATCH_CONNECT_MS 5000

struct namewatch;

/*
 * The name leads elsewhere: called after each lookup that finds it so. `addresses` is what it leads
 * to now ("192.0.2.7, 192.0.2.8"); `answers` says that the first of them takes a TCP connection on
 * the gateway's port. May call namewatch_stop().
 */
typedef void namewatch_moved(void *arg, const char *addresses, bool answers);

/*
 * Begins: looks up `name` every `interval` seconds, give or take a quarter. `peer` is the address
 * that the connection goes to. NULL when out of memory; the caller does without.
 */
struct namewatch *namewatch_start(uv_loop_t *loop, const char *name, uint16_t port,
                                  const struct addr_ip *peer, long interval, namewatch_moved *moved,
                                  void *arg);

/* NULL is fine. */
void namewatch_stop(struct namewatch *w);

/*
 * One lookup's answer: counts in *misses, and tells whether the name counts as moved. An empty answer
 * (the lookup failed) says nothing. Pure.
 */
bool namewatch_judge(unsigned *misses, const struct addr_ip *peer, const struct addr_ip *found,
                     size_t count);

#endif
