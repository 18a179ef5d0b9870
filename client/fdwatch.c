/* fdwatch.h over libuv. */
#include "client/fdwatch.h"

#include <stdlib.h>

int fdwatch_open(struct fdwatch *w, uv_loop_t *loop, int fd, void *data)
{
    uv_poll_t *p = malloc(sizeof(*p));
    int rc = p != NULL ? uv_poll_init_socket(loop, p, (uv_os_sock_t)fd) : UV_ENOMEM;

    if (rc != 0) {
        free(p);
        return rc;
    }
    p->data = data;
    w->poll = p;
    w->events = 0;
    return 0;
}

void fdwatch_set(struct fdwatch *w, int events, uv_poll_cb cb)
{
    if (events == w->events)
        return;
    w->events = events;
    if (events == 0)
        (void)uv_poll_stop(w->poll);
    else
        (void)uv_poll_start(w->poll, events, cb);
}

void fdwatch_stopped(struct fdwatch *w)
{
    w->events = 0;
}

static void on_closed(uv_handle_t *h)
{
    free(h);
}

void fdwatch_close(struct fdwatch *w)
{
    if (w->poll != NULL)
        uv_close((uv_handle_t *)w->poll, on_closed);
    w->poll = NULL;
    w->events = 0;
}
