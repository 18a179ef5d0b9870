/* Proxies, as settings name them; see netinfo.h. */
#include "client/netinfo.h"

#include <stdio.h>
#include <string.h>

const char *const netinfo_proxy_names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                           "http_proxy",  "HTTP_PROXY",  NULL};

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

bool netinfo_parse_proxy_list(const char *list, char *dst, size_t cap)
{
    static const char *const kinds[] = {"https=", "", "http="};
    char one[NETINFO_PROXY_MAX];

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        for (const char *p = list; *p != '\0'; p += *p != '\0') {
            size_t len = strcspn(p, "; "), kind = strlen(kinds[i]);

            if (len > kind && len - kind < sizeof(one) && strncmp(p, kinds[i], kind) == 0 &&
                (kind > 0 || memchr(p, '=', len) == NULL)) {
                snprintf(one, sizeof(one), "%.*s", (int)(len - kind), p + kind);
                if (netinfo_proxy_address(one, dst, cap))
                    return true;
            }
            p += len;
        }
    return false;
}
