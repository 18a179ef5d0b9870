/* The check of keys/text.h. */
#include "keys/text.h"

#include <stdint.h>

#include "common/utf8.h"

bool text_is_plain(const char *s, size_t len)
{
    size_t i = 0;

    while (i < len) {
        uint32_t cp;
        size_t n = utf8_decode(s + i, len - i, &cp);

        if (n == 0 || !utf8_printable(cp)) {
            return false;
        }
        i += n;
    }
    return true;
}
