/* The leases that workers know, and their way to the store; see factor.h. */
#include "server/prad/factor_book.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"
#include "server/admin/factor.h"
#include "server/prad/gateway.h"
#include "server/prad/keeper.h"
#include "server/prad/mailbox.h"

/* An open hash by the first bytes of the token's hash, which nobody can choose. Never more than half
   full. */
struct factor_book {
    pthread_mutex_t lock;
    struct store_lease *slot; /* id 0 = free */
    size_t size, count;       /* size: a power of two, or 0 */
    bool filled;              /* this and the next are of the one thread that follows the store */
    uint64_t changes;         /* as admin_lease_changes() counts them */
};

#define SIZE_FIRST 64

int factor_book_new(struct factor_book **out)
{
    struct factor_book *b = calloc(1, sizeof(*b));
    if (!b || pthread_mutex_init(&b->lock, NULL) != 0) {
        free(b);
        return PRA_ENOMEM;
    }
    *out = b;
    return 0;
}

void factor_book_free(struct factor_book *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b->slot);
    free(b);
}

/* Where the lease with this hash is, or would be. There is a free slot always. */
static size_t place_of(const struct store_lease *slot, size_t size, const uint8_t *hash)
{
    size_t i;
    memcpy(&i, hash, sizeof(i));
    for (i &= size - 1; slot[i].id != 0; i = (i + 1) & (size - 1))
        if (crypto_equal(slot[i].hash, hash, STORE_FACTOR_HASH_LEN))
            break;
    return i;
}

static bool is_live(const struct store_lease *l, int64_t now)
{
    return l->id != 0 && now < l->expires;
}

/* Makes room: what is over goes, and if that is little the table becomes larger. */
static int grow(struct factor_book *b)
{
    int64_t now = os_time_now();
    size_t live = 0, size = SIZE_FIRST;
    for (size_t i = 0; i < b->size; i++)
        live += is_live(&b->slot[i], now);
    while (size < live * 4)
        size *= 2;
    struct store_lease *slot = calloc(size, sizeof(*slot));
    if (!slot)
        return PRA_ENOMEM;
    for (size_t i = 0; i < b->size; i++)
        if (is_live(&b->slot[i], now))
            slot[place_of(slot, size, b->slot[i].hash)] = b->slot[i];
    free(b->slot);
    b->slot = slot;
    b->size = size;
    b->count = live;
    return 0;
}

static int put(struct factor_book *b, const struct store_lease *l)
{
    if (b->count >= b->size / 2 && grow(b) != 0)
        return PRA_ENOMEM;
    size_t i = place_of(b->slot, b->size, l->hash);
    b->count += b->slot[i].id == 0;
    b->slot[i] = *l;
    return 0;
}

static int fill_one(const struct store_lease *l, void *ctx)
{
    return put(ctx, l);
}

void factor_book_follow(struct factor_book *b, struct admin *a)
{
    uint64_t changes = admin_lease_changes(a);
    if (b->filled && changes == b->changes)
        return;
    b->filled = true;
    b->changes = changes;
    pthread_mutex_lock(&b->lock);
    free(b->slot);
    b->slot = NULL;
    b->size = b->count = 0;
    (void)admin_lease_each(a, fill_one, b);
    pthread_mutex_unlock(&b->lock);
}

int64_t factor_book_find(struct factor_book *b, const uint8_t hash[STORE_FACTOR_HASH_LEN],
                         int64_t key_id, const char *machine, int64_t now, int64_t oldest)
{
    int64_t id = 0;
    pthread_mutex_lock(&b->lock);
    if (b->size > 0) {
        const struct store_lease *l = &b->slot[place_of(b->slot, b->size, hash)];
        if (is_live(l, now) && now - l->made < oldest && l->key_id == key_id &&
            strcmp(l->machine, machine) == 0)
            id = l->id;
    }
    pthread_mutex_unlock(&b->lock);
    return id;
}

/* ---- to the keeper ------------------------------------------------------------------------- */

struct lease_mail {
    struct mail mail;
    struct factor_book *book;
    char user[POLICY_NAME_MAX + 1];
    struct store_lease lease;
    uint64_t changes;
};

static void on_keep(struct mail *m, void *owner)
{
    struct lease_mail *l = (struct lease_mail *)m;
    struct admin *a = owner ? keeper_admin(owner) : NULL;
    if (a && admin_lease_changes(a) == l->changes && admin_lease_add(a, l->user, &l->lease) == 0) {
        struct factor_book *b = l->book;
        pthread_mutex_lock(&b->lock);
        (void)put(b, &l->lease); /* without memory somebody is asked */
        pthread_mutex_unlock(&b->lock);
    }
    free(l);
}

/* Expired in the book: taking an entry out of an open hash would break the way to others. */
static int64_t strike(struct factor_book *b, const uint8_t *hash)
{
    int64_t id = 0;
    pthread_mutex_lock(&b->lock);
    if (b->size > 0) {
        struct store_lease *l = &b->slot[place_of(b->slot, b->size, hash)];
        id = l->id;
        l->expires = 0;
    }
    pthread_mutex_unlock(&b->lock);
    return id;
}

static void on_drop(struct mail *m, void *owner)
{
    struct lease_mail *l = (struct lease_mail *)m;
    int64_t id = owner ? strike(l->book, l->lease.hash) : 0;
    if (id != 0)
        admin_lease_drop(keeper_admin(owner), id);
    free(l);
}

/* One that was given a moment ago comes by the same way and so before this. */
static void post(struct gateway *g, const char *user, const struct store_lease *lease,
                 uint64_t changes, void (*deliver)(struct mail *m, void *owner))
{
    struct lease_mail *l = malloc(sizeof(*l));
    if (!l)
        return;
    *l = (struct lease_mail){
        .mail.deliver = deliver, .book = g->leases, .lease = *lease, .changes = changes};
    snprintf(l->user, sizeof(l->user), "%s", user);
    keeper_post(g->keeper, &l->mail);
}

void factor_book_keep(struct gateway *g, const char *user, const struct store_lease *l,
                      uint64_t changes)
{
    post(g, user, l, changes, on_keep);
}

void factor_book_drop(struct gateway *g, const uint8_t hash[STORE_FACTOR_HASH_LEN])
{
    struct store_lease l = {0};
    memcpy(l.hash, hash, sizeof(l.hash));
    post(g, "", &l, 0, on_drop);
}
