/*
 * Where programs of this user reach the agent: a Unix socket in a private folder, or a named pipe
 * that only this user may open. On the agent's loop.
 */
#ifndef PRA_CLIENT_IPC_LISTENER_H
#define PRA_CLIENT_IPC_LISTENER_H

#include <uv.h>

#include "common/err.h"

struct ipc_listener;

/*
 * Listens at `path`; `came` is called for each program that wants in, and calls
 * ipc_listener_accept(): whom it does not take is sent away. Only the holder of the agent's lock may
 * call this: what a dead agent left there is removed. Returns 0, PRA_EIO, PRA_ENOMEM.
 */
int ipc_listener_open(uv_loop_t *loop, const char *path, void (*came)(void *arg), void *arg,
                      struct ipc_listener **out, struct fault *f);

/*
 * Puts the connection that waits into `into`, which was made by uv_pipe_init() and is the caller's to
 * close whatever is returned. Returns 0 or UV_E*: UV_EACCES for a program of another user.
 */
int ipc_listener_accept(struct ipc_listener *l, uv_pipe_t *into);

/* Frees `l` when the loop has let go of it. */
void ipc_listener_close(struct ipc_listener *l);

#endif
