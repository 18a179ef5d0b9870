/*
 * The host key's file: made once by `pra-admin init`, read by prad once.
 */
#include "server/admin/hostkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/os.h"
#include "common/secmem.h"

#define MAGIC      "openssh-key-v1" /* with its NUL */
#define BEGIN_LINE "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END_LINE   "-----END OPENSSH PRIVATE KEY-----\n"
#define COMMENT    "PRA gateway"
#define IMAGE_MAX  512  /* an Ed25519 key takes 274 bytes */
#define TEXT_MAX   4096 /* with a long comment */
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

/* What is read of the file, in locked memory: it is the private key, whatever of it is wanted. */
struct reading {
    char text[TEXT_MAX];
    size_t text_len;
    uint8_t image[TEXT_MAX];
    size_t image_len;
};

static int read_text(const char *path, struct reading *r, struct stat *st, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = 1;

    if (fd < 0 || fstat(fd, st) != 0) {
        int err = errno;

        if (fd >= 0)
            close(fd);
        return fault_set(f, err == ENOENT ? PRA_ENOENT : PRA_EIO, "%s: %s", path, strerror(err));
    }
    while (n > 0 && r->text_len < sizeof(r->text) - 1) {
        n = read(fd, r->text + r->text_len, sizeof(r->text) - 1 - r->text_len);
        r->text_len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return n >= 0 ? 0 : fault_set(f, PRA_EIO, "%s: cannot be read", path);
}

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

/* Reads the file and takes the base64 off. `r` is zeroed. */
static int read_image(const char *path, struct reading *r, struct stat *st, struct fault *f)
{
    int rc = read_text(path, r, st, f);
    char *base64 = rc == 0 ? find_base64(r->text, &r->text_len) : NULL;

    if (rc != 0)
        return rc;
    r->image_len = sizeof(r->image);
    if (base64 == NULL || crypto_base64_decode(base64, r->text_len, r->image, &r->image_len) != 0 ||
        r->image_len < sizeof(MAGIC) || memcmp(r->image, MAGIC, sizeof(MAGIC)) != 0)
        return PRA_ECORRUPT;
    return 0;
}

/* Goes to the public part, and over it. NULL if there is none. */
static const uint8_t *take_public(const struct reading *r, const uint8_t **at, size_t *left,
                                  size_t *len)
{
    size_t rest;

    *at = r->image + sizeof(MAGIC);
    *left = r->image_len - sizeof(MAGIC);
    for (int i = 0; i < 3; i++) { /* cipher, KDF, its options */
        if (take_string(at, left, &rest) == NULL)
            return NULL;
    }
    if (*left < 4)
        return NULL;
    *at += 4; /* the number of keys */
    *left -= 4;
    return take_string(at, left, len);
}

/* Type and fingerprint from the image's public part. */
static int read_public(const struct reading *r, char type[SSHKEY_TYPE_MAX],
                       char fingerprint[SSHKEY_FINGERPRINT_MAX])
{
    const uint8_t *at, *name;
    size_t left, blob_len, name_len, rest;
    const uint8_t *blob = take_public(r, &at, &left, &blob_len);

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

/* The part that encryption would cover; put_private() above says what is in it. */
static int read_private(const struct reading *r, uint8_t seed[HOSTKEY_SEED_LEN])
{
    const uint8_t *at, *part, *both;
    size_t left, len, both_len, rest;

    if (take_public(r, &at, &left, &len) == NULL)
        return PRA_ECORRUPT;
    part = take_string(&at, &left, &len);
    if (part == NULL || len < 8 || memcmp(part, part + 4, 4) != 0)
        return PRA_ECORRUPT; /* encrypted, for one */
    at = part + 8;
    left = len - 8;
    for (int i = 0; i < 2; i++) { /* type, public key */
        if (take_string(&at, &left, &rest) == NULL)
            return PRA_ECORRUPT;
    }
    both = take_string(&at, &left, &both_len);
    if (both == NULL || both_len != HOSTKEY_SEED_LEN + PUBLIC_LEN)
        return PRA_ECORRUPT;
    memcpy(seed, both, HOSTKEY_SEED_LEN);
    return 0;
}

int hostkey_read(const char *path, char type[SSHKEY_TYPE_MAX],
                 char fingerprint[SSHKEY_FINGERPRINT_MAX], struct fault *f)
{
    struct reading *r = secmem_new(sizeof(*r));
    struct stat st;

    if (r == NULL)
        return fault_set(f, PRA_EIO, "%s: out of memory", path);
    int rc = read_image(path, r, &st, f);
    if (rc == 0)
        rc = read_public(r, type, fingerprint);
    secmem_free(r);
    return rc == PRA_ECORRUPT ? fault_set(f, rc, "%s is no private key in OpenSSH's format", path)
                              : rc;
}

int hostkey_load(const char *path, uint8_t seed[HOSTKEY_SEED_LEN], struct fault *f)
{
    char type[SSHKEY_TYPE_MAX] = "", fingerprint[SSHKEY_FINGERPRINT_MAX];
    struct reading *r = secmem_new(sizeof(*r));
    struct stat st = {.st_mode = 0};

    if (r == NULL)
        return fault_set(f, PRA_EIO, "%s: out of memory", path);
    int rc = read_image(path, r, &st, f);
    if (rc == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        rc = fault_set(f, PRA_EACCES, "%s: others may read it (chmod 600)", path);
    if (rc == 0)
        rc = read_public(r, type, fingerprint);
    if (rc == 0 && strcmp(type, HOSTKEY_TYPE) != 0)
        rc = fault_set(f, PRA_EINVAL, "%s: is not an Ed25519 key", path);
    if (rc == 0)
        rc = read_private(r, seed);
    secmem_free(r);
    return rc == PRA_ECORRUPT
               ? fault_set(f, rc, "%s: is no unencrypted private key in OpenSSH's format", path)
               : rc;
}
