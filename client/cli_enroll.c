/*
 * `pra enroll`: hands this PC's public key to the gateway with the administrator's code and waits for
 * the decision (enroll.h). The passphrase is needed to sign with the key; it is wiped on every way out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli.h"
#include "client/cli_ask.h"
#include "client/cli_key.h"
#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/cli_text.h"
#include "client/enroll.h"
#include "client/enroll_code.h"
#include "client/kdf_progress.h"
#include "client/keymake.h"
#include "client/keyopen.h"
#include "client/problem.h"
#include "common/crypto.h"
#include "common/os.h"
#include "common/utf8.h"

#define CODE_MAX 64
/* How often a person may mistype. */
#define PASSPHRASE_TRIES 3

static int run_enroll(int argc, char **argv);

enum { OPT_CODE, OPT_PASSPHRASE_FILE, OPT_ACCEPT, OPT_JSON };

static const struct cli_option options[] = {
    {"code",
     'c',
     "CODE",
     {"the code from your administrator; without it you are asked; - = the first line of standard "
      "input",
      "管理者から伝えられた登録コード(省略すると入力を求めます)。- は標準入力の 1 行目"}},
    {"passphrase-file",
     'p',
     "FILE",
     {"read the passphrase from FILE's first line; - = standard input",
      "パスフレーズを FILE の 1 行目から読みます。- は標準入力"}},
    {"accept",
     'a',
     "FINGERPRINT",
     {"the gateway's fingerprint, if you have compared it already",
      "照合済みのゲートウェイの指紋(フィンガープリント)"}},
    {"json",
     'j',
     NULL,
     {"print each step as a line of JSON", "進み具合を 1 行ずつ JSON で出力します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

const struct cli_command cli_enroll = {
    .name = "enroll",
    .synopsis = "[--code CODE|-] [--passphrase-file FILE|-] [--accept FINGERPRINT] [--json]",
    .summary = {"register this PC's key with a code from the administrator",
                "管理者の登録コードで、この PC の公開鍵を登録します"},
    .about =
        {"Sends the public key of this PC to the gateway with the code that your administrator\n"
         "gave you, and waits until the administrator has approved it. Make the key first\n"
         "(pra keygen). If the wait is cut off, run the same command again: it goes on.",
         "管理者から伝えられた登録コードを使って、この PC の公開鍵をゲートウェイに送り、\n"
         "管理者の承認を待ちます。先に鍵を生成してください(pra keygen)。待機が中断した場合は、\n"
         "同じコマンドをもう一度実行すると続きから待機します。"},
    .options = options,
    .example = "enroll --code ABCD-EFGH-IJKL-MNOP",
    .run = run_enroll,
};

struct request {
    struct paths paths;
    struct config config;
    struct keyopen key;
    char user[KEYFILE_USER_MAX + 1]; /* whose key it is; `key` says so only once it is open */
    char passphrase[KEYFILE_PASS_MAX + 1];
    char code[CODE_MAX];
    char accept[SSHKEY_FINGERPRINT_MAX];
    bool json;
};

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* A step for a program that reads; takes the reference. */
static void print_step(json_t *step)
{
    char *line = json_dumps(step, JSON_COMPACT);

    if (line != NULL)
        puts(line);
    fflush(stdout);
    free(line);
    json_decref(step);
}

/* What is wrong, in words and for a program; returns CLI_FAILED. */
static int fail_step(const struct request *r, enum msg_id id, const struct msg_args *args)
{
    if (r->json) {
        struct problem p = {.id = id};

        (void)snprintf(p.server, sizeof(p.server), "%s", or_empty(args->server));
        utf8_copy(p.user, sizeof(p.user), or_empty(args->user));
        utf8_copy(p.name, sizeof(p.name), or_empty(args->name));
        utf8_copy(p.detail, sizeof(p.detail), or_empty(args->detail));
        print_step(json_pack("{s:s, s:o}", "state", "error", "error", problem_json(&p)));
    }
    return cli_fail_msg(id, args);
}

/* ---- what is needed ------------------------------------------------------------------------ */

static int get_code(const char *given, char dst[CODE_MAX])
{
    struct fault f = {0};

    if (given != NULL && strcmp(given, "-") == 0) {
        if (os_read_secret_file("-", dst, CODE_MAX, &f) != 0)
            return cli_fail(tr("the code cannot be read", "登録コードを読めません"), &f);
        given = dst;
    }
    if (given == NULL && !ask_possible())
        return cli_usage(&cli_enroll, "%s", tr("--code is missing", "--code を指定してください"));
    if (given == NULL) {
        fputs(tr("Enrollment code: ", "登録コード: "), stderr);
        if (fgets(dst, CODE_MAX, stdin) == NULL)
            dst[0] = '\0';
        dst[strcspn(dst, "\r\n")] = '\0';
        given = dst;
    }
    if (strlen(given) >= CODE_MAX || !enroll_code_ok(given))
        return cli_usage(&cli_enroll, "%s",
                         tr("a code has 16 letters and digits, such as ABCD-EFGH-IJKL-MNOP",
                            "登録コードは英数字 16 文字です(例: ABCD-EFGH-IJKL-MNOP)"));
    if (given != dst)
        memcpy(dst, given, strlen(given) + 1);
    return CLI_OK;
}

/* What can be told before a passphrase is asked for. */
static int check_ready(struct request *r, const char *accept)
{
    struct keyfile_info info;
    struct fault f = {0};
    int rc;

    if (accept != NULL && config_check_fingerprint(accept, &f) != 0)
        return cli_usage(&cli_enroll, "--accept: %s", f.text);
    if (accept != NULL) /* which fits then */
        (void)snprintf(r->accept, sizeof(r->accept), "%s", accept);
    if (!r->config.has_server)
        return fail_step(
            r, MSG_RULES_ADDRESS,
            &(struct msg_args){.server = tr("(none)", "(なし)"),
                               .detail = tr("no address is set", "アドレスが設定されていません")});
    rc = keyfile_inspect(r->paths.key_file, &info, &f);
    if (rc != 0)
        return fail_step(r, keymake_inspect_problem(rc),
                         &(struct msg_args){.user = tr("NAME", "ユーザ名"), .detail = f.text});
    (void)snprintf(r->user, sizeof(r->user), "%s", info.user);
    return CLI_OK;
}

static int fail_key(const struct request *r, int rc, const struct fault *f)
{
    char names[MSG_TEXT_MAX];

    keyfile_describe_changes(&r->key.report, names, sizeof(names));
    return fail_step(r, cause_msg(keyopen_cause(rc, &r->key)),
                     &(struct msg_args){.user = r->user,
                                        .name = names,
                                        .detail = f->text[0] != '\0' ? f->text : err_text(rc)});
}

/* Opens the key; a person may mistype. */
static int open_key(struct request *r, const char *file)
{
    for (unsigned tries = 1;; tries++) {
        struct kdf_progress *shown;
        struct fault f = {0};
        int rc = 0;

        if (file != NULL)
            rc = os_read_secret_file(file, r->passphrase, sizeof(r->passphrase), &f);
        else if (ask_passphrase(&cli_enroll, r->user, r->passphrase, sizeof(r->passphrase)) !=
                 CLI_OK)
            return CLI_FAILED;
        if (rc != 0)
            return cli_fail(
                tr("the passphrase file cannot be used", "パスフレーズのファイルが使えません"), &f);
        shown = kdf_progress_start(tr("Opening the key", "鍵を開いています"));
        rc = keyopen(r->paths.key_file, r->passphrase, &r->key, &f);
        kdf_progress_stop(shown);
        crypto_wipe(r->passphrase, sizeof(r->passphrase));
        if (rc == 0)
            return CLI_OK;
        fail_key(r, rc, &f);
        if (file != NULL || rc != PRA_EPASSPHRASE || tries == PASSPHRASE_TRIES)
            return CLI_FAILED;
    }
}

/* ---- what is shown ------------------------------------------------------------------------- */

static void show_waiting(const struct enroll_progress *p)
{
    char user[128], fingerprint[128], expires[64], when[64];

    show_local_time(p->expires, when, sizeof(when));
    fprintf(stderr,
            tr("The key was handed in for the user %s. Its fingerprint is\n\n    %s\n\n"
               "Waiting for your administrator, who sees the same fingerprint (until %s).\n"
               "Ctrl-C ends the wait; the same command goes on with it.\n",
               "ユーザ %s の公開鍵を送信しました。指紋(フィンガープリント)は\n\n    %s\n\nです。"
               "システム管理者さまの承認を待っています(期限 %s)。管理者の画面にも同じ指紋が\n"
               "表示されます。Ctrl-C で待機を中断できます。同じコマンドで再開できます。\n"),
            text_clean(user, sizeof(user), p->user),
            text_clean(fingerprint, sizeof(fingerprint), p->fingerprint),
            text_clean(expires, sizeof(expires), when));
}

static void print_progress(const struct enroll_progress *p)
{
    if (p->step == ENROLL_CONNECTS)
        print_step(json_pack("{s:s, s:s}", "state", "connecting", "server", p->server));
    else if (p->step == ENROLL_WAITS)
        print_step(json_pack("{s:s, s:s, s:s, s:s}", "state", "waiting", "user", p->user,
                             "fingerprint", p->fingerprint, "expires", p->expires));
    else
        print_step(json_pack("{s:s, s:s, s:i}", "state", "lost", "detail", p->detail, "retry_in",
                             (int)p->seconds));
}

static void on_progress(void *ctx, const struct enroll_progress *p)
{
    const struct request *r = ctx;
    char clean[256];

    if (r->json) {
        print_progress(p);
        return;
    }
    switch (p->step) {
    case ENROLL_CONNECTS:
        fprintf(stderr, tr("Connecting to %s ...\n", "%s に接続しています ...\n"), p->server);
        break;
    case ENROLL_WAITS:
        show_waiting(p);
        break;
    case ENROLL_LOST:
        fprintf(stderr,
                tr("The connection was lost (%s). The request stays; trying again in %u s ...\n",
                   "接続が切れました(%s)。登録の依頼は残っています。%u 秒後に再試行します ...\n"),
                text_clean(clean, sizeof(clean), p->detail), p->seconds);
        break;
    }
    fflush(stderr);
}

static int show_outcome(const struct request *r, const struct enroll_outcome *o)
{
    char server[ADDR_TEXT_MAX], clean[128];

    config_format_address(&r->config.server, r->config.server_port, server);
    if (r->json && o->replaced)
        print_step(json_pack("{s:s}", "state", "replaced"));
    if (o->replaced)
        return cli_fail(tr("another 'pra enroll' on this PC waits instead of this one",
                           "この PC の別の「pra enroll」が代わりに待機しています"),
                        NULL);
    if (o->problem != MSG_NONE)
        return fail_step(
            r, o->problem,
            &(struct msg_args){.server = server,
                               .user = o->user[0] != '\0' ? o->user : r->user,
                               .detail = o->problem == MSG_HOSTKEY_UNKNOWN ? o->seen : o->detail});
    if (r->json) {
        print_step(json_pack("{s:s, s:s}", "state", "approved", "user", o->user));
        return CLI_OK;
    }
    fprintf(stderr,
            tr("Approved: the key of this PC is registered for the user %s.\nNext: pra connect\n",
               "承認されました。この PC の公開鍵は、ユーザ %s に登録されました。\n"
               "次の手順: pra connect\n"),
            text_clean(clean, sizeof(clean), o->user));
    if (strcmp(o->user, r->key.info.user) != 0)
        fprintf(stderr,
                tr("The key was made for another user name: connect with --user %s.\n",
                   "鍵のユーザ名と異なるため、--user %s を付けて接続してください。\n"),
                clean);
    return CLI_OK;
}

/* Once, and once more when a person has confirmed the gateway's host key. */
static int hand_in(struct request *r)
{
    struct enroll_options opt = {.config = &r->config,
                                 .known_host = r->paths.known_host,
                                 .code = r->code,
                                 .accept = r->accept,
                                 .key = r->key.key,
                                 .info = &r->key.info,
                                 .machine = r->key.tag};
    struct enroll_outcome o;
    char server[ADDR_TEXT_MAX];

    if (enroll_run(&opt, on_progress, r, &o) != 0)
        return cli_fail(tr("out of memory", "メモリが足りません"), NULL);
    if (o.problem == MSG_HOSTKEY_UNKNOWN && ask_possible()) {
        config_format_address(&r->config.server, r->config.server_port, server);
        if (ask_host_key(server, o.seen) != CLI_OK)
            return CLI_FAILED;
        memcpy(r->accept, o.seen, sizeof(r->accept));
        if (enroll_run(&opt, on_progress, r, &o) != 0)
            return cli_fail(tr("out of memory", "メモリが足りません"), NULL);
    }
    return show_outcome(r, &o);
}

static int run_enroll(int argc, char **argv)
{
    struct request *r = NULL;
    struct cli_args args;
    int code = cli_parse(&cli_enroll, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        return cli_fail(tr("out of memory", "メモリが足りません"), NULL);
    r->json = args.value[OPT_JSON] != NULL;
    code = remote_paths(&r->paths);
    if (code == CLI_OK)
        code = remote_config(&r->paths, &r->config);
    if (code == CLI_OK)
        code = check_ready(r, args.value[OPT_ACCEPT]);
    if (code == CLI_OK)
        code = get_code(args.value[OPT_CODE], r->code);
    if (code == CLI_OK)
        code = open_key(r, args.value[OPT_PASSPHRASE_FILE]);
    if (code == CLI_OK)
        code = hand_in(r);
    key_free(r->key.key);
    crypto_wipe(r, sizeof(*r));
    free(r);
    return code;
}
