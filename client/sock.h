/*
 * Plain TCP sockets as the agent uses them: non-blocking, closed on exec, watched with uv_poll.
 * Errors are libuv's codes (UV_ECONNREFUSED ...), so that uv_strerror() names them.
 * sock_posix.c implements it here.
 */
#ifndef PRA_CLIENT_SOCK_H
#define PRA_CLIENT_SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <uv.h>

#define SOCK_PIECES_MAX 64

/* Begins a TCP connection. Returns a descriptor that becomes writable when it is decided, or UV_E*. */
int sock_connect(const struct sockaddr *sa, socklen_t len);

/* How a begun connection ended: 0 or UV_E*. */
int sock_connect_result(int fd);

/* A listening socket on `sa`. Returns a descriptor or UV_E* (UV_EADDRINUSE, UV_EACCES ...). */
int sock_listen(const struct sockaddr *sa, socklen_t len);

/*
 * Takes one waiting connection, with TCP_NODELAY set. Returns a descriptor, UV_EAGAIN when none
 * waits, or UV_E* (UV_EMFILE: the connection is still waiting).
 */
int sock_accept(int listener, struct sockaddr_storage *local, struct sockaddr_storage *peer);

/* Bytes moved (0 = end of file for reading), UV_EAGAIN, or another UV_E*. Never raises SIGPIPE. */
ssize_t sock_read(int fd, void *dst, size_t len);
ssize_t sock_write(int fd, const void *src, size_t len);
/* Several pieces by one call, in order; `count` is at most SOCK_PIECES_MAX. */
ssize_t sock_readv(int fd, const uv_buf_t *pieces, unsigned count);
ssize_t sock_writev(int fd, const uv_buf_t *pieces, unsigned count);

/* Ends the sending direction only (FIN). */
void sock_shutdown_write(int fd);

void sock_close(int fd);

/* Closes so that the peer sees a reset, not an orderly end (SO_LINGER 0). */
void sock_reset(int fd);

/* An error for people, in their language. */
const char *sock_error_text(int error);

#endif
