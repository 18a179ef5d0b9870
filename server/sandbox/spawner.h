/*
 * Starting pra-mailer and pra-passkey without being able to start anything. A process split off while
 * prad is still one thread and holds neither host key nor store starts them when it is asked to; prad's own
 * filter forbids starting programs and making processes (sandbox.h). What it can be asked for is one
 * byte and three descriptors, and what it then starts are these two programs, without arguments, whatever
 * has become of who asks.
 *
 * One spawner a process. It ends, and with it what it has started, when its maker has ended.
 */
#ifndef PRA_SERVER_SANDBOX_SPAWNER_H
#define PRA_SERVER_SANDBOX_SPAWNER_H

#include "common/err.h"
#include "common/os.h"
#include "server/sandbox/sandbox.h"

enum spawner_program { SPAWNER_MAILER, SPAWNER_PASSKEY, SPAWNER_PROGRAMS };

/* At the same time; more are refused. */
#define SPAWNER_CHILDREN_MAX 16

/* Where a program is: beside our own, as it is built, or where it is installed. Returns false, and "",
   if it is nowhere. */
bool spawner_find(enum spawner_program which, char path[OS_PATH_MAX]);

/*
 * Splits the process off. Before there are threads, and after privileges were dropped. `files`: what it and
 * what it starts may open, beside the programs themselves (NULL = all). Returns 0, PRA_EIO, PRA_ENOMEM.
 */
int spawner_start(const struct sandbox_files *files, struct fault *f);

/*
 * Starts a program with `in` and `out` as standard input and output, no other descriptor, no arguments and
 * no environment. `*life` is ours to close: that ends the program if it still runs; before that its wait
 * status (an int, wait(2)) can be read from it when it has ended. Nothing waits. Any thread. Returns 0,
 * PRA_EIO, PRA_ECLOSED (there is no spawner).
 */
int spawner_run(enum spawner_program which, int in, int out, int *life);

/* Ends it and what it has started. */
void spawner_stop(void);

#endif
