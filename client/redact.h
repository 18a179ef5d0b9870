/*
 * Takes secrets out of text before it leaves the PC in a log bundle. PRA writes none into its logs;
 * this is the second fence, for what a user or another program may have put there. Pure.
 */
#ifndef PRA_CLIENT_REDACT_H
#define PRA_CLIENT_REDACT_H

#include <stddef.h>

#define REDACT_MARK "[removed]"

/*
 * A copy of `text` in which are replaced by REDACT_MARK: the rest of a line behind a word such as
 * "passphrase", "password", "token", "secret", "authorization" or "cookie" and '=' or ':'; name
 * and password in URLs; private keys in PEM form. Returns a new buffer with a NUL behind it (caller
 * frees) and its length; *lines is how many lines were changed. NULL when out of memory.
 */
char *redact_text(const char *text, size_t len, size_t *out_len, size_t *lines);

#endif
