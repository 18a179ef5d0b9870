/* A channel as channel.c and channel_pump.c share it. */
#ifndef PRA_CLIENT_CHANNEL_INTERNAL_H
#define PRA_CLIENT_CHANNEL_INTERNAL_H

#include "client/session_internal.h"

/* First window and what a bulk flow may grow it to. */
#define CHANNEL_WINDOW_FIRST (64u * 1024)
#define CHANNEL_WINDOW_MAX   (32u * 1024 * 1024)
/* What a bulk flow gets however short the way is: the gateway needs some time to answer, too. All of
   it may wait in front of a slow line, and whoever shares the line behind it: the larger one is for
   what comes at CHANNEL_FAST bytes per microsecond. */
#define CHANNEL_WINDOW_BULK      (1024u * 1024)
#define CHANNEL_WINDOW_BULK_FAST (2048u * 1024)
#define CHANNEL_FAST             50
/* Used up so far (or by a quarter, if that is less) a window is filled again. */
#define CHANNEL_GRANT_STEP (1024u * 1024)
/* Rates are taken over a round trip, and over this at least. */
#define CHANNEL_PERIOD_MIN_US 10000
#define CHANNEL_PACKET_MAX    32768u
#define CHANNEL_READ_SMALL    (16u * 1024)
/* Packets that a channel may take from its program in one round; the output queue allows fewer. */
#define CHANNEL_ROOMS LIBSSH2_WRITE_ROOMS
/* Received packets that one write gives the program. */
#define CHANNEL_PIECES 16

/*
 * SSH has no word for a connection that was reset. Between PRA's client and gateway this name says it,
 * behind the data that came before: as a "signal" from the client, as an "exit-signal" to it.
 */
#define CHANNEL_RESET_SIGNAL "RST@pra"

enum channel_state {
    CH_HELD,    /* no session yet */
    CH_QUEUED,  /* open not sent yet */
    CH_OPENING, /* waits for the gateway's answer */
    CH_OPEN,
    CH_CLOSING, /* local side is gone; waits for the gateway's close */
    CH_GONE,    /* to be unlinked and freed in the next turn */
    CH_STATE_COUNT
};

struct channel {
    enum channel_state state;
    struct channel_owner *owner;             /* NULL after disown or when `closed` was called */
    struct session *session;                 /* NULL while held */
    struct channel *prev, *next;             /* in the session's list */
    struct channel *owned_prev, *owned_next; /* in the owner's list */
    uint64_t held_since;                     /* monotonic ms */
    LIBSSH2_CHANNEL *ssh;

    uv_loop_t *loop;
    int fd; /* -1 = the local side is gone */
    struct fdwatch watch;
    bool readable, writable; /* as far as is known without asking the system */
    struct addr_ip origin;
    uint16_t origin_port;

    char *open_msg; /* the direct-tcpip fields until the open is sent */
    size_t open_len;

    bool unwritten;            /* data of the gateway waits for the program to take it */
    bool local_eof, eof_sent;  /* the program ended its direction; told to the gateway */
    bool remote_eof, fin_sent; /* the target ended its; told to the program */
    bool remote_closed;
    bool tell_reset; /* the gateway shall reset its side, too */

    uint64_t moved;   /* bytes both ways */
    uint64_t sampled; /* `moved` at the last sample */
    bool busy;        /* moved much between the last two samples, or is new */

    uint32_t window;        /* what is kept granted */
    uint32_t window_before; /* and was kept in the period before */
    size_t granted;         /* beyond the first window and not used up, `adjust` included */
    unsigned long adjust;   /* granted, but not sent yet: libssh2 wants the same call again */
    uint64_t received;      /* bytes in this period */
    uint64_t period_began;  /* microseconds */
};

/* channel.c */
/* Closes the local socket (in order, or with a reset) and tells the owner. */
void channel_finish(struct channel *ch, enum channel_end how, uint32_t reason, const char *text);
void channel_watch(struct channel *ch, int events);

/* channel_pump.c: the work of CH_OPEN. */
bool channel_pump(struct channel *ch);

#endif
