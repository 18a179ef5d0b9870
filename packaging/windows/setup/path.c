/*
 * The machine's PATH for NSIS, whose own strings end at 1,024 characters: a longer PATH would be cut,
 * and with it half of the PC's programs. (Windows Installer has a table for it.)
 */
#include "packaging/windows/setup/setup.h"

#include <stdlib.h>
#include <wchar.h>

#define ENVIRONMENT    L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
#define PATH_MAX_CHARS 32767 /* what Windows allows a variable to hold */

/* What the value holds, with `extra` characters of room behind it. NULL: cannot be read. */
static wchar_t *read_path(HKEY key, size_t extra, DWORD *type)
{
    DWORD size = 0;
    wchar_t *text;

    if (RegQueryValueExW(key, L"Path", NULL, type, NULL, &size) != ERROR_SUCCESS ||
        (*type != REG_SZ && *type != REG_EXPAND_SZ) || size > PATH_MAX_CHARS * sizeof(wchar_t))
        return NULL;
    text = calloc(size / sizeof(wchar_t) + extra + 1, sizeof(wchar_t));
    if (text && RegQueryValueExW(key, L"Path", NULL, type, (BYTE *)text, &size) != ERROR_SUCCESS) {
        free(text);
        return NULL;
    }
    return text;
}

/* The element that equals `folder` (letter case and a last backslash do not count), or NULL. */
static wchar_t *find_element(wchar_t *path, const wchar_t *folder, size_t *length)
{
    size_t n = wcslen(folder);

    while (n > 0 && folder[n - 1] == L'\\')
        n--;
    for (wchar_t *at = path; *at;) {
        size_t chars = wcscspn(at, L";");

        if ((chars == n || (chars == n + 1 && at[n] == L'\\')) && _wcsnicmp(at, folder, n) == 0) {
            *length = chars;
            return at;
        }
        at += chars + (at[chars] == L';');
    }
    return NULL;
}

static DWORD write_path(HKEY key, const wchar_t *text, DWORD type)
{
    DWORD_PTR answer;
    LSTATUS rc = RegSetValueExW(key, L"Path", 0, type, (const BYTE *)text,
                                (DWORD)((wcslen(text) + 1) * sizeof(wchar_t)));

    if (rc == ERROR_SUCCESS)
        SendMessageTimeoutW(HWND_BROADCAST, WM_SETTINGCHANGE, 0, (LPARAM)L"Environment",
                            SMTO_ABORTIFHUNG, 1000, &answer);
    return (DWORD)rc;
}

DWORD setup_path(const wchar_t *folder, bool wanted)
{
    size_t extra = wcslen(folder) + 1, length = 0;
    DWORD type = 0, rc;
    wchar_t *path, *found;
    HKEY key;

    rc = (DWORD)RegOpenKeyExW(HKEY_LOCAL_MACHINE, ENVIRONMENT, 0,
                              KEY_QUERY_VALUE | KEY_SET_VALUE | KEY_WOW64_64KEY, &key);
    if (rc != ERROR_SUCCESS)
        return rc;
    path = read_path(key, extra, &type);
    if (!path) {
        RegCloseKey(key);
        return ERROR_INVALID_DATA;
    }
    found = find_element(path, folder, &length);
    if (wanted && !found) {
        size_t used = wcslen(path);

        if (used + extra >= PATH_MAX_CHARS) {
            rc = ERROR_BUFFER_OVERFLOW;
        } else {
            _snwprintf(path + used, extra + 1, L"%ls%ls", used ? L";" : L"", folder);
            rc = write_path(key, path, type);
        }
    } else if (!wanted && found) {
        wchar_t *rest = found + length;

        if (*rest == L';')
            rest++;
        else if (found > path)
            found--; /* the last one goes with the separator before it */
        wmemmove(found, rest, wcslen(rest) + 1);
        rc = write_path(key, path, type);
    }
    free(path);
    RegCloseKey(key);
    return rc;
}
