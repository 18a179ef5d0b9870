/*
 * prad.ini: the settings of the gateway, read by prad, `prad --check` and pra-admin alike.
 *
 * Every setting is one entry of the tables below: section, key, member, limits and default stand
 * in one place. An unknown section or key, or a value out of its limits, is an error that names
 * file and line. Relative paths are relative to the file. README.md lists what each one does.
 */
#ifndef PRA_SERVER_CONFIG_H
#define PRA_SERVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/log.h"
#include "common/os.h"
#include "server/policy/policy.h"

#define CONFIG_DEFAULT_PATH   "/etc/pra/prad.ini"
#define CONFIG_PORTAL_DIR     "/var/lib/pra-portal"
#define CONFIG_PORTAL_PORT    10443
#define CONFIG_LISTEN_MAX     16
#define CONFIG_URL_MAX        200
#define CONFIG_MAIL_MAX       254 /* RFC 5321, 4.5.3.1.3 */
#define CONFIG_ENTERPRISE_MAX 28  /* with "pra@" the 32 characters of RFC 5424, 6.3.2 */
#define CONFIG_NAME_MAX       64  /* names of system users and groups */

struct config_listen {
    struct addr_ip ip;
    uint16_t port;
};

/* CONFIG_NUMBER(section, key, member, min, max, default) */
#define CONFIG_NUMBER_MAP(X)                                                                       \
    X("limits", "max_startups", max_startups, 1, 1000000, 10000)                                   \
    X("limits", "max_startups_per_source", max_startups_per_source, 1, 1000000, 1000)              \
    X("limits", "max_sessions", max_sessions, 1, 1000000, 100000)                                  \
    X("limits", "max_sessions_per_user", max_sessions_per_user, 1, 100000, 64)                     \
    X("limits", "max_channels_per_session", max_channels_per_session, 1, 65536, 1024)              \
    X("limits", "max_connections_per_session", max_connections, 1, 8, 4)                           \
    X("limits", "max_sessions_per_device", user_device_sessions, 0, 100000, 0)                     \
    X("limits", "user_max_connections", user_connections, 0, 1000000, 0)                           \
    X("limits", "user_rate", user_rate, 0, 1000000, 0)                                             \
    X("limits", "user_burst", user_burst, 0, 1000000, 0)                                           \
    X("limits", "rule_max_connections", rule_connections, 0, 1000000, 0)                           \
    X("limits", "rule_rate", rule_rate, 0, 1000000, 0)                                             \
    X("limits", "rule_burst", rule_burst, 0, 1000000, 0)                                           \
    X("limits", "max_auth_tries", max_auth_tries, 1, 100, 6)                                       \
    X("limits", "audit_queue", audit_queue, 64, 1000000, 16384)                                    \
    X("mail", "port", mail_port, 1, 65535, 0)                                                      \
    X("audit", "keep_days", audit_keep_days, 0, 36500, 0)                                          \
    X("alerts", "failures", alert_failures, 0, 1000000, 10)

/* CONFIG_DURATION(section, key, member, min, max, default): seconds. */
#define CONFIG_DURATION_MAP(X)                                                                     \
    X("limits", "login_grace", login_grace, 1, 600, 30)                                            \
    X("limits", "connect_timeout", connect_timeout, 1, 60, 5)                                      \
    X("limits", "hello_timeout", hello_timeout, 1, 600, 15)                                        \
    X("limits", "join_timeout", join_timeout, 1, 300, 30)                                          \
    X("limits", "drain_timeout", drain_timeout, 0, 3600, 10)                                       \
    X("limits", "penalty_authfail", penalty_authfail, 0, 86400, 5)                                 \
    X("limits", "penalty_grace_exceeded", penalty_grace_exceeded, 0, 86400, 10)                    \
    X("limits", "penalty_noauth", penalty_noauth, 0, 86400, 1)                                     \
    X("limits", "penalty_min", penalty_min, 0, 86400, 15)                                          \
    X("limits", "penalty_max", penalty_max, 0, 86400, 600)                                         \
    X("limits", "rekey_time", rekey_time, 60, 86400, 3600)                                         \
    X("limits", "channel_idle", channel_idle, 0, 31536000, 0)                                      \
    X("limits", "session_idle", session_idle, 0, 31536000, 0)                                      \
    X("limits", "session_time", session_time, 0, 31536000, 0)                                      \
    X("alerts", "failures_window", alert_failures_s, 10, 86400, 600)                               \
    X("keepalive", "delay", keepalive_delay, 1, 3600, 30)                                          \
    X("keepalive", "timeout", keepalive_timeout, 2, 86400, 120)                                    \
    X("login", "second_factor_lease", second_factor_lease, 0, 30L * 86400, 12L * 3600)             \
    X("login", "second_factor_time", second_factor_time, 10, 600, 120)                             \
    X("mail", "retry", mail_retry, 1, 3600, 60)                                                    \
    X("mail", "timeout", mail_timeout, 1, 600, 60)

