/* server_change.h */
#include "client/server_change.h"

#include <stdio.h>
#include <string.h>

#include "client/hostkey.h"
#include "common/i18n.h"

bool server_read_address(const char *text, struct config *c, char why[SERVER_WHY_MAX])
{
    const char *scheme = strstr(text, "://");

    if (addr_parse_host_port(text, CONFIG_DEFAULT_PORT, &c->server, &c->server_port) == 0) {
        c->has_server = true;
        return true;
    }
    if (scheme != NULL)
        snprintf(why, SERVER_WHY_MAX,
                 tr("'%.200s' is a web address; give the host only, without '%.*s'",
                    "'%.200s' は URL です。'%.*s' を除いたホスト名を指定してください"),
                 text, (int)(scheme - text) + 3, text);
    else
        snprintf(why, SERVER_WHY_MAX,
                 tr("'%.200s' is no address; a name or IP address is expected, such as "
                    "gw.example.com, 192.0.2.1 or gw.example.com:10022",
                    "'%.200s' はアドレスとして読めません。gw.example.com、192.0.2.1、"
                    "gw.example.com:10022 のように指定してください"),
                 text);
    return false;
}

bool server_read_proxy(const char *text, struct config *c, char why[SERVER_WHY_MAX])
{
    if (strcmp(text, "none") == 0) {
        c->has_proxy = false;
        return true;
    }
    if (addr_parse_host_port(text, 0, &c->proxy, &c->proxy_port) == 0) {
        c->has_proxy = true;
        return true;
    }
    snprintf(why, SERVER_WHY_MAX,
             tr("'%.200s' is not HOST:PORT, such as proxy.example.com:8080",
                "'%.200s' は HOST:PORT (例 proxy.example.com:8080) の形ではありません"),
             text);
    return false;
}

int server_change(const struct paths *paths, struct config *c, const struct server_change *change,
                  bool *moved, struct fault *f)
{
    bool other = c->has_server && strcmp(c->server.name, change->server->server.name) != 0;
    int rc = 0;

    c->has_server = true;
    c->server = change->server->server;
    c->server_port = change->server->server_port;
    if (change->proxy != NULL) {
        c->has_proxy = change->proxy->has_proxy;
        c->proxy = change->proxy->proxy;
        c->proxy_port = change->proxy->proxy_port;
    }
    if (other)
        c->fingerprint[0] = '\0';
    if (change->fingerprint != NULL)
        snprintf(c->fingerprint, sizeof(c->fingerprint), "%s", change->fingerprint);
    /* The pin goes first: with the old key forgotten and the old address still there nothing is
       trusted that was not before. */
    if (other || change->fingerprint != NULL)
        rc = hostkey_pin_forget(paths->known_host, f);
    if (rc == 0)
        rc = config_save(paths->config_file, c, f);
    if (rc == 0)
        *moved = other;
    return rc;
}
