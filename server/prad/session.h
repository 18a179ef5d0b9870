/*
 * One SSH connection, from its first byte to its last. Belongs to one worker thread.
 *
 * libssh is driven in message mode: our loop says that the socket is ready, session_run() lets
 * libssh poll it without waiting, takes every message out, serves every channel that became
 * ready, and asks libssh what it waits for next. Any libssh call may read the socket and dispatch
 * packets, so callbacks only mark channels as ready, and nothing is freed outside the two safe
 * points: session_run() after the message queue is known to be empty (channels), and the end of
 * the loop's turn (sessions).
 */
#ifndef PRA_SERVER_PRAD_SESSION_H
#define PRA_SERVER_PRAD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "server/audit/audit.h"
#include "server/policy/policy_limits.h"
#include "server/prad/live.h"
#include "server/prad/record.h"
#include "server/prad/worker.h"

struct channel;
struct control;
struct enroll_visit;
struct factor_pass;
struct factor_visit;
struct meter;
struct upload;

/* How long a client may take to read its last words and close before it is closed. */
#define SESSION_LAST_WORDS_MS 1000

/* Output that libssh may hold before targets are read no further, and what it has to shrink to
   before they are read again; session_buffer is the hard cap. */
#define OUTPUT_SOFT_MAX  (512u * 1024)
#define OUTPUT_LOW(soft) ((soft) / 4)
/* The hard cap before login: far more than key exchange and refusals need. */
#define OUTPUT_LOGIN_MAX (64u * 1024)

/* What clients are told about when to try again after a shutdown. */
#define SESSION_RETRY_AFTER_SHUTDOWN_S 5

enum session_phase {
    SESSION_FIRST_BYTES, /* SSH or plain HTTP? */
    SESSION_HTTP,        /* answered; waits for the other side to close */
    SESSION_LOGIN,       /* key exchange and authentication */
    SESSION_OPEN,        /* logged in */
    SESSION_DEAD         /* waits to be freed; `ssh` must not be used */
};

/* In the order in which they came: whoever waits longest is served first. */
struct channel_queue {
    struct channel *head, *tail;
};

struct session {
    struct session *next, *prev; /* of the worker */
    struct session *run_next;
    bool in_run_queue;
    bool parked; /* waits in that queue so long that its socket is not watched meanwhile */
    struct worker *worker;
    enum session_phase phase;

    /* libssh closes it whenever it likes once it has it. The events are deleted before this thread
       opens another descriptor for its loop, so that a number used again is never mistaken. */
    int fd;
    bool fd_is_libssh;
    ssh_session ssh;
    struct ssh_counter_struct wire;  /* bytes on the socket */
    struct ssh_counter_struct plain; /* payload of packets */
    struct event io_read, io_write;
    bool writing;
    bool readable;      /* the socket has something, or an end */
    short first_event;  /* what ended the wait for the first bytes */
    bool has_messages;  /* libssh holds messages that no event of the socket will announce */
    uint32_t read_most; /* how much to read at once: more while more comes */
    uint64_t started_ms, login_ms, heard_ms; /* monotonic; heard = last byte from the client */
    uint64_t wire_seen;                      /* wire.in_bytes at heard_ms */
    uint64_t probed_ms;                      /* last keepalive sent, 0 = none since it was heard */
    uint32_t jitter;    /* random: keepalives and new keys come earlier by it */
    uint64_t ending_ms; /* 0, or when the session is cut after its last words */

    struct startup *place; /* among the startups, until it has logged in */
    bool spoke;            /* the place knows that the client has said something */
    bool probation;        /* the first key that is offered has to be a registered one */
    bool asked_methods;    /* by "none", which is no try */
    unsigned auth_tries;
    struct factor_visit *factor; /* it owes a second factor; NULL = it does not */
    unsigned factor_asked;       /* how often it was asked for one */
    bool factor_counted;         /* among those that wait for a person, instead of `place` */
    struct factor_pass *pass;    /* what it gave, once logged in; NULL = nothing was wanted */
    char ended_by[48];           /* reason of the logout, first one wins */
    bool must_end; /* found where the session cannot be ended; session_run() does it */

    struct live_entry entry; /* id, source; user and device after login */
    bool listed;
    int64_t key_id;
    uint8_t *key_blob; /* to find the key again in a new snapshot */
    size_t key_blob_len;
    bool any_client;  /* the key may skip hello */
    bool hello;       /* hello or join was said and accepted */
    bool restricted;  /* disabled user, or quarantined: the control channel only, to be told why */
    bool quarantined; /* the key is, see clone.h */
    struct enroll_visit
        *enroll; /* it is here to hand in its key, and may do nothing else; else NULL */

