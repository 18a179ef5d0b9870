/* os.h for Windows, files and folders: replaced whole, made private. */
#include "common/os.h"

#include <aclapi.h>

#include "common/os_internal.h"

const char os_separators[] = "\\/";

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n <= 0)
            return PRA_EIO;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int os_file_replace(const char *path, const void *data, size_t len, mode_t mode, struct fault *f)
{
    char temp[OS_PATH_MAX];
    int fd = -1, rc = PRA_EIO;
    int n = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);

    if (n < 0 || n >= (int)sizeof(temp))
        return fault_set(f, PRA_EIO, "%.64s...: the path is too long", path);
    /* Private while it is written; one that others may read takes the folder's access list. */
    fd = (mode & 077) == 0 ? mkostemp(temp, O_CLOEXEC) : posix_mkostemp_shared(temp);
    if (fd < 0)
        return fault_set(f, rc, "%s: could not be written: %s", path, strerror(errno));
    if (write_all(fd, data, len) == 0 && fsync(fd) == 0)
        rc = 0;
    if (close(fd) != 0)
        rc = PRA_EIO;
    /* Written through: the name is on the disk when this returns. */
    if (rc == 0 && rename(temp, path) != 0)
        rc = PRA_EIO;
    if (rc != 0) {
        rc = fault_set(f, rc, "%s: could not be written: %s", path, strerror(errno));
        unlink(temp);
    }
    return rc;
}

int os_file_rename_new(const char *temp, const char *path, struct fault *f)
{
    wchar_t *a = win_wide_path(temp), *b = win_wide_path(path);
    DWORD error = ERROR_NOT_ENOUGH_MEMORY;
    char words[128];
    BOOL ok = FALSE;

    if (a != NULL && b != NULL) {
        ok = MoveFileExW(a, b, MOVEFILE_WRITE_THROUGH);
        error = GetLastError();
    }
    free(a);
    free(b);
    if (ok)
        return 0;
    if (error == ERROR_ALREADY_EXISTS || error == ERROR_FILE_EXISTS)
        return fault_set(f, PRA_EEXIST, "%s: exists already", path);
    return fault_set(f, PRA_EIO, "%s: could not be written: %s", path,
                     win_error_text(error, words, sizeof(words)));
}

/* --- folders -------------------------------------------------------------------------------- */

/* Makes one folder; one that is there is left as it is. */
static int make_dir(const char *path, mode_t mode, struct fault *f)
{
    SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa)};
    wchar_t *wide = win_wide_path(path);
    DWORD error;
    char words[128];

    if (wide == NULL)
        return fault_set(f, PRA_EIO, "%s: the folder could not be made: %s", path, strerror(errno));
    if ((mode & 077) == 0)
        sa.lpSecurityDescriptor = win_private("", "OICI", "FA");
    error = CreateDirectoryW(wide, &sa) ? ERROR_SUCCESS : GetLastError();
    if (sa.lpSecurityDescriptor != NULL)
        LocalFree(sa.lpSecurityDescriptor);
    free(wide);
    if (error == ERROR_SUCCESS || error == ERROR_ALREADY_EXISTS)
        return 0;
    return fault_set(f, error == ERROR_ACCESS_DENIED ? PRA_EACCES : PRA_EIO,
                     "%s: the folder could not be made: %s", path,
                     win_error_text(error, words, sizeof(words)));
}

/* This user, or who may read and change everything on this PC anyway. */
static bool is_trusted(PSID sid)
{
    uint8_t own[WIN_SID_MAX];

    return (win_user_sid(NULL, own) && EqualSid(sid, own)) ||
           IsWellKnownSid(sid, WinBuiltinAdministratorsSid) ||
           IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinCreatorOwnerSid) ||
           IsWellKnownSid(sid, WinCreatorOwnerRightsSid);
}

