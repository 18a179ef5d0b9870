/* Work on threads of their own (work.h) and the way back to the message loop. */
#include <stdlib.h>

#include <windows.h>

#include "client/tray/app_win.h"
#include "client/tray/notify_win.h"
#include "client/tray/work.h"

struct call {
    struct call *next;
    void (*fn)(void *arg);
    void *arg;
};

/* Guards the queue. What waits is in here and not in the message: any program may post one. */
static SRWLOCK lock = SRWLOCK_INIT;
static struct call *first, **last = &first;

void loop_post(void (*fn)(void *arg), void *arg)
{
    struct call *call = malloc(sizeof(*call));

    if (call == NULL)
        abort();
    *call = (struct call){NULL, fn, arg};
    AcquireSRWLockExclusive(&lock);
    *last = call;
    last = &call->next;
    ReleaseSRWLockExclusive(&lock);
    /* Fails only when the program ends; what was for the loop then has no reader. */
    (void)PostMessageW(notify_window(), NOTIFY_CALL, 0, 0);
}

static struct call *take(void)
{
    struct call *call;

    AcquireSRWLockExclusive(&lock);
    call = first;
    if (call != NULL)
        first = call->next;
    if (first == NULL)
        last = &first;
    ReleaseSRWLockExclusive(&lock);
    return call;
}

void loop_run_calls(void)
{
    struct call *call;

    while ((call = take()) != NULL) {
        call->fn(call->arg);
        free(call);
    }
}

struct work {
    void (*run)(void *job);
    void (*done)(void *job);
    void *job;
};

static DWORD WINAPI run(LPVOID arg)
{
    struct work w = *(struct work *)arg;

    free(arg);
    w.run(w.job);
    loop_post(w.done, w.job);
    return 0;
}

void work_start(void (*run_job)(void *job), void (*done_job)(void *job), void *job)
{
    struct work *w = malloc(sizeof(*w));
    HANDLE thread;

    if (w == NULL)
        abort();
    *w = (struct work){run_job, done_job, job};
    thread = CreateThread(NULL, 0, run, w, 0, NULL);
    if (thread == NULL)
        abort();
    (void)CloseHandle(thread);
}
