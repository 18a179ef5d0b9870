/*
 * The keeper: the one thread that owns the store. It serves the admin socket, writes audit events
 * in batches, notices changes of the store and of the hour, and gives new policy snapshots to the
 * workers.
 */
#ifndef PRA_SERVER_PRAD_KEEPER_H
#define PRA_SERVER_PRAD_KEEPER_H

#include <stdint.h>

#include "server/prad/gateway.h"

struct keeper;
struct admin;
struct mail;

/*
 * Opens store and admin socket and makes g->audit; no thread yet. Returns 0 or what admin_open()
 * and the admin server return.
 */
int keeper_open(struct gateway *g, const struct config *c, struct keeper **out, struct fault *f);
/* The snapshot that workers start with; one reference for the caller. Before keeper_run(). */
struct policy *keeper_policy(struct keeper *k);
/* Starts the thread; the workers must run. Returns 0, PRA_EIO. */
int keeper_run(struct keeper *k, struct fault *f);
/* Ends the thread after the last audit events are stored; closes the store and frees g->audit. */
void keeper_stop(struct keeper *k);

/* Any thread: the settings were read again. Takes over a reference. */
void keeper_set_settings(struct keeper *k, struct settings *s);

/* Any thread: what a client said at hello, to be kept beside its key. Texts are cut to fit. */
void keeper_note_device(struct keeper *k, int64_t key_id, const char *machine, const char *version,
                        const char *os, const char *binding);

/* Any thread: there is something to store besides audit events (tickets_store()). */
void keeper_wake(struct keeper *k);
/* Any thread: mail for the keeper's, which is delivered with the keeper as its owner. */
void keeper_post(struct keeper *k, struct mail *m);
/* For such mail: the keeper's thread only. */
struct admin *keeper_admin(struct keeper *k);

#endif
