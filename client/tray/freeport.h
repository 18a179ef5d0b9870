/* A local address that is free where the one of a rule is taken, to propose to the administrator. */
#ifndef PRA_CLIENT_TRAY_FREEPORT_H
#define PRA_CLIENT_TRAY_FREEPORT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "client/tray/tray_state.h"
#include "common/addr.h"

/*
 * Finds a free port at the address of `local` ("127.0.0.1:110"): one of 10110, 20110 and so on, which
 * is easy to keep in mind. Tries by binding. False if there is none, or `local` is not an address.
 */
bool freeport_find(const char *local, char dst[ADDR_TEXT_MAX]);

/* What is in the way of a forward, and an address that the administrator may give its rule instead. */
#define FREEPORT_NOTE_MAX (sizeof(((struct tray_row *)0)->note) + 256)
void freeport_note(const struct tray_row *row, char dst[FREEPORT_NOTE_MAX]);

/* freeport_gtk.c, freeport_win.c: could the agent listen there now? */
bool freeport_try(const struct sockaddr *sa, socklen_t len);

#endif
