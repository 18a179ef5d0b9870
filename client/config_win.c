/* What the installers leave for every user: SERVER= and FINGERPRINT= (packaging/windows). */
#include "client/config.h"

#include "common/posix_win.h"

#define VALUE_MAX 512 /* letters */

bool config_installed(const char *name, char *dst, size_t cap)
{
    wchar_t *wide_name = win_wide(name), value[VALUE_MAX];
    DWORD len = sizeof(value);
    bool found =
        wide_name != NULL &&
        RegGetValueW(HKEY_LOCAL_MACHINE, L"Software\\PRA", wide_name,
                     RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, value, &len) == ERROR_SUCCESS &&
        win_utf8(value, dst, cap) && dst[0] != '\0';

    free(wide_name);
    return found;
}
