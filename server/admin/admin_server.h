/*
 * prad's admin sockets: JSON lines over a Unix socket, one request and one answer at a time per
 * client. Everything runs on the thread of the given event base (prad's keeper), where struct
 * admin lives.
 *
 * Who may connect: root, the user that prad runs as, and the members of an optional group (the
 * kernel holds others off by the socket's mode, 0660 then, 0600 otherwise). Bounded: clients,
 * bytes of a request, seconds without a request, seconds until an answer is read.
 */
#ifndef PRA_SERVER_ADMIN_ADMIN_SERVER_H
#define PRA_SERVER_ADMIN_ADMIN_SERVER_H

#include <event2/event.h>

#include "server/admin/admin.h"
#include "server/config.h"

/* Which socket: that of pra-admin, or that of the portal, where nobody has rights of his own. */
enum admin_door { ADMIN_DOOR_CONSOLE, ADMIN_DOOR_PORTAL };

#define ADMIN_CLIENTS_MAX 32
/* At the portal's socket prad holds little for whoever has taken the portal over. */
#define ADMIN_PORTAL_CLIENTS_MAX 8
#define ADMIN_PORTAL_LINE_MAX    (2u * 1024 * 1024)
#define ADMIN_IDLE_SECONDS       300
#define ADMIN_STALLED_SECONDS    30

struct admin_server;

/*
 * Binds and listens at [admin] socket, for members of [admin] group too, or at [portal] socket, for
 * members of [portal] group. A socket that is there
 * already is replaced: whoever holds the store's lock (`a` does) is the only one who may have made
 * it. `a` must outlive the server. Returns 0, PRA_EINVAL (path too long, unknown group), PRA_EIO,
 * PRA_ENOMEM.
 *
 * A request runs within one turn of the loop and its answer is written in a later one, so what the
 * loop's owner does between two turns - publish admin_policy() if it is a new one - is done when
 * the administrator hears that his change is made.
 */
int admin_server_new(struct event_base *base, struct admin *a, const struct config *c,
                     enum admin_door door, struct admin_server **out, struct fault *f);

/* Closes all clients and removes the socket; NULL is fine. */
void admin_server_free(struct admin_server *s);
/* From inside an operation that takes long: accepts, reads, answers what can be without waiting, but nothing of
   the client whose operation it is. NULL is fine. */
void admin_server_serve(struct admin_server *s);

#endif
