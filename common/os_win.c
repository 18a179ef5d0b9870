/*
 * os.h for Windows: clocks, hardening, who this user is. Files are in os_file_win.c, asking for
 * secrets in os_secret_win.c; what Windows has under other names than POSIX is in posix_win.c.
 */
#include "common/os.h"

#include <malloc.h>
#include <ntsecapi.h>
#include <sddl.h>
#include <shellapi.h>

#define TICKS_PER_MS       10000
#define EPOCH_OF_UNIX_MS   11644473600000 /* from 1601 to 1970 */
#define BUILD_OF_WINDOWS11 22000

int64_t os_time_now(void)
{
    return os_time_now_ms() / 1000;
}

int64_t os_time_now_ms(void)
{
    ULARGE_INTEGER t;
    FILETIME now;

    GetSystemTimePreciseAsFileTime(&now);
    t.LowPart = now.dwLowDateTime;
    t.HighPart = now.dwHighDateTime;
    return (int64_t)(t.QuadPart / TICKS_PER_MS) - EPOCH_OF_UNIX_MS;
}

void os_memory_trim(void)
{
    (void)_heapmin();
}

uint64_t os_monotonic_ms(void)
{
    return GetTickCount64();
}

void os_cond_init(pthread_cond_t *cond)
{
    pthread_cond_init(cond, NULL);
}

/* winpthreads counts in wall-clock time whatever the condition was told. */
void os_cond_deadline(struct timespec *until, unsigned ms)
{
    int64_t at = os_time_now_ms() + ms;

    until->tv_sec = (time_t)(at / 1000);
    until->tv_nsec = (long)(at % 1000) * 1000000;
}

void os_process_harden(void)
{
    /* DLLs come from the system's folder alone, whatever lies beside the program or on PATH. */
    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    /* No window of the system's about a fault, and no report with the memory in it. */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
}

void os_arguments(int *argc, char ***argv)
{
    WSADATA winsock;
    int count = 0;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **all = wide != NULL ? calloc((size_t)count + 1, sizeof(*all)) : NULL;

    for (int i = 0; all != NULL && i < count; i++) {
        size_t cap = wcslen(wide[i]) * 3 + 1; /* UTF-16 never takes more in UTF-8 */

        all[i] = malloc(cap);
        if (all[i] == NULL || !win_utf8(wide[i], all[i], cap))
            abort();
    }
    if (all != NULL) {
        *argc = count;
        *argv = all;
    }
    LocalFree(wide);
    for (int fd = 0; fd <= 2; fd++)
        (void)_setmode(fd, _O_BINARY);
    (void)SetConsoleOutputCP(CP_UTF8);
    (void)WSAStartup(MAKEWORD(2, 2), &winsock); /* without it every socket fails */
}

bool os_prefers_japanese(void)
{
    return PRIMARYLANGID(GetUserDefaultUILanguage()) == LANG_JAPANESE;
}

int os_fd_prepare(int fd)
{
    u_long on = 1;
    SOCKET s = (SOCKET)fd;

    (void)SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0);
    return ioctlsocket(s, (long)FIONBIO, &on) == 0 ? 0 : PRA_EIO;
}

void os_describe(char *dst, size_t cap)
{
    static const wchar_t key[] = L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    wchar_t wide[128];
    DWORD len = sizeof(wide);
    char name[256] = "Windows";
    struct utsname u;
    const char *build;

    (void)uname(&u);
    if (RegGetValueW(HKEY_LOCAL_MACHINE, key, L"ProductName", RRF_RT_REG_SZ, NULL, wide, &len) ==
        ERROR_SUCCESS)
        (void)win_utf8(wide, name, sizeof(name));
    build = strrchr(u.release, '.');
    /* The registry of Windows 11 says 10. */
    if (build != NULL && strtoul(build + 1, NULL, 10) >= BUILD_OF_WINDOWS11 &&
        strncmp(name, "Windows 10", 10) == 0)
        name[9] = '1';
    (void)snprintf(dst, cap, "%s (%s)", name, u.release);
}

/* --- this user ------------------------------------------------------------------------------ */

bool win_user_sid(HANDLE process, uint8_t sid[WIN_SID_MAX])
{
    union {
        TOKEN_USER user;
        uint8_t room[sizeof(TOKEN_USER) + WIN_SID_MAX];
    } info;
    HANDLE token;
    DWORD len = sizeof(info);
    bool ok;

    if (!OpenProcessToken(process != NULL ? process : GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    ok = GetTokenInformation(token, TokenUser, &info, len, &len) &&
         CopySid(WIN_SID_MAX, sid, info.user.User.Sid);
    CloseHandle(token);
    return ok;
}

const char *win_user_sid_text(void)
{
    static char text[WIN_SID_TEXT_MAX];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint8_t sid[WIN_SID_MAX];
    char *made = NULL;

    pthread_mutex_lock(&lock);
    if (text[0] == '\0' && win_user_sid(NULL, sid) && ConvertSidToStringSidA(sid, &made)) {
        (void)snprintf(text, sizeof(text), "%s", made);
        LocalFree(made);
    }
    pthread_mutex_unlock(&lock);
    return text;
}

uid_t getuid(void)
{
    uint8_t sid[WIN_SID_MAX];
    UCHAR count;

    if (!win_user_sid(NULL, sid) || (count = *GetSidSubAuthorityCount(sid)) == 0)
        return (uid_t)-1;
    return *GetSidSubAuthority(sid, (DWORD)count - 1);
}

PSECURITY_DESCRIPTOR win_private(const char *first, const char *flags, const char *rights)
{
    const char *user = win_user_sid_text();
    char text[1024];
    PSECURITY_DESCRIPTOR sd = NULL;
    int n = snprintf(text, sizeof(text), "O:%sD:P%s(A;%s;%s;;;%s)(A;%s;%s;;;SY)(A;%s;%s;;;BA)",
                     user, first, flags, rights, user, flags, rights, flags, rights);

    if (user[0] == '\0' || n < 0 || n >= (int)sizeof(text)) {
        SetLastError(ERROR_INVALID_SID);
        return NULL;
    }
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &sd, NULL))
        return NULL;
    return sd;
}

bool os_random(void *dst, size_t len)
{
    return len <= ULONG_MAX && RtlGenRandom(dst, (ULONG)len);
}
