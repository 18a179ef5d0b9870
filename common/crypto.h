/*
 * The only door to OpenSSL in PRA's own code: digests, KDFs, AEAD, signatures, random numbers.
 * Every function returns 0 or PRA_ECRYPTO unless it says otherwise; nothing is written to an
 * output on failure.
 */
#ifndef PRA_COMMON_CRYPTO_H
#define PRA_COMMON_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_SHA256_LEN  32
#define CRYPTO_KEY_LEN     32
#define CRYPTO_GCM_IV_LEN  12
#define CRYPTO_GCM_TAG_LEN 16

/*
 * Gives libcrypto a heap of `bytes` (a power of two) for private keys, in locked memory that is in no core;
 * once, before there is a key. When it is full, making keys fails. Returns 0, PRA_EACCES (it is there, but the
 * system does not let it be locked: RLIMIT_MEMLOCK), PRA_ENOMEM.
 */
int crypto_secure_heap(size_t bytes);

/* Cryptographically secure random bytes; aborts the process if the system has none. */
void crypto_random(void *dst, size_t len);

/* Mixes what a person did (mouse, keys) into the generator. It counts as nothing: what the system
   gives is enough alone, and nothing mixed in can make it worse. */
void crypto_random_mix(const void *data, size_t len);

/*
 * Does this processor have instructions for AES-GCM, and does libcrypto use them? Where not,
 * ChaCha20-Poly1305 is the faster cipher. libcrypto's own environment variables (OPENSSL_ia32cap,
 * OPENSSL_armcap) count, since they decide what it uses.
 */
bool crypto_aes_is_fast(void);

/* Wipes memory so that the compiler cannot leave it out. NULL with 0 is fine. */
void crypto_wipe(void *p, size_t len);

/* Constant-time comparison. */
bool crypto_equal(const void *a, const void *b, size_t len);

int crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_SHA256_LEN]);

/* The same of what `next` gives until it gives 0; less than 0 ends it with PRA_EIO. */
int crypto_sha256_of(ptrdiff_t (*next)(void *ctx, void *dst, size_t cap), void *ctx,
                     uint8_t out[CRYPTO_SHA256_LEN]);

/* SHA-256 of the `len` bytes that `hex` stands for, as secrets are kept that somebody shows. Returns 0,
   PRA_EINVAL (it does not stand for so many), PRA_ECRYPTO. */
int crypto_hash_hex(const char *hex, size_t len, uint8_t out[CRYPTO_SHA256_LEN]);
/* HMAC-SHA256 (RFC 2104). */
int crypto_hmac(const void *key, size_t key_len, const void *data, size_t len,
                uint8_t out[CRYPTO_SHA256_LEN]);

/* HKDF-SHA256 (RFC 5869), extract and expand. out_len <= 255 * 32. */
int crypto_hkdf(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len,
                const void *info, size_t info_len, void *out, size_t out_len);

/* scrypt (RFC 7914): cost 2^log2_n, block size r, parallelism p. Needs 128 * r * 2^log2_n bytes. */
int crypto_scrypt(const char *pass, size_t pass_len, const void *salt, size_t salt_len,
                  unsigned log2_n, unsigned r, unsigned p, void *out, size_t out_len);

/* AES-256-GCM. `out` may equal `in`; the tag is written behind nothing, into `tag`. */
int crypto_gcm_seal(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                    const void *aad, size_t aad_len, const void *in, size_t len, void *out,
                    uint8_t tag[CRYPTO_GCM_TAG_LEN]);
/* Returns PRA_ECORRUPT if the tag does not match; `out` is wiped then. */
int crypto_gcm_open(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                    const void *aad, size_t aad_len, const void *in, size_t len,
                    const uint8_t tag[CRYPTO_GCM_TAG_LEN], void *out);

/* Standard base64 (RFC 4648) with padding. `dst` holds 4 * ((len + 2) / 3) + 1 bytes. */
void crypto_base64_encode(const void *src, size_t len, char *dst);
/* Strict decoding; `*len` in: capacity, out: bytes. Returns 0, PRA_EINVAL, PRA_ETOOBIG. */
int crypto_base64_decode(const char *src, size_t src_len, void *dst, size_t *len);

/*
 * Lower-case hexadecimal; `dst` holds 2 * len + 1 bytes. Decoding takes both cases and returns 0,
 * PRA_EINVAL, PRA_ETOOBIG.
 */
void crypto_hex_encode(const void *src, size_t len, char *dst);
int crypto_hex_decode(const char *src, size_t src_len, void *dst, size_t cap, size_t *len);

/* Signature keys. A secret is an Ed25519 seed (32 bytes) or a P-256 scalar (32 bytes, big endian). */
enum crypto_key_type { CRYPTO_ED25519 = 1, CRYPTO_ECDSA_P256 = 2 };
#define CRYPTO_SECRET_LEN    32
#define CRYPTO_PUBLIC_MAX    65 /* Ed25519: 32; P-256: 65 (uncompressed point) */
#define CRYPTO_SIGNATURE_MAX 64 /* Ed25519: 64; P-256: r and s, 32 bytes each, big endian */

/* A new secret. */
int crypto_key_generate(enum crypto_key_type type, uint8_t secret[CRYPTO_SECRET_LEN]);
/* The public half. */
int crypto_key_public(enum crypto_key_type type, const uint8_t secret[CRYPTO_SECRET_LEN],
                      uint8_t pub[CRYPTO_PUBLIC_MAX], size_t *pub_len);
/* Signs `data` (Ed25519 pure; ECDSA with SHA-256). */
int crypto_key_sign(enum crypto_key_type type, const uint8_t secret[CRYPTO_SECRET_LEN],
                    const void *data, size_t len, uint8_t sig[CRYPTO_SIGNATURE_MAX]);
/* Returns 0 if good, PRA_ECORRUPT if not (a public key that is no key included). */
int crypto_key_verify(enum crypto_key_type type, const uint8_t *pub, size_t pub_len,
                      const void *data, size_t len, const uint8_t sig[CRYPTO_SIGNATURE_MAX]);

#endif
