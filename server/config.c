/*
 * Reading prad.ini: one setter per setting, most of them made from the tables in config.h.
 */
#include "server/config.h"

#include <string.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/conf.h"

#define SQLITE_SCHEME  "sqlite:"
#define WORKERS_MAX    64
#define DEFAULT_DB     "sqlite:/var/lib/pra/pra.db"
#define DEFAULT_LISTEN "0.0.0.0:10022"
#define DEFAULT_PORTAL "0.0.0.0:10443"
#define GATEWAY_PORT   10022
#define PORTAL_PORT    10443

/* ---- values ------------------------------------------------------------------------------------ */

static int set_text(char *dst, size_t cap, const char *value, struct fault *f)
{
    size_t len = strlen(value);

    if (len == 0)
        return fault_set(f, PRA_EINVAL, "is empty");
    if (len >= cap)
        return fault_set(f, PRA_EINVAL, "is longer than %zu bytes", cap - 1);
    memcpy(dst, value, len + 1);
    return 0;
}

/* A path; relative ones are relative to the folder of the file. */
static int set_path(const struct config *c, char dst[OS_PATH_MAX], const char *value,
                    struct fault *f)
{
    const char *slash = strrchr(c->file, '/');
    int n;

    if (value[0] == '\0')
        return fault_set(f, PRA_EINVAL, "is empty");
    if (value[0] == '/' || slash == NULL)
        return set_text(dst, OS_PATH_MAX, value, f);
    n = snprintf(dst, OS_PATH_MAX, "%.*s/%s", (int)(slash - c->file), c->file, value);
    if (n < 0 || n >= OS_PATH_MAX)
        return fault_set(f, PRA_EINVAL, "the path is longer than %d bytes", OS_PATH_MAX - 1);
    return 0;
}

#define X(section, key, member, min, max, dflt)                                                    \
    static int set_##member(void *target, const char *value, struct fault *f)                      \
    {                                                                                              \
        return conf_parse_number(value, min, max, &((struct config *)target)->member, f);          \
    }
CONFIG_NUMBER_MAP(X)
#undef X
#define X(section, key, member, min, max, dflt)                                                    \
    static int set_##member(void *target, const char *value, struct fault *f)                      \
    {                                                                                              \
        return conf_parse_duration(value, min, max, &((struct config *)target)->member, f);        \
    }
CONFIG_DURATION_MAP(X)
#undef X
#define X(section, key, member, min, max, dflt)                                                    \
    static int set_##member(void *target, const char *value, struct fault *f)                      \
    {                                                                                              \
        return conf_parse_size(value, min, max, &((struct config *)target)->member, f);            \
    }
CONFIG_SIZE_MAP(X)
#undef X

/* ---- settings with a form of their own --------------------------------------------------------- */

static int add_listen(struct config *c, const char *text, struct fault *f)
{
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(text, GATEWAY_PORT, &host, &port) != 0 || !host.is_ip)
        return fault_set(f, PRA_EINVAL,
                         "'%.80s' is no ADDRESS:PORT such as 0.0.0.0:10022 or [::]:10022", text);
    for (unsigned i = 0; i < c->listen_count; i++) {
        if (addr_ip_equal(&c->listen[i].ip, &host.ip) && c->listen[i].port == port)
            return fault_set(f, PRA_EINVAL, "'%.80s' is given twice", text);
    }
    if (c->listen_count == CONFIG_LISTEN_MAX)
        return fault_set(f, PRA_EINVAL, "more than %d addresses", CONFIG_LISTEN_MAX);
    c->listen[c->listen_count++] = (struct config_listen){.ip = host.ip, .port = port};
    return 0;
}

/* Addresses separated by commas. */
static int set_listen(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    char one[ADDR_TEXT_MAX];

    c->listen_count = 0;
    for (;;) {
        size_t len, lead = strspn(value, " \t");

        value += lead;
        len = strcspn(value, ",");
        size_t end = len;
        while (end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t'))
            end--;
        if (end == 0 || end >= sizeof(one))
            return fault_set(f, PRA_EINVAL, "an address is %s", end == 0 ? "empty" : "too long");
        memcpy(one, value, end);
        one[end] = '\0';
        if (add_listen(c, one, f) != 0)
            return PRA_EINVAL;
        if (value[len] == '\0')
            return 0;
        value += len + 1;
    }
}

static int set_host_key(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->host_key, value, f);
}

static int set_workers(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    long n = 0;

    if (strcmp(value, "auto") != 0) {
        if (conf_parse_number(value, 1, WORKERS_MAX, &n, f) != 0)
            return fault_set(f, PRA_EINVAL, "must be auto or a number from 1 to %d", WORKERS_MAX);
    }
    c->workers = (unsigned)n;
    return 0;
}

static int set_public_address(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(value, GATEWAY_PORT, &host, &port) != 0)
        return fault_set(f, PRA_EINVAL, "'%.80s' is not HOST or HOST:PORT", value);
    return set_text(c->public_address, sizeof(c->public_address), value, f);
}

static int set_user(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_text(c->user, sizeof(c->user), value, f);
}

static int set_store_url(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    const size_t scheme = strlen(SQLITE_SCHEME);
    char path[OS_PATH_MAX];

    if (strncmp(value, SQLITE_SCHEME, scheme) != 0)
        return fault_set(f, PRA_EINVAL, "'%.80s' is no sqlite:PATH", value);
    if (set_path(c, path, value + scheme, f) != 0)
        return PRA_EINVAL;
    snprintf(c->store_url, sizeof(c->store_url), SQLITE_SCHEME "%s", path);
    snprintf(c->store_dir, sizeof(c->store_dir), "%s", path);
    char *slash = strrchr(c->store_dir, '/');
    if (slash == NULL)
        memcpy(c->store_dir, ".", 2);
    else
        slash[slash == c->store_dir ? 1 : 0] = '\0';
    return 0;
}