/* Does an entry let somebody who is not trusted do any of `what`? One that we cannot read does. */
static bool lets_others(const ACCESS_ALLOWED_ACE *ace, ACCESS_MASK what)
{
    switch (ace->Header.AceType) {
    case ACCESS_DENIED_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_ACE_TYPE:
        return false;
    case ACCESS_ALLOWED_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_ACE_TYPE: /* the same, with a condition behind it */
        return (ace->Mask & what) != 0 && !is_trusted((PSID)(uintptr_t)&ace->SidStart);
    default:
        return true;
    }
}

/* May somebody who is not trusted do any of `what`? A list that is missing lets everybody. Entries
   with a flag of `but` do not count. */
static bool others_may(PACL acl, ACCESS_MASK what, BYTE but)
{
    if (acl == NULL)
        return true;
    for (DWORD i = 0; i < acl->AceCount; i++) {
        ACCESS_ALLOWED_ACE *ace;

        if (!GetAce(acl, i, (void **)&ace))
            return true;
        if ((ace->Header.AceFlags & but) == 0 && lets_others(ace, what))
            return true;
    }
    return false;
}

static bool others_may_write(PACL acl)
{
    return others_may(acl,
                      FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE | WRITE_DAC |
                          WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL,
                      0);
}

bool win_folder_is_safe(const char *path)
{
    wchar_t *wide = win_wide_path(path);
    BY_HANDLE_FILE_INFORMATION info;
    PSECURITY_DESCRIPTOR sd = NULL;
    PSID owner = NULL;
    PACL acl = NULL;
    HANDLE h = wide == NULL
                   ? INVALID_HANDLE_VALUE
                   : CreateFileW(wide, READ_CONTROL | FILE_READ_ATTRIBUTES,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                 OPEN_EXISTING,
                                 FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    bool safe =
        h != INVALID_HANDLE_VALUE && GetFileInformationByHandle(h, &info) &&
        (info.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) ==
            FILE_ATTRIBUTE_DIRECTORY &&
        GetSecurityInfo(h, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                        &owner, NULL, &acl, NULL, &sd) == ERROR_SUCCESS &&
        is_trusted(owner) &&
        !others_may(acl, FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL,
                    INHERIT_ONLY_ACE);

    if (sd != NULL)
        LocalFree(sd);
    if (h != INVALID_HANDLE_VALUE)
        CloseHandle(h);
    free(wide);
    return safe;
}

static int check_dir(const char *path, mode_t mode, struct fault *f)
{
    wchar_t *wide = win_wide_path(path);
    PSECURITY_DESCRIPTOR sd = NULL;
    PSID owner = NULL;
    PACL acl = NULL;
    char words[128];
    DWORD error;
    int rc = 0;

    if (wide == NULL)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    error = GetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
                                  OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                  NULL, &acl, NULL, &sd);
    free(wide);
    if (error != ERROR_SUCCESS)
        return fault_set(f, PRA_EIO, "%s: %s", path, win_error_text(error, words, sizeof(words)));
    if (!is_trusted(owner))
        rc = fault_set(f, PRA_EACCES, "%s: the folder belongs to another user", path);
    else if (mode == 0700 && others_may_write(acl))
        rc = fault_set(f, PRA_EACCES, "%s: others may write in the folder", path);
    LocalFree(sd);
    return rc;
}

int os_dir_ensure(const char *path, mode_t mode, struct fault *f)
{
    char part[OS_PATH_MAX];
    struct stat st;
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return fault_set(f, PRA_EIO, "%.64s: the path is empty or too long", path);
    for (size_t i = 1; i <= len; i++) {
        int rc;

        if (!is_separator(path[i]) && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        /* A parent that is there already may stand where making one is not permitted. */
        if (i < len && (path[i - 1] == ':' || stat(part, &st) == 0))
            continue;
        rc = make_dir(part, mode, f);
        if (rc != 0)
            return rc;
    }
    if (stat(path, &st) != 0)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return fault_set(f, PRA_EIO, "%s: is no folder", path);
    return check_dir(path, mode, f);
}
