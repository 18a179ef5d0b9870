/*
 * The admin socket (admin_server.h). Owned by the keeper thread; no locks. A client is read until
 * a request is whole; while its answer is on the way out nothing more is read from it, so that
 * neither queue grows beyond one message.
 */
#include "server/admin/admin_server.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event_struct.h>

#include "common/jsonl.h"
#include "common/log.h"
#include "common/os.h"

#define READ_STEP     (64u * 1024)
#define BACKLOG       16
#define LOOKUP_MAX    4096
#define PAUSE_SECONDS 1 /* without accepting, when there are no descriptors left */

struct client {
    struct admin_server *server;
    struct client *next, *prev;
    int fd;
    struct event io; /* reading, or writing while there is an answer */
    struct admin_peer peer;
    struct buf in, out;
    bool closing; /* after the answer */
    bool busy;    /* its request is being run */
};

struct admin_server {
    struct event_base *base;
    struct admin *admin;
    enum admin_door door;
    const char *section; /* of prad.ini, for error messages */
    bool has_group;
    size_t line_max;
    unsigned clients_max;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd;
    struct event io, pause;
    struct client *clients;
    unsigned count;
};

static void on_client(evutil_socket_t fd, short what, void *arg);

/* ---- clients ----------------------------------------------------------------------------------- */

static void client_free(struct client *c)
{
    struct admin_server *s = c->server;

    event_del(&c->io);
    close(c->fd);
    buf_free(&c->in);
    buf_free(&c->out);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->clients = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    s->count--;
    free(c);
}

/* Waits for what comes next: the answer to be taken, or a request. */
static void client_wait(struct client *c)
{
    bool writing = c->out.len > 0;
    struct timeval limit = {.tv_sec = writing ? ADMIN_STALLED_SECONDS : ADMIN_IDLE_SECONDS};

    event_del(&c->io);
    event_assign(&c->io, c->server->base, c->fd, writing ? EV_WRITE : EV_READ, on_client, c);
    if (event_add(&c->io, &limit) != 0)
        client_free(c);
}

static int queue_answer(struct client *c, json_t *answer)
{
    int rc = answer == NULL ? PRA_ENOMEM : jsonl_append(&c->out, answer);

    json_decref(answer);
    if (rc == PRA_EFULL) { /* larger than a line may be: say so instead */
        answer = json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code", "too-large", "message",
                           "the answer is larger than 64 MiB: ask for less");
        rc = answer == NULL ? PRA_ENOMEM : jsonl_append(&c->out, answer);
        json_decref(answer);
    }
    return rc;
}

