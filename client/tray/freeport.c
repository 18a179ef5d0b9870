/* freeport.h */
#include "client/tray/freeport.h"

#include <stdio.h>

#include "client/tray/texts.h"

#define STEP 10000u

bool freeport_find(const char *local, char dst[ADDR_TEXT_MAX])
{
    struct sockaddr_storage sa;
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(local, 0, &host, &port) != 0 || !host.is_ip)
        return false;
    for (unsigned p = port % STEP + STEP; p <= UINT16_MAX; p += STEP) {
        socklen_t len = addr_to_sockaddr(&host.ip, (uint16_t)p, &sa);

        if (p != port && freeport_try((const struct sockaddr *)&sa, len)) {
            snprintf(dst, ADDR_TEXT_MAX, host.ip.family == 6 ? "[%s]:%u" : "%s:%u", host.name, p);
            return true;
        }
    }
    return false;
}

void freeport_note(const struct tray_row *row, char dst[FREEPORT_NOTE_MAX])
{
    char address[ADDR_TEXT_MAX];

    if (!row->ready && freeport_find(row->local, address))
        snprintf(dst, FREEPORT_NOTE_MAX, TXT_NOTE_FREE, row->note, address);
    else
        snprintf(dst, FREEPORT_NOTE_MAX, "%s", row->note);
}
