/* One piece of slow work on a thread of its own, and what follows on the loop. */
#ifndef PRA_CLIENT_TRAY_WORK_H
#define PRA_CLIENT_TRAY_WORK_H

#include <stddef.h>

/* Zeroed memory for a job or a dialog; there is always some (the program ends where there is none). */
void *work_alloc(size_t len);

/*
 * Calls run(job) on a thread, then done(job) on the loop. Between the two calls the job belongs to the
 * thread. There is no cancelling: `done` has to look whether anybody still wants the result.
 */
void work_start(void (*run)(void *job), void (*done)(void *job), void *job);

#endif
