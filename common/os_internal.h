/* Between os_*.c only. */
#ifndef PRA_COMMON_OS_INTERNAL_H
#define PRA_COMMON_OS_INTERNAL_H

#include <stddef.h>

/* What may stand between folders; the first is what we write. */
extern const char os_separators[];

/*
 * One line from `fd`, byte by byte so that nothing behind it is taken. Returns 0, PRA_ETOOBIG,
 * PRA_ECLOSED (end before any byte, or a byte of `interrupts`), PRA_EINVAL (NUL), PRA_EIO. *len and the
 * bytes of `dst` are set on every return; the caller wipes them.
 */
int os_read_line(int fd, const char *interrupts, char *dst, size_t cap, size_t *len);

#endif