    /* Limits after login (bounds.h). */
    struct meter *meter;         /* its user's; NULL = has none to be limited */
    struct policy_limits limits; /* in force */
    int64_t own_sessions;        /* LIMIT_SESSIONS before prad.ini was asked */
    uint64_t counted;            /* bytes that the meter knows of */
    unsigned shaped;            /* what held it back since the last tick: direction, user or rule */
    uint64_t shaped_told_ms[4]; /* when that was told last, 0 = never */
    uint64_t limits_refused;    /* which limits refused something in this minute */
    struct charge *charges;     /* channels that wait for their share (charge.c) */
    struct charge *charge_at;   /* the next to be asked; NULL = the first */
    struct session *waiting_next, *waiting_prev; /* in the worker's list, while there are some */

    struct upload *upload; /* a log bundle that is on its way here; NULL = none */

    struct channel *channels;
    struct channel_queue ready;   /* channels that a callback marked */
    struct channel_queue stalled; /* channels that wait for room in the output */
    unsigned channel_count;
    uint64_t round_trip_us;           /* the shortest that was seen, 0 = none yet */
    uint64_t minute_ms;               /* since when the next two count */
    unsigned refusals;                /* written down one by one in this minute */
    unsigned refused[RECORD_THINNED]; /* beyond those: counted only, by kind */
    bool buriable;                    /* some channel or the control channel can be freed */
    struct control *control;          /* NULL = no session channel */
};

/* Takes over socket and place. NULL = no memory; then both are given up. */
struct session *session_new(struct worker *w, const struct arrival *a);
/* Only from the worker at the end of a turn, or when it stops. */
void session_free(struct session *s);

/* The first bytes are SSH, or did not come: key exchange begins. */
void session_start_ssh(struct session *s);

/* Whose turn it is to be run in. */
enum run_class session_run_class(const struct session *s);
/* What a session in a run queue is there for. */
void session_step(struct session *s);
/* Lets libssh work and serves whatever came of it. */
void session_run(struct session *s);
/* Once a second: login grace, keepalive, ends that were promised. */
void session_tick(struct session *s, uint64_t now_ms);

/* True while libssh may be called. Notices a connection that broke; call after libssh calls. */
bool session_alive(struct session *s);

/*
 * Ends the session now, with `reason` (a fixed word) for the audit. The peer gets a disconnect
 * with `text` if that can be written at once. All its channels are gone afterwards: only for the
 * loop's own callbacks and session_run(), never while somebody walks sessions or channels.
 */
void session_end(struct session *s, const char *reason, const char *text);
/* The same at the next safe moment; anybody may call it. */
void session_must_end(struct session *s, const char *reason);
/* Closes all targets at once. The session ends when the client has read its last words and closes
   the control channel, SESSION_LAST_WORDS_MS later at most; a secondary, which has none, at the
   next safe moment. Safe for anybody. */
void session_end_soon(struct session *s, const char *reason);

/* A secondary whose primary is gone (`entry.must_end`) ends, too; nothing otherwise. Safe for
   anybody. */
void session_obey_primary(struct session *s);
/* True if nothing runs in the tunnel of `s` any more: no channel here, and no other connection. */
bool session_is_idle(struct session *s);

/* Policy or a limit ends it: audit, a notice of this kind, the end. */
void session_cut(struct session *s, const char *kind, const char *detail);
/* An administrator ends it: audit, a notice to the client, the end. */
void session_kill(struct session *s, const char *why);
/* The gateway goes away: a notice; a session without connections ends at once. */
void session_drain(struct session *s);

/* Logged in as `user` with `key`; tells libssh nothing. False if the user has too many sessions. */
bool session_login(struct session *s, const struct policy_user *user, const struct policy_key *key);

/* Why a session is restricted: "user-disabled", "quarantined", or "". */
const char *session_restriction(const struct session *s);
/* It was let in by a lease or a token, so it has to say hello or join, whatever its key allows. */
bool session_must_say(const struct session *s);

/* Room for output to the client: false while more than the cap is queued in libssh. */
bool session_has_room(struct session *s);

/* Asks the worker's current snapshot whether the session and its channels are still allowed. */
void session_recheck(struct session *s, bool timed);

#endif
