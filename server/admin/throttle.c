/*
 * A table of fixed size: a key is the digest of what is counted, its place among SET_SIZE slots is
 * given by the digest, and the slot whose time began first makes room. Whoever floods the table
 * with names gets others' counts forgotten, but for that has to be wrong thousands of times from
 * many addresses, each of which is counted by itself.
 */
#include "server/admin/throttle.h"

#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/crypto.h"

#define SETS     1024u
#define SET_SIZE 8u

struct count {
    uint64_t key; /* 0 = empty */
    int64_t since;
    int tries;
    bool told;
};

struct throttle {
    uint8_t secret[CRYPTO_KEY_LEN]; /* nobody chooses who shares a set with him */
    struct count sets[SETS][SET_SIZE];
};

enum what { BOTH, SOURCE, ACCOUNT, WHAT_COUNT };
static const int limits[WHAT_COUNT] = {THROTTLE_BOTH, THROTTLE_SOURCE, THROTTLE_ACCOUNT};

struct throttle *throttle_new(void)
{
    struct throttle *t = calloc(1, sizeof(*t));

    if (t != NULL)
        crypto_random(t->secret, sizeof(t->secret));
    return t;
}

void throttle_free(struct throttle *t)
{
    free(t);
}

/* What a key is the digest of; of fixed size, however long a name somebody sends. */
struct counted {
    uint8_t what, family, ip[16];
    uint8_t account[CRYPTO_SHA256_LEN];
};

static uint64_t key_of(const struct throttle *t, enum what what, const char *account,
                       const char *source)
{
    struct counted c = {.what = (uint8_t)what};
    uint8_t digest[CRYPTO_SHA256_LEN];
    struct addr_ip ip;
    uint64_t key;
    int rc = 0;

    if (what != ACCOUNT && addr_parse_ip(source, strlen(source), &ip) == 0) {
        c.family = ip.family;
        memcpy(c.ip, ip.bytes, ip.family == 6 ? 8 : 4);
    }
    if (what != SOURCE)
        rc = crypto_sha256(account, strlen(account), c.account);
    if (rc != 0 || crypto_hmac(t->secret, sizeof(t->secret), &c, sizeof(c), digest) != 0)
        return 1; /* everybody is counted as one then */
    memcpy(&key, digest, sizeof(key));
    return key == 0 ? 1 : key;
}

/* The slot of a key; with `make` the oldest one of its set is taken for it. */
static struct count *find(struct throttle *t, uint64_t key, int64_t now, bool make)
{
    struct count *set = t->sets[key % SETS], *oldest = set;

    for (unsigned i = 0; i < SET_SIZE; i++) {
        if (set[i].key == key && now - set[i].since >= 0 && now - set[i].since < THROTTLE_WINDOW_S)
            return &set[i];
        if (set[i].key == 0 || set[i].key == key || set[i].since < oldest->since)
            oldest = &set[i];
    }
    if (!make)
        return NULL;
    *oldest = (struct count){.key = key, .since = now};
    return oldest;
}

int64_t throttle_wait(struct throttle *t, const char *account, const char *source, int64_t now,
                      bool *first)
{
    int64_t wait = 0;

    *first = false;
    for (int w = 0; w < WHAT_COUNT; w++) {
        struct count *c = find(t, key_of(t, (enum what)w, account, source), now, false);

        if (c == NULL || c->tries < limits[w])
            continue;
        if (c->since + THROTTLE_WINDOW_S - now > wait)
            wait = c->since + THROTTLE_WINDOW_S - now;
        *first = *first || !c->told;
        c->told = true;
    }
    return wait;
}

void throttle_note(struct throttle *t, const char *account, const char *source, int64_t now)
{
    for (int w = 0; w < WHAT_COUNT; w++)
        find(t, key_of(t, (enum what)w, account, source), now, true)->tries++;
}

void throttle_forgive(struct throttle *t, const char *account, const char *source)
{
    uint64_t key = key_of(t, BOTH, account, source);
    struct count *set = t->sets[key % SETS];

    for (unsigned i = 0; i < SET_SIZE; i++) {
        if (set[i].key == key)
            set[i] = (struct count){0};
    }
}
