/*
 * Login by public key, and by nothing else. The identity of a session is the user name and the
 * key of the one request that carried a valid signature; nothing is carried over from earlier
 * requests, which may have named another user or another key. Every refusal is audited; the peer
 * is told nothing but "publickey".
 */
#ifndef PRA_SERVER_PRAD_AUTH_H
#define PRA_SERVER_PRAD_AUTH_H

#include <stdbool.h>

#include <libssh/libssh.h>
#include <libssh/server.h>

#include "server/prad/session.h"

/* One message of a session that has not logged in; takes it over. False: the session died. */
bool auth_message(struct session *s, ssh_message m);

#endif
