/*
 * What differs between systems: files written safely, private folders, process hardening, the
 * terminal, clocks. os_posix.c, os_file_posix.c and os_secret_posix.c; for Windows os_win.c,
 * os_file_win.c and os_secret_win.c, where mode 0700 or 0600 means an access list for the user,
 * administrators and the system. What needs no difference is in os_path.c and os_read.c.
 */
#ifndef PRA_COMMON_OS_H
#define PRA_COMMON_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/err.h"

#define OS_PATH_MAX 4096

/* UTC now: seconds, and milliseconds of the monotonic clock. */
int64_t os_time_now(void);
int64_t os_time_now_ms(void); /* wall clock in milliseconds, for log lines */
uint64_t os_monotonic_ms(void);

/*
 * A condition that waits by the system's steady clock where there is one, and the moment `ms` from
 * now for pthread_cond_timedwait() on it.
 */
void os_cond_init(pthread_cond_t *cond);
void os_cond_deadline(struct timespec *until, unsigned ms);

/* Gives memory that was freed back to the system. Takes a while: for quiet moments. */
void os_memory_trim(void);

/*
 * Replaces `path` as a whole: temporary file in the same folder, write, fsync, rename, fsync of
 * the folder. `mode` is exact (umask does not apply). On failure the old file is untouched and
 * the temporary one is gone. Returns 0, PRA_EIO (with the path and reason in `f`).
 */
int os_file_replace(const char *path, const void *data, size_t len, mode_t mode, struct fault *f);

/*
 * Gives a finished file its name, in the same folder, unless something is there by that name; then
 * makes that durable. Returns 0, PRA_EEXIST, PRA_EIO; on failure `temp` is still there.
 */
int os_file_rename_new(const char *temp, const char *path, struct fault *f);

/*
 * Reads a whole regular file of at most `max` bytes into a new buffer with a NUL behind it
 * (not counted). Caller frees `*out` (wipe first if secret). Returns 0, PRA_ENOENT, PRA_ETOOBIG,
 * PRA_EIO.
 */
int os_file_read(const char *path, size_t max, char **out, size_t *len, struct fault *f);

/*
 * Makes `path` (parents too) a folder with `mode`. An existing folder must be owned by this user
 * and, if mode is 0700, must not be writable for others. Returns 0, PRA_EACCES, PRA_EIO.
 */
int os_dir_ensure(const char *path, mode_t mode, struct fault *f);

/* Joins with '/', checks the length. Returns 0, PRA_ETOOBIG. */
int os_path_join(char dst[OS_PATH_MAX], const char *dir, const char *name);

/* Where the last separator of folders stands in `path`; NULL if there is none. */
const char *os_path_separator(const char *path);

/* No core dumps, not ptrace-able by the same user, umask 077, no SIGPIPE. Call first in main(). */
void os_process_harden(void);

/*
 * Makes the arguments of main() UTF-8 and the standard streams plain bytes, where the system does
 * not by itself; on Windows sockets are made usable, too. What it makes lives as long as the process.
 */
void os_arguments(int *argc, char ***argv);

/*
 * Asks on the controlling terminal without echo. Returns 0, PRA_EUNSUPPORTED (no terminal),
 * PRA_ETOOBIG, PRA_ECLOSED (end of input or interrupted). Caller wipes `dst`.
 */
int os_read_secret(const char *prompt, char *dst, size_t cap, struct fault *f);

/*
 * Reads a passphrase from a file, or from standard input for "-": the first line without its
 * newline (LF or CRLF). Returns 0, PRA_ENOENT, PRA_EUNSUPPORTED (cannot be opened), PRA_ETOOBIG,
 * PRA_ECLOSED (no byte in it), PRA_EINVAL (empty line, NUL byte). Caller wipes `dst`.
 */
int os_read_secret_file(const char *path, char *dst, size_t cap, struct fault *f);

/*
 * uid and pid of the process at the other end of a connected Unix socket. Returns 0, PRA_EIO. Not on
 * Windows.
 */
int os_peer_credentials(int fd, uid_t *uid, pid_t *pid);

/* Sets O_NONBLOCK and FD_CLOEXEC. Returns 0, PRA_EIO. */
int os_fd_prepare(int fd);

/* Does the user's desktop speak Japanese? Asked where the environment names no language. */
bool os_prefers_japanese(void);

/* Random bytes of the system's own, which takes no memory. False if it has none. */
bool os_random(void *dst, size_t len);

/* Operating system name and version for people ("Debian GNU/Linux 12 (bookworm)"). */
void os_describe(char *dst, size_t cap);

#endif
