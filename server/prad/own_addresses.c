/* The gateway's own addresses; see own_addresses.h. */
#include "server/prad/own_addresses.h"

#include <ifaddrs.h>

int own_addresses_read(struct addr_ip *ips, size_t *count)
{
    struct ifaddrs *list;
    size_t n = 0;
    if (getifaddrs(&list) != 0)
        return PRA_EIO;
    for (const struct ifaddrs *i = list; i && n < OWN_ADDRESSES_MAX; i = i->ifa_next) {
        uint16_t port;
        if (i->ifa_addr && addr_from_sockaddr(i->ifa_addr, &ips[n], &port) == 0)
            n++;
    }
    freeifaddrs(list);
    *count = n;
    return 0;
}
