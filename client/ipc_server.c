/*
 * The agent's local socket; see ipc_server.h. A request may hold a passphrase: it is read into the
 * client's own line and that line is wiped as soon as it has been handled.
 */
#include "client/ipc_server.h"

#include <stdlib.h>
#include <string.h>

#include "client/ipc_listener.h"
#include "common/crypto.h"
#include "common/jsonl.h"

struct client {
    uv_pipe_t pipe; /* first: the handle's pointer is the client's */
    struct ipc_server *srv;
    struct client *next;
    uint64_t id;
    bool subscribed, closing;
    size_t len;
    char line[IPC_REQUEST_MAX];
};

struct ipc_server {
    uv_loop_t *loop;
    struct ipc_listener *listener;
    ipc_request_fn fn;
    void *arg;
    struct client *clients;
    unsigned count;
    uint64_t last_id;
};

static const char no_reply[] = "{\"ok\":false,\"error\":{\"code\":\"\",\"message\":\"out of "
                               "memory\",\"cause\":\"\",\"remedy\":\"\"}}\n";

struct outgoing {
    uv_write_t req;
    char *text;
};

static void on_client_closed(uv_handle_t *h)
{
    struct client *c = (struct client *)h;

    crypto_wipe(c->line, sizeof(c->line));
    free(c);
}

static void drop(struct client *c)
{
    struct client **at = &c->srv->clients;

    if (c->closing)
        return;
    c->closing = true;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->srv->count--;
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void on_written(uv_write_t *req, int status)
{
    struct outgoing *o = (struct outgoing *)req;

    (void)status; /* reading tells when the client has gone */
    free(o->text);
    free(o);
}

static void send_text(struct client *c, const char *text, size_t len)
{
    struct outgoing *o = malloc(sizeof(*o));
    uv_buf_t b;

    if (o == NULL || (o->text = malloc(len)) == NULL ||
        uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) > IPC_BACKLOG_MAX) {
        if (o != NULL)
            free(o->text);
        free(o);
        drop(c);
        return;
    }
    memcpy(o->text, text, len);
    b = uv_buf_init(o->text, (unsigned)len);
    if (uv_write(&o->req, (uv_stream_t *)&c->pipe, &b, 1, on_written) != 0) {
        free(o->text);
        free(o);
        drop(c);
    }
}

static void send_json(struct client *c, const json_t *object)
{
    size_t len;
    char *text = jsonl_encode(object, &len);

    if (text != NULL)
        send_text(c, text, len);
    else
        drop(c);
    free(text);
}

static struct client *find(struct ipc_server *srv, uint64_t id)
{
    struct client *c = srv->clients;

    while (c != NULL && c->id != id)
        c = c->next;
    return c;
}

void ipc_server_reply(struct ipc_server *srv, uint64_t client, json_t *reply)
{
    struct client *c = srv != NULL ? find(srv, client) : NULL;

    if (c != NULL && reply != NULL)
        send_json(c, reply);
    else if (c != NULL) /* it could not be built: whoever waits must hear something */
        send_text(c, no_reply, sizeof(no_reply) - 1);
    json_decref(reply);
}

void ipc_server_subscribe(struct ipc_server *srv, uint64_t client)
{
    struct client *c = find(srv, client);

    if (c != NULL)
        c->subscribed = true;
}

void ipc_server_push(struct ipc_server *srv, const json_t *event)
{
    struct client *next;

    for (struct client *c = srv->clients; c != NULL; c = next) {
        next = c->next;
        if (c->subscribed)
            send_json(c, event);
    }
}

bool ipc_server_has_subscribers(const struct ipc_server *srv)
{
    const struct client *c = srv->clients;

    while (c != NULL && !c->subscribed)
        c = c->next;
    return c != NULL;
}

unsigned ipc_server_clients(const struct ipc_server *srv)
{
    return srv->count;
}

/* Handles every whole line; each is wiped behind us. Malformed ones end the client. */
static void take_lines(struct client *c)
{
    char *end;

    while (!c->closing && (end = memchr(c->line, '\n', c->len)) != NULL) {
        size_t used = (size_t)(end - c->line) + 1;
        json_t *request = json_loadb(c->line, used - 1, JSON_REJECT_DUPLICATES, NULL);

        memmove(c->line, c->line + used, c->len - used);
        crypto_wipe(c->line + c->len - used, used);
        c->len -= used;
        if (json_is_object(request))
            c->srv->fn(c->srv->arg, c->id, request);
        else
            drop(c);
        json_decref(request);
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct client *c = (struct client *)h;

    (void)suggested;
    *b = uv_buf_init(c->line + c->len, (unsigned)(sizeof(c->line) - c->len));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
    struct client *c = (struct client *)h;

    (void)b;
    if (n < 0) { /* end of file, an error, or a line longer than the buffer (UV_ENOBUFS) */
        drop(c);
        return;
    }
    c->len += (size_t)n;
    take_lines(c);
}

static void on_connection(void *arg)
{
    struct ipc_server *srv = arg;
    struct client *c = malloc(sizeof(*c));

    if (c == NULL)
        return;
    c->srv = srv;
    c->subscribed = c->closing = false;
    c->len = 0;
    c->id = ++srv->last_id;
    c->next = srv->clients;
    uv_pipe_init(srv->loop, &c->pipe, 0);
    srv->clients = c;
    srv->count++;
    if (ipc_listener_accept(srv->listener, &c->pipe) != 0 || srv->count > IPC_CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) != 0)
        drop(c);
}

int ipc_server_open(uv_loop_t *loop, const char *path, ipc_request_fn fn, void *arg,
                    struct ipc_server **out, struct fault *f)
{
    struct ipc_server *srv = calloc(1, sizeof(*srv));
    int rc;

    if (srv == NULL)
        return PRA_ENOMEM;
    srv->loop = loop;
    srv->fn = fn;
    srv->arg = arg;
    rc = ipc_listener_open(loop, path, on_connection, srv, &srv->listener, f);
    if (rc == 0)
        *out = srv;
    else
        free(srv);
    return rc;
}

/* What is queued goes out first: libuv calls this after the last write. */
static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct client *c = (struct client *)req->handle;

    (void)status;
    free(req);
    if (!uv_is_closing((uv_handle_t *)&c->pipe))
        uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void hang_up(struct client *c)
{
    uv_shutdown_t *req = malloc(sizeof(*req));

    c->closing = true;
    uv_read_stop((uv_stream_t *)&c->pipe);
    if (req == NULL || uv_shutdown(req, (uv_stream_t *)&c->pipe, on_shutdown) != 0) {
        free(req);
        uv_close((uv_handle_t *)&c->pipe, on_client_closed);
    }
}

void ipc_server_close(struct ipc_server *srv)
{
    if (srv == NULL)
        return;
    while (srv->clients != NULL) {
        struct client *c = srv->clients;

        srv->clients = c->next;
        hang_up(c);
    }
    srv->count = 0;
    ipc_listener_close(srv->listener);
    free(srv);
}
