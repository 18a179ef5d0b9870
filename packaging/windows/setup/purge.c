/*
 * Deleting keys and logs of all users (A13, はい). Runs as SYSTEM in folders that users own, so no
 * path is walked twice: every step is opened relative to the folder that is already open, and a
 * link is deleted itself instead of followed, wherever a user may have put one.
 */
#include "packaging/windows/setup/setup.h"

#include <shlobj.h>
#include <stdlib.h>
#include <wchar.h>
#include <winternl.h>

#define PROFILES   L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
#define OUR_KEY    L"SOFTWARE\\PRA"
#define DEPTH_MAX  16
#define LIST_BYTES 65536

#define STEP_ACCESS (FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE)
/* FILE_LIST_DIRECTORY is FILE_READ_DATA of a file. */
#define GONE_ACCESS                                                                                \
    (DELETE | FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE)

/* `name` (one step, no backslash) in the open folder `at`. Returns NULL if it cannot be opened. */
static HANDLE open_at(HANDLE at, const wchar_t *name, size_t chars, ACCESS_MASK access)
{
    UNICODE_STRING text = {.Length = (USHORT)(chars * sizeof(wchar_t)),
                           .MaximumLength = (USHORT)(chars * sizeof(wchar_t)),
                           .Buffer = (wchar_t *)name};
    OBJECT_ATTRIBUTES what;
    IO_STATUS_BLOCK status;
    HANDLE out;

    InitializeObjectAttributes(&what, &text, OBJ_CASE_INSENSITIVE, at, NULL);
    if (NtOpenFile(&out, access, &what, &status,
                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                   FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT |
                       FILE_SYNCHRONOUS_IO_NONALERT) < 0)
        return NULL;
    return out;
}

static DWORD attributes_of(HANDLE entry)
{
    FILE_BASIC_INFO info;

    return GetFileInformationByHandleEx(entry, FileBasicInfo, &info, sizeof(info))
               ? info.FileAttributes
               : FILE_ATTRIBUTE_REPARSE_POINT;
}

/* A folder, and no link that looks like one. */
static bool is_folder(HANDLE entry)
{
    return (attributes_of(entry) & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) ==
           FILE_ATTRIBUTE_DIRECTORY;
}

static bool delete_open(HANDLE entry)
{
    FILE_BASIC_INFO plain = {.FileAttributes = FILE_ATTRIBUTE_NORMAL};
    FILE_DISPOSITION_INFO gone = {.DeleteFile = TRUE};

    if (attributes_of(entry) & FILE_ATTRIBUTE_READONLY)
        SetFileInformationByHandle(entry, FileBasicInfo, &plain, sizeof(plain));
    return SetFileInformationByHandle(entry, FileDispositionInfo, &gone, sizeof(gone));
}

static int delete_at(HANDLE at, const wchar_t *name, size_t chars, int depth);

/* Everything in the open folder. Returns how many entries stay. */
static int delete_content(HANDLE folder, int depth)
{
    unsigned char *list = malloc(LIST_BYTES);
    int left = 0;

    if (!list || depth > DEPTH_MAX) {
        free(list);
        return 1;
    }
    while (GetFileInformationByHandleEx(folder, FileIdBothDirectoryInfo, list, LIST_BYTES)) {
        const FILE_ID_BOTH_DIR_INFO *entry = (const void *)list;

        for (;;) {
            size_t chars = entry->FileNameLength / sizeof(wchar_t);
            bool dots = entry->FileName[0] == L'.' &&
                        (chars == 1 || (chars == 2 && entry->FileName[1] == L'.'));

            if (!dots)
                left += delete_at(folder, entry->FileName, chars, depth);
            if (entry->NextEntryOffset == 0)
                break;
            entry = (const void *)((const unsigned char *)entry + entry->NextEntryOffset);
        }
    }
    free(list);
    return left;
}

