/*
 * The agent's local socket as its users (CLI, tray) see it: JSON lines over a Unix socket in a
 * folder that only this user can enter. Requests, answers and pushed states are listed in
 * client/README.md. Synchronous: for command-line programs.
 */
#ifndef PRA_CLIENT_IPC_H
#define PRA_CLIENT_IPC_H

#include <jansson.h>

#include "common/err.h"
#include "client/paths.h"

struct ipc;

/*
 * Connects to the running agent; checks that folder, socket and peer belong to this user before
 * anything is sent. Returns 0, PRA_ENOENT (no agent runs), PRA_EACCES (somebody else's socket),
 * PRA_EIO.
 */
int ipc_connect(const struct paths *paths, struct ipc **out, struct fault *f);

/*
 * For who is about to connect to the gateway. Starts `pra agent` in the background and waits (up to 5 s)
 * until its socket answers, then connects; with a running agent the same as ipc_connect(). An agent that
 * holds no connection and whose program was replaced by an upgrade is ended first.
 */
int ipc_connect_or_start(const struct paths *paths, struct ipc **out, struct fault *f);

void ipc_close(struct ipc *ipc);

/*
 * Sends one request and waits for its answer. *reply is a new reference: {"ok":true,...} or
 * {"ok":false,"error":{"code","message","cause","remedy"}}. Pushed states that arrive meanwhile
 * are dropped. Returns 0, PRA_ETIMEOUT, PRA_ECLOSED, PRA_EIO, PRA_EINVAL.
 */
int ipc_call(struct ipc *ipc, const json_t *request, int timeout_ms, json_t **reply,
             struct fault *f);

/*
 * The request `connect`; every copy of the passphrase made here is wiped. `user` and `accept` (a
 * fingerprint that a person has confirmed) may be NULL. Same returns.
 */
int ipc_call_connect(struct ipc *ipc, const char *user, const char *passphrase, const char *accept,
                     int timeout_ms, json_t **reply, struct fault *f);

/* The request `code`: likewise. */
int ipc_call_code(struct ipc *ipc, const char *code, int timeout_ms, json_t **reply,
                  struct fault *f);

/* Waits for the next pushed state after {"op":"subscribe"}. Same returns. */
int ipc_next_event(struct ipc *ipc, int timeout_ms, json_t **event, struct fault *f);

#endif
