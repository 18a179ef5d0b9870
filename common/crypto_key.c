/*
 * Signature keys by OpenSSL 3's EVP. Secrets come and go as 32 raw bytes; an EVP_PKEY lives only
 * within one call. OpenSSL wipes what it copied when the EVP_PKEY is freed.
 */
#include "common/crypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "common/err.h"

#define ED25519_PUBLIC_LEN 32
#define P256_PUBLIC_LEN    65
#define HALF               32 /* bytes of r, of s, of a coordinate */
/* SEQUENCE of two INTEGERs of at most 33 bytes each, with their headers. */
#define ECDSA_DER_MAX 72

/* The scalar as a number, or NULL if it is not within [1, order - 1]. */
static BIGNUM *p256_scalar(const EC_GROUP *group, const uint8_t *secret)
{
    BIGNUM *d = BN_secure_new();

    if (!d || !BN_bin2bn(secret, CRYPTO_SECRET_LEN, d) || BN_is_zero(d) ||
        BN_cmp(d, EC_GROUP_get0_order(group)) >= 0) {
        BN_clear_free(d);
        return NULL;
    }
    BN_set_flags(d, BN_FLG_CONSTTIME);
    return d;
}

static int p256_public(const uint8_t *secret, uint8_t out[P256_PUBLIC_LEN])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    BIGNUM *d = group ? p256_scalar(group, secret) : NULL;
    int rc = PRA_ECRYPTO;

    if (point && d && EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, P256_PUBLIC_LEN,
                           NULL) == P256_PUBLIC_LEN)
        rc = 0;
    BN_clear_free(d);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return rc;
}

/* An EVP_PKEY of a P-256 key; `secret` NULL makes a public one. NULL if the key is not valid. */
static EVP_PKEY *p256_pkey(const uint8_t *secret, const uint8_t *pub)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    BIGNUM *d = group && secret ? p256_scalar(group, secret) : NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    if (!group || !bld || !ctx || (secret && !d))
        goto out;
    if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, pub, P256_PUBLIC_LEN) != 1 ||
        (d && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1))
        goto out;
    params = OSSL_PARAM_BLD_to_param(bld);
    if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
out:
    OSSL_PARAM_free(params);
    BN_clear_free(d);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_BLD_free(bld);
    EC_GROUP_free(group);
    return pkey;
}

static EVP_PKEY *secret_pkey(enum crypto_key_type type, const uint8_t *secret)
{
    uint8_t pub[P256_PUBLIC_LEN];

    if (type == CRYPTO_ED25519)
        return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, CRYPTO_SECRET_LEN);
    if (type == CRYPTO_ECDSA_P256 && p256_public(secret, pub) == 0)
        return p256_pkey(secret, pub);
    return NULL;
}

static EVP_PKEY *public_pkey(enum crypto_key_type type, const uint8_t *pub, size_t pub_len)
{
    if (type == CRYPTO_ED25519 && pub_len == ED25519_PUBLIC_LEN)
        return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, pub_len);
    if (type == CRYPTO_ECDSA_P256 && pub_len == P256_PUBLIC_LEN && pub[0] == 4)
        return p256_pkey(NULL, pub);
    return NULL;
}

int crypto_key_generate(enum crypto_key_type type, uint8_t secret[CRYPTO_SECRET_LEN])
{
    EVP_PKEY *pkey;
    BIGNUM *d = NULL;
    int rc = PRA_ECRYPTO;

    if (type == CRYPTO_ED25519) { /* any 32 bytes are a seed: RFC 8032, 5.1.5 */
        crypto_random(secret, CRYPTO_SECRET_LEN);
        return 0;
    }
    if (type != CRYPTO_ECDSA_P256)
        return PRA_ECRYPTO;
    pkey = EVP_EC_gen("P-256");
    if (pkey && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
        BN_bn2binpad(d, secret, CRYPTO_SECRET_LEN) == CRYPTO_SECRET_LEN)
        rc = 0;
    BN_clear_free(d);
    EVP_PKEY_free(pkey);
    return rc;
}

