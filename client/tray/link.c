/*
 * link.h. The thread made by link_new() owns its connection; `stop` and `poked` are guarded by
 * `lock`. States reach the loop as idle sources that own a reference.
 */
#include "client/tray/link.h"

#include <glib.h>

#include "client/tray/follow.h"
#include "client/tray/work.h"

struct link {
    GThread *thread;
    GMutex lock;
    GCond changed;
    bool stop, poked;
    const struct paths *paths;
    link_status_fn *on_status;
    void *arg;
};

struct news {
    struct link *link;
    json_t *status;
};

static gboolean deliver(gpointer data)
{
    struct news *n = data;

    n->link->on_status(n->link->arg, n->status);
    return G_SOURCE_REMOVE;
}

static void free_news(gpointer data)
{
    struct news *n = data;

    json_decref(n->status);
    g_free(n);
}

/* Takes the reference. */
static void post(struct link *link, json_t *status)
{
    struct news *n = g_new0(struct news, 1);

    *n = (struct news){.link = link, .status = status};
    g_idle_add_full(G_PRIORITY_DEFAULT, deliver, n, free_news);
}

static bool stopped(struct link *link)
{
    bool stop;

    g_mutex_lock(&link->lock);
    stop = link->stop;
    g_mutex_unlock(&link->lock);
    return stop;
}

static bool stopped_fn(void *arg)
{
    return stopped(arg);
}

static void post_fn(void *arg, json_t *status)
{
    post(arg, status);
}

static gpointer watch(gpointer data)
{
    struct link *link = data;
    const struct follow follow = {.stopped = stopped_fn, .post = post_fn, .arg = link};
    bool told = false; /* that no agent runs */

    while (!stopped(link)) {
        follow_once(link->paths, &follow, &told);
        g_mutex_lock(&link->lock);
        if (!link->stop && !link->poked)
            (void)g_cond_wait_until(&link->changed, &link->lock,
                                    g_get_monotonic_time() +
                                        FOLLOW_LOOK_MS * G_TIME_SPAN_MILLISECOND);
        link->poked = false;
        g_mutex_unlock(&link->lock);
    }
    return NULL;
}

struct link *link_new(const struct paths *paths, link_status_fn *on_status, void *arg)
{
    struct link *link = g_new0(struct link, 1);

    g_mutex_init(&link->lock);
    g_cond_init(&link->changed);
    link->paths = paths;
    link->on_status = on_status;
    link->arg = arg;
    link->thread = g_thread_new("agent", watch, link);
    return link;
}

static void wake(struct link *link, bool stop)
{
    g_mutex_lock(&link->lock);
    link->stop = link->stop || stop;
    link->poked = true;
    g_cond_signal(&link->changed);
    g_mutex_unlock(&link->lock);
}

void link_poke(struct link *link)
{
    wake(link, false);
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    wake(link, true);
    g_thread_join(link->thread);
    g_mutex_clear(&link->lock);
    g_cond_clear(&link->changed);
    g_free(link);
}

/* --- single requests -------------------------------------------------------------------------- */

struct request {
    const struct paths *paths;
    json_t *message;
};

static void send_it(void *job)
{
    struct request *r = job;
    struct fault f = {0};

    if (follow_send(r->paths, r->message, &f) != 0)
        g_warning("the agent does not answer: %s", f.text);
}

static void sent(void *job)
{
    struct request *r = job;

    json_decref(r->message);
    g_free(r);
}

void link_send(const struct paths *paths, json_t *request)
{
    struct request *r = g_new0(struct request, 1);

    *r = (struct request){.paths = paths, .message = request};
    work_start(send_it, sent, r);
}
