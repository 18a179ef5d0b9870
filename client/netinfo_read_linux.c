/* How this PC is attached to its network, from files below a root folder; see netinfo.h. */
#include "client/netinfo.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/addr.h"
#include "common/crypto.h"
#include "common/os.h"

#define FILE_MAX_BYTES (1024u * 1024)
#define LINE_WORDS     12
#define RTF_GATEWAY    0x2u

/* Calls `line` for each line of `text` (cut at 1023 bytes) until it returns true. */
static bool each_line(const char *text, bool (*line)(void *arg, char *s), void *arg)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        char copy[1024];

        snprintf(copy, sizeof(copy), "%.*s", (int)(len < sizeof(copy) ? len : sizeof(copy) - 1),
                 text);
        if (line(arg, copy))
            return true;
        text += len + (text[len] == '\n');
    }
    return false;
}

/* Splits at blanks, in place. Returns the number of words, at most LINE_WORDS. */
static size_t split(char *s, char *words[LINE_WORDS])
{
    char *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(s, " \t\r", &save); w != NULL && n < LINE_WORDS;
         w = strtok_r(NULL, " \t\r", &save))
        words[n++] = w;
    return n;
}

struct route_search {
    char *interface, *gateway;
    unsigned long metric;
    bool found;
};

/* "eth0 00000000 010200C0 0003 0 0 100 00000000 ...": addresses are as in memory, hexadecimal. */
static bool route_line(void *arg, char *s)
{
    struct route_search *r = arg;
    char *w[LINE_WORDS];
    uint8_t bytes[4];
    size_t len;
    unsigned long metric;

    if (split(s, w) < 8 || strcmp(w[1], "00000000") != 0 || strcmp(w[7], "00000000") != 0 ||
        (strtoul(w[3], NULL, 16) & RTF_GATEWAY) == 0 || strlen(w[2]) != 8 ||
        crypto_hex_decode(w[2], 8, bytes, sizeof(bytes), &len) != 0)
        return false;
    metric = strtoul(w[6], NULL, 10);
    if (r->found && metric >= r->metric)
        return false;
    r->found = true;
    r->metric = metric;
    snprintf(r->interface, NETINFO_NAME_MAX, "%s", w[0]);
    snprintf(r->gateway, NETINFO_ADDR_MAX, "%u.%u.%u.%u", bytes[3], bytes[2], bytes[1], bytes[0]);
    return false;
}

bool netinfo_parse_route(const char *text, char interface[NETINFO_NAME_MAX],
                         char gateway[NETINFO_ADDR_MAX])
{
    struct route_search r = {.interface = interface, .gateway = gateway};

    each_line(text, route_line, &r);
    return r.found;
}

/* "dest(32) prefix(2) source(32) prefix(2) next(32) metric(8) refs uses flags(8) interface" */
static bool route6_line(void *arg, char *s)
{
    struct route_search *r = arg;
    struct addr_ip ip = {.family = 6};
    char *w[LINE_WORDS], text[46];
    unsigned long metric;
    size_t len;

    if (split(s, w) < 10 || strspn(w[0], "0") != 32 || strcmp(w[1], "00") != 0 ||
        (strtoul(w[8], NULL, 16) & RTF_GATEWAY) == 0 || strlen(w[4]) != 32 ||
        crypto_hex_decode(w[4], 32, ip.bytes, sizeof(ip.bytes), &len) != 0)
        return false;
    metric = strtoul(w[5], NULL, 16);
    if (r->found && metric >= r->metric)
        return false;
    r->found = true;
    r->metric = metric;
    snprintf(r->interface, NETINFO_NAME_MAX, "%s", w[9]);
    snprintf(r->gateway, NETINFO_ADDR_MAX, "%s", addr_format_ip(&ip, text));
    return false;
}

bool netinfo_parse_route6(const char *text, char interface[NETINFO_NAME_MAX],
                          char gateway[NETINFO_ADDR_MAX])
{
    struct route_search r = {.interface = interface, .gateway = gateway};

    each_line(text, route6_line, &r);
    return r.found;
}

struct resolv_search {
    char (*dns)[NETINFO_ADDR_MAX];
    size_t count, max;
};

static bool resolv_line(void *arg, char *s)
{
    struct resolv_search *r = arg;
    char *w[LINE_WORDS];

    if (split(s, w) >= 2 && strcmp(w[0], "nameserver") == 0 && r->count < r->max)
        snprintf(r->dns[r->count++], NETINFO_ADDR_MAX, "%s", w[1]);
    return false;
}

size_t netinfo_parse_resolv(const char *text, char dns[][NETINFO_ADDR_MAX], size_t max)
{
    struct resolv_search r = {.dns = dns, .max = max};

    each_line(text, resolv_line, &r);
    return r.count;
}

struct mode_search {
    const char *interface;
    enum netinfo_mode mode;
    bool dhcp, address; /* seen in a systemd.network file */
};

