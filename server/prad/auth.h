/*
 * Login by public key, and where policy wants it by a second factor behind it (factor.h). The
 * identity of a session is the user name and the key of the one request that carried a valid
 * signature; nothing is carried over from earlier requests, which may have named another user or
 * another key. Every refusal is audited; a stranger is told nothing but "publickey".
 */
#ifndef PRA_SERVER_PRAD_AUTH_H
#define PRA_SERVER_PRAD_AUTH_H

#include <stdbool.h>

#include <libssh/libssh.h>
#include <libssh/server.h>

#include "server/prad/session.h"

/* One message of a session that has not logged in; takes it over. False: the session died. */
bool auth_message(struct session *s, ssh_message m);

/* For factor.c. */

/* Counts and audits a refusal. False: the session died, now or after too many tries. */
bool auth_refuse(struct session *s, ssh_message m, const char *reason);
/* Lets an identity in that was proved; `how` is the reason of the audit's record. False: it died. */
bool auth_log_in(struct session *s, ssh_message m, const struct policy_user *user,
                 const struct policy_key *key, const char *how);

#endif
