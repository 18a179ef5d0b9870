/* How `pra keygen` and `pra key show` tell people about a key and what it is bound to. */
#ifndef PRA_CLIENT_CLI_KEY_H
#define PRA_CLIENT_CLI_KEY_H

#include <stdio.h>

#include "keys/keyfile.h"
#include "keys/sshkey.h"

/* "ed25519", "ecdsa-p256": the words of --type. */
const char *key_type_word(enum crypto_key_type type);

/* The fingerprint of a key's public half. Returns CLI_OK, or CLI_FAILED after a report. */
int key_fingerprint(const struct keyfile_info *info, char dst[SSHKEY_FINGERPRINT_MAX]);

/*
 * "bound to this PC: any 6 of 8 identifiers must match" and its like. `dst` holds KEY_BINDING_MAX.
 */
#define KEY_BINDING_MAX 256
const char *key_binding_words(const struct keyfile_info *info, char dst[KEY_BINDING_MAX]);

/*
 * A table of all identifiers: which take part, and which do not or cannot be read now, and why.
 * `info` NULL = no key has been made: what would take part.
 */
void key_show_identifiers(FILE *to, const struct keyfile_info *info);

#endif
