/*
 * config.ini of the client. Unknown keys and bad values are errors with file:line.
 *
 *   [server]      address = host[:port]      fingerprint = SHA256:...     user = name
 *                 name = words for people    (from a profile)
 *                 lookup_interval = 1m       (D6; 0 = not while connected)
 *   [proxy]       address = host:port        (HTTP CONNECT; empty = direct)
 *   [dead_peer]   delay = 30s   timeout = 120s   action = hold|clear        (D4)
 *   [tunnel]      connections = 4   idle = 1m   (connections of one tunnel; unused ones close)
 *   [log]         level = info   size = 4M   keep = 5
 */
#ifndef PRA_CLIENT_CONFIG_H
#define PRA_CLIENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/log.h"
#include "common/profile.h"

#define CONFIG_DEFAULT_PORT PROFILE_DEFAULT_PORT

enum config_dead_action { CONFIG_DEAD_HOLD, CONFIG_DEAD_CLEAR };

struct config {
    bool has_server;
    struct addr_host server;
    uint16_t server_port;
    char fingerprint[64];            /* "SHA256:..." or "" */
    char user[65];                   /* "" = the key file's user */
    char name[PROFILE_NAME_MAX + 1]; /* of the connection, for people; "" = none */
    long lookup_interval; /* seconds between lookups of the name while connected; 0 = none */
    bool has_proxy;
    struct addr_host proxy;
    uint16_t proxy_port;
    long dead_delay, dead_timeout; /* seconds */
    enum config_dead_action dead_action;
    long tunnel_connections; /* 1 ... SPREAD_MAX */
    long tunnel_idle;        /* seconds */
    enum log_level log_level;
    long log_size;
    long log_keep;
};

/* Reads `path`; a missing file gives the defaults. A user without a server has the one that was
   installed. Returns 0, PRA_EINVAL, PRA_EIO. */
int config_load(const char *path, struct config *out, struct fault *f);

/* What the installer set for every user of this PC: `name` is "Server" or "Fingerprint" (Windows:
   HKLM\Software\PRA). Returns whether there is one of less than `cap` bytes. */
bool config_installed(const char *name, char *dst, size_t cap);

/* Writes the whole file anew (temp, fsync, rename). Returns 0, PRA_EIO. */
int config_save(const char *path, const struct config *c, struct fault *f);

/* "host:port" or "[v6]:port". Returns `dst`. */
const char *config_format_address(const struct addr_host *host, uint16_t port,
                                  char dst[ADDR_TEXT_MAX]);

/* What [server] accepts, for arguments too: "SHA256:" and 43 base64 digits; a name of at most 64
   bytes without blanks. Return 0, PRA_EINVAL. */
int config_check_fingerprint(const char *text, struct fault *f);
int config_check_user(const char *text, struct fault *f);

#endif