/* The entry `name` with everything in it. */
static int delete_at(HANDLE at, const wchar_t *name, size_t chars, int depth)
{
    HANDLE entry = open_at(at, name, chars, GONE_ACCESS);
    int left = 0;

    if (!entry)
        return 1;
    if (is_folder(entry))
        left = delete_content(entry, depth + 1);
    if (left == 0)
        left = !delete_open(entry);
    CloseHandle(entry);
    return left;
}

/* `base` is a folder that only administrators can replace; `steps` lead on from there. */
static int delete_below(const wchar_t *base, const wchar_t *const steps[], size_t n)
{
    HANDLE at =
        CreateFileW(base, STEP_ACCESS, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    int left = 0;

    if (at == INVALID_HANDLE_VALUE)
        return 0; /* no such profile any more: nothing of ours either */
    for (size_t i = 0; i + 1 < n && at; i++) {
        HANDLE next = is_folder(at) ? open_at(at, steps[i], wcslen(steps[i]), STEP_ACCESS) : NULL;

        CloseHandle(at);
        at = next;
    }
    if (!at)
        return 0;
    if (is_folder(at)) {
        HANDLE there = open_at(at, steps[n - 1], wcslen(steps[n - 1]), FILE_READ_ATTRIBUTES);

        if (there) {
            CloseHandle(there);
            left = delete_at(at, steps[n - 1], wcslen(steps[n - 1]), 0);
        }
    }
    CloseHandle(at);
    return left;
}

static int delete_of_profile(const wchar_t *profile)
{
    static const wchar_t *const steps[] = {L"AppData", L"Local", L"Pra"};

    return delete_below(profile, steps, ARRAYSIZE(steps));
}

/* Of this PC, of a domain, or of Entra ID; and not one of Windows' own. */
static bool is_person(const wchar_t *sid)
{
    return wcsncmp(sid, L"S-1-5-21-", 9) == 0 || wcsncmp(sid, L"S-1-12-1-", 9) == 0;
}

/* Every profile that Windows knows, whether its user is logged in or not. */
static int delete_of_all_profiles(void)
{
    wchar_t sid[192], path[MAX_PATH];
    int left = 0;
    HKEY list;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, PROFILES, 0, KEY_READ | KEY_WOW64_64KEY, &list) !=
        ERROR_SUCCESS)
        return 1;
    for (DWORD i = 0;; i++) {
        DWORD length = ARRAYSIZE(sid), size = sizeof(path);
        LSTATUS rc = RegEnumKeyExW(list, i, sid, &length, NULL, NULL, NULL, NULL);

        if (rc == ERROR_NO_MORE_ITEMS)
            break;
        if (rc == ERROR_SUCCESS && is_person(sid) &&
            RegGetValueW(list, sid, L"ProfileImagePath", RRF_RT_REG_SZ, NULL, path, &size) ==
                ERROR_SUCCESS)
            left += delete_of_profile(path);
    }
    RegCloseKey(list);
    return left;
}

/* Where the caller is a person and no service; also the one profile that an odd system does not list. */
static int delete_of_caller(void)
{
    wchar_t *profile = NULL;
    int left;

    if (FAILED(SHGetKnownFolderPath(&FOLDERID_Profile, 0, NULL, &profile)))
        return 0;
    left = delete_of_profile(profile);
    CoTaskMemFree(profile);
    return left;
}

int setup_purge(void)
{
    static const wchar_t *const shared[] = {L"Pra"};
    wchar_t *base = NULL;
    LSTATUS rc;
    int left;

    /* Keys are readable by their owners alone. */
    setup_enable_privilege(SE_BACKUP_NAME);
    setup_enable_privilege(SE_RESTORE_NAME);
    left = delete_of_all_profiles() + delete_of_caller();

    if (FAILED(SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, NULL, &base)))
        return left + 1;
    left += delete_below(base, shared, ARRAYSIZE(shared));
    CoTaskMemFree(base);
    rc = RegDeleteKeyExW(HKEY_LOCAL_MACHINE, OUR_KEY, KEY_WOW64_64KEY, 0);
    return left + (rc != ERROR_SUCCESS && rc != ERROR_FILE_NOT_FOUND);
}
