/* See password.h. Any thread. */
#include "server/admin/password.h"

#include <string.h>
#include <strings.h>

#include "common/crypto.h"
#include "common/utf8.h"

int password_check(const char *account, const char *password, struct fault *f)
{
    size_t len = strlen(password), count = 0;
    uint32_t cp;

    if (len > PASSWORD_MAX)
        return fault_set(f, PRA_EINVAL, "password: longer than %d bytes", PASSWORD_MAX);
    for (size_t i = 0, n; i < len; i += n, count++) {
        n = utf8_decode(password + i, len - i, &cp);
        if (n == 0 || cp < 0x20 || cp == 0x7f)
            return fault_set(f, PRA_EINVAL, "password: holds a character that cannot be typed");
    }
    if (count < PASSWORD_LEAST)
        return fault_set(f, PRA_EWEAK, "password: shorter than %d characters", PASSWORD_LEAST);
    if (strcasecmp(password, account) == 0)
        return fault_set(f, PRA_EWEAK, "password: is the account's name");
    return 0;
}

int password_proof(const char *password, const uint8_t salt[PASSWORD_SALT_LEN],
                   uint8_t proof[PASSWORD_PROOF_LEN])
{
    return crypto_scrypt(password, strlen(password), salt, PASSWORD_SALT_LEN, PASSWORD_LOG2_N,
                         PASSWORD_R, PASSWORD_P, proof, PASSWORD_PROOF_LEN);
}
