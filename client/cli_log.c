/* `pra log collect` and `pra log send`: the log bundle, as a file or to the helpdesk's gateway. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/check.h"
#include "client/cli.h"
#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/cli_text.h"
#include "client/collect.h"
#include "client/log_send.h"

static int run_collect(int argc, char **argv);
static int run_send(int argc, char **argv);

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

enum { SEND_JSON };

static const struct cli_option send_options[] = {
    {"json", 'j', NULL, {"print JSON", "JSON で出力します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

const struct cli_command cli_log_send = {
    .name = "log send",
    .synopsis = "[--json]",
    .summary = {"send the logs to the helpdesk", "問い合わせ用にログを送信します"},
    .about = {"Packs what 'pra log collect' packs and sends it to the gateway over the connection\n"
              "that is up; the helpdesk sees it there. Prints the number under which it is kept.\n"
              "It holds no passphrase and no key, and is kept for 90 days.",
              "「pra log collect」と同じ内容をまとめ、接続中のゲートウェイに送信します。\n"
              "ヘルプデスクの画面に表示されます。受付番号を表示します。パスフレーズと鍵は\n"
              "含まれません。90 日間保存されます。"},
    .options = send_options,
    .example = "log send",
    .run = run_send,
};

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

/* What `pra check --json` says; NULL when out of memory. New reference. */
static json_t *checked(const struct paths *paths)
{
    struct check *check = calloc(1, sizeof(*check));
    json_t *doc = NULL;

    if (check != NULL) {
        check_run(paths, check);
        doc = check_json(check);
    }
    free(check);
    return doc;
}

static int gather(const struct paths *paths, struct collect *c, struct fault *f)
{
    json_t *check = checked(paths);
    int rc = collect_gather(paths, check, COLLECT_TOTAL_MAX, c, f);

    json_decref(check);
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

/* ---- sending ------------------------------------------------------------------------------- */

/* Why the gateway, or the agent, does not take it. */
static int fail_send(const char *reason)
{
    char text[512];
    bool hand_over;
    const char *why = log_send_refusal(reason, &hand_over);

    if (!hand_over)
        return cli_fail(why, NULL);
    if (strcmp(reason, "offline") == 0)
        snprintf(
            text, sizeof(text),
            tr("%s: connect first (pra connect), or hand over the file of 'pra log collect'",
               "%s。先に接続するか(pra connect)、「pra log collect」のファイルをお渡しください"),
            why);
    else
        snprintf(text, sizeof(text),
                 tr("%s: hand over the file of 'pra log collect'",
                    "%s。「pra log collect」のファイルをお渡しください"),
                 why);
    return cli_fail(text, NULL);
}

static int send_file(const struct paths *paths, const char *path, bool json)
{
    struct ipc *ipc = NULL;
    json_t *reply = NULL;
    int code = remote_open(paths, true, &ipc);

    if (code == CLI_NOT_CONNECTED) {
        fail_send("offline");
        return code;
    }
    if (code == CLI_OK)
        code = remote_call(ipc, log_send_request(path), LOG_SEND_TIMEOUT_MS, &reply);
    ipc_close(ipc);
    if (code == CLI_OK && strcmp(show_member(reply, "state"), "done") != 0) {
        code =
            strcmp(show_member(reply, "reason"), "offline") == 0 ? CLI_NOT_CONNECTED : CLI_FAILED;
        fail_send(show_member(reply, "reason"));
    } else if (code == CLI_OK && json) {
        json_object_del(reply, "ok");
        json_object_del(reply, "reason");
        code = cli_print_json(reply);
    } else if (code == CLI_OK) {
        fprintf(stdout,
                tr("Sent. Tell the helpdesk this number: %s\n", "送信しました。受付番号: %s\n"),
                show_member(reply, "bundle"));
    }
    json_decref(reply);
    return code;
}

static int pack(const struct paths *paths, char path[OS_PATH_MAX], struct fault *f)
{
    json_t *check = checked(paths);
    int rc = log_send_pack(paths, check, path, f);

    json_decref(check);
    return rc;
}

static int run_send(int argc, char **argv)
{
    char path[OS_PATH_MAX];
    struct cli_args args;
    struct paths paths;
    struct fault f = {0};
    int rc, code = cli_parse(&cli_log_send, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    if (!remote_connected(&paths)) {
        fail_send("offline");
        return CLI_NOT_CONNECTED;
    }
    if (isatty(STDERR_FILENO) == 1)
        fputs(tr("Collecting (up to 20 s) and sending ...\n", "収集して送信しています ...\n"),
              stderr);
    rc = pack(&paths, path, &f);
    if (rc == PRA_ETOOBIG)
        return fail_send("size");
    if (rc != 0)
        return cli_fail(tr("the bundle cannot be made", "ログをまとめられません"), &f);
    code = send_file(&paths, path, args.value[SEND_JSON] != NULL);
    unlink(path);
    return code;
}
