/* From root to the user that prad runs as. */
#ifndef PRA_SERVER_PRAD_PRIVILEGES_H
#define PRA_SERVER_PRAD_PRIVILEGES_H

#include "common/err.h"

/*
 * Becomes `user` with its groups, for good. Does nothing for "" or when not started as root.
 * Returns 0, PRA_ENOENT (no such user), PRA_EACCES.
 */
int privileges_drop(const char *user, struct fault *f);

/* Raises the soft limit of descriptors to the hard one. */
void privileges_raise_descriptors(void);

#endif
