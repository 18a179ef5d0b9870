/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure. */
#ifndef PRA_COMMON_UTF8_H
#define PRA_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads one character from the front of `s`. Returns its length in bytes (1-4) and sets *cp, or 0
 * if the bytes are not UTF-8 (or `len` is 0).
 */
size_t utf8_decode(const char *s, size_t len, uint32_t *cp);

bool utf8_valid(const char *s, size_t len);

/*
 * True if a character may be shown in a line of a log or a terminal: no control characters (C0,
 * DEL, C1), no line separators, nothing invisible or that turns the writing direction around.
 */
bool utf8_printable(uint32_t cp);

/* Length of the text without a character at its end that was cut in the middle. */
size_t utf8_trim(const char *s, size_t len);

/*
 * Copies a text into `dst` (`cap` > 0), cut in front of the character that does not fit whole;
 * bytes that are not UTF-8 become '?', so that the copy always is.
 */
void utf8_copy(char *dst, size_t cap, const char *src);

/*
 * Makes a text of printf("%.80s") whole again, in place: the front part of a character that was cut
 * goes, any other byte that is not UTF-8 becomes '?'. Never longer than before.
 */
void utf8_mend(char *text);

/*
 * Takes one character from the front of `src` (`len` > 0) in a form that is safe to show: as it is
 * if it is printable and not one of `also`, else each of its bytes as \xNN. Writes no NUL.
 * Returns the bytes written to `out` and sets *used to the bytes read.
 */
#define UTF8_SAFE_MAX 17
size_t utf8_take_safe(const char *src, size_t len, const char *also, char out[UTF8_SAFE_MAX],
                      size_t *used);

#endif
