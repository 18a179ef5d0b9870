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

/* Those before STRANGER_COUNT count for strangers; BROWSER does instead of them for a known one. */
enum what { BOTH, SOURCE, ACCOUNT, STRANGER_COUNT, BROWSER = STRANGER_COUNT, REQUESTS, REFUSALS };
static const struct {
    int tries, seconds;
} limits[] = {
    [BOTH] = {THROTTLE_BOTH, THROTTLE_WINDOW_S},
    [SOURCE] = {THROTTLE_SOURCE, THROTTLE_WINDOW_S},
    [ACCOUNT] = {THROTTLE_ACCOUNT, THROTTLE_WINDOW_S},
    [BROWSER] = {THROTTLE_BROWSER, THROTTLE_WINDOW_S},
    [REQUESTS] = {THROTTLE_REQUESTS, THROTTLE_REQUESTS_S},
    [REFUSALS] = {1, THROTTLE_WINDOW_S},
};

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
    uint8_t browser[THROTTLE_BROWSER_LEN];
    uint8_t account[CRYPTO_SHA256_LEN];
    int64_t token;
};

static uint64_t digest_of(const struct throttle *t, const struct counted *c)
{
    uint8_t digest[CRYPTO_SHA256_LEN];
    uint64_t key;

    if (crypto_hmac(t->secret, sizeof(t->secret), c, sizeof(*c), digest) != 0)
        return 1; /* everybody is counted as one then */
    memcpy(&key, digest, sizeof(key));
    return key == 0 ? 1 : key;
}

static uint64_t key_of(const struct throttle *t, enum what what, const struct throttle_who *who)
{
    struct counted c;
    struct addr_ip ip;

    memset(&c, 0, sizeof(c)); /* the padding is a part of the digest */
    c.what = (uint8_t)what;
    if (what == BROWSER)
        memcpy(c.browser, who->browser, sizeof(c.browser));
    else if (what != ACCOUNT && addr_parse_ip(who->source, strlen(who->source), &ip) == 0) {
        c.family = ip.family;
        memcpy(c.ip, ip.bytes, ip.family == 6 ? 8 : 4);
    }
    if (what != SOURCE && what != REFUSALS &&
        crypto_sha256(who->account, strlen(who->account), c.account) != 0)
        return 1;
    return digest_of(t, &c);
}

/* The slot of a key; with `make` the oldest one of its set is taken for it. */
static struct count *find(struct throttle *t, enum what what, uint64_t key, int64_t now, bool make)
{
    struct count *set = t->sets[key % SETS], *oldest = set;

    for (unsigned i = 0; i < SET_SIZE; i++) {
        if (set[i].key == key && now - set[i].since >= 0 &&
            now - set[i].since < limits[what].seconds)
            return &set[i];
        if (set[i].key == 0 || set[i].key == key || set[i].since < oldest->since)
            oldest = &set[i];
    }
    if (!make)
        return NULL;
    *oldest = (struct count){.key = key, .since = now};
    return oldest;
}

/* Of which counts somebody's tries are a part: [*from, *to). */
static void counts_of(const struct throttle_who *who, int *from, int *to)
{
    *from = who->browser != NULL ? BROWSER : 0;
    *to = who->browser != NULL ? BROWSER + 1 : STRANGER_COUNT;
}

int64_t throttle_wait(struct throttle *t, const struct throttle_who *who, int64_t now, bool *first)
{
    int64_t wait = 0;
    int from, to;

    *first = false;
    counts_of(who, &from, &to);
    for (int w = from; w < to; w++) {
        struct count *c = find(t, (enum what)w, key_of(t, (enum what)w, who), now, false);

        if (c == NULL || c->tries < limits[w].tries)
            continue;
        if (c->since + limits[w].seconds - now > wait)
            wait = c->since + limits[w].seconds - now;
        *first = *first || !c->told;
        c->told = true;
    }
    return wait;
}

void throttle_note(struct throttle *t, const struct throttle_who *who, int64_t now)
{
    int from, to;

    counts_of(who, &from, &to);
    for (int w = from; w < to; w++)
        find(t, (enum what)w, key_of(t, (enum what)w, who), now, true)->tries++;
}

void throttle_forgive(struct throttle *t, const struct throttle_who *who)
{
    uint64_t key = key_of(t, who->browser != NULL ? BROWSER : BOTH, who);
    struct count *set = t->sets[key % SETS];

    for (unsigned i = 0; i < SET_SIZE; i++) {
        if (set[i].key == key)
            set[i] = (struct count){0};
    }
}

int64_t throttle_request(struct throttle *t, int64_t token, int64_t now, bool *first)
{
    struct counted counted;
    struct count *c;

    memset(&counted, 0, sizeof(counted));
    counted.what = REQUESTS;
    counted.token = token;
    c = find(t, REQUESTS, digest_of(t, &counted), now, true);
    *first = false;
    if (c->tries < limits[REQUESTS].tries) {
        c->tries++;
        return 0;
    }
    *first = !c->told;
    c->told = true;
    return c->since + limits[REQUESTS].seconds - now;
}

bool throttle_first_refusal(struct throttle *t, const char *source, int64_t now)
{
    const struct throttle_who who = {.account = "", .source = source};

    return find(t, REFUSALS, key_of(t, REFUSALS, &who), now, true)->tries++ == 0;
}
