/*
 * Second factors of users (N7), as prad's keeper asks about them: is this code good, and which leases
 * are there. Who needs one and whether he has one is in the policy's snapshot. Thread of struct admin.
 */
#ifndef PRA_SERVER_ADMIN_FACTOR_H
#define PRA_SERVER_ADMIN_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "server/store/store_factor.h"

#define FACTOR_ANSWER_MAX 63 /* bytes of what a person may type */
#define FACTOR_LEASES_MAX 64 /* of one user */
/* Wrong codes that cost nothing; from then on each makes the user wait: at first so long, each time
   twice as long, at most so long. After a quiet day all is forgotten. */
#define FACTOR_FREE_TRIES  5
#define FACTOR_PAUSE_S     30
#define FACTOR_PAUSE_MAX_S 3600
#define FACTOR_FORGET_S    86400
/* A code of so many steps ago is told from a wrong one: a clock is wrong, or somebody was slow. Codes
   that are yet to come are not: that would be worth knowing to who guesses. */
#define FACTOR_LATE_STEPS 10

struct admin;

enum factor_answer {
    FACTOR_CODE,     /* good: a code of the authenticator */
    FACTOR_RECOVERY, /* good: a recovery code */
    FACTOR_WRONG,
    FACTOR_USED, /* was good once, or is older than one that was */
    FACTOR_LATE,
    FACTOR_PAUSED,  /* not looked at: too many were wrong */
    FACTOR_MISSING, /* the user has no second factor */
    FACTOR_FAILED   /* the store did not answer */
};

struct factor_result {
    enum factor_answer answer;
    int64_t wait;     /* seconds until a code is looked at again, 0 = now */
    bool told;        /* the audit has this pause already */
    uint64_t changes; /* what admin_lease_changes() said then */
};

/*
 * Takes a code, once. What is good is used up, and what is wrong is counted, durably before this
 * returns: of a thousand at the same time one wins.
 */
void admin_factor_try(struct admin *a, const char *user, const char *answer, int64_t now,
                      struct factor_result *out);

/* Keeps a new lease (id and user_id are set here). Returns 0, PRA_ENOENT (the user is gone), PRA_EIO. */
int admin_lease_add(struct admin *a, const char *user, struct store_lease *l);
void admin_lease_drop(struct admin *a, int64_t id);
/* A number that is another one whenever leases were revoked ... */
uint64_t admin_lease_changes(const struct admin *a);
/* ... and those that are left. Returns 0, what `fn` returned to end it, or a PRA_E*. */
int admin_lease_each(struct admin *a, store_lease_fn fn, void *ctx);

#endif
