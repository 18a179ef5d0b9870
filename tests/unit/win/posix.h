/*
 * What unit tests use of POSIX, for those that are built for Windows (-include, behind
 * common/posix_win.h). Paths that begin with "/tmp" are on the drive that the program is started
 * on: wine's Z:, which is the root of the system it runs on.
 */
#ifndef PRA_TESTS_UNIT_WIN_POSIX_H
#define PRA_TESTS_UNIT_WIN_POSIX_H

#include <aclapi.h>
#include <dirent.h>
#include <sddl.h>

/* As mkdtemp(3). */
static inline char *mkdtemp(char *name)
{
    static unsigned next;
    char *end = name + strlen(name) - 6;

    for (int i = 0; i < 100; i++) {
        snprintf(end, 7, "%06x", ((unsigned)GetCurrentProcessId() * 101 + next++) & 0xffffff);
        if (_mkdir(name) == 0)
            return name;
    }
    return NULL;
}

/* posix_getenv() asks Windows, not the C library's copy. */
static inline int setenv(const char *name, const char *value, int replace)
{
    wchar_t *wide_name = win_wide(name), *wide = win_wide(value);
    int rc = wide_name == NULL || wide == NULL || replace == 0 ||
             !SetEnvironmentVariableW(wide_name, wide);

    free(wide_name);
    free(wide);
    return rc ? -1 : 0;
}

static inline int unsetenv(const char *name)
{
    SetEnvironmentVariableA(name, NULL);
    return 0;
}

/* No access list's entry lets in others than the user, administrators and the system. */
static inline bool win_is_private(const char *path)
{
    wchar_t *wide = win_wide_path(path), *text = NULL;
    PSECURITY_DESCRIPTOR sd = NULL;
    PACL list = NULL;
    bool found = wide != NULL &&
                 GetNamedSecurityInfoW(wide, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
                                       &list, NULL, &sd) == ERROR_SUCCESS &&
                 list != NULL && list->AceCount > 0;

    for (unsigned i = 0; found && i < list->AceCount; i++) {
        const ACCESS_ALLOWED_ACE *ace;
        char sid[WIN_SID_TEXT_MAX] = "";

        found = GetAce(list, i, (void **)&ace) && ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
                ConvertSidToStringSidW((PSID)(uintptr_t)&ace->SidStart, &text) &&
                win_utf8(text, sid, sizeof(sid)) &&
                (strcmp(sid, win_user_sid_text()) == 0 || strcmp(sid, "S-1-5-18") == 0 ||
                 strcmp(sid, "S-1-5-32-544") == 0);
        LocalFree(text);
        text = NULL;
    }
    LocalFree(sd);
    free(wide);
    return found;
}
#define assert_private(path) assert_true(win_is_private(path))

#define mkdir(path, mode) _mkdir(path)
/* Modes are Linux's; no test built for Windows asks for one. */
#define chmod(path, mode) 0

#endif
