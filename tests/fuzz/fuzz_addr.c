/*
 * Fuzz target: addresses. What is accepted is written in one canonical way and read back the same;
 * nothing that is accepted holds a byte that a log, a shell or a resolver would take for more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(const char *text, size_t len)
{
    struct addr_host host;
    struct addr_host again;

    if (addr_parse_host(text, len, &host) != 0)
        return;
    if (host.name[strspn(host.name, "abcdefghijklmnopqrstuvwxyz0123456789-_.:")] != '\0')
        abort();
    if (addr_parse_host(host.name, strlen(host.name), &again) != 0 ||
        strcmp(host.name, again.name) != 0 || host.is_ip != again.is_ip ||
        (host.is_ip && !addr_ip_equal(&host.ip, &again.ip)))
        abort();
    /* A name is never what inet_aton(3) would take for an address. */
    if (!host.is_ip && host.name[strspn(host.name, "0123456789.")] == '\0')
        abort();
}

static void check_ip_and_cidr(const char *text, size_t len)
{
    struct addr_ip ip;
    struct addr_ip unmapped;
    struct addr_cidr c;
    struct addr_cidr again;
    char shown[50];

    if (addr_parse_ip(text, len, &ip) == 0) {
        struct sockaddr_storage ss;
        struct addr_ip back;
        uint16_t port;

        (void)addr_classify(&ip);
        unmapped = addr_ip_unmap(&ip);
        if (unmapped.family != 4 && unmapped.family != 6)
            abort();
        (void)addr_to_sockaddr(&ip, 7, &ss);
        if (addr_from_sockaddr((const struct sockaddr *)&ss, &back, &port) != 0 || port != 7 ||
            !addr_ip_equal(&ip, &back))
            abort();
    }
    if (addr_parse_cidr(text, len, &c) == 0) {
        addr_format_cidr(&c, shown);
        if (addr_parse_cidr(shown, strlen(shown), &again) != 0 || again.prefix != c.prefix ||
            !addr_ip_equal(&c.ip, &again.ip) || !addr_cidr_contains(&c, &c.ip))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct addr_host host;
    uint16_t first = 0;
    uint16_t last = 0;
    char *copy = malloc(size + 1);

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    copy[size] = '\0';
    check_host(text, size);
    check_ip_and_cidr(text, size);
    if (addr_parse_port(text, size, &first) == 0 && first == 0)
        abort();
    if (addr_parse_port_range(text, size, &first, &last) == 0 && (first == 0 || first > last))
        abort();
    if (addr_parse_host_port(copy, 0, &host, &first) == 0 && (first == 0 || host.name[0] == '\0'))
        abort();
    if (addr_parse_host_port(copy, 10022, &host, &first) == 0 && first == 0)
        abort();
    free(copy);
    return 0;
}
