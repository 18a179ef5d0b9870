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

static void wait(struct fair *f, struct fair_party *p)
{
    struct fair_user *u = p->user;
    if (p->waits)
        return;
    p->waits = true;
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

static void stop_waiting(struct fair *f, struct fair_party *p)
{
    struct fair_user *u = p->user;
    if (!p->waits)
        return;
    p->waits = false;
    if (u->next == p)
        u->next = p->after == p ? NULL : p->after;
    p->after->prior = p->prior;
    p->prior->after = p->after;
    if (!u->next)
        unring_user(f, u);
}

/* Gives those who wait their turns, as far as it goes. One that was given a burst already, and does
   not come for it, is passed over. */
static void share_out(struct fair *f)
{
    int64_t q = part(f, QUANTUM_PART, QUANTUM_LEAST, QUANTUM_MOST);
    struct fair_user *last = NULL; /* the first of a row that had enough */
    while (f->next && f->next != last && bucket_take(&f->bucket, q)) {
        struct fair_user *u = f->next;
        struct fair_party *p = u->next;
        f->next = u->after;
        u->next = p->after;
        if (p->credit < f->bucket.burst) {
            p->credit += q;
            last = NULL;
            continue;
        }
        bucket_return(&f->bucket, q);
        if (!last)
            last = u;
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
    stop_waiting(f, p);
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
        stop_waiting(f, p);
        p->credit = want; /* the limit was lifted */
        return want;
    }
    bucket_fill(&f->bucket, now_us);
    share_out(f);
    if (!f->next && p->credit < want) { /* nobody waits: what there is, is for whoever comes */
        int64_t more = want - p->credit, there = bucket_level(&f->bucket);
        more = more < there ? more : there;
        bucket_take(&f->bucket, more);
        p->credit += more;
    }
    int64_t worth = part(f, WORTH_PART, WORTH_LEAST, WORTH_MOST);
    if (p->credit < (worth < want ? worth : want)) {
        wait(f, p);
        return 0;
    }
    stop_waiting(f, p);
    return p->credit < want ? p->credit : want;
}

void fair_spend(struct fair_party *p, int64_t n)
{
    p->credit -= n;
}

void fair_rest(struct fair *f, struct fair_party *p)
{
    int64_t kept = part(f, WORTH_PART, WORTH_LEAST, WORTH_MOST);
    stop_waiting(f, p);
    if (p->credit <= kept)
        return;
    bucket_return(&f->bucket, p->credit - kept);
    p->credit = kept;
}
