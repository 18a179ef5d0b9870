/*
 * How a status and its forwards are shown to people; used by `connect`, `status` and the log
 * bundle's cover.
 */
#ifndef PRA_CLIENT_CLI_SHOW_H
#define PRA_CLIENT_CLI_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "common/msg.h"

/* Words for a forward's state in this language; the state itself when it is unknown. */
const char *show_forward_word(const char *state);

/*
 * What is in the way of a forward that does not listen, as a message in this language. MSG_NONE when
 * the agent's own words (member "error") are all there is.
 */
enum msg_id show_trouble(const json_t *forward, struct msg_text *out);

/*
 * A forward that listens at its fallback names who has its own port, and that programs must use the
 * fallback (N4). False when the forward is where its rule says.
 */
bool show_moved(const json_t *forward, char *dst, size_t cap);

/* The list of forwards with ● and ×, and under each × what is in the way and what to do. */
void show_forwards(FILE *to, const json_t *forwards, bool with_traffic);

/* The whole status: state, server, user, since, error, forwards. */
void show_status(FILE *to, const json_t *status);

/* A member that is a string, or "". Borrowed. */
const char *show_member(const json_t *object, const char *key);

/* "2026-11-22 19:00:00" in this PC's time; the text itself when it is no time. */
void show_local_time(const char *rfc3339, char *dst, size_t cap);

#endif
