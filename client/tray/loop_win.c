/* loop_post() of app.h: the way from a thread to the message loop. */
#include <stdlib.h>

#include <windows.h>

#include "client/tray/app.h"
#include "client/tray/notify_win.h"

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
