/* Looking for an older client in the list of installed programs, as a person would (A1). */
#include "packaging/windows/setup/setup.h"

#include <wchar.h>

#define UNINSTALL L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall"

/* Our own installers mark their entries so; the MSI's are known by their upgrade code. */
#define OUR_NSIS_KEY L"PRA"

/* How the names of the predecessors begin. */
static const wchar_t *const predecessors[] = {
    L"PRA PLUS",
    L"PRAPLUS",
    L"PRA Port",
    L"PRA \x30dd\x30fc\x30c8", /* ポート */
    L"PRA\x30dd\x30fc\x30c8",
    L"DigitalGate PRA",
};

static bool is_predecessor(const wchar_t *name)
{
    for (size_t i = 0; i < ARRAYSIZE(predecessors); i++)
        if (_wcsnicmp(name, predecessors[i], wcslen(predecessors[i])) == 0)
            return true;
    return false;
}

/* One entry. Ours are told apart by their keys: "PRA" is NSIS's, and an MSI's says WindowsInstaller. */
static bool entry_counts(HKEY list, const wchar_t *key, const wchar_t *own,
                         wchar_t name[SETUP_TEXT_MAX])
{
    DWORD size = SETUP_TEXT_MAX * sizeof(wchar_t), msi = 0, msi_size = sizeof(msi);
    bool by_msi;

    if (_wcsicmp(key, own) == 0 ||
        RegGetValueW(list, key, L"DisplayName", RRF_RT_REG_SZ, NULL, name, &size) != ERROR_SUCCESS)
        return false;
    by_msi = RegGetValueW(list, key, L"WindowsInstaller", RRF_RT_REG_DWORD, NULL, &msi,
                          &msi_size) == ERROR_SUCCESS &&
             msi == 1;
    if (_wcsicmp(key, OUR_NSIS_KEY) == 0)
        return true;
    if (_wcsicmp(name, L"PRA") == 0)
        return by_msi && own[0] != L'\0'; /* our MSI seen from NSIS; an MSI upgrades it by itself */
    return is_predecessor(name);
}

static bool find_in(HKEY root, REGSAM view, const wchar_t *own, wchar_t name[SETUP_TEXT_MAX])
{
    wchar_t key[256];
    bool found = false;
    HKEY list;

    if (RegOpenKeyExW(root, UNINSTALL, 0, KEY_READ | view, &list) != ERROR_SUCCESS)
        return false;
    for (DWORD i = 0; !found; i++) {
        DWORD length = ARRAYSIZE(key);
        LSTATUS rc = RegEnumKeyExW(list, i, key, &length, NULL, NULL, NULL, NULL);

        if (rc == ERROR_NO_MORE_ITEMS)
            break;
        found = rc == ERROR_SUCCESS && entry_counts(list, key, own, name);
    }
    RegCloseKey(list);
    return found;
}

bool setup_find_older(const wchar_t *own, wchar_t name[SETUP_TEXT_MAX])
{
    return find_in(HKEY_LOCAL_MACHINE, KEY_WOW64_64KEY, own, name) ||
           find_in(HKEY_LOCAL_MACHINE, KEY_WOW64_32KEY, own, name) ||
           find_in(HKEY_CURRENT_USER, 0, own, name);
}
