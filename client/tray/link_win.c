/*
 * link.h by a Windows thread. It owns its connection; `stop` is an event, `poked` another. States
 * reach the loop by loop_post() with a reference of their own.
 */
#include "client/tray/link.h"

#include <stdlib.h>

#include <windows.h>

#include "client/tray/app_win.h"
#include "client/tray/follow.h"
#include "client/tray/work.h"

/* A thread in the middle of a wait looks up this late at most. */
#define END_MS (2 * FOLLOW_LOOK_MS)

struct link {
    HANDLE thread, stop, poked;
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

static void post(void *arg, json_t *status)
{
    struct news *n = calloc(1, sizeof(*n));

    if (n == NULL)
        abort();
    *n = (struct news){.link = arg, .status = status};
    loop_post(deliver, n);
}

static bool stopped(void *arg)
{
    const struct link *link = arg;

    return WaitForSingleObject(link->stop, 0) == WAIT_OBJECT_0;
}

static DWORD WINAPI watch(LPVOID arg)
{
    struct link *link = arg;
    const struct follow follow = {.stopped = stopped, .post = post, .arg = link};
    const HANDLE events[2] = {link->stop, link->poked};
    bool told = false; /* that no agent runs */

    while (!stopped(link)) {
        follow_once(link->paths, &follow, &told);
        (void)WaitForMultipleObjects(2, events, FALSE, FOLLOW_LOOK_MS);
    }
    return 0;
}

struct link *link_new(const struct paths *paths, link_status_fn *on_status, void *arg)
{
    struct link *link = calloc(1, sizeof(*link));

    if (link == NULL)
        abort();
    link->paths = paths;
    link->on_status = on_status;
    link->arg = arg;
    link->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    link->poked = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (link->stop == NULL || link->poked == NULL)
        abort();
    link->thread = CreateThread(NULL, 0, watch, link, 0, NULL);
    if (link->thread == NULL)
        abort();
    return link;
}

void link_poke(struct link *link)
{
    (void)SetEvent(link->poked);
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    (void)SetEvent(link->stop);
    if (WaitForSingleObject(link->thread, END_MS) != WAIT_OBJECT_0)
        return; /* it still uses all this; the program ends now, and it with that */
    (void)CloseHandle(link->thread);
    (void)CloseHandle(link->stop);
    (void)CloseHandle(link->poked);
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

    if (follow_send(r->paths, r->message, &f) != 0) {
        OutputDebugStringA("pra-tray: the agent does not answer: ");
        OutputDebugStringA(f.text);
    }
}

static void sent(void *job)
{
    struct request *r = job;

    json_decref(r->message);
    free(r);
}

void link_send(const struct paths *paths, json_t *request)
{
    struct request *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    *r = (struct request){.paths = paths, .message = request};
    work_start(send_it, sent, r);
}
