/*
 * What the files of a session share. Only session*.c and channel*.c include this, and only they
 * know libssh2.
 *
 * Everything a session does to libssh2 happens in session_turn(), once per loop iteration at most:
 * events only note what became possible and call session_kick(). So no callback of libuv or of an
 * owner ever re-enters libssh2.
 */
#ifndef PRA_CLIENT_SESSION_INTERNAL_H
#define PRA_CLIENT_SESSION_INTERNAL_H

#include <libssh2.h>

#include "client/channel.h"
#include "client/fdwatch.h"
#include "client/session.h"
#include "common/buf.h"
#include "common/jsonl.h"

/*
 * What one turn may read from the gateway: a flood cannot hold the loop, and what was read is
 * handed on while it is still in the processor's cache.
 */
#define SESSION_READ_BUDGET (512u * 1024)
/* Everything libssh2 allocates for a tunnel's sessions, unread data of all channels included. */
#define SESSION_MEMORY_MAX (128u * 1024 * 1024)
/* How a line begins that prad, as sshd, says instead of a version to a source that it refuses for a
   while. */
#define SESSION_TURNED_AWAY "Not "
/* What all channels of a tunnel together may have been granted beyond their first window. */
#define SESSION_WINDOW_MAX (96u * 1024 * 1024)
/* Control lines waiting to be sent, and one received line with a packet behind it. */
#define SESSION_CONTROL_OUT_MAX (1024u * 1024)
#define SESSION_CONTROL_IN_MAX  (JSONL_GATEWAY_MAX + 64u * 1024)
/* The buffer that data passes through on its way; in use only within one call. */
#define SESSION_SCRATCH (128u * 1024)
/* After a network change, silence is death this soon. */
#define SESSION_PROBE_MS 10000

enum session_state {
    S_RESOLVE,
    S_CONNECT,
    S_PROXY,
    S_HANDSHAKE,
    S_LOGIN,
    S_CODE,
    S_CONTROL_OPEN,
    S_CONTROL_START,
    S_OPEN,
    S_FAREWELL,
    S_DEAD,
    S_STATE_COUNT
};

struct session {
    uv_loop_t *loop;
    const struct session_events *events;
    void *owner;
    enum session_state state;
    bool buried;      /* teardown is done, handles are closing */
    unsigned handles; /* open libuv handles and requests; freed at 0 */
    enum cause cause;
    char detail[256];

    uv_timer_t timer; /* end of the phase; probes in S_OPEN */
    uv_check_t check;
    uv_idle_t idle; /* active while a turn is wanted, so that the loop does not sleep */

    /* options */
    struct addr_host server, proxy;
    uint16_t port, proxy_port;
    bool has_proxy;
    char user[KEYFILE_USER_MAX + 1];
    const struct key *key;
    uint8_t blob[SSHKEY_BLOB_MAX];
    size_t blob_len;
    uint64_t dead_delay_ms, dead_timeout_ms;
    char answer[2]
               [SESSION_ANSWER_MAX]; /* token and code, each wiped when it was given; "" = none */
    bool has_signed;                 /* what comes after that is about the second factor */

    /* connecting */
    uv_getaddrinfo_t lookup;
    struct addrinfo *addrs, *next_addr;
    unsigned addrs_left;
    int connect_error; /* the last address's UV_E* */
    char peer[ADDR_TEXT_MAX];
    struct addr_ip peer_ip; /* the same; of family 0 before the first attempt */
    struct buf early;       /* read from the proxy behind its head: the gateway's first bytes */

    /* the socket */
    int fd; /* -1 = none */
    struct fdwatch watch;
    bool readable, writable;
    bool closed; /* end of file or error: nothing more comes or goes */
    int io_error;
    size_t budget;
    uv_timer_t rest;      /* runs from the beginning of a burst to the first quiet second */
    size_t moved;         /* bytes through the socket since it last fired */
    uint64_t heard;       /* monotonic ms of the last byte from the gateway */
    uint64_t asked;       /* when it was asked for a sign of life since then, 0 = it was not */
    uint64_t last_asked;  /* whenever that was */
    uint64_t patience_ms; /* how long it may take to answer */
    bool ask_now;         /* without waiting for silence: the network has changed */
    char first[4];        /* the gateway's first bytes: is it SSH at all? */
    size_t first_len;

    /* SSH */
    LIBSSH2_SESSION *ssh;
    struct session_shared *shared;    /* of the tunnel */
    uint64_t asked_us, round_trip_us; /* when the last question was sent; the shortest answer */
    LIBSSH2_CHANNEL *control;
    struct buf control_in, control_out;
    bool farewell_sent;
    char disconnect_text[128]; /* the gateway's words when it disconnected */
    uint8_t *scratch;

    struct channel *channels, *last_channel; /* list, oldest first */
    struct channel *cursor;                  /* where the next round begins */
    unsigned channel_count;
    uint64_t rate; /* of all channels between the last two samples, bytes per second */
};

/* session.c */
void session_unref(struct session *s); /* one handle or request less */
void session_kick(struct session *s);
void session_enter(struct session *s, enum session_state state, uint64_t limit_ms);
void session_close_socket(struct session *s);
/* Watches the socket for `events` (UV_READABLE ...). */
void session_poll(struct session *s, int events);

/* session_connect.c: one function per state, called in every turn until the state changes. */
void session_begin_resolve(struct session *s);
void session_step_resolve(struct session *s);
void session_step_connect(struct session *s);
void session_step_proxy(struct session *s);
void session_connect_late(struct session *s);
void session_connect_free(struct session *s);

/* session_ssh.c */
void session_step_handshake(struct session *s);
void session_step_login(struct session *s);
void session_step_code(struct session *s);
void session_step_control_open(struct session *s);
void session_step_control_start(struct session *s);
/* Less than this is noise of the two machines, not distance. */
#define SESSION_ROUND_TRIP_MIN_US 1000
/* Watches the socket for what libssh2 waits for. */
void session_wait_socket(struct session *s);
/* The cause behind a failed libssh2 call in an established session. */
void session_fail_ssh(struct session *s, int rc);

/* So much in a second is a burst, whose buffers are given back when it is over. */
#define SESSION_BURST   (256u * 1024)
#define SESSION_REST_MS 1000

/* session_io.c: what libssh2 calls for memory and bytes. */
LIBSSH2_SESSION *session_io_new(struct session *s);
void *session_io_alloc(struct session *s, size_t len);

/* session_tunnel.c: the state in which data flows. */
void session_begin_open(struct session *s);
void session_step_open(struct session *s);
void session_step_farewell(struct session *s);
/* The timer of S_OPEN: asks a silent gateway for a sign of life, and gives it up (D4). */
void session_watchdog(struct session *s);
/* Something has come from the gateway. */
void session_heard(struct session *s);

/* channel.c */
/* One share of work; true if anything moved. May unlink and free `ch`, and no other channel. */
bool channel_turn(struct channel *ch);
/* The session is gone: the local socket is reset and the channel freed. */
void channel_bury(struct channel *ch);

#endif
