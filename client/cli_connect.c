/*
 * `pra connect` (A8): what can be told before a passphrase is asked for, the passphrase, and then an
 * attempt (cli_attempt.h); and `pra agent`. The passphrase lives in one struct that is wiped on every
 * way out.
 */
#include <stdlib.h>
#include <string.h>

#include "client/agent.h"
#include "client/cli.h"
#include "client/cli_ask.h"
#include "client/cli_attempt.h"
#include "client/cli_profile.h"
#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/cli_text.h"
#include "common/conf.h"
#include "common/crypto.h"
#include "common/os.h"
#include "keys/keyfile.h"

#define WAIT_DEFAULT_S 30
#define WAIT_MAX_S     86400

enum { OPT_USER, OPT_PASSPHRASE_FILE, OPT_CODE_FILE, OPT_WAIT, OPT_FOREGROUND };

static const struct cli_option options[] = {
    {"user",
     'u',
     "NAME",
     {"the user name, if not the key's (case matters)",
      "ユーザ名(省略時は鍵のユーザ名。大文字と小文字は区別されます)"}},
    {"passphrase-file",
     'p',
     "FILE",
     {"read the passphrase from FILE's first line; - = standard input",
      "パスフレーズを FILE の 1 行目から読みます。- は標準入力"}},
    {"code-file",
     'c',
     "FILE",
     {"where the gateway wants one: read the code from FILE's first line; - = standard input",
      "2 要素認証のコードを FILE の 1 行目から読みます。- は標準入力"}},
    {"wait",
     'w',
     "SECONDS",
     {"how long to wait for the connection (30; 0 = do not wait)",
      "接続完了を待つ秒数(既定値 30、0 は待たない)"}},
    {"foreground",
     0,
     NULL,
     {"stay here as the agent, until Ctrl-C", "このコマンド自身が接続を保ちます(Ctrl-C で切断)"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run_connect(int argc, char **argv);
static int run_agent(int argc, char **argv);

const struct cli_command cli_connect = {
    .name = "connect",
    .synopsis =
        "[FILE.pra] [--user NAME] [--passphrase-file FILE|-] [--code-file FILE|-] [--wait SECONDS]"
        " [--foreground]",
    .summary = {"connect and open the forwards", "接続し、ポート転送を開始します"},
    .about =
        {"Asks for the passphrase of this PC's key, connects to the gateway and lists every\n"
         "forward with ● (ready) or ×. The connection stays up in the background and comes back\n"
         "by itself until 'pra disconnect'. With a profile from your administrator, its settings\n"
         "are taken first, as by 'pra profile import'.",
         "この PC の鍵のパスフレーズを尋ねてゲートウェイに接続し、各ポート転送の状態を\n"
         "●(使用可) または × で表示します。接続はバックグラウンドで保たれ、切れても自動で\n"
         "再接続します。「pra "
         "disconnect」で終了します。管理者から渡された接続プロファイルを指定すると、\n"
         "「pra profile import」と同じように設定を取り込んでから接続します。"},
    .options = options,
    .max_operands = 1,
    .example = "connect --wait 60",
    .run = run_connect,
};

const struct cli_command cli_agent = {
    .name = "agent",
    .synopsis = "",
    .summary = {"the background process itself", "バックグラウンドのプロセス本体"},
    .about = {"Runs the agent, which 'pra connect' starts by itself. Nobody needs to type this.",
              "「pra connect」が自動的に起動するエージェントです。直接実行する必要はありません。"},
    .hidden = true,
    .run = run_agent,
};

static int read_code_file(struct attempt *a, const char *file)
{
    struct fault f = {0};
    int rc = os_read_secret_file(file, a->code, sizeof(a->code), &f);

    if (rc == 0)
        return CLI_OK;
    return cli_fail(tr("the code's file cannot be used", "コードのファイルが使えません"), &f);
}

static int read_passphrase_file(struct attempt *a, const char *file)
{
    struct fault f = {0};
    int rc = os_read_secret_file(file, a->passphrase, sizeof(a->passphrase), &f);

    if (rc == 0)
        return CLI_OK;
    return cli_fail(tr("the passphrase file cannot be used", "パスフレーズのファイルが使えません"),
                    &f);
}

/* What can be told before a passphrase is asked for. */
static int check_ready(const struct attempt *a, const struct config *config,
                       struct keyfile_info *info)
{
    struct fault f = {0};
    int rc;

    if (!config->has_server)
        return cli_fail_msg(
            MSG_RULES_ADDRESS,
            &(struct msg_args){.server = tr("(none)", "(なし)"),
                               .detail = tr("no address is set", "アドレスが設定されていません")});
    rc = keyfile_inspect(a->paths.key_file, info, &f);
    if (rc == PRA_ENOENT)
        return cli_fail_msg(MSG_KEY_MISSING, &(struct msg_args){.detail = f.text});
    if (rc != 0)
        return cli_fail_msg(MSG_KEY_DAMAGED,
                            &(struct msg_args){.detail = f.text,
                                               .user = config->user[0] != '\0'
                                                           ? config->user
                                                           : tr("NAME", "ユーザ名")});
    return CLI_OK;
}

/*
 * A connection that stands already is shown, not made again; in the foreground it is an error, since
 * this process would not stay. One that waits for a code gets it: the key is open. CLI_GO_ON = there is
 * none.
 */
static int show_standing(struct attempt *a, bool foreground)
{
    struct ipc *ipc = NULL;
    json_t *reply = NULL;
    const json_t *status;
    int code = remote_open(&a->paths, true, &ipc);

    if (code == CLI_NOT_CONNECTED)
        return CLI_GO_ON;
    if (code == CLI_OK)
        code = remote_call(ipc, json_pack("{s:s}", "op", "status"), REMOTE_TIMEOUT_MS, &reply);
    if (code == CLI_OK) {
        status = json_object_get(reply, "status");
        if (attempt_in_state(status, "code") && !foreground) {
            code = attempt_with_code(a);
        } else if (!attempt_in_state(status, "connected")) {
            code = CLI_GO_ON;
        } else if (foreground) {
            code = attempt_fail_running(NULL);
        } else if (a->user != NULL && strcmp(a->user, show_member(status, "user")) != 0) {
            code =
                cli_fail(tr("connected already as another user; 'pra disconnect' first",
                            "別のユーザ名で接続中です。先に「pra disconnect」で切断してください"),
                         NULL);
        } else {
            fputs(tr("Connected already.\n", "すでに接続しています。\n"), stderr);
            show_forwards(stdout, json_object_get(status, "forwards"), false);
            remote_tell_replaced(&a->paths);
        }
    }
    json_decref(reply);
    ipc_close(ipc);
    return code;
}

/* A file that cannot be read is told first; a person is asked only where there is something to
   connect. */
static int carry_out(struct attempt *a, const char *file, const char *code_file, bool foreground)
{
    int code = file != NULL ? read_passphrase_file(a, file) : CLI_OK;

    if (code == CLI_OK && code_file != NULL)
        code = read_code_file(a, code_file);
    if (code == CLI_OK)
        code = show_standing(a, foreground);
    if (code != CLI_GO_ON)
        return code;
    if (file == NULL) {
        a->typed = true;
        code = ask_passphrase(&cli_connect, a->shown_user, a->passphrase, sizeof(a->passphrase));
        if (code != CLI_OK)
            return code;
    }
    return foreground ? attempt_in_foreground(a) : attempt_in_background(a);
}

static int read_options(const struct cli_args *args, struct attempt *a)
{
    const char *wait = args->value[OPT_WAIT];
    struct fault f = {0};

    a->wait_s = WAIT_DEFAULT_S;
    a->user = args->value[OPT_USER];
    if (a->user != NULL && (a->user[0] == '\0' || config_check_user(a->user, &f) != 0))
        return cli_usage(&cli_connect, tr("--user '%s' is no user name", "--user '%s' は無効です"),
                         a->user);
    if (args->value[OPT_PASSPHRASE_FILE] != NULL && args->value[OPT_CODE_FILE] != NULL &&
        strcmp(args->value[OPT_PASSPHRASE_FILE], "-") == 0 &&
        strcmp(args->value[OPT_CODE_FILE], "-") == 0)
        return cli_usage(&cli_connect, "%s",
                         tr("only one of passphrase and code can come from standard input",
                            "標準入力から読めるのは、パスフレーズとコードのどちらか一方です"));
    if (wait != NULL && args->value[OPT_FOREGROUND] != NULL)
        return cli_usage(&cli_connect, "%s",
                         tr("--wait has no meaning with --foreground, which stays anyway",
                            "--wait は --foreground と同時に指定できません"));
    if (wait != NULL && conf_parse_number(wait, 0, WAIT_MAX_S, &a->wait_s, &f) != 0)
        return cli_usage(&cli_connect,
                         tr("--wait '%s' is no number of seconds (0 to %d)",
                            "--wait '%s' は秒数 (0 から %d) ではありません"),
                         wait, WAIT_MAX_S);
    return CLI_OK;
}

/* A connection that stands keeps the settings it was made with: it would not be the profile's. */
static int take_profile(const struct attempt *a, const char *file, struct config *config)
{
    bool changed = false;
    int code = profile_take(&a->paths, file, false, config, &changed, NULL);

    if (code == CLI_OK && changed && remote_connected(&a->paths))
        code = cli_fail(tr("the settings are set, but a connection with the former ones is up; "
                           "'pra disconnect' first",
                           "設定しましたが、以前の設定で接続中です。"
                           "先に「pra disconnect」で切断してください"),
                        NULL);
    return code;
}

static int run_connect(int argc, char **argv)
{
    struct keyfile_info info;
    struct attempt *a = NULL;
    struct config config;
    struct cli_args args;
    int code = cli_parse(&cli_connect, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    a = calloc(1, sizeof(*a));
    if (a == NULL)
        return cli_fail(tr("out of memory", "メモリが足りません"), NULL);
    code = read_options(&args, a);
    if (code == CLI_OK)
        code = remote_paths(&a->paths);
    if (code == CLI_OK)
        code = remote_config(&a->paths, &config);
    if (code == CLI_OK && args.count > 0)
        code = take_profile(a, args.operand[0], &config);
    if (code == CLI_OK)
        code = check_ready(a, &config, &info);
    if (code != CLI_OK)
        goto out;
    a->shown_user = a->user != NULL ? a->user : config.user[0] != '\0' ? config.user : info.user;
    code = carry_out(a, args.value[OPT_PASSPHRASE_FILE], args.value[OPT_CODE_FILE],
                     args.value[OPT_FOREGROUND] != NULL);
out:
    crypto_wipe(a, sizeof(*a));
    free(a);
    return code;
}

static int run_agent(int argc, char **argv)
{
    struct cli_args args;
    struct paths paths;
    struct fault f = {0};
    int rc, code = cli_parse(&cli_agent, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    rc = agent_run(&paths, NULL, &f);
    return rc == 0 ? CLI_OK : cli_fail(tr("the agent ended", "エージェントが終了しました"), &f);
}
