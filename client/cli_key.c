/*
 * `pra key export` and `pra key show`: the public half of this PC's key for the administrator, and
 * what the key is bound to. Neither needs the passphrase.
 */
#include "client/cli_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli.h"
#include "client/cli_remote.h"
#include "client/cli_text.h"
#include "common/crypto.h"
#include "common/timefmt.h"
#include "keys/machine.h"

static const struct cli_option export_options[] = {
    {"output", 'o', "FILE", {"write to this file", "このファイルに書き出します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static const struct cli_option show_options[] = {
    {"json", 'j', NULL, {"print JSON", "JSON で出力します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run_export(int argc, char **argv);
static int run_show(int argc, char **argv);

const struct cli_command cli_key_export = {
    .name = "key export",
    .synopsis = "[-o FILE]",
    .summary = {"write the public key for the administrator", "公開鍵のエクスポート"},
    .about = {"Writes this PC's public key as one OpenSSH line, to standard output or a file.\n"
              "Hand it to your administrator, who registers it. It holds nothing secret.",
              "この PC の公開鍵を OpenSSH 形式の 1 行で、標準出力またはファイルに書き出します。\n"
              "システム管理者さまに渡して、登録を依頼してください。秘密の情報は含まれません。"},
    .options = export_options,
    .example = "key export -o suzuki.pub",
    .run = run_export,
};

const struct cli_command cli_key_show = {
    .name = "key show",
    .synopsis = "[--json]",
    .summary = {"show the key and what it is bound to", "鍵と結び付けの状態を表示します"},
    .about =
        {"Shows whose key this PC holds, its fingerprint, and to which identifiers of this PC\n"
         "it is bound. The passphrase is not needed.",
         "この PC の鍵のユーザ名、指紋、結び付けられている PC の情報を表示します。\n"
         "パスフレーズは不要です。"},
    .options = show_options,
    .example = "key show --json",
    .run = run_show,
};

int key_fingerprint(const struct keyfile_info *info, char dst[SSHKEY_FINGERPRINT_MAX])
{
    struct fault f = {0};
    int rc = keymake_fingerprint(info, dst);

    if (rc == 0)
        return CLI_OK;
    fault_set(&f, rc, "%s", err_text(rc));
    return cli_fail(tr("the fingerprint cannot be computed", "指紋を計算できません"), &f);
}

/* Why an identifier has no value now. */
static const char *absence(enum machine_id id, enum machine_source source)
{
    if (source == MACHINE_ABSENT)
        return tr("this PC has none", "この PC にはありません");
    if (id == MACHINE_DISK_SERIAL)
        return tr("not readable: disk encryption hides it, or the key helper is not running",
                  "読み取り不可 (ディスク暗号化、または鍵ヘルパーが動作していません)");
    if (machine_id_private(id))
        return tr("not readable: the key helper is not running",
                  "読み取り不可 (鍵ヘルパーが動作していません)");
    return tr("not readable", "読み取り不可");
}

/* One row: mark and name, its part in the key, what it is now. */
static void add_identifier(struct table *t, const struct keyfile_info *info,
                           const struct machine *now, enum machine_id id)
{
    bool known = now->source[id] == MACHINE_DIRECT || now->source[id] == MACHINE_HELPER;
    bool strict_only = machine_id_strict(id) && (info == NULL || !info->strict);
    bool used = info != NULL ? info->bound[id] : known && !strict_only;
    const char *mark = used && known ? "● " : used ? "× " : "− ";
    const char *part = used          ? tr("yes", "使用")
                       : strict_only ? tr("only with --strict", "--strict のみ")
                                     : tr("no", "未使用");
    const char *state = !known ? absence(id, now->source[id])
                        : now->source[id] == MACHINE_HELPER
                            ? tr("read by the key helper", "鍵ヘルパーで読み取り")
                        : used || strict_only || info == NULL ? tr("read", "読み取り済み")
                                                              : tr("read, but not when the key "
                                                                   "was made",
                                                                   "読み取り可 (鍵生成時は不可)");
    char name[128];

    snprintf(name, sizeof(name), "%s%s", mark, machine_id_label(id));
    table_row(t,
              used && known ? TEXT_GOOD
              : used        ? TEXT_BAD
                            : TEXT_DIM,
              (const char *const[]){name, part, state});
}

void key_show_identifiers(FILE *to, const struct keyfile_info *info)
{
    const uint8_t no_salt[MACHINE_SALT_LEN] = {0};
    struct fault f = {0};
    struct machine now;
    struct table *t;

    if (machine_read(info != NULL ? info->salt : no_salt, &now, &f) != 0) {
        (void)cli_fail(tr("this PC cannot be examined", "この PC の情報を取得できません"), &f);
        return;
    }
    t = table_new(3);
    table_row(t, TEXT_BOLD,
              (const char *const[]){tr("Identifier", "PC の情報"), tr("In the key", "鍵で使用"),
                                    tr("Now", "現在")});
    for (int id = 0; id < MACHINE_ID_COUNT; id++)
        add_identifier(t, info, &now, id);
    table_print(t, to, 2);
    table_free(t);
    machine_wipe(&now);
}

/* The key of this PC. Returns CLI_OK, or CLI_FAILED after a report. */
static int inspect(struct keyfile_info *info)
{
    struct msg_args args = {0};
    struct fault f = {0};
    struct paths paths;
    int rc;

    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    rc = keyfile_inspect(paths.key_file, info, &f);
    if (rc == 0)
        return CLI_OK;
    args.detail = f.text;
    args.user = tr("NAME", "ユーザ名");
    return cli_fail_msg(keymake_inspect_problem(rc), &args);
}

static int run_export(int argc, char **argv)
{
    char line[SSHKEY_LINE_MAX];
    struct keyfile_info info;
    struct fault f = {0};
    struct cli_args args;
    int rc;
    int code = cli_parse(&cli_key_export, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (inspect(&info) != CLI_OK)
        return CLI_FAILED;
    rc = sshkey_format_line(&info, line, sizeof(line));
    if (rc != 0) {
        fault_set(&f, rc, "%s", err_text(rc));
    } else if (args.value[0] == NULL) {
        if (fputs(line, stdout) == EOF || fflush(stdout) != 0)
            rc = fault_set(&f, PRA_EIO, "%s", strerror(errno));
    } else {
        rc = keymake_write_public(args.value[0], line, &f);
    }
    if (rc != 0)
        return cli_fail(tr("the public key cannot be written", "公開鍵を書き出せません"), &f);
    if (args.value[0] != NULL)
        fprintf(
            stderr,
            tr("The public key of %s is in %s.\n"
               "Next: hand this file to your administrator, who registers it.\n",
               "%s の公開鍵を %s に書き出しました。\n"
               "次の手順: このファイルをシステム管理者さまに渡して、登録を依頼してください。\n"),
            info.user, args.value[0]);
    return CLI_OK;
}

static json_t *info_to_json(const struct keyfile_info *info, const char *fingerprint)
{
    char line[SSHKEY_LINE_MAX];
    char created[TIMEFMT_MAX];
    json_t *names = json_array();

    if (sshkey_format_line(info, line, sizeof(line)) != 0) {
        json_decref(names);
        return NULL;
    }
    line[strcspn(line, "\n")] = '\0';
    for (int id = 0; id < MACHINE_ID_COUNT; id++)
        if (info->bound[id])
            json_array_append_new(names, json_string(machine_id_name(id)));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:i, s:o}", "user", info->user,
                     "computer", info->computer, "type", key_type_word(info->type), "fingerprint",
                     fingerprint, "public_key", line, "created",
                     timefmt_rfc3339(info->created, created), "strict", (int)info->strict,
                     "binding", info->weak ? "weak" : "bound", "k", (int)info->k, "n", (int)info->n,
                     "identifiers", names);
}

static void show_for_people(const struct keyfile_info *info, const char *fingerprint)
{
    char created[TIMEFMT_MAX];
    char binding[KEY_BINDING_MAX];
    struct table *t = table_new(2);

    table_row(t, TEXT_PLAIN, (const char *const[]){tr("User", "ユーザ名"), info->user});
    table_row(t, TEXT_PLAIN,
              (const char *const[]){tr("Computer", "コンピュータ名"), info->computer});
    table_row(t, TEXT_PLAIN, (const char *const[]){tr("Type", "種類"), key_type_word(info->type)});
    table_row(t, TEXT_PLAIN, (const char *const[]){tr("Fingerprint", "指紋"), fingerprint});
    table_row(
        t, TEXT_PLAIN,
        (const char *const[]){tr("Made", "生成日時"), timefmt_rfc3339(info->created, created)});
    table_row(t, TEXT_PLAIN,
              (const char *const[]){tr("Binding", "結び付け"), key_binding_words(info, binding)});
    table_print(t, stdout, 0);
    table_free(t);
    fputc('\n', stdout);
    key_show_identifiers(stdout, info);
}

static int run_show(int argc, char **argv)
{
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
    struct keyfile_info info;
    struct cli_args args;
    json_t *doc;
    int code = cli_parse(&cli_key_show, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (inspect(&info) != CLI_OK || key_fingerprint(&info, fingerprint) != CLI_OK)
        return CLI_FAILED;
    if (args.value[0] == NULL) {
        show_for_people(&info, fingerprint);
        return CLI_OK;
    }
    doc = info_to_json(&info, fingerprint);
    code = doc != NULL ? cli_print_json(doc) : CLI_FAILED;
    json_decref(doc);
    return code;
}
