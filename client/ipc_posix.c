/* ipc_link.h by a Unix socket, and the agent's start by fork and exec. */
#include "client/ipc_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/os.h"

struct ipc_link {
    int fd;
};

/* Folder and socket must be this user's own before anything is sent to whoever listens there. */
static int check_place(const struct paths *paths, struct fault *f)
{
    struct stat st;

    if (lstat(paths->runtime_dir, &st) != 0 || lstat(paths->agent_socket, &st) != 0)
        return errno == ENOENT
                   ? fault_set(f, PRA_ENOENT, "no agent is running")
                   : fault_set(f, PRA_EACCES, "%s: %s", paths->agent_socket, strerror(errno));
    if (!S_ISSOCK(st.st_mode) || st.st_uid != getuid())
        return fault_set(f, PRA_EACCES, "%s is not a socket of this user", paths->agent_socket);
    if (lstat(paths->runtime_dir, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid() ||
        (st.st_mode & 077) != 0)
        return fault_set(f, PRA_EACCES, "%s is not a private folder of this user",
                         paths->runtime_dir);
    return 0;
}

static int connect_socket(const char *path, int *out, struct fault *f)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd, error;

    if (len >= sizeof(sa.sun_path))
        return fault_set(f, PRA_ETOOBIG, "%s is too long for a socket", path);
    memcpy(sa.sun_path, path, len + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault_set(f, PRA_EIO, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0) {
        *out = fd;
        return 0;
    }
    error = errno;
    close(fd);
    if (error == ECONNREFUSED || error == ENOENT) /* left behind by an agent that died */
        return fault_set(f, PRA_ENOENT, "no agent is running");
    return fault_set(f, error == EACCES ? PRA_EACCES : PRA_EIO, "%s: %s", path, strerror(error));
}

int ipc_link_open(const struct paths *paths, struct ipc_link **out, struct fault *f)
{
    struct ipc_link *l;
    uid_t uid;
    pid_t pid;
    int fd = -1, rc;

    if ((rc = check_place(paths, f)) != 0 ||
        (rc = connect_socket(paths->agent_socket, &fd, f)) != 0)
        return rc;
    if (os_peer_credentials(fd, &uid, &pid) != 0 || uid != getuid()) {
        close(fd);
        return fault_set(f, PRA_EACCES, "%s is answered by another user", paths->agent_socket);
    }
    l = malloc(sizeof(*l));
    if (l == NULL) {
        close(fd);
        return fault_set(f, PRA_EIO, "out of memory");
    }
    l->fd = fd;
    *out = l;
    return 0;
}

void ipc_link_close(struct ipc_link *l)
{
    close(l->fd);
    free(l);
}

/* --- starting the agent --------------------------------------------------------------------- */

/* The agent's process: a session of its own, no terminal, and the pipe as standard error. */
static void become_agent(const char *program, int error_fd)
{
    static char name[] = "pra", command[] = "agent";
    char *const argv[] = {name, command, NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)setsid();
    if (fork() != 0)
        _exit(0);
    if (chdir("/") != 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(error_fd, 2) < 0)
        _exit(1);
    execv(program, argv);
    _exit(1);
}

/*
 * The agent closes its end of the pipe when its socket is ready; if it cannot start it writes why
 * and ends. So the end of file says that it is decided.
 */
static int wait_for_agent(int fd, char *words, size_t cap)
{
    uint64_t deadline = os_monotonic_ms() + IPC_START_MS;
    size_t len = 0;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint64_t now = os_monotonic_ms();
        ssize_t n = -1;

        if (now >= deadline)
            return PRA_ETIMEOUT;
        if (poll(&p, 1, (int)(deadline - now)) > 0)
            n = read(fd, words + len, cap - 1 - len);
        if (n > 0)
            len += (size_t)n;
        words[len] = '\0';
        if (n == 0 || len == cap - 1)
            return 0;
    }
}

int ipc_link_start_agent(const char *program, char *words, size_t cap, struct fault *f)
{
    int ends[2], rc;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return fault_set(f, PRA_EIO, "pipe: %s", strerror(errno));
    child = fork();
    if (child == 0)
        become_agent(program, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return fault_set(f, PRA_EIO, "fork: %s", strerror(errno));
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    rc = wait_for_agent(ends[0], words, cap);
    close(ends[0]);
    return rc == 0 ? 0 : fault_set(f, rc, "the agent does not start");
}

/* --- talking -------------------------------------------------------------------------------- */

int ipc_link_send(struct ipc_link *l, const char *data, size_t len, struct fault *f)
{
    while (len > 0) {
        ssize_t n = send(l->fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(f, errno == EPIPE ? PRA_ECLOSED : PRA_EIO, "the agent has gone: %s",
                             strerror(errno));
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int ipc_link_read(struct ipc_link *l, void *dst, size_t cap, int wait_ms, size_t *got,
                  struct fault *f)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    int rc = poll(&p, 1, wait_ms);
    ssize_t n;

    *got = 0;
    if (rc == 0)
        return fault_set(f, PRA_ETIMEOUT, "the agent does not answer");
    if (rc < 0)
        return errno == EINTR ? 0 : fault_set(f, PRA_EIO, "poll: %s", strerror(errno));
    n = recv(l->fd, dst, cap, 0);
    if (n > 0)
        *got = (size_t)n;
    if (n > 0 || (n < 0 && errno == EINTR))
        return 0;
    return fault_set(f, PRA_ECLOSED, "the agent has ended");
}
