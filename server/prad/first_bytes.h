/*
 * What the other side speaks. The gateway waits up to 200 ms for the first bytes: a plain HTTP
 * GET (the port check of a browser) gets an HTTP answer, anything else is SSH.
 */
#ifndef PRA_SERVER_PRAD_FIRST_BYTES_H
#define PRA_SERVER_PRAD_FIRST_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/prad/session.h"

#define FIRST_BYTES_WAIT_MS 200

/* The whole HTTP answer: status 200, `Date` of `now`, body "10022 OK!" unless `head_only`.
   Returns its length, which is less than `cap` (256 is enough). */
size_t first_bytes_http_answer(char *dst, size_t cap, int64_t now, bool head_only);

/* Starts the wait; the session goes on as SSH (session_start_ssh) or ends after the answer. */
void first_bytes_wait(struct session *s);
/* The wait is over, if it is: one or the other begins. */
void first_bytes_tell(struct session *s);

#endif
