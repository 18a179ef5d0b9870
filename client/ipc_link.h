/*
 * The stream below ipc.h, and the start of the agent, as systems have them: a Unix socket
 * (ipc_posix.c) or a named pipe (ipc_win.c). Synchronous.
 */
#ifndef PRA_CLIENT_IPC_LINK_H
#define PRA_CLIENT_IPC_LINK_H

#include <stddef.h>

#include "client/paths.h"
#include "common/err.h"

#define IPC_START_MS 5000

struct ipc_link;

/*
 * Connects to the agent's socket after it was seen that place and peer are this user's own. Returns
 * 0, PRA_ENOENT (no agent runs), PRA_EACCES, PRA_ETOOBIG, PRA_EIO.
 */
int ipc_link_open(const struct paths *paths, struct ipc_link **out, struct fault *f);
void ipc_link_close(struct ipc_link *l);

/* Sends all. Returns 0, PRA_ECLOSED, PRA_EIO. */
int ipc_link_send(struct ipc_link *l, const char *data, size_t len, struct fault *f);

/*
 * Waits at most `wait_ms` (negative: for ever) for bytes; *got may be 0 although it returns 0. Returns
 * 0, PRA_ETIMEOUT, PRA_ECLOSED, PRA_EIO.
 */
int ipc_link_read(struct ipc_link *l, void *dst, size_t cap, int wait_ms, size_t *got,
                  struct fault *f);

/*
 * Runs `program` as the agent, away from this terminal, until its socket answers or it has said in
 * `words` why it does not start. Returns 0, PRA_ETIMEOUT, PRA_EIO.
 */
int ipc_link_start_agent(const char *program, char *words, size_t cap, struct fault *f);

#endif
