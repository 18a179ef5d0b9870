/*
 * Passwords of accounts. Whoever takes a password from a person (pra-portal, pra-admin) makes its
 * proof here: scrypt takes a fifth of a second and 32 MiB, which must not hold up prad's keeper.
 * The proof travels to prad, which keeps and compares only its SHA-256: what is in the database
 * cannot be presented in a proof's place.
 *
 * No table of bad passwords: length is what counts (NIST SP 800-63B, 5.1.1.2).
 */
#ifndef PRA_SERVER_ADMIN_PASSWORD_H
#define PRA_SERVER_ADMIN_PASSWORD_H

#include <stdint.h>

#include "common/err.h"

#define PASSWORD_LEAST     12  /* characters */
#define PASSWORD_MAX       256 /* bytes */
#define PASSWORD_SALT_LEN  16
#define PASSWORD_PROOF_LEN 32

/* scrypt N=2^15, r=8, p=3: as good as N=2^17, p=1 with a quarter of its memory (OWASP's table). */
#define PASSWORD_LOG2_N 15u
#define PASSWORD_R      8u
#define PASSWORD_P      3u

/*
 * May this be somebody's password? At least PASSWORD_LEAST characters of valid UTF-8, no control
 * characters, not the account's name. Returns 0, PRA_EINVAL, PRA_EWEAK with a sentence.
 */
int password_check(const char *account, const char *password, struct fault *f);

/* Returns 0, PRA_ECRYPTO. The caller wipes `proof`. */
int password_proof(const char *password, const uint8_t salt[PASSWORD_SALT_LEN],
                   uint8_t proof[PASSWORD_PROOF_LEN]);

#endif
