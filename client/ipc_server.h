/*
 * The agent's end of its local socket: accepts programs of the same user only, reads one request
 * per line, answers, and pushes states to those who subscribed. Runs on the agent's loop.
 */
#ifndef PRA_CLIENT_IPC_SERVER_H
#define PRA_CLIENT_IPC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "common/err.h"

/* Longest request; a client that has more than this unread is dropped; clients at once. */
#define IPC_REQUEST_MAX (64u * 1024)
#define IPC_BACKLOG_MAX (8u * 1024 * 1024)
#define IPC_CLIENTS_MAX 64

struct ipc_server;

/* `client` names whoever asked and stays valid as a name after he has gone. */
typedef void (*ipc_request_fn)(void *arg, uint64_t client, json_t *request);

/* Listens on `path`, which must be in a private folder. Returns 0, PRA_EIO, PRA_ENOMEM. */
int ipc_server_open(uv_loop_t *loop, const char *path, ipc_request_fn fn, void *arg,
                    struct ipc_server **out, struct fault *f);

/* Stops listening, sends what is queued, drops everybody. NULL is fine. */
void ipc_server_close(struct ipc_server *srv);

/* Sends `reply` (its reference is taken). Does nothing when the client, or `srv`, has gone. */
void ipc_server_reply(struct ipc_server *srv, uint64_t client, json_t *reply);

/* From now on the client gets what ipc_server_push() sends. */
void ipc_server_subscribe(struct ipc_server *srv, uint64_t client);
void ipc_server_push(struct ipc_server *srv, const json_t *event);
bool ipc_server_has_subscribers(const struct ipc_server *srv);

unsigned ipc_server_clients(const struct ipc_server *srv);

#endif
