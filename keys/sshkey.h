/*
 * Keys in OpenSSH's formats: public key blobs and lines, fingerprints, signatures (RFC 4253 6.6,
 * RFC 5656, RFC 8709; the line format of sshd(8) AUTHORIZED_KEYS).
 */
#ifndef PRA_KEYS_SSHKEY_H
#define PRA_KEYS_SSHKEY_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "keys/keyfile.h"

/* Longest key line read; largest blob (RSA 8192 fits). */
#define SSHKEY_LINE_MAX 16384u
#define SSHKEY_BLOB_MAX 2048
/* "SHA256:" and 43 characters of base64 and NUL. */
#define SSHKEY_FINGERPRINT_MAX 52
#define SSHKEY_COMMENT_MAX     256
#define SSHKEY_TYPE_MAX        64

/* A public key as read from a line: type name, blob, comment. */
struct sshkey_public {
    char type[SSHKEY_TYPE_MAX]; /* "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", ... */
    uint8_t blob[SSHKEY_BLOB_MAX];
    size_t blob_len;
    char comment[SSHKEY_COMMENT_MAX];
};

/*
 * Reads one line "type base64 [comment]" (leading options are refused). Accepts ssh-ed25519,
 * ecdsa-sha2-nistp256/384/521, ssh-rsa >= 2048 bits and sk-ssh-ed25519@openssh.com,
 * sk-ecdsa-sha2-nistp256@openssh.com; checks that the blob is well formed and says the same type.
 * Returns 0, PRA_EINVAL (with what is wrong), PRA_ETOOBIG, PRA_EWEAK, PRA_EUNSUPPORTED.
 */
int sshkey_parse_line(const char *line, size_t len, struct sshkey_public *out, struct fault *f);

/* Reads a whole public key file: exactly one key line; blank and # lines are skipped. */
int sshkey_parse_file(const char *path, struct sshkey_public *out, struct fault *f);

/* Wire blob of one of our own keys. `blob` holds SSHKEY_BLOB_MAX. */
int sshkey_blob(const struct keyfile_info *info, uint8_t *blob, size_t *len);

/* "ssh-ed25519 AAAA... user@computer\n". `dst` holds SSHKEY_LINE_MAX. Returns 0, PRA_ETOOBIG. */
int sshkey_format_line(const struct keyfile_info *info, char *dst, size_t cap);

/* "SHA256:..." without padding, as OpenSSH prints it. */
int sshkey_fingerprint(const uint8_t *blob, size_t len, char dst[SSHKEY_FINGERPRINT_MAX]);

/*
 * Signs for SSH user authentication and returns what goes inside the signature blob behind the
 * algorithm name (Ed25519: 64 bytes; ECDSA: mpint r, mpint s). Caller frees *sig.
 */
int key_sign(const struct key *k, const uint8_t *data, size_t len, uint8_t **sig, size_t *sig_len);

#endif
