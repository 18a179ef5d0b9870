/*
 * How this PC is attached to its network: interface, address, gateway, name servers, and whether
 * the address came by DHCP or is fixed (C12). The parsers are pure; netinfo_read() feeds them from
 * below `root` ("" = this machine; tests give a folder). What cannot be told honestly is
 * NETINFO_UNKNOWN. netinfo_linux.c asks the kernel.
 */
#ifndef PRA_CLIENT_NETINFO_H
#define PRA_CLIENT_NETINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETINFO_NAME_MAX  32
#define NETINFO_ADDR_MAX  64 /* address and prefix as text */
#define NETINFO_DNS_MAX   8
#define NETINFO_PROXY_MAX 512 /* longest entry of a list of proxies that is read */

enum netinfo_mode { NETINFO_UNKNOWN, NETINFO_DHCP, NETINFO_FIXED };

struct netinfo {
    char interface[NETINFO_NAME_MAX]; /* of the default route; "" = no default route */
    unsigned index;
    char gateway[NETINFO_ADDR_MAX];
    char address[NETINFO_ADDR_MAX]; /* "192.0.2.7/24" or "" */
    char dns[NETINFO_DNS_MAX][NETINFO_ADDR_MAX];
    size_t dns_count;
    enum netinfo_mode mode;
    char evidence[128]; /* where the mode was seen: a file, or "kernel: ..." */
};

void netinfo_read(const char *root, struct netinfo *out);

/* What the kernel says about the interface's IPv4 address and default route. */
struct netinfo_kernel {
    char address[NETINFO_ADDR_MAX];
    bool has_lifetime;  /* the address was given for a time: a lease */
    bool route_by_dhcp; /* the default route says that a DHCP client set it */
};

/* The kernel's number of an interface; 0 = no such interface. */
unsigned netinfo_index(const char *interface);

/* Asks by rtnetlink. Returns 0, PRA_ENOENT (no address there), PRA_EIO. */
int netinfo_ask_kernel(const char *interface, struct netinfo_kernel *out);

/* /proc/net/route and /proc/net/ipv6_route: the default route with the lowest metric. */
bool netinfo_parse_route(const char *text, char interface[NETINFO_NAME_MAX],
                         char gateway[NETINFO_ADDR_MAX]);
bool netinfo_parse_route6(const char *text, char interface[NETINFO_NAME_MAX],
                          char gateway[NETINFO_ADDR_MAX]);

/* "nameserver" lines of resolv.conf(5). Returns how many were stored. */
size_t netinfo_parse_resolv(const char *text, char dns[][NETINFO_ADDR_MAX], size_t max);

/* "iface eth0 inet dhcp|static" of interfaces(5). */
enum netinfo_mode netinfo_parse_interfaces(const char *text, const char *interface);

/* dhclient.leases(5): is there a lease of this interface that has not expired at `now`? */
bool netinfo_parse_dhclient(const char *text, const char *interface, int64_t now);

/* systemd.network(5): DHCP= and Address= of the file that configured the link. */
enum netinfo_mode netinfo_parse_networkd(const char *text);

/*
 * "http://user:secret@proxy.example.com:3128/" to "proxy.example.com:3128": what may be shown.
 * False when there is no host in it. `dst` holds `cap` bytes.
 */
bool netinfo_proxy_address(const char *url, char *dst, size_t cap);

/*
 * Windows' list of proxies, "proxy:8080" for everything or "http=proxy:8080;https=proxy:8443": the
 * one for https, else for http, as netinfo_proxy_address() gives it. False if there is neither.
 */
bool netinfo_parse_proxy_list(const char *list, char *dst, size_t cap);

/*
 * The proxy that this system's settings name, besides this process's environment. `*where` names
 * the place, static. False if they name none; a script that chooses one is not asked.
 */
bool netinfo_system_proxy(char *dst, size_t cap, const char **where);

/* Names of environment variables with a proxy, the best first; ends with NULL. */
extern const char *const netinfo_proxy_names[];

#endif
