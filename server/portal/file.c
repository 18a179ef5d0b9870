/*
 * Files that are handed out: prad says whether who asks may have it and how large it is; then it is sent
 * in pieces, each read when the one before has been taken, so that neither memory nor a slow reader
 * matters. One range is served (RFC 9110, 14), for downloads that go on where they broke off.
 */
#include "server/portal/api_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "common/log.h"

struct transfer {
    struct transfer *next, *prev;
    struct pending *q; /* q->req NULL: the browser has gone */
    bool asked;        /* prad owes an answer */
    int fd;
    off_t at, end; /* what is still to be sent */
};

/* ---- life -------------------------------------------------------------------------------------- */

static struct pending *dissolve(struct transfer *t)
{
    struct pending *q = t->q;

    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        q->portal->files = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    if (t->fd >= 0)
        close(t->fd);
    free(t);
    return q;
}

/* As on_closed() of api.c; one that waits for prad is freed with its answer. */
static void on_closed(struct evhttp_connection *ec, void *arg)
{
    struct transfer *t = arg;

    (void)ec;
    if (evhttp_request_get_connection(t->q->req) == NULL)
        evhttp_request_free(t->q->req);
    t->q->req = NULL;
    if (!t->asked)
        pending_free(dissolve(t));
}

static void end(struct transfer *t)
{
    struct evhttp_request *req = t->q->req;

    evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
    pending_free(dissolve(t));
    evhttp_send_reply_end(req);
}

/* ---- sending ----------------------------------------------------------------------------------- */

static void on_taken(struct evhttp_connection *ec, void *arg);

static void send_piece(struct transfer *t)
{
    struct evbuffer *b = evbuffer_new();
    size_t want = t->end - t->at < FILE_PIECE ? (size_t)(t->end - t->at) : FILE_PIECE;
    char piece[FILE_PIECE];
    ssize_t n = b == NULL ? -1 : pread(t->fd, piece, want, t->at);

    if (n > 0 && evbuffer_add(b, piece, (size_t)n) == 0) {
        t->at += n;
        evhttp_send_reply_chunk_with_cb(t->q->req, b, on_taken, t);
    } else {
        /* It became shorter meanwhile: the browser sees that bytes are missing. */
        log_event(LOG_WARN, "download-broken", "at=%jd error=\"%s\"", (intmax_t)t->at,
                  n < 0 ? strerrordesc_np(errno) : "the file became shorter");
        http_limit(t->q->req, 0);
    }
    if (b != NULL)
        evbuffer_free(b);
}

static void on_taken(struct evhttp_connection *ec, void *arg)
{
    struct transfer *t = arg;

    (void)ec;
    if (t->at < t->end)
        send_piece(t);
    else
        end(t);
}

/* ---- ranges ------------------------------------------------------------------------------------ */

static bool read_offset(const char **at, off_t *out)
{
    char *end;
    long long n;

    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    n = strtoll(*at, &end, 10);
    *at = end;
    *out = n;
    return errno == 0;
}

enum range { RANGE_NONE, RANGE_GOOD, RANGE_BAD };

/* "bytes=A-B", "bytes=A-", "bytes=-N"; anything else, several ranges too, is answered with all of it. */
static enum range read_range(const char *text, off_t size, off_t *first, off_t *end)
{
    off_t a = -1, b = -1;

    if (text == NULL || strncmp(text, "bytes=", 6) != 0)
        return RANGE_NONE;
    text += 6;
    if (*text != '-' && !read_offset(&text, &a))
        return RANGE_NONE;
    if (*text++ != '-' || (*text != '\0' && !read_offset(&text, &b)) || *text != '\0' ||
        (a < 0 && b < 0) || (a >= 0 && b >= 0 && b < a))
        return RANGE_NONE;
    if (a >= size || (a < 0 && b == 0))
        return RANGE_BAD;
    *first = a >= 0 ? a : b < size ? size - b : 0;
    *end = a >= 0 && b >= 0 && b < size ? b + 1 : size;
    return RANGE_GOOD;
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(t->q->req), name, value);
}

