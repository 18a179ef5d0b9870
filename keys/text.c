/*
 * The check of keys/text.h, by the table of well-formed byte sequences in RFC 3629 section 4.
 */
#include "keys/text.h"

#include <stdint.h>

/* Length of the sequence at `p` with `left` bytes behind it; 0 if it is not well formed. */
static size_t sequence_length(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t len;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < len) {
        return 0;
    }
    if (p[0] == 0xe0) {
        low = 0xa0;
    } else if (p[0] == 0xed) {
        high = 0x9f;
    } else if (p[0] == 0xf0) {
        low = 0x90;
    } else if (p[0] == 0xf4) {
        high = 0x8f;
    }
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

bool text_is_plain(const char *s, size_t len)
{
    const uint8_t *p = (const uint8_t *)s;
    size_t i = 0;

    while (i < len) {
        size_t n = sequence_length(p + i, len - i);

        if (n == 0 || p[i] < 0x20 || p[i] == 0x7f) {
            return false;
        }
        if (n == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0) {
            return false;
        }
        i += n;
    }
    return true;
}