int crypto_key_public(enum crypto_key_type type, const uint8_t secret[CRYPTO_SECRET_LEN],
                      uint8_t pub[CRYPTO_PUBLIC_MAX], size_t *pub_len)
{
    EVP_PKEY *pkey;
    size_t len = ED25519_PUBLIC_LEN;
    int rc;

    if (type == CRYPTO_ECDSA_P256) {
        rc = p256_public(secret, pub);
        if (rc == 0)
            *pub_len = P256_PUBLIC_LEN;
        return rc;
    }
    pkey = secret_pkey(type, secret);
    rc = pkey && EVP_PKEY_get_raw_public_key(pkey, pub, &len) == 1 ? 0 : PRA_ECRYPTO;
    if (rc == 0)
        *pub_len = len;
    EVP_PKEY_free(pkey);
    return rc;
}

/* DER to r and s of 32 bytes each. */
static int split_signature(const uint8_t *der, size_t len, uint8_t sig[CRYPTO_SIGNATURE_MAX])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    uint8_t out[CRYPTO_SIGNATURE_MAX];
    int rc = PRA_ECRYPTO;

    if (pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, HALF) == HALF &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + HALF, HALF) == HALF) {
        memcpy(sig, out, sizeof(out));
        rc = 0;
    }
    ECDSA_SIG_free(pair);
    return rc;
}

/* r and s to DER. */
static int join_signature(const uint8_t sig[CRYPTO_SIGNATURE_MAX], uint8_t *der, size_t *len)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(sig, HALF, NULL);
    BIGNUM *s = BN_bin2bn(sig + HALF, HALF, NULL);
    int n = -1;

    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL; /* both belong to the pair now */
        s = NULL;
        n = i2d_ECDSA_SIG(pair, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    if (n <= 0)
        return PRA_ECRYPTO;
    *len = (size_t)n;
    return 0;
}

static const EVP_MD *digest_of(enum crypto_key_type type)
{
    return type == CRYPTO_ECDSA_P256 ? EVP_sha256() : NULL;
}

int crypto_key_sign(enum crypto_key_type type, const uint8_t secret[CRYPTO_SECRET_LEN],
                    const void *data, size_t len, uint8_t sig[CRYPTO_SIGNATURE_MAX])
{
    EVP_PKEY *pkey = secret_pkey(type, secret);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t out[ECDSA_DER_MAX];
    size_t out_len = sizeof(out);
    int rc = PRA_ECRYPTO;

    if (pkey && ctx && EVP_DigestSignInit(ctx, NULL, digest_of(type), NULL, pkey) == 1 &&
        EVP_DigestSign(ctx, out, &out_len, data, len) == 1) {
        if (type == CRYPTO_ECDSA_P256) {
            rc = split_signature(out, out_len, sig);
        } else if (out_len == CRYPTO_SIGNATURE_MAX) {
            memcpy(sig, out, CRYPTO_SIGNATURE_MAX);
            rc = 0;
        }
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return rc;
}

int crypto_key_verify(enum crypto_key_type type, const uint8_t *pub, size_t pub_len,
                      const void *data, size_t len, const uint8_t sig[CRYPTO_SIGNATURE_MAX])
{
    EVP_PKEY *pkey = public_pkey(type, pub, pub_len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[ECDSA_DER_MAX];
    const uint8_t *raw = sig;
    size_t raw_len = CRYPTO_SIGNATURE_MAX;
    int rc = PRA_ECORRUPT;

    if (type == CRYPTO_ECDSA_P256) {
        if (join_signature(sig, der, &raw_len) != 0)
            goto out;
        raw = der;
    }
    /* Only 1 is "good"; 0 and negative values both mean that it is not. */
    if (pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, digest_of(type), NULL, pkey) == 1 &&
        EVP_DigestVerify(ctx, raw, raw_len, data, len) == 1)
        rc = 0;
out:
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return rc;
}
