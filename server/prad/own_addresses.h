/* The addresses of the gateway itself, which are no targets unless a rule names them. */
#ifndef PRA_SERVER_PRAD_OWN_ADDRESSES_H
#define PRA_SERVER_PRAD_OWN_ADDRESSES_H

#include <stddef.h>

#include "common/addr.h"

#define OWN_ADDRESSES_MAX 1024

/* Fills at most OWN_ADDRESSES_MAX addresses in the system's order. Returns 0, PRA_EIO. */
int own_addresses_read(struct addr_ip *ips, size_t *count);

#endif