static bool interfaces_line(void *arg, char *s)
{
    struct mode_search *m = arg;
    char *w[LINE_WORDS];

    if (split(s, w) < 4 || strcmp(w[0], "iface") != 0 || strcmp(w[1], m->interface) != 0 ||
        strcmp(w[2], "inet") != 0)
        return false;
    if (strcmp(w[3], "dhcp") == 0)
        m->mode = NETINFO_DHCP;
    else if (strcmp(w[3], "static") == 0)
        m->mode = NETINFO_FIXED;
    return m->mode != NETINFO_UNKNOWN;
}

enum netinfo_mode netinfo_parse_interfaces(const char *text, const char *interface)
{
    struct mode_search m = {.interface = interface};

    each_line(text, interfaces_line, &m);
    return m.mode;
}

struct lease_search {
    const char *interface;
    int64_t now;
    bool ours; /* inside a lease of this interface */
    bool current;
};

/*
 * lease {
 *   interface "eth0";
 *   expire 3 2026/11/25 12:00:00;      (or: expire never;)
 * }
 */
static bool lease_line(void *arg, char *s)
{
    struct lease_search *l = arg;
    char *w[LINE_WORDS], quoted[NETINFO_NAME_MAX + 4], when[64];
    struct tm tm;
    size_t n = split(s, w);

    snprintf(quoted, sizeof(quoted), "\"%s\";", l->interface);
    if (n >= 1 && strcmp(w[0], "lease") == 0)
        l->ours = false;
    if (n >= 2 && strcmp(w[0], "interface") == 0)
        l->ours = strcmp(w[1], quoted) == 0;
    if (n < 2 || !l->ours || strcmp(w[0], "expire") != 0)
        return false;
    if (strcmp(w[1], "never;") == 0)
        l->current = true;
    if (n >= 4) {
        memset(&tm, 0, sizeof(tm));
        snprintf(when, sizeof(when), "%s %s", w[2], w[3]);
        if (strptime(when, "%Y/%m/%d %H:%M:%S", &tm) != NULL && (int64_t)timegm(&tm) > l->now)
            l->current = true;
    }
    return l->current;
}

bool netinfo_parse_dhclient(const char *text, const char *interface, int64_t now)
{
    struct lease_search l = {.interface = interface, .now = now};

    each_line(text, lease_line, &l);
    return l.current;
}

static bool networkd_line(void *arg, char *s)
{
    static const char *const on[] = {"yes", "true", "ipv4", "both", "1", "on"};
    struct mode_search *m = arg;

    if (strncmp(s, "Address=", 8) == 0)
        m->address = true;
    for (size_t i = 0; strncmp(s, "DHCP=", 5) == 0 && i < sizeof(on) / sizeof(on[0]); i++)
        if (strcasecmp(s + 5, on[i]) == 0)
            m->dhcp = true;
    return false;
}

enum netinfo_mode netinfo_parse_networkd(const char *text)
{
    struct mode_search m = {.interface = NULL};

    each_line(text, networkd_line, &m);
    if (m.dhcp)
        return NETINFO_DHCP;
    return m.address ? NETINFO_FIXED : NETINFO_UNKNOWN;
}

/* Reads root + path into a new string; NULL when there is none. */
static char *slurp(const char *root, const char *path)
{
    char full[OS_PATH_MAX], *text = NULL;
    size_t len;

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return NULL;
    return os_file_read(full, FILE_MAX_BYTES, &text, &len, NULL) == 0 ? text : NULL;
}

/* Files of the kernel have no size, so they are read to their end. */
static char *slurp_proc(const char *root, const char *path)
{
    char full[OS_PATH_MAX], *text = NULL;
    size_t room = 0, len = 0;
    FILE *in;

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return NULL;
    in = fopen(full, "re");
    if (in == NULL)
        return NULL;
    do {
        char *more = room < FILE_MAX_BYTES ? realloc(text, room + 8192 + 1) : NULL;

        if (more == NULL)
            break;
        text = more;
        room += 8192;
        len += fread(text + len, 1, room - len, in);
    } while (len == room);
    fclose(in);
    if (text != NULL)
        text[len] = '\0';
    return text;
}

static bool exists(const char *root, const char *path)
{
    char *text = slurp(root, path);

    free(text);
    return text != NULL;
}

/* Notes what was found, if it was; returns whether. */
static bool found(struct netinfo *n, enum netinfo_mode mode, const char *evidence)
{
    if (mode == NETINFO_UNKNOWN)
        return false;
    n->mode = mode;
    snprintf(n->evidence, sizeof(n->evidence), "%s", evidence);
    return true;
}

static bool ask_dhclient(const char *root, struct netinfo *n)
{
    int64_t now = os_time_now();

    for (int i = 0; i < 2; i++) {
        char path[128], *text;
        bool current;

        snprintf(path, sizeof(path), "/var/lib/dhcp/dhclient%s%s.leases", i == 0 ? "." : "",
                 i == 0 ? n->interface : "");
        text = slurp(root, path);
        current = text != NULL && netinfo_parse_dhclient(text, n->interface, now);
        free(text);
        if (current)
            return found(n, NETINFO_DHCP, path);
    }
    return false;
}

