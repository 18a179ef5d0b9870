/* What `pra profile import` and `pra connect FILE` share. */
#ifndef PRA_CLIENT_CLI_PROFILE_H
#define PRA_CLIENT_CLI_PROFILE_H

#include <stdbool.h>

#include "client/config.h"
#include "client/paths.h"

/*
 * Reads the profile `file` and takes it into `config` and config.ini. What it would replace is shown
 * and asked for at the terminal unless `yes`; without a terminal it is refused. *changed and *moved
 * (may be NULL) tell whether anything is new, and whether the host is. Returns CLI_OK, or CLI_FAILED
 * after a report.
 */
int profile_take(const struct paths *paths, const char *file, bool yes, struct config *config,
                 bool *changed, bool *moved);

/* Tells on stderr which server is set now and what comes next (cli_server.c). */
void server_say_next(const struct paths *paths, const struct config *c, bool forgot);

#endif
