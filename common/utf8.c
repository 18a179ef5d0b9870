/* UTF-8 by the table of RFC 3629 section 4. */
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>

size_t utf8_decode(const char *s, size_t len, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)s;
    uint32_t value;
    uint32_t least;
    size_t n;

    if (len == 0)
        return 0;
    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    if (u[0] >= 0xC2 && u[0] <= 0xDF) {
        n = 2, value = u[0] & 0x1Fu, least = 0x80;
    } else if (u[0] >= 0xE0 && u[0] <= 0xEF) {
        n = 3, value = u[0] & 0x0Fu, least = 0x800;
    } else if (u[0] >= 0xF0 && u[0] <= 0xF4) {
        n = 4, value = u[0] & 0x07u, least = 0x10000;
    } else {
        return 0;
    }
    if (len < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xC0u) != 0x80u)
            return 0;
        value = value << 6 | (u[i] & 0x3Fu);
    }
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *cp = value;
    return n;
}

bool utf8_valid(const char *s, size_t len)
{
    uint32_t cp;

    while (len > 0) {
        size_t n = utf8_decode(s, len, &cp);

        if (n == 0)
            return false;
        s += n;
        len -= n;
    }
    return true;
}

bool utf8_printable(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7F && cp <= 0x9F) || cp == 0xAD)
        return false;
    if ((cp >= 0x200B && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202E))
        return false; /* zero width, marks of direction, separators, embeddings */
    if (cp >= 0x2060 && cp <= 0x206F)
        return false; /* invisible operators, isolates */
    if (cp == 0x061C || cp == 0xFEFF || (cp >= 0xFFF9 && cp <= 0xFFFB))
        return false;
    if ((cp & 0xFFFEu) == 0xFFFE || (cp >= 0xFDD0 && cp <= 0xFDEF))
        return false;                         /* noncharacters */
    return !(cp >= 0xE0000 && cp <= 0xE0FFF); /* tags */
}

size_t utf8_trim(const char *s, size_t len)
{
    uint32_t cp;

    /* The last character begins at most 3 bytes before the last one. */
    for (size_t back = 1; back <= 4 && back <= len; back++) {
        unsigned char lead = (unsigned char)s[len - back];

        if ((lead & 0xC0u) == 0x80u)
            continue;
        return lead < 0x80 || utf8_decode(s + len - back, back, &cp) > 0 ? len : len - back;
    }
    return len;
}

size_t utf8_take_safe(const char *src, size_t len, const char *also, char out[UTF8_SAFE_MAX],
                      size_t *used)
{
    uint32_t cp = 0;
    size_t n = utf8_decode(src, len, &cp);
    size_t written = 0;

    *used = n > 0 ? n : 1;
    if (n > 0 && utf8_printable(cp) && !(n == 1 && strchr(also, src[0]) != NULL)) {
        memcpy(out, src, n);
        return n;
    }
    for (size_t i = 0; i < *used; i++)
        written += (size_t)snprintf(out + written, UTF8_SAFE_MAX - written, "\\x%02x",
                                    (unsigned)(unsigned char)src[i]);
    return written;
}

void utf8_copy(char *dst, size_t cap, const char *src)
{
    size_t left = strlen(src), at = 0;

    while (left > 0) {
        uint32_t cp;
        size_t n = utf8_decode(src, left, &cp), put = n > 0 ? n : 1;

        if (put >= cap - at)
            break;
        if (n > 0)
            memcpy(dst + at, src, n);
        else
            dst[at] = '?';
        at += put;
        src += put;
        left -= put;
    }
    dst[at] = '\0';
}

/* How many bytes at the front of `s` begin a character that does not go on; 0 if none does. */
static size_t cut_length(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t want = u[0] >= 0xF0 && u[0] <= 0xF4   ? 4
                  : u[0] >= 0xE0 && u[0] <= 0xEF ? 3
                  : u[0] >= 0xC2 && u[0] <= 0xDF ? 2
                                                 : 0;
    size_t n = 1;

    while (n < want && (u[n] & 0xC0u) == 0x80u)
        n++;
    return n < want ? n : 0;
}

void utf8_mend(char *text)
{
    size_t left = strlen(text), at = 0;
    const char *from = text;

    while (left > 0) {
        uint32_t cp;
        size_t n = utf8_decode(from, left, &cp), used = n > 0 ? n : cut_length(from);

        if (n > 0)
            memmove(text + at, from, n);
        else if (used == 0)
            text[at] = '?';
        at += n > 0 ? n : used == 0 ? 1 : 0;
        from += used > 0 ? used : 1;
        left -= used > 0 ? used : 1;
    }
    text[at] = '\0';
}
