/* ipc_listener.h by a Unix socket. */
#include "client/ipc_listener.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/os.h"

struct ipc_listener {
    uv_pipe_t pipe;
    void (*came)(void *arg);
    void *arg;
    /* libuv accepts nobody else before somebody has taken who came: whom the caller has no memory for
     * is taken here, and sent away. */
    uv_pipe_t doormat;
    bool untaken, doormat_used;
};

/* The folder is private already; this also refuses whoever got a descriptor in some other way. */
static bool is_own(uv_pipe_t *pipe)
{
    uv_os_fd_t fd;
    uid_t uid;
    pid_t pid;

    return uv_fileno((uv_handle_t *)pipe, &fd) == 0 && os_peer_credentials(fd, &uid, &pid) == 0 &&
           uid == getuid();
}

static void on_sent_away(uv_handle_t *h);

static void send_away(struct ipc_listener *l)
{
    if (!l->untaken || l->doormat_used)
        return;
    l->untaken = false;
    l->doormat_used = true;
    uv_pipe_init(l->pipe.loop, &l->doormat, 0);
    l->doormat.data = l;
    (void)uv_accept((uv_stream_t *)&l->pipe, (uv_stream_t *)&l->doormat);
    uv_close((uv_handle_t *)&l->doormat, on_sent_away);
}

static void on_closed(uv_handle_t *h)
{
    struct ipc_listener *l = h->data;

    if (!l->doormat_used)
        free(l);
    else
        l->pipe.data = NULL; /* on_sent_away() is still to come */
}

static void on_sent_away(uv_handle_t *h)
{
    struct ipc_listener *l = h->data;

    l->doormat_used = false;
    if (l->pipe.data == NULL)
        free(l);
    else if (!uv_is_closing((uv_handle_t *)&l->pipe))
        send_away(l);
}

static void on_connection(uv_stream_t *h, int status)
{
    struct ipc_listener *l = h->data;

    if (status != 0)
        return;
    l->untaken = true;
    l->came(l->arg);
    send_away(l);
}

int ipc_listener_accept(struct ipc_listener *l, uv_pipe_t *into)
{
    int rc;

    l->untaken = false;
    rc = uv_accept((uv_stream_t *)&l->pipe, (uv_stream_t *)into);
    if (rc != 0)
        return rc;
    return is_own(into) ? 0 : UV_EACCES;
}

int ipc_listener_open(uv_loop_t *loop, const char *path, void (*came)(void *arg), void *arg,
                      struct ipc_listener **out, struct fault *f)
{
    struct ipc_listener *l = calloc(1, sizeof(*l));
    int rc;

    if (l == NULL)
        return PRA_ENOMEM;
    l->came = came;
    l->arg = arg;
    uv_pipe_init(loop, &l->pipe, 0);
    l->pipe.data = l;
    /* Only the holder of the agent's lock comes here: a socket that is there is a dead agent's. */
    (void)unlink(path);
    if ((rc = uv_pipe_bind(&l->pipe, path)) != 0 ||
        (rc = uv_listen((uv_stream_t *)&l->pipe, 16, on_connection)) != 0) {
        uv_close((uv_handle_t *)&l->pipe, on_closed);
        return fault_set(f, PRA_EIO, "%s: %s", path, uv_strerror(rc));
    }
    *out = l;
    return 0;
}

void ipc_listener_close(struct ipc_listener *l)
{
    uv_close((uv_handle_t *)&l->pipe, on_closed);
}
