/*
 * Both ends of the root helper's protocol, and how a client finds the helper. Either end gives the
 * other a fixed time in all, however slowly the bytes come.
 */
#include "keys/keyhelper.h"

#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/os.h"
#include "keys/machine_source.h"

#define RETRY_PAUSE_MS 50

static const uint8_t magic[5] = {'P', 'R', 'A', 'K', 1};

enum state { STATE_ABSENT = 0, STATE_KNOWN = 1, STATE_HIDDEN = 2 };

/* The program with the file capability, where a package and `make install` put it. */
static const char *const programs[] = {"/usr/libexec/pra-keyhelper",
                                       "/usr/local/libexec/pra-keyhelper"};

static int wait_ready(int fd, short events, uint64_t deadline)
{
    for (;;) {
        uint64_t now = os_monotonic_ms();
        struct pollfd p = {.fd = fd, .events = events};
        int n = now >= deadline ? 0 : poll(&p, 1, (int)(deadline - now));

        if (n > 0) {
            return 0;
        }
        if (n == 0) {
            return PRA_ETIMEOUT;
        }
        if (errno != EINTR) {
            return PRA_EIO;
        }
    }
}

static int receive(int fd, uint8_t *dst, size_t len, uint64_t deadline)
{
    size_t got = 0;

    while (got < len) {
        int rc = wait_ready(fd, POLLIN, deadline);
        ssize_t n;

        if (rc != 0) {
            return rc;
        }
        n = recv(fd, dst + got, len - got, MSG_DONTWAIT);
        if (n == 0) {
            return PRA_ECLOSED;
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return errno == ECONNRESET ? PRA_ECLOSED : PRA_EIO;
        }
        got += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int transmit(int fd, const uint8_t *src, size_t len, uint64_t deadline)
{
    size_t sent = 0;

    while (sent < len) {
        int rc = wait_ready(fd, POLLOUT, deadline);
        ssize_t n;

        if (rc != 0) {
            return rc;
        }
        n = send(fd, src + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return errno == EPIPE || errno == ECONNRESET ? PRA_ECLOSED : PRA_EIO;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* One identifier's 33 bytes of the answer. */
static int put_identifier(const struct machine *m, enum machine_id id, const uint8_t *salt,
                          uint8_t dst[33])
{
    char hex[MACHINE_VALUE_MAX];
    size_t len;
    int rc;

    memset(dst, 0, 33);
    if (m->source[id] != MACHINE_DIRECT) {
        dst[0] = m->source[id] == MACHINE_HIDDEN ? STATE_HIDDEN : STATE_ABSENT;
        return 0;
    }
    dst[0] = STATE_KNOWN;
    rc = machine_hmac(id, m->value[id], salt, hex);
    return rc != 0 ? rc : crypto_hex_decode(hex, strlen(hex), dst + 1, 32, &len);
}

int keyhelper_serve(int fd, const char *root)
{
    uint64_t deadline = os_monotonic_ms() + KEYHELPER_SERVE_MS;
    uint8_t request[KEYHELPER_REQUEST_LEN];
    uint8_t answer[KEYHELPER_ANSWER_LEN];
    size_t at = sizeof(magic);
    struct machine m;
    int rc = receive(fd, request, sizeof(request), deadline);

    if (rc != 0) {
        return rc;
    }
    if (memcmp(request, magic, sizeof(magic)) != 0) {
        return PRA_EINVAL;
    }
    memset(&m, 0, sizeof(m));
    machine_linux_collect_private(root, &m);
    memcpy(answer, magic, sizeof(magic));
    for (int id = 0; id < MACHINE_ID_COUNT && rc == 0; id++) {
        if (machine_id_private(id)) {
            rc = put_identifier(&m, id, request + sizeof(magic), answer + at);
            at += 33;
        }
    }
    machine_wipe(&m);
    return rc != 0 ? rc : transmit(fd, answer, sizeof(answer), deadline);
}

int keyhelper_ask_fd(int fd, struct machine *m)
{
    uint64_t deadline = os_monotonic_ms() + KEYHELPER_TIMEOUT_MS;
    uint8_t request[KEYHELPER_REQUEST_LEN];
    uint8_t answer[KEYHELPER_ANSWER_LEN];
    size_t at = sizeof(magic);
    int rc;

    memcpy(request, magic, sizeof(magic));
    memcpy(request + sizeof(magic), m->salt, sizeof(m->salt));
    rc = transmit(fd, request, sizeof(request), deadline);
    if (rc == 0) {
        rc = receive(fd, answer, sizeof(answer), deadline);
    }
    if (rc != 0) {
        return rc;
    }
    if (memcmp(answer, magic, sizeof(magic)) != 0) {
        return PRA_EINVAL;
    }
    for (size_t i = at; i < sizeof(answer); i += 33) {
        if (answer[i] > STATE_HIDDEN) {
            return PRA_EINVAL;
        }
    }
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        if (!machine_id_private(id)) {
            continue;
        }
        if (m->source[id] == MACHINE_HIDDEN && answer[at] == STATE_KNOWN) {
            m->source[id] = MACHINE_HELPER;
            crypto_hex_encode(answer + at + 1, 32, m->value[id]);
        } else if (m->source[id] == MACHINE_HIDDEN && answer[at] == STATE_ABSENT) {
            m->source[id] = MACHINE_ABSENT;
        }
        at += 33;
    }
    return 0;
}

/* One try. PRA_EBUSY if the listener has no place for us now. */
static int ask_once(const struct sockaddr_un *sa, uid_t owner, struct machine *m)
{
    uid_t uid;
    pid_t pid;
    int rc;
    /* Non-blocking: a listener whose backlog is full must not hold us up. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return PRA_EIO;
    }
    if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0) {
        rc = errno == ENOENT || errno == ECONNREFUSED ? PRA_ENOENT
             : errno == EACCES                        ? PRA_EACCES
             : errno == EAGAIN                        ? PRA_EBUSY
                                                      : PRA_EIO;
    } else {
        rc = os_peer_credentials(fd, &uid, &pid);
        if (rc == 0) {
            rc = uid == owner ? keyhelper_ask_fd(fd, m) : PRA_EACCES;
        }
        rc = rc == PRA_ECLOSED ? PRA_EBUSY : rc;
    }
    close(fd);
    return rc;
}

int keyhelper_ask_socket(const char *path, uid_t owner, struct machine *m)
{
    const struct timespec pause_time = {.tv_nsec = RETRY_PAUSE_MS * 1000000L};
    uint64_t deadline = os_monotonic_ms() + KEYHELPER_RETRY_MS;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int rc;

    if ((size_t)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path) >= sizeof(sa.sun_path)) {
        return PRA_EINVAL;
    }
    while ((rc = ask_once(&sa, owner, m)) == PRA_EBUSY && os_monotonic_ms() < deadline) {
        nanosleep(&pause_time, NULL);
    }
    return rc;
}

/* Runs the helper program with one end of a socket pair as its standard input. */
static void ask_program(const char *program, struct machine *m)
{
    char *const argv[] = {(char *)(uintptr_t)program, NULL};
    char *const envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return;
    }
    if (posix_spawn_file_actions_init(&actions) == 0) {
        bool started = posix_spawn_file_actions_adddup2(&actions, pair[1], 0) == 0 &&
                       posix_spawn(&pid, program, &actions, NULL, argv, envp) == 0;

        posix_spawn_file_actions_destroy(&actions);
        close(pair[1]);
        pair[1] = -1;
        if (started) {
            (void)keyhelper_ask_fd(pair[0], m);
            shutdown(pair[0], SHUT_RDWR);
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        }
    }
    close(pair[0]);
    if (pair[1] >= 0) {
        close(pair[1]);
    }
}

void keyhelper_ask(struct machine *m)
{
    if (keyhelper_ask_socket(KEYHELPER_SOCKET, 0, m) == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (access(programs[i], X_OK) == 0) {
            ask_program(programs[i], m);
            return;
        }
    }
}
