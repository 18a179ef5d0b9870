/* Following the agent's states over its socket, whatever thread and loop the caller has. */
#ifndef PRA_CLIENT_TRAY_FOLLOW_H
#define PRA_CLIENT_TRAY_FOLLOW_H

#include <stdbool.h>

#include <jansson.h>

#include "client/paths.h"

/* How often it is asked whether to stop; how often to look for an agent where none runs. */
#define FOLLOW_LOOK_MS 1000

struct follow {
    bool (*stopped)(void *arg);              /* shall it end */
    void (*post)(void *arg, json_t *status); /* takes the reference; NULL = no agent runs */
    void *arg;
};

/*
 * Looks for an agent once, and stays with it until it ends or stopped() says so. `told` keeps between
 * calls that no agent runs has been posted; false at first.
 */
void follow_once(const struct paths *paths, const struct follow *f, bool *told);

/*
 * One request (borrowed) to the running agent, if there is one; what comes of it arrives as a status.
 * Returns 0 (also when none runs), or what ipc.h says with a sentence.
 */
int follow_send(const struct paths *paths, const json_t *request, struct fault *f);

#endif
