/*
 * The folder of the programs. Below Program Files only administrators write; anywhere else a folder
 * inherits that every user may, and whoever can change pra-tray.exe runs as whoever logs in next. So
 * such a folder is PRA's own, gets an access list of its own, and lies where nobody can put another
 * one in its place.
 */
#include "packaging/windows/setup/setup.h"

#include <aclapi.h>
#include <sddl.h>
#include <shlobj.h>
#include <wchar.h>

/* Everybody may run what is there, administrators write. */
#define PROGRAM_SDDL L"O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
#define ROOT_CHARS   3 /* "C:\" */
/* With one of these a folder can be renamed, emptied, or opened to everybody. */
#define REPLACING (DELETE | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_ALL)

#define TRUSTED_INSTALLER L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

/* Without backslashes at the end; false for what is no folder of a drive, or too long. */
static bool plain_path(const wchar_t *folder, wchar_t path[MAX_PATH])
{
    DWORD n = GetFullPathNameW(folder, MAX_PATH, path, NULL);

    if (n <= ROOT_CHARS || n >= MAX_PATH || path[1] != L':' || path[2] != L'\\')
        return false;
    while (n > ROOT_CHARS && path[n - 1] == L'\\')
        path[--n] = L'\0';
    return n > ROOT_CHARS;
}

static bool lies_below(const wchar_t *path, const KNOWNFOLDERID *id)
{
    wchar_t *base = NULL;
    bool below;

    if (FAILED(SHGetKnownFolderPath(id, 0, NULL, &base)))
        return false;
    below = _wcsnicmp(path, base, wcslen(base)) == 0 && path[wcslen(base)] == L'\\';
    CoTaskMemFree(base);
    return below;
}

static bool is_protected(const wchar_t *path)
{
    return lies_below(path, &FOLDERID_ProgramFiles) || lies_below(path, &FOLDERID_ProgramFilesX86);
}

/* Is PRA installed there now? Only administrators write what says so. */
static bool is_ours(const wchar_t *path)
{
    wchar_t kept[SETUP_TEXT_MAX], plain[MAX_PATH];
    DWORD size = sizeof(kept);

    return RegGetValueW(HKEY_LOCAL_MACHINE, L"Software\\PRA\\Setup", L"Path",
                        RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, kept,
                        &size) == ERROR_SUCCESS &&
           plain_path(kept, plain) && _wcsicmp(plain, path) == 0;
}

/* Nothing there, or an empty folder. */
static bool is_free(const wchar_t *path)
{
    wchar_t pattern[MAX_PATH + 2];
    WIN32_FIND_DATAW entry;
    bool empty = true;
    HANDLE list;

    _snwprintf(pattern, ARRAYSIZE(pattern), L"%ls\\*", path);
    list = FindFirstFileW(pattern, &entry);
    if (list == INVALID_HANDLE_VALUE)
        return GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES;
    do
        empty = wcscmp(entry.cFileName, L".") == 0 || wcscmp(entry.cFileName, L"..") == 0;
    while (empty && FindNextFileW(list, &entry));
    FindClose(list);
    return empty;
}

static bool is_trusted(PSID sid)
{
    static const WELL_KNOWN_SID_TYPE kinds[] = {WinLocalSystemSid, WinBuiltinAdministratorsSid};
    wchar_t *text = NULL;
    bool found = false;

    for (size_t i = 0; i < ARRAYSIZE(kinds); i++)
        if (IsWellKnownSid(sid, kinds[i]))
            return true;
    if (ConvertSidToStringSidW(sid, &text)) {
        found = wcscmp(text, TRUSTED_INSTALLER) == 0;
        LocalFree(text);
    }
    return found;
}

static bool lets_nobody_replace(PACL acl)
{
    if (!acl)
        return false; /* everybody may do everything: a drive without access lists */
    for (DWORD i = 0; i < acl->AceCount; i++) {
        ACCESS_ALLOWED_ACE *ace;

        if (!GetAce(acl, i, (void **)&ace))
            return false;
        if (ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
            !(ace->Header.AceFlags & INHERIT_ONLY_ACE) && (ace->Mask & REPLACING) &&
            !is_trusted(&ace->SidStart))
            return false;
    }
    return true;
}

/* A folder that leads to ours: no link, and only administrators can put another one in its place. */
static bool is_safe_step(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);
    PSECURITY_DESCRIPTOR sd = NULL;
    PSID owner = NULL;
    PACL acl = NULL;
    bool safe;

    if (attributes == INVALID_FILE_ATTRIBUTES)
        return true; /* made by us, then */
    if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return false;
    safe = GetNamedSecurityInfoW(path, SE_FILE_OBJECT,
                                 OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                 NULL, &acl, NULL, &sd) == ERROR_SUCCESS &&
           is_trusted(owner) && lets_nobody_replace(acl);
    LocalFree(sd);
    return safe;
}

/* Calls `fn` for each folder between the drive and `path`; stops at the first that gives false. */
static bool each_step(const wchar_t *path, bool (*fn)(const wchar_t *step))
{
    wchar_t step[MAX_PATH];

    for (size_t n = ROOT_CHARS; path[n]; n++) {
        if (path[n] != L'\\')
            continue;
        wmemcpy(step, path, n);
        step[n] = L'\0';
        if (!fn(step))
            return false;
    }
    return true;
}

static bool make_step(const wchar_t *step)
{
    return GetFileAttributesW(step) != INVALID_FILE_ATTRIBUTES ||
           setup_secure_folder(step, PROGRAM_SDDL) == ERROR_SUCCESS;
}

bool setup_folder_fits(const wchar_t *folder)
{
    wchar_t path[MAX_PATH];

    if (!plain_path(folder, path))
        return false;
    return is_protected(path) ||
           ((is_ours(path) || is_free(path)) && each_step(path, is_safe_step));
}

DWORD setup_prepare_folder(const wchar_t *folder, bool upgrade)
{
    wchar_t path[MAX_PATH];
    DWORD rc;

    if (!plain_path(folder, path))
        return ERROR_BAD_PATHNAME;
    if (is_protected(path))
        return ERROR_SUCCESS;
    upgrade = upgrade || is_ours(path);
    if (!each_step(path, make_step))
        return ERROR_ACCESS_DENIED;
    rc = setup_secure_folder(path, PROGRAM_SDDL);
    /* Somebody may have been quicker; from here on nobody is. */
    return rc == ERROR_SUCCESS && !upgrade && !is_free(path) ? ERROR_DIR_NOT_EMPTY : rc;
}
