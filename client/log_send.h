/*
 * Sending the log bundle to the helpdesk's gateway, for `pra log send` and the tray's ログの収集: the
 * bundle as a private file of a moment, and the agent's request `log_send` with it.
 */
#ifndef PRA_CLIENT_LOG_SEND_H
#define PRA_CLIENT_LOG_SEND_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"
#include "client/paths.h"

#define LOG_SEND_TIMEOUT_MS (330 * 1000)

/*
 * Packs what the gateway takes, the newest logs first, into a new private file beside the key. `check` as
 * in collect_gather(). Returns 0 with the file's path; PRA_ETOOBIG, or with a sentence PRA_ENOMEM, PRA_EIO or
 * what collect.h says. The caller deletes the file, which is there only then.
 */
int log_send_pack(const struct paths *paths, json_t *check, char path[OS_PATH_MAX],
                  struct fault *f);

/* The agent's request for that file. New reference. */
json_t *log_send_request(const char *path);

/*
 * Why the gateway, or the agent, did not take it, in this language: for the `reason` of the answer; another
 * word means that the connection was lost. *hand_over: the bundle has to be handed over as a file. Static.
 */
const char *log_send_refusal(const char *reason, bool *hand_over);

#endif
