/*
 * OpenSSH's formats: reading public key lines that people hand in, writing our own, fingerprints,
 * and signatures as SSH carries them. Lines come from outside and are judged field by field; a
 * blob is accepted only if every byte of it is accounted for.
 */
#include "keys/sshkey.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"
#include "keys/key.h"
#include "keys/text.h"

/* A public key file: one line, and comments around it. */
#define FILE_SIZE_MAX      32768u
#define RSA_BITS_MIN       2048
#define RSA_EXPONENT_MAX   8 /* bytes; larger ones only slow the verifier down */
#define SK_APPLICATION_MAX 255

/* What follows the type name in a blob. */
enum shape { SHAPE_ED25519, SHAPE_ECDSA, SHAPE_RSA };

static const struct key_kind {
    const char *name;
    enum shape shape;
    const char *curve; /* RFC 5656 section 10.1 */
    size_t point_len;  /* bytes of an Ed25519 key or of an uncompressed point */
    bool hardware;     /* an application name follows (OpenSSH PROTOCOL.u2f) */
} kinds[] = {
    {"ssh-ed25519", SHAPE_ED25519, NULL, 32, false},
    {"ecdsa-sha2-nistp256", SHAPE_ECDSA, "nistp256", 65, false},
    {"ecdsa-sha2-nistp384", SHAPE_ECDSA, "nistp384", 97, false},
    {"ecdsa-sha2-nistp521", SHAPE_ECDSA, "nistp521", 133, false},
    {"ssh-rsa", SHAPE_RSA, NULL, 0, false},
    {"sk-ssh-ed25519@openssh.com", SHAPE_ED25519, NULL, 32, true},
    {"sk-ecdsa-sha2-nistp256@openssh.com", SHAPE_ECDSA, "nistp256", 65, true},
};

static const struct key_kind *find_kind(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i].name) == len && memcmp(kinds[i].name, name, len) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* A reader over wire data (RFC 4251 section 5). */
struct reader {
    const uint8_t *at;
    size_t left;
};

static bool read_string(struct reader *r, const uint8_t **s, size_t *len)
{
    size_t n;

    if (r->left < 4) {
        return false;
    }
    n = (size_t)r->at[0] << 24 | (size_t)r->at[1] << 16 | (size_t)r->at[2] << 8 | r->at[3];
    if (n > r->left - 4) {
        return false;
    }
    *s = r->at + 4;
    *len = n;
    r->at += 4 + n;
    r->left -= 4 + n;
    return true;
}

static bool read_expected(struct reader *r, const char *text)
{
    const uint8_t *s;
    size_t len;

    return read_string(r, &s, &len) && len == strlen(text) && memcmp(s, text, len) == 0;
}

/* A positive integer in its shortest form, without the leading zero that marks the sign. */
static bool read_positive(struct reader *r, const uint8_t **s, size_t *len)
{
    if (!read_string(r, s, len) || *len == 0 || ((*s)[0] & 0x80) != 0) {
        return false;
    }
    if ((*s)[0] == 0) {
        if (*len < 2 || ((*s)[1] & 0x80) == 0) {
            return false;
        }
        (*s)++;
        (*len)--;
    }
    return true;
}

static size_t count_bits(const uint8_t *s, size_t len)
{
    size_t bits = len * 8;

    for (uint8_t top = s[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1)) {
        bits--;
    }
    return bits;
}

static int check_rsa(struct reader *r, struct fault *f)
{
    const uint8_t *e;
    const uint8_t *n;
    size_t e_len;
    size_t n_len;

    if (!read_positive(r, &e, &e_len) || !read_positive(r, &n, &n_len)) {
        return fault_set(f, PRA_EINVAL, "the key data is damaged (RSA numbers)");
    }
    if (e_len > RSA_EXPONENT_MAX || (e[e_len - 1] & 1) == 0 || (e_len == 1 && e[0] == 1)) {
        return fault_set(f, PRA_EINVAL, "the RSA exponent is not usable");
    }
    if ((n[n_len - 1] & 1) == 0) {
        return fault_set(f, PRA_EINVAL, "the RSA modulus is not usable");
    }
    if (count_bits(n, n_len) < RSA_BITS_MIN) {
        return fault_set(f, PRA_EWEAK, "an RSA key of %zu bits is too weak, %d are needed",
                         count_bits(n, n_len), RSA_BITS_MIN);
    }
    return 0;
}

