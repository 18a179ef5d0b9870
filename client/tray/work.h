/* One piece of slow work on a thread of its own, and what follows on GTK's loop. */
#ifndef PRA_CLIENT_TRAY_WORK_H
#define PRA_CLIENT_TRAY_WORK_H

/*
 * Calls run(job) on a pool thread, then done(job) on the loop. Between the two calls the job belongs
 * to the thread. There is no cancelling: `done` has to look whether anybody still wants the result.
 */
void work_start(void (*run)(void *job), void (*done)(void *job), void *job);

#endif
