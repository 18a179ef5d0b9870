/* The book of device tickets; see tickets.h. `lock` guards everything. */
#include "server/prad/tickets.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

#define PLACES 4096

struct entry {
    struct entry *next;
    struct store_ticket row;
    uint64_t holder; /* the connection that `next` was made for, 0 = it is gone */
    uint64_t since_ms;
};

struct tickets {
    pthread_mutex_t lock;
    struct entry *place[PLACES];
    struct ticket_step *first, **last; /* in line for the keeper */
};

const char *ticket_answer_word(enum ticket_answer a)
{
    static const char *const WORDS[] = {
#define X(id, word) [id] = word,
        TICKET_ANSWER_MAP(X)
#undef X
    };
    return WORDS[a];
}

int tickets_new(struct tickets **out)
{
    struct tickets *t = calloc(1, sizeof(*t));
    if (!t)
        return PRA_ENOMEM;
    pthread_mutex_init(&t->lock, NULL);
    t->last = &t->first;
    *out = t;
    return 0;
}

void tickets_drop_step(struct ticket_step *step)
{
    crypto_wipe(step, sizeof(*step));
    free(step);
}

void tickets_free(struct tickets *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < PLACES; i++) {
        for (struct entry *e = t->place[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    for (struct ticket_step *s = t->first, *next; s; s = next) {
        next = s->next;
        tickets_drop_step(s);
    }
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct entry **place_of(struct tickets *t, int64_t key)
{
    struct entry **at = &t->place[(uint64_t)key % PLACES];
    while (*at && (*at)->row.key != key)
        at = &(*at)->next;
    return at;
}

/* NULL: no memory. */
static struct entry *need(struct tickets *t, int64_t key)
{
    struct entry **at = place_of(t, key);
    if (!*at && (*at = calloc(1, sizeof(**at))))
        (*at)->row.key = key;
    return *at;
}

int tickets_put(struct tickets *t, const struct store_ticket *row)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = need(t, row->key);
    if (e)
        e->row = *row;
    pthread_mutex_unlock(&t->lock);
    return e ? 0 : PRA_ENOMEM;
}

/* ---- hello --------------------------------------------------------------------------------- */

/* `next` has been heard of: the one before is good no more. */
static void promote(struct entry *e)
{
    memcpy(e->row.current, e->row.next, sizeof(e->row.current));
    e->row.has_current = true;
    e->row.has_next = false;
    e->holder = 0;
}

static enum ticket_answer judge(struct entry *e, const struct ticket_claim *claim)
{
    uint8_t hash[CRYPTO_SHA256_LEN] = {0};
    bool shown = claim->shown && strlen(claim->shown) == TICKET_TEXT - 1 &&
                 crypto_sha256(claim->shown, TICKET_TEXT - 1, hash) == 0;
    if (shown && e->row.has_next && crypto_equal(hash, e->row.next, sizeof(hash))) {
        promote(e);
        return TICKET_GOOD;
    }
    if (!e->row.has_current)
        return TICKET_FIRST;
    if (!claim->shown)
        return TICKET_MISSING;
    return shown && crypto_equal(hash, e->row.current, sizeof(hash)) ? TICKET_GOOD : TICKET_STALE;
}

static void make_offer(struct entry *e, const struct ticket_claim *claim,
                       struct ticket_offer *offer)
{
    uint8_t random[TICKET_LEN];
    uint64_t now = os_monotonic_ms();
    if (e->row.has_next && e->holder != 0 && now - e->since_ms < TICKET_STORED_MS)
        return;
    crypto_random(random, sizeof(random));
    crypto_hex_encode(random, sizeof(random), offer->text);
    crypto_wipe(random, sizeof(random));
    if (crypto_sha256(offer->text, TICKET_TEXT - 1, offer->hash) != 0) {
        offer->text[0] = '\0';
        return;
    }
    memcpy(e->row.next, offer->hash, sizeof(e->row.next));
    e->row.has_next = true;
    e->holder = claim->connection;
    e->since_ms = now;
}

enum ticket_answer tickets_hello(struct tickets *t, const struct ticket_claim *claim,
                                 struct ticket_offer *offer)
{
    enum ticket_answer answer = TICKET_GOOD;
    *offer = (struct ticket_offer){0};
    pthread_mutex_lock(&t->lock);
    struct entry *e = need(t, claim->key);
    if (e) {
        answer = judge(e, claim);
        if (claim->speaks && (answer <= TICKET_FIRST || claim->lenient))
            make_offer(e, claim, offer);
    }
    pthread_mutex_unlock(&t->lock);
    return answer;
}

/* ---- afterwards ---------------------------------------------------------------------------- */

bool tickets_stored(struct tickets *t, int64_t key, uint64_t connection)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = *place_of(t, key);
    bool mine = e && e->row.has_next && e->holder == connection;
    if (mine)
        promote(e);
    pthread_mutex_unlock(&t->lock);
    return mine;
}

void tickets_let_go(struct tickets *t, int64_t key, uint64_t connection)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = *place_of(t, key);
    if (e && e->holder == connection)
        e->holder = 0;
    pthread_mutex_unlock(&t->lock);
}

void tickets_take_back(struct tickets *t, int64_t key, const uint8_t hash[CRYPTO_SHA256_LEN])
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = *place_of(t, key);
    if (e && e->row.has_next && memcmp(e->row.next, hash, sizeof(e->row.next)) == 0) {
        e->row.has_next = false;
        e->holder = 0;
    }
    pthread_mutex_unlock(&t->lock);
}

static void forget(struct entry *e)
{
    e->row = (struct store_ticket){.key = e->row.key};
    e->holder = 0;
}

void tickets_forget(struct tickets *t, int64_t key)
{
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < PLACES; i++)
        for (struct entry *e = t->place[i]; e; e = e->next)
            if (key == 0 || e->row.key == key)
                forget(e);
    pthread_mutex_unlock(&t->lock);
}

void tickets_add_step(struct tickets *t, struct ticket_step *step)
{
    step->next = NULL;
    pthread_mutex_lock(&t->lock);
    *t->last = step;
    t->last = &step->next;
    pthread_mutex_unlock(&t->lock);
}

struct ticket_step *tickets_take_steps(struct tickets *t)
{
    pthread_mutex_lock(&t->lock);
    struct ticket_step *all = t->first;
    t->first = NULL;
    t->last = &t->first;
    pthread_mutex_unlock(&t->lock);
    return all;
}

void tickets_row(struct tickets *t, int64_t key, struct store_ticket *out)
{
    pthread_mutex_lock(&t->lock);
    const struct entry *e = *place_of(t, key);
    *out = e ? e->row : (struct store_ticket){.key = key};
    pthread_mutex_unlock(&t->lock);
}
