/*
 * Several connections, one tunnel: which one a new channel goes to, and whether another one would
 * help. Pure: figures in, an answer out; agent_tunnel.c measures and acts.
 */
#ifndef PRA_CLIENT_SPREAD_H
#define PRA_CLIENT_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Connections of one tunnel, the primary included, whatever the settings say. */
#define SPREAD_MAX 8

/* From this round trip on a connection is limited by its TCP window rather than by processors. */
#define SPREAD_FAR_US 10000

struct spread_connection {
    bool usable;       /* stands, and the gateway answers on it */
    unsigned channels; /* all that it has */
    unsigned busy;     /* of these, the ones that move much or are new */
    uint64_t rate;     /* bytes per second, both ways */
};

/*
 * Index of the connection with the least to do: fewest busy channels, then the lowest rate, then
 * the fewest channels, then the first. 0, the primary, if none is usable.
 */
size_t spread_choose(const struct spread_connection *c, size_t n);

enum spread_want {
    SPREAD_ENOUGH,
    SPREAD_DISTANCE, /* far away: another TCP connection is another window */
    SPREAD_LOAD      /* near: if a worker of the gateway is what limits, another one may help */
};

struct spread_way {
    uint64_t round_trip_us; /* 0 = not known */
    unsigned loop_busy;     /* thousandths of a core that this process uses */
    unsigned cores;         /* of this machine */
};

/*
 * Would one more connection help? Only when channels share connections: more busy ones than
 * connections, and none of these without any. Near the gateway also only while this process, which
 * moves all of it on one thread, has time left, and up to one connection per core.
 */
enum spread_want spread_wants(const struct spread_connection *c, size_t n,
                              const struct spread_way *way);

#endif
