/*
 * What a logged-in client asks for. Two things are served: direct-tcpip channels, and one session
 * channel for the control channel. Everything else (shell, exec, pty, env, X11, agent, remote
 * forwards, unknown types) is refused and audited.
 */
#ifndef PRA_SERVER_PRAD_REQUESTS_H
#define PRA_SERVER_PRAD_REQUESTS_H

#include <stdbool.h>

#include "server/prad/session.h"

/* One message of a logged-in session; takes it over. False: the session died. */
bool requests_message(struct session *s, ssh_message m);

/* Audits and refuses a channel request. Does not free `m`. False: the session died. */
bool requests_refuse(struct session *s, ssh_message m);

#endif
