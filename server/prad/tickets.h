/*
 * Device tickets: how a key that was copied with everything around it is found out (N2).
 *
 * At each login a device shows the ticket of the login before and gets a new one. Whoever copies a
 * PC, its identifiers included, copies its ticket as well; but a ticket is good for one of the two
 * only, and the other one is found out when it comes. The gateway keeps hashes of two tickets of a
 * key: `current`, which the device is known to have, and `next`, which was handed out and not heard
 * of since. Both are good until the device says that it has stored the new one, or shows it: so
 * neither side can lose the other by ending, whatever the moment.
 *
 * The order that this rests on: `next` is durable in the store before it is sent (keeper), and the
 * device has it durably on its disk before it says so (client/ticket.h). What is in the store is
 * written from the book as it is by then, so it may be newer than what somebody knows, never older.
 *
 * One ticket of a key is under way at a time: its holder is the connection that it is for. A device
 * that comes back while the gateway has not noticed that its connection is gone, or that is used by
 * two programs at once, shows a good ticket, is let in, and gets a new one the next time.
 *
 * The book is filled from the store at the start; no login waits for the database. Any thread; a
 * mutex guards everything.
 */
#ifndef PRA_SERVER_PRAD_TICKETS_H
#define PRA_SERVER_PRAD_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/err.h"
#include "server/store/store_ticket.h"

#define TICKET_LEN  32                   /* random bytes */
#define TICKET_TEXT (2 * TICKET_LEN + 1) /* in hexadecimal, with its NUL */
/* How long a connection may take to say that it has stored its ticket before another one gets one. */
#define TICKET_STORED_MS 30000

struct admin;
struct gateway;
struct session;
struct tickets;
struct worker;

/* Answer, word of the audit. */
#define TICKET_ANSWER_MAP(X)                                                                       \
    X(TICKET_GOOD, "")                                                                             \
    X(TICKET_FIRST, "ticket-first") /* this key has had none */                                    \
    X(TICKET_STALE, "ticket-stale") /* neither of the two: somebody else has got another one */    \
    X(TICKET_MISSING, "ticket-missing") /* none is shown although this key has had one */
enum ticket_answer {
#define X(id, word) id,
    TICKET_ANSWER_MAP(X)
#undef X
};
const char *ticket_answer_word(enum ticket_answer a);

/* What a client says at hello. */
struct ticket_claim {
    int64_t key;
    uint64_t connection;
    bool speaks;       /* knows of tickets */
    const char *shown; /* NULL = it has none */
    bool lenient;      /* gets a new one although what it shows is not good */
};

struct ticket_offer {
    char text[TICKET_TEXT]; /* "" = none now */
    uint8_t hash[CRYPTO_SHA256_LEN];
};

/* Something about a key that the store has to know; made with malloc(). */
struct ticket_step {
    struct ticket_step *next;
    int64_t key;
    struct worker *worker; /* whose connection waits for the offer */
    uint64_t connection;
    struct ticket_offer offer; /* text "" = nobody waits */
    /* On the worker's thread, with this step as `arg`, once it is in the store; drops it. */
    void (*send)(struct session *s, void *arg);
};

/* Returns 0, PRA_ENOMEM. */
int tickets_new(struct tickets **out);
void tickets_free(struct tickets *t);
/* At the start: what the store knows. Returns 0, PRA_ENOMEM. */
int tickets_put(struct tickets *t, const struct store_ticket *row);

/*
 * Judges what is shown, and makes a new ticket if one is due. It is `next` from now on, and not to
 * be sent before that is in the store. Without memory: as if it were good, and no new one.
 */
enum ticket_answer tickets_hello(struct tickets *t, const struct ticket_claim *claim,
                                 struct ticket_offer *offer);
/* The connection has stored what it was sent. True: `current` is another one than before. */
bool tickets_stored(struct tickets *t, int64_t key, uint64_t connection);
/* The connection has ended, or cannot store it: somebody else may get one. */
void tickets_let_go(struct tickets *t, int64_t key, uint64_t connection);
/* The offer could not be stored: it is as if it had not been made. */
void tickets_take_back(struct tickets *t, int64_t key, const uint8_t hash[CRYPTO_SHA256_LEN]);
/* Forgets those of a key, so that the next device that comes gets the first one; 0 = of all. */
void tickets_forget(struct tickets *t, int64_t key);
/* Puts a step into the line for the keeper; takes it over. */
void tickets_add_step(struct tickets *t, struct ticket_step *step);
/* Keeper only: all that wait, in their order; the caller's to free. NULL = none. */
struct ticket_step *tickets_take_steps(struct tickets *t);
/* Wipes and frees one. */
void tickets_drop_step(struct ticket_step *step);
/* What is to be in the store now. */
void tickets_row(struct tickets *t, int64_t key, struct store_ticket *out);

/* ---- keeper's thread (tickets_store.c) ---- */

/* Reads all tickets from the store. Returns 0 or a PRA_E* with a sentence. */
int tickets_load(struct gateway *g, struct admin *a, struct fault *f);
/* Stores what waits, in one transaction, and has the new tickets sent. */
void tickets_store(struct gateway *g, struct admin *a);

#endif
