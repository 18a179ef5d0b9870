/*
 * The folder of all users' logs. Any user may make folders below ProgramData, so one who was there
 * before the installer owns ProgramData\Pra and could lead others' logs astray: it is taken over.
 */
#include "packaging/windows/setup/setup.h"

#include <aclapi.h>
#include <sddl.h>
#include <shlobj.h>
#include <wchar.h>

/* Everybody may look, administrators write. */
#define PRA_SDDL L"O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200a9;;;BU)"
/* As well: a folder of one's own (FILE_ADD_SUBDIRECTORY), which nobody else may read. */
#define LOG_SDDL L"O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200ad;;;BU)(A;OICIIO;FA;;;CO)"

static DWORD take_over(HANDLE folder, PSECURITY_DESCRIPTOR descriptor)
{
    BOOL present = FALSE, defaulted;
    PSID owner = NULL;
    PACL acl = NULL;

    if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) ||
        !GetSecurityDescriptorDacl(descriptor, &present, &acl, &defaulted))
        return GetLastError();
    return SetSecurityInfo(folder, SE_FILE_OBJECT,
                           OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |
                               PROTECTED_DACL_SECURITY_INFORMATION,
                           owner, NULL, acl, NULL);
}

/* What lies at `path` and is no folder: a file or a link. */
static DWORD delete_imposter(const wchar_t *path, DWORD attributes)
{
    bool done = attributes & FILE_ATTRIBUTE_DIRECTORY ? RemoveDirectoryW(path) : DeleteFileW(path);

    return done ? ERROR_SUCCESS : GetLastError();
}

/* Opens it as it is: a link in its place is deleted instead of followed, and the folder made anew. */
static DWORD open_folder(const wchar_t *path, SECURITY_ATTRIBUTES *security, HANDLE *out)
{
    for (int round = 0; round < 2; round++) {
        BY_HANDLE_FILE_INFORMATION info;
        HANDLE folder;
        DWORD rc;

        if (!CreateDirectoryW(path, security) && GetLastError() != ERROR_ALREADY_EXISTS)
            return GetLastError();
        folder = CreateFileW(path, READ_CONTROL | WRITE_DAC | WRITE_OWNER | FILE_READ_ATTRIBUTES,
                             FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                             FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        if (folder == INVALID_HANDLE_VALUE)
            return GetLastError();
        if (!GetFileInformationByHandle(folder, &info)) {
            CloseHandle(folder);
            return ERROR_DIRECTORY;
        }
        if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) &&
            !(info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
            *out = folder;
            return ERROR_SUCCESS;
        }
        CloseHandle(folder);
        rc = delete_imposter(path, info.dwFileAttributes);
        if (rc != ERROR_SUCCESS)
            return rc;
    }
    return ERROR_DIRECTORY;
}

DWORD setup_secure_folder(const wchar_t *path, const wchar_t *sddl)
{
    SECURITY_ATTRIBUTES security = {.nLength = sizeof(security)};
    HANDLE folder = NULL;
    DWORD rc;

    setup_enable_privilege(SE_RESTORE_NAME);
    setup_enable_privilege(SE_TAKE_OWNERSHIP_NAME);
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1,
                                                              &security.lpSecurityDescriptor, NULL))
        return GetLastError();
    rc = open_folder(path, &security, &folder);
    if (rc == ERROR_SUCCESS) {
        rc = take_over(folder, security.lpSecurityDescriptor);
        CloseHandle(folder);
    }
    LocalFree(security.lpSecurityDescriptor);
    return rc;
}

DWORD setup_prepare_data(void)
{
    wchar_t path[MAX_PATH + 16];
    wchar_t *base = NULL;
    DWORD rc;

    if (FAILED(SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, NULL, &base)))
        return ERROR_PATH_NOT_FOUND;
    rc = wcslen(base) < MAX_PATH ? ERROR_SUCCESS : ERROR_FILENAME_EXCED_RANGE;
    if (rc == ERROR_SUCCESS) {
        _snwprintf(path, ARRAYSIZE(path), L"%ls\\Pra", base);
        rc = setup_secure_folder(path, PRA_SDDL);
    }
    if (rc == ERROR_SUCCESS) {
        _snwprintf(path, ARRAYSIZE(path), L"%ls\\Pra\\log", base);
        rc = setup_secure_folder(path, LOG_SDDL);
    }
    CoTaskMemFree(base);
    return rc;
}
