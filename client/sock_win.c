/*
 * sock.h on Windows. A SOCKET is a handle, and handles have 32 bits that count, so it fits into the
 * int that a descriptor is elsewhere.
 */
#include "client/sock.h"

#include "client/sockdiag.h"
#include "common/os.h"

#define LISTEN_BACKLOG 128

/* On Windows uv_buf_t is laid out as WSABUF is (uv_buf_t in its manual). */
_Static_assert(sizeof(uv_buf_t) == sizeof(WSABUF), "uv_buf_t is a WSABUF");

static int last_error(void)
{
    return uv_translate_sys_error(WSAGetLastError());
}

static void set_nodelay(SOCKET s)
{
    DWORD on = 1;

    /* Without it a small packet waits for the acknowledgement of the one before: 40 ms each. */
    (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on));
}

/* The socket, or UV_E*. */
static int socket_for(const struct sockaddr *sa)
{
    SOCKET s = WSASocketW(sa->sa_family, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                          WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);

    if (s == INVALID_SOCKET)
        return last_error();
    if (s > INT32_MAX || os_fd_prepare((int)s) != 0) {
        closesocket(s);
        return UV_EIO;
    }
    return (int)s;
}

int sock_connect(const struct sockaddr *sa, socklen_t len)
{
    int rc, fd = socket_for(sa);
    SOCKET s = (SOCKET)fd;

    if (fd < 0)
        return fd;
    set_nodelay(s);
    if (connect(s, sa, len) != 0 && WSAGetLastError() != WSAEWOULDBLOCK) {
        rc = last_error();
        closesocket(s);
        return rc;
    }
    return fd;
}

int sock_connect_result(int fd)
{
    int error = 0, len = sizeof(error);
    struct sockaddr_storage peer;

    if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_ERROR, (char *)&error, &len) != 0)
        return last_error();
    if (error != 0)
        return uv_translate_sys_error(error);
    /* Some stacks forget the error when it was polled for: a socket without a peer has failed. */
    len = sizeof(peer);
    return getpeername((SOCKET)fd, (struct sockaddr *)&peer, &len) == 0 ? 0 : UV_ECONNREFUSED;
}

/*
 * A port that another program holds exclusively is "access denied" to the system, and so is one of
 * a reserved range, which nobody holds.
 */
static int bind_error(const struct sockaddr *sa)
{
    int error = WSAGetLastError();
    struct sockdiag_holder holder;
    struct addr_ip ip;
    uint16_t port;

    if (error == WSAEACCES && addr_from_sockaddr(sa, &ip, &port) == 0 &&
        sockdiag_port_holder(&ip, port, NULL, &holder) == 0)
        return UV_EADDRINUSE;
    return uv_translate_sys_error(error);
}

int sock_listen(const struct sockaddr *sa, socklen_t len)
{
    DWORD on = 1;
    int rc, fd = socket_for(sa);
    SOCKET s = (SOCKET)fd;

    if (fd < 0)
        return fd;
    /* Otherwise any program may bind the same port and take the connections (SO_REUSEADDR). */
    (void)setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof(on));
    set_nodelay(s); /* the connections that are accepted inherit it */
    if (bind(s, sa, len) != 0 || listen(s, LISTEN_BACKLOG) != 0) {
        rc = bind_error(sa);
        closesocket(s);
        return rc;
    }
    return fd;
}

int sock_accept(int listener, struct sockaddr_storage *local, struct sockaddr_storage *peer)
{
    int len;
    SOCKET s;

    do {
        len = sizeof(*peer);
        s = accept((SOCKET)listener, (struct sockaddr *)peer, &len);
    } while (s == INVALID_SOCKET && WSAGetLastError() == WSAECONNRESET);
    if (s == INVALID_SOCKET)
        return last_error();
    len = sizeof(*local);
    if (s > INT32_MAX || os_fd_prepare((int)s) != 0 ||
        getsockname(s, (struct sockaddr *)local, &len) != 0) {
        closesocket(s);
        return UV_EIO;
    }
    return (int)s;
}

ssize_t sock_read(int fd, void *dst, size_t len)
{
    int n = recv((SOCKET)fd, dst, len < INT32_MAX ? (int)len : INT32_MAX, 0);

    return n < 0 ? last_error() : n;
}

ssize_t sock_write(int fd, const void *src, size_t len)
{
    int n = send((SOCKET)fd, src, len < INT32_MAX ? (int)len : INT32_MAX, 0);

    return n < 0 ? last_error() : n;
}

ssize_t sock_readv(int fd, const uv_buf_t *pieces, unsigned count)
{
    DWORD n = 0, flags = 0;

    if (WSARecv((SOCKET)fd, (WSABUF *)(uintptr_t)pieces, count, &n, &flags, NULL, NULL) != 0)
        return last_error();
    return (ssize_t)n;
}

ssize_t sock_writev(int fd, const uv_buf_t *pieces, unsigned count)
{
    DWORD n = 0;

    if (WSASend((SOCKET)fd, (WSABUF *)(uintptr_t)pieces, count, &n, 0, NULL, NULL) != 0)
        return last_error();
    return (ssize_t)n;
}

void sock_shutdown_write(int fd)
{
    (void)shutdown((SOCKET)fd, SD_SEND);
}

void sock_close(int fd)
{
    (void)closesocket((SOCKET)fd);
}

void sock_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt((SOCKET)fd, SOL_SOCKET, SO_LINGER, (const char *)&now, sizeof(now));
    (void)closesocket((SOCKET)fd);
}
