/*
 * The agent: one process per logged-in user that owns the connection to the gateway, the
 * listeners and the logs. Everything happens on one libuv loop in one thread; only the key
 * derivation and name lookups run on libuv's pool. Programs talk to it over client/ipc.h.
 */
#ifndef PRA_CLIENT_AGENT_H
#define PRA_CLIENT_AGENT_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"
#include "client/paths.h"

/* What `pra connect --foreground` hands over: one connection, made at once. */
struct agent_foreground {
    const char *user;            /* NULL: the configuration's, else the key file's */
    const char *passphrase;      /* copied; the caller wipes its own */
    const char *accept_host_key; /* fingerprint that a person has confirmed, or NULL */
    /* Called with every new status (the object of `pra status --json`); may be NULL. */
    void (*on_status)(void *arg, const json_t *status);
    /* Asks a person for a code, and waits for him; false: there is nobody. NULL = there never is. */
    bool (*ask_code)(void *arg, char *dst, size_t cap);
    void *arg;
};

/*
 * Runs the agent until it is told to end: `shutdown` on its socket, SIGTERM or SIGINT. With
 * `fg` NULL it waits for a `connect` on its socket (this is `pra agent`, which
 * ipc_connect_or_start() starts) and ends by itself after AGENT_IDLE_EXIT_S without connection and
 * without clients. With `fg` it connects at once and also ends when the user disconnects or when
 * the connection stops for a cause that waiting does not mend; that cause is in the last status.
 *
 * Returns 0 after a wanted end; PRA_EBUSY (this user's agent runs already), PRA_ECLOSED
 * (foreground only: stopped by a cause, see the last status), PRA_EACCES, PRA_EIO, PRA_ENOMEM,
 * with a sentence in `f`.
 */
int agent_run(const struct paths *paths, const struct agent_foreground *fg, struct fault *f);

#define AGENT_IDLE_EXIT_S 600

#endif
