/* What the agent needs of a POSIX system. */
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/agent_internal.h"

#define DESCRIPTORS 8190 /* libuv has room for two less than a power of two */

bool agent_program_replaced(void)
{
    static const char gone[] = " (deleted)"; /* the kernel's words behind its name */
    char path[OS_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    size_t len = n > 0 ? (size_t)n : 0, tail = sizeof(gone) - 1;

    if (len <= tail || memcmp(path + len - tail, gone, tail) != 0)
        return false;
    path[len - tail] = '\0';
    return access(path, X_OK) == 0;
}

void agent_tune_process(void)
{
    struct rlimit files;

    /* One descriptor per connection, and the usual limit is 1024. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < DESCRIPTORS) {
        files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    /* Packets that a slow program leaves lying come and go by the thousand: giving each back to the
       system costs a page fault per 4 KiB when the next one comes. */
    (void)mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
    (void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

static void on_nothing(uv_poll_t *h, int status, int events)
{
    (void)h, (void)status, (void)events;
}

/* Watches the highest number once: the array never has to grow. */
static void watch_once(uv_loop_t *loop, int fd)
{
    uv_poll_t *h = malloc(sizeof(*h));

    if (h == NULL || uv_poll_init(loop, h, fd) != 0) {
        free(h);
        return;
    }
    (void)uv_poll_start(h, UV_READABLE, on_nothing);
    uv_close((uv_handle_t *)h, free_handle);
}

void agent_reserve_watchers(uv_loop_t *loop)
{
    struct rlimit files;
    int ends[2], fd;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || pipe2(ends, O_CLOEXEC) != 0)
        return;
    if (files.rlim_cur > DESCRIPTORS)
        files.rlim_cur = DESCRIPTORS;
    fd = fcntl(ends[0], F_DUPFD_CLOEXEC, (int)files.rlim_cur - 1);
    if (fd >= 0) {
        watch_once(loop, fd);
        close(fd);
    }
    close(ends[0]);
    close(ends[1]);
}
