/*
 * The control channel pra@v1 (server/README.md): the one session channel a client may have. It
 * carries JSON lines. What is sent is put into a queue with a cap and written by control_flush()
 * from session_run(); so every control_... function that only sends is safe at any time.
 *
 * A session channel on which something else than the subsystem is asked for (a person who typed
 * `ssh user@gateway`) gets a sentence on stderr and the refusal.
 */
#ifndef PRA_SERVER_PRAD_CONTROL_H
#define PRA_SERVER_PRAD_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "server/prad/session.h"

struct control;

/* ---- from requests.c ---- */

/* A session channel is asked for; takes over `m`. False: the session died. */
bool control_open(struct session *s, ssh_message m);
bool control_owns(const struct session *s, ssh_channel channel);
/* A request on it. Sets *m to NULL if it keeps it to answer later. False: the session died. */
bool control_request(struct session *s, ssh_message *m);

/* ---- from session.c ---- */

/* Reads lines, acts on them, writes. False: the session died. */
bool control_serve(struct session *s);
/* Writes what waits, as far as the client's window goes. False: the session died. */
bool control_flush(struct session *s);
/* True while there is a client at the other end that may still read. */
bool control_has_reader(const struct session *s);
/* Frees it if both sides have closed it; the message queue must be empty. */
void control_bury(struct session *s);
void control_tick(struct session *s);
void control_free(struct session *s);

/* ---- what is told to the client; nothing happens without a control channel ---- */

/* Queues one message; takes over `o` (NULL = out of memory, which ends the session). */
void control_send(struct session *s, json_t *o);
void control_open_failed(const struct channel *ch);
void control_cut(const struct channel *ch);
/* `retry_in` < 0 = null. `seconds` != 0: clock difference. */
void control_notice(struct session *s, const char *kind, const char *detail, int retry_in,
                    int64_t seconds);
/* News that a limit holds back what is moved: its word, "user" or "rule". */
void control_notice_limit(struct session *s, const char *limit, const char *of);
/* The user's forwards if they differ from what was last sent, or nothing was sent yet. */
void control_push_rules(struct session *s);

#endif
