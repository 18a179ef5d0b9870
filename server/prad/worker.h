/*
 * A worker: one thread, one event loop, and the SSH sessions that live and die on it. Everything
 * reachable from a worker is touched by its own thread only; other threads post mail.
 */
#ifndef PRA_SERVER_PRAD_WORKER_H
#define PRA_SERVER_PRAD_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <libssh/server.h>

#include "common/addr.h"
#include "common/err.h"
#include "server/policy/policy.h"
#include "server/prad/gateway.h"
#include "server/prad/mailbox.h"

struct channel;
struct charge;
struct session;

/*
 * Sessions with work to do before the loop sleeps, in the order in which they came. What is live is
 * served whole in each turn of the loop; the others get a slice of its time, so that nobody who
 * moves data waits for a thousand key exchanges or a thousand ends.
 */
enum run_class {
    RUN_LIVE,  /* has channels */
    RUN_IDLE,  /* logged in, and no more */
    RUN_LOGIN, /* not logged in */
    RUN_CLASSES
};

struct run_queue {
    struct session *head, *tail;
};

/* The size of the worker's scratch buffer. */
#define WORKER_SCRATCH (128u * 1024)
/* One read from a client at most, and room in front of it for an incomplete packet: libssh takes
   packets of 256 KiB (see ssh_session_input()). Untouched pages cost nothing. */
#define WORKER_READ_MAX (512u * 1024)
#define WORKER_OUTPUT   (1024u * 1024)
#define WORKER_INPUT    (WORKER_READ_MAX + 256u * 1024 + 1024)

/* Pieces of a client's data, in `input`, that go to one target in one call; see pump.c. */
#define GATHER_PIECES 32
struct gather {
    struct channel *channel; /* NULL = none */
    struct iovec piece[GATHER_PIECES];
    unsigned count;
    size_t len;
};

struct worker {
    struct gateway *gateway;
    pthread_t thread;
    struct event_base *base;
    struct mailbox mailbox;
    struct event *mail_event, *tick_event, *run_event;
    ssh_bind bind; /* algorithms and host key of every session here */
    struct settings *settings;
    struct policy *policy;        /* the snapshot that every decision here is made from */
    pthread_mutex_t taken_lock;   /* of the two below; others read them */
    pthread_cond_t taken_changed; /* on the monotonic clock */
    uint64_t taken; /* generation of `policy`; UINT64_MAX = the worker decides nothing more */
    struct policy *policy_before; /* the one before, while channels are asked again; else NULL */
    struct session *sessions;
    struct run_queue run[RUN_CLASSES];
    bool running;         /* the queues are being served: who is woken has the next turn */
    struct session *dead; /* freed at the end of the loop's turn */
    bool draining, stopping;
    atomic_uint busy, fresh, session_count; /* struct balance_load; others read them */
    atomic_uint_fast64_t alive_ms; /* when its loop last came round, monotonic; others read it */
    uint64_t cpu_ns, measured_ns;  /* when `busy` was last measured */
    size_t moved;                  /* bytes since memory was last given back to the system */
    struct session *waiting;       /* those with channels that wait for their share (charge.c) */
    struct event charge_event;     /* while there are some */
    struct gather gather;          /* empty but while a client's socket is being read */
    uint8_t scratch[WORKER_SCRATCH];
    uint8_t output[WORKER_OUTPUT]; /* lent to the session that runs: packets are made in it */
    uint8_t input[WORKER_INPUT];   /* what is being read from a client; decrypted and used there */
};

/* Starts a worker with one reference to `p` and `s` each (taken over on success). 0, PRA_E*. */
int worker_start(struct gateway *g, struct settings *s, struct policy *p, struct worker **out,
                 struct fault *f);
/* Ends its sessions, joins the thread, closes the mailbox; what is posted later is dropped. */
void worker_stop(struct worker *w);
/* When no other thread knows the worker any more. NULL is fine. */
void worker_free(struct worker *w);

/* The calls below post mail and return at once; any thread. They return 0 or PRA_ENOMEM. */

/* A connected, prepared socket, its peer and its place among the startups. */
struct arrival {
    int fd;
    struct addr_ip ip;
    uint16_t port;
    struct startup *place;
    bool probation; /* sources.h */
};

/* Hands it over. The worker owns `fd` and `place` afterwards, also when this fails. */
int worker_adopt(struct worker *w, const struct arrival *a);
/* Takes over one reference. Every session and channel is asked again; `timed`: the same rules at
   a later time, so what ends now has run out and was not removed. */
int worker_set_policy(struct worker *w, struct policy *p, bool timed);
/* Waits until every worker decides by a snapshot of this generation or a later one; one that is late is
   logged and not waited for any longer. Not on a worker's thread. */
void workers_wait_policy(struct gateway *g, uint64_t generation);
int worker_set_settings(struct worker *w, struct settings *s);
int worker_kill_session(struct worker *w, const char *id, const char *why);
/* The session with this connection number looks at its `must_end` now. */
int worker_end_connection(struct worker *w, uint64_t connection);
/* Runs `fn` with the session that has this connection number (NULL = it is gone, or the worker ends);
   `arg` is fn's to free. On the worker's thread. */
int worker_with_session(struct worker *w, uint64_t connection,
                        void (*fn)(struct session *s, void *arg), void *arg);
int worker_drain(struct worker *w);

/* Own thread only: the session is run before the loop sleeps again, in its class's time. */
void worker_wake(struct worker *w, struct session *s);
/* Own thread only: the session is freed at the end of this turn of the loop. */
void worker_bury(struct worker *w, struct session *s);

static inline const struct config *worker_config(const struct worker *w)
{
    return &w->settings->config;
}

#endif
