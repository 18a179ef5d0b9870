/* What the agent needs of a POSIX system: its lock, its detached start, wiped memory. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/agent_internal.h"
#include "common/crypto.h"

#define DESCRIPTORS 8192

int agent_lock(const char *path, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;

        close(fd);
        if (error == EWOULDBLOCK)
            return fault_set(f, PRA_EBUSY, "an agent of this user is running already");
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(error));
    }
    return fd;
}

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

void agent_ready(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null < 0)
        return;
    (void)dup2(null, STDERR_FILENO);
    close(null);
}

static void wipe_and_free(void *p)
{
    if (p != NULL)
        crypto_wipe(p, malloc_usable_size(p));
    free(p);
}

void agent_wipe_json(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
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
