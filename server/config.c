/*
 * Reading prad.ini: one setter per setting, most of them made from the tables in config.h.
 */
#include "server/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/conf.h"

#define SQLITE_SCHEME  "sqlite:"
#define WORKERS_MAX    64
#define DEFAULT_DB     "sqlite:/var/lib/pra/pra.db"
#define DEFAULT_LISTEN "0.0.0.0:10022"
#define DEFAULT_PORTAL "0.0.0.0:10443"
#define GATEWAY_PORT   10022
#define METRICS_PORT   10024

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

static int set_sandbox(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
        return fault_set(f, PRA_EINVAL, "'%.40s' is neither on nor off", value);
    c->sandbox = strcmp(value, "on") == 0;
    return 0;
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

static int set_clone(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (value[0] == '\0' || policy_clone_parse(value, &c->clone) != 0)
        return fault_set(f, PRA_EINVAL, "'%.40s' is none of refuse, quarantine, allow", value);
    return 0;
}

static int set_second_factor(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    if (strcmp(value, "off") != 0 && strcmp(value, "required") != 0)
        return fault_set(f, PRA_EINVAL, "'%.40s' is neither off nor required", value);
    c->second_factor = strcmp(value, "required") == 0;
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

static int set_metrics_listen(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(value, METRICS_PORT, &host, &port) != 0 || !host.is_ip)
        return fault_set(f, PRA_EINVAL, "'%.80s' is no ADDRESS:PORT such as 127.0.0.1:10024",
                         value);
    c->metrics_listen = (struct config_listen){.ip = host.ip, .port = port};
    return 0;
}

static int set_portal_listen(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(value, CONFIG_PORTAL_PORT, &host, &port) != 0 || !host.is_ip)
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

static int set_portal_downloads(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_path(c, c->portal_downloads, value, f);
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

static int set_portal_url(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    size_t len = strlen(value);

    if (strncmp(value, "https://", 8) != 0 || value[8] == '\0' ||
        strpbrk(value, " \t\"<>#?") != NULL)
        return fault_set(f, PRA_EINVAL, "'%.80s' is no https://HOST[:PORT]", value);
    if (set_text(c->portal_url, sizeof(c->portal_url), value, f) != 0)
        return PRA_EINVAL;
    while (len > 0 && c->portal_url[len - 1] == '/')
        c->portal_url[--len] = '\0';
    return 0;
}

/* ---- mail -------------------------------------------------------------------------------------- */

/*
 * A private enterprise number, perhaps with numbers of one's own behind it ("12345.1"): RFC 5424, 7.2.2.
 * 32473 is for examples in documents (RFC 5612); messages that carry it would be taken for somebody's.
 */
static int set_audit_enterprise(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    unsigned long long number = 0;
    const char *p = value;

    for (bool first = true;; first = false, p++) {
        char *end;

        errno = 0;
        number = *p >= '1' && *p <= '9' ? strtoull(p, &end, 10) : 0;
        if (number == 0 || errno != 0 || number > UINT32_MAX)
            return fault_set(f, PRA_EINVAL,
                             "'%.40s' is no private enterprise number such as 12345 or 12345.1",
                             value);
        if (first && number == 32473)
            return fault_set(f, PRA_EINVAL,
                             "32473 is reserved for examples (RFC 5612): give your own, or leave "
                             "this out");
        p = end;
        if (*p != '.')
            break;
    }
    if (*p != '\0')
        return fault_set(f, PRA_EINVAL,
                         "'%.40s' is no private enterprise number such as 12345 or 12345.1", value);
    return set_text(c->audit_enterprise, sizeof(c->audit_enterprise), value, f);
}

static int set_mail_server(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    struct addr_host host;

    if (addr_parse_host(value, strlen(value), &host) != 0)
        return fault_set(f, PRA_EINVAL,
                         "'%.80s' is no host name or address (the port is a key of its own)",
                         value);
    return set_text(c->mail_server, sizeof(c->mail_server), value, f);
}

static int set_mail_tls(void *target, const char *value, struct fault *f)
{
    static const char *const words[] = {[MAIL_TLS_STARTTLS] = "starttls",
                                        [MAIL_TLS_IMPLICIT] = "implicit",
                                        [MAIL_TLS_NONE] = "none"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(value, words[i]) == 0) {
            ((struct config *)target)->mail_tls = (enum config_mail_tls)i;
            return 0;
        }
    }
    return fault_set(f, PRA_EINVAL, "'%.40s' is none of starttls, implicit, none", value);
}

static int set_mail_user(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    return set_text(c->mail_user, sizeof(c->mail_user), value, f);
}

/*
 * A file that has to be there. Whether prad may read it is asked by prad: the portal reads prad.ini,
 * too, and has no business there.
 */
static int find_file(const char *path, struct stat *st, struct fault *f)
{
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFREG;
    if (stat(path, st) != 0 && errno != EACCES)
        return fault_set(f, PRA_EINVAL, "%s: %s", path, strerror(errno));
    return S_ISREG(st->st_mode) ? 0 : fault_set(f, PRA_EINVAL, "%s: is no file", path);
}

/* A secret that everybody may read is none. */
static int set_mail_password_file(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    struct stat st;

    if (set_path(c, c->mail_password_file, value, f) != 0 ||
        find_file(c->mail_password_file, &st, f) != 0)
        return PRA_EINVAL;
    if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        return fault_set(f, PRA_EINVAL, "%s: others may read or change it (chmod 640)",
                         c->mail_password_file);
    return 0;
}

static int set_mail_ca_file(void *target, const char *value, struct fault *f)
{
    struct config *c = target;

    struct stat st;

    if (set_path(c, c->mail_ca_file, value, f) != 0)
        return PRA_EINVAL;
    return find_file(c->mail_ca_file, &st, f);
}

static int set_mail_from(void *target, const char *value, struct fault *f)
{
    struct config *c = target;
    const char *at = strchr(value, '@');

    for (const char *p = value; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || strchr(",;:<>()[]\\\"", *p) != NULL)
            at = NULL;
    }
    if (at == NULL || at == value || at[1] == '\0' || strchr(at + 1, '@') != NULL)
        return fault_set(f, PRA_EINVAL, "'%.80s' is no address such as pra@example.com", value);
    return set_text(c->mail_from, sizeof(c->mail_from), value, f);
}

