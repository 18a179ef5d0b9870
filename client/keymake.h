/*
 * This PC's key as every front end handles it: making, showing, exporting. No terminal and no window:
 * `pra keygen`, `pra key` and the tray put the results before people.
 */
#ifndef PRA_CLIENT_KEYMAKE_H
#define PRA_CLIENT_KEYMAKE_H

#include "common/msg.h"
#include "keys/keyfile.h"
#include "keys/sshkey.h"

/* "ed25519", "ecdsa-p256": the words of --type. */
const char *key_type_word(enum crypto_key_type type);

/* Below this a passphrase is called weak in passphrase_word(); advice is given then. */
#define KEYMAKE_BITS_ADVISED 32
/* That advice, in this language. */
const char *keymake_advice(void);

/* "bound to this PC: any 6 of 8 identifiers must match" and its like. Returns `dst`. */
#define KEY_BINDING_MAX 256
const char *key_binding_words(const struct keyfile_info *info, char dst[KEY_BINDING_MAX]);

/* What a weak binding means, in this language. */
const char *keymake_weak_words(void);

/* What a failure of keyfile_create() is called; MSG_NONE for PRA_EINVAL, whose fault says it all. */
enum msg_id keymake_problem(int rc);
/* The same for keyfile_inspect(). */
enum msg_id keymake_inspect_problem(int rc);

/* The fingerprint of a key's public half. Returns 0, PRA_ECRYPTO, PRA_EINVAL. */
int keymake_fingerprint(const struct keyfile_info *info, char dst[SSHKEY_FINGERPRINT_MAX]);

/* Replaces a file by the public line. What is none (a device, a pipe, a link such as /dev/stdout) is
   written to. Returns 0, PRA_EIO. */
int keymake_write_public(const char *path, const char *line, struct fault *f);

#endif
