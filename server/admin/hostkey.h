/*
 * The gateway's host key: an Ed25519 key in OpenSSH's private key format (PROTOCOL.key:
 * "openssh-key-v1"), not encrypted, mode 0600, so that libssh and ssh-keygen read it.
 */
#ifndef PRA_SERVER_ADMIN_HOSTKEY_H
#define PRA_SERVER_ADMIN_HOSTKEY_H

#include <stdint.h>

#include "common/err.h"
#include "keys/sshkey.h"

#define HOSTKEY_TYPE "ssh-ed25519"

/* Makes a new key at `path`. Returns 0, PRA_EEXIST (never overwrites), PRA_EIO, PRA_ECRYPTO. */
int hostkey_create(const char *path, char fingerprint[SSHKEY_FINGERPRINT_MAX], struct fault *f);

/*
 * Reads type and fingerprint from the public part of the file. Returns 0, PRA_ENOENT, PRA_EIO,
 * PRA_ECORRUPT (not such a file).
 */
int hostkey_read(const char *path, char type[SSHKEY_TYPE_MAX],
                 char fingerprint[SSHKEY_FINGERPRINT_MAX], struct fault *f);

#define HOSTKEY_SEED_LEN 32

/*
 * Reads the private key's seed (RFC 8032) into memory of the caller, who locks and wipes it; nothing else
 * holds it afterwards. Returns 0, PRA_ENOENT, PRA_EIO, PRA_EACCES (others may read the file), PRA_EINVAL (another
 * kind of key), PRA_ECORRUPT (not such a file, or encrypted).
 */
int hostkey_load(const char *path, uint8_t seed[HOSTKEY_SEED_LEN], struct fault *f);

#endif
