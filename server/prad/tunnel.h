/*
 * A tunnel: one primary connection (hello, rules, control channel) and secondaries that have
 * joined it. Each connection is a session of its own on a worker of its own; what belongs to all
 * of them stands in the registry of sessions (live.h), under its lock: who belongs to whom, and
 * the one-use tokens with which a connection joins.
 *
 * A primary that ends takes its secondaries with it: each is marked and its worker told. So the
 * registry never holds a secondary that points at a primary which is gone.
 */
#ifndef PRA_SERVER_PRAD_TUNNEL_H
#define PRA_SERVER_PRAD_TUNNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/err.h"
#include "server/prad/live.h"

/* Connections of one tunnel, the primary included, whatever the settings say. */
#define TUNNEL_CONNECTIONS_MAX 8
/* Tokens under way at once. */
#define TUNNEL_TOKENS_MAX (TUNNEL_CONNECTIONS_MAX - 1)
/* A token is so many random bytes; its text is hexadecimal, NUL included. */
#define TUNNEL_TOKEN_LEN  32
#define TUNNEL_TOKEN_TEXT (2 * TUNNEL_TOKEN_LEN + 1)

/*
 * What all connections of a tunnel use up together, wherever they run: so several connections may
 * have no more kept here than one. Freed with the last that knows it.
 */
struct tunnel_share {
    atomic_uint users;
    atomic_size_t
        windows_grown; /* what may have to be kept for targets, above the least a channel */
    atomic_uint grown_channels;     /* channels that have a part in it */
    atomic_uint_fast64_t active_ms; /* when data was last moved on any channel, monotonic */
};

/* With one user. NULL = no memory. */
struct tunnel_share *tunnel_share_new(void);
/* One user less. NULL is fine. */
void tunnel_share_release(struct tunnel_share *share);

#define TUNNEL_ANSWER_MAP(X)                                                                       \
    X(TUNNEL_JOINED, "joined")                                                                     \
    X(TUNNEL_UNKNOWN, "join-unknown") /* no such token, or no such session */                      \
    X(TUNNEL_USED, "join-used")                                                                    \
    X(TUNNEL_EXPIRED, "join-expired")                                                              \
    X(TUNNEL_FOREIGN, "join-foreign") /* another user's, or another key's */                       \
    X(TUNNEL_FULL, "join-full")

enum tunnel_answer {
#define X(id, word) id,
    TUNNEL_ANSWER_MAP(X)
#undef X
};
/* The audit's word. */
const char *tunnel_answer_word(enum tunnel_answer a);

/*
 * Makes a token for `primary`, good for `life_ms`. Returns 0 with its text in `token`, PRA_EFULL
 * (connections and tokens under way would be more than `max`), PRA_ECLOSED (the tunnel is being
 * ended), PRA_ENOMEM. Only a hash of the token is kept.
 */
int tunnel_issue(struct live *l, struct live_entry *primary, unsigned max, uint64_t now_ms,
                 uint64_t life_ms, char token[TUNNEL_TOKEN_TEXT]);

/*
 * `e`, a listed connection, becomes a secondary of the session with the id `session`: it takes
 * over the id and the share (so it must have no channel), and is shown and killed with its primary.
 * A token that was right is used up, whatever the answer.
 */
enum tunnel_answer tunnel_join(struct live *l, struct live_entry *e, const char *session,
                               const char *token, unsigned max, uint64_t now_ms);

/* Would this token let `e` join that session now? It is not used up: for a login that comes before. */
bool tunnel_expects(struct live *l, const struct live_entry *e, const char *session,
                    const char *token, uint64_t now_ms);

/* Ends all secondaries of `primary` with `reason` (a fixed word), and lets none join any more. */
void tunnel_close(struct live *l, struct live_entry *primary, const char *reason);

/* Connections of the tunnel of `primary`, itself included. */
unsigned tunnel_connections(struct live *l, const struct live_entry *primary);

/* For live.c, which holds the lock: the same, and what leaving the registry means for a tunnel. */
void tunnel_close_locked(struct live_entry *primary, const char *reason);
void tunnel_leave_locked(struct live_entry *e);

#endif
