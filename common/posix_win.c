/* posix_win.h: files by UTF-8 names with the meanings of POSIX, and the few functions that lack. */
#include "common/posix_win.h"

#include <stdarg.h>

#include "common/crypto.h"

#define TEMP_TRIES   100
#define TEMP_LETTERS 6
#define ENV_SLOTS    16
/* A path that a person was given may lead to another's pipe: who listens there may not act as us. */
#define NO_IMPERSONATION (SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION)

/* --- names and errors ----------------------------------------------------------------------- */

int win_errno(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_NETPATH:
        return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
    case ERROR_WRITE_PROTECT:
    case ERROR_PRIVILEGE_NOT_HELD:
        return EACCES;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
        return EEXIST;
    case ERROR_LOCK_VIOLATION:
        return EWOULDBLOCK;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        return ENOSPC;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return ENOMEM;
    case ERROR_TOO_MANY_OPEN_FILES:
        return EMFILE;
    case ERROR_INVALID_HANDLE:
        return EBADF;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
        return EPIPE;
    default:
        return EIO;
    }
}

const char *win_error_text(DWORD error, char *dst, size_t cap)
{
    wchar_t wide[256];
    DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                             error, 0, wide, sizeof(wide) / sizeof(wide[0]), NULL);

    while (n > 0 && (wide[n - 1] == L'\n' || wide[n - 1] == L'\r' || wide[n - 1] == L' '))
        n--;
    wide[n < 256 ? n : 255] = L'\0';
    if (n == 0 || !win_utf8(wide, dst, cap))
        (void)snprintf(dst, cap, "Windows error %lu", (unsigned long)error);
    return dst;
}

static int fail(DWORD error)
{
    errno = win_errno(error);
    return -1;
}

wchar_t *win_wide(const char *text)
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = n > 0 ? malloc((size_t)n * sizeof(*wide)) : NULL;

    if (wide == NULL) {
        errno = n > 0 ? ENOMEM : ENOENT; /* no file has a name that cannot be written */
        return NULL;
    }
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, n);
    return wide;
}

wchar_t *win_wide_path(const char *path)
{
    static const wchar_t longer[] = L"\\\\?\\";
    wchar_t *given = win_wide(path), *full;
    DWORD n, skip = sizeof(longer) / sizeof(longer[0]) - 1;

    if (given == NULL || given[0] == L'\0' || wcsncmp(given, L"\\\\", 2) == 0)
        return given; /* a share, a pipe: as it is */
    n = GetFullPathNameW(given, 0, NULL, NULL);
    full = n > 0 ? malloc((n + skip) * sizeof(*full)) : NULL;
    if (full != NULL) {
        memcpy(full, longer, skip * sizeof(*full));
        n = GetFullPathNameW(given, n, full + skip, NULL);
        if (n < MAX_PATH - 12) /* the short form is what other programs show */
            memmove(full, full + skip, (n + 1) * sizeof(*full));
    }
    free(given);
    if (full == NULL)
        errno = ENOMEM;
    return full;
}

bool win_utf8(const wchar_t *text, char *dst, size_t cap)
{
    int n = WideCharToMultiByte(CP_UTF8, 0, text, -1, dst, cap > INT32_MAX ? INT32_MAX : (int)cap,
                                NULL, NULL);

    if (n <= 0 && cap > 0)
        dst[0] = '\0';
    return n > 0;
}

/* --- files ---------------------------------------------------------------------------------- */

static DWORD access_of(int flags)
{
    switch (flags & (O_RDONLY | O_WRONLY | O_RDWR)) {
    case O_WRONLY:
        return GENERIC_WRITE | FILE_READ_ATTRIBUTES;
    case O_RDWR:
        return GENERIC_READ | GENERIC_WRITE;
    default:
        return GENERIC_READ;
    }
}

static DWORD disposition_of(int flags)
{
    if ((flags & O_CREAT) == 0)
        return (flags & O_TRUNC) != 0 ? TRUNCATE_EXISTING : OPEN_EXISTING;
    if ((flags & O_EXCL) != 0)
        return CREATE_NEW;
    return (flags & O_TRUNC) != 0 ? CREATE_ALWAYS : OPEN_ALWAYS;
}

