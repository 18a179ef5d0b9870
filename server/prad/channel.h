/*
 * One direct-tcpip channel: a connection of the client to a target. It is held open (the request
 * unanswered) while policy is asked, the name resolved and the target connected; then data flows
 * both ways with back-pressure; it ends when both directions have ended, when either side breaks,
 * or when policy cuts it.
 *
 *   RESOLVING -> CONNECTING -> ANSWERING -> OPEN -> CLOSING -> GONE
 *        \____________\___________\______________________________^   (refused)
 *
 * Belongs to its session's worker. Events of sockets, names and libssh only mark the channel as
 * ready; channel_serve(), called from session_run(), is the one place that acts and calls libssh.
 */
#ifndef PRA_SERVER_PRAD_CHANNEL_H
#define PRA_SERVER_PRAD_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "common/addr.h"
#include "common/buf.h"
#include "server/prad/resolver.h"
#include "server/prad/session.h"
#include "server/prad/window.h"

enum channel_state {
    CHANNEL_RESOLVING,
    CHANNEL_CONNECTING,
    CHANNEL_ANSWERING, /* connected or refused; the answer goes out at the next serve */
    CHANNEL_OPEN,
    CHANNEL_CLOSING, /* our close is sent; waits for the client's */
    CHANNEL_GONE     /* both closes done; freed when the message queue is empty */
};

/* Why an open failed: the words of `open-failed` on the control channel. */
#define CHANNEL_FAILURE_MAP(X)                                                                     \
    X(FAILURE_NONE, "", 0)                                                                         \
    X(FAILURE_DENIED, "denied", 1) /* RFC 4254 5.1: administratively prohibited */                 \
    X(FAILURE_DNS, "dns", 2)       /* connect failed */                                            \
    X(FAILURE_REFUSED, "refused", 2)                                                               \
    X(FAILURE_TIMEOUT, "timeout", 2)                                                               \
    X(FAILURE_UNREACHABLE, "unreachable", 2)                                                       \
    X(FAILURE_LIMIT, "limit", 4) /* resource shortage */                                           \
    X(FAILURE_ERROR, "error", 2)

enum channel_failure {
#define X(id, word, code) id,
    CHANNEL_FAILURE_MAP(X)
#undef X
};

/* Which limit (bounds.h) refused it; value 0 = none did. */
struct channel_limit {
    enum policy_limit limit;
    bool of_rule; /* or of the user */
    int64_t value;
    int retry_s; /* when it may be tried again; -1 = nobody knows */
};

#define CHANNEL_TARGET_MAX ADDR_TEXT_MAX /* escaped text of host:port, cut */

/*
 * SSH has no word for a connection that was reset. Between PRA's client and gateway this name says it,
 * behind the data that came before: as a "signal" from the client, as an "exit-signal" to it. Other
 * clients ignore it.
 */
#define CHANNEL_RESET_SIGNAL "RST@pra"

/* What a channel needs until it is open, and should not keep: there may be thousands of them. */
struct channel_opening {
    ssh_message request; /* unanswered */
    enum channel_failure failure;
    const char *failure_text; /* a fixed sentence */
    struct channel_limit limit;
    struct addr_host host; /* as asked, normalised */
    const char *bad;       /* the audit's word for a target that is none, or NULL */
    struct lookup *lookup;
    struct addr_ip candidate[RESOLVER_ADDR_MAX]; /* each allowed by policy */
    size_t candidate_count, candidate_at;
    int last_errno;
    struct event timer;
};

struct channel {
    struct channel *next, *prev; /* of the session */
    struct channel *ready_next, *stalled_next;
    struct session *session;
    enum channel_state state;
    bool is_ready, is_stalled;

    /* What was asked. */
    uint16_t port;
    uint32_t origin_port; /* as the client said, 32 bits */
    const char *target;   /* escaped text of host:port, in `text` */
    const char *host;     /* the host, normalised, in `text`; "" if it is none */
    uint64_t asked_ms;

    /* Who decided, in which snapshot. */
    int64_t rule;
    const char *why; /* fixed word for the audit: of a refusal, or of the end */
    bool rule_logs;
    bool cut;     /* by policy or a limit; `why` says what changed */
    bool entered; /* is counted among its user's */

    struct channel_opening *opening; /* NULL once it is answered */

