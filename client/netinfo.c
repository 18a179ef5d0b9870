/* What may be shown of a proxy's address; see netinfo.h. */
#include "client/netinfo.h"

#include <stdio.h>
#include <string.h>

bool netinfo_proxy_address(const char *url, char *dst, size_t cap)
{
    const char *scheme = strstr(url, "://"), *host = scheme != NULL ? scheme + 3 : url;
    size_t len = strcspn(host, "/?# \t\r\n");
    const char *at = memrchr(host, '@', len);

    if (at != NULL) {
        len -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    if (len == 0 || len >= cap)
        return false;
    snprintf(dst, cap, "%.*s", (int)len, host);
    return true;
}
