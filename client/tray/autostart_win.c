/* Starting at login (prefs.h) by the user's own Run key. */
#include "client/tray/prefs.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#define RUN_KEY   L"Software\\Microsoft\\Windows\\CurrentVersion\\Run"
#define RUN_VALUE L"PRA"

bool prefs_autostart(void)
{
    return RegGetValueW(HKEY_CURRENT_USER, RUN_KEY, RUN_VALUE, RRF_RT_REG_SZ, NULL, NULL, NULL) ==
           ERROR_SUCCESS;
}

static LSTATUS add(void)
{
    static const wchar_t option[] = L"\" --background";
    wchar_t command[OS_PATH_MAX + 32] = L"\"";
    DWORD n = GetModuleFileNameW(NULL, command + 1, OS_PATH_MAX);

    if (n == 0 || n >= OS_PATH_MAX)
        return ERROR_FILENAME_EXCED_RANGE;
    memcpy(command + 1 + n, option, sizeof(option));
    return RegSetKeyValueW(HKEY_CURRENT_USER, RUN_KEY, RUN_VALUE, REG_SZ, command,
                           (DWORD)((wcslen(command) + 1) * sizeof(wchar_t)));
}

int prefs_set_autostart(bool on, struct fault *f)
{
    LSTATUS status = on ? add() : RegDeleteKeyValueW(HKEY_CURRENT_USER, RUN_KEY, RUN_VALUE);

    if (status == ERROR_SUCCESS || (!on && status == ERROR_FILE_NOT_FOUND))
        return 0;
    return fault_set(f, PRA_EIO, "the Run key of the registry: error %ld", (long)status);
}
