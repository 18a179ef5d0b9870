/* freeport.h */
#include "client/tray/freeport.h"

#include <unistd.h>

bool freeport_try(const struct sockaddr *sa, socklen_t len)
{
    int on = 1, fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    if (fd < 0)
        return false;
    /* As the agent listens: what is only left over from closed connections is not in the way. */
    ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 && bind(fd, sa, len) == 0 &&
         listen(fd, 1) == 0;
    close(fd);
    return ok;
}
