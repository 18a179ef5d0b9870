/*
 * One attempt to connect as the dialog 接続 makes it (A8): the request, which takes as long as the key
 * derivation, for a thread; and what the agent's states say about it afterwards. No windowing system.
 */
#ifndef PRA_CLIENT_TRAY_ATTEMPT_H
#define PRA_CLIENT_TRAY_ATTEMPT_H

#include <stdbool.h>

#include <jansson.h>

#include "client/paths.h"
#include "client/tray/tray_state.h"
#include "keys/keyfile.h"
#include "keys/sshkey.h"

/* Whatever fits into a field of KEYFILE_PASS_MAX letters, whole. */
#define ATTEMPT_PASS_MAX (4 * KEYFILE_PASS_MAX + 1)

struct attempt {
    char user[KEYFILE_USER_MAX + 1];
    char accept[SSHKEY_FINGERPRINT_MAX]; /* confirmed by the person, or "" */
    char passphrase[ATTEMPT_PASS_MAX];   /* wiped by attempt_run() */
    int rc;
    struct fault fault;
    json_t *reply; /* caller's */
};

/*
 * Starts an agent if none runs, ends what it was doing, asks it to connect. Sets rc (0: `reply` says
 * whether the attempt has begun), fault and reply. Blocks for up to a minute.
 */
void attempt_run(const struct paths *paths, struct attempt *a);

/* What is shown about an attempt that has begun, once the agent has said something about it. */
enum attempt_outcome {
    ATTEMPT_ON_THE_WAY,
    ATTEMPT_WAITING, /* failed, will be tried again by itself */
    ATTEMPT_CODE,    /* the gateway wants a code */
    ATTEMPT_UP,
    ATTEMPT_FAILED
};
enum attempt_outcome attempt_judge(const struct tray_view *view);

/*
 * Is this state about the attempt? What came before it is not; neither is the end of an older attempt
 * on the way.
 */
bool attempt_hears(const json_t *status);

/* Does this error ask the person to compare a fingerprint? Gives it (points into `error`), or NULL. */
const char *attempt_host_key(const json_t *error);

/* The words for an error that is not of our table. Borrowed from `error`, or static. */
const char *attempt_reason(const json_t *error);

#endif
