/*
 * os.h for Linux: clocks, hardening, peers of Unix sockets. Files are in os_file_posix.c, asking
 * for secrets in os_secret_posix.c.
 */
#include "common/os.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define OS_RELEASE_MAX (64u * 1024)

int64_t os_time_now(void)
{
    return os_time_now_ms() / 1000;
}

int64_t os_time_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void os_memory_trim(void)
{
    (void)malloc_trim(0);
}

uint64_t os_monotonic_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void os_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

void os_cond_deadline(struct timespec *until, unsigned ms)
{
    clock_gettime(CLOCK_MONOTONIC, until);
    until->tv_sec += ms / 1000;
    until->tv_nsec += (long)(ms % 1000) * 1000000;
    if (until->tv_nsec >= 1000000000) {
        until->tv_sec++;
        until->tv_nsec -= 1000000000;
    }
}

void os_process_harden(void)
{
    const struct rlimit none = {0, 0};

    /* Neither call can fail with these arguments; a kernel that knows them not gives less. */
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
}

void os_arguments(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

bool os_prefers_japanese(void)
{
    return false; /* the environment says it all */
}

int os_peer_credentials(int fd, uid_t *uid, pid_t *pid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof(peer))
        return PRA_EIO;
    /* A socket that is not connected answers with pid 0 and uid -1. */
    if (peer.pid <= 0 || peer.uid == (uid_t)-1)
        return PRA_EIO;
    *uid = peer.uid;
    *pid = peer.pid;
    return 0;
}

int os_fd_prepare(int fd)
{
    int status = fcntl(fd, F_GETFL);
    int flags = fcntl(fd, F_GETFD);

    if (status < 0 || flags < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
        return PRA_EIO;
    return 0;
}

/* Value of PRETTY_NAME in os-release(5), without its quotes. Returns false if there is none. */
static bool pretty_name(const char *text, char *dst, size_t cap)
{
    static const char key[] = "PRETTY_NAME=";
    const char *line = text;

    while (strncmp(line, key, sizeof(key) - 1) != 0) {
        line = strchr(line, '\n');
        if (!line)
            return false;
        line++;
    }
    line += sizeof(key) - 1;
    if (*line == '"' || *line == '\'')
        line++;
    snprintf(dst, cap, "%.*s", (int)strcspn(line, "\"'\n"), line);
    return dst[0] != '\0';
}

void os_describe(char *dst, size_t cap)
{
    static const char *const files[] = {"/etc/os-release", "/usr/lib/os-release"};
    struct utsname uts;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *text;
        size_t len;
        bool found;

        if (os_file_read(files[i], OS_RELEASE_MAX, &text, &len, NULL) != 0)
            continue;
        found = pretty_name(text, dst, cap);
        free(text);
        if (found)
            return;
    }
    if (uname(&uts) == 0)
        snprintf(dst, cap, "%s %s", uts.sysname, uts.release);
    else
        snprintf(dst, cap, "unknown");
}

bool os_random(void *dst, size_t len)
{
    const size_t most = 256; /* getentropy(3) */
    unsigned char *p = dst;

    for (size_t n; len > 0; p += n, len -= n) {
        n = len < most ? len : most;
        if (getentropy(p, n) != 0)
            return false;
    }
    return true;
}
