/*
 * The checks of pra-passkey, by libfido2. A registration comes without attestation ("none": nobody's
 * make of device is of interest), so there is no signature in it to verify; who registers is logged
 * in and has given his password. An assertion is verified with the key that was registered.
 */
#include "server/passkey/passkey.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include "common/crypto.h"

#define BYTES_MAX 2048

/* WebAuthn, 6.1: flags of authenticator data. */
#define FLAG_UP 0x01
#define FLAG_UV 0x04
#define FLAG_AT 0x40

/* What browsers are asked for; in their order. */
static const int algorithms[] = {COSE_ES256, COSE_EDDSA, COSE_RS256};

struct bytes {
    uint8_t data[BYTES_MAX];
    size_t len;
};

static json_t *no(const char *why)
{
    return json_pack("{s:b, s:s}", "ok", 0, "why", why);
}

static bool take(const json_t *question, const char *name, struct bytes *b)
{
    const char *text = json_string_value(json_object_get(question, name));

    return text != NULL &&
           crypto_hex_decode(text, strlen(text), b->data, sizeof(b->data), &b->len) == 0;
}

static json_t *hex(const uint8_t *data, size_t len)
{
    char text[2 * BYTES_MAX + 1];

    if (data == NULL || len > BYTES_MAX)
        return NULL;
    crypto_hex_encode(data, len, text);
    return json_string(text);
}

/* ---- CBOR that promises no more than there is ---------------------------------------------------- */

#define DEPTH_MAX 4
#define FIXED_LEN 37 /* of authenticator data: hash, flags, counter */

/* The number in an item's head (RFC 8949, 3); false for lengths that are not told. */
static bool take_number(const uint8_t **at, const uint8_t *end, uint64_t *n)
{
    unsigned info = *(*at)++ & 31u, size = info < 24 ? 0 : 1u << (info - 24);

    *n = info;
    if (info < 24)
        return true;
    if (info > 27 || (size_t)(end - *at) < size)
        return false;
    for (*n = 0; size > 0; size--)
        *n = *n << 8 | *(*at)++;
    return true;
}

/*
 * libcbor sets memory aside for as many elements as a head promises: gigabytes for nine bytes. So
 * one item is looked through before it sees it; each element takes a byte at least.
 */
static bool item_fits(const uint8_t **at, const uint8_t *end, unsigned depth)
{
    unsigned major;
    uint64_t n, left;

    if (depth == 0 || *at >= end)
        return false;
    major = **at >> 5;
    if (!take_number(at, end, &n))
        return false;
    left = (uint64_t)(end - *at);
    if (major < 2 || major == 7) /* numbers and such have nothing behind their head */
        return true;
    if (n > left)
        return false;
    if (major < 4) { /* a string */
        *at += n;
        return true;
    }
    n = major == 5 ? 2 * n : major == 6 ? 1 : n;
    for (; n > 0; n--) {
        if (!item_fits(at, end, depth - 1))
            return false;
    }
    return true;
}

/* Does all of it fit that follows the fixed part, and `more` bytes? */
static bool rest_fits(const struct bytes *auth_data, size_t more)
{
    const uint8_t *at = auth_data->data + FIXED_LEN + more;
    const uint8_t *end = auth_data->data + auth_data->len;

    if (auth_data->len < FIXED_LEN + more)
        return false;
    while (at < end) {
        if (!item_fits(&at, end, DEPTH_MAX))
            return false;
    }
    return true;
}

/* ---- a new credential --------------------------------------------------------------------------- */

/* Before the key stand what kind of device it is, and the credential's id with its length. */
static bool new_fits(const struct bytes *a)
{
    size_t len = a->len < FIXED_LEN + 18
                     ? 0
                     : (size_t)a->data[FIXED_LEN + 16] << 8 | a->data[FIXED_LEN + 17];

    return rest_fits(a, 18 + len);
}

/* libfido2 wants to know the kind of key before it looks. */
static fido_cred_t *parse(const struct bytes *auth_data)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        fido_cred_t *cred = fido_cred_new();

        if (cred != NULL && fido_cred_set_type(cred, algorithms[i]) == FIDO_OK &&
            fido_cred_set_authdata_raw(cred, auth_data->data, auth_data->len) == FIDO_OK)
            return cred;
        fido_cred_free(&cred);
    }
    return NULL;
}

static json_t *describe(const fido_cred_t *cred)
{
    return json_pack("{s:b, s:o, s:i, s:o, s:I}", "ok", 1, "credential",
                     hex(fido_cred_id_ptr(cred), fido_cred_id_len(cred)), "algorithm",
                     fido_cred_type(cred), "key",
                     hex(fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)), "counter",
                     (json_int_t)fido_cred_sigcount(cred));
}

