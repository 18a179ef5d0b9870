/*
 * What is printed to a console, in one piece and as UTF-16: the C library would hand it over byte by
 * byte, and a letter of UTF-8 that comes in pieces is none. Elsewhere nothing is different.
 */
#include "common/posix_win.h"

#undef fprintf
#undef fputs
#undef puts

static HANDLE console_of(FILE *to)
{
    HANDLE h = (HANDLE)_get_osfhandle(_fileno(to));
    DWORD mode;

    return GetConsoleMode(h, &mode) ? h : NULL;
}

/* 0, or EOF. */
static int print(HANDLE console, FILE *to, const char *text)
{
    wchar_t *wide = win_wide(text);
    const wchar_t *rest = wide;
    DWORD left = wide != NULL ? (DWORD)wcslen(wide) : 0, done;

    if (wide == NULL || fflush(to) != 0) {
        free(wide);
        return EOF;
    }
    while (left > 0 && WriteConsoleW(console, rest, left, &done, NULL) && done > 0) {
        rest += done;
        left -= done;
    }
    free(wide);
    return left == 0 ? 0 : EOF;
}

int posix_fputs(const char *text, FILE *to)
{
    HANDLE console = console_of(to);

    return console != NULL ? print(console, to, text) : fputs(text, to);
}

int posix_puts(const char *text)
{
    return posix_fputs(text, stdout) != EOF && fputc('\n', stdout) != EOF ? 0 : EOF;
}

int posix_fprintf(FILE *to, const char *fmt, ...)
{
    HANDLE console = console_of(to);
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = console == NULL ? vfprintf(to, fmt, ap) : vasprintf(&text, fmt, ap);
    va_end(ap);
    if (console != NULL && n >= 0) {
        if (print(console, to, text) == EOF)
            n = -1;
        free(text);
    }
    return n;
}
