/* Questions to a person at the terminal: the passphrase, and whether a host key is the right one. */
#ifndef PRA_CLIENT_CLI_ASK_H
#define PRA_CLIENT_CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "client/cli.h"

/* Is somebody there who can answer (standard input and standard error are a terminal)? */
bool ask_possible(void);

/*
 * Asks for the passphrase of `user`'s key without echo, for the command `of`. Returns CLI_OK, CLI_USAGE
 * (no terminal: how `of` can be told) or CLI_FAILED after a report. The caller wipes `dst`.
 */
int ask_passphrase(const struct cli_command *of, const char *user, char *dst, size_t cap);

/* The same for a code of the authenticator app, which `pra connect` asks for. */
int ask_code(char *dst, size_t cap);

/*
 * Shows the fingerprint that the gateway `server` was seen with and asks for yes, no, or the
 * fingerprint itself, which is then compared here. Returns CLI_OK when confirmed, else CLI_FAILED
 * after a report.
 */
int ask_host_key(const char *server, const char *seen);

#endif
