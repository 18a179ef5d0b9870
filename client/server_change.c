/* server_change.h */
#include "client/server_change.h"

#include <stdio.h>
#include <string.h>

#include "client/hostkey.h"
#include "common/i18n.h"
#include "common/utf8.h"

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
    utf8_mend(why);
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
    utf8_mend(why);
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
    if (other) {
        c->fingerprint[0] = '\0';
        c->name[0] = '\0';
    }
    if (change->fingerprint != NULL)
        snprintf(c->fingerprint, sizeof(c->fingerprint), "%s", change->fingerprint);
    if (change->user != NULL)
        snprintf(c->user, sizeof(c->user), "%s", change->user);
    if (change->name != NULL)
        snprintf(c->name, sizeof(c->name), "%s", change->name);
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

enum profile_effect profile_compare(const struct paths *paths, const struct config *c,
                                    const struct profile *p)
{
    char server[ADDR_TEXT_MAX + 2];
    struct hostkey_pin pin;
    bool pinned;

    if (!c->has_server)
        return PROFILE_FIRST;
    if (c->server_port != p->port || strcmp(c->server.name, p->server.name) != 0)
        return PROFILE_OTHER_SERVER;
    pinned = hostkey_pin_read(paths->known_host, &pin, NULL) == 0 &&
             strcmp(pin.server, hostkey_server_name(&p->server, p->port, server)) == 0;
    if (c->fingerprint[0] != '\0') {
        if (strcmp(c->fingerprint, p->fingerprint) != 0)
            return PROFILE_OTHER_KEY;
    } else if (pinned && strcmp(pin.fingerprint, p->fingerprint) != 0) {
        return PROFILE_OTHER_KEY;
    }
    if (c->user[0] != '\0' && strcmp(c->user, p->user) != 0)
        return PROFILE_OTHER_USER;
    return c->fingerprint[0] == '\0' || c->user[0] == '\0' || strcmp(c->name, p->name) != 0
               ? PROFILE_ADDS
               : PROFILE_SAME;
}

const char *profile_effect_words(enum profile_effect effect)
{
    switch (effect) {
    case PROFILE_SAME:
        return tr("These settings are set already.", "この設定はすでに設定済みです。");
    case PROFILE_FIRST:
        return tr("No server is set on this PC yet.",
                  "この PC にはまだサーバが設定されていません。");
    case PROFILE_ADDS:
        return tr("It adds to the settings of this server.", "このサーバの設定に追加します。");
    case PROFILE_OTHER_USER:
        return tr("Another user name is set on this PC.",
                  "この PC には別のユーザ名が設定されています。");
    case PROFILE_OTHER_KEY:
        return tr(
            "Careful: another key of this server was trusted until now. Ask your administrator "
            "whether the gateway's key has changed.",
            "注意: これまで信頼していたサーバの鍵と異なります。ゲートウェイの鍵が変更されたか、"
            "システム管理者さまへ確認してください。");
    case PROFILE_OTHER_SERVER:
        return tr(
            "Careful: another server is set on this PC. Its key will be forgotten.",
            "注意: この PC には別のサーバが設定されています。以前のサーバの鍵は破棄されます。");
    }
    return "";
}

int profile_apply(const struct paths *paths, struct config *c, const struct profile *p, bool *moved,
                  struct fault *f)
{
    struct config wanted = {.has_server = true, .server = p->server, .server_port = p->port};
    struct server_change change = {
        .server = &wanted, .fingerprint = p->fingerprint, .user = p->user, .name = p->name};

    /* What stays the same keeps its pin, too. */
    if (strcmp(c->fingerprint, p->fingerprint) == 0 && c->has_server &&
        strcmp(c->server.name, p->server.name) == 0)
        change.fingerprint = NULL;
    return server_change(paths, c, &change, moved, f);
}
