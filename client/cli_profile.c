/* `pra profile import`: takes the settings that an administrator has written into a `*.pra` file. */
#include "client/cli_profile.h"

#include <string.h>

#include "client/cli.h"
#include "client/cli_ask.h"
#include "client/cli_remote.h"
#include "client/cli_text.h"
#include "client/server_change.h"

#define ANSWER_TRIES 3
#define ANSWER_MAX   32

enum { IMPORT_YES };

static const struct cli_option import_options[] = {
    {"yes",
     'y',
     NULL,
     {"replace other settings without asking", "別の設定があっても確認せずに置き換えます"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run_import(int argc, char **argv);

const struct cli_command cli_profile_import = {
    .name = "profile import",
    .synopsis = "FILE [--yes]",
    .summary = {"take the settings from a profile (*.pra)",
                "接続プロファイル (*.pra) を取り込みます"},
    .about =
        {"Reads the gateway's address, its fingerprint and your user name from the file that your\n"
         "administrator gave you. Settings that were trusted before are replaced only after a yes.",
         "管理者から渡されたファイルから、サーバのアドレス、指紋、ユーザ名を読み込んで設定します。"
         "\n"
         "すでに信頼している設定を置き換える場合は、確認をお願いします。"},
    .options = import_options,
    .min_operands = 1,
    .max_operands = 1,
    .example = "profile import suzuki.pra",
    .run = run_import,
};

static void show(const struct config *c, const struct profile *p)
{
    char old[ADDR_TEXT_MAX] = "", new[ADDR_TEXT_MAX];
    struct table *t = table_new(3);

    if (t == NULL)
        return;
    if (c->has_server)
        config_format_address(&c->server, c->server_port, old);
    config_format_address(&p->server, p->port, new);
    table_row(
        t, TEXT_BOLD,
        (const char *[]){"", tr("in the profile", "プロファイル"), tr("set now", "現在の設定")});
    if (p->name[0] != '\0')
        table_row(t, TEXT_PLAIN, (const char *[]){tr("Name", "名前"), p->name, c->name});
    table_row(t, TEXT_PLAIN,
              (const char *[]){tr("Server", "SUS サーバアドレス"), new, c->has_server ? old : "-"});
    table_row(t, TEXT_PLAIN,
              (const char *[]){tr("Fingerprint", "指紋"), p->fingerprint,
                               c->fingerprint[0] != '\0' ? c->fingerprint : "-"});
    table_row(
        t, TEXT_PLAIN,
        (const char *[]){tr("User", "ユーザ名"), p->user, c->user[0] != '\0' ? c->user : "-"});
    table_print(t, stderr, 0);
    table_free(t);
}

/* CLI_OK after a yes, else CLI_FAILED after a report. */
static int confirm(enum profile_effect effect)
{
    char line[ANSWER_MAX];

    fprintf(stderr, "%s\n", profile_effect_words(effect));
    if (!ask_possible())
        return cli_fail(tr("not taken: other settings are there already; --yes replaces them",
                           "取り込みませんでした: すでに別の設定があります。置き換える場合は "
                           "--yes を付けてください"),
                        NULL);
    for (int i = 0; i < ANSWER_TRIES; i++) {
        fputs(tr("Use the profile's settings? (yes / no): ",
                 "プロファイルの設定を使いますか? (yes / no): "),
              stderr);
        if (fgets(line, sizeof(line), stdin) == NULL) {
            fputc('\n', stderr);
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        if (strcmp(line, "yes") == 0 || strcmp(line, "はい") == 0)
            return CLI_OK;
        if (strcmp(line, "no") == 0 || strcmp(line, "いいえ") == 0)
            break;
    }
    return cli_fail(
        tr("not taken: the settings are as they were", "取り込みませんでした。設定は元のままです"),
        NULL);
}

int profile_take(const struct paths *paths, const char *file, bool yes, struct config *config,
                 bool *changed, bool *moved)
{
    enum profile_effect effect;
    struct profile p;
    struct fault f = {0};
    bool other = false;

    if (profile_load(file, &p, &f) != 0)
        return cli_fail(tr("the profile cannot be used", "接続プロファイルを使用できません"), &f);
    effect = profile_compare(paths, config, &p);
    *changed = effect != PROFILE_SAME;
    if (effect != PROFILE_SAME)
        show(config, &p);
    if (effect >= PROFILE_OTHER_USER && !yes && confirm(effect) != CLI_OK)
        return CLI_FAILED;
    if (profile_apply(paths, config, &p, &other, &f) != 0)
        return cli_fail(tr("the settings cannot be saved", "設定を保存できません"), &f);
    if (moved != NULL)
        *moved = other;
    return CLI_OK;
}

static int run_import(int argc, char **argv)
{
    struct cli_args args;
    struct paths paths;
    struct config c;
    bool changed = false, moved = false;
    int code = cli_parse(&cli_profile_import, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK || remote_config(&paths, &c) != CLI_OK)
        return CLI_FAILED;
    code =
        profile_take(&paths, args.operand[0], args.value[IMPORT_YES] != NULL, &c, &changed, &moved);
    if (code == CLI_OK && !changed)
        fprintf(stderr, "%s\n", profile_effect_words(PROFILE_SAME));
    if (code == CLI_OK)
        server_say_next(&paths, &c, moved);
    return code;
}
