/* Text from outside that will be shown to people or stored. Pure. */
#ifndef PRA_KEYS_TEXT_H
#define PRA_KEYS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* True if the `len` bytes at `s` are UTF-8 and printable throughout (common/utf8.h); "" is. */
bool text_is_plain(const char *s, size_t len);

#endif
