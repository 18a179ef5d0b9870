/*
 * Text from outside that will be shown to people or stored: valid UTF-8 without control
 * characters. Pure.
 */
#ifndef PRA_KEYS_TEXT_H
#define PRA_KEYS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True if the `len` bytes at `s` are well-formed UTF-8 (RFC 3629: no overlong forms, surrogates or
 * values above U+10FFFF) and hold no control character (U+0000-U+001F, U+007F-U+009F). Blanks are
 * allowed. The empty text is fine.
 */
bool text_is_plain(const char *s, size_t len);

#endif
