/*
 * The host key's file: made once by `pra-admin init`, read for its fingerprint.
 */
#include "server/admin/hostkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/crypto.h"
#include "common/os.h"

#define MAGIC      "openssh-key-v1" /* with its NUL */
#define BEGIN_LINE "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END_LINE   "-----END OPENSSH PRIVATE KEY-----\n"
#define COMMENT    "PRA gateway"
#define IMAGE_MAX  512 /* an Ed25519 key takes 274 bytes */
#define TEXT_MAX   1024
#define FILE_MAX   (64u * 1024)
#define LINE_LEN   70
#define PUBLIC_LEN 32

/* ---- SSH's wire form (RFC 4251, section 5) ------------------------------------------------------ */

struct writer {
    uint8_t data[IMAGE_MAX];
    size_t len;
};

static void put_bytes(struct writer *w, const void *data, size_t len)
{
    memcpy(w->data + w->len, data, len);
    w->len += len;
}

static void put_u32(struct writer *w, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    put_bytes(w, b, sizeof(b));
}

static void put_string(struct writer *w, const void *data, size_t len)
{
    put_u32(w, (uint32_t)len);
    put_bytes(w, data, len);
}

static void put_public(struct writer *w, const uint8_t pub[PUBLIC_LEN])
{
    put_string(w, HOSTKEY_TYPE, strlen(HOSTKEY_TYPE));
    put_string(w, pub, PUBLIC_LEN);
}

/* Takes a length-prefixed string from the front. NULL if there is none. */
static const uint8_t *take_string(const uint8_t **at, size_t *left, size_t *len)
{
    const uint8_t *p = *at;

    if (*left < 4)
        return NULL;
    *len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (*len > *left - 4)
        return NULL;
    *at += 4 + *len;
    *left -= 4 + *len;
    return p + 4;
}

/* ---- making ------------------------------------------------------------------------------------- */

/* The part that encryption would cover: check number twice, key, comment, padding 1, 2, 3, ... */
static void put_private(struct writer *w, const uint8_t seed[CRYPTO_SECRET_LEN],
                        const uint8_t pub[PUBLIC_LEN])
{
    struct writer part = {.len = 0};
    uint8_t both[CRYPTO_SECRET_LEN + PUBLIC_LEN];
    uint32_t check;

    crypto_random(&check, sizeof(check));
    memcpy(both, seed, CRYPTO_SECRET_LEN);
    memcpy(both + CRYPTO_SECRET_LEN, pub, PUBLIC_LEN);
    put_u32(&part, check);
    put_u32(&part, check);
    put_public(&part, pub);
    put_string(&part, both, sizeof(both));
    put_string(&part, COMMENT, strlen(COMMENT));
    for (uint8_t pad = 1; part.len % 8 != 0; pad++)
        put_bytes(&part, &pad, 1);
    put_string(w, part.data, part.len);
    crypto_wipe(&part, sizeof(part));
    crypto_wipe(both, sizeof(both));
}

static void append(char *text, size_t *len, const void *data, size_t n)
{
    memcpy(text + *len, data, n);
    *len += n;
}

/* The image in base64 between its two lines; no NUL. `text` holds TEXT_MAX. Returns its length. */
static size_t armour(const struct writer *w, char *text)
{
    char base64[TEXT_MAX];
    size_t total, len = 0;

    crypto_base64_encode(w->data, w->len, base64);
    total = strlen(base64);
    append(text, &len, BEGIN_LINE, strlen(BEGIN_LINE));
    for (size_t i = 0; i < total; i += LINE_LEN) {
        append(text, &len, base64 + i, total - i < LINE_LEN ? total - i : LINE_LEN);
        append(text, &len, "\n", 1);
    }
    append(text, &len, END_LINE, strlen(END_LINE));
    crypto_wipe(base64, sizeof(base64));
    return len;
}

static int fingerprint_of(const uint8_t pub[PUBLIC_LEN], char dst[SSHKEY_FINGERPRINT_MAX])
{
    struct writer blob = {.len = 0};

    put_public(&blob, pub);
    return sshkey_fingerprint(blob.data, blob.len, dst);
}

