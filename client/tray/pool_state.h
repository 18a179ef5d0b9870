/*
 * What the random pool of A3 holds and how full it is, without drawing: for GTK and Win32 alike. Every
 * event is mixed into OpenSSL's generator, which is enough without it.
 */
#ifndef PRA_CLIENT_TRAY_POOL_STATE_H
#define PRA_CLIENT_TRAY_POOL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define POOL_CELLS_X 32
#define POOL_CELLS_Y 6
#define POOL_CELLS   (POOL_CELLS_X * POOL_CELLS_Y)

/* Zero-initialised: empty. Wipe it (crypto_wipe) when done. */
struct pool_state {
    uint8_t cell[POOL_CELLS]; /* how strongly each is drawn */
    unsigned filled;          /* cells, from the first */
    double x, y;              /* of the last movement that counted */
};

/*
 * The mouse has moved to x, y: `now` is a clock as fine as there is, `time` the event's own. A place
 * where it was already does not count. Returns true when that filled the pool.
 */
bool pool_state_move(struct pool_state *p, int64_t now, uint32_t time, double x, double y);

/* A key was pressed. Which one does not go in: the passphrase is nobody's business. */
bool pool_state_key(struct pool_state *p, int64_t now, uint32_t time);

bool pool_state_full(const struct pool_state *p);

#endif
