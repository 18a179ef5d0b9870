/*
 * The way to prad: a few connections to its portal socket, each with requests under way in order.
 * Connected when something is asked, given up when prad goes or does not answer in time; whoever
 * waited is told that nobody answers.
 */
#include "server/portal/portal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/jsonl.h"
#include "common/log.h"
#include "common/os.h"

#define READ_STEP (64u * 1024)

struct asked {
    link_done done;
    void *arg;
};

struct link {
    struct links *all;
    int fd; /* -1: not connected */
    struct event *read, *write;
    struct buf in, out;
    struct asked queue[LINK_QUEUE_MAX]; /* the first one is answered next */
    size_t count;
};

struct links {
    struct event_base *base;
    const struct config *config;
    struct link link[LINKS_MAX];
};

static void drop(struct link *l)
{
    struct asked queue[LINK_QUEUE_MAX];
    size_t count = l->count;

    if (l->read != NULL)
        event_free(l->read);
    if (l->write != NULL)
        event_free(l->write);
    if (l->fd >= 0)
        close(l->fd);
    l->read = l->write = NULL;
    l->fd = -1;
    buf_free(&l->in);
    buf_free(&l->out);
    buf_init(&l->in, JSONL_LOCAL_MAX);
    buf_init(&l->out, JSONL_LOCAL_MAX);
    memcpy(queue, l->queue, sizeof(queue));
    l->count = 0;
    for (size_t i = 0; i < count; i++)
        queue[i].done(NULL, queue[i].arg);
}

/* As long as something is under way prad has to say something now and then. */
static int watch(struct link *l)
{
    const struct timeval limit = {.tv_sec = LINK_TIMEOUT_S};

    event_del(l->read);
    return event_add(l->read, l->count > 0 ? &limit : NULL);
}

static void take_answers(struct link *l)
{
    while (l->fd >= 0) {
        struct fault f = {0};
        json_t *answer = NULL;
        struct asked first;
        int rc = jsonl_next(&l->in, JSONL_LOCAL_MAX, &answer, &f);

        if (rc == PRA_EAGAIN)
            return;
        if (rc != 0 || l->count == 0) {
            log_event(LOG_ERROR, "prad-answer-bad", "error=\"%s\"", f.text);
            json_decref(answer);
            drop(l);
            return;
        }
        first = l->queue[0];
        memmove(l->queue, l->queue + 1, --l->count * sizeof(first));
        first.done(answer, first.arg);
        json_decref(answer);
    }
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;
    size_t room;
    uint8_t *at = (what & EV_TIMEOUT) != 0 ? NULL : buf_reserve(&l->in, READ_STEP, &room);
    ssize_t n;

    if (at == NULL) {
        log_event(LOG_WARN, "prad-silent", "waiting=%zu", l->count);
        drop(l);
        return;
    }
    n = recv((int)fd, at, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(l);
        return;
    }
    buf_commit(&l->in, (size_t)n);
    take_answers(l);
    if (l->fd >= 0 && watch(l) != 0)
        drop(l);
}

/* Sends what it can; the rest when the socket takes more. Returns false if the link was dropped. */
static bool flush(struct link *l)
{
    while (l->out.len > 0) {
        ssize_t n = send(l->fd, buf_head(&l->out), l->out.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return event_add(l->write, NULL) == 0;
        if (n <= 0)
            return false;
        buf_consume(&l->out, (size_t)n);
    }
    return true;
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;

    (void)fd;
    (void)what;
    if (!flush(l))
        drop(l);
}

/* The listener must be root or the owner of the socket's folder: nobody else gets what we know. */
static bool is_gateway(int fd, const char *path)
{
    char folder[OS_PATH_MAX];
    const char *slash = os_path_separator(path);
    struct stat st;
    uid_t uid;
    pid_t pid;

    if (slash == NULL || (size_t)(slash - path) >= sizeof(folder))
        return false;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    return os_peer_credentials(fd, &uid, &pid) == 0 &&
           stat(folder[0] == '\0' ? "/" : folder, &st) == 0 && (uid == 0 || uid == st.st_uid);
}

static int dial(struct link *l)
{
    const char *path = l->all->config->portal_socket;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(sa.sun_path))
        return PRA_ECLOSED;
    memcpy(sa.sun_path, path, strlen(path) + 1);
    /* Not to wait: a prad that accepts nothing would stop the loop here. */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return PRA_ECLOSED;
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || !is_gateway(fd, path) ||
        os_fd_prepare(fd) != 0) {
        close(fd);
        return PRA_ECLOSED;
    }
    l->read = event_new(l->all->base, fd, EV_READ | EV_PERSIST, on_read, l);
    l->write = event_new(l->all->base, fd, EV_WRITE, on_write, l);
    l->fd = fd;
    if (l->read == NULL || l->write == NULL || watch(l) != 0) {
        drop(l);
        return PRA_ENOMEM;
    }
    return 0;
}

struct links *links_new(struct event_base *base, const struct config *c)
{
    struct links *all = calloc(1, sizeof(*all));

    if (all == NULL)
        return NULL;
    all->base = base;
    all->config = c;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        all->link[i].all = all;
        all->link[i].fd = -1;
        buf_init(&all->link[i].in, JSONL_LOCAL_MAX);
        buf_init(&all->link[i].out, JSONL_LOCAL_MAX);
    }
    return all;
}

void links_free(struct links *all)
{
    if (all == NULL)
        return;
    for (size_t i = 0; i < LINKS_MAX; i++)
        drop(&all->link[i]);
    free(all);
}

int links_ask(struct links *all, json_t *request, link_done done, void *arg)
{
    struct link *l = &all->link[0];
    int rc;

    for (size_t i = 1; i < LINKS_MAX; i++) {
        if (all->link[i].count < l->count)
            l = &all->link[i];
    }
    if (l->count == LINK_QUEUE_MAX)
        return PRA_EBUSY;
    if (l->fd < 0) {
        rc = dial(l);
        if (rc != 0)
            return rc;
    }
    rc = jsonl_append(&l->out, request);
    if (rc != 0)
        return rc;
    l->queue[l->count++] = (struct asked){.done = done, .arg = arg};
    /* Not flushed here: a failure would call `done` before the caller has returned. */
    /* The time of the one that waits longest goes on: others that ask do not prolong it. */
    if (event_add(l->write, NULL) == 0 && (l->count > 1 || watch(l) == 0))
        return 0;
    l->count--;
    drop(l);
    return PRA_ENOMEM;
}