/* Checks that `blob` is one whole key of `kind`. */
static int check_blob(const struct key_kind *kind, const uint8_t *blob, size_t len, struct fault *f)
{
    struct reader r = {blob, len};
    const uint8_t *s;
    size_t n;
    int rc;

    if (!read_expected(&r, kind->name)) {
        return fault_set(f, PRA_EINVAL, "the key data does not belong to a key of type %s",
                         kind->name);
    }
    if (kind->shape == SHAPE_RSA) {
        rc = check_rsa(&r, f);
        if (rc != 0) {
            return rc;
        }
    } else {
        if (kind->shape == SHAPE_ECDSA && !read_expected(&r, kind->curve)) {
            return fault_set(f, PRA_EINVAL, "the key data names another curve than %s",
                             kind->curve);
        }
        if (!read_string(&r, &s, &n) || n != kind->point_len ||
            (kind->shape == SHAPE_ECDSA && s[0] != 0x04)) {
            return fault_set(f, PRA_EINVAL, "the key data is damaged (public point)");
        }
    }
    if (kind->hardware && (!read_string(&r, &s, &n) || n == 0 || n > SK_APPLICATION_MAX ||
                           !text_is_plain((const char *)s, n))) {
        return fault_set(f, PRA_EINVAL, "the key data is damaged (application name)");
    }
    if (r.left != 0) {
        return fault_set(f, PRA_EINVAL, "%zu bytes too many behind the key data", r.left);
    }
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(const char **at, const char *end)
{
    while (*at < end && is_blank(**at)) {
        (*at)++;
    }
}

/* The next run of non-blanks; returns its length. */
static size_t take_word(const char **at, const char *end, const char **word)
{
    skip_blanks(at, end);
    *word = *at;
    while (*at < end && !is_blank(**at)) {
        (*at)++;
    }
    return (size_t)(*at - *word);
}

static bool contains(const char *s, size_t len, const char *what)
{
    size_t n = strlen(what);

    for (size_t i = 0; i + n <= len; i++) {
        if (memcmp(s + i, what, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Says why the first word is no key type that is accepted. */
static int refuse_type(const char *line, size_t len, const char *word, size_t word_len,
                       struct fault *f)
{
    if (contains(line, len, "PRIVATE KEY-----")) {
        return fault_set(f, PRA_EINVAL,
                         "this is a private key; the public key file (.pub) is needed");
    }
    if (contains(word, word_len, "----")) {
        return fault_set(f, PRA_EINVAL,
                         "this is not an OpenSSH public key line "
                         "(\"ssh-ed25519 AAAA... comment\")");
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (contains(line + word_len, len - word_len, kinds[i].name)) {
            return fault_set(f, PRA_EINVAL, "options in front of the key are not accepted");
        }
    }
    if (word_len == 0 || word_len >= SSHKEY_TYPE_MAX || !text_is_plain(word, word_len)) {
        return fault_set(f, PRA_EINVAL, "this is not a public key line");
    }
    return fault_set(f, PRA_EUNSUPPORTED, "keys of type '%.*s' are not accepted", (int)word_len,
                     word);
}

static int take_comment(const char *at, const char *end, struct sshkey_public *out, struct fault *f)
{
    size_t len;

    skip_blanks(&at, end);
    while (end > at && is_blank(end[-1])) {
        end--;
    }
    len = (size_t)(end - at);
    if (len >= SSHKEY_COMMENT_MAX) {
        return fault_set(f, PRA_ETOOBIG, "the comment is longer than %d bytes",
                         SSHKEY_COMMENT_MAX - 1);
    }
    if (!text_is_plain(at, len)) {
        return fault_set(f, PRA_EINVAL, "the comment holds control characters or is not UTF-8");
    }
    memcpy(out->comment, at, len);
    out->comment[len] = '\0';
    return 0;
}

int sshkey_parse_line(const char *line, size_t len, struct sshkey_public *out, struct fault *f)
{
    struct sshkey_public key;
    const struct key_kind *kind;
    const char *at = line;
    const char *end;
    const char *word;
    size_t n;
    int rc;

    memset(&key, 0, sizeof(key));
    if (len > 0 && line[len - 1] == '\n') {
        len--;
    }
    if (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    end = line + len;
    if (len > SSHKEY_LINE_MAX) {
        return fault_set(f, PRA_ETOOBIG, "the line is longer than %u bytes", SSHKEY_LINE_MAX);
    }
    if (memchr(line, '\0', len) != NULL || memchr(line, '\n', len) != NULL) {
        return fault_set(f, PRA_EINVAL, "this is not one line of text");
    }
    n = take_word(&at, end, &word);
    kind = find_kind(word, n);
    if (kind == NULL) {
        return refuse_type(word, (size_t)(end - word), word, n, f);
    }
    memcpy(key.type, kind->name, strlen(kind->name) + 1);
    n = take_word(&at, end, &word);
    key.blob_len = sizeof(key.blob);
    rc = crypto_base64_decode(word, n, key.blob, &key.blob_len);
    if (rc == PRA_ETOOBIG) {
        return fault_set(f, rc, "the key data is longer than %d bytes", SSHKEY_BLOB_MAX);
    }
    if (rc != 0 || n == 0) {
        return fault_set(f, PRA_EINVAL, "the key data is %s",
                         n == 0 ? "missing" : "not valid base64 (cut off?)");
    }
    rc = check_blob(kind, key.blob, key.blob_len, f);
    if (rc == 0) {
        rc = take_comment(at, end, &key, f);
    }
    if (rc == 0) {
        *out = key;
    }
    return rc;
}

/* Blank or a comment: nothing to read here. */
static bool is_skipped(const char *line, size_t len)
{
    const char *at = line;
    const char *end = line + len;

    if (len > 0 && end[-1] == '\r') {
        end--;
    }
    skip_blanks(&at, end);
    return at == end || *at == '#';
}

int sshkey_parse_file(const char *path, struct sshkey_public *out, struct fault *f)
{
    struct sshkey_public key;
    char *text;
    size_t len;
    size_t start = 0;
    unsigned number = 0;
    bool found = false;
    int rc = os_file_read(path, FILE_SIZE_MAX, &text, &len, f);

    if (rc != 0) {
        return rc;
    }
    while (rc == 0 && start < len) {
        const char *newline = memchr(text + start, '\n', len - start);
        size_t n = newline != NULL ? (size_t)(newline - text) - start : len - start;

        number++;
        if (!is_skipped(text + start, n)) {
            if (found) {
                rc = fault_set(f, PRA_EINVAL, "%s:%u: a second key; one file holds one key", path,
                               number);
                break;
            }
            rc = sshkey_parse_line(text + start, n, &key, f);
            if (rc != 0) {
                fault_wrap(f, rc, "%s:%u", path, number);
            }
            found = true;
        }
        start += n + 1;
    }
    if (rc == 0 && !found) {
        rc = fault_set(f, PRA_EINVAL, "%s: holds no public key", path);
    }
    if (rc == 0) {
        *out = key;
    }
    free(text);
    return rc;
}

static void put_string(uint8_t *dst, size_t *at, const void *s, size_t len)
{
    dst[(*at)++] = (uint8_t)(len >> 24);
    dst[(*at)++] = (uint8_t)(len >> 16);
    dst[(*at)++] = (uint8_t)(len >> 8);
    dst[(*at)++] = (uint8_t)len;
    memcpy(dst + *at, s, len);
    *at += len;
}

static const struct key_kind *own_kind(enum crypto_key_type type)
{
    return type == CRYPTO_ED25519 ? &kinds[0] : &kinds[1];
}

int sshkey_blob(const struct keyfile_info *info, uint8_t *blob, size_t *len)
{
    const struct key_kind *kind = own_kind(info->type);
    size_t at = 0;

    if (info->public_len != kind->point_len) {
        return PRA_EINVAL;
    }
    put_string(blob, &at, kind->name, strlen(kind->name));
    if (kind->curve != NULL) {
        put_string(blob, &at, kind->curve, strlen(kind->curve));
    }
    put_string(blob, &at, info->public_key, info->public_len);
    *len = at;
    return 0;
}

int sshkey_format_line(const struct keyfile_info *info, char *dst, size_t cap)
{
    uint8_t blob[SSHKEY_BLOB_MAX];
    char base64[4 * ((SSHKEY_BLOB_MAX + 2) / 3) + 1];
    size_t len;
    int n;
    int rc = sshkey_blob(info, blob, &len);

    if (rc != 0) {
        return rc;
    }
    crypto_base64_encode(blob, len, base64);
    n = snprintf(dst, cap, "%s %s %s@%s\n", own_kind(info->type)->name, base64, info->user,
                 info->computer);
    return n < 0 || (size_t)n >= cap ? PRA_ETOOBIG : 0;
}

int sshkey_fingerprint(const uint8_t *blob, size_t len, char dst[SSHKEY_FINGERPRINT_MAX])
{
    static const char prefix[] = "SHA256:";
    uint8_t digest[CRYPTO_SHA256_LEN];
    char base64[4 * ((CRYPTO_SHA256_LEN + 2) / 3) + 1];
    int rc = crypto_sha256(blob, len, digest);

    if (rc != 0) {
        return rc;
    }
    crypto_base64_encode(digest, sizeof(digest), base64);
    base64[strcspn(base64, "=")] = '\0';
    snprintf(dst, SSHKEY_FINGERPRINT_MAX, "%s%s", prefix, base64);
    return 0;
}

/* A positive integer of `len` big-endian bytes as mpint (RFC 4251 section 5). */
static void put_positive(uint8_t *dst, size_t *at, const uint8_t *s, size_t len)
{
    uint8_t padded[CRYPTO_SIGNATURE_MAX / 2 + 1] = {0};

    while (len > 0 && s[0] == 0) {
        s++;
        len--;
    }
    if (len > 0 && (s[0] & 0x80) != 0) {
        memcpy(padded + 1, s, len);
        put_string(dst, at, padded, len + 1);
    } else {
        put_string(dst, at, s, len);
    }
}

int key_sign(const struct key *k, const uint8_t *data, size_t len, uint8_t **sig, size_t *sig_len)
{
    const size_t half = CRYPTO_SIGNATURE_MAX / 2;
    uint8_t raw[CRYPTO_SIGNATURE_MAX];
    uint8_t *out;
    size_t at = 0;
    int rc = crypto_key_sign(k->type, k->secret, data, len, raw);

    if (rc != 0) {
        return rc;
    }
    out = malloc(2 * (4 + half + 1));
    if (out == NULL) {
        return PRA_ENOMEM;
    }
    if (k->type == CRYPTO_ED25519) {
        memcpy(out, raw, sizeof(raw));
        at = sizeof(raw);
    } else {
        put_positive(out, &at, raw, half);
        put_positive(out, &at, raw + half, half);
    }
    *sig = out;
    *sig_len = at;
    return 0;
}
