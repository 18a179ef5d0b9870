/* The agent as a process, on every system: its lock, its detached start, wiped memory. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "client/agent_internal.h"
#include "common/crypto.h"

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
