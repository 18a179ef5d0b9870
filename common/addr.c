/*
 * Strict readers of addresses. inet_pton(3) reads IPv6 but an IPv4 address at its end, for which not
 * every system's is strict; everything that people get wrong - IPv4, names, ports, prefixes - is
 * read here.
 */
#include "common/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63
#define NAME_MAX  (ADDR_HOST_MAX - 1)

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* Decimal without sign, spaces or leading zeros, at most `max`. */
static bool parse_decimal(const char *text, size_t len, unsigned max, unsigned *out)
{
    unsigned value = 0;

    if (len == 0 || len > 5 || (len > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

/* Exactly four decimal parts: "010.0.0.1", "0x7f.1" and "127.1" mean other things elsewhere. */
static bool parse_ip4(const char *text, size_t len, uint8_t out[4])
{
    size_t start = 0;

    for (int part = 0; part < 4; part++) {
        size_t end = start;
        unsigned value;

        while (end < len && text[end] != '.')
            end++;
        if ((part < 3) != (end < len))
            return false;
        if (!parse_decimal(text + start, end - start, 255, &value))
            return false;
        out[part] = (uint8_t)value;
        start = end + 1;
    }
    return true;
}

static bool parse_ip6(const char *text, size_t len, uint8_t out[16])
{
    char copy[INET6_ADDRSTRLEN];
    const char *tail = memrchr(text, ':', len);
    uint8_t ip4[4];

    if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL || memchr(text, '%', len) != NULL)
        return false;
    if (tail == NULL || (memchr(text, '.', len) != NULL &&
                         !parse_ip4(tail + 1, (size_t)(text + len - tail - 1), ip4)))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return inet_pton(AF_INET6, copy, out) == 1;
}

int addr_parse_ip(const char *text, size_t len, struct addr_ip *out)
{
    struct addr_ip ip = {0};

    if (parse_ip4(text, len, ip.bytes))
        ip.family = 4;
    else if (parse_ip6(text, len, ip.bytes))
        ip.family = 6;
    else
        return PRA_EINVAL;
    *out = ip;
    return 0;
}

const char *addr_format_ip(const struct addr_ip *ip, char dst[46])
{
    int family = ip->family == 4 ? AF_INET : AF_INET6;

    dst[0] = '\0';
    if (ip->family == 4 || ip->family == 6)
        (void)inet_ntop(family, ip->bytes, dst, INET6_ADDRSTRLEN);
    return dst;
}

/* One label: letters, digits, '-' and '_', no '-' at either end. Copies it in lower case. */
static bool copy_label(const char *text, size_t len, char *dst)
{
    if (len == 0 || len > LABEL_MAX || text[0] == '-' || text[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        char ch = text[i];

        if (ch >= 'A' && ch <= 'Z')
            ch = (char)(ch - 'A' + 'a');
        if (!is_digit(ch) && !(ch >= 'a' && ch <= 'z') && ch != '-' && ch != '_')
            return false;
        dst[i] = ch;
    }
    return true;
}

/* True if a resolver may take a name that ends in this label for a number. */
static bool looks_numeric(const char *label, size_t len)
{
    if (len >= 2 && label[0] == '0' && label[1] == 'x')
        return true;
    for (size_t i = 0; i < len; i++)
        if (!is_digit(label[i]))
            return false;
    return true;
}

static int parse_name(const char *text, size_t len, char dst[ADDR_HOST_MAX])
{
    size_t start = 0;

    if (len > 0 && text[len - 1] == '.')
        len--;
    if (len == 0 || len > NAME_MAX)
        return PRA_EINVAL;
    for (;;) {
        size_t end = start;

        while (end < len && text[end] != '.')
            end++;
        if (!copy_label(text + start, end - start, dst + start))
            return PRA_EINVAL;
        if (end == len)
            break;
        dst[end] = '.';
        start = end + 1;
    }
    if (looks_numeric(dst + start, len - start))
        return PRA_EINVAL;
    dst[len] = '\0';
    return 0;
}

int addr_parse_host(const char *text, size_t len, struct addr_host *out)
{
    struct addr_host host = {0};

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        if (addr_parse_ip(text + 1, len - 2, &host.ip) != 0 || host.ip.family != 6)
            return PRA_EINVAL;
        host.is_ip = true;
    } else {
        host.is_ip = addr_parse_ip(text, len, &host.ip) == 0;
    }
    if (host.is_ip)
        addr_format_ip(&host.ip, host.name);
    else if (parse_name(text, len, host.name) != 0)
        return PRA_EINVAL;
    *out = host;
    return 0;
}

int addr_parse_port(const char *text, size_t len, uint16_t *out)
{
    unsigned value;

    if (!parse_decimal(text, len, 65535, &value) || value == 0)
        return PRA_EINVAL;
    *out = (uint16_t)value;
    return 0;
}

int addr_parse_port_range(const char *text, size_t len, uint16_t *first, uint16_t *last)
{
    const char *dash = memchr(text, '-', len);
    size_t left = dash ? (size_t)(dash - text) : len;
    uint16_t a;
    uint16_t b;

    if (addr_parse_port(text, left, &a) != 0)
        return PRA_EINVAL;
    b = a;
    if (dash && addr_parse_port(dash + 1, len - left - 1, &b) != 0)
        return PRA_EINVAL;
    if (a > b)
        return PRA_EINVAL;
    *first = a;
    *last = b;
    return 0;
}

int addr_parse_host_port(const char *text, uint16_t default_port, struct addr_host *host,
                         uint16_t *port)
{
    size_t len = strlen(text);
    size_t host_len = len;
    struct addr_host parsed;
    uint16_t number = default_port;

    if (text[0] == '[') {
        const char *close = strchr(text, ']');

        if (!close)
            return PRA_EINVAL;
        host_len = (size_t)(close - text) + 1;
    } else {
        const char *colon = strchr(text, ':');

        /* More than one colon without brackets is a bare IPv6 address, which has no port. */
        if (colon && strchr(colon + 1, ':') == NULL)
            host_len = (size_t)(colon - text);
    }
    if (host_len < len && (text[host_len] != ':' ||
                           addr_parse_port(text + host_len + 1, len - host_len - 1, &number)))
        return PRA_EINVAL;
    if (number == 0 || addr_parse_host(text, host_len, &parsed) != 0)
        return PRA_EINVAL;
    *host = parsed;
    *port = number;
    return 0;
}

/* True if all bits behind the first `prefix` are zero. */
static bool host_bits_clear(const struct addr_cidr *c)
{
    unsigned bits = c->ip.family == 4 ? 32 : 128;

    for (unsigned i = c->prefix; i < bits; i++)
        if (c->ip.bytes[i / 8] & (0x80u >> i % 8))
            return false;
    return true;
}

int addr_parse_cidr(const char *text, size_t len, struct addr_cidr *out)
{
    const char *slash = memchr(text, '/', len);
    size_t left = slash ? (size_t)(slash - text) : len;
    struct addr_cidr c;
    unsigned prefix;

    if (addr_parse_ip(text, left, &c.ip) != 0)
        return PRA_EINVAL;
    prefix = c.ip.family == 4 ? 32 : 128;
    if (slash && !parse_decimal(slash + 1, len - left - 1, prefix, &prefix))
        return PRA_EINVAL;
    c.prefix = (uint8_t)prefix;
    if (!host_bits_clear(&c))
        return PRA_EINVAL;
    *out = c;
    return 0;
}

const char *addr_format_cidr(const struct addr_cidr *c, char dst[50])
{
    char ip[INET6_ADDRSTRLEN];

    snprintf(dst, 50, "%s/%u", addr_format_ip(&c->ip, ip), c->prefix);
    return dst;
}

bool addr_ip_equal(const struct addr_ip *a, const struct addr_ip *b)
{
    if (a->family != b->family)
        return false;
    return memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

static bool prefix_matches(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool addr_cidr_contains(const struct addr_cidr *c, const struct addr_ip *ip)
{
    return c->ip.family == ip->family && c->ip.family != 0 &&
           prefix_matches(c->ip.bytes, ip->bytes, c->prefix);
}

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

struct addr_ip addr_ip_unmap(const struct addr_ip *ip)
{
    struct addr_ip v4 = {.family = 4};

    if (ip->family != 6 || memcmp(ip->bytes, mapped_prefix, sizeof(mapped_prefix)) != 0)
        return *ip;
    memcpy(v4.bytes, ip->bytes + 12, 4);
    return v4;
}

struct special {
    enum addr_kind kind;
    uint8_t family;
    uint8_t prefix;
    uint8_t bytes[16];
};

/* First match decides: :: and ::1 stand before ::/96, which holds both. */
static const struct special specials[] = {
    {ADDR_LOOPBACK, 4, 8, {127}},
    {ADDR_LINK_LOCAL, 4, 16, {169, 254}},
    {ADDR_UNSPECIFIED, 4, 8, {0}},
    {ADDR_MULTICAST, 4, 4, {224}},
    {ADDR_MULTICAST, 4, 32, {255, 255, 255, 255}},
    {ADDR_UNSPECIFIED, 6, 128, {0}},
    {ADDR_LOOPBACK, 6, 128, {[15] = 1}},
    {ADDR_LINK_LOCAL, 6, 10, {0xFE, 0x80}},
    {ADDR_MULTICAST, 6, 8, {0xFF}},
    {ADDR_MAPPED, 6, 96, {[10] = 0xFF, [11] = 0xFF}},
    {ADDR_MAPPED, 6, 96, {0}},
    {ADDR_NAT64, 6, 96, {0x00, 0x64, 0xFF, 0x9B}},
    {ADDR_NAT64, 6, 48, {0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01}},
    {ADDR_NAT64, 6, 16, {0x20, 0x02}},
};

enum addr_kind addr_classify(const struct addr_ip *ip)
{
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        const struct special *s = &specials[i];

        if (s->family == ip->family && prefix_matches(s->bytes, ip->bytes, s->prefix))
            return s->kind;
    }
    return ADDR_ORDINARY;
}

int addr_from_sockaddr(const struct sockaddr *sa, struct addr_ip *ip, uint16_t *port)
{
    struct addr_ip result = {0};

    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, sa, sizeof(in));
        result.family = 4;
        memcpy(result.bytes, &in.sin_addr, 4);
        *port = ntohs(in.sin_port);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof(in6));
        result.family = 6;
        memcpy(result.bytes, &in6.sin6_addr, 16);
        *port = ntohs(in6.sin6_port);
    } else {
        return PRA_EUNSUPPORTED;
    }
    *ip = result;
    return 0;
}

socklen_t addr_to_sockaddr(const struct addr_ip *ip, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (ip->family == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

        memcpy(&in.sin_addr, ip->bytes, 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    if (ip->family == 6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

        memcpy(&in6.sin6_addr, ip->bytes, 16);
        memcpy(out, &in6, sizeof(in6));
        return sizeof(in6);
    }
    return 0;
}
