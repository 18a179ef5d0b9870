/*
 * Server-sent events: a page that watches. The portal asks prad the route's operation every
 * STREAM_EVERY_S seconds, each time with the log-in's token, so what the account may no longer see it
 * does not see; asking like that does not keep a log-in alive. The first answer decides whether there
 * is a stream at all: an error is answered as to any other request.
 *
 * A browser gets "data:" with the result, and the events "away" (prad does not answer: go on waiting)
 * and "over" (the log-in is: the last one). One that does not read misses what it has no room for.
 */
#include "server/portal/api_internal.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

struct stream {
    struct stream *next, *prev;
    struct pending *q; /* q->req NULL: the browser has gone */
    struct event *timer;
    bool asked;   /* prad owes an answer */
    bool started; /* the head of the answer is sent */
};

/* Gives back what it was made of. */
static struct pending *stream_dissolve(struct stream *s)
{
    struct pending *q = s->q;
    struct portal *p = q->portal;

    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        p->streams = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    event_free(s->timer);
    free(s);
    return q;
}

static void stream_free(struct stream *s)
{
    pending_free(stream_dissolve(s));
}

/* As on_closed() of api.c; a stream that waits for prad is freed with its answer. */
static void on_closed(struct evhttp_connection *ec, void *arg)
{
    struct stream *s = arg;

    (void)ec;
    if (evhttp_request_get_connection(s->q->req) == NULL)
        evhttp_request_free(s->q->req);
    s->q->req = NULL;
    if (!s->asked)
        stream_free(s);
}

static struct evbuffer *unread(struct stream *s)
{
    struct evhttp_connection *ec = evhttp_request_get_connection(s->q->req);

    return bufferevent_get_output(evhttp_connection_get_bufferevent(ec));
}

/* `data` is borrowed. */
static void send_event(struct stream *s, const char *event, json_t *data)
{
    struct evbuffer *b = evbuffer_new();
    char *text = json_dumps(data, JSON_COMPACT);

    if (b != NULL && text != NULL && evbuffer_get_length(unread(s)) < STREAM_UNREAD_MAX) {
        if (event != NULL)
            evbuffer_add_printf(b, "event: %s\n", event);
        evbuffer_add_printf(b, "data: %s\n\n", text);
        evhttp_send_reply_chunk(s->q->req, b);
    }
    free(text);
    if (b != NULL)
        evbuffer_free(b);
}

static void end(struct stream *s)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(s->q->req), NULL, NULL);
    evhttp_send_reply_end(s->q->req);
    stream_free(s);
}

static void begin(struct stream *s)
{
    http_headers(s->q->portal, s->q->req, "text/event-stream");
    http_prepare_stream(s->q->req);
    evhttp_send_reply_start(s->q->req, 200, NULL);
    s->started = true;
}

static void wait_a_while(struct stream *s)
{
    const struct timeval pause = {.tv_sec = STREAM_EVERY_S};

    event_add(s->timer, &pause);
}

static void on_answer(json_t *answer, void *arg)
{
    struct stream *s = arg;
    json_t *error = json_object_get(answer, "error"), *nothing;

    s->asked = false;
    if (s->q->req == NULL) {
        stream_free(s);
        return;
    }
    if (!s->started && (answer == NULL || error != NULL)) {
        pending_answer(stream_dissolve(s), answer);
        return;
    }
    if (!s->started)
        begin(s);
    if (answer != NULL && error == NULL) {
        send_event(s, NULL, json_object_get(answer, "result"));
        wait_a_while(s);
        return;
    }
    nothing = json_object();
    send_event(s, answer == NULL ? "away" : "over", nothing);
    json_decref(nothing);
    if (answer == NULL && !s->q->portal->closing)
        wait_a_while(s);
    else
        end(s);
}

static void look(struct stream *s)
{
    s->asked = true;
    if (pending_ask(s->q, s->q->route->op, s->q->args, on_answer, s) != 0)
        on_answer(NULL, s);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    look(arg);
}

static bool is_room(const struct pending *q)
{
    unsigned all = 0, same = 0;

    for (const struct stream *s = q->portal->streams; s != NULL; s = s->next) {
        all++;
        same += strcmp(s->q->source, q->source) == 0;
    }
    return all < STREAMS_MAX && same < STREAMS_OF_SOURCE;
}

void stream_start(struct pending *q)
{
    struct stream *s;

    if (!is_room(q)) {
        pending_fail(q, 503, "busy", "too many pages are watching: close one and try again");
        return;
    }
    s = calloc(1, sizeof(*s));
    if (s != NULL)
        s->timer = event_new(q->portal->base, -1, 0, on_timer, s);
    if (s == NULL || s->timer == NULL) {
        free(s);
        pending_fail(q, 500, "internal", "no memory");
        return;
    }
    s->q = q;
    q->background = true;
    s->next = q->portal->streams;
    if (s->next != NULL)
        s->next->prev = s;
    q->portal->streams = s;
    evhttp_connection_set_closecb(evhttp_request_get_connection(q->req), on_closed, s);
    look(s);
}

void streams_close(struct portal *p)
{
    struct stream *next;

    p->closing = true;
    for (struct stream *s = p->streams; s != NULL; s = next) {
        next = s->next;
        event_del(s->timer);
        if (s->asked || s->q->req == NULL)
            continue; /* freed with the answer that links_free() gives */
        if (s->started)
            end(s);
    }
}