static int write_key(const char *path, const uint8_t seed[CRYPTO_SECRET_LEN],
                     const uint8_t pub[PUBLIC_LEN], struct fault *f)
{
    struct writer blob = {.len = 0}, image = {.len = 0};
    char text[TEXT_MAX];
    size_t len;
    int rc;

    put_public(&blob, pub);
    put_bytes(&image, MAGIC, sizeof(MAGIC));
    put_string(&image, "none", 4);
    put_string(&image, "none", 4);
    put_string(&image, "", 0);
    put_u32(&image, 1);
    put_string(&image, blob.data, blob.len);
    put_private(&image, seed, pub);
    len = armour(&image, text);
    rc = os_file_replace(path, text, len, 0600, f);
    crypto_wipe(&image, sizeof(image));
    crypto_wipe(text, sizeof(text));
    return rc;
}

int hostkey_create(const char *path, char fingerprint[SSHKEY_FINGERPRINT_MAX], struct fault *f)
{
    uint8_t seed[CRYPTO_SECRET_LEN], pub[CRYPTO_PUBLIC_MAX];
    size_t pub_len = 0;
    struct stat st;
    int rc;

    if (lstat(path, &st) == 0)
        return fault_set(f, PRA_EEXIST, "%s exists already", path);
    if (crypto_key_generate(CRYPTO_ED25519, seed) != 0 ||
        crypto_key_public(CRYPTO_ED25519, seed, pub, &pub_len) != 0 || pub_len != PUBLIC_LEN ||
        fingerprint_of(pub, fingerprint) != 0)
        rc = fault_set(f, PRA_ECRYPTO, "no host key could be made");
    else
        rc = write_key(path, seed, pub, f);
    crypto_wipe(seed, sizeof(seed));
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* The base64 between the two lines, without its line ends; `text` is changed. NULL if not there. */
static char *find_base64(char *text, size_t *len)
{
    char *begin = strstr(text, BEGIN_LINE), *end, *to;

    if (begin == NULL)
        return NULL;
    begin += strlen(BEGIN_LINE);
    end = strstr(begin, "-----END");
    if (end == NULL)
        return NULL;
    to = begin;
    for (const char *from = begin; from < end; from++) {
        if (*from != '\n' && *from != '\r')
            *to++ = *from;
    }
    *len = (size_t)(to - begin);
    return begin;
}

/* Type and fingerprint from the image's public part. */
static int read_public(const uint8_t *at, size_t left, char type[SSHKEY_TYPE_MAX],
                       char fingerprint[SSHKEY_FINGERPRINT_MAX])
{
    const uint8_t *blob, *name;
    size_t blob_len, name_len, rest;

    if (left < sizeof(MAGIC) || memcmp(at, MAGIC, sizeof(MAGIC)) != 0)
        return PRA_ECORRUPT;
    at += sizeof(MAGIC);
    left -= sizeof(MAGIC);
    for (int i = 0; i < 3; i++) { /* cipher, KDF, its options */
        if (take_string(&at, &left, &rest) == NULL)
            return PRA_ECORRUPT;
    }
    if (left < 4)
        return PRA_ECORRUPT;
    at += 4; /* the number of keys */
    left -= 4;
    blob = take_string(&at, &left, &blob_len);
    if (blob == NULL)
        return PRA_ECORRUPT;
    at = blob;
    rest = blob_len;
    name = take_string(&at, &rest, &name_len);
    if (name == NULL || name_len >= SSHKEY_TYPE_MAX)
        return PRA_ECORRUPT;
    memcpy(type, name, name_len);
    type[name_len] = '\0';
    return sshkey_fingerprint(blob, blob_len, fingerprint);
}

int hostkey_read(const char *path, char type[SSHKEY_TYPE_MAX],
                 char fingerprint[SSHKEY_FINGERPRINT_MAX], struct fault *f)
{
    char *text = NULL, *base64;
    uint8_t *image = NULL;
    size_t len = 0, image_len;
    int rc = os_file_read(path, FILE_MAX, &text, &len, f);

    if (rc != 0)
        return rc;
    rc = PRA_ECORRUPT;
    base64 = find_base64(text, &image_len);
    image = malloc(len + 1);
    if (base64 != NULL && image != NULL) {
        size_t base64_len = image_len;

        image_len = len;
        if (crypto_base64_decode(base64, base64_len, image, &image_len) == 0)
            rc = read_public(image, image_len, type, fingerprint);
    }
    if (image != NULL)
        crypto_wipe(image, len);
    crypto_wipe(text, len);
    free(image);
    free(text);
    return rc == 0 ? 0 : fault_set(f, rc, "%s is no private key in OpenSSH's format", path);
}