static int queue_error(struct client *c, const char *code, const char *message)
{
    return queue_answer(
        c, json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code", code, "message", message));
}

/* One request, if one is whole. Returns 0, PRA_EAGAIN, or the client is to be dropped. */
static int serve_next(struct client *c)
{
    struct fault f = {0};
    json_t *request = NULL;
    int rc = jsonl_next(&c->in, c->server->line_max, &request, &f);

    if (rc == PRA_EAGAIN)
        return rc;
    if (rc == PRA_ETOOBIG) {
        c->closing = true;
        return queue_error(c, "too-large", f.text);
    }
    if (rc == PRA_EINVAL)
        return queue_error(c, "invalid", f.text);
    if (rc != 0)
        return rc;
    c->busy = true;
    rc = queue_answer(c, admin_execute(c->server->admin, &c->peer, request));
    c->busy = false;
    json_decref(request);
    return rc;
}

/* Returns 0, or the client is gone. */
static int read_some(struct client *c)
{
    size_t room;
    uint8_t *at = buf_reserve(&c->in, READ_STEP, &room);
    ssize_t n;

    if (at == NULL)
        return PRA_ENOMEM;
    n = recv(c->fd, at, room, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : PRA_ECLOSED;
    if (n == 0)
        return PRA_ECLOSED;
    buf_commit(&c->in, (size_t)n);
    return 0;
}

static int write_some(struct client *c)
{
    ssize_t n = send(c->fd, buf_head(&c->out), c->out.len, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : PRA_ECLOSED;
    buf_consume(&c->out, (size_t)n);
    return c->out.len == 0 && c->closing ? PRA_ECLOSED : 0;
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    int rc = (what & EV_TIMEOUT) != 0 ? PRA_ETIMEOUT : 0;

    (void)fd;
    if (rc == 0)
        rc = (what & EV_WRITE) != 0 ? write_some(c) : read_some(c);
    /* A request may be whole already when the answer to the one before has gone out. */
    if (rc == 0 && c->out.len == 0 && c->in.len > 0) {
        rc = serve_next(c);
        if (rc == PRA_EAGAIN)
            rc = 0;
    }
    if (rc != 0)
        client_free(c);
    else
        client_wait(c);
}

/* ---- accepting --------------------------------------------------------------------------------- */

static void name_peer(struct admin_peer *p)
{
    char lookup[LOOKUP_MAX];
    struct passwd pw, *found = NULL;

    if (getpwuid_r(p->uid, &pw, lookup, sizeof(lookup), &found) == 0 && found != NULL &&
        strlen(pw.pw_name) < sizeof(p->name))
        memcpy(p->name, pw.pw_name, strlen(pw.pw_name) + 1);
    else
        snprintf(p->name, sizeof(p->name), "uid %u", p->uid);
}

/* Root, ourselves; with a group also whoever the socket's mode let through. */
static bool may_administer(const struct admin_server *s, uid_t uid)
{
    return uid == 0 || uid == geteuid() || s->has_group;
}

static void client_new(struct admin_server *s, int fd)
{
    struct client *c = calloc(1, sizeof(*c));

    if (c == NULL || os_fd_prepare(fd) != 0 ||
        os_peer_credentials(fd, &c->peer.uid, &c->peer.pid) != 0) {
        free(c);
        close(fd);
        return;
    }
    c->server = s;
    c->fd = fd;
    c->peer.portal = s->door == ADMIN_DOOR_PORTAL;
    buf_init(&c->in, s->line_max + READ_STEP); /* too long is told from not whole yet */
    buf_init(&c->out, JSONL_LOCAL_MAX);
    event_assign(&c->io, s->base, fd, EV_READ, on_client, c);
    c->next = s->clients;
    if (c->next != NULL)
        c->next->prev = c;
    s->clients = c;
    s->count++;
    name_peer(&c->peer);
    if (!may_administer(s, c->peer.uid)) {
        log_event(LOG_WARN, "admin-refused", "uid=%u pid=%d", c->peer.uid, (int)c->peer.pid);
        c->closing = true;
        queue_error(c, "not-permitted", "you may not administer this gateway");
    } else if (s->count > s->clients_max) {
        c->closing = true;
        queue_error(c, "busy", "too many administrators at once: try again");
    }
    client_wait(c);
}

static void on_pause_end(evutil_socket_t fd, short what, void *arg)
{
    struct admin_server *s = arg;

    (void)fd;
    (void)what;
    event_add(&s->io, NULL);
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
    const struct timeval pause = {.tv_sec = PAUSE_SECONDS};
    struct admin_server *s = arg;
    int fd = accept4((int)listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)what;
    if (fd >= 0) {
        /* Beyond twice the limit not even a refusal is worth a descriptor. */
        if (s->count >= s->clients_max * 2)
            close(fd);
        else
            client_new(s, fd);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        log_event(LOG_WARN, "admin-accept-failed", "error=\"%s\"", strerror(errno));
        event_del(&s->io);
        event_add(&s->pause, &pause);
    }
}

static bool is_ready(int fd, short what)
{
    struct pollfd p = {.fd = fd, .events = what};

    return poll(&p, 1, 0) == 1;
}

void admin_server_serve(struct admin_server *s)
{
    if (s == NULL)
        return;
    for (struct client *c = s->clients, *next; c != NULL; c = next) {
        bool writing = c->out.len > 0;

        next = c->next;
        if (!c->busy && is_ready(c->fd, writing ? POLLOUT : POLLIN))
            on_client(c->fd, writing ? EV_WRITE : EV_READ, c);
    }
    if (is_ready(s->fd, POLLIN) && !event_pending(&s->pause, EV_TIMEOUT, NULL))
        on_accept(s->fd, EV_READ, s);
}

/* ---- the socket -------------------------------------------------------------------------------- */

static int remove_old(const char *path, struct fault *f)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fault_set(f, PRA_EIO, "%s is there and is no socket", path);
    return unlink(path) == 0 ? 0 : fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
}

/* Opens the socket to the group's members. */
static int admit_group(const struct admin_server *s, const char *group, struct fault *f)
{
    const char *path = s->path;
    char lookup[LOOKUP_MAX];
    struct group gr, *found = NULL;

    if (getgrnam_r(group, &gr, lookup, sizeof(lookup), &found) != 0 || found == NULL)
        return fault_set(f, PRA_EINVAL, "[%s] group: there is no group '%s'", s->section, group);
    if (chown(path, (uid_t)-1, gr.gr_gid) != 0)
        return fault_set(f, PRA_EIO, "%s cannot be given to group '%s': %s", path, group,
                         strerror(errno));
    return chmod(path, 0660) == 0 ? 0 : fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
}

static int bind_socket(struct admin_server *s, const struct config *c, struct fault *f)
{
    bool portal = s->door == ADMIN_DOOR_PORTAL;
    const char *path = portal ? c->portal_socket : c->admin_socket;
    const char *group = portal ? c->portal_group : c->admin_group;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    mode_t old;
    int rc;

    s->section = portal ? "portal" : "admin";
    s->has_group = group[0] != '\0';
    if (strlen(path) >= sizeof(s->path))
        return fault_set(f, PRA_EINVAL, "[%s] socket: %s: longer than %zu bytes", s->section, path,
                         sizeof(s->path) - 1);
    memcpy(s->path, path, strlen(path) + 1);
    memcpy(sa.sun_path, s->path, sizeof(sa.sun_path));
    rc = remove_old(s->path, f);
    if (rc != 0)
        return rc;
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return fault_set(f, PRA_EIO, "socket: %s", strerror(errno));
    old = umask(0177); /* closed to others from its first moment */
    rc = bind(s->fd, (struct sockaddr *)&sa, sizeof(sa));
    umask(old);
    if (rc != 0)
        rc = fault_set(f, PRA_EIO, "%s: %s", s->path, strerror(errno));
    else if (s->has_group)
        rc = admit_group(s, group, f);
    if (rc == 0 && listen(s->fd, BACKLOG) != 0)
        rc = fault_set(f, PRA_EIO, "%s: %s", s->path, strerror(errno));
    return rc;
}

int admin_server_new(struct event_base *base, struct admin *a, const struct config *c,
                     enum admin_door door, struct admin_server **out, struct fault *f)
{
    struct admin_server *s = calloc(1, sizeof(*s));
    int rc;

    if (s == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory");
    s->base = base;
    s->admin = a;
    s->door = door;
    s->line_max = door == ADMIN_DOOR_PORTAL ? ADMIN_PORTAL_LINE_MAX : JSONL_LOCAL_MAX;
    s->clients_max = door == ADMIN_DOOR_PORTAL ? ADMIN_PORTAL_CLIENTS_MAX : ADMIN_CLIENTS_MAX;
    s->fd = -1;
    rc = bind_socket(s, c, f);
    if (rc == 0) {
        event_assign(&s->pause, base, -1, 0, on_pause_end, s);
        event_assign(&s->io, base, s->fd, EV_READ | EV_PERSIST, on_accept, s);
        if (event_add(&s->io, NULL) != 0)
            rc = fault_set(f, PRA_ENOMEM, "no memory for the admin socket's event");
    }
    if (rc != 0) {
        if (s->fd >= 0)
            close(s->fd);
        free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void admin_server_free(struct admin_server *s)
{
    if (s == NULL)
        return;
    event_del(&s->io);
    event_del(&s->pause);
    for (struct client *c = s->clients, *next; c != NULL; c = next) {
        next = c->next;
        client_free(c);
    }
    close(s->fd);
    unlink(s->path);
    free(s);
}
