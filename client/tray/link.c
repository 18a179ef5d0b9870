/*
 * link.h. The thread made by link_new() owns its connection; what else it shares with the loop is
 * guarded by `lock`. States reach the loop by loop_post(), with a reference of their own.
 */
#include "client/tray/link.h"

#include <pthread.h>
#include <stdlib.h>

#include "client/tray/app.h"
#include "client/tray/follow.h"
#include "client/tray/work.h"

/* A thread in the middle of a wait looks up this late at most. */
#define END_MS (2 * FOLLOW_LOOK_MS)

struct link {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, poked, ended;
    const struct paths *paths;
    link_status_fn *on_status;
    void *arg;
};

struct news {
    struct link *link;
    json_t *status;
};

static void deliver(void *arg)
{
    struct news *n = arg;

    n->link->on_status(n->link->arg, n->status);
    json_decref(n->status);
    free(n);
}

/* Takes the reference. */
static void post(void *arg, json_t *status)
{
    struct news *n = work_alloc(sizeof(*n));

    *n = (struct news){.link = arg, .status = status};
    loop_post(deliver, n);
}

static bool stopped(void *arg)
{
    struct link *link = arg;
    bool stop;

    (void)pthread_mutex_lock(&link->lock);
    stop = link->stop;
    (void)pthread_mutex_unlock(&link->lock);
    return stop;
}

static void *watch(void *arg)
{
    struct link *link = arg;
    const struct follow follow = {.stopped = stopped, .post = post, .arg = link};
    struct timespec until;
    bool told = false; /* that no agent runs */

    while (!stopped(link)) {
        follow_once(link->paths, &follow, &told);
        (void)pthread_mutex_lock(&link->lock);
        os_cond_deadline(&until, FOLLOW_LOOK_MS);
        if (!link->stop && !link->poked)
            (void)pthread_cond_timedwait(&link->changed, &link->lock, &until);
        link->poked = false;
        (void)pthread_mutex_unlock(&link->lock);
    }
    (void)pthread_mutex_lock(&link->lock);
    link->ended = true;
    (void)pthread_cond_signal(&link->changed);
    (void)pthread_mutex_unlock(&link->lock);
    return NULL;
}

struct link *link_new(const struct paths *paths, link_status_fn *on_status, void *arg)
{
    struct link *link = work_alloc(sizeof(*link));

    (void)pthread_mutex_init(&link->lock, NULL);
    os_cond_init(&link->changed);
    link->paths = paths;
    link->on_status = on_status;
    link->arg = arg;
    if (pthread_create(&link->thread, NULL, watch, link) != 0)
        abort();
    return link;
}

static void wake(struct link *link, bool stop)
{
    (void)pthread_mutex_lock(&link->lock);
    link->stop = link->stop || stop;
    link->poked = true;
    (void)pthread_cond_signal(&link->changed);
    (void)pthread_mutex_unlock(&link->lock);
}

void link_poke(struct link *link)
{
    if (link != NULL)
        wake(link, false);
}

void link_free(struct link *link)
{
    struct timespec until;
    bool ended;
    int rc = 0;

    if (link == NULL)
        return;
    wake(link, true);
    os_cond_deadline(&until, END_MS);
    (void)pthread_mutex_lock(&link->lock);
    while (!link->ended && rc == 0)
        rc = pthread_cond_timedwait(&link->changed, &link->lock, &until);
    ended = link->ended;
    (void)pthread_mutex_unlock(&link->lock);
    if (!ended)
        return; /* it still uses all this; the program ends now, and it with that */
    (void)pthread_join(link->thread, NULL);
    (void)pthread_cond_destroy(&link->changed);
    (void)pthread_mutex_destroy(&link->lock);
    free(link);
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
        shell_log("the agent does not answer", f.text);
}

static void sent(void *job)
{
    struct request *r = job;

    json_decref(r->message);
    free(r);
}

void link_send(const struct paths *paths, json_t *request)
{
    struct request *r = work_alloc(sizeof(*r));

    *r = (struct request){.paths = paths, .message = request};
    work_start(send_it, sent, r);
}
