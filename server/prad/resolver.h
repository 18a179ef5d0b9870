/*
 * Names to addresses, off the worker threads: a small pool of threads calls getaddrinfo() and
 * posts the result to the asking thread's mailbox. The queue is bounded, in all and per user; a full
 * queue is a failed lookup, not a wait. A lookup that was cancelled before its turn is not made.
 *
 * A lookup belongs to the resolver from resolver_start() until its result is delivered; the asker
 * keeps a pointer only to be able to cancel it, on its own thread.
 */
#ifndef PRA_SERVER_PRAD_RESOLVER_H
#define PRA_SERVER_PRAD_RESOLVER_H

#include <stddef.h>

#include "common/addr.h"
#include "server/policy/policy.h"
#include "server/prad/mailbox.h"

#define RESOLVER_THREADS   16
#define RESOLVER_QUEUE_MAX 4096
/* Of one user, all his sessions together: lookups at once, and lookups that wait. Names whose
   server is slow hold a thread for many seconds; the other threads stay for the other users. */
#define RESOLVER_USER_MAX       4
#define RESOLVER_QUEUE_USER_MAX 1024
#define RESOLVER_ADDR_MAX       16 /* addresses taken from one answer */
#define RESOLVER_STOP_S         1

struct resolver;
struct lookup;

struct lookup_result {
    int error; /* EAI_* of getaddrinfo(), 0 = found */
    size_t count;
    struct addr_ip ip[RESOLVER_ADDR_MAX]; /* in getaddrinfo()'s order, each once */
};

/* Called on the asker's thread unless cancelled. */
typedef void (*lookup_done_fn)(void *ctx, const struct lookup_result *result);

/* Returns 0, PRA_ENOMEM. */
int resolver_new(struct resolver **out);
/*
 * Drops waiting lookups and waits up to RESOLVER_STOP_S for the threads: getaddrinfo() cannot be
 * interrupted. True when all have ended and everything is freed; otherwise the resolver, and the
 * mailboxes that its threads may still post to, must be left alone until the process exits.
 */
bool resolver_stop(struct resolver *r);

/*
 * Asks for `name` on behalf of `user`; one that waits for its user's share is passed by others.
 * `done(ctx, ...)` runs when `reply` is delivered. Returns 0 with the lookup in *out, PRA_EFULL,
 * PRA_ENOMEM.
 */
int resolver_start(struct resolver *r, const char *user, const char *name, struct mailbox *reply,
                   lookup_done_fn done, void *ctx, struct lookup **out);
/* On the asker's thread, before the result was delivered: `done` will not be called. */
void lookup_cancel(struct lookup *l);

/* How many lookups wait for a thread. */
size_t resolver_waiting(struct resolver *r);

/* One sentence for an EAI_* code. Static. */
const char *resolver_error_text(int error);

#endif
