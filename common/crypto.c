/*
 * Digests, KDFs, AEAD and random numbers by OpenSSL 3's EVP; signatures are in crypto_key.c.
 * Algorithms are fetched once per process: an implicit fetch costs more than hashing a short
 * message. Threads may call anything here at any time.
 */
#include "common/crypto.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "common/err.h"
#include "common/os.h"
#include "common/secmem.h"

/* Beyond these scrypt would ask for gigabytes or hours; callers have tighter limits. */
#define SCRYPT_LOG2_N_MAX 24u
#define SCRYPT_R_MAX      64u
#define SCRYPT_P_MAX      64u

static struct {
    EVP_MD *sha256;
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
    EVP_KDF *scrypt;
    EVP_CIPHER *gcm;
} alg;
static pthread_once_t alg_once = PTHREAD_ONCE_INIT;

static void fetch_all(void)
{
    alg.sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    alg.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    alg.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    alg.scrypt = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    alg.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* Functions of OpenSSL take a missing algorithm for an error, so nothing is checked here. */
static void need_algorithms(void)
{
    (void)pthread_once(&alg_once, fetch_all);
}

int crypto_secure_heap(size_t bytes)
{
    enum { SMALLEST = 16 };

    switch (CRYPTO_secure_malloc_init(bytes, SMALLEST)) {
    case 1:
        return 0;
    case 2:
        return PRA_EACCES;
    default:
        return PRA_ENOMEM;
    }
}

void crypto_random(void *dst, size_t len)
{
    unsigned char *p = dst;

    while (len > 0) {
        int n = len > INT_MAX ? INT_MAX : (int)len;

        /* libcrypto's needs memory: at a thread's first time, and from time to time. */
        if (RAND_bytes(p, n) != 1 && !os_random(p, (size_t)n))
            abort();
        p += n;
        len -= (size_t)n;
    }
}

void crypto_random_mix(const void *data, size_t len)
{
    RAND_add(data, len > INT_MAX ? INT_MAX : (int)len, 0.0);
}

/* The first number behind `name` in what libcrypto says of the processor; 0 if there is none. */
static uint64_t cpu_bits(const char *name)
{
    const char *info = OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS);
    const char *at = info == NULL ? NULL : strstr(info, name);

    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 16);
}

bool crypto_aes_is_fast(void)
{
    /* x86: AES and PCLMULQDQ, bits 25 and 1 of CPUID.1:ECX, which is the upper half */
    const uint64_t x86 = UINT64_C(1) << (32 + 25) | UINT64_C(1) << (32 + 1);
    /* ARMv8: ARMV8_AES and ARMV8_PMULL of libcrypto's arm_arch.h */
    const uint64_t arm = 1u << 2 | 1u << 5;

    return (cpu_bits("OPENSSL_ia32cap=") & x86) == x86 ||
           (cpu_bits("OPENSSL_armcap=") & arm) == arm;
}

void crypto_wipe(void *p, size_t len)
{
    if (len > 0)
        OPENSSL_cleanse(p, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

int crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_SHA256_LEN])
{
    need_algorithms();
    if (!alg.sha256 || EVP_Digest(data, len, out, NULL, alg.sha256, NULL) != 1)
        return PRA_ECRYPTO;
    return 0;
}

int crypto_sha256_of(ptrdiff_t (*next)(void *ctx, void *dst, size_t cap), void *ctx,
                     uint8_t out[CRYPTO_SHA256_LEN])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    uint8_t part[65536];
    ptrdiff_t n = 0;
    int rc;

    need_algorithms();
    rc = md != NULL && alg.sha256 && EVP_DigestInit_ex(md, alg.sha256, NULL) == 1 ? 0 : PRA_ECRYPTO;

    while (rc == 0 && (n = next(ctx, part, sizeof(part))) > 0)
        rc = EVP_DigestUpdate(md, part, (size_t)n) == 1 ? 0 : PRA_ECRYPTO;
    if (rc == 0 && n < 0)
        rc = PRA_EIO;
    if (rc == 0)
        rc = EVP_DigestFinal_ex(md, out, NULL) == 1 ? 0 : PRA_ECRYPTO;
    EVP_MD_CTX_free(md);
    return rc;
}

int crypto_hash_hex(const char *hex, size_t len, uint8_t out[CRYPTO_SHA256_LEN])
{
    uint8_t secret[64];
    size_t got = 0;
    int rc = crypto_hex_decode(hex, strlen(hex), secret, sizeof(secret), &got);

    if (rc == 0)
        rc = got == len ? crypto_sha256(secret, len, out) : PRA_EINVAL;
    crypto_wipe(secret, sizeof(secret));
    return rc == PRA_ETOOBIG ? PRA_EINVAL : rc;
}

int crypto_hmac(const void *key, size_t key_len, const void *data, size_t len,
                uint8_t out[CRYPTO_SHA256_LEN])
{
    char digest[] = "SHA2-256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    uint8_t result[CRYPTO_SHA256_LEN];
    size_t result_len = 0;
    int rc = PRA_ECRYPTO;
    EVP_MAC_CTX *ctx;

    need_algorithms();
    ctx = alg.hmac ? EVP_MAC_CTX_new(alg.hmac) : NULL;
    /* A NULL key means "as before" to OpenSSL, even when its length is 0. */
    if (ctx && EVP_MAC_init(ctx, key_len > 0 ? key : "", key_len, params) == 1 &&
        EVP_MAC_update(ctx, data, len) == 1 &&
        EVP_MAC_final(ctx, result, &result_len, sizeof(result)) == 1 &&
        result_len == sizeof(result)) {
        memcpy(out, result, sizeof(result));
        rc = 0;
    }
    EVP_MAC_CTX_free(ctx);
    crypto_wipe(result, sizeof(result));
    return rc;
}

