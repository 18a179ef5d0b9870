/* work.h */
#include "client/tray/work.h"

#include <pthread.h>
#include <stdlib.h>

#include "client/tray/app.h"

struct work {
    void (*run)(void *job);
    void (*done)(void *job);
    void *job;
};

void *work_alloc(size_t len)
{
    void *p = calloc(1, len);

    if (p == NULL)
        abort();
    return p;
}

static void *work(void *arg)
{
    struct work w = *(struct work *)arg;

    free(arg);
    w.run(w.job);
    loop_post(w.done, w.job);
    return NULL;
}

void work_start(void (*run)(void *job), void (*done)(void *job), void *job)
{
    struct work *w = work_alloc(sizeof(*w));
    pthread_t thread;

    *w = (struct work){.run = run, .done = done, .job = job};
    if (pthread_create(&thread, NULL, work, w) != 0)
        abort();
    (void)pthread_detach(thread);
}
