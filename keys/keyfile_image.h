/*
 * The sealed key file as a structure, between its parts. Private to keys/ and its tests; the bytes
 * are described in keys/README.md.
 */
#ifndef PRA_KEYS_KEYFILE_IMAGE_H
#define PRA_KEYS_KEYFILE_IMAGE_H

#include "common/crypto.h"
#include "keys/keyfile.h"

#define KEYFILE_VERSION   1
#define KEYFILE_WRAPS_MAX 28 /* 8 over 6 */
#define KEYFILE_WRAP_LEN  (CRYPTO_GCM_IV_LEN + CRYPTO_SECRET_LEN + CRYPTO_GCM_TAG_LEN)
#define KEYFILE_MIN_MATCH 3 /* k is never smaller where there are that many identifiers */

/* What a file may ask of scrypt: 2^17 to 2^19 times 8 blocks of 128 bytes, 128 to 512 MiB. */
#ifdef PRA_TEST_PROVIDER
#define KEYFILE_LOG2_N_MIN 10
#else
#define KEYFILE_LOG2_N_MIN 17
#endif
#define KEYFILE_LOG2_N_MAX 19
#define KEYFILE_SCRYPT_R   8
#define KEYFILE_SCRYPT_P   1

/* Fixed part, three counted texts, check byte and tags; wraps; checksum. */
#define KEYFILE_HEADER_MAX                                                                         \
    (46 + 3 + KEYFILE_USER_MAX + KEYFILE_HOST_MAX + CRYPTO_PUBLIC_MAX + 1 + MACHINE_ID_COUNT)
#define KEYFILE_ENCODED_MAX                                                                        \
    (KEYFILE_HEADER_MAX + KEYFILE_WRAPS_MAX * KEYFILE_WRAP_LEN + CRYPTO_SHA256_LEN)

/* The key's secret, sealed for one subset of identifiers. */
struct keyfile_wrap {
    uint8_t iv[CRYPTO_GCM_IV_LEN];
    uint8_t sealed[CRYPTO_SECRET_LEN];
    uint8_t tag[CRYPTO_GCM_TAG_LEN];
};

struct keyfile_image {
    struct keyfile_info info;
    unsigned log2_n;
    uint8_t check;                  /* of the passphrase */
    uint8_t tags[MACHINE_ID_COUNT]; /* of the values; 0 for identifiers that take no part */
    unsigned wrap_count;
    struct keyfile_wrap wraps[KEYFILE_WRAPS_MAX];
};

/* --- subsets (keyfile_subset.c); a set of identifiers is a mask, bit i = identifier i --- */

/*
 * Chooses k, n, weak and bound of `info` from the identifiers that have a value in `m`, by the
 * rule of the design. info->strict is read. Returns the number of subsets to wrap for, 0 if the
 * machine shows no identifier at all.
 */
unsigned keyfile_choose(const struct machine *m, struct keyfile_info *info);

uint16_t keyfile_bound_mask(const struct keyfile_info *info);

/*
 * The subsets that open a key, in increasing order: k of the bound identifiers, of which (unless
 * the key is weakly bound) one is strong and one unique to the hardware. Returns how many.
 */
unsigned keyfile_subsets(const struct keyfile_info *info, uint16_t masks[KEYFILE_WRAPS_MAX]);

/*
 * For a file that was read: true if bound, k and n agree with the rule. Fills in weak, which the
 * file does not say for itself.
 */
bool keyfile_check_rule(struct keyfile_info *info);

/* --- bytes (keyfile_format.c) --- */

/* Everything in front of the wraps, which is their additional authenticated data. */
size_t keyfile_encode_header(const struct keyfile_image *img, uint8_t dst[KEYFILE_HEADER_MAX]);
/* The whole file. Returns 0, PRA_ECRYPTO. */
int keyfile_encode(const struct keyfile_image *img, uint8_t dst[KEYFILE_ENCODED_MAX], size_t *len);
/*
 * Reads a file that may come from anywhere. Returns 0; PRA_EVERSION; PRA_ECORRUPT with what is
 * wrong (also for scrypt parameters outside the limits); PRA_ECRYPTO.
 */
int keyfile_parse(const uint8_t *data, size_t len, struct keyfile_image *out, struct fault *f);

/* --- sealing (keyfile_seal.c) --- */

/* scrypt of the passphrase under the image's salt and parameters. Returns 0, PRA_ECRYPTO. */
int keyfile_derive(const struct keyfile_image *img, const char *passphrase,
                   uint8_t root[CRYPTO_KEY_LEN]);
/* Fills in check, tags and wraps for the machine `m`. Returns 0, PRA_ECRYPTO, PRA_ENOMEM. */
int keyfile_seal(struct keyfile_image *img, const uint8_t root[CRYPTO_KEY_LEN],
                 const struct machine *m, const uint8_t secret[CRYPTO_SECRET_LEN]);
/*
 * Opens with what `m` shows. Returns 0 with the secret; PRA_EPASSPHRASE; PRA_EMACHINE; PRA_ECORRUPT
 * (opened, but it is not the secret of this public key); PRA_ECRYPTO; PRA_ENOMEM. `report` is filled in after
 * success and PRA_EMACHINE. Sets *all if every wrap opened, so that nothing changed at all.
 */
int keyfile_unseal(const struct keyfile_image *img, const uint8_t root[CRYPTO_KEY_LEN],
                   const struct machine *m, uint8_t secret[CRYPTO_SECRET_LEN],
                   struct keyfile_report *report, bool *all);

/* --- the file itself (keyfile_store.c) --- */

/*
 * One writer at a time: locks the folder that holds `path`. Returns 0 and a descriptor that
 * keyfile_unlock() takes; PRA_EBUSY if another process holds it for seconds; PRA_EIO.
 */
int keyfile_lock(const char *path, int *fd, struct fault *f);
void keyfile_unlock(int fd);
/* Reads the bytes; caller frees. Returns 0, PRA_ENOENT, PRA_ECORRUPT (larger than any), PRA_EIO. */
int keyfile_load(const char *path, char **data, size_t *len, struct fault *f);
/* Something is there under this name, be it a key or not. */
bool keyfile_exists(const char *path);
/* Copies the file to a dated name beside it. Returns 0, PRA_ENOENT, PRA_EIO. */
int keyfile_backup(const char *path, struct fault *f);

#endif
