/* `pra check`: what a user runs when something does not work. */
#include <stdlib.h>
#include <unistd.h>

#include "client/check.h"
#include "client/cli.h"
#include "client/cli_remote.h"

static int run_check(int argc, char **argv);

static const struct cli_option check_options[] = {
    {"json", 'j', NULL, {"print JSON", "JSON で出力します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

const struct cli_command cli_check = {
    .name = "check",
    .synopsis = "[--json]",
    .summary = {"look at network, gateway, clock, key and ports",
                "ネットワーク、ゲートウェイ、時計、鍵、ポートを調べます"},
    .about =
        {"Looks at what a connection needs: DHCP or fixed address, DNS, proxy, the way to the\n"
         "gateway, clock, key and local ports; says what to do about each. Exits with 1 if\n"
         "something fails, and takes at most 20 seconds.",
         "接続に必要なもの(DHCP か固定 IP か、DNS、プロキシ、ゲートウェイまでの経路、時計、\n"
         "鍵、ローカルポート)を調べ、対処を表示します。異常があれば終了コード 1 です。\n"
         "最長 20 秒かかります。"},
    .options = check_options,
    .example = "check",
    .run = run_check,
};

static int run_check(int argc, char **argv)
{
    struct check *check = NULL;
    struct cli_args args;
    struct paths paths;
    json_t *doc;
    int code = cli_parse(&cli_check, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    check = calloc(1, sizeof(*check));
    if (check == NULL)
        return cli_fail(tr("out of memory", "メモリが足りません"), NULL);
    if (isatty(STDERR_FILENO) == 1)
        fputs(tr("Checking (up to 20 s) ...\n", "確認しています(最長 20 秒) ...\n"), stderr);
    check_run(&paths, check);
    code = CLI_OK;
    if (args.value[0] != NULL) {
        doc = check_json(check);
        code = cli_print_json(doc);
        json_decref(doc);
    } else {
        check_print(check, stdout);
    }
    if (code == CLI_OK && check_failed(check))
        code = CLI_FAILED;
    free(check);
    return code;
}
