/* The checks of this PC's network: DHCP or fixed, address, gateway, DNS, proxy (C12). */
#include "client/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/netinfo.h"
#include "common/addr.h"
#include "common/i18n.h"

static void check_mode(struct check *c, const struct netinfo *n)
{
    const char *what = tr("Address assignment", "アドレスの割り当て");

    switch (n->mode) {
    case NETINFO_DHCP:
        check_add(c, "address_type", CHECK_OK, NULL, "%s: DHCP (%s)", what, n->evidence);
        return;
    case NETINFO_FIXED:
        check_add(c, "address_type", CHECK_OK, NULL,
                  tr("%s: fixed (%s)", "%s: 固定 IP アドレス (%s)"), what, n->evidence);
        return;
    case NETINFO_UNKNOWN:
        break;
    }
    check_add(c, "address_type", CHECK_OK, NULL,
              tr("%s: unknown (this system does not tell whether DHCP or fixed)",
                 "%s: 不明 (DHCP か固定かを示す情報がありません)"),
              what);
}

static void check_addresses(struct check *c, const struct netinfo *n)
{
    if (n->interface[0] == '\0') {
        check_add(
            c, "address", CHECK_FAIL,
            tr("Connect this PC to a network (cable, Wi-Fi), then try again.",
               "ケーブルまたは無線 LAN でネットワークに接続してから、もう一度お試しください。"),
            "%s",
            tr("Network: no default route, this PC is not on a network",
               "ネットワーク: 既定の経路がなく、ネットワークに接続されていません"));
        return;
    }
    if (n->address[0] != '\0')
        check_add(c, "address", CHECK_OK, NULL, tr("Address: %s (%s)", "IP アドレス: %s (%s)"),
                  n->address, n->interface);
    else
        check_add(c, "address", CHECK_WARN, NULL,
                  tr("Address: none found on %s", "IP アドレス: %s にアドレスがありません"),
                  n->interface);
    check_add(c, "gateway", CHECK_OK, NULL, tr("Default gateway: %s", "デフォルトゲートウェイ: %s"),
              n->gateway);
}

static void check_dns(struct check *c, const struct netinfo *n)
{
    char list[NETINFO_DNS_MAX * (NETINFO_ADDR_MAX + 2)] = "";

    for (size_t i = 0; i < n->dns_count; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i > 0 ? ", " : "",
                 n->dns[i]);
    if (n->dns_count > 0)
        check_add(c, "dns", CHECK_OK, NULL, tr("DNS servers: %s", "DNS サーバ: %s"), list);
    else
        check_add(c, "dns", CHECK_WARN,
                  tr("Names cannot be looked up; ask your administrator for a DNS server.",
                     "名前を解決できません。DNS サーバを管理者に確認してください。"),
                  "%s", tr("DNS servers: none set", "DNS サーバ: 設定されていません"));
}

/* The proxy that the session's environment or this system names, without its password. */
static bool find_proxy(char *dst, size_t cap, const char **where)
{
    for (size_t i = 0; netinfo_proxy_names[i] != NULL; i++) {
        const char *value = getenv(netinfo_proxy_names[i]);

        *where = netinfo_proxy_names[i];
        if (value != NULL && netinfo_proxy_address(value, dst, cap))
            return true;
    }
    return netinfo_system_proxy(dst, cap, where);
}

static void check_proxy(struct check *c)
{
    char ours[ADDR_TEXT_MAX], found[ADDR_TEXT_MAX], command[ADDR_TEXT_MAX + 160];
    const char *where = NULL;

    if (c->has_config && c->config.has_proxy) {
        check_add(c, "proxy", CHECK_OK, NULL, tr("Proxy: PRA uses %s", "プロキシ: %s を経由します"),
                  config_format_address(&c->config.proxy, c->config.proxy_port, ours));
        return;
    }
    if (!find_proxy(found, sizeof(found), &where)) {
        check_add(c, "proxy", CHECK_OK, NULL, "%s",
                  tr("Proxy: none, PRA connects directly", "プロキシ: なし (直接接続します)"));
        return;
    }
    snprintf(command, sizeof(command),
             tr("If the gateway cannot be reached: pra server set HOST --proxy %s",
                "ゲートウェイに接続できない場合: pra server set ホスト名 --proxy %s"),
             found);
    check_add(c, "proxy", CHECK_WARN, command,
              tr("Proxy: %s names %s, but PRA connects directly",
                 "プロキシ: %s に %s が設定されていますが、PRA は直接接続します"),
              where, found);
}

void check_network(struct check *c)
{
    struct netinfo n;

    netinfo_read("", &n);
    if (n.interface[0] != '\0')
        check_mode(c, &n);
    check_addresses(c, &n);
    check_dns(c, &n);
    check_proxy(c);
}
