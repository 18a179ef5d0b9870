/* work.h by GTask. */
#include "client/tray/work.h"

#include <gio/gio.h>

struct work {
    void (*run)(void *job);
    void (*done)(void *job);
    void *job;
};

/* On the pool. */
static void run(GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
    struct work *w = data;

    (void)source;
    (void)cancel;
    w->run(w->job);
    g_task_return_boolean(task, TRUE);
}

static void done(GObject *source, GAsyncResult *result, gpointer data)
{
    struct work *w = data;

    (void)source;
    (void)result;
    w->done(w->job);
    g_free(w);
}

void work_start(void (*run_job)(void *job), void (*done_job)(void *job), void *job)
{
    struct work *w = g_new0(struct work, 1);
    GTask *task;

    *w = (struct work){.run = run_job, .done = done_job, .job = job};
    task = g_task_new(NULL, NULL, done, w);
    g_task_set_task_data(task, w, NULL);
    g_task_run_in_thread(task, run);
    g_object_unref(task);
}
