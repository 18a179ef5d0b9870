/*
 * What prad may still do once it runs: the two walls of server/sandbox, fitted to prad.ini. [gateway]
 * sandbox = off leaves both away; the spawner (pra-mailer, pra-passkey) is there either way.
 */
#ifndef PRA_SERVER_PRAD_CONFINE_H
#define PRA_SERVER_PRAD_CONFINE_H

#include "server/admin/admin.h"
#include "server/config.h"

/* Splits the spawner off. As soon as privileges are dropped. Returns 0, PRA_EIO, PRA_ENOMEM. */
int confine_spawner(const struct config *c, struct fault *f);

/* Files and ports: when the TCP ports are bound, before there are threads. Returns 0, PRA_EIO. */
int confine_files(const struct config *c, struct fault *f);

/*
 * A prad that was ended for a forbidden call has written its number to the file "violation" beside the
 * database: makes audit records (and so an alert) and lines in the log from it, and keeps the file open for
 * this prad. When the store is open, before the keeper runs. Returns 0, PRA_EIO.
 */
int confine_tell(const struct config *c, struct admin *a, struct fault *f);

/* System calls: last, when everything runs. Returns 0, PRA_EIO. */
int confine_calls(const struct config *c, struct fault *f);

/* May the file that a setting names be read once its folder is another one than at the start? */
bool confine_same_folder(const char *before, const char *now);

#endif
