/* What an unsealed key is made of, in pages for secrets (common/secmem.h). Private to keys/: everybody else holds a `struct key *`. */
#ifndef PRA_KEYS_KEY_H
#define PRA_KEYS_KEY_H

#include "common/crypto.h"

struct key {
    enum crypto_key_type type;
    uint8_t secret[CRYPTO_SECRET_LEN];
};

#endif
