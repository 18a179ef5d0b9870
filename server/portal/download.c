/*
 * Files that are made while they are sent: the audit, tables of users and rules, of which there may be
 * more than memory. Prad is
 * asked for one part after the other, each when the browser has taken the one before, so one part of
 * a download is all that is held. The first answer decides whether there is a file at all; if prad or
 * the log-in goes later the connection is cut, so that nobody takes a piece for the whole.
 */
#include "server/portal/api_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

struct download {
    struct download *next, *prev;
    struct pending *q; /* q->req NULL: the browser has gone */
    bool asked;        /* prad owes an answer */
    bool started;      /* the head is sent */
};

/* Gives back what it was made of. */
static struct pending *dissolve(struct download *d)
{
    struct pending *q = d->q;

    if (d->prev != NULL)
        d->prev->next = d->next;
    else
        q->portal->downloads = d->next;
    if (d->next != NULL)
        d->next->prev = d->prev;
    free(d);
    return q;
}

/* As on_closed() of api.c; what waits for prad is freed with its answer. */
static void on_closed(struct evhttp_connection *ec, void *arg)
{
    struct download *d = arg;

    (void)ec;
    if (evhttp_request_get_connection(d->q->req) == NULL)
        evhttp_request_free(d->q->req);
    d->q->req = NULL;
    if (!d->asked)
        pending_free(dissolve(d));
}

/* The head of the answer, as prad says what the file is. */
static void begin(struct download *d, const char *file, const char *type, const char *ending)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(d->q->req);
    char name[80], day[16] = "";
    time_t now = time(NULL);
    struct tm tm;

    if (localtime_r(&now, &tm) != NULL)
        strftime(day, sizeof(day), "%Y-%m-%d", &tm);
    snprintf(name, sizeof(name), "attachment; filename=\"%.16s-%s.%.8s\"", file, day, ending);
    http_headers(d->q->portal, d->q->req, type);
    evhttp_add_header(headers, "Content-Disposition", name);
    http_prepare_stream(d->q->req);
    evhttp_send_reply_start(d->q->req, 200, NULL);
    d->started = true;
}

static void ask_more(struct download *d);

static void on_sent(struct evhttp_connection *ec, void *arg)
{
    struct download *d = arg;

    (void)ec;
    if (json_object_get(d->q->args, "after") != NULL) {
        ask_more(d);
        return;
    }
    evhttp_connection_set_closecb(evhttp_request_get_connection(d->q->req), NULL, NULL);
    evhttp_send_reply_end(d->q->req);
    pending_free(dissolve(d));
}

/* Sends a part; on_sent() goes on when the browser has taken it. */
static void send_part(struct download *d, const char *text, size_t len)
{
    struct evbuffer *chunk = evbuffer_new();

    if (chunk == NULL || evbuffer_add(chunk, text, len) != 0)
        http_cut(d->q->req);
    else if (len == 0) /* a part of the audit in which nothing fits the filter */
        on_sent(NULL, d);
    else
        evhttp_send_reply_chunk_with_cb(d->q->req, chunk, on_sent, d);
    if (chunk != NULL)
        evbuffer_free(chunk);
}

static void on_answer(json_t *answer, void *arg)
{
    struct download *d = arg;
    json_t *result = json_object_get(answer, "result"), *next = json_object_get(result, "next");
    json_t *text = json_object_get(result, "text");
    const char *type = json_string_value(json_object_get(result, "type"));
    const char *ending = json_string_value(json_object_get(result, "ending"));
    const char *name = json_string_value(json_object_get(result, "name"));

    d->asked = false;
    if (d->q->req == NULL) {
        pending_free(dissolve(d));
    } else if (!d->started && result == NULL) {
        pending_answer(dissolve(d), answer);
    } else if (!json_is_string(text) || type == NULL || ending == NULL) {
        http_cut(d->q->req);
    } else {
        json_object_del(d->q->args, "after");
        if (next != NULL && !json_is_null(next))
            json_object_set(d->q->args, "after", next);
        if (json_object_get(result, "upto") != NULL)
            json_object_set(d->q->args, "upto", json_object_get(result, "upto"));
        if (!d->started)
            begin(d, name != NULL ? name : "audit", type, ending);
        send_part(d, json_string_value(text), json_string_length(text));
    }
}

static void ask_more(struct download *d)
{
    d->asked = true;
    if (pending_ask(d->q, d->q->route->op, d->q->args, on_answer, d) != 0)
        on_answer(NULL, d);
}

static bool is_room(const struct pending *q)
{
    unsigned all = 0, same = 0;

    for (const struct download *d = q->portal->downloads; d != NULL; d = d->next) {
        all++;
        same += strcmp(d->q->source, q->source) == 0;
    }
    return all < DOWNLOADS_MAX && same < DOWNLOADS_OF_SOURCE;
}

void download_start(struct pending *q)
{
    struct download *d;

    if (!is_room(q)) {
        pending_fail(q, 503, "busy", "too many downloads at once: wait for one to end");
        return;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL) {
        pending_fail(q, 500, "internal", "no memory");
        return;
    }
    d->q = q;
    d->next = q->portal->downloads;
    if (d->next != NULL)
        d->next->prev = d;
    q->portal->downloads = d;
    evhttp_connection_set_closecb(evhttp_request_get_connection(q->req), on_closed, d);
    ask_more(d);
}
