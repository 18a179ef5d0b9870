/*
 * Reads and writes config.ini of the client. The table below is the whole format; config_save()
 * writes what config_load() accepts, so a file that was saved always loads again.
 */
#include "client/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/spread.h"
#include "common/chainlog.h"
#include "common/conf.h"
#include "common/format.h"
#include "common/os.h"
#include "common/profile.h"

#define LOOKUP_DEFAULT             60
#define DEAD_DELAY_DEFAULT         30
#define DEAD_TIMEOUT_DEFAULT       120
#define DEAD_SECONDS_MAX           (24 * 3600)
#define TUNNEL_CONNECTIONS_DEFAULT 4
#define TUNNEL_IDLE_DEFAULT        60
#define TUNNEL_IDLE_MAX            (24 * 3600)
#define LOG_SIZE_MIN               (64L * 1024)
#define LOG_SIZE_MAX               (64L * 1024 * 1024)
#define LOG_KEEP_MAX               99
#define CONFIG_TEXT_MAX            4096

int config_check_fingerprint(const char *text, struct fault *f)
{
    return profile_check_fingerprint(text, f);
}

int config_check_user(const char *text, struct fault *f)
{
    return profile_check_user(text, f);
}

static int set_address(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (value[0] == '\0')
        return 0;
    if (addr_parse_host_port(value, CONFIG_DEFAULT_PORT, &c->server, &c->server_port) != 0)
        return fault_set(f, PRA_EINVAL, "'%.80s' is not HOST or HOST:PORT", value);
    c->has_server = true;
    return 0;
}

static int set_fingerprint(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    int rc;

    if (value[0] == '\0')
        return 0;
    rc = config_check_fingerprint(value, f);
    if (rc == 0)
        snprintf(c->fingerprint, sizeof(c->fingerprint), "%s", value);
    return rc;
}

static int set_user(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    int rc = config_check_user(value, f);

    if (rc == 0)
        snprintf(c->user, sizeof(c->user), "%s", value);
    return rc;
}

static int set_name(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    int rc = profile_check_name(value, f);

    if (rc == 0)
        snprintf(c->name, sizeof(c->name), "%s", value);
    return rc;
}

static int set_lookup(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return conf_parse_duration(value, 0, DEAD_SECONDS_MAX, &c->lookup_interval, f);
}

static int set_proxy(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (value[0] == '\0')
        return 0;
    if (addr_parse_host_port(value, 0, &c->proxy, &c->proxy_port) != 0)
        return fault_set(f, PRA_EINVAL, "'%.80s' is not HOST:PORT", value);
    c->has_proxy = true;
    return 0;
}

static int set_delay(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return conf_parse_duration(value, 1, DEAD_SECONDS_MAX, &c->dead_delay, f);
}

static int set_timeout(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return conf_parse_duration(value, 1, DEAD_SECONDS_MAX, &c->dead_timeout, f);
}

static int set_action(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (strcmp(value, "hold") == 0)
        c->dead_action = CONFIG_DEAD_HOLD;
    else if (strcmp(value, "clear") == 0)
        c->dead_action = CONFIG_DEAD_CLEAR;
    else
        return fault_set(f, PRA_EINVAL, "'%.80s' is neither 'hold' nor 'clear'", value);
    return 0;
}

static int set_connections(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return conf_parse_number(value, 1, SPREAD_MAX, &c->tunnel_connections, f);
}

static int set_idle(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return conf_parse_duration(value, 1, TUNNEL_IDLE_MAX, &c->tunnel_idle, f);
}

static int set_level(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (log_parse_level(value, &c->log_level) != 0)
        return fault_set(f, PRA_EINVAL, "'%.80s' is none of debug, info, warn, error", value);
    return 0;
}

static int set_size(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return conf_parse_size(value, LOG_SIZE_MIN, LOG_SIZE_MAX, &c->log_size, f);
}

static int set_keep(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return conf_parse_number(value, 1, LOG_KEEP_MAX, &c->log_keep, f);
}

static const struct conf_key keys[] = {
    {"server", "address", set_address},
    {"server", "fingerprint", set_fingerprint},
    {"server", "user", set_user},
    {"server", "name", set_name},
    {"server", "lookup_interval", set_lookup},
    {"proxy", "address", set_proxy},
    {"dead_peer", "delay", set_delay},
    {"dead_peer", "timeout", set_timeout},
    {"dead_peer", "action", set_action},
    {"tunnel", "connections", set_connections},
    {"tunnel", "idle", set_idle},
    {"log", "level", set_level},
    {"log", "size", set_size},
    {"log", "keep", set_keep},
    {NULL, NULL, NULL},
};

static void set_defaults(struct config *c)
{
    memset(c, 0, sizeof(*c));
    c->server_port = CONFIG_DEFAULT_PORT;
    c->lookup_interval = LOOKUP_DEFAULT;
    c->dead_delay = DEAD_DELAY_DEFAULT;
    c->dead_timeout = DEAD_TIMEOUT_DEFAULT;
    c->dead_action = CONFIG_DEAD_HOLD;
    c->tunnel_connections = TUNNEL_CONNECTIONS_DEFAULT;
    c->tunnel_idle = TUNNEL_IDLE_DEFAULT;
    c->log_level = LOG_INFO;
    c->log_size = CHAINLOG_SIZE_DEFAULT;
    c->log_keep = CHAINLOG_KEEP_DEFAULT;
}

