/* The agent's socket seen from a command-line program; see ipc.h. POSIX. */
#include "client/ipc.h"

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

#include "common/crypto.h"
#include "common/jsonl.h"
#include "common/os.h"

#define START_TIMEOUT_MS 5000
#define START_TEXT_MAX   1024

struct ipc {
    int fd;
    struct buf in;
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

int ipc_connect(const struct paths *paths, struct ipc **out, struct fault *f)
{
    struct ipc *ipc;
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
    ipc = calloc(1, sizeof(*ipc));
    if (ipc == NULL) {
        close(fd);
        return fault_set(f, PRA_EIO, "out of memory");
    }
    ipc->fd = fd;
    buf_init(&ipc->in, JSONL_LOCAL_MAX);
    *out = ipc;
    return 0;
}

void ipc_close(struct ipc *ipc)
{
    if (ipc == NULL)
        return;
    close(ipc->fd);
    buf_free(&ipc->in);
    free(ipc);
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
    uint64_t deadline = os_monotonic_ms() + START_TIMEOUT_MS;
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

static int start_agent(const char *program, char *words, size_t cap, struct fault *f)
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

int ipc_connect_or_start(const struct paths *paths, struct ipc **out, struct fault *f)
{
    char words[START_TEXT_MAX] = "";
    int rc = ipc_connect(paths, out, f);

    if (rc != PRA_ENOENT)
        return rc;
    rc = start_agent(paths->agent_program, words, sizeof(words), f);
    if (rc != 0)
        return rc;
    rc = ipc_connect(paths, out, f);
    words[strcspn(words, "\r\n")] = '\0';
    if (rc == PRA_ENOENT && words[0] != '\0')
        return fault_set(f, rc, "the agent does not start: %.400s", words);
    return rc;
}

/* --- talking -------------------------------------------------------------------------------- */

static int send_all(int fd, const char *data, size_t len, struct fault *f)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

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

/* Reads more within `wait_ms` (negative: for ever). Returns 0, PRA_ETIMEOUT, PRA_ECLOSED, PRA_EIO. */
static int read_more(struct ipc *ipc, int wait_ms, struct fault *f)
{
    struct pollfd p = {.fd = ipc->fd, .events = POLLIN};
    size_t room;
    uint8_t *dst;
    ssize_t n;
    int rc = poll(&p, 1, wait_ms);

    if (rc == 0)
        return fault_set(f, PRA_ETIMEOUT, "the agent does not answer");
    if (rc < 0)
        return errno == EINTR ? 0 : fault_set(f, PRA_EIO, "poll: %s", strerror(errno));
    dst = buf_reserve(&ipc->in, 16u * 1024, &room);
    if (dst == NULL)
        return fault_set(f, PRA_EIO, "the agent's answer is too long");
    n = recv(ipc->fd, dst, room, 0);
    if (n > 0)
        buf_commit(&ipc->in, (size_t)n);
    if (n > 0 || (n < 0 && errno == EINTR))
        return 0;
    return fault_set(f, PRA_ECLOSED, "the agent has ended");
}

/* The next line that is an event, or that is not. */
static int next_line(struct ipc *ipc, bool event, int timeout_ms, json_t **out, struct fault *f)
{
    uint64_t deadline = os_monotonic_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);

    for (;;) {
        json_t *line = NULL;
        int rc = jsonl_next(&ipc->in, JSONL_LOCAL_MAX, &line, f);

        if (rc == 0 && (json_object_get(line, "event") != NULL) == event) {
            *out = line;
            return 0;
        }
        json_decref(line);
        if (rc == PRA_EAGAIN) {
            uint64_t now = os_monotonic_ms();
            int left = timeout_ms < 0 ? -1 : now < deadline ? (int)(deadline - now) : 0;

            rc = read_more(ipc, left, f);
        }
        if (rc != 0)
            return rc;
    }
}

int ipc_call(struct ipc *ipc, const json_t *request, int timeout_ms, json_t **reply,
             struct fault *f)
{
    size_t len;
    char *text = jsonl_encode(request, &len);
    int rc;

    if (text == NULL)
        return fault_set(f, PRA_EINVAL, "the request cannot be encoded");
    rc = send_all(ipc->fd, text, len, f);
    crypto_wipe(text, len); /* it may hold a passphrase */
    free(text);
    return rc == 0 ? next_line(ipc, false, timeout_ms, reply, f) : rc;
}

int ipc_call_connect(struct ipc *ipc, const char *user, const char *passphrase, const char *accept,
                     int timeout_ms, json_t **reply, struct fault *f)
{
    json_t *request = json_pack("{s:s, s:s?, s:s, s:s?}", "op", "connect", "user", user,
                                "passphrase", passphrase, "accept_host_key", accept);
    const json_t *secret = json_object_get(request, "passphrase");
    int rc;

    if (secret == NULL) {
        json_decref(request);
        return fault_set(f, PRA_EINVAL, "the passphrase is not UTF-8");
    }
    rc = ipc_call(ipc, request, timeout_ms, reply, f);
    crypto_wipe((void *)(uintptr_t)json_string_value(secret), json_string_length(secret));
    json_decref(request);
    return rc;
}

int ipc_next_event(struct ipc *ipc, int timeout_ms, json_t **event, struct fault *f)
{
    return next_line(ipc, true, timeout_ms, event, f);
}
