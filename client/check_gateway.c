/*
 * The checks of the way to the gateway, in the order in which a connection takes it: name, TCP (or
 * proxy), `10022 OK!`, clock, host key. What depends on a step that failed is not asked.
 */
#include "client/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/check_probe.h"
#include "client/dial.h"
#include "client/hostkey.h"
#include "client/sock.h"
#include "common/i18n.h"

/* Differences of the clocks, in seconds, from which it is noted and called wrong (D9). */
#define CLOCK_NOTE_S  30
#define CLOCK_WRONG_S 300

#define PORT_DNS 53
#define PORT_NTP 123

struct way {
    char server[ADDR_TEXT_MAX];           /* host:port, for people */
    char via[ADDR_TEXT_MAX];              /* " (proxy h:p)" or "" */
    struct dial_addresses first;          /* of the gateway, or of the proxy */
    size_t used;                          /* which of them answered */
    enum check_reach dns, proxy, gateway; /* who answered */
};

/* A fault's sentence in this language where its code says it all. */
static const char *why(const struct fault *f)
{
    switch (f->code) {
    case PRA_ENOENT:
        return tr("there is no such name", "その名前は登録されていません");
    case PRA_ETIMEOUT:
        return tr("no answer", "応答がありません");
    case PRA_ECLOSED:
        return tr("refused", "接続が拒否されました");
    case PRA_EACCES:
        return tr("the proxy asks for a login", "プロキシが認証を要求しています");
    default:
        return f->text;
    }
}

/* The name that this PC must look up itself: the proxy's where there is one. */
static const struct addr_host *first_host(const struct check *c)
{
    return c->config.has_proxy ? &c->config.proxy : &c->config.server;
}

static uint16_t first_port(const struct check *c)
{
    return c->config.has_proxy ? c->config.proxy_port : c->config.server_port;
}

static bool check_name(struct check *c, struct way *w)
{
    const struct addr_host *host = first_host(c);
    struct fault f = {0};
    const char *what = c->config.has_proxy ? tr("Name of the proxy", "プロキシの名前解決")
                                           : tr("Name of the server", "サーバの名前解決");
    char text[46];
    int rc = dial_resolve(host, check_step_ms(c), &w->first, &f);

    if (!host->is_ip)
        w->dns = rc == 0 || rc == PRA_ENOENT ? CHECK_OPEN : CHECK_CLOSED;
    if (rc != 0) {
        check_add(c, "resolve", CHECK_FAIL,
                  tr("Check the spelling (pra server show) and the DNS servers above.",
                     "アドレスの綴り(pra server show)と、上記の DNS サーバを確認してください。"),
                  tr("%s: %s is not found: %s", "%s: %s が見つかりません: %s"), what, host->name,
                  why(&f));
        check_add_code(c, c->config.has_proxy ? MSG_PROXY_FAILED : MSG_RULES_ADDRESS);
        return false;
    }
    if (host->is_ip)
        check_add(c, "resolve", CHECK_OK, NULL,
                  tr("%s: %s is an address", "%s: %s は IP アドレスです"), what, host->name);
    else
        check_add(c, "resolve", CHECK_OK, NULL, tr("%s: %s is %s", "%s: %s は %s です"), what,
                  host->name, addr_format_ip(&w->first.ip[0], text));
    return true;
}

/* Connects as far as the gateway's port. Returns a descriptor or -1, without reporting. */
static int open_way(struct check *c, struct way *w, struct fault *f)
{
    int fd = -1, rc = dial_connect(&w->first, first_port(c), check_step_ms(c), &fd, &w->used, f);

    if (c->config.has_proxy) {
        w->proxy = rc == 0 ? CHECK_OPEN : CHECK_CLOSED;
        if (rc == 0)
            rc = probe_proxy(fd, &c->config.server, c->config.server_port, check_step_ms(c), f);
    }
    w->gateway = rc == 0 ? CHECK_OPEN : CHECK_CLOSED;
    if (rc == 0)
        return fd;
    if (fd >= 0)
        sock_close(fd);
    return -1;
}

static void report_blocked(struct check *c, const struct way *w, const struct fault *f)
{
    if (c->config.has_proxy)
        check_add(c, "tcp", CHECK_FAIL,
                  tr("Check the proxy's address; the proxy must allow CONNECT to this port.",
                     "プロキシのアドレスを確認してください。プロキシでこのポートへの CONNECT を"
                     "許可する必要があります。"),
                  tr("TCP %u: no way to %s through the proxy: %s",
                     "TCP %u: プロキシ経由で %s に接続できません: %s"),
                  c->config.server_port, w->server, f->text);
    else
        check_add(
            c, "tcp", CHECK_FAIL,
            tr("The port may be blocked on this PC, in this network or on the way; security "
               "software and firewall must let it out.",
               "PC 側か、社内ネットワークまたは経路上でこのポートが遮断されている可能性があります。"
               "セキュリティソフトなどの制限を解除してください。"),
            tr("TCP %u: %s cannot be reached: %s", "TCP %u: %s に接続できません: %s"),
            c->config.server_port, w->server, why(f));
    check_add_code(c, c->config.has_proxy ? MSG_PROXY_FAILED : MSG_RULES_PORT);
}

