/*
 * One SSH connection to the gateway: resolve, connect (through an HTTP proxy if set), handshake,
 * host key, login, control channel, and then the tunnel's channels until it ends. Lives on the
 * agent's loop; nothing here blocks. Several may exist at once; they share nothing.
 *
 * A session is made by session_start() and ends exactly once by events.ended, wanted or not; after
 * that the pointer is dead.
 */
#ifndef PRA_CLIENT_SESSION_H
#define PRA_CLIENT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "client/cause.h"
#include "common/addr.h"
#include "common/err.h"
#include "keys/keyfile.h"
#include "keys/sshkey.h"

/* How long each phase may take, in milliseconds. */
#define SESSION_RESOLVE_MS   15000
#define SESSION_CONNECT_MS   10000 /* all addresses together */
#define SESSION_PROXY_MS     15000
#define SESSION_HANDSHAKE_MS 20000
#define SESSION_LOGIN_MS     20000
#define SESSION_CODE_MS      30000 /* the gateway checks it on its disk */
#define SESSION_CONTROL_MS   20000 /* until the subsystem runs */
#define SESSION_FAREWELL_MS  500   /* for the last bytes of a wanted end */

/* The longest answer to a second factor, with NUL. */
#define SESSION_ANSWER_MAX 192

/* Channels of one session, closing ones included. */
#define SESSION_CHANNELS_MAX 2048

struct session;

/*
 * What all connections of a tunnel take together, so that a gateway cannot make this PC hold more by
 * several of them than by one. All zero at first.
 */
struct session_shared {
    size_t memory;          /* that libssh2 has allocated */
    size_t window;          /* of all channels, kept beyond the first windows */
    size_t granted;         /* of all channels, what may come beyond them */
    unsigned bulk_channels; /* that were granted more than the first window */
};

struct session_options {
    struct addr_host server;
    uint16_t port;
    bool has_proxy;
    struct addr_host proxy;
    uint16_t proxy_port;
    const char *user;                /* copied */
    const struct key *key;           /* borrowed: outlives the session */
    const struct keyfile_info *info; /* copied */
    long dead_delay, dead_timeout;   /* seconds (D4) */
    struct session_shared *shared;   /* borrowed: outlives the session */
    /* What to answer when the gateway asks for a second factor (server/README.md): first the token
       (a lease, or for joining a tunnel), then the code. Copied; NULL or "" = there is none. */
    const char *token, *code;
};

/* The gateway's host key as it was shown. */
struct session_host_key {
    const uint8_t *blob;
    size_t len;
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
};

/* Each is called from the loop; none may be NULL. session_stop() may be called from any of them. */
struct session_events {
    /* A new phase has begun ("resolve", "connect 192.0.2.7:10022", ...): for System.log. */
    void (*phase)(void *owner, const char *what);
    /*
     * Before any authentication: is this the gateway's key? Returns CAUSE_NONE to go on, or
     * CAUSE_HOSTKEY_UNKNOWN / CAUSE_HOSTKEY_CHANGED to stop.
     */
    enum cause (*host_key)(void *owner, const struct session_host_key *key);
    /* Logged in and the control channel runs: session_send() works from here on. */
    void (*ready)(void *owner);
    /* One message of the control channel; borrowed. */
    void (*message)(void *owner, const json_t *msg);
    /* The end. `detail` is a sentence for people, "" when there is nothing to add. */
    void (*ended)(void *owner, enum cause cause, const char *detail);
};

/* Returns 0 and the session in *out, PRA_ENOMEM, PRA_EIO. */
int session_start(uv_loop_t *loop, const struct session_options *opt,
                  const struct session_events *events, void *owner, struct session **out);

/* Queues one message on the control channel. Returns 0, PRA_ECLOSED, PRA_EFULL, PRA_ENOMEM. */
int session_send(struct session *s, const json_t *msg);

/* A wanted end: what is queued is still sent, channels are reset, then `ended` with CAUSE_NONE. */
void session_stop(struct session *s);

/* Ends with a cause found elsewhere (in a control message, say). No effect when ending already. */
void session_fail(struct session *s, enum cause cause, const char *detail);

/* The address of the TCP connection; false if it goes through a proxy, or there is none yet. */
bool session_peer(const struct session *s, struct addr_ip *out);

/* What a connection has to do, for choosing among several. */
struct session_load {
    unsigned channels;      /* all that it has, closing ones included */
    unsigned busy;          /* that moved much between the last two samples, or are new */
    uint64_t rate;          /* bytes per second between the last two samples, both ways */
    uint64_t round_trip_us; /* the shortest seen, 0 = not known */
    uint64_t silence_ms;    /* since the gateway was last heard on it */
};

/* Takes a sample of what its channels have moved; the last one was `elapsed_ms` (> 0) ago. */
void session_sample(struct session *s, uint64_t elapsed_ms);
void session_look(const struct session *s, struct session_load *out);

/* Asks for a sign of life now, if not asked already. Silence may last as long as it always may. */
void session_ask(struct session *s);

/* The network has changed: ask for a sign of life now, and give up if there is none in 10 s. */
void session_probe(struct session *s);

#endif