static void begin(struct transfer *t, const char *name, const char *sha256, off_t size)
{
    struct evkeyvalq *in = evhttp_request_get_input_headers(t->q->req);
    const char *if_range = evhttp_find_header(in, "If-Range");
    char text[256], tag[80];
    enum range range;

    snprintf(tag, sizeof(tag), "\"%.64s\"", sha256);
    range = if_range != NULL && strcmp(if_range, tag) != 0
                ? RANGE_NONE
                : read_range(evhttp_find_header(in, "Range"), size, &t->at, &t->end);
    if (range != RANGE_GOOD) {
        t->at = 0;
        t->end = size;
    }
    if (range == RANGE_BAD) {
        snprintf(text, sizeof(text), "bytes */%jd", (intmax_t)size);
        add_header(t, "Content-Range", text);
        struct pending *q = dissolve(t);
        pending_fail(q, 416, "invalid", "Range: lies behind the end of the file");
        return;
    }
    http_headers(t->q->portal, t->q->req, "application/octet-stream");
    add_header(t, "Accept-Ranges", "bytes");
    add_header(t, "ETag", tag);
    snprintf(text, sizeof(text), "attachment; filename=\"%.128s\"", name); /* prad's: a plain one */
    add_header(t, "Content-Disposition", text);
    snprintf(text, sizeof(text), "%jd", (intmax_t)(t->end - t->at));
    add_header(t, "Content-Length", text);
    if (range == RANGE_GOOD) {
        snprintf(text, sizeof(text), "bytes %jd-%jd/%jd", (intmax_t)t->at, (intmax_t)t->end - 1,
                 (intmax_t)size);
        add_header(t, "Content-Range", text);
    }
    http_limit(t->q->req, HTTP_REQUEST_S + (int)((t->end - t->at) / HTTP_SLOWEST));
    evhttp_send_reply_start(t->q->req, range == RANGE_GOOD ? 206 : 200,
                            range == RANGE_GOOD ? "Partial Content" : "OK");
    send_piece(t);
}

/* ---- asking ------------------------------------------------------------------------------------ */

/* Opens the file that prad has found by this name; it must still be what prad has seen. */
static int open_file(const struct portal *p, const char *name, off_t size)
{
    int folder = open(p->config->portal_downloads, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
    struct stat st;

    if (folder >= 0)
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != size)) {
        close(fd);
        fd = -1;
    }
    if (folder >= 0)
        close(folder);
    return fd;
}

static void on_answer(json_t *answer, void *arg)
{
    struct transfer *t = arg;
    json_t *result = json_object_get(answer, "result");
    const char *name = json_string_value(json_object_get(result, "name"));
    const char *sha256 = json_string_value(json_object_get(result, "sha256"));
    off_t size = json_integer_value(json_object_get(result, "size"));

    t->asked = false;
    if (t->q->req == NULL) {
        pending_free(dissolve(t));
        return;
    }
    if (name == NULL || sha256 == NULL || strchr(name, '/') != NULL) {
        evhttp_connection_set_closecb(evhttp_request_get_connection(t->q->req), NULL, NULL);
        pending_answer(dissolve(t), answer);
        return;
    }
    t->fd = open_file(t->q->portal, name, size);
    if (t->fd >= 0)
        begin(t, name, sha256, size);
    else
        pending_fail(dissolve(t), 404, "not-found", "the file cannot be read");
}

static bool is_room(const struct pending *q)
{
    unsigned all = 0, same = 0;

    for (const struct transfer *t = q->portal->files; t != NULL; t = t->next) {
        all++;
        same += strcmp(t->q->source, q->source) == 0;
    }
    return all < FILES_MAX && same < FILES_OF_SOURCE;
}

void file_start(struct pending *q)
{
    struct transfer *t = is_room(q) ? calloc(1, sizeof(*t)) : NULL;

    if (t == NULL) {
        pending_fail(q, 503, "busy", "too many downloads at once: try again");
        return;
    }
    *t = (struct transfer){.q = q, .fd = -1, .asked = true, .next = q->portal->files};
    if (t->next != NULL)
        t->next->prev = t;
    q->portal->files = t;
    evhttp_connection_set_closecb(evhttp_request_get_connection(q->req), on_closed, t);
    if (pending_ask(q, q->route->op, q->args, on_answer, t) != 0)
        on_answer(NULL, t);
}
