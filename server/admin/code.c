/* One-time codes; see code.h. */
#include "server/admin/code.h"

#include <ctype.h>
#include <string.h>

#include "common/crypto.h"

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int code_hash(const char *text, uint8_t hash[STORE_HASH_LEN])
{
    char plain[2 * CODE_TEXT_MAX];
    size_t len = 0;
    int rc;

    for (; *text != '\0' && len < sizeof(plain); text++) {
        if (*text != '-' && *text != ' ')
            plain[len++] = (char)toupper((unsigned char)*text);
    }
    rc = crypto_sha256(plain, len, hash);
    crypto_wipe(plain, sizeof(plain));
    return rc;
}

int code_make(size_t chars, char text[CODE_TEXT_MAX], uint8_t hash[STORE_HASH_LEN])
{
    uint8_t random[CODE_CHARS_MAX];
    size_t at = 0;

    crypto_random(random, sizeof(random));
    for (size_t i = 0; i < chars; i++) {
        if (i > 0 && i % 4 == 0)
            text[at++] = '-';
        text[at++] = base32[random[i] % 32];
    }
    text[at] = '\0';
    crypto_wipe(random, sizeof(random));
    return code_hash(text, hash);
}
