/*
 * The bytes of a sealed key file (keys/README.md, "File format"). Reading trusts nothing: each
 * length is checked against what is left, each number against its limits, and the checksum at the
 * end shows accidents before anybody is asked for a passphrase.
 */
#include "keys/keyfile_image.h"

#include <string.h>

#include "keys/text.h"

static const uint8_t magic[8] = {0x89, 'P', 'R', 'A', 'K', 'E', 'Y', '\n'};

enum mode { MODE_TOLERANT = 0, MODE_STRICT = 1 };

/* Offsets of the fixed part. */
enum {
    AT_VERSION = 8,
    AT_HEADER_LEN = 10,
    AT_MODE = 12,
    AT_K,
    AT_N,
    AT_TYPE,
    AT_LOG2_N,
    AT_R,
    AT_P,
    AT_WRAPS,
    AT_BOUND = 20,
    AT_CREATED = 22,
    AT_SALT = 30,
    FIXED_LEN = 46
};

static void put_u16(uint8_t *dst, unsigned v)
{
    dst[0] = (uint8_t)(v >> 8);
    dst[1] = (uint8_t)v;
}

static unsigned get_u16(const uint8_t *src)
{
    return (unsigned)src[0] << 8 | src[1];
}

static void put_counted(uint8_t *dst, size_t *at, const void *text, size_t len)
{
    dst[(*at)++] = (uint8_t)len;
    memcpy(dst + *at, text, len);
    *at += len;
}

size_t keyfile_encode_header(const struct keyfile_image *img, uint8_t dst[KEYFILE_HEADER_MAX])
{
    const struct keyfile_info *info = &img->info;
    size_t at = FIXED_LEN;

    memcpy(dst, magic, sizeof(magic));
    put_u16(dst + AT_VERSION, KEYFILE_VERSION);
    dst[AT_MODE] = info->strict ? MODE_STRICT : MODE_TOLERANT;
    dst[AT_K] = (uint8_t)info->k;
    dst[AT_N] = (uint8_t)info->n;
    dst[AT_TYPE] = (uint8_t)info->type;
    dst[AT_LOG2_N] = (uint8_t)img->log2_n;
    dst[AT_R] = KEYFILE_SCRYPT_R;
    dst[AT_P] = KEYFILE_SCRYPT_P;
    dst[AT_WRAPS] = (uint8_t)img->wrap_count;
    put_u16(dst + AT_BOUND, keyfile_bound_mask(info));
    for (unsigned i = 0; i < 8; i++) {
        dst[AT_CREATED + i] = (uint8_t)((uint64_t)info->created >> (56 - 8 * i));
    }
    memcpy(dst + AT_SALT, info->salt, sizeof(info->salt));
    put_counted(dst, &at, info->user, strlen(info->user));
    put_counted(dst, &at, info->computer, strlen(info->computer));
    put_counted(dst, &at, info->public_key, info->public_len);
    dst[at++] = img->check;
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if (info->bound[id]) {
            dst[at++] = img->tags[id];
        }
    }
    put_u16(dst + AT_HEADER_LEN, (unsigned)at);
    return at;
}

int keyfile_encode(const struct keyfile_image *img, uint8_t dst[KEYFILE_ENCODED_MAX], size_t *len)
{
    size_t at = keyfile_encode_header(img, dst);
    int rc;

    for (unsigned i = 0; i < img->wrap_count; i++) {
        const struct keyfile_wrap *w = &img->wraps[i];

        memcpy(dst + at, w->iv, sizeof(w->iv));
        at += sizeof(w->iv);
        memcpy(dst + at, w->sealed, sizeof(w->sealed));
        at += sizeof(w->sealed);
        memcpy(dst + at, w->tag, sizeof(w->tag));
        at += sizeof(w->tag);
    }
    rc = crypto_sha256(dst, at, dst + at);
    if (rc == 0) {
        *len = at + CRYPTO_SHA256_LEN;
    }
    return rc;
}

/* A counted text of at most `max` bytes, printable UTF-8. */
static bool get_text(const uint8_t *data, size_t end, size_t *at, char *dst, size_t max)
{
    size_t len;

    if (*at >= end) {
        return false;
    }
    len = data[(*at)++];
    if (len == 0 || len > max || len > end - *at || !text_is_plain((const char *)data + *at, len)) {
        return false;
    }
    memcpy(dst, data + *at, len);
    dst[len] = '\0';
    *at += len;
    return true;
}

