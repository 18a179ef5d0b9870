/* A local address that is free where the one of a rule is taken, to propose to the administrator. */
#ifndef PRA_CLIENT_TRAY_FREEPORT_H
#define PRA_CLIENT_TRAY_FREEPORT_H

#include <stdbool.h>

#include "common/addr.h"

/*
 * Finds a free port at the address of `local` ("127.0.0.1:110"): one of 10110, 20110 and so on, which
 * is easy to keep in mind. Tries by binding; nothing listens. False if there is none, or `local` is not
 * an address.
 */
bool freeport_find(const char *local, char dst[ADDR_TEXT_MAX]);

#endif
