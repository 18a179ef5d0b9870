/* The SQLite back end's door; everything else about it is in store_sqlite_internal.h. */
#ifndef PRA_SERVER_STORE_STORE_SQLITE_H
#define PRA_SERVER_STORE_STORE_SQLITE_H

#include "server/store/store.h"

/* As store_open(); `path` NULL = in memory. */
int store_sqlite_open(const char *path, bool create, struct store **out, struct fault *f);

#endif