/* CONFIG_SIZE(section, key, member, min, max, default): bytes. */
#define CONFIG_SIZE_MAP(X)                                                                         \
    X("limits", "session_buffer", session_buffer, 65536, 1 << 30, 4 << 20)                         \
    X("limits", "channel_window", channel_window, 65536, 1 << 30, 128 << 20)                       \
    X("limits", "rekey_data", rekey_data, 65536, 1L << 40, 1 << 30)                                \
    X("limits", "user_upload", user_upload, 0, 1L << 40, 0)                                        \
    X("limits", "user_download", user_download, 0, 1L << 40, 0)                                    \
    X("limits", "user_quota_day", user_quota_day, 0, 1L << 60, 0)                                  \
    X("limits", "user_quota_month", user_quota_month, 0, 1L << 60, 0)                              \
    X("limits", "rule_upload", rule_upload, 0, 1L << 40, 0)                                        \
    X("limits", "rule_download", rule_download, 0, 1L << 40, 0)                                    \
    X("alerts", "disk_free", alert_disk_free, 0, 1L << 50, 512 << 20)

/* How mail goes to its server; the words are those of [mail] tls. */
enum config_mail_tls { MAIL_TLS_STARTTLS, MAIL_TLS_IMPLICIT, MAIL_TLS_NONE };

struct config {
    char file[OS_PATH_MAX]; /* where this was read from */

    struct config_listen listen[CONFIG_LISTEN_MAX]; /* default 0.0.0.0:10022 */
    unsigned listen_count;
    char host_key[OS_PATH_MAX];         /* default: host_key beside the database */
    unsigned workers;                   /* 0 = auto: one per core */
    char public_address[ADDR_TEXT_MAX]; /* host[:port] that profiles name; "" = not told */
    char user[CONFIG_NAME_MAX + 1];     /* to become after start as root; "" = stay */
    bool sandbox;                       /* seccomp and Landlock; default yes */

    char store_url[OS_PATH_MAX + 16]; /* "sqlite:/absolute/path" */
    char store_dir[OS_PATH_MAX];      /* the database's folder */

    char admin_socket[OS_PATH_MAX];        /* default: admin.sock beside the database */
    char admin_group[CONFIG_NAME_MAX + 1]; /* members may administer; "" = none */

    bool second_factor; /* is asked of users for whom nothing else is set; default no */

    char audit_enterprise[CONFIG_ENTERPRISE_MAX + 1]; /* for syslog's structured data; "" = none */

    enum policy_clone clone; /* when two machines use one key; default refuse */
    bool refuse_weak_keys;   /* of PRA clients that say their key is weakly bound; default no */

    enum log_level log_level;   /* default info */
    char log_file[OS_PATH_MAX]; /* "" = stderr */

    struct config_listen metrics_listen; /* port 0 (default): no /metrics */

    char portal_listen[ADDR_TEXT_MAX];      /* default 0.0.0.0:10443 */
    char portal_socket[OS_PATH_MAX];        /* default: portal.sock beside the database */
    char portal_certificate[OS_PATH_MAX];   /* default: portal.crt in CONFIG_PORTAL_DIR */
    char portal_key[OS_PATH_MAX];           /* default: portal.key in CONFIG_PORTAL_DIR */
    char portal_downloads[OS_PATH_MAX];     /* folder of what is handed out; "" = none */
    char portal_log[OS_PATH_MAX];           /* "" = stderr */
    char portal_group[CONFIG_NAME_MAX + 1]; /* whose members may connect to it; "" = none */
    char portal_url[CONFIG_URL_MAX +
                    1]; /* how browsers reach it, for links in mail; "" = no links */

    char mail_server[ADDR_HOST_MAX];      /* "" = no mail */
    enum config_mail_tls mail_tls;        /* default starttls */
    char mail_user[CONFIG_MAIL_MAX + 1];  /* "" = without AUTH */
    char mail_password_file[OS_PATH_MAX]; /* read for each mail, by the process that sends it */
    char mail_ca_file[OS_PATH_MAX];       /* "" = the system's authorities */
    char mail_from[CONFIG_MAIL_MAX + 1];  /* the sender's address */

#define X(section, key, member, min, max, dflt) long member;
    CONFIG_NUMBER_MAP(X) CONFIG_DURATION_MAP(X) CONFIG_SIZE_MAP(X)
#undef X
};

/*
 * Reads `path` and fills in defaults. Returns 0, PRA_ENOENT, PRA_EIO, PRA_EINVAL; the sentence
 * in `f` names the file, and the line where there is one. `c` is undefined after a failure.
 */
int config_load(const char *path, struct config *c, struct fault *f);

#endif
