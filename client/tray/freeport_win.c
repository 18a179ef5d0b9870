/* freeport.h by Winsock, which main_win.c has started. */
#include "client/tray/freeport.h"

#include <stdio.h>

#include <winsock2.h>
#include <ws2tcpip.h>

#define STEP     10000u
#define PORT_MAX 65535u

static bool is_free(const struct addr_host *host, unsigned port)
{
    struct sockaddr_storage sa = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
    BOOL exclusive = TRUE;
    SOCKET s;
    bool ok;

    if (host->ip.family == 6) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((u_short)port);
        ok = inet_pton(AF_INET6, host->name, &v6->sin6_addr) == 1;
    } else {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((u_short)port);
        ok = inet_pton(AF_INET, host->name, &v4->sin_addr) == 1;
    }
    s = ok ? socket(sa.ss_family, SOCK_STREAM, IPPROTO_TCP) : INVALID_SOCKET;
    if (s == INVALID_SOCKET)
        return false;
    /* As the agent listens: nobody may share the port, so nobody may have it. */
    ok = setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&exclusive,
                    sizeof(exclusive)) == 0 &&
         bind(s, (const struct sockaddr *)&sa,
              host->ip.family == 6 ? (int)sizeof(*v6) : (int)sizeof(*v4)) == 0;
    (void)closesocket(s);
    return ok;
}

bool freeport_find(const char *local, char dst[ADDR_TEXT_MAX])
{
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(local, 0, &host, &port) != 0 || !host.is_ip)
        return false;
    for (unsigned p = port % STEP + STEP; p <= PORT_MAX; p += STEP)
        if (p != port && is_free(&host, p)) {
            snprintf(dst, ADDR_TEXT_MAX, host.ip.family == 6 ? "[%s]:%u" : "%s:%u", host.name, p);
            return true;
        }
    return false;
}
