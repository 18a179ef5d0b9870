/*
 * One-time codes that people read out and type: random letters of base32 in groups of four. What is
 * kept of a code is its SHA-256; it has so many bits that a slow hash would add nothing.
 */
#ifndef PRA_SERVER_ADMIN_CODE_H
#define PRA_SERVER_ADMIN_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "server/store/store.h"

/* Letters of the longest code, and that code with its dashes and NUL. */
#define CODE_CHARS_MAX 20
#define CODE_TEXT_MAX  (CODE_CHARS_MAX + CODE_CHARS_MAX / 4)

/* A new random code of `chars` letters in groups of four, and what is kept of it. Returns 0, PRA_ECRYPTO. */
int code_make(size_t chars, char text[CODE_TEXT_MAX], uint8_t hash[STORE_HASH_LEN]);
/* What is kept of a code that a person typed: letter case, blanks and dashes do not count. Returns 0,
   PRA_ECRYPTO. Any thread. */
int code_hash(const char *text, uint8_t hash[STORE_HASH_LEN]);

#endif
