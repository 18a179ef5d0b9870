/*
 * Base64 and hexadecimal. Ours, not EVP_DecodeBlock(): that one skips white space, takes padding
 * anywhere and counts it as bytes, while a key or a fingerprint has exactly one spelling.
 */
#include "common/crypto.h"

#include <string.h>

#include "common/err.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void crypto_base64_encode(const void *src, size_t len, char *dst)
{
    const uint8_t *p = src;

    for (; len >= 3; len -= 3, p += 3) {
        *dst++ = base64_digits[p[0] >> 2];
        *dst++ = base64_digits[(p[0] & 3) << 4 | p[1] >> 4];
        *dst++ = base64_digits[(p[1] & 15) << 2 | p[2] >> 6];
        *dst++ = base64_digits[p[2] & 63];
    }
    if (len > 0) {
        uint8_t second = len == 2 ? p[1] : 0;

        *dst++ = base64_digits[p[0] >> 2];
        *dst++ = base64_digits[(p[0] & 3) << 4 | second >> 4];
        *dst++ = len == 2 ? base64_digits[(second & 15) << 2] : '=';
        *dst++ = '=';
    }
    *dst = '\0';
}

/* 0-63, or -1. */
static int base64_value(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    if (ch == '+')
        return 62;
    return ch == '/' ? 63 : -1;
}

int crypto_base64_decode(const char *src, size_t src_len, void *dst, size_t *len)
{
    uint8_t *out = dst;
    size_t padding = 0;
    size_t total;

    if (src_len % 4 != 0)
        return PRA_EINVAL;
    while (padding < 2 && padding < src_len && src[src_len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < src_len - padding; i++)
        if (base64_value(src[i]) < 0)
            return PRA_EINVAL;
    /* Bits that encode nothing must be zero. */
    if (padding > 0 && (base64_value(src[src_len - padding - 1]) & (padding == 2 ? 15 : 3)) != 0)
        return PRA_EINVAL;
    total = src_len / 4 * 3 - padding;
    if (total > *len)
        return PRA_ETOOBIG;
    for (size_t i = 0, n = 0; n < total; i += 4) {
        unsigned value = 0;

        for (size_t k = 0; k < 4; k++)
            value =
                value << 6 | (i + k < src_len - padding ? (unsigned)base64_value(src[i + k]) : 0);
        for (int shift = 16; shift >= 0 && n < total; shift -= 8)
            out[n++] = (uint8_t)(value >> shift);
    }
    *len = total;
    return 0;
}

void crypto_hex_encode(const void *src, size_t len, char *dst)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = src;

    for (size_t i = 0; i < len; i++) {
        *dst++ = digits[p[i] >> 4];
        *dst++ = digits[p[i] & 15];
    }
    *dst = '\0';
}

/* 0-15, or -1. */
static int hex_value(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

int crypto_hex_decode(const char *src, size_t src_len, void *dst, size_t cap, size_t *len)
{
    uint8_t *out = dst;

    if (src_len % 2 != 0)
        return PRA_EINVAL;
    for (size_t i = 0; i < src_len; i++)
        if (hex_value(src[i]) < 0)
            return PRA_EINVAL;
    if (src_len / 2 > cap)
        return PRA_ETOOBIG;
    for (size_t i = 0; i < src_len; i += 2)
        out[i / 2] = (uint8_t)(hex_value(src[i]) << 4 | hex_value(src[i + 1]));
    *len = src_len / 2;
    return 0;
}