/* Runs a KDF into pages for secrets, so that a failure leaves `out` as it was. */
static int derive(EVP_KDF *kdf, const OSSL_PARAM *params, void *out, size_t out_len)
{
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    uint8_t *result = secmem_new(out_len > 0 ? out_len : 1);
    int rc = PRA_ECRYPTO;

    if (ctx && result && EVP_KDF_derive(ctx, result, out_len, params) == 1) {
        memcpy(out, result, out_len);
        rc = 0;
    }
    EVP_KDF_CTX_free(ctx);
    secmem_free(result);
    return rc;
}

/* OSSL_PARAM has no const; KDFs only read what they are given. */
static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
    static char empty[1];
    union {
        const void *in;
        void *out;
    } u = {.in = len > 0 ? data : empty};

    return OSSL_PARAM_construct_octet_string(name, u.out, len);
}

int crypto_hkdf(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len,
                const void *info, size_t info_len, void *out, size_t out_len)
{
    char digest[] = "SHA2-256";
    OSSL_PARAM params[5];
    size_t n = 0;

    if (out_len == 0 || out_len > 255 * CRYPTO_SHA256_LEN)
        return PRA_ECRYPTO;
    need_algorithms();
    params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    params[n++] = octets(OSSL_KDF_PARAM_KEY, ikm, ikm_len);
    if (salt_len > 0)
        params[n++] = octets(OSSL_KDF_PARAM_SALT, salt, salt_len);
    if (info_len > 0)
        params[n++] = octets(OSSL_KDF_PARAM_INFO, info, info_len);
    params[n] = OSSL_PARAM_construct_end();
    return derive(alg.hkdf, params, out, out_len);
}

int crypto_scrypt(const char *pass, size_t pass_len, const void *salt, size_t salt_len,
                  unsigned log2_n, unsigned r, unsigned p, void *out, size_t out_len)
{
    uint64_t n;
    uint64_t memory;
    uint32_t r32 = r;
    uint32_t p32 = p;
    OSSL_PARAM params[7];

    if (log2_n < 1 || log2_n > SCRYPT_LOG2_N_MAX || r < 1 || r > SCRYPT_R_MAX || p < 1 ||
        p > SCRYPT_P_MAX || out_len == 0)
        return PRA_ECRYPTO;
    need_algorithms();
    n = UINT64_C(1) << log2_n;
    memory = 128 * (uint64_t)r * (n + p + 4); /* B, V and X, T of RFC 7914 */
    params[0] = octets(OSSL_KDF_PARAM_PASSWORD, pass, pass_len);
    params[1] = octets(OSSL_KDF_PARAM_SALT, salt, salt_len);
    params[2] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n);
    params[3] = OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r32);
    params[4] = OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p32);
    params[5] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory);
    params[6] = OSSL_PARAM_construct_end();
    return derive(alg.scrypt, params, out, out_len);
}

/* Key, nonce and additional data: what sealing and opening have in common. */
static EVP_CIPHER_CTX *gcm_begin(bool seal, const uint8_t *key, const uint8_t *iv, const void *aad,
                                 size_t aad_len, size_t len)
{
    EVP_CIPHER_CTX *ctx;
    int n;

    need_algorithms();
    if (!alg.gcm || aad_len > INT_MAX || len > INT_MAX)
        return NULL;
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        return NULL;
    if (EVP_CipherInit_ex2(ctx, alg.gcm, key, iv, seal, NULL) != 1 ||
        (aad_len > 0 && EVP_CipherUpdate(ctx, NULL, &n, aad, (int)aad_len) != 1)) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

int crypto_gcm_seal(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                    const void *aad, size_t aad_len, const void *in, size_t len, void *out,
                    uint8_t tag[CRYPTO_GCM_TAG_LEN])
{
    EVP_CIPHER_CTX *ctx = gcm_begin(true, key, iv, aad, aad_len, len);
    uint8_t end[16];
    int n = 0;
    int rc = PRA_ECRYPTO;

    if (ctx && (len == 0 || EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1) &&
        EVP_CipherFinal_ex(ctx, end, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_GCM_TAG_LEN, tag) == 1)
        rc = 0;
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}

int crypto_gcm_open(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                    const void *aad, size_t aad_len, const void *in, size_t len,
                    const uint8_t tag[CRYPTO_GCM_TAG_LEN], void *out)
{
    EVP_CIPHER_CTX *ctx = gcm_begin(false, key, iv, aad, aad_len, len);
    uint8_t expected[CRYPTO_GCM_TAG_LEN];
    uint8_t end[16];
    int n = 0;
    int rc = PRA_ECRYPTO;

    memcpy(expected, tag, sizeof(expected));
    if (ctx && (len == 0 || EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CRYPTO_GCM_TAG_LEN, expected) == 1)
        rc = EVP_CipherFinal_ex(ctx, end, &n) == 1 ? 0 : PRA_ECORRUPT;
    EVP_CIPHER_CTX_free(ctx);
    if (rc != 0)
        crypto_wipe(out, len);
    return rc;
}
