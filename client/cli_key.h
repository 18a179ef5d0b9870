/* How `pra keygen` and `pra key show` tell people about a key and what it is bound to. */
#ifndef PRA_CLIENT_CLI_KEY_H
#define PRA_CLIENT_CLI_KEY_H

#include <stdio.h>

#include "client/keymake.h"

/* The fingerprint of a key's public half. Returns CLI_OK, or CLI_FAILED after a report. */
int key_fingerprint(const struct keyfile_info *info, char dst[SSHKEY_FINGERPRINT_MAX]);

/*
 * A table of all identifiers: which take part, and which do not or cannot be read now, and why.
 * `info` NULL = no key has been made: what would take part.
 */
void key_show_identifiers(FILE *to, const struct keyfile_info *info);

#endif
