/*
 * What operations of administration need of a running prad: the functions of struct admin_host, each
 * of which asks that part of the gateway that knows. On the keeper's thread.
 */
#ifndef PRA_SERVER_PRAD_HOST_H
#define PRA_SERVER_PRAD_HOST_H

#include "server/admin/admin.h"
#include "server/prad/gateway.h"
#include "server/prad/quota.h"

struct host {
    struct gateway *gateway;
    const struct quota *quota;
    void (*settle)(void *keeper);      /* stores what waits to be stored */
    void (*breathe)(void *keeper);     /* serves who waits */
    void (*take_effect)(void *keeper); /* returns when everybody decides by the newest policy */
    void *keeper;
};

/* Everything asks `h`, which has to stay where it is. */
struct admin_host host_functions(struct host *h);

#endif
