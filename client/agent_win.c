/* What the agent needs of Windows: its lock, its detached start, wiped memory. */
#include "client/agent_internal.h"

#include <malloc.h>

#include "common/crypto.h"
#include "common/posix_win.h"

int agent_lock(const char *path, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), error;

    if (fd < 0)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    error = errno;
    close(fd);
    if (error == EWOULDBLOCK)
        return fault_set(f, PRA_EBUSY, "an agent of this user is running already");
    return fault_set(f, PRA_EIO, "%s: %s", path, strerror(error));
}

/* A program that runs cannot be replaced; an installer ends it first. */
bool agent_program_replaced(void)
{
    return false;
}

void agent_ready(void)
{
    int null = open("NUL", O_WRONLY | O_CLOEXEC);

    if (null < 0)
        return;
    (void)dup2(null, STDERR_FILENO);
    close(null);
}

static void wipe_and_free(void *p)
{
    if (p != NULL)
        crypto_wipe(p, _msize(p));
    free(p);
}

void agent_wipe_json(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

void agent_tune_process(void)
{
    WSADATA data;

    /* The agent's sockets are its own; libuv counts for itself. */
    (void)WSAStartup(MAKEWORD(2, 2), &data);
}