/* ---- the file ---------------------------------------------------------------------------------- */

static const struct conf_key keys[] = {
    {"gateway", "listen", set_listen},
    {"gateway", "host_key", set_host_key},
    {"gateway", "workers", set_workers},
    {"gateway", "public_address", set_public_address},
    {"gateway", "user", set_user},
    {"gateway", "sandbox", set_sandbox},
    {"store", "url", set_store_url},
    {"admin", "socket", set_admin_socket},
    {"admin", "group", set_admin_group},
    {"keys", "weak", set_weak_keys},
    {"keys", "clone", set_clone},
    {"login", "second_factor", set_second_factor},
    {"log", "level", set_log_level},
    {"log", "file", set_log_file},
    {"metrics", "listen", set_metrics_listen},
    {"portal", "listen", set_portal_listen},
    {"portal", "socket", set_portal_socket},
    {"portal", "group", set_portal_group},
    {"portal", "certificate", set_portal_certificate},
    {"portal", "key", set_portal_key},
    {"portal", "downloads", set_portal_downloads},
    {"portal", "log", set_portal_log},
    {"portal", "url", set_portal_url},
    {"audit", "enterprise", set_audit_enterprise},
    {"mail", "server", set_mail_server},
    {"mail", "tls", set_mail_tls},
    {"mail", "user", set_mail_user},
    {"mail", "password_file", set_mail_password_file},
    {"mail", "ca_file", set_mail_ca_file},
    {"mail", "from", set_mail_from},
#define X(section, key, member, min, max, dflt) {section, key, set_##member},
    CONFIG_NUMBER_MAP(X) CONFIG_DURATION_MAP(X) CONFIG_SIZE_MAP(X)
#undef X
        {NULL, NULL, NULL},
};

/* Port and what hangs together in [mail]. */
static int fill_in_mail(struct config *c, struct fault *f)
{
    static const long ports[] = {
        [MAIL_TLS_STARTTLS] = 587, [MAIL_TLS_IMPLICIT] = 465, [MAIL_TLS_NONE] = 25};
    const char *wrong = NULL;

    if (c->mail_port == 0)
        c->mail_port = ports[c->mail_tls];
    if (c->mail_server[0] != '\0' && c->mail_from[0] == '\0')
        wrong = "from is missing: the address that mail comes from";
    else if (c->mail_server[0] == '\0' && c->mail_from[0] != '\0')
        wrong = "server is missing";
    else if ((c->mail_user[0] != '\0') != (c->mail_password_file[0] != '\0'))
        wrong = "user and password_file go together";
    else if (c->mail_user[0] != '\0' && c->mail_tls == MAIL_TLS_NONE)
        wrong = "user: a password is not sent without TLS (tls = starttls or implicit)";
    return wrong == NULL ? 0 : fault_set(f, PRA_EINVAL, "%s: [mail] %s", c->file, wrong);
}

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
    if (c->clone == POLICY_CLONE_DEFAULT)
        c->clone = POLICY_CLONE_REFUSE;
    if (c->keepalive_timeout <= c->keepalive_delay)
        return fault_set(f, PRA_EINVAL,
                         "%s: [keepalive] timeout (%ld s) must be longer than delay (%ld s)",
                         c->file, c->keepalive_timeout, c->keepalive_delay);
    return fill_in_mail(c, f);
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
    c->sandbox = true;
    if (strlen(path) >= sizeof(c->file))
        return fault_set(f, PRA_EINVAL, "the path of the configuration file is too long");
    memcpy(c->file, path, strlen(path) + 1);
    rc = conf_load(path, keys, c, f);
    return rc != 0 ? rc : fill_in(c, f);
}
