/* Texts of the result codes, and the sentence that a failing function leaves behind. */
#include "common/err.h"

#include <stdio.h>

#include "common/utf8.h"

const char *err_text(int code)
{
    if (code == 0)
        return "ok";
#define X(name, value, text)                                                                       \
    if (code == (value))                                                                           \
        return text;
    PRA_ERR_MAP(X)
#undef X
    return "unknown error";
}

const char *err_name(int code)
{
    if (code == 0)
        return "0";
#define X(name, value, text)                                                                       \
    if (code == (value))                                                                           \
        return #name;
    PRA_ERR_MAP(X)
#undef X
    return "unknown";
}

/*
 * printf() cuts at bytes: where the buffer ends, and at each "%.80s". Neither may leave half a
 * character, since the sentence may go into JSON.
 */
static void print(char text[FAULT_TEXT_MAX], const char *fmt, va_list ap)
{
    (void)vsnprintf(text, FAULT_TEXT_MAX, fmt, ap);
    utf8_mend(text);
}

int fault_set(struct fault *f, int code, const char *fmt, ...)
{
    if (f) {
        va_list ap;

        va_start(ap, fmt);
        print(f->text, fmt, ap);
        va_end(ap);
        f->code = code;
    }
    return code;
}

int fault_wrap(struct fault *f, int code, const char *fmt, ...)
{
    char prefix[FAULT_TEXT_MAX];
    char rest[FAULT_TEXT_MAX];
    va_list ap;

    if (!f)
        return code;
    va_start(ap, fmt);
    print(prefix, fmt, ap);
    va_end(ap);
    snprintf(rest, sizeof(rest), "%s", f->text[0] != '\0' ? f->text : err_text(code));
    if (snprintf(f->text, sizeof(f->text), "%s: %s", prefix, rest) >= FAULT_TEXT_MAX)
        utf8_mend(f->text);
    f->code = code;
    return code;
}
