/* Which algorithms the gateway speaks: modern ones only, in an order that suits this CPU. */
#ifndef PRA_SERVER_PRAD_ALGORITHMS_H
#define PRA_SERVER_PRAD_ALGORITHMS_H

#include <libssh/libssh.h>
#include <libssh/server.h>

#include "common/err.h"

/* A bind object with the algorithms and a copy of the host key; ssh_bind_free() it. 0, PRA_E*. */
int algorithms_bind(ssh_key host_key, ssh_bind *out, struct fault *f);

#endif
