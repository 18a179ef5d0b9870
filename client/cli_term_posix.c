/* cli_term.h on POSIX systems, and the locale that tells how wide letters are. */
#include "client/cli_term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "client/cli_text.h"

void text_init(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

size_t term_letter_width(uint32_t letter)
{
    int w = wcwidth((wchar_t)letter);

    return w < 0 ? 1 : (size_t)w;
}

bool term_has_colour(FILE *to)
{
    const char *term = getenv("TERM");

    return term != NULL && strcmp(term, "dumb") != 0 && isatty(fileno(to)) == 1;
}

size_t term_width(FILE *to)
{
    struct winsize size;

    if (isatty(fileno(to)) != 1 || ioctl(fileno(to), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return SIZE_MAX;
    return size.ws_col;
}
