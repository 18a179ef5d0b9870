/*
 * Fuzz target: small readers and writers of text: escaping for logs, UTF-8, times, base64,
 * hexadecimal, place-holders of messages.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/err.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/timefmt.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Text that is safe to show: valid, and every character of it printable. */
static void check_shown(const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        uint32_t cp = 0;
        size_t n = utf8_decode(text, len, &cp);

        if (n == 0 || !utf8_printable(cp))
            abort();
        text += n;
        len -= n;
    }
}

static void check_escape(const char *text, size_t len)
{
    char small[24];
    char *large = malloc(4 * len + 3);

    if (!large)
        return;
    check_shown(log_escape(large, 4 * len + 3, text, len));
    check_shown(log_escape(small, sizeof(small), text, len));
    free(large);
}

static void check_base64(const char *text, size_t len)
{
    size_t n = len;
    uint8_t *bytes = malloc(len + 1);
    char *back = malloc(len + 5);

    if (bytes && back && crypto_base64_decode(text, len, bytes, &n) == 0) {
        crypto_base64_encode(bytes, n, back);
        if (strlen(back) != len || memcmp(back, text, len) != 0)
            abort();
    }
    if (bytes && back && crypto_hex_decode(text, len, bytes, len, &n) == 0 && n != len / 2)
        abort();
    free(bytes);
    free(back);
}

static void check_time(const char *text)
{
    char shown[TIMEFMT_MAX];
    int64_t t = 0;
    int64_t again = 0;

    if (timefmt_parse(text, &t) != 0)
        return;
    /* An offset may lead out of the years that four digits can say. */
    if (t < INT64_C(-62167219200) || t > INT64_C(253402300799))
        return;
    if (timefmt_parse(timefmt_rfc3339(t, shown), &again) != 0 || again != t)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msg_text out;
    struct msg_args args = {0};
    struct fault f = {0};
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_escape((const char *)data, size);
    check_base64((const char *)data, size);
    check_time(text);
    args = (struct msg_args){.server = text, .detail = text, .name = text, .port = text};
    msg_format(MSG_PORT_ADDRESS, LANG_EN, &args, &out);
    check_shown(out.cause);
    msg_format(MSG_HOSTKEY_CHANGED, LANG_JA, &args, &out);
    check_shown(out.remedy);
    if (utf8_valid(text, strlen(text))) {
        fault_set(&f, PRA_EIO, "%s", text);
        fault_wrap(&f, PRA_EIO, "%s", text);
        if (!utf8_valid(f.text, strlen(f.text)))
            abort();
    }
    free(text);
    return 0;
}
