/*
 * Bytes a second, shared fairly: a token bucket and those who wait for it, in two levels. Users take
 * turns, and the channels of a user take turns within his: so ten channels get no more than one. Who
 * wants nothing is in no turn, and what he does not use is the others'.
 *
 * A party (a channel, in one direction) asks how much it may move, moves at most that, and says how
 * much it was. If it may move nothing it waits in the ring and asks again later; meanwhile every ask
 * of anybody gives credit to those who are in it, in turns of one quantum. Who was given enough stays in
 * for a moment: it is about to move that and to ask again, and a user with one channel would else miss
 * his turns of that moment, which a user with ten never does.
 *
 * Pure: the caller brings clock (monotonic microseconds) and lock.
 */
#ifndef PRA_SERVER_PRAD_FAIR_H
#define PRA_SERVER_PRAD_FAIR_H

#include "server/prad/bucket.h"

struct fair_user;
struct fair_party;

struct fair {
    struct bucket bucket;
    struct fair_user *users; /* all that have parties */
    struct fair_user *next;  /* whose turn it is, a ring of those who are in; NULL = none */
};

struct fair_user {
    struct fair_user *sibling;       /* in `users` */
    struct fair_user *after, *prior; /* the ring, while one of his parties is in */
    struct fair_party *next;         /* whose turn it is, a ring; NULL = none is in */
    const void *who;
    unsigned parties;
};

struct fair_party {
    struct fair_user *user; /* NULL = has not joined */
    struct fair_party *after, *prior;
    int64_t credit;
    uint64_t
        granted_us; /* when it was last told that it may move; 0 = it waits for that, or is not in */
    bool in;        /* in the ring */
};

/* It has asked, and may move nothing yet. */
static inline bool fair_waits(const struct fair_party *p)
{
    return p->in && p->granted_us == 0;
}

/* Bytes a second, 0 = unlimited. */
void fair_set(struct fair *f, int64_t rate, uint64_t now_us);
/* `p` becomes one of the parties of `who` (compared by address). Returns 0, PRA_ENOMEM. */
int fair_join(struct fair *f, struct fair_party *p, const void *who);
/* Gives back what it was given. Nothing if it has not joined. */
void fair_leave(struct fair *f, struct fair_party *p);

/* Bytes that `p` may move now, at most `want`; 0: it waits, until it asks again and gets some. */
int64_t fair_ask(struct fair *f, struct fair_party *p, int64_t want, uint64_t now_us);
/* `n` of them were moved. */
void fair_spend(struct fair_party *p, int64_t n);
/* It has nothing to move for now: others may have its turn, and what it was given but for a little, with
   which it goes on at once when there is something again. */
void fair_rest(struct fair *f, struct fair_party *p);

#endif
