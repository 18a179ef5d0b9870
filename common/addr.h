/*
 * Addresses as people and peers write them: host:port, CIDR, port ranges, and what kind of
 * address it is. Strict: no octal, hexadecimal or short IPv4 forms, no embedded NUL, no zone ids.
 * Pure functions; nothing here resolves names.
 */
#ifndef PRA_COMMON_ADDR_H
#define PRA_COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

/* A DNS name of 253 characters, or an address text, and its NUL. */
#define ADDR_HOST_MAX 254
/* "[" host "]:65535" and NUL. */
#define ADDR_TEXT_MAX (ADDR_HOST_MAX + 9)

/* An IPv4 or IPv6 address. v4-mapped IPv6 is kept as IPv6 here; see addr_ip_unmap(). */
struct addr_ip {
    uint8_t family;    /* 4, 6, or 0 = none */
    uint8_t bytes[16]; /* network order; IPv4 uses the first 4 */
};

struct addr_cidr {
    struct addr_ip ip; /* host bits are zero */
    uint8_t prefix;
};

/* A host is a name or an address; `name` is normalised: lower case, no trailing dot. */
struct addr_host {
    bool is_ip;
    struct addr_ip ip;        /* when is_ip */
    char name[ADDR_HOST_MAX]; /* the name, or the address in canonical text */
};

/* Special address kinds that are no ordinary targets unless a rule names them. */
enum addr_kind {
    ADDR_ORDINARY,
    ADDR_LOOPBACK,    /* 127/8, ::1 */
    ADDR_LINK_LOCAL,  /* 169.254/16, fe80::/10 */
    ADDR_UNSPECIFIED, /* 0/8, :: */
    ADDR_MULTICAST,   /* 224/4, ff00::/8, 255.255.255.255 */
    ADDR_MAPPED,      /* ::ffff:0:0/96 and ::/96 (v4-compatible) */
    ADDR_NAT64        /* 64:ff9b::/96, 64:ff9b:1::/48, 2002::/16 (6to4) */
};

/* Strict text to address. Returns 0, PRA_EINVAL. */
int addr_parse_ip(const char *text, size_t len, struct addr_ip *out);

/* Canonical text (RFC 5952 for IPv6). `dst` holds at least 46 bytes. Returns `dst`. */
const char *addr_format_ip(const struct addr_ip *ip, char dst[46]);

/*
 * A host name (RFC 1123 letters, digits, '-', '_'; labels <= 63) or an IP literal; brackets
 * around IPv6 allowed. One trailing dot is dropped, letters become lower case. Names whose last
 * label is all digits or starts with 0x are refused, since resolvers read them as addresses.
 * `len` is exact: an embedded NUL is refused. Returns 0, PRA_EINVAL.
 */
int addr_parse_host(const char *text, size_t len, struct addr_host *out);

/* Decimal 1-65535, no sign, no spaces. Returns 0, PRA_EINVAL. */
int addr_parse_port(const char *text, size_t len, uint16_t *out);

/* "80" or "8000-8099" (first <= last). Returns 0, PRA_EINVAL. */
int addr_parse_port_range(const char *text, size_t len, uint16_t *first, uint16_t *last);

/* "host:port", "[v6]:port"; with default_port != 0 the port may be missing. 0, PRA_EINVAL. */
int addr_parse_host_port(const char *text, uint16_t default_port, struct addr_host *host,
                         uint16_t *port);

/* "a.b.c.d/n", "v6/n", or a single address (full prefix). Set host bits are refused. */
int addr_parse_cidr(const char *text, size_t len, struct addr_cidr *out);
const char *addr_format_cidr(const struct addr_cidr *c, char dst[50]);

bool addr_ip_equal(const struct addr_ip *a, const struct addr_ip *b);
/* v4-mapped addresses are compared as the IPv4 address they carry (callers unmap first). */
bool addr_cidr_contains(const struct addr_cidr *c, const struct addr_ip *ip);

/* ::ffff:a.b.c.d becomes a.b.c.d; anything else is copied. For *source* addresses of sockets. */
struct addr_ip addr_ip_unmap(const struct addr_ip *ip);

enum addr_kind addr_classify(const struct addr_ip *ip);

/* To and from socket addresses; IPv4 and IPv6 only. from_sockaddr returns 0, PRA_EUNSUPPORTED. */
int addr_from_sockaddr(const struct sockaddr *sa, struct addr_ip *ip, uint16_t *port);
socklen_t addr_to_sockaddr(const struct addr_ip *ip, uint16_t port, struct sockaddr_storage *out);

#endif
