/*
 * Starting at login (prefs.h). Two entries can do it: the user's own, and the installer's for everybody on
 * this PC (--autostart), which a user cannot delete. Either is switched off where Windows' own settings
 * do it, so that Task Manager and these options show the same; whether Windows heeds a user's switch for
 * everybody's entry is its matter, so a start by that entry asks here, too (prefs_autostart_off()).
 */
#include "client/tray/app_win.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define RUN_KEY      L"Software\\Microsoft\\Windows\\CurrentVersion\\Run"
#define APPROVED_KEY L"Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\StartupApproved\\Run"
#define VALUE        L"PRA"
#define STATE_MAX    64
#define STATE_OFF    3

/* What Windows keeps of a switch: a state, then when it was switched off. */
struct switched {
    DWORD state;
    FILETIME since;
};

static bool has_entry(HKEY whose)
{
    return RegGetValueW(whose, RUN_KEY, VALUE, RRF_RT_REG_SZ, NULL, NULL, NULL) == ERROR_SUCCESS;
}

/* The first byte is even (2, 6) where it is on and odd (3, 7) where it is off; none at all is on. */
static bool switched_off(HKEY whose)
{
    BYTE state[STATE_MAX];
    DWORD len = sizeof(state);

    return RegGetValueW(whose, APPROVED_KEY, VALUE, RRF_RT_REG_BINARY, NULL, state, &len) ==
               ERROR_SUCCESS &&
           len > 0 && (state[0] & 1) != 0;
}

bool prefs_autostart_off(void)
{
    return switched_off(HKEY_CURRENT_USER);
}

static bool everybodys(void)
{
    return has_entry(HKEY_LOCAL_MACHINE) && !switched_off(HKEY_LOCAL_MACHINE);
}

bool prefs_autostart(void)
{
    return !prefs_autostart_off() && (has_entry(HKEY_CURRENT_USER) || everybodys());
}

static LSTATUS add(void)
{
    static const wchar_t option[] = L"\" --background";
    wchar_t command[OS_PATH_MAX + 32] = L"\"";
    DWORD n = GetModuleFileNameW(NULL, command + 1, OS_PATH_MAX);

    if (n == 0 || n >= OS_PATH_MAX)
        return ERROR_FILENAME_EXCED_RANGE;
    memcpy(command + 1 + n, option, sizeof(option));
    return RegSetKeyValueW(HKEY_CURRENT_USER, RUN_KEY, VALUE, REG_SZ, command,
                           (DWORD)((wcslen(command) + 1) * sizeof(wchar_t)));
}

/* It need not be there. */
static LSTATUS delete_own(const wchar_t *key)
{
    LSTATUS status = RegDeleteKeyValueW(HKEY_CURRENT_USER, key, VALUE);

    return status == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : status;
}

static LSTATUS switch_on(void)
{
    LSTATUS status = delete_own(APPROVED_KEY);

    if (status != ERROR_SUCCESS || has_entry(HKEY_CURRENT_USER) || everybodys())
        return status;
    return add();
}

static LSTATUS switch_off(void)
{
    struct switched off = {.state = STATE_OFF};
    LSTATUS status = delete_own(RUN_KEY);

    if (status != ERROR_SUCCESS || !has_entry(HKEY_LOCAL_MACHINE))
        return status;
    GetSystemTimeAsFileTime(&off.since);
    return RegSetKeyValueW(HKEY_CURRENT_USER, APPROVED_KEY, VALUE, REG_BINARY, &off, sizeof(off));
}

int prefs_set_autostart(bool on, struct fault *f)
{
    LSTATUS status = on ? switch_on() : switch_off();

    if (status == ERROR_SUCCESS)
        return 0;
    return fault_set(f, PRA_EIO, "the Run key of the registry: error %ld", (long)status);
}
