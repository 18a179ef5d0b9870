/* Device tickets as the store keeps them: hashes only; a part of store.h. See server/prad/tickets.h. */
#ifndef PRA_SERVER_STORE_STORE_TICKET_H
#define PRA_SERVER_STORE_STORE_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"

struct store_ticket {
    int64_t key;
    bool has_current, has_next;
    uint8_t current[CRYPTO_SHA256_LEN]; /* the one that the device has shown or stored */
    uint8_t next[CRYPTO_SHA256_LEN];    /* handed out, not heard of since */
};

/* As in store.h. */
typedef int (*store_ticket_fn)(const struct store_ticket *, void *ctx);

#endif
