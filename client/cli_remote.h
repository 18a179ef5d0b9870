/*
 * What commands need before they can speak to the agent: paths, settings, a connection to its
 * socket, one request and its answer. Each reports its own failure, so that a command only passes
 * the exit code on.
 */
#ifndef PRA_CLIENT_CLI_REMOTE_H
#define PRA_CLIENT_CLI_REMOTE_H

#include <jansson.h>

#include "client/config.h"
#include "client/ipc.h"
#include "client/paths.h"

/* How long the agent may take to answer; explain waits for the gateway's tests as well. */
#define REMOTE_TIMEOUT_MS         5000
#define REMOTE_EXPLAIN_TIMEOUT_MS 15000

/* Return CLI_OK, or CLI_FAILED after a report on stderr. */
int remote_paths(struct paths *paths);
int remote_config(const struct paths *paths, struct config *config);

/*
 * Connects to the running agent. Returns CLI_OK; CLI_NOT_CONNECTED when none runs (reported unless
 * `quiet`), CLI_FAILED after a report.
 */
int remote_open(const struct paths *paths, bool quiet, struct ipc **out);

/* Reports why an exchange failed (`rc` and `f` of ipc.h); returns what remote_exchange() does. */
int remote_failed(int rc, const struct fault *f);

/*
 * Sends `request` (takes the reference) and gives the answer, ok or not, as a new reference.
 * Returns CLI_OK, CLI_NOT_CONNECTED when the agent has just ended, CLI_FAILED when it does not
 * answer; both after a report.
 */
int remote_exchange(struct ipc *ipc, json_t *request, int timeout_ms, json_t **reply);

/*
 * Sends `request` (takes the reference) and gives the answer's new reference when it is ok.
 * Returns what remote_exchange() does, and CLI_FAILED after the agent's error was reported.
 */
int remote_call(struct ipc *ipc, json_t *request, int timeout_ms, json_t **reply);

/*
 * The status of the running agent, or {"state":"disconnected",...} from the settings when none
 * runs; errors in it are in this terminal's language and have the contract's members only. New
 * reference. Returns CLI_OK, CLI_FAILED after a report.
 */
int remote_status(const struct paths *paths, json_t **status);

/* That status when no agent runs, without a report. New reference; NULL when out of memory. */
json_t *remote_offline_status(const struct paths *paths);

/* Is a connection up? It keeps the settings with which it was made. */
bool remote_connected(const struct paths *paths);

/*
 * Says on stderr if the running agent's program was replaced by an upgrade: its connection goes on, and who
 * it belongs to decides when to change. Says nothing where that cannot be told.
 */
void remote_tell_replaced(const struct paths *paths);

/* Brings a status of the agent into the form above, in place. Returns `status`. */
json_t *remote_polish_status(json_t *status);

#endif