static json_t *read_new(const json_t *question)
{
    const char *rp = json_string_value(json_object_get(question, "rp"));
    uint8_t rp_hash[CRYPTO_SHA256_LEN];
    struct bytes auth_data;
    const uint8_t wanted = FLAG_UP | FLAG_UV | FLAG_AT;
    fido_cred_t *cred;
    json_t *answer;

    if (rp == NULL || !take(question, "auth-data", &auth_data))
        return no("the question is broken");
    if (crypto_sha256(rp, strlen(rp), rp_hash) != 0)
        return no("the crypto library failed");
    if (auth_data.len < sizeof(rp_hash) || !crypto_equal(auth_data.data, rp_hash, sizeof(rp_hash)))
        return no("is made for another site");
    cred = new_fits(&auth_data) ? parse(&auth_data) : NULL;
    if (cred == NULL)
        return no("cannot be read, or its key is of a kind that is not known");
    if ((fido_cred_flags(cred) & wanted) != wanted)
        answer = no("the authenticator did not verify who you are");
    else
        answer = describe(cred);
    fido_cred_free(&cred);
    return answer != NULL ? answer : no("cannot be read");
}

/* ---- an assertion ------------------------------------------------------------------------------- */

/* The key as libfido2 has it; in *free_it how it is freed. */
struct key {
    es256_pk_t *es256;
    eddsa_pk_t *eddsa;
    rs256_pk_t *rs256;
};

static const void *make_key(struct key *k, int algorithm, const struct bytes *raw)
{
    switch (algorithm) {
    case COSE_ES256:
        k->es256 = es256_pk_new();
        if (k->es256 != NULL && es256_pk_from_ptr(k->es256, raw->data, raw->len) == FIDO_OK)
            return k->es256;
        return NULL;
    case COSE_EDDSA:
        k->eddsa = eddsa_pk_new();
        if (k->eddsa != NULL && eddsa_pk_from_ptr(k->eddsa, raw->data, raw->len) == FIDO_OK)
            return k->eddsa;
        return NULL;
    case COSE_RS256:
        k->rs256 = rs256_pk_new();
        if (k->rs256 != NULL && rs256_pk_from_ptr(k->rs256, raw->data, raw->len) == FIDO_OK)
            return k->rs256;
        return NULL;
    default:
        return NULL;
    }
}

static void drop_key(struct key *k)
{
    es256_pk_free(&k->es256);
    eddsa_pk_free(&k->eddsa);
    rs256_pk_free(&k->rs256);
}

static json_t *check(fido_assert_t *assert, int algorithm, const struct bytes *raw)
{
    struct key k = {0};
    const void *key = make_key(&k, algorithm, raw);
    json_t *answer;

    if (key == NULL)
        answer = no("its key is not good");
    else if (fido_assert_verify(assert, 0, algorithm, key) != FIDO_OK)
        answer = no("is not signed by this key, for this site, by a verified user");
    else
        answer = json_pack("{s:b, s:I}", "ok", 1, "counter",
                           (json_int_t)fido_assert_sigcount(assert, 0));
    drop_key(&k);
    return answer;
}

static json_t *verify(const json_t *question)
{
    const char *rp = json_string_value(json_object_get(question, "rp"));
    int algorithm = (int)json_integer_value(json_object_get(question, "algorithm"));
    struct bytes hash, auth_data, signature, key;
    fido_assert_t *assert;
    json_t *answer;

    if (rp == NULL || !take(question, "client-hash", &hash) ||
        !take(question, "auth-data", &auth_data) || !take(question, "signature", &signature) ||
        !take(question, "key", &key))
        return no("the question is broken");
    if (!rest_fits(&auth_data, 0))
        return no("cannot be read");
    assert = fido_assert_new();
    if (assert == NULL)
        return no("no memory");
    if (fido_assert_set_count(assert, 1) != FIDO_OK || fido_assert_set_rp(assert, rp) != FIDO_OK ||
        fido_assert_set_clientdata_hash(assert, hash.data, hash.len) != FIDO_OK ||
        fido_assert_set_authdata_raw(assert, 0, auth_data.data, auth_data.len) != FIDO_OK ||
        fido_assert_set_sig(assert, 0, signature.data, signature.len) != FIDO_OK ||
        fido_assert_set_up(assert, FIDO_OPT_TRUE) != FIDO_OK ||
        fido_assert_set_uv(assert, FIDO_OPT_TRUE) != FIDO_OK)
        answer = no("cannot be read");
    else
        answer = check(assert, algorithm, &key);
    fido_assert_free(&assert);
    return answer;
}

json_t *passkey_answer(const json_t *question)
{
    const char *what = json_string_value(json_object_get(question, "do"));

    fido_init(0);
    if (what != NULL && strcmp(what, "read") == 0)
        return read_new(question);
    if (what != NULL && strcmp(what, "verify") == 0)
        return verify(question);
    return no("the question is broken");
}