/* "1 day 2 h", "4 min 10 s": the two largest units. */
static const char *duration_words(long long seconds, char dst[64])
{
    long long days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;

    if (days > 0)
        snprintf(dst, 64, tr("%lld d %lld h", "%lld 日 %lld 時間"), days, hours);
    else if (hours > 0)
        snprintf(dst, 64, tr("%lld h %lld min", "%lld 時間 %lld 分"), hours, minutes);
    else if (minutes > 0)
        snprintf(dst, 64, tr("%lld min %lld s", "%lld 分 %lld 秒"), minutes, seconds % 60);
    else
        snprintf(dst, 64, tr("%lld s", "%lld 秒"), seconds);
    return dst;
}

static void check_clock(struct check *c, const struct probe_answer *a)
{
    const char *set =
        tr("Set date, time and time zone, or switch automatic time on.",
           "日付、時刻、タイムゾーンを正しく設定するか、自動設定を有効にしてください。");
    long long off = (long long)(a->local - a->date);
    long long size = off < 0 ? -off : off;
    char words[64];

    if (!a->has_date)
        check_add(c, "clock", CHECK_WARN, NULL, "%s",
                  tr("Clock: the gateway did not tell its time",
                     "時計: ゲートウェイの時刻を確認できませんでした"));
    else if (size < CLOCK_NOTE_S)
        check_add(c, "clock", CHECK_OK, NULL,
                  tr("Clock: agrees with the gateway's (difference %s)",
                     "時計: ゲートウェイと一致しています (差 %s)"),
                  duration_words(size, words));
    else
        check_add(c, "clock", size < CLOCK_WRONG_S ? CHECK_WARN : CHECK_FAIL, set,
                  off > 0 ? tr("Clock: this PC is %s ahead of the gateway",
                               "時計: この PC はゲートウェイより %s進んでいます")
                          : tr("Clock: this PC is %s behind the gateway",
                               "時計: この PC はゲートウェイより %s遅れています"),
                  duration_words(size, words));
    if (a->has_date && size >= CLOCK_NOTE_S)
        check_add_code(c, MSG_CLOCK);
}

/* A first connection asks as a browser does. Returns whether something answers. */
static bool check_port(struct check *c, struct way *w)
{
    struct probe_answer answer;
    struct fault f = {0};
    int rc, fd = open_way(c, w, &f);

    if (fd < 0) {
        report_blocked(c, w, &f);
        return false;
    }
    rc = probe_browser(fd, c->config.server.name, check_step_ms(c), &answer);
    sock_close(fd);
    if (rc == 0 && answer.ok) {
        check_add(
            c, "tcp", CHECK_OK, NULL,
            tr("TCP %u: %s answers 10022 OK!%s", "TCP %u: %s から 10022 OK! の応答がありました%s"),
            c->config.server_port, w->server, w->via);
        check_clock(c, &answer);
        return true;
    }
    check_add(c, "tcp", CHECK_FAIL,
              rc == 0 ? tr("Something else answers there: check the server address.",
                           "別のサービスが応答しています。サーバアドレスを確認してください。")
                      : tr("The port is open but nothing comes back: a firewall may inspect it.",
                           "接続後の通信が途中で遮断されている可能性があります。"),
              tr("TCP %u: %s takes the connection but does not answer 10022 OK!%s",
                 "TCP %u: %s に接続できますが、10022 OK! の応答がありません%s"),
              c->config.server_port, w->server, w->via);
    check_add_code(c, rc == 0 ? MSG_RULES_ADDRESS : MSG_LINK_BLOCKED);
    return rc == 0;
}

/* The fingerprint that is expected: the configured one, else the pin of this server, else "". */
static void find_expected(const struct check *c, char *dst, size_t cap)
{
    char name[ADDR_TEXT_MAX + 2];
    struct hostkey_pin pin;

    hostkey_server_name(&c->config.server, c->config.server_port, name);
    dst[0] = '\0';
    if (c->config.fingerprint[0] != '\0')
        snprintf(dst, cap, "%s", c->config.fingerprint);
    else if (hostkey_pin_read(c->paths->known_host, &pin, NULL) == 0 &&
             strcmp(pin.server, name) == 0)
        snprintf(dst, cap, "%s", pin.fingerprint);
}

