/*
 * Hands this PC's public key to the gateway with a one-use code, and waits until an administrator has
 * decided (`pra enroll`). A connection that breaks meanwhile is made again, and so is the whole by
 * running it again: the gateway knows the key by then. Blocks, on a loop of its own.
 */
#ifndef PRA_CLIENT_ENROLL_H
#define PRA_CLIENT_ENROLL_H

#include <stdbool.h>
#include <stddef.h>

#include "client/config.h"
#include "common/msg.h"
#include "keys/keyfile.h"
#include "keys/sshkey.h"

struct enroll_options {
    const struct config *config;
    const char *known_host; /* file of the pinned host key */
    const char *code;
    const char *accept; /* fingerprint that a person has confirmed, or "" */
    const struct key *key;
    const struct keyfile_info *info;
    const char *machine; /* tag */
};

enum enroll_step { ENROLL_CONNECTS, ENROLL_WAITS, ENROLL_LOST };

struct enroll_progress {
    enum enroll_step step;
    const char *server;                       /* host:port */
    const char *user, *fingerprint, *expires; /* ENROLL_WAITS: the gateway's words */
    const char *detail;                       /* ENROLL_LOST */
    unsigned seconds;                         /* until the next attempt */
};

struct enroll_outcome {
    enum msg_id problem; /* MSG_NONE: the key is registered */
    bool replaced;       /* another `pra enroll` on this PC waits instead */
    char detail[256];
    char seen[SSHKEY_FINGERPRINT_MAX]; /* the gateway's host key, with MSG_HOSTKEY_UNKNOWN */
    char user[KEYFILE_USER_MAX + 1];   /* for whom, as the gateway says */
};

/* Returns 0 with the outcome, PRA_ENOMEM. `progress` is called from here. */
int enroll_run(const struct enroll_options *opt,
               void (*progress)(void *ctx, const struct enroll_progress *p), void *ctx,
               struct enroll_outcome *out);

#endif
