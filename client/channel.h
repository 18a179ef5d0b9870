/*
 * One local TCP connection and its direct-tcpip channel (RFC 4254 7.2): opened, pumped both ways
 * with back-pressure, half-closed as TCP is, and reset when it was cut, so that a program never
 * takes a cut for the end of the data.
 *
 * A channel is made held, from an accepted socket; session_adopt() gives it to a session. It ends
 * by itself; its owner hears of it through struct channel_owner.
 */
#ifndef PRA_CLIENT_CHANNEL_H
#define PRA_CLIENT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "client/session.h"

struct channel;

enum channel_end {
    CHANNEL_DONE,    /* both sides closed in order */
    CHANNEL_RESET,   /* a side broke off, or the session ended */
    CHANNEL_REFUSED, /* never opened: the gateway or the target said no */
    CHANNEL_CUT      /* ended by a rule of the gateway */
};

/* What the owner (a forward) keeps for all its channels. Zeroed, then `closed` is set; the rest is
   kept by the channels. */
struct channel_owner {
    struct channel *channels; /* live ones, newest first */
    unsigned connections;
    uint64_t bytes_in, bytes_out; /* from and to the target */
    /* One channel is gone. `text`: the gateway's words on a refused open, "" if there are none. */
    void (*closed)(struct channel_owner *owner, enum channel_end end, uint32_t ssh_reason,
                   const char *text);
};

struct channel_target {
    struct addr_host host;
    uint16_t port;
};

/*
 * Takes ownership of `fd`, an accepted socket whose other end is `peer`. Returns NULL without
 * memory (the socket is reset then). The channel is held until session_adopt().
 */
struct channel *channel_new(uv_loop_t *loop, struct channel_owner *owner, int fd,
                            const struct addr_ip *peer, uint16_t peer_port);

/* Opens it to `target` over `s`. Returns 0, or PRA_EFULL (SESSION_CHANNELS_MAX): still held then. */
int session_adopt(struct session *s, struct channel *ch, const struct channel_target *target);

/* Resets the local socket now; `closed` is called before this returns. `ch` is dead then. */
void channel_cut(struct channel *ch, enum channel_end how);

/* All channels of an owner, which may be freed afterwards. */
void channel_owner_cut(struct channel_owner *owner, enum channel_end how);

/* The live channel of this session whose program has this port: how the gateway names a channel.
   NULL if none. */
struct channel *channel_owner_find(struct channel_owner *owner, const struct session *s,
                                   uint16_t origin_port);

/* The oldest channel that is held since `before` (monotonic ms) or longer; NULL if none. */
struct channel *channel_owner_held(struct channel_owner *owner, uint64_t before);

#endif
