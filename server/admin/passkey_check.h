/*
 * Checking what an authenticator (WebAuthn) said, by libfido2. That is done in a program of its own,
 * pra-passkey, started for one question by the spawner: libfido2 brings the distribution's libcrypto and a parser
 * of CBOR, and prad wants neither in its process. What is checked here, and not there, is what has
 * nothing to do with cryptography: whose passkey it is, the challenge, the origin, the counter.
 */
#ifndef PRA_SERVER_ADMIN_PASSKEY_CHECK_H
#define PRA_SERVER_ADMIN_PASSKEY_CHECK_H

#include <stdint.h>

#include "common/err.h"
#include "server/store/store.h"

#define PASSKEY_AUTH_DATA_MAX 2048 /* bytes: an RSA key and extensions fit several times */
#define PASSKEY_SIGNATURE_MAX 600
#define PASSKEY_TIMEOUT_MS    3000 /* of the program; it takes 10 */

/*
 * Reads a new credential for the host name `rp` out of authenticator data (WebAuthn, 6.1): user
 * verified, a key that we know. Fills in credential, algorithm, key and counter. Returns 0,
 * PRA_EINVAL (not good), PRA_EIO (the program failed, or there is no spawner), PRA_ETIMEOUT.
 */
int passkey_read(const char *rp, const uint8_t *auth_data, size_t len, struct store_passkey *out,
                 struct fault *f);

/*
 * Did this passkey sign `client_hash` for its host name, with the user verified? `*counter` is what
 * the authenticator counts. Returns 0, PRA_EPASSPHRASE (no), PRA_EIO, PRA_ETIMEOUT.
 */
int passkey_verify(const struct store_passkey *p, const uint8_t client_hash[STORE_HASH_LEN],
                   const uint8_t *auth_data, size_t len, const uint8_t *signature,
                   size_t signature_len, int64_t *counter, struct fault *f);

#endif
