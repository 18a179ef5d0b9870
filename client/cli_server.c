/* `pra server set` and `pra server show`: where the gateway is (A2). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli.h"
#include "client/cli_profile.h"
#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/cli_text.h"
#include "client/server_change.h"

enum { SET_FINGERPRINT, SET_PROXY };

static const struct cli_option set_options[] = {
    {"fingerprint",
     'f',
     "SHA256:...",
     {"the gateway's host key, as the administrator gave it",
      "管理者から伝えられたゲートウェイのホスト鍵"}},
    {"proxy",
     'p',
     "HOST:PORT",
     {"go through this HTTP proxy; 'none' = directly",
      "経由する HTTP プロキシ。none で直接接続に戻します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run_set(int argc, char **argv);
static int run_show(int argc, char **argv);

const struct cli_command cli_server_set = {
    .name = "server set",
    .synopsis = "HOST[:PORT] [--fingerprint SHA256:...] [--proxy HOST:PORT|none]",
    .summary = {"say where the company's gateway is", "SUS サーバアドレスを設定します"},
    .about =
        {"Notes the address of the company's gateway; the port is 10022 unless you say otherwise.\n"
         "A known host key is forgotten only when the host is another one.",
         "会社のゲートウェイ(SUS サーバ)のアドレスを設定します。ポートの既定値は 10022 です。\n"
         "確認済みのホスト鍵は、別のホストに変えたときだけ破棄されます。"},
    .options = set_options,
    .min_operands = 1,
    .max_operands = 1,
    .example = "server set gw.example.com --fingerprint SHA256:...",
    .run = run_set,
};

static const struct cli_option show_options[] = {
    {"json", 'j', NULL, {"print JSON", "JSON で出力します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

const struct cli_command cli_server_show = {
    .name = "server show",
    .synopsis = "[--json]",
    .summary = {"show that address", "SUS サーバアドレスを表示します"},
    .about = {"Shows the gateway's address, the fingerprint that was set and the proxy.",
              "ゲートウェイのアドレス、設定した指紋(フィンガープリント)、プロキシを表示します。"},
    .options = show_options,
    .example = "server show --json",
    .run = run_show,
};

void server_say_next(const struct paths *paths, const struct config *c, bool forgot)
{
    char server[ADDR_TEXT_MAX], user[4 * PROFILE_USER_MAX + 1];

    fprintf(stderr, tr("Server address: %s\n", "SUS サーバアドレス: %s\n"),
            config_format_address(&c->server, c->server_port, server));
    if (forgot)
        fputs(tr("The host key of the former server was forgotten.\n",
                 "以前のサーバのホスト鍵は破棄しました。\n"),
              stderr);
    if (c->fingerprint[0] == '\0' && access(paths->known_host, F_OK) != 0)
        fputs(tr("At the first connection PRA shows the gateway's fingerprint and asks you to "
                 "compare it.\n",
                 "初回の接続時にゲートウェイの指紋を表示しますので、管理者から伝えられたものと"
                 "比べてください。\n"),
              stderr);
    if (access(paths->key_file, F_OK) != 0)
        fprintf(stderr, tr("Next: pra keygen --user %s\n", "次の手順: pra keygen --user %s\n"),
                c->user[0] != '\0' ? text_clean(user, sizeof(user), c->user)
                                   : tr("NAME", "ユーザ名"));
    else if (remote_connected(paths))
        fputs(tr("Next: pra disconnect, then pra connect (the running connection keeps the old "
                 "address)\n",
                 "次の手順: pra disconnect のあと pra connect"
                 "(現在の接続は以前のアドレスのままです)\n"),
              stderr);
    else
        fputs(tr("Next: pra connect\n", "次の手順: pra connect\n"), stderr);
}

static int run_set(int argc, char **argv)
{
    struct cli_args args;
    struct paths paths;
    struct config old, wanted = {0};
    char why[SERVER_WHY_MAX];
    struct server_change change = {.server = &wanted};
    struct fault f = {0};
    bool moved = false;
    int code = cli_parse(&cli_server_set, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (!server_read_address(args.operand[0], &wanted, why))
        return cli_usage(&cli_server_set, "%s", why);
    if (args.value[SET_PROXY] != NULL) {
        if (!server_read_proxy(args.value[SET_PROXY], &wanted, why))
            return cli_usage(&cli_server_set, "--proxy %s", why);
        change.proxy = &wanted;
    }
    change.fingerprint = args.value[SET_FINGERPRINT];
    if (change.fingerprint != NULL && config_check_fingerprint(change.fingerprint, &f) != 0)
        return cli_usage(&cli_server_set, "--fingerprint: %s", f.text);
    if (remote_paths(&paths) != CLI_OK || remote_config(&paths, &old) != CLI_OK)
        return CLI_FAILED;
    if (server_change(&paths, &old, &change, &moved, &f) != 0)
        return cli_fail(tr("the settings cannot be saved", "設定を保存できません"), &f);
    server_say_next(&paths, &old, moved);
    return CLI_OK;
}

static int run_show(int argc, char **argv)
{
    char server[ADDR_TEXT_MAX] = "", proxy[ADDR_TEXT_MAX] = "";
    struct cli_args args;
    struct paths paths;
    struct config c;
    struct table *t;
    int code = cli_parse(&cli_server_show, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK || remote_config(&paths, &c) != CLI_OK)
        return CLI_FAILED;
    if (c.has_server)
        config_format_address(&c.server, c.server_port, server);
    if (c.has_proxy)
        config_format_address(&c.proxy, c.proxy_port, proxy);
    if (args.value[0] != NULL) {
        json_t *doc = json_pack(
            "{s:s?, s:s?, s:s?, s:s?, s:s?}", "server", server[0] ? server : NULL, "fingerprint",
            c.fingerprint[0] ? c.fingerprint : NULL, "user", c.user[0] ? c.user : NULL, "proxy",
            proxy[0] ? proxy : NULL, "name", c.name[0] ? c.name : NULL);
        code = cli_print_json(doc);
        json_decref(doc);
        return code;
    }
    if (!c.has_server)
        return cli_fail(tr("no server address is set; 'pra server set HOST' sets it",
                           "SUS サーバアドレスが設定されていません。"
                           "「pra server set ホスト名」で設定してください"),
                        NULL);
    t = table_new(2);
    if (c.name[0] != '\0')
        table_row(t, TEXT_PLAIN, (const char *[]){tr("Name", "名前"), c.name});
    table_row(t, TEXT_PLAIN, (const char *[]){tr("Server", "SUS サーバアドレス"), server});
    table_row(t, TEXT_PLAIN,
              (const char *[]){tr("Fingerprint", "指紋"),
                               c.fingerprint[0] ? c.fingerprint
                                                : tr("not set: the key seen first is kept",
                                                     "未設定(最初に確認した鍵を使います)")});
    table_row(t, TEXT_PLAIN,
              (const char *[]){tr("Proxy", "プロキシ"), proxy[0] ? proxy : tr("none", "なし")});
    table_print(t, stdout, 0);
    table_free(t);
    return CLI_OK;
}
