/* Tunnels; see tunnel.h. Everything here is guarded by the registry's lock. */
#include "server/prad/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/prad/live_internal.h"
#include "server/prad/worker.h"

enum token_state { TOKEN_NONE, TOKEN_WAITS, TOKEN_USED };

struct tunnel_tokens {
    struct {
        enum token_state state;
        uint64_t expires_ms;
        uint8_t hash[CRYPTO_SHA256_LEN];
    } slot[TUNNEL_TOKENS_MAX];
};

const char *tunnel_answer_word(enum tunnel_answer a)
{
    static const char *const WORDS[] = {
#define X(id, word) [id] = word,
        TUNNEL_ANSWER_MAP(X)
#undef X
    };
    return WORDS[a];
}

/* ---- what is shared ------------------------------------------------------------------------ */

struct tunnel_share *tunnel_share_new(void)
{
    struct tunnel_share *share = calloc(1, sizeof(*share));
    if (share)
        atomic_init(&share->users, 1);
    return share;
}

void tunnel_share_release(struct tunnel_share *share)
{
    if (share && atomic_fetch_sub(&share->users, 1) == 1)
        free(share);
}

/* ---- tokens -------------------------------------------------------------------------------- */

static unsigned tokens_waiting(const struct live_entry *primary, uint64_t now_ms)
{
    const struct tunnel_tokens *t = primary->tokens;
    unsigned count = 0;
    for (size_t i = 0; t && i < TUNNEL_TOKENS_MAX; i++)
        count += t->slot[i].state == TOKEN_WAITS && t->slot[i].expires_ms > now_ms;
    return count;
}

/* A place for a new token: a free one, else one that nobody can use any more. */
static size_t free_slot(const struct tunnel_tokens *t, uint64_t now_ms)
{
    size_t found = TUNNEL_TOKENS_MAX;
    for (size_t i = 0; i < TUNNEL_TOKENS_MAX; i++) {
        if (t->slot[i].state == TOKEN_NONE)
            return i;
        if (t->slot[i].state == TOKEN_USED || t->slot[i].expires_ms <= now_ms)
            found = i;
    }
    return found;
}

static int issue(struct live_entry *primary, unsigned max, uint64_t now_ms, uint64_t life_ms,
                 char token[TUNNEL_TOKEN_TEXT])
{
    uint8_t secret[TUNNEL_TOKEN_LEN];
    if (primary->secondary || primary->closed)
        return PRA_ECLOSED;
    if (1 + primary->member_count + tokens_waiting(primary, now_ms) >= max)
        return PRA_EFULL;
    if (!primary->tokens)
        primary->tokens = calloc(1, sizeof(*primary->tokens));
    if (!primary->tokens)
        return PRA_ENOMEM;
    struct tunnel_tokens *t = primary->tokens;
    size_t i = free_slot(t, now_ms);
    if (i == TUNNEL_TOKENS_MAX)
        return PRA_EFULL;
    crypto_random(secret, sizeof(secret));
    int rc = crypto_sha256(secret, sizeof(secret), t->slot[i].hash);
    t->slot[i].expires_ms = now_ms + life_ms;
    t->slot[i].state = rc == 0 ? TOKEN_WAITS : TOKEN_NONE;
    if (rc == 0)
        crypto_hex_encode(secret, sizeof(secret), token);
    crypto_wipe(secret, sizeof(secret));
    return rc;
}

