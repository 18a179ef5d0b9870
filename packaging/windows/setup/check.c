/* Whether what was given as SERVER and FINGERPRINT has the form that the client will accept. */
#include "packaging/windows/setup/setup.h"

#include <wchar.h>

#define HOST_MAX           253
#define FINGERPRINT_PREFIX L"SHA256:"
#define FINGERPRINT_DIGITS 43

static bool is_alnum(wchar_t c)
{
    return (c >= L'0' && c <= L'9') || (c >= L'a' && c <= L'z') || (c >= L'A' && c <= L'Z');
}

/* Decimal, 1 ... 65535, no sign, no blanks. */
static bool port_valid(const wchar_t *text)
{
    unsigned long value = 0;
    size_t n = 0;

    for (; text[n]; n++) {
        if (n == 5 || text[n] < L'0' || text[n] > L'9')
            return false;
        value = value * 10 + (unsigned long)(text[n] - L'0');
    }
    return n > 0 && value >= 1 && value <= 65535;
}

/* A name or an IPv4 address: letters, digits, '-', '.', '_'; beyond ASCII too (IDN). */
static bool host_valid(const wchar_t *text, size_t n)
{
    if (n == 0 || n > HOST_MAX || text[0] == L'-' || text[0] == L'.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_alnum(text[i]) && !wcschr(L"-._", text[i]) && text[i] < 0xa1)
            return false;
    return true;
}

static bool v6_valid(const wchar_t *text, size_t n)
{
    size_t colons = 0;

    if (n < 2 || n > 45)
        return false;
    for (size_t i = 0; i < n; i++) {
        colons += text[i] == L':';
        if (!wcschr(L"0123456789abcdefABCDEF:.", text[i]))
            return false;
    }
    return colons >= 2;
}

bool setup_server_valid(const wchar_t *text)
{
    const wchar_t *colon, *end;

    if (text[0] == L'\0')
        return true;
    if (text[0] == L'[') {
        end = wcschr(text, L']');
        if (!end || !v6_valid(text + 1, (size_t)(end - text - 1)))
            return false;
        return end[1] == L'\0' || (end[1] == L':' && port_valid(end + 2));
    }
    colon = wcschr(text, L':');
    if (colon && wcschr(colon + 1, L':'))
        return v6_valid(text, wcslen(text));
    if (!colon)
        return host_valid(text, wcslen(text));
    return host_valid(text, (size_t)(colon - text)) && port_valid(colon + 1);
}

bool setup_fingerprint_valid(const wchar_t *text)
{
    size_t prefix = wcslen(FINGERPRINT_PREFIX);

    if (text[0] == L'\0')
        return true;
    if (wcsncmp(text, FINGERPRINT_PREFIX, prefix) != 0 ||
        wcslen(text) != prefix + FINGERPRINT_DIGITS)
        return false;
    for (const wchar_t *c = text + prefix; *c; c++)
        if (!is_alnum(*c) && *c != L'+' && *c != L'/')
            return false;
    return true;
}
