/*
 * What waiting mail says may be a code with which somebody chooses a password: in the database it is
 * sealed, so that a copy of that (a backup, a disk that was thrown away) gives none. The key is made
 * of the host key, which is not in the database and which everything here hangs on anyway: no further
 * secret that could be lost. Another host key cannot open what was sealed before; that mail fails.
 */
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/secmem.h"
#include "server/admin/admin_internal.h"
#include "server/admin/hostkey.h"
#include "server/admin/mail.h"

#define MARK   "v1:" /* an older prad's mail begins with a brace instead */
#define INFO   "PRA mail queue 1"
#define EXTRA  (CRYPTO_GCM_IV_LEN + CRYPTO_GCM_TAG_LEN)
#define SEALED (sizeof(MARK) - 1)

int mail_key_load(struct admin *a, struct fault *f)
{
    uint8_t *seed, *key;
    int rc;

    if (a->mail_key != NULL)
        return 0;
    seed = secmem_new(HOSTKEY_SEED_LEN);
    key = secmem_new(CRYPTO_KEY_LEN);
    rc = seed == NULL || key == NULL ? fault_set(f, PRA_ENOMEM, "no memory")
                                     : hostkey_load(a->host_key_path, seed, f);
    if (rc == 0)
        rc = crypto_hkdf(seed, HOSTKEY_SEED_LEN, NULL, 0, INFO, sizeof(INFO) - 1, key,
                         CRYPTO_KEY_LEN);
    secmem_free(seed);
    if (rc != 0) {
        secmem_free(key);
        return rc;
    }
    a->mail_key = key;
    return 0;
}

int mail_seal(struct admin *a, const char *to, const char *content, char **out, struct fault *f)
{
    size_t len = strlen(content), all = len + EXTRA;
    uint8_t *sealed = malloc(all);
    char *text = malloc(SEALED + 4 * ((all + 2) / 3) + 1);
    struct fault why = {0};
    int rc;

    if (sealed == NULL || text == NULL) {
        free(sealed);
        free(text);
        return fault_set(f, PRA_ENOMEM, "mail: no memory");
    }
    rc = mail_key_load(a, &why);
    if (rc != 0) {
        log_event(LOG_WARN, "mail-not-sealed", "error=\"%s\"", why.text);
        rc = fault_set(f, rc == PRA_ENOMEM ? rc : PRA_EUNSUPPORTED,
                       "mail: cannot be sealed without the host key: %s", why.text);
    }
    if (rc == 0) {
        crypto_random(sealed, CRYPTO_GCM_IV_LEN);
        rc = crypto_gcm_seal(a->mail_key, sealed, to, strlen(to), content, len,
                             sealed + CRYPTO_GCM_IV_LEN, sealed + CRYPTO_GCM_IV_LEN + len);
    }
    if (rc == 0) {
        memcpy(text, MARK, SEALED);
        crypto_base64_encode(sealed, all, text + SEALED);
        *out = text;
        text = NULL;
    }
    free(sealed);
    free(text);
    return rc;
}

/* Returns 0 with the JSON in `plain`, which holds as much as `len` bytes of base64 give. */
static int unseal(struct admin *a, const char *to, const char *text, size_t len, uint8_t *plain,
                  struct fault *f)
{
    size_t all = len;
    int rc = mail_key_load(a, f);

    if (rc != 0)
        return rc;
    if (crypto_base64_decode(text, len, plain, &all) != 0 || all < EXTRA)
        return PRA_ECORRUPT;
    all -= EXTRA;
    rc = crypto_gcm_open(a->mail_key, plain, to, strlen(to), plain + CRYPTO_GCM_IV_LEN, all,
                         plain + CRYPTO_GCM_IV_LEN + all, plain + CRYPTO_GCM_IV_LEN);
    if (rc != 0)
        return rc;
    memmove(plain, plain + CRYPTO_GCM_IV_LEN, all);
    plain[all] = '\0';
    return 0;
}

int mail_unseal(struct admin *a, const char *to, char **content, struct fault *f)
{
    char *text = *content;
    size_t len = strlen(text);
    uint8_t *plain;
    int rc;

    if (strncmp(text, MARK, SEALED) != 0)
        return 0;
    plain = malloc(len + 1);
    if (plain == NULL)
        return fault_set(f, PRA_ENOMEM, "mail: no memory");
    rc = unseal(a, to, text + SEALED, len - SEALED, plain, f);
    if (rc != 0) {
        crypto_wipe(plain, len + 1); /* the recipient may be all that does not fit */
        free(plain);
        return rc == PRA_ENOMEM
                   ? rc
                   : fault_set(f, PRA_ECORRUPT, "it was sealed with another host key, or damaged");
    }
    free(text);
    *content = (char *)plain;
    return 0;
}
