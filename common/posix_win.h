/*
 * What portable files of ours use of POSIX and Windows does not have, or has with other meanings:
 * included in front of every file of the Windows build (-include), so that those files need no
 * #ifdef. Names of files are UTF-8 here as everywhere, whatever the code page of the process is.
 * common/win/ holds headers under POSIX's names that lead here.
 */
#ifndef PRA_COMMON_POSIX_WIN_H
#define PRA_COMMON_POSIX_WIN_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <direct.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Words that the headers above take away from everybody. */
#undef interface
#undef near
#undef far
#undef small

typedef unsigned uid_t;

/* mingw's own printf() and not msvcrt's, which knows no %zu; the compiler thinks of the latter. */
#define FORMAT_PRINTF(fmt, first) __attribute__((format(__MINGW_PRINTF_FORMAT, fmt, first)))

#define malloc_usable_size(p) _msize(p)

/* --- files ---------------------------------------------------------------------------------- */

#define O_CLOEXEC   _O_NOINHERIT
#define O_NOFOLLOW  0
#define O_NOCTTY    0
#define O_NONBLOCK  0
#define O_DIRECTORY 0x1000000

#define S_ISLNK(mode) false

struct posix_stat {
    unsigned st_mode; /* kind only */
    int64_t st_size;
    uint64_t st_dev, st_ino;
};

int posix_stat(const char *path, struct posix_stat *st);
int posix_fstat(int fd, struct posix_stat *st);

/*
 * As in POSIX: bytes are not translated; what is open can be renamed, replaced and removed; the
 * descriptor is not inherited. A file made with mode 06xx without bits for others gets an access
 * list for its user, administrators and the system. /dev/null is there. With O_DIRECTORY the descriptor is that of a
 * file ".lock" in the folder, good for flock() alone.
 */
int posix_open(const char *path, int flags, ...);
FILE *posix_fopen(const char *path, const char *mode);
/* Makes a file of a name that ends in XXXXXX. */
int posix_mkostemp(char *name, int flags);
/* The same with the access list that the folder gives. */
int posix_mkostemp_shared(char *name);
ssize_t posix_read(int fd, void *dst, size_t len);
ssize_t posix_write(int fd, const void *src, size_t len);
/* Moves the descriptor's own position, other than in POSIX. */
ssize_t posix_pwrite(int fd, const void *src, size_t len, int64_t at);
int posix_unlink(const char *path);
/* Replaces what is there. */
int posix_rename(const char *from, const char *to);
int posix_access(const char *path, int mode);
int posix_fsync(int fd);
int posix_ftruncate(int fd, int64_t size);
/* 1 for a console; the C library's function says yes to any device. */
int posix_isatty(int fd);
/* UTF-8; valid until the same name is asked for again by the same thread. */
const char *posix_getenv(const char *name);

/* To a console in whole letters (console_win.c); what printf() prints is ASCII here. */
int posix_fputs(const char *text, FILE *to);
int posix_puts(const char *text);
int posix_fprintf(FILE *to, const char *fmt, ...) FORMAT_PRINTF(2, 3);

#undef stat
#undef fstat
#undef ftruncate
#define open                  posix_open
#define read                  posix_read
#define write                 posix_write
#define pwrite                posix_pwrite
#define fopen                 posix_fopen
#define mkostemp              posix_mkostemp
#define stat                  posix_stat
#define lstat                 posix_stat
#define fstat                 posix_fstat
#define unlink                posix_unlink
#define rename                posix_rename
#define access                posix_access
#define fsync                 posix_fsync
#define fdatasync             posix_fsync
#define ftruncate             posix_ftruncate
#define isatty                posix_isatty
#define getenv                posix_getenv
#define fputs(text, to)       posix_fputs(text, to)
#define puts(text)            posix_puts(text)
#define fprintf(to, ...)      posix_fprintf(to, __VA_ARGS__)
#define dup3(from, to, flags) dup2(from, to)

#define LOCK_EX 2
#define LOCK_NB 4

/* Only LOCK_EX | LOCK_NB. Readers are not held up: what is locked is a byte behind the end. */
int flock(int fd, int how);

/* --- this process and this PC --------------------------------------------------------------- */

/* The last part of the user's SID: a number for people and logs, not for decisions. */
uid_t getuid(void);

struct utsname {
    char sysname[16], nodename[256], release[64], machine[16];
};

int uname(struct utsname *u);

#define gethostname(dst, cap) posix_gethostname(dst, cap)
int posix_gethostname(char *dst, size_t cap);

/* --- sockets -------------------------------------------------------------------------------- */

/*
 * As poll(2), for one socket: WSAPoll() does not tell before Windows 10 2004 that a connection was
 * refused.
 */
int poll(struct pollfd *p, unsigned count, int timeout_ms);

/* --- text and time -------------------------------------------------------------------------- */

void *memmem(const void *text, size_t text_len, const void *part, size_t part_len);
void *memrchr(const void *text, int byte, size_t len);
int64_t posix_timegm(struct tm *tm);
#define timegm(tm) posix_timegm(tm)

/* --- for files *_win.c ---------------------------------------------------------------------- */

/* UTF-8 to UTF-16, to be freed. NULL (errno is set) for what is no UTF-8, or without memory. */
wchar_t *win_wide(const char *text);
/* The same for a path: absolute, with backslashes, and able to be longer than 260 letters. */
wchar_t *win_wide_path(const char *path);
/* UTF-16 to UTF-8. False if it does not fit; `dst` is "" then. */
bool win_utf8(const wchar_t *text, char *dst, size_t cap);
/* errno for an error of Windows. */
int win_errno(DWORD error);
/* An error of Windows in words, in `dst` of `cap` bytes. */
const char *win_error_text(DWORD error, char *dst, size_t cap);

/*
 * A program to be started. The handles (each NULL for none, at least one given; made inheritable) are
 * the only ones that it gets: whatever another thread opens meanwhile stays ours.
 */
struct win_start {
    const wchar_t *program; /* a path */
    wchar_t *line;          /* the command line; may be written to */
    const wchar_t *folder;  /* to start in; NULL = this process's */
    HANDLE in, out, err;
    DWORD flags; /* of CreateProcessW() */
};

/* Returns an error of Windows; *process (CloseHandle() it) only on success. */
DWORD win_start(const struct win_start *how, HANDLE *process);

#define WIN_SID_MAX      68 /* SECURITY_MAX_SID_SIZE */
#define WIN_SID_TEXT_MAX 192

/* The user of a process's token; `process` NULL = this one. */
bool win_user_sid(HANDLE process, uint8_t sid[WIN_SID_MAX]);
/* The same in letters: "S-1-5-21-...". "" if it cannot be told. */
const char *win_user_sid_text(void);

/*
 * Who may do what with a new file, folder or pipe: its user, administrators and the system. `rights`
 * as in SDDL ("FA"), `flags` how folders hand it on ("OICI" or ""), `first` ACEs in front ("" or
 * "(D;;GA;;;NU)"). LocalFree() what is returned; NULL on failure.
 */
PSECURITY_DESCRIPTOR win_private(const char *first, const char *flags, const char *rights);

/*
 * Is this a folder, and no link to one, in which nobody but this user, administrators and the system
 * can take the place of what a user has made there? Others may make what is their own.
 */
bool win_folder_is_safe(const char *path);

#endif