/* The fixed part; returns what is wrong with it, or NULL. */
static const char *parse_fixed(const uint8_t *data, struct keyfile_image *img)
{
    struct keyfile_info *info = &img->info;
    unsigned bound = get_u16(data + AT_BOUND);
    uint64_t created = 0;

    if (data[AT_MODE] > MODE_STRICT) {
        return "mode of binding unknown";
    }
    if (data[AT_TYPE] != CRYPTO_ED25519 && data[AT_TYPE] != CRYPTO_ECDSA_P256) {
        return "key type unknown";
    }
    if (data[AT_LOG2_N] < KEYFILE_LOG2_N_MIN || data[AT_LOG2_N] > KEYFILE_LOG2_N_MAX ||
        data[AT_R] != KEYFILE_SCRYPT_R || data[AT_P] != KEYFILE_SCRYPT_P) {
        return "scrypt parameters outside the limits";
    }
    if (bound >> MACHINE_ID_COUNT != 0) {
        return "identifiers unknown";
    }
    info->strict = data[AT_MODE] == MODE_STRICT;
    info->k = data[AT_K];
    info->n = data[AT_N];
    info->type = data[AT_TYPE];
    img->log2_n = data[AT_LOG2_N];
    img->wrap_count = data[AT_WRAPS];
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        info->bound[id] = (bound >> id & 1) != 0;
    }
    for (unsigned i = 0; i < 8; i++) {
        created = created << 8 | data[AT_CREATED + i];
    }
    info->created = (int64_t)created;
    memcpy(info->salt, data + AT_SALT, sizeof(info->salt));
    return NULL;
}

/* Names, public key, check byte and tags up to `end`; returns what is wrong, or NULL. */
static const char *parse_counted(const uint8_t *data, size_t end, struct keyfile_image *img)
{
    struct keyfile_info *info = &img->info;
    size_t public_len = info->type == CRYPTO_ED25519 ? 32 : 65;
    size_t at = FIXED_LEN;

    if (!get_text(data, end, &at, info->user, KEYFILE_USER_MAX)) {
        return "user name";
    }
    if (!get_text(data, end, &at, info->computer, KEYFILE_HOST_MAX)) {
        return "computer name";
    }
    if (end - at < 1 + public_len || data[at] != public_len) {
        return "public key";
    }
    info->public_len = public_len;
    memcpy(info->public_key, data + at + 1, public_len);
    at += 1 + public_len;
    if (end - at != 1 + (size_t)info->n) {
        return "length of the header";
    }
    img->check = data[at++];
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if (info->bound[id]) {
            img->tags[id] = data[at++];
        }
    }
    return NULL;
}

/* Everything behind version and checksum; returns what is wrong, or NULL. */
static const char *parse_body(const uint8_t *data, size_t len, struct keyfile_image *img)
{
    size_t header_len = get_u16(data + AT_HEADER_LEN);
    uint16_t masks[KEYFILE_WRAPS_MAX];
    const char *wrong = parse_fixed(data, img);
    const uint8_t *at;

    if (wrong != NULL) {
        return wrong;
    }
    /* From here on n equals the number of bound identifiers, so the tags fit. */
    if (!keyfile_check_rule(&img->info)) {
        return "numbers of identifiers";
    }
    if (img->wrap_count != keyfile_subsets(&img->info, masks) || header_len < FIXED_LEN ||
        len != header_len + img->wrap_count * (size_t)KEYFILE_WRAP_LEN + CRYPTO_SHA256_LEN) {
        return "length of the file";
    }
    wrong = parse_counted(data, header_len, img);
    if (wrong != NULL) {
        return wrong;
    }
    at = data + header_len;
    for (unsigned i = 0; i < img->wrap_count; i++) {
        struct keyfile_wrap *w = &img->wraps[i];

        memcpy(w->iv, at, sizeof(w->iv));
        memcpy(w->sealed, at + sizeof(w->iv), sizeof(w->sealed));
        memcpy(w->tag, at + sizeof(w->iv) + sizeof(w->sealed), sizeof(w->tag));
        at += KEYFILE_WRAP_LEN;
    }
    return NULL;
}

int keyfile_parse(const uint8_t *data, size_t len, struct keyfile_image *out, struct fault *f)
{
    struct keyfile_image img;
    uint8_t sum[CRYPTO_SHA256_LEN];
    const char *wrong;

    if (len < sizeof(magic) || memcmp(data, magic, sizeof(magic)) != 0) {
        return fault_set(f, PRA_ECORRUPT, "this is not a PRA key file");
    }
    if (len >= AT_VERSION + 2 && get_u16(data + AT_VERSION) != KEYFILE_VERSION) {
        return fault_set(f, PRA_EVERSION,
                         "the key file is of version %u; this program knows version %d",
                         get_u16(data + AT_VERSION), KEYFILE_VERSION);
    }
    if (len < FIXED_LEN + CRYPTO_SHA256_LEN) {
        return fault_set(f, PRA_ECORRUPT, "the key file is cut off");
    }
    if (crypto_sha256(data, len - sizeof(sum), sum) != 0) {
        return fault_set(f, PRA_ECRYPTO, "the crypto library failed");
    }
    if (memcmp(sum, data + len - sizeof(sum), sizeof(sum)) != 0) {
        return fault_set(f, PRA_ECORRUPT, "the key file is damaged (checksum)");
    }
    memset(&img, 0, sizeof(img));
    wrong = parse_body(data, len, &img);
    if (wrong != NULL) {
        return fault_set(f, PRA_ECORRUPT, "the key file is damaged (%s)", wrong);
    }
    *out = img;
    return 0;
}
