/*
 * See spawner.h. A request is one datagram of a Unix socket: which program, and with it the descriptors
 * in, out and life. The spawner is one thread and one loop over its own end of that socket and, for each
 * program that runs, its pidfd and its life.
 */
#include "server/sandbox/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PRA_LIBEXEC
#define PRA_LIBEXEC "/usr/libexec"
#endif

#define NOBODY (-1)

enum { FD_IN, FD_OUT, FD_LIFE, FDS };

static const char *const NAMES[SPAWNER_PROGRAMS] = {
    [SPAWNER_MAILER] = "pra-mailer", [SPAWNER_PASSKEY] = "pra-passkey"};

static atomic_int spawner_fd = NOBODY;

/* ---- where the programs are ---------------------------------------------------------------------- */

bool spawner_find(enum spawner_program which, char path[OS_PATH_MAX])
{
    static const char *const places[] = {"", "/../libexec"};
    char dir[OS_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
    int len;

    for (size_t i = 0; n > 0 && i < sizeof(places) / sizeof(places[0]); i++) {
        char *slash;

        dir[n] = '\0';
        slash = strrchr(dir, '/');
        if (slash == NULL)
            break;
        len = snprintf(path, OS_PATH_MAX, "%.*s%s/%s", (int)(slash - dir), dir, places[i],
                       NAMES[which]);
        if (len > 0 && len < OS_PATH_MAX && access(path, X_OK) == 0)
            return true;
    }
    snprintf(path, OS_PATH_MAX, "%s", PRA_LIBEXEC);
    len = (int)strlen(path);
    snprintf(path + len, OS_PATH_MAX - (size_t)len, "/%s", NAMES[which]);
    if (access(path, X_OK) == 0)
        return true;
    path[0] = '\0';
    return false;
}

/* ---- the spawner's side -------------------------------------------------------------------------- */

struct child {
    pid_t pid; /* 0 = this place is free */
    int pidfd, life;
};

struct spawner {
    int fd;
    char program[SPAWNER_PROGRAMS][OS_PATH_MAX]; /* "" = is not there */
    struct child child[SPAWNER_CHILDREN_MAX];
};

static struct child *find_place(struct spawner *s)
{
    for (size_t i = 0; i < SPAWNER_CHILDREN_MAX; i++) {
        if (s->child[i].pid == 0)
            return &s->child[i];
    }
    return NULL;
}

/* Nothing of ours goes along but the two ends: every descriptor here is closed by exec. */
static int start(const char *program, int in, int out, pid_t *pid)
{
    char *const argv[] = {(char *)(uintptr_t)program, NULL};
    char *const env[] = {(char *)(uintptr_t) "LC_ALL=C.UTF-8",
                         (char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0)
        return PRA_ENOMEM;
    if (posix_spawnattr_init(&how) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return PRA_ENOMEM;
    }
    rc = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    rc |= posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    rc |= posix_spawnattr_setsigmask(&how, &none);
    rc |= posix_spawnattr_setsigdefault(&how, &all);
    rc |= posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (rc == 0)
        rc = posix_spawn(pid, program, &files, &how, argv, env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return rc == 0 ? 0 : PRA_EIO;
}

/* The program has ended, or is to: what there is to say is said, and the place is free. */
static void end(struct child *c, bool kill_it)
{
    int status = 0;

    if (kill_it)
        kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    (void)send(c->life, &status, sizeof(status), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(c->pidfd);
    close(c->life);
    c->pid = 0;
}

/* Takes over the descriptors. A request that cannot be met is answered by closing its life. */
static void begin(struct spawner *s, unsigned which, const int fd[FDS])
{
    struct child *c = find_place(s);
    pid_t pid = 0;

    if (c != NULL && which < SPAWNER_PROGRAMS && s->program[which][0] != '\0' &&
        start(s->program[which], fd[FD_IN], fd[FD_OUT], &pid) == 0) {
        c->pid = pid;
        c->life = fd[FD_LIFE];
        c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (c->pidfd < 0)
            end(c, true);
    } else {
        close(fd[FD_LIFE]);
    }
    close(fd[FD_IN]);
    close(fd[FD_OUT]);
}

/* Returns false when whoever made us has ended. */
static bool take_request(struct spawner *s)
{
    union {
        char space[CMSG_SPACE(FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    uint8_t which = 0;
    struct iovec part = {.iov_base = &which, .iov_len = sizeof(which)};
    /* No room for one more descriptor, which CMSG_SPACE() would leave: who asks may have been taken over. */
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = CMSG_LEN(FDS * sizeof(int))};
    ssize_t n = recvmsg(s->fd, &m, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    int fd[FDS];
    size_t count;

    if (n <= 0)
        return n < 0 && errno == EINTR;
    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return true;
    count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (count > FDS) /* the kernel gives no more than there is room for */
        _exit(1);
    memcpy(fd, CMSG_DATA(c), count * sizeof(int));
    if (count == FDS && (m.msg_flags & MSG_CTRUNC) == 0) {
        begin(s, which, fd);
    } else {
        for (size_t i = 0; i < count; i++)
            close(fd[i]);
    }
    return true;
}

static void serve(struct spawner *s)
{
    struct pollfd p[1 + 2 * SPAWNER_CHILDREN_MAX];
    bool more = true;

    while (more) {
        p[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
        for (size_t i = 0; i < SPAWNER_CHILDREN_MAX; i++) {
            const struct child *c = &s->child[i];

            p[1 + 2 * i] = (struct pollfd){.fd = c->pid ? c->pidfd : NOBODY, .events = POLLIN};
            p[2 + 2 * i] = (struct pollfd){.fd = c->pid ? c->life : NOBODY};
        }
        if (poll(p, sizeof(p) / sizeof(p[0]), -1) < 0)
            continue; /* a signal */
        for (size_t i = 0; i < SPAWNER_CHILDREN_MAX; i++) {
            if (p[1 + 2 * i].revents != 0 || p[2 + 2 * i].revents != 0)
                end(&s->child[i], p[1 + 2 * i].revents == 0);
        }
        if (p[0].revents != 0)
            more = take_request(s);
    }
    for (size_t i = 0; i < SPAWNER_CHILDREN_MAX; i++) {
        if (s->child[i].pid != 0)
            end(&s->child[i], true);
    }
}

/* The loader is started along with every program. */
static void confine(const struct spawner *s, const struct sandbox_files *files)
{
    struct sandbox_path path[SANDBOX_PATHS_MAX + SPAWNER_PROGRAMS + 2];
    struct sandbox_files all = *files;
    struct fault f = {0};
    size_t n = 0;

    for (; n < files->count && n < SANDBOX_PATHS_MAX; n++)
        path[n] = files->path[n];
    for (size_t i = 0; i < SPAWNER_PROGRAMS; i++)
        path[n++] = (struct sandbox_path){s->program[i], SANDBOX_RUN};
    path[n++] = (struct sandbox_path){"/lib64/ld-linux-x86-64.so.2", SANDBOX_RUN};
    path[n++] = (struct sandbox_path){"/lib/ld-linux-aarch64.so.1", SANDBOX_RUN};
    all.path = path;
    all.count = n;
    if (sandbox_files(&all, &f) != 0)
        _exit(1);
}

static void be_spawner(int fd, const struct sandbox_files *files)
{
    static struct spawner s;
    static const int IGNORED[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE};

    /* prad tells when it is over: it may still have mail to send when it is asked to end. */
    for (size_t i = 0; i < sizeof(IGNORED) / sizeof(IGNORED[0]); i++)
        signal(IGNORED[i], SIG_IGN);
    prctl(PR_SET_NAME, "prad-spawner", 0, 0, 0);
    s.fd = STDERR_FILENO + 1;
    if (fd != s.fd && dup3(fd, s.fd, O_CLOEXEC) < 0)
        _exit(1);
    close_range((unsigned)s.fd + 1, ~0u, 0);
    for (size_t i = 0; i < SPAWNER_PROGRAMS; i++)
        spawner_find((enum spawner_program)i, s.program[i]);
    if (files != NULL)
        confine(&s, files);
    serve(&s);
    _exit(0);
}

/* ---- prad's side --------------------------------------------------------------------------------- */

int spawner_start(const struct sandbox_files *files, struct fault *f)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return fault_set(f, PRA_EIO, "spawner: %s", strerror(errno));
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        be_spawner(pair[1], files);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return fault_set(f, PRA_ENOMEM, "spawner: %s", strerror(errno));
    }
    atomic_store(&spawner_fd, pair[0]);
    return 0;
}

int spawner_run(enum spawner_program which, int in, int out, int *life)
{
    union {
        char space[CMSG_SPACE(FDS * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    uint8_t word = (uint8_t)which;
    struct iovec part = {.iov_base = &word, .iov_len = sizeof(word)};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int pair[2], fd[FDS], to = atomic_load(&spawner_fd);
    ssize_t sent;

    if (to == NOBODY)
        return PRA_ECLOSED;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return PRA_EIO;
    fd[FD_IN] = in;
    fd[FD_OUT] = out;
    fd[FD_LIFE] = pair[1];
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(c), fd, sizeof(fd));
    sent = sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(pair[1]);
    if (sent != 1) {
        close(pair[0]);
        return PRA_EIO;
    }
    *life = pair[0];
    return 0;
}

void spawner_stop(void)
{
    int fd = atomic_exchange(&spawner_fd, NOBODY);

    if (fd != NOBODY)
        close(
            fd); /* its end is that of the last process that holds this, and nobody waits for it */
}