static int set_admin_socket(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->admin_socket, value, f);
}

static int set_admin_group(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_text(c->admin_group, sizeof(c->admin_group), value, f);
}

static int set_weak_keys(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (strcmp(value, "allow") != 0 && strcmp(value, "refuse") != 0)
        return fault_set(f, PRA_EINVAL, "'%.40s' is neither allow nor refuse", value);
    c->refuse_weak_keys = strcmp(value, "refuse") == 0;
    return 0;
}

static int set_log_level(void *target, const char *value, struct fault *f)
{
    if (log_parse_level(value, &((struct config *)target)->log_level) != 0)
        return fault_set(f, PRA_EINVAL, "'%.40s' is none of debug, info, warn, error", value);
    return 0;
}

static int set_log_file(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->log_file, value, f);
}

static int set_portal_listen(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(value, PORTAL_PORT, &host, &port) != 0 || !host.is_ip)
        return fault_set(f, PRA_EINVAL, "'%.80s' is no ADDRESS:PORT", value);
    return set_text(c->portal_listen, sizeof(c->portal_listen), value, f);
}

static int set_portal_socket(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->portal_socket, value, f);
}

static int set_portal_certificate(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->portal_certificate, value, f);
}

static int set_portal_key(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->portal_key, value, f);
}

static int set_portal_log(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->portal_log, value, f);
}

static int set_portal_group(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_text(c->portal_group, sizeof(c->portal_group), value, f);
}

/* ---- the file ---------------------------------------------------------------------------------- */

static const struct conf_key keys[] = {
    {"gateway", "listen", set_listen},
    {"gateway", "host_key", set_host_key},
    {"gateway", "workers", set_workers},
    {"gateway", "public_address", set_public_address},
    {"gateway", "user", set_user},
    {"store", "url", set_store_url},
    {"admin", "socket", set_admin_socket},
    {"admin", "group", set_admin_group},
    {"keys", "weak", set_weak_keys},
    {"log", "level", set_log_level},
    {"log", "file", set_log_file},
    {"portal", "listen", set_portal_listen},
    {"portal", "socket", set_portal_socket},
    {"portal", "group", set_portal_group},
    {"portal", "certificate", set_portal_certificate},
    {"portal", "key", set_portal_key},
    {"portal", "log", set_portal_log},
#define X(section, key, member, min, max, dflt) {section, key, set_##member},
    CONFIG_NUMBER_MAP(X) CONFIG_DURATION_MAP(X) CONFIG_SIZE_MAP(X)
#undef X
        {NULL, NULL, NULL},
};

/* What the file does not set: defaults that hang on other settings. */
static int fill_in(struct config *c, struct fault *f)
{
    if (c->listen_count == 0 && set_listen(c, DEFAULT_LISTEN, f) != 0)
        return PRA_EINVAL;
    if (c->store_url[0] == '\0' && set_store_url(c, DEFAULT_DB, f) != 0)
        return PRA_EINVAL;
    if (c->host_key[0] == '\0' && os_path_join(c->host_key, c->store_dir, "host_key") != 0)
        return fault_set(f, PRA_EINVAL, "%s: [store] url: the path is too long", c->file);
    if (c->admin_socket[0] == '\0' &&
        os_path_join(c->admin_socket, c->store_dir, "admin.sock") != 0)
        return fault_set(f, PRA_EINVAL, "%s: [store] url: the path is too long", c->file);
    if (c->portal_socket[0] == '\0' &&
        os_path_join(c->portal_socket, c->store_dir, "portal.sock") != 0)
        return fault_set(f, PRA_EINVAL, "%s: [store] url: the path is too long", c->file);
    if (c->portal_certificate[0] == '\0')
        snprintf(c->portal_certificate, sizeof(c->portal_certificate), "%s/portal.crt",
                 CONFIG_PORTAL_DIR);
    if (c->portal_key[0] == '\0')
        snprintf(c->portal_key, sizeof(c->portal_key), "%s/portal.key", CONFIG_PORTAL_DIR);
    if (c->portal_listen[0] == '\0')
        snprintf(c->portal_listen, sizeof(c->portal_listen), "%s", DEFAULT_PORTAL);
    if (c->keepalive_timeout <= c->keepalive_delay)
        return fault_set(f, PRA_EINVAL,
                         "%s: [keepalive] timeout (%ld s) must be longer than delay (%ld s)",
                         c->file, c->keepalive_timeout, c->keepalive_delay);
    return 0;
}

int config_load(const char *path, struct config *c, struct fault *f)
{
    int rc;

    memset(c, 0, sizeof(*c));
#define X(section, key, member, min, max, dflt) c->member = (dflt);
    CONFIG_NUMBER_MAP(X)
    CONFIG_DURATION_MAP(X)
    CONFIG_SIZE_MAP(X)
#undef X
    c->log_level = LOG_INFO;
    if (strlen(path) >= sizeof(c->file))
        return fault_set(f, PRA_EINVAL, "the path of the configuration file is too long");
    memcpy(c->file, path, strlen(path) + 1);
    rc = conf_load(path, keys, c, f);
    return rc != 0 ? rc : fill_in(c, f);
}
