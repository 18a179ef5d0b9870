/*
 * One wish to be connected, from the passphrase to the forwards: `pra connect` fills in a struct
 * attempt and lets the agent, or this process as the agent, carry it out. Both show progress, ask a
 * person for what is missing (host key, passphrase), and report.
 */
#ifndef PRA_CLIENT_CLI_ATTEMPT_H
#define PRA_CLIENT_CLI_ATTEMPT_H

#include <stdbool.h>

#include <jansson.h>

#include "client/config.h"
#include "client/paths.h"
#include "keys/keyfile.h"

/* Holds a secret: wipe it. */
struct attempt {
    struct paths paths;
    const char *user; /* NULL = the configured one, else the key's */
    const char *shown_user;
    bool typed; /* the passphrase came from a person, who may be asked again */
    long wait_s;
    char accept[sizeof(((struct config *)0)->fingerprint)]; /* confirmed by a person, or "" */
    char passphrase[KEYFILE_PASS_MAX + 2];
    char code
        [64]; /* from a file, for the first time that one is asked for; "" = a person is asked */
};

/* Return an enum cli_exit. The first returns when the forwards stand, a cause has stopped the attempt
   or wait_s is over; the second when the connection has ended for good. */
int attempt_in_background(struct attempt *a);
int attempt_in_foreground(struct attempt *a);

/* The agent waits for a code, and for nothing else: asks for it, and goes on. Likewise. */
int attempt_with_code(struct attempt *a);

/* Reports that the agent runs already; `f` may be NULL. Returns CLI_FAILED. */
int attempt_fail_running(const struct fault *f);

/* Is this the state of a status object? */
bool attempt_in_state(const json_t *status, const char *state);

#endif