static int open_wide(const wchar_t *path, int flags, bool is_private)
{
    SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa)};
    HANDLE h;
    int fd;

    if (is_private && (sa.lpSecurityDescriptor = win_private("", "", "FA")) == NULL)
        return fail(GetLastError());
    h = CreateFileW(path, access_of(flags), FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    &sa, disposition_of(flags), FILE_ATTRIBUTE_NORMAL | NO_IMPERSONATION, NULL);
    if (sa.lpSecurityDescriptor != NULL)
        LocalFree(sa.lpSecurityDescriptor);
    if (h == INVALID_HANDLE_VALUE)
        return fail(GetLastError());
    fd = _open_osfhandle((intptr_t)h, (flags & O_APPEND) | _O_BINARY | _O_NOINHERIT);
    if (fd < 0)
        CloseHandle(h);
    return fd;
}

int posix_open(const char *path, int flags, ...)
{
    char lock[MAX_PATH * 16];
    int mode = 0600, fd;
    wchar_t *wide;
    va_list ap;

    if ((flags & O_CREAT) != 0) {
        va_start(ap, flags);
        mode = va_arg(ap, int);
        va_end(ap);
    }
    if ((flags & O_DIRECTORY) != 0) {
        size_t len = strlen(path);
        bool end = len > 0 && (path[len - 1] == '/' || path[len - 1] == '\\');

        if (snprintf(lock, sizeof(lock), "%s%s.lock", path, end ? "" : "\\") >= (int)sizeof(lock)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        path = lock;
        flags = O_RDWR | O_CREAT;
    }
    if (strcmp(path, "/dev/null") == 0)
        path = "NUL";
    wide = win_wide_path(path);
    if (wide == NULL)
        return -1;
    fd = open_wide(wide, flags, (flags & O_CREAT) != 0 && (mode & 077) == 0);
    free(wide);
    return fd;
}

FILE *posix_fopen(const char *path, const char *mode)
{
    bool writes = mode[0] != 'r';
    int fd = posix_open(
        path, writes ? O_WRONLY | O_CREAT | (mode[0] == 'a' ? O_APPEND : O_TRUNC) : O_RDONLY, 0644);
    FILE *f = fd >= 0 ? _fdopen(fd, writes ? (mode[0] == 'a' ? "ab" : "wb") : "rb") : NULL;

    if (f == NULL && fd >= 0)
        _close(fd);
    return f;
}

static int make_temp(char *name, int flags, int mode)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t len = strlen(name);

    for (int i = 0; i < TEMP_TRIES && len >= TEMP_LETTERS; i++) {
        uint8_t random[TEMP_LETTERS];
        int fd;

        crypto_random(random, sizeof(random));
        for (size_t k = 0; k < TEMP_LETTERS; k++)
            name[len - TEMP_LETTERS + k] = letters[random[k] % 32];
        fd = posix_open(name, flags | O_RDWR | O_CREAT | O_EXCL, mode);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int posix_mkostemp(char *name, int flags)
{
    return make_temp(name, flags, 0600);
}

int posix_mkostemp_shared(char *name)
{
    return make_temp(name, O_CLOEXEC, 0644);
}

static int describe(HANDLE h, struct posix_stat *st)
{
    BY_HANDLE_FILE_INFORMATION info;

    memset(st, 0, sizeof(*st));
    if (GetFileType(h) != FILE_TYPE_DISK) {
        st->st_mode = S_IFCHR;
        return 0;
    }
    if (!GetFileInformationByHandle(h, &info))
        return fail(GetLastError());
    st->st_mode = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? S_IFDIR : S_IFREG;
    st->st_size = (int64_t)(((uint64_t)info.nFileSizeHigh << 32) | info.nFileSizeLow);
    st->st_dev = info.dwVolumeSerialNumber;
    st->st_ino = ((uint64_t)info.nFileIndexHigh << 32) | info.nFileIndexLow;
    return 0;
}

int posix_fstat(int fd, struct posix_stat *st)
{
    return describe((HANDLE)_get_osfhandle(fd), st);
}

int posix_stat(const char *path, struct posix_stat *st)
{
    wchar_t *wide = win_wide_path(path);
    DWORD error;
    HANDLE h;
    int rc;

    if (wide == NULL)
        return -1;
    /* The right to read attributes comes with the folder; folders need the flag. */
    h = CreateFileW(wide, FILE_READ_ATTRIBUTES,
                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS | NO_IMPERSONATION, NULL);
    error = GetLastError();
    free(wide);
    if (h == INVALID_HANDLE_VALUE)
        return fail(error);
    rc = describe(h, st);
    CloseHandle(h);
    return rc;
}

/* The C library's functions move at most INT32_MAX bytes. */
ssize_t posix_read(int fd, void *dst, size_t len)
{
    int n = _read(fd, dst, len < INT32_MAX ? (unsigned)len : INT32_MAX);

    /* Who writes into a pipe has gone: its end, as in POSIX. */
    return n < 0 && errno == EPIPE ? 0 : n;
}

ssize_t posix_write(int fd, const void *src, size_t len)
{
    return _write(fd, src, len < INT32_MAX ? (unsigned)len : INT32_MAX);
}

ssize_t posix_pwrite(int fd, const void *src, size_t len, int64_t at)
{
    return _lseeki64(fd, at, SEEK_SET) == at ? posix_write(fd, src, len) : -1;
}

int posix_unlink(const char *path)
{
    wchar_t *wide = win_wide_path(path);
    BOOL ok;
    DWORD error;

    if (wide == NULL)
        return -1;
    ok = DeleteFileW(wide);
    error = GetLastError();
    free(wide);
    return ok ? 0 : fail(error);
}

int posix_rename(const char *from, const char *to)
{
    wchar_t *a = win_wide_path(from), *b = win_wide_path(to);
    BOOL ok = FALSE;
    DWORD error = ERROR_NOT_ENOUGH_MEMORY;

    if (a != NULL && b != NULL) {
        ok = MoveFileExW(a, b, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
        error = GetLastError();
    }
    free(a);
    free(b);
    return ok ? 0 : fail(error);
}

int posix_access(const char *path, int mode)
{
    wchar_t *wide = win_wide_path(path);
    HANDLE h = INVALID_HANDLE_VALUE;
    DWORD attributes, error;

    if (wide == NULL)
        return -1;
    attributes = GetFileAttributesW(wide);
    error = GetLastError();
    if (attributes != INVALID_FILE_ATTRIBUTES && (mode & W_OK) != 0) {
        h = CreateFileW(wide, FILE_WRITE_DATA,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                        FILE_FLAG_BACKUP_SEMANTICS | NO_IMPERSONATION, NULL);
        error = GetLastError();
        if (h == INVALID_HANDLE_VALUE)
            attributes = INVALID_FILE_ATTRIBUTES;
        else
            CloseHandle(h);
    }
    free(wide);
    return attributes != INVALID_FILE_ATTRIBUTES ? 0 : fail(error);
}

int posix_fsync(int fd)
{
    return _commit(fd);
}

int posix_ftruncate(int fd, int64_t size)
{
    errno_t e = _chsize_s(fd, size);

    errno = e != 0 ? e : errno;
    return e != 0 ? -1 : 0;
}

int posix_isatty(int fd)
{
    DWORD mode;

    return GetConsoleMode((HANDLE)_get_osfhandle(fd), &mode) ? 1 : 0;
}

int flock(int fd, int how)
{
    OVERLAPPED at = {.Offset = 0, .OffsetHigh = 0x7fffffff};

    (void)how;
    if (LockFileEx((HANDLE)_get_osfhandle(fd), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY,
                   0, 1, 0, &at))
        return 0;
    if (GetLastError() == ERROR_IO_PENDING) {
        errno = EWOULDBLOCK;
        return -1;
    }
    return fail(GetLastError());
}

/* --- environment and names of this PC --------------------------------------------------------- */

const char *posix_getenv(const char *name)
{
    static _Thread_local struct {
        char name[32];
        char *value;
    } slots[ENV_SLOTS];
    static _Thread_local unsigned next;
    wchar_t wide_name[32], *wide;
    unsigned slot = 0;
    DWORD n;

    if (MultiByteToWideChar(CP_UTF8, 0, name, -1, wide_name, 32) <= 0)
        return NULL;
    while (slot < ENV_SLOTS && strcmp(slots[slot].name, name) != 0)
        slot++;
    if (slot == ENV_SLOTS)
        slot = next++ % ENV_SLOTS;
    free(slots[slot].value);
    slots[slot].value = NULL;
    (void)snprintf(slots[slot].name, sizeof(slots[slot].name), "%s", name);
    n = GetEnvironmentVariableW(wide_name, NULL, 0);
    wide = n > 0 ? malloc((size_t)n * sizeof(*wide)) : NULL;
    if (wide != NULL && GetEnvironmentVariableW(wide_name, wide, n) < n) {
        slots[slot].value = malloc((size_t)n * 3 + 1);
        if (slots[slot].value != NULL)
            (void)win_utf8(wide, slots[slot].value, (size_t)n * 3 + 1);
    }
    free(wide);
    return slots[slot].value;
}

int posix_gethostname(char *dst, size_t cap)
{
    wchar_t wide[256];
    DWORD n = sizeof(wide) / sizeof(wide[0]);

    if (!GetComputerNameExW(ComputerNameDnsHostname, wide, &n))
        return fail(GetLastError());
    return win_utf8(wide, dst, cap) ? 0 : -1;
}

int uname(struct utsname *u)
{
    OSVERSIONINFOW v = {.dwOSVersionInfoSize = sizeof(v)};
    LONG(WINAPI * get_version)(OSVERSIONINFOW *) = NULL;
    FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion");

    memset(u, 0, sizeof(*u));
    (void)snprintf(u->sysname, sizeof(u->sysname), "Windows");
    (void)snprintf(u->machine, sizeof(u->machine), "x86_64");
    if (posix_gethostname(u->nodename, sizeof(u->nodename)) != 0)
        u->nodename[0] = '\0';
    memcpy(&get_version, &found, sizeof(found));
    if (get_version != NULL)
        (void)get_version(&v); /* unlike GetVersionEx() it tells the truth without a manifest */
    (void)snprintf(u->release, sizeof(u->release), "%lu.%lu.%lu", v.dwMajorVersion,
                   v.dwMinorVersion, v.dwBuildNumber);
    return 0;
}

/* --- sockets -------------------------------------------------------------------------------- */

int poll(struct pollfd *p, unsigned count, int timeout_ms)
{
    struct timeval t = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    fd_set in, out, bad;
    int rc;

    if (count != 1) {
        errno = EINVAL;
        return -1;
    }
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&bad);
    if ((p->events & POLLIN) != 0)
        FD_SET(p->fd, &in);
    if ((p->events & POLLOUT) != 0)
        FD_SET(p->fd, &out);
    FD_SET(p->fd, &bad); /* a connection that was refused */
    rc = select(0, &in, &out, &bad, timeout_ms < 0 ? NULL : &t);
    p->revents = 0;
    if (rc <= 0) {
        errno = EIO;
        return rc < 0 ? -1 : 0;
    }
    if (FD_ISSET(p->fd, &in))
        p->revents |= POLLIN;
    if (FD_ISSET(p->fd, &out))
        p->revents |= POLLOUT;
    if (FD_ISSET(p->fd, &bad))
        p->revents |= POLLERR;
    return 1;
}

/* --- text and time -------------------------------------------------------------------------- */

void *memmem(const void *text, size_t text_len, const void *part, size_t part_len)
{
    const char *at = text;
    const char *first = part;

    while (text_len >= part_len) {
        const char *hit;

        if (part_len == 0)
            return (void *)(uintptr_t)at;
        hit = memchr(at, first[0], text_len - part_len + 1);
        if (hit == NULL)
            return NULL;
        if (memcmp(hit, part, part_len) == 0)
            return (void *)(uintptr_t)hit;
        text_len -= (size_t)(hit + 1 - at);
        at = hit + 1;
    }
    return NULL;
}

void *memrchr(const void *text, int byte, size_t len)
{
    const unsigned char *p = text;

    while (len > 0)
        if (p[--len] == (unsigned char)byte)
            return (void *)(uintptr_t)(p + len);
    return NULL;
}

int64_t posix_timegm(struct tm *tm)
{
    return _mkgmtime64(tm);
}