int tunnel_issue(struct live *l, struct live_entry *primary, unsigned max, uint64_t now_ms,
                 uint64_t life_ms, char token[TUNNEL_TOKEN_TEXT])
{
    pthread_mutex_lock(&l->lock);
    int rc = issue(primary, max, now_ms, life_ms, token);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* Uses the token up. All places are compared, each in the same time. */
static enum tunnel_answer redeem(struct tunnel_tokens *t, const uint8_t hash[CRYPTO_SHA256_LEN],
                                 uint64_t now_ms)
{
    enum tunnel_answer answer = TUNNEL_UNKNOWN;
    for (size_t i = 0; t && i < TUNNEL_TOKENS_MAX; i++) {
        bool same = crypto_equal(t->slot[i].hash, hash, CRYPTO_SHA256_LEN);
        if (!same || t->slot[i].state == TOKEN_NONE)
            continue;
        if (t->slot[i].state == TOKEN_USED)
            answer = TUNNEL_USED;
        else
            answer = t->slot[i].expires_ms > now_ms ? TUNNEL_JOINED : TUNNEL_EXPIRED;
        t->slot[i].state = TOKEN_USED;
    }
    return answer;
}

/* ---- joining and leaving ------------------------------------------------------------------- */

static struct live_entry *find_primary(const struct live *l, const char *session)
{
    struct live_entry *p = l->head;
    while (p && (p->secondary || p->closed || strcmp(p->id, session) != 0))
        p = p->next;
    return p;
}

static enum tunnel_answer join(struct live *l, struct live_entry *e, const char *session,
                               const uint8_t hash[CRYPTO_SHA256_LEN], unsigned max, uint64_t now_ms)
{
    struct live_entry *p = find_primary(l, session);
    if (!p || p == e)
        return TUNNEL_UNKNOWN;
    enum tunnel_answer answer = redeem(p->tokens, hash, now_ms);
    if (answer != TUNNEL_JOINED)
        return answer;
    if (strcmp(p->user, e->user) != 0 || strcmp(p->device, e->device) != 0)
        return TUNNEL_FOREIGN;
    if (1 + p->member_count >= max)
        return TUNNEL_FULL;
    e->secondary = true;
    tunnel_share_release(e->share);
    e->share = p->share;
    atomic_fetch_add(&e->share->users, 1);
    snprintf(e->id, sizeof(e->id), "%s", p->id);
    e->primary = p;
    e->member_next = p->members;
    if (p->members)
        p->members->member_prev = e;
    p->members = e;
    p->member_count++;
    return TUNNEL_JOINED;
}

static bool expects(const struct live *l, const struct live_entry *e, const char *session,
                    const uint8_t hash[CRYPTO_SHA256_LEN], uint64_t now_ms)
{
    const struct live_entry *p = find_primary(l, session);
    bool found = false;
    if (!p || !p->tokens || strcmp(p->user, e->user) != 0 || strcmp(p->device, e->device) != 0)
        return false;
    for (size_t i = 0; i < TUNNEL_TOKENS_MAX; i++)
        found |= p->tokens->slot[i].state == TOKEN_WAITS &&
                 p->tokens->slot[i].expires_ms > now_ms &&
                 crypto_equal(p->tokens->slot[i].hash, hash, CRYPTO_SHA256_LEN);
    return found;
}

bool tunnel_expects(struct live *l, const struct live_entry *e, const char *session,
                    const char *token, uint64_t now_ms)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    if (crypto_hash_hex(token, TUNNEL_TOKEN_LEN, hash) != 0)
        return false;
    pthread_mutex_lock(&l->lock);
    bool found = expects(l, e, session, hash, now_ms);
    pthread_mutex_unlock(&l->lock);
    return found;
}

enum tunnel_answer tunnel_join(struct live *l, struct live_entry *e, const char *session,
                               const char *token, unsigned max, uint64_t now_ms)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    if (crypto_hash_hex(token, TUNNEL_TOKEN_LEN, hash) != 0)
        return TUNNEL_UNKNOWN;
    pthread_mutex_lock(&l->lock);
    enum tunnel_answer answer = join(l, e, session, hash, max, now_ms);
    pthread_mutex_unlock(&l->lock);
    return answer;
}

/* Takes `e` out of its tunnel. What it moved stays counted there. */
static void unlink_member(struct live_entry *e)
{
    struct live_entry *p = e->primary;
    if (e->member_prev)
        e->member_prev->member_next = e->member_next;
    else
        p->members = e->member_next;
    if (e->member_next)
        e->member_next->member_prev = e->member_prev;
    e->member_prev = e->member_next = e->primary = NULL;
    p->member_count--;
    e->given_in = atomic_load(&e->bytes_in);
    e->given_out = atomic_load(&e->bytes_out);
    p->left_in += e->given_in;
    p->left_out += e->given_out;
}

void tunnel_close_locked(struct live_entry *primary, const char *reason)
{
    primary->closed = true;
    if (primary->tokens)
        crypto_wipe(primary->tokens, sizeof(*primary->tokens));
    free(primary->tokens);
    primary->tokens = NULL;
    while (primary->members) {
        struct live_entry *e = primary->members;
        unlink_member(e);
        atomic_store(&e->must_end, reason);
        /* Without memory for the mail the session finds the mark at its next tick. */
        (void)worker_end_connection(e->worker, e->connection);
    }
}

void tunnel_close(struct live *l, struct live_entry *primary, const char *reason)
{
    pthread_mutex_lock(&l->lock);
    tunnel_close_locked(primary, reason);
    pthread_mutex_unlock(&l->lock);
}

void tunnel_leave_locked(struct live_entry *e)
{
    if (e->primary)
        unlink_member(e);
    else if (!e->secondary)
        tunnel_close_locked(e, "primary-ended");
}

unsigned tunnel_connections(struct live *l, const struct live_entry *primary)
{
    pthread_mutex_lock(&l->lock);
    unsigned count = 1 + primary->member_count;
    pthread_mutex_unlock(&l->lock);
    return count;
}