    /* Open. */
    ssh_channel ssh;
    struct ssh_channel_callbacks_struct callbacks;
    int fd;            /* the target, -1 = none */
    struct addr_ip ip; /* connected to, the address that was checked */
    struct event readable, writable;
    bool reading, writing; /* whether the events are added */
    bool can_read;         /* the target's socket has something, or an end */
    bool can_write;        /* as far as known */
    bool held_back;        /* libssh keeps data of the client that the target did not take */
    bool target_failed;    /* reset, or writing failed */
    bool client_reset;     /* the user's program reset its connection */
    bool target_eof, eof_sent, client_eof, shut, client_closed;
    struct window window; /* what the client may have on its way to us */
    size_t owed;          /* what of that is counted, above WINDOW_SMALL */
    struct buf to_target; /* taken from libssh, not yet by the target */
    uint64_t bytes_in, bytes_out;
    uint64_t closed_ms;           /* when the client closed; the target gets its data for a while */
    struct charge *charge;        /* what it is limited by (bounds.h); NULL = nothing */
    uint64_t idle_moved, idle_ms; /* how much was moved, and when it was less */

    char text[]; /* exactly as long as it has to be: a client may have a thousand channels */
};

/* The next channel fits into what the opening of the one before has left: otherwise these places
   stay empty between a thousand open channels, 700 bytes each. 32 is the text of an IPv4 target. */
_Static_assert(sizeof(struct channel) + 32 <= sizeof(struct channel_opening),
               "keep in struct channel_opening what an open channel does not need");

/*
 * A direct-tcpip request: checks, policy, name, connection. Takes over `request`. Calls libssh
 * only to answer a refusal that needs no channel (out of memory, over the limit).
 */
void channel_request(struct session *s, ssh_message request);

/* Acts on whatever became ready. False: the session died, and the channel with it. */
bool channel_serve(struct channel *ch);
/* Marks it for channel_serve() and wakes the session. Any callback may call this. */
void channel_ready(struct channel *ch);

/* Asks policy again after a new snapshot, or after time passed; closes the target if denied. */
void channel_recheck(struct channel *ch, bool timed);

/* An administrator closes it: the client is told, both ends see it broken. Only while it is open. */
void channel_close_by_admin(struct channel *ch);

/* A limit closes it likewise; `why` (a fixed word) is kept. */
void channel_cut_by_limit(struct channel *ch, const char *why);

/* Frees it; with `reset` the target sees a broken connection instead of an orderly end. Does not
   call libssh unless both closes are done, and then libssh sends nothing. */
void channel_destroy(struct channel *ch, bool reset);

/* Parts of opening (channel_open.c) and of moving data (pump.c), for channel.c alone. */
/* The answer will be a failure; `why` is the audit's word, `text` a sentence for the user. Both are
   kept as they are. */
void channel_fail(struct channel *ch, enum channel_failure failure, const char *why,
                  const char *text);
const char *channel_failure_word(enum channel_failure failure);
/* Stops what is under way and frees it. NULL is fine. */
void channel_opening_free(struct channel_opening *o);
/* What policy says about `host` at `ip` (NULL = not known yet) now; notes the deciding rule. */
enum policy_answer channel_ask(struct channel *ch, const struct addr_host *host,
                               const struct addr_ip *ip);
/* Name of the rule that decided last, or while a new snapshot is looked at, of the one before;
   "" = none. Good until the snapshot is. */
const char *channel_rule_name(const struct channel *ch);

/* The channel is accepted and `fd` connected: data may flow. */
void pump_start(struct channel *ch);
/* Its limits have changed. */
void pump_limit(struct channel *ch);
/* Moves what can be moved. False: the session died. */
bool pump_serve(struct channel *ch);
/* There is room in the session's output again. */
void pump_resume(struct channel *ch);
/* Throws away what libssh still holds for the target: the channel ends, and a client may take its
   time to say that it has heard so. False: the session died. */
bool pump_discard(struct channel *ch);
/* Sends what channels of `w` gathered while a client's socket was read. After each such read, before
   anything else. */
void pump_flush(struct worker *w);
/* Closes the connection to the target; `reset` = so that it sees a broken one. */
void pump_close_target(struct channel *ch, bool reset);
/* Once a second: windows shrink again, targets that take nothing after the end are given up. */
void pump_tick(struct channel *ch, uint64_t now_ms);

#endif
