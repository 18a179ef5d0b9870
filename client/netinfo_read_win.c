/* netinfo.h by the IP helper: the adapter of the default route. `root` is for other systems' files. */
#include "client/netinfo.h"

#include <iphlpapi.h>

#include "common/addr.h"
#include "common/i18n.h"
#include "common/posix_win.h"

#undef interface /* the IP helper's headers have brought it back */

#define TABLE_TRIES 4
#define TABLE_FIRST (32u * 1024)

static IP_ADAPTER_ADDRESSES *read_adapters(void)
{
    ULONG len = TABLE_FIRST, error = ERROR_BUFFER_OVERFLOW;
    IP_ADAPTER_ADDRESSES *all = NULL;

    for (int i = 0; i < TABLE_TRIES && error == ERROR_BUFFER_OVERFLOW; i++) {
        free(all);
        all = malloc(len);
        if (all == NULL)
            return NULL;
        error = GetAdaptersAddresses(
            AF_UNSPEC, GAA_FLAG_INCLUDE_GATEWAYS | GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST,
            NULL, all, &len);
    }
    if (error == NO_ERROR)
        return all;
    free(all);
    return NULL;
}

static bool write_address(const struct sockaddr *sa, char dst[NETINFO_ADDR_MAX])
{
    struct addr_ip ip;
    char text[46];
    uint16_t port;

    if (sa == NULL || addr_from_sockaddr(sa, &ip, &port) != 0)
        return false;
    (void)snprintf(dst, NETINFO_ADDR_MAX, "%s", addr_format_ip(&ip, text));
    return true;
}

/* The adapter with a gateway whose way is the cheapest; IPv4 before IPv6. */
static const IP_ADAPTER_ADDRESSES *find_default(const IP_ADAPTER_ADDRESSES *all)
{
    const IP_ADAPTER_ADDRESSES *best = NULL;

    for (const IP_ADAPTER_ADDRESSES *a = all; a != NULL; a = a->Next)
        if (a->OperStatus == IfOperStatusUp && a->FirstGatewayAddress != NULL &&
            (best == NULL || a->Ipv4Metric < best->Ipv4Metric))
            best = a;
    return best;
}

static const struct sockaddr *gateway_of(const IP_ADAPTER_ADDRESSES *a)
{
    const IP_ADAPTER_GATEWAY_ADDRESS *first = a->FirstGatewayAddress, *g = first;

    while (g != NULL && g->Address.lpSockaddr->sa_family != AF_INET)
        g = g->Next;
    return g != NULL ? g->Address.lpSockaddr : first != NULL ? first->Address.lpSockaddr : NULL;
}

void netinfo_read(const char *root, struct netinfo *out)
{
    IP_ADAPTER_ADDRESSES *all = read_adapters();
    const IP_ADAPTER_ADDRESSES *a = all != NULL ? find_default(all) : NULL;

    (void)root;
    memset(out, 0, sizeof(*out));
    if (a == NULL) {
        free(all);
        return;
    }
    if (!win_utf8(a->FriendlyName, out->interface, sizeof(out->interface)))
        (void)snprintf(out->interface, sizeof(out->interface), "%lu", (unsigned long)a->IfIndex);
    out->index = a->IfIndex;
    (void)write_address(gateway_of(a), out->gateway);
    for (const IP_ADAPTER_UNICAST_ADDRESS *u = a->FirstUnicastAddress; u != NULL; u = u->Next) {
        char ip[NETINFO_ADDR_MAX - 8];

        if (u->Address.lpSockaddr->sa_family != AF_INET || out->address[0] != '\0' ||
            !write_address(u->Address.lpSockaddr, out->address))
            continue;
        (void)snprintf(ip, sizeof(ip), "%s", out->address);
        (void)snprintf(out->address, sizeof(out->address), "%s/%u", ip,
                       (unsigned)u->OnLinkPrefixLength);
    }
    for (const IP_ADAPTER_DNS_SERVER_ADDRESS *d = a->FirstDnsServerAddress;
         d != NULL && out->dns_count < NETINFO_DNS_MAX; d = d->Next)
        if (write_address(d->Address.lpSockaddr, out->dns[out->dns_count]))
            out->dns_count++;
    out->mode = (a->Flags & IP_ADAPTER_DHCP_ENABLED) != 0 ? NETINFO_DHCP : NETINFO_FIXED;
    (void)snprintf(out->evidence, sizeof(out->evidence), "Windows: adapter's setting");
    free(all);
}

bool netinfo_system_proxy(char *dst, size_t cap, const char **where)
{
    static const wchar_t key[] = L"Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
    wchar_t wide[NETINFO_PROXY_MAX];
    char list[3 * NETINFO_PROXY_MAX];
    DWORD on = 0, on_len = sizeof(on), len = sizeof(wide);

    *where = tr("Windows", "Windows の設定");
    return RegGetValueW(HKEY_CURRENT_USER, key, L"ProxyEnable", RRF_RT_REG_DWORD, NULL, &on,
                        &on_len) == ERROR_SUCCESS &&
           on != 0 &&
           RegGetValueW(HKEY_CURRENT_USER, key, L"ProxyServer", RRF_RT_REG_SZ, NULL, wide, &len) ==
               ERROR_SUCCESS &&
           win_utf8(wide, list, sizeof(list)) && netinfo_parse_proxy_list(list, dst, cap);
}
