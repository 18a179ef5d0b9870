/* Functions that take a format as printf(3) does, and have their arguments checked by the compiler. */
#ifndef PRA_COMMON_FORMAT_H
#define PRA_COMMON_FORMAT_H

/*
 * The format is parameter `fmt`, counted from 1, what it names begins at `first` (0: a va_list).
 * Where the C library reads formats in two ways the compiler is told which (posix_win.h).
 */
#ifndef FORMAT_PRINTF
#define FORMAT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#endif

#endif
