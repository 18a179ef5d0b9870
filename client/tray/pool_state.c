/* pool_state.h */
#include "client/tray/pool_state.h"

#include <string.h>

#include "common/crypto.h"

/* A movement fills one cell, a key several: nobody types as often as a mouse moves. */
#define CELLS_PER_MOVE 1
#define CELLS_PER_KEY  5

enum { KIND_MOVE = 1, KIND_KEY };

/* What is mixed in. */
struct event {
    int64_t now;
    uint32_t time, kind;
    double x, y;
};

static bool feed(struct pool_state *p, const struct event *e, unsigned cells)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    bool before = pool_state_full(p);

    crypto_random_mix(e, sizeof(*e));
    if (crypto_sha256(e, sizeof(*e), hash) != 0)
        return false;
    for (unsigned i = 0; i < cells; i++) {
        unsigned at = p->filled < POOL_CELLS ? p->filled++ : (unsigned)hash[i] * POOL_CELLS / 256;

        p->cell[at] ^= (uint8_t)(hash[i] | 1u);
    }
    return pool_state_full(p) && !before;
}

bool pool_state_move(struct pool_state *p, int64_t now, uint32_t time, double x, double y)
{
    struct event e;
    bool filled = false;

    memset(&e, 0, sizeof(e)); /* no unwritten bytes between members */
    e.now = now;
    e.time = time;
    e.kind = KIND_MOVE;
    e.x = x;
    e.y = y;
    if (x != p->x || y != p->y)
        filled = feed(p, &e, CELLS_PER_MOVE);
    p->x = x;
    p->y = y;
    return filled;
}

bool pool_state_key(struct pool_state *p, int64_t now, uint32_t time)
{
    struct event e;

    memset(&e, 0, sizeof(e));
    e.now = now;
    e.time = time;
    e.kind = KIND_KEY;
    return feed(p, &e, CELLS_PER_KEY);
}

bool pool_state_full(const struct pool_state *p)
{
    return p->filled >= POOL_CELLS;
}
