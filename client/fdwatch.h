/*
 * Watching one descriptor with uv_poll. The libuv handle is a block of its own that outlives the
 * descriptor by a loop iteration, so that whoever owns the descriptor may be freed at once; and it
 * is always closed before the descriptor, whose number the system gives to the next socket.
 */
#ifndef PRA_CLIENT_FDWATCH_H
#define PRA_CLIENT_FDWATCH_H

#include <uv.h>

struct fdwatch {
    uv_poll_t *poll; /* NULL = not open */
    int events;      /* what is asked for, 0 = nothing */
};

/* `data` becomes the handle's. Returns 0 or UV_E*. */
int fdwatch_open(struct fdwatch *w, uv_loop_t *loop, int fd, void *data);

/* Asks for UV_READABLE, UV_WRITABLE; 0 stops. `cb` must be the same every time. */
void fdwatch_set(struct fdwatch *w, int events, uv_poll_cb cb);

/* To be called in `cb` when its status is an error: libuv has stopped watching by itself. */
void fdwatch_stopped(struct fdwatch *w);

/* Before the descriptor is closed. Does nothing when not open. */
void fdwatch_close(struct fdwatch *w);

#endif
