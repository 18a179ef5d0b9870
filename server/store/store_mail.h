/* Mail as the store keeps it; a part of store.h. */
#ifndef PRA_SERVER_STORE_STORE_MAIL_H
#define PRA_SERVER_STORE_STORE_MAIL_H

#include <stdint.h>

#include "server/audit/audit.h"

#define STORE_MAIL_MAX      254 /* RFC 5321, 4.5.3.1.3 */
#define STORE_SUBJECT_MAX   300
#define STORE_MAIL_KIND_MAX 64

/*
 * A mail in the queue: "waiting" for its time, "sending", or finished: "sent", "failed" (the server
 * will never take it), "expired" (its time is over). What it says is asked for by itself.
 */
struct store_mail {
    int64_t id;
    char state[16];
    int64_t due, tries, tried, finished; /* next try, tries so far, last try; 0 = never */
    char error[AUDIT_TEXT_MAX];          /* of the last try */
    char kind[STORE_MAIL_KIND_MAX + 1];
    char recipient[STORE_MAIL_MAX + 1];
    char subject[STORE_SUBJECT_MAX + 1];
    int64_t created, good_until;
};

struct store_mail_counts {
    int64_t all, waiting, bytes, failed; /* waiting: those being sent, too; failed: expired, too */
    int64_t dropped;                     /* since the database was made: no room for them */
};

/* As in store.h. */
typedef int (*store_mail_fn)(const struct store_mail *, void *ctx);

#endif
