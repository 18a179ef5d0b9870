/* `pra check` and `pra log collect`: what a user runs, and sends, when something does not work. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/check.h"
#include "client/cli.h"
#include "client/cli_remote.h"
#include "client/cli_text.h"
#include "client/collect.h"

static int run_check(int argc, char **argv);
static int run_collect(int argc, char **argv);

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

enum { COLLECT_OUTPUT };

static const struct cli_option collect_options[] = {
    {"output",
     'o',
     "FILE.zip",
     {"where to write (pra-log-USER-PC-TIME.zip here)",
      "出力先(省略時は現在のフォルダの pra-log-ユーザ名-PC名-日時.zip)"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

const struct cli_command cli_log_collect = {
    .name = "log collect",
    .synopsis = "[-o FILE.zip]",
    .summary = {"pack the logs for the helpdesk", "問い合わせ用にログを一つのファイルにまとめます"},
    .about = {"Packs System.log, User.log, the result of 'pra check' and the environment into one\n"
              "file for the helpdesk and lists what is inside. It holds no passphrase and no key.",
              "System.log、User.log、「pra check」の結果、環境の情報を一つの zip にまとめ、\n"
              "中身を表示します。パスフレーズと鍵は含まれません。"},
    .options = collect_options,
    .example = "log collect -o report.zip",
    .run = run_collect,
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

static void show_bundle(const struct collect *c, const char *path)
{
    struct table *t = table_new(3);

    fprintf(stdout, tr("Written: %s\n", "保存しました: %s\n"), path);
    for (size_t i = 0; i < c->count; i++) {
        char size[16];

        text_bytes(size, c->file[i].len);
        table_row(t, TEXT_PLAIN,
                  (const char *[]){c->file[i].name, size, collect_describe(c->file[i].name)});
    }
    table_print(t, stdout, 2);
    table_free(t);
    if (c->chain_broken)
        fputs(tr("A log was changed or has lines missing; chain.txt says where.\n",
                 "ログが変更されたか、行が欠けています。詳細は chain.txt にあります。\n"),
              stdout);
    if (c->session[0] != '\0')
        fprintf(stdout, tr("Audit reference: %s\n", "監査の参照番号: %s\n"), c->session);
    fputs(tr("It holds no passphrase and no key.\n", "パスフレーズと鍵は含まれていません。\n"),
          stdout);
}

/* The given path, or a name in the current folder. */
static void choose_path(const struct paths *paths, const char *given, char path[OS_PATH_MAX])
{
    if (given != NULL)
        snprintf(path, OS_PATH_MAX, "%s", given);
    else
        collect_propose_name(paths, path);
}

/* Runs the checks and gathers everything. */
static int gather(const struct paths *paths, struct collect *c, struct fault *f)
{
    struct check *check = calloc(1, sizeof(*check));
    json_t *doc = NULL;
    int rc;

    if (check != NULL) {
        check_run(paths, check);
        doc = check_json(check);
    }
    rc = collect_gather(paths, doc, c, f);
    json_decref(doc);
    free(check);
    return rc;
}

static int run_collect(int argc, char **argv)
{
    char path[OS_PATH_MAX];
    struct collect *c = NULL;
    struct cli_args args;
    struct paths paths;
    struct fault f = {0};
    int rc, code = cli_parse(&cli_log_collect, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (args.value[COLLECT_OUTPUT] != NULL && (args.value[COLLECT_OUTPUT][0] == '\0' ||
                                               strlen(args.value[COLLECT_OUTPUT]) >= OS_PATH_MAX))
        return cli_usage(&cli_log_collect, "%s",
                         tr("-o needs the name of a file", "-o にはファイル名を指定してください"));
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    choose_path(&paths, args.value[COLLECT_OUTPUT], path);
    rc = collect_check_target(path, &f);
    if (rc == 0) {
        c = calloc(1, sizeof(*c));
        rc = c == NULL ? PRA_ENOMEM : 0;
    }
    if (rc == 0 && isatty(STDERR_FILENO) == 1)
        fputs(tr("Collecting (up to 20 s) ...\n", "収集しています(最長 20 秒) ...\n"), stderr);
    if (rc == 0)
        rc = gather(&paths, c, &f);
    if (rc == 0)
        rc = collect_write(c, path, &f);
    if (rc == 0)
        show_bundle(c, path);
    else if (rc == PRA_EEXIST)
        cli_fail(tr("not written, choose another name with -o",
                    "保存しませんでした。-o で別の名前を指定してください"),
                 &f);
    else
        cli_fail(tr("the bundle cannot be written; -o chooses another place",
                    "保存できません。-o で別の場所を指定してください"),
                 &f);
    if (c != NULL)
        collect_free(c);
    free(c);
    return rc == 0 ? CLI_OK : CLI_FAILED;
}
