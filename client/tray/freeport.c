/* freeport.h */
#include "client/tray/freeport.h"

#include <gio/gio.h>

#define STEP 10000u

static bool is_free(const char *address, guint port)
{
    GSocketAddress *a = g_inet_socket_address_new_from_string(address, port);
    GSocket *s = NULL;
    bool free_now = false;

    if (a != NULL)
        s = g_socket_new(g_socket_address_get_family(a), G_SOCKET_TYPE_STREAM,
                         G_SOCKET_PROTOCOL_TCP, NULL);
    if (s != NULL)
        free_now = g_socket_bind(s, a, TRUE, NULL) && g_socket_listen(s, NULL);
    g_clear_object(&s);
    g_clear_object(&a);
    return free_now;
}

bool freeport_find(const char *local, char dst[ADDR_TEXT_MAX])
{
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(local, 0, &host, &port) != 0 || !host.is_ip)
        return false;
    for (guint p = port % STEP + STEP; p <= G_MAXUINT16; p += STEP)
        if (p != port && is_free(host.name, p)) {
            g_snprintf(dst, ADDR_TEXT_MAX, host.ip.family == 6 ? "[%s]:%u" : "%s:%u", host.name, p);
            return true;
        }
    return false;
}
