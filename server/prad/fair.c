/* Fair shares of a rate; see fair.h. */
#include "server/prad/fair.h"

#include <stdlib.h>

#include "common/err.h"

/* What may be saved: an eighth of a second's bytes, so that a thread that was late loses nothing. */
#define BURST_PART  8
#define BURST_LEAST 4096
/* What one gets in a turn: a thousandth of a second's bytes, so that many turns fit between two asks. */
#define QUANTUM_PART  1000
#define QUANTUM_LEAST 64
#define QUANTUM_MOST  4096
/* Who has less than this goes on waiting: no packets of a few bytes. */
#define WORTH_PART  200
#define WORTH_LEAST 256
#define WORTH_MOST  16384
/* So long who was told that it may move has its turns, until it asks again: a turn of a busy worker. */
#define STAYS_US 100000

static int64_t part(const struct fair *f, int64_t of, int64_t least, int64_t most)
{
    int64_t n = f->bucket.rate / of;
    return n < least ? least : n > most ? most : n;
}

/* ---- the rings ----------------------------------------------------------------------------- */

static void ring_user(struct fair *f, struct fair_user *u)
{
    if (!f->next) {
        f->next = u->after = u->prior = u;
        return;
    }
    u->after = f->next;
    u->prior = f->next->prior;
    u->prior->after = u;
    f->next->prior = u;
}

static void unring_user(struct fair *f, struct fair_user *u)
{
    if (f->next == u)
        f->next = u->after == u ? NULL : u->after;
    u->after->prior = u->prior;
    u->prior->after = u->after;
}

static void enter(struct fair *f, struct fair_party *p)
{
    struct fair_user *u = p->user;
    p->granted_us = 0;
    if (p->in)
        return;
    p->in = true;
    if (u->next) {
        p->after = u->next;
        p->prior = u->next->prior;
        p->prior->after = p;
        u->next->prior = p;
        return;
    }
    u->next = p->after = p->prior = p;
    ring_user(f, u);
}

static void leave(struct fair *f, struct fair_party *p)
{
    struct fair_user *u = p->user;
    p->granted_us = 0;
    if (!p->in)
        return;
    p->in = false;
    if (u->next == p)
        u->next = p->after == p ? NULL : p->after;
    p->after->prior = p->prior;
    p->prior->after = p->after;
    if (!u->next)
        unring_user(f, u);
}

/* It was told that it may move, and has not come again: it has nothing to move, or its client takes nothing. */
static bool is_gone(const struct fair_party *p, uint64_t now_us)
{
    return p->granted_us != 0 && now_us > p->granted_us + STAYS_US;
}

/* Gives those who are in the ring their turns, as far as it goes. One that was given a burst already, and
   does not come for it, is passed over. */
static void share_out(struct fair *f, uint64_t now_us)
{
    int64_t q = part(f, QUANTUM_PART, QUANTUM_LEAST, QUANTUM_MOST);
    struct fair_user *last = NULL; /* the first of a row that had enough */
    while (f->next && f->next != last && bucket_take(&f->bucket, q)) {
        struct fair_user *u = f->next;
        struct fair_party *p = u->next;
        f->next = u->after;
        u->next = p->after;
        if (p->credit < f->bucket.burst && !is_gone(p, now_us)) {
            p->credit += q;
            last = NULL;
            continue;
        }
        bucket_return(&f->bucket, q);
        if (is_gone(p, now_us)) {
            leave(f, p);
            last = NULL;
        } else if (!last) {
            last = u;
        }
    }
}

/* ---- for others ---------------------------------------------------------------------------- */

void fair_set(struct fair *f, int64_t rate, uint64_t now_us)
{
    int64_t burst = rate / BURST_PART;
    bucket_set(&f->bucket, rate, burst < BURST_LEAST ? BURST_LEAST : burst, now_us);
}

int fair_join(struct fair *f, struct fair_party *p, const void *who)
{
    struct fair_user *u = f->users;
    while (u && u->who != who)
        u = u->sibling;
    if (!u) {
        u = calloc(1, sizeof(*u));
        if (!u)
            return PRA_ENOMEM;
        u->who = who;
        u->sibling = f->users;
        f->users = u;
    }
    u->parties++;
    *p = (struct fair_party){.user = u};
    return 0;
}

void fair_leave(struct fair *f, struct fair_party *p)
{
    struct fair_user *u = p->user;
    if (!u)
        return;
    leave(f, p);
    bucket_return(&f->bucket, p->credit > 0 ? p->credit : 0);
    p->user = NULL;
    if (--u->parties > 0)
        return;
    struct fair_user **at = &f->users;
    while (*at != u)
        at = &(*at)->sibling;
    *at = u->sibling;
    free(u);
}

int64_t fair_ask(struct fair *f, struct fair_party *p, int64_t want, uint64_t now_us)
{
    if (f->bucket.rate == 0) {
        leave(f, p);
        p->credit = want; /* the limit was lifted */
        return want;
    }
    bucket_fill(&f->bucket, now_us);
    share_out(f, now_us);
    if (!f->next && p->credit < want) { /* nobody waits: what there is, is for whoever comes */
        int64_t more = want - p->credit, there = bucket_level(&f->bucket);
        more = more < there ? more : there;
        bucket_take(&f->bucket, more);
        p->credit += more;
    }
    int64_t worth = part(f, WORTH_PART, WORTH_LEAST, WORTH_MOST);
    if (p->credit < (worth < want ? worth : want)) {
        enter(f, p);
        return 0;
    }
    if (p->in)
        p->granted_us = now_us > 0 ? now_us : 1;
    return p->credit < want ? p->credit : want;
}

void fair_spend(struct fair_party *p, int64_t n)
{
    p->credit -= n;
}

void fair_rest(struct fair *f, struct fair_party *p)
{
    int64_t kept = part(f, WORTH_PART, WORTH_LEAST, WORTH_MOST);
    leave(f, p);
    if (p->credit <= kept)
        return;
    bucket_return(&f->bucket, p->credit - kept);
    p->credit = kept;
}
