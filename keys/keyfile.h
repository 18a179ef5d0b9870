/*
 * The sealed key file: one signature key, bound to a passphrase and to k of n identifiers of the
 * machine ("Machine binding" in the design). The format is in keys/README.md.
 *
 * keyfile_create() makes one, keyfile_open() unseals it. Opening costs one scrypt run (about
 * 0.4 s and 128 MiB by design): call it off the event loop.
 */
#ifndef PRA_KEYS_KEYFILE_H
#define PRA_KEYS_KEYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/err.h"
#include "keys/machine.h"

/* Limits on what is read; scrypt parameters outside these are refused before running. */
#define KEYFILE_SIZE_MAX 65536u
#define KEYFILE_USER_MAX 64
#define KEYFILE_HOST_MAX 64
#define KEYFILE_LOG2_N   17
#define KEYFILE_PASS_MAX 1024

/* The public part: readable without the passphrase (and so not secret, but authenticated). */
struct keyfile_info {
    enum crypto_key_type type;
    uint8_t public_key[CRYPTO_PUBLIC_MAX];
    size_t public_len;
    char user[KEYFILE_USER_MAX + 1];     /* as given, case kept (A4) */
    char computer[KEYFILE_HOST_MAX + 1]; /* for the comment user@computer */
    int64_t created;
    bool strict;
    bool weak; /* "weakly bound" */
    unsigned k, n;
    uint8_t salt[16];
    bool bound[MACHINE_ID_COUNT]; /* which identifiers take part */
};

/* An unsealed key, in locked pages of its own if the system allows it (secmem_lock_error()). Opaque;
   wiped by key_free(). */
struct key;

/* What opening found out; valid after success and after PRA_EMACHINE. */
struct keyfile_report {
    bool changed[MACHINE_ID_COUNT]; /* value differs from the one at sealing (keyed 8-bit tag) */
    bool missing[MACHINE_ID_COUNT]; /* took part, has no value now */
    bool hidden[MACHINE_ID_COUNT];  /* took part, exists but cannot be read now */
    bool resealed;                  /* sealed again after a tolerated change */
    bool reseal_refused;            /* no strong identifier matched, or the key would be weak */
    bool reseal_failed;             /* the file could not be written; `f` says why */
    /*
     * With PRA_EMACHINE: every value differs. A wrong passphrase passes the one-byte check once in
     * 256 times and then looks like this, so say that it may be that too.
     */
    bool maybe_passphrase;
};

struct keyfile_options {
    enum crypto_key_type type;
    const char *user;
    const char *passphrase;
    bool strict;
    bool allow_weak;
    bool force;      /* replace an existing key; the old one is kept as a dated backup */
    unsigned log2_n; /* 0 = KEYFILE_LOG2_N; >= 10 in test builds only */
};

/*
 * Makes a key on this machine and writes it to `path` (0600, temp + fsync + rename). Returns 0,
 * PRA_EEXIST (a key is there, no force), PRA_EWEAK (rule of the design not met, no allow_weak;
 * `f` names the identifiers found; without any identifier even with allow_weak), PRA_EINVAL (user
 * name, passphrase or another option), PRA_EBUSY (another process is writing), PRA_EIO,
 * PRA_ECRYPTO. On failure what was there before is untouched. Costs one scrypt run.
 */
int keyfile_create(const char *path, const struct keyfile_options *opt, struct keyfile_info *info,
                   struct fault *f);

/* Reads the public part only. Returns 0, PRA_ENOENT, PRA_ECORRUPT, PRA_EVERSION, PRA_EIO. */
int keyfile_inspect(const char *path, struct keyfile_info *out, struct fault *f);

/*
 * Unseals on this machine. Returns 0 and the key in *out (take `info` and `report` or pass NULL);
 * PRA_EPASSPHRASE; PRA_EMACHINE (report names what differs); PRA_ECORRUPT; PRA_EVERSION;
 * PRA_ENOENT; PRA_EIO; PRA_ECRYPTO; PRA_ENOMEM.
 *
 * After a tolerated change the file is sealed again for the machine as it is now, if a strong
 * identifier matched, the key stays bound, and nothing is merely hidden (a helper that does not
 * answer today is no reason to forget serial numbers). That is no condition of success.
 */
int keyfile_open(const char *path, const char *passphrase, struct key **out,
                 struct keyfile_info *info, struct keyfile_report *report, struct fault *f);

/*
 * "disk serial, BIOS version": the identifiers of `report` that differ, are missing or hidden, in
 * people's words. Cut at `cap`; never empty.
 */
void keyfile_describe_changes(const struct keyfile_report *report, char *dst, size_t cap);

void key_free(struct key *k);

/* How strong a passphrase is: bits (rough, zxcvbn-like estimate) and a word in the current language. */
unsigned passphrase_bits(const char *passphrase);
const char *passphrase_word(unsigned bits);

#endif
