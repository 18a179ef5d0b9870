/*
 * Opening this PC's key, for the agent and for commands that log in by themselves: one scrypt run
 * (about 0.4 s and 128 MiB), and what its failure means. Blocks: off the agent's loop.
 */
#ifndef PRA_CLIENT_KEYOPEN_H
#define PRA_CLIENT_KEYOPEN_H

#include <stdbool.h>

#include "client/cause.h"
#include "common/err.h"
#include "keys/keyfile.h"

struct keyopen {
    struct key *key; /* the caller's to free */
    struct keyfile_info info;
    struct keyfile_report report;
    char tag[17]; /* of the machine, "" if it could not be made */
    bool helped;  /* the root helper has answered */
};

/* Returns 0 or what keyfile_open() says, with a sentence. */
int keyopen(const char *path, const char *passphrase, struct keyopen *out, struct fault *f);

/* Why that failed with `rc`. */
enum cause keyopen_cause(int rc, const struct keyopen *o);

#endif