/* The installed server and its fingerprint, which is that of no other server. */
static int take_installed(struct config *c, struct fault *f)
{
    char address[ADDR_TEXT_MAX], fingerprint[sizeof(c->fingerprint)];
    struct fault why;
    int rc;

    if (!config_installed("Server", address, sizeof(address)))
        return 0;
    c->fingerprint[0] = '\0';
    rc = set_address(c, address, &why);
    if (rc == 0 && config_installed("Fingerprint", fingerprint, sizeof(fingerprint)))
        rc = set_fingerprint(c, fingerprint, &why);
    return rc != 0 ? fault_set(f, rc, "installed with PRA: %s", why.text) : 0;
}

int config_load(const char *path, struct config *out, struct fault *f)
{
    struct config c;
    int rc;

    set_defaults(&c);
    rc = conf_load(path, keys, &c, f);
    if (rc == PRA_ENOENT)
        set_defaults(&c);
    else if (rc != 0)
        return rc;
    if (!c.has_server && (rc = take_installed(&c, f)) != 0)
        return rc;
    if (c.dead_timeout < c.dead_delay)
        return fault_set(f, PRA_EINVAL,
                         "%s: [dead_peer] timeout (%ld s) is shorter than delay (%ld s)", path,
                         c.dead_timeout, c.dead_delay);
    *out = c;
    return 0;
}

const char *config_format_address(const struct addr_host *host, uint16_t port,
                                  char dst[ADDR_TEXT_MAX])
{
    bool v6 = host->is_ip && host->ip.family == 6;

    snprintf(dst, ADDR_TEXT_MAX, "%s%s%s:%u", v6 ? "[" : "", host->name, v6 ? "]" : "", port);
    return dst;
}

static const char *level_word(enum log_level level)
{
    static const char *const words[] = {"debug", "info", "warn", "error"};

    return words[level];
}

/* The file as it is put together. */
struct text {
    char data[CONFIG_TEXT_MAX];
    size_t len;
    const char *section; /* the last one written */
    bool full;
};

static void add_raw(struct text *t, const char *fmt, ...) FORMAT_PRINTF(2, 3);
static void add_raw(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->data + t->len, sizeof(t->data) - t->len, fmt, ap);
    va_end(ap);
    t->full = t->full || n < 0 || (size_t)n >= sizeof(t->data) - t->len;
    if (!t->full)
        t->len += (size_t)n;
}

static void add_text(struct text *t, const char *section, const char *key, const char *value)
{
    if (t->section == NULL || strcmp(t->section, section) != 0)
        add_raw(t, "\n[%s]\n", section);
    t->section = section;
    add_raw(t, "%s = %s\n", key, value);
}

/* A number that is as the defaults have it is left out, so that new defaults take effect. */
static void add_number(struct text *t, const char *section, const char *key, long value,
                       long standard)
{
    char digits[24];

    if (value == standard)
        return;
    snprintf(digits, sizeof(digits), "%ld", value);
    add_text(t, section, key, digits);
}

int config_save(const char *path, const struct config *c, struct fault *f)
{
    struct text t = {.len = 0};
    struct config standard;
    char address[ADDR_TEXT_MAX];

    set_defaults(&standard);
    add_raw(&t, "; PRA's settings, written by `pra server set`; see pra.ini(5).\n");
    if (c->has_server)
        add_text(&t, "server", "address",
                 config_format_address(&c->server, c->server_port, address));
    if (c->fingerprint[0] != '\0')
        add_text(&t, "server", "fingerprint", c->fingerprint);
    if (c->user[0] != '\0')
        add_text(&t, "server", "user", c->user);
    if (c->name[0] != '\0')
        add_text(&t, "server", "name", c->name);
    add_number(&t, "server", "lookup_interval", c->lookup_interval, standard.lookup_interval);
    if (c->has_proxy)
        add_text(&t, "proxy", "address", config_format_address(&c->proxy, c->proxy_port, address));
    add_number(&t, "dead_peer", "delay", c->dead_delay, standard.dead_delay);
    add_number(&t, "dead_peer", "timeout", c->dead_timeout, standard.dead_timeout);
    if (c->dead_action == CONFIG_DEAD_CLEAR)
        add_text(&t, "dead_peer", "action", "clear");
    add_number(&t, "tunnel", "connections", c->tunnel_connections, standard.tunnel_connections);
    add_number(&t, "tunnel", "idle", c->tunnel_idle, standard.tunnel_idle);
    if (c->log_level != standard.log_level)
        add_text(&t, "log", "level", level_word(c->log_level));
    add_number(&t, "log", "size", c->log_size, standard.log_size);
    add_number(&t, "log", "keep", c->log_keep, standard.log_keep);
    if (t.full)
        return fault_set(f, PRA_EIO, "%s: the settings do not fit", path);
    return os_file_replace(path, t.data, t.len, 0600, f);
}
