/*
 * The tray's line to the agent: a thread that subscribes to its states for as long as an agent runs
 * and looks for a new one otherwise; and single requests, each on a connection of its own.
 */
#ifndef PRA_CLIENT_TRAY_LINK_H
#define PRA_CLIENT_TRAY_LINK_H

#include <jansson.h>

#include "client/paths.h"
#include "common/err.h"

struct link;

/* On the loop. `status` is borrowed; NULL = no agent runs. */
typedef void link_status_fn(void *arg, json_t *status);

/* Starts watching. `paths` must live as long. */
struct link *link_new(const struct paths *paths, link_status_fn *on_status, void *arg);

/* An agent may just have been started: look now. NULL is fine. */
void link_poke(struct link *link);

/* Stops the thread, and waits two seconds for it at most. NULL is fine. */
void link_free(struct link *link);

/*
 * Sends `request` (takes the reference) to the running agent, if there is one, and forgets it:
 * what comes of it arrives as a status.
 */
void link_send(const struct paths *paths, json_t *request);

#endif