static void compare_host_key(struct check *c, const char *seen)
{
    char expected[sizeof(c->config.fingerprint)];

    find_expected(c, expected, sizeof(expected));
    if (expected[0] == '\0')
        check_add(c, "host_key", CHECK_WARN,
                  tr("Compare it with the administrator's at the first connection, or set it: pra "
                     "server set HOST --fingerprint SHA256:...",
                     "初回の接続時に管理者から伝えられたものと比べるか、設定してください: "
                     "pra server set ホスト名 --fingerprint SHA256:..."),
                  tr("Host key: %s, not confirmed yet", "ホスト鍵: %s (未確認)"), seen);
    else if (strcmp(expected, seen) == 0)
        check_add(c, "host_key", CHECK_OK, NULL,
                  tr("Host key: %s, as known", "ホスト鍵: %s (確認済みのものと一致)"), seen);
    else {
        check_add(c, "host_key", CHECK_FAIL,
                  tr("Do not connect; tell your administrator. Somebody may be in between, or the "
                     "gateway was set up anew.",
                     "接続せずに管理者に連絡してください。通信が盗聴されているか、"
                     "ゲートウェイが作り直された可能性があります。"),
                  tr("Host key: %s, but %s is expected", "ホスト鍵: %s (本来は %s)"), seen,
                  expected);
        check_add_code(c, MSG_HOSTKEY_CHANGED);
    }
}

static void check_host_key(struct check *c, const struct way *w)
{
    struct config direct = c->config;
    char seen[SSHKEY_FINGERPRINT_MAX] = "", detail[CHECK_TEXT_MAX] = "", text[46];
    struct addr_host *first = c->config.has_proxy ? &direct.proxy : &direct.server;

    /* The address that answered stands for the name, so that nobody asks the resolver again. */
    first->is_ip = true;
    first->ip = w->first.ip[w->used];
    snprintf(first->name, sizeof(first->name), "%s", addr_format_ip(&first->ip, text));
    if (probe_host_key(&direct, check_step_ms(c), seen, detail, sizeof(detail)) == CAUSE_NONE) {
        compare_host_key(c, seen);
        return;
    }
    check_add(
        c, "host_key", CHECK_FAIL,
        tr("This may be no PRA gateway: check the server address.",
           "PRA のゲートウェイではない可能性があります。サーバアドレスを確認してください。"),
        tr("Host key: no SSH connection to %s: %s", "ホスト鍵: %s と SSH で通信できません: %s"),
        w->server, detail[0] != '\0' ? detail : tr("no answer", "応答がありません"));
    check_add_code(c, MSG_RULES_ADDRESS);
}

/* The rows of the table of ports (B5). */
static void list_ports(struct check *c, const struct way *w)
{
    uint16_t port =
        c->has_config && c->config.has_server ? c->config.server_port : CONFIG_DEFAULT_PORT;

    if (c->config.has_proxy)
        check_add_port(c, c->config.proxy_port, CHECK_OUT, "TCP", true, w->proxy,
                       tr("HTTP proxy", "HTTP プロキシ"));
    check_add_port(c, port, CHECK_OUT, "TCP", true, w->gateway,
                   c->config.has_proxy
                       ? tr("SSH: to the gateway (opened by the proxy)",
                            "SSH: ゲートウェイとの通信に使用 (プロキシが接続)")
                       : tr("SSH: to the gateway", "SSH: ゲートウェイとの通信に使用"));
    check_add_port(c, PORT_DNS, CHECK_OUT, "TCP/UDP", false, w->dns,
                   tr("DNS: looks the gateway's name up", "DNS: サーバの名前解決に使用"));
    check_add_port(c, PORT_NTP, CHECK_OUT, "UDP", false, CHECK_UNTESTED,
                   tr("NTP: keeps the clock right", "NTP: 時刻合わせに使用"));
}

void check_gateway(struct check *c)
{
    struct way w = {.dns = CHECK_UNTESTED, .proxy = CHECK_UNTESTED, .gateway = CHECK_UNTESTED};
    char proxy[ADDR_TEXT_MAX];

    if (!c->has_config || !c->config.has_server) {
        if (c->has_config) {
            check_add(c, "server", CHECK_FAIL, "pra server set HOST", "%s",
                      tr("Server address: not set", "SUS サーバアドレス: 設定されていません"));
            check_add_code(c, MSG_RULES_ADDRESS);
        }
        list_ports(c, &w);
        return;
    }
    config_format_address(&c->config.server, c->config.server_port, w.server);
    if (c->config.has_proxy)
        snprintf(w.via, sizeof(w.via), tr(" (through %.*s)", " (%.*s 経由)"),
                 (int)(sizeof(w.via) - 32),
                 config_format_address(&c->config.proxy, c->config.proxy_port, proxy));
    check_add(c, "server", CHECK_OK, NULL, tr("Server address: %s", "SUS サーバアドレス: %s"),
              w.server);
    if (check_name(c, &w) && check_port(c, &w))
        check_host_key(c, &w);
    list_ports(c, &w);
}
