/* The options of the NSIS installer, read as every other program reads its arguments. */
#include "packaging/windows/setup/setup.h"

#include <shellapi.h>
#include <stdio.h>
#include <wchar.h>

bool setup_option(const wchar_t *name, wchar_t out[SETUP_TEXT_MAX])
{
    size_t n = wcslen(name);
    bool found = false;
    int argc;
    wchar_t **argv = CommandLineToArgvW(GetCommandLineW(), &argc);

    if (!argv)
        return false;
    for (int i = 1; i < argc && !found; i++) {
        const wchar_t *value;

        if (argv[i][0] != L'/' || _wcsnicmp(argv[i] + 1, name, n) != 0 || argv[i][n + 1] != L'=')
            continue;
        value = argv[i] + n + 2;
        /* What is cut is longer than anything that is valid, and refused as such. */
        (void)_snwprintf(out, SETUP_TEXT_MAX, L"%ls", value);
        out[SETUP_TEXT_MAX - 1] = L'\0';
        found = true;
    }
    LocalFree(argv);
    return found;
}