static bool ask_ifupdown_file(const char *root, const char *path, struct netinfo *n)
{
    char *text = slurp(root, path);
    enum netinfo_mode mode =
        text != NULL ? netinfo_parse_interfaces(text, n->interface) : NETINFO_UNKNOWN;

    free(text);
    return found(n, mode, path);
}

static bool ask_ifupdown(const char *root, struct netinfo *n)
{
    char folder[OS_PATH_MAX], path[OS_PATH_MAX];
    bool done = ask_ifupdown_file(root, "/etc/network/interfaces", n);
    struct dirent *entry;
    DIR *dir;

    if (done || snprintf(folder, sizeof(folder), "%s/etc/network/interfaces.d", root) >=
                    (int)sizeof(folder))
        return done;
    dir = opendir(folder);
    while (!done && dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "/etc/network/interfaces.d/%s", entry->d_name);
            done = ask_ifupdown_file(root, path, n);
        }
    if (dir != NULL)
        closedir(dir);
    return done;
}

/* systemd-networkd: a lease file while DHCP serves the link, else the .network file it used. */
static bool ask_networkd(const char *root, struct netinfo *n)
{
    char path[128], *link, *file, *text;
    enum netinfo_mode mode;

    snprintf(path, sizeof(path), "/run/systemd/netif/leases/%u", n->index);
    if (exists(root, path))
        return found(n, NETINFO_DHCP, path);
    snprintf(path, sizeof(path), "/run/systemd/netif/links/%u", n->index);
    link = slurp(root, path);
    file = link != NULL ? strstr(link, "NETWORK_FILE=") : NULL;
    if (file == NULL) {
        free(link);
        return false;
    }
    file += strlen("NETWORK_FILE=");
    file[strcspn(file, "\n")] = '\0';
    text = slurp(root, file);
    mode = text != NULL ? netinfo_parse_networkd(text) : NETINFO_UNKNOWN;
    found(n, mode, file);
    free(text);
    free(link);
    return mode != NETINFO_UNKNOWN;
}

/* NetworkManager gives DHCP addresses a lifetime; one without, on its device, was set by hand. */
static bool ask_network_manager(const char *root, struct netinfo *n)
{
    char path[128], *text;
    bool managed;

    snprintf(path, sizeof(path), "/run/NetworkManager/devices/%u", n->index);
    text = slurp(root, path);
    managed = text != NULL && strstr(text, "connection-uuid=") != NULL;
    free(text);
    return managed && n->address[0] != '\0' && found(n, NETINFO_FIXED, path);
}

static void find_mode(const char *root, const struct netinfo_kernel *kernel, struct netinfo *n)
{
    if (kernel->has_lifetime) {
        found(n, NETINFO_DHCP, "kernel: address with a lifetime");
        return;
    }
    if (kernel->route_by_dhcp) {
        found(n, NETINFO_DHCP, "kernel: route set by DHCP");
        return;
    }
    if (ask_dhclient(root, n) || ask_networkd(root, n) || ask_ifupdown(root, n))
        return;
    ask_network_manager(root, n);
}

void netinfo_read(const char *root, struct netinfo *out)
{
    struct netinfo_kernel kernel = {.has_lifetime = false};
    char *text = slurp_proc(root, "/proc/net/route");
    bool routed;

    memset(out, 0, sizeof(*out));
    routed = text != NULL && netinfo_parse_route(text, out->interface, out->gateway);
    free(text);
    if (!routed) {
        text = slurp_proc(root, "/proc/net/ipv6_route");
        routed = text != NULL && netinfo_parse_route6(text, out->interface, out->gateway);
        free(text);
    }
    text = slurp(root, "/etc/resolv.conf");
    if (text != NULL)
        out->dns_count = netinfo_parse_resolv(text, out->dns, NETINFO_DNS_MAX);
    free(text);
    if (!routed)
        return;
    out->index = netinfo_index(out->interface);
    if (netinfo_ask_kernel(out->interface, &kernel) == 0)
        snprintf(out->address, sizeof(out->address), "%s", kernel.address);
    find_mode(root, &kernel, out);
}

/* /etc/environment. */
bool netinfo_system_proxy(char *dst, size_t cap, const char **where)
{
    char *text = NULL, *line, *save = NULL;
    bool found = false;
    size_t len;

    if (os_file_read("/etc/environment", FILE_MAX_BYTES, &text, &len, NULL) != 0)
        return false;
    *where = "/etc/environment";
    for (line = strtok_r(text, "\n", &save); line != NULL && !found;
         line = strtok_r(NULL, "\n", &save))
        for (size_t i = 0; netinfo_proxy_names[i] != NULL && !found; i++) {
            size_t n = strlen(netinfo_proxy_names[i]);

            if (strncmp(line, netinfo_proxy_names[i], n) == 0 && line[n] == '=')
                found = netinfo_proxy_address(line + n + 1 + (line[n + 1] == '"'), dst, cap);
        }
    free(text);
    return found;
}
