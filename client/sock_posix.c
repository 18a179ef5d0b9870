/* sock.h on POSIX systems. */
#include "client/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <uv.h>

#include "common/os.h"

#define LISTEN_BACKLOG 128

static void set_nodelay(int fd)
{
    int on = 1;

    /* Without it a small packet waits for the acknowledgement of the one before: 40 ms each. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int socket_for(const struct sockaddr *sa)
{
    int fd = socket(sa->sa_family, SOCK_STREAM, 0);

    if (fd < 0)
        return uv_translate_sys_error(errno);
    if (os_fd_prepare(fd) != 0) {
        close(fd);
        return UV_EIO;
    }
    return fd;
}

int sock_connect(const struct sockaddr *sa, socklen_t len)
{
    int fd = socket_for(sa);

    if (fd < 0)
        return fd;
    set_nodelay(fd);
    if (connect(fd, sa, len) < 0 && errno != EINPROGRESS) {
        int rc = uv_translate_sys_error(errno);
        close(fd);
        return rc;
    }
    return fd;
}

int sock_connect_result(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    return error == 0 ? 0 : uv_translate_sys_error(error);
}

int sock_listen(const struct sockaddr *sa, socklen_t len)
{
    int on = 1, fd = socket_for(sa);

    if (fd < 0)
        return fd;
    /* So that connections of a former listener in TIME_WAIT do not keep the port. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    set_nodelay(fd); /* the connections that are accepted inherit it */
    if (bind(fd, sa, len) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
        int rc = uv_translate_sys_error(errno);
        close(fd);
        return rc;
    }
    return fd;
}

int sock_accept(int listener, struct sockaddr_storage *local, struct sockaddr_storage *peer)
{
    socklen_t len = sizeof(*peer);
    int fd;

    do
        fd = accept4(listener, (struct sockaddr *)peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return uv_translate_sys_error(errno);

    len = sizeof(*local);
    if (getsockname(fd, (struct sockaddr *)local, &len) < 0) {
        close(fd);
        return UV_EIO;
    }
    return fd;
}

ssize_t sock_read(int fd, void *dst, size_t len)
{
    ssize_t n;

    do
        n = recv(fd, dst, len, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? uv_translate_sys_error(errno) : n;
}

ssize_t sock_write(int fd, const void *src, size_t len)
{
    ssize_t n;

    do
        n = send(fd, src, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? uv_translate_sys_error(errno) : n;
}

/* libuv lays its buffers out as the system does (uv_buf_t in its manual). */
static struct msghdr message_of(const uv_buf_t *pieces, unsigned count)
{
    return (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
}

ssize_t sock_readv(int fd, const uv_buf_t *pieces, unsigned count)
{
    struct msghdr m = message_of(pieces, count);
    ssize_t n;

    do
        n = recvmsg(fd, &m, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? uv_translate_sys_error(errno) : n;
}

ssize_t sock_writev(int fd, const uv_buf_t *pieces, unsigned count)
{
    struct msghdr m = message_of(pieces, count);
    ssize_t n;

    do
        n = sendmsg(fd, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? uv_translate_sys_error(errno) : n;
}

void sock_shutdown_write(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void sock_close(int fd)
{
    (void)close(fd);
}

void sock_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    (void)close(fd);
}
