/* freeport.h by Winsock, which main_win.c has started. */
#include "client/tray/freeport.h"

bool freeport_try(const struct sockaddr *sa, socklen_t len)
{
    SOCKET s = socket(sa->sa_family, SOCK_STREAM, IPPROTO_TCP);
    BOOL exclusive = TRUE;
    bool ok;

    if (s == INVALID_SOCKET)
        return false;
    /* As the agent listens: nobody may share the port, so nobody may have it. */
    ok = setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&exclusive,
                    sizeof(exclusive)) == 0 &&
         bind(s, sa, len) == 0;
    (void)closesocket(s);
    return ok;
}
