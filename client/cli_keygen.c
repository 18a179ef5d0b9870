/*
 * `pra keygen` (A3): asks for a passphrase, makes the key of this PC and says what to do with it.
 * Single-threaded but for the line that shows the time.
 */
#include <stdlib.h>
#include <string.h>

#include "client/cli.h"
#include "client/cli_key.h"
#include "client/cli_remote.h"
#include "client/cli_text.h"
#include "client/kdf_progress.h"
#include "common/crypto.h"
#include "common/os.h"

#define PASSPHRASE_TRIES 3

enum { OPT_USER, OPT_PASSPHRASE_FILE, OPT_TYPE, OPT_STRICT, OPT_ALLOW_WEAK, OPT_FORCE };

static const struct cli_option options[] = {
    {"user",
     'u',
     "NAME",
     {"the user name that your administrator gave you (upper and lower case count)",
      "管理者から指定されたユーザ名 (大文字と小文字は区別されます)"}},
    {"passphrase-file",
     'p',
     "FILE",
     {"read the passphrase from the first line of this file, '-' = standard input",
      "パスフレーズをファイルの 1 行目から読みます。- は標準入力です"}},
    {"type",
     't',
     "TYPE",
     {"ed25519 (default) or ecdsa-p256", "鍵の種類: ed25519 (既定値) または ecdsa-p256"}},
    {"strict",
     's',
     NULL,
     {"every identifier of this PC must stay as it is, BIOS and OS version too",
      "PC の情報 (BIOS や OS のバージョンを含む) がひとつでも変わると使えない鍵にします"}},
    {"allow-weak",
     0,
     NULL,
     {"make the key even if this PC shows too few identifiers",
      "PC の情報が不足していても鍵を生成します"}},
    {"force",
     'f',
     NULL,
     {"replace the key of this PC; a copy of the old one is kept",
      "既存の鍵を置き換えます (以前の鍵は控えとして残します)"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run_keygen(int argc, char **argv);

const struct cli_command cli_keygen_command = {
    .name = "keygen",
    .synopsis = "--user NAME [--passphrase-file FILE|-] [--type ed25519|ecdsa-p256] [--strict]\n"
                "           [--allow-weak] [--force]",
    .summary = {"make the key of this PC", "鍵生成"},
    .about = {"Makes a key that works on this PC only, protected by a passphrase of your choice.\n"
              "Each PC makes a key of its own; the administrator registers each.",
              "この PC でだけ使える鍵を、任意のパスフレーズで保護して生成します。\n"
              "複数の PC を使う場合は、PC ごとに鍵を生成して登録してください。"},
    .options = options,
    .example = "keygen --user suzuki",
    .run = run_keygen,
};

static int report_read_failure(int rc, const struct fault *f)
{
    if (rc == PRA_ECLOSED && f->text[0] == '\0')
        return cli_fail(tr("stopped", "中止しました"), NULL);
    return cli_fail(tr("the passphrase cannot be read", "パスフレーズを読めません"), f);
}

static void show_strength(const char *passphrase)
{
    unsigned bits = passphrase_bits(passphrase);

    fprintf(stderr, tr("Strength: %s (about %u bits)\n", "強度: %s (約 %u ビット)\n"),
            passphrase_word(bits), bits);
    if (bits < KEYMAKE_BITS_ADVISED)
        fprintf(stderr, "%s\n", keymake_advice());
}

/* Asks twice without echo. Returns CLI_OK, or another exit code after a report. */
static int ask_new_passphrase(char *dst, size_t cap)
{
    char again[KEYFILE_PASS_MAX + 1];

    for (int i = 0; i < PASSPHRASE_TRIES; i++) {
        struct fault f = {0};
        bool same;
        int rc = os_read_secret(tr("Passphrase of the new key: ", "新しい鍵のパスフレーズ: "), dst,
                                cap, &f);

        if (rc == PRA_EUNSUPPORTED)
            return cli_usage(&cli_keygen_command, "%s",
                             tr("there is no terminal to ask for the passphrase; give it with "
                                "--passphrase-file",
                                "パスフレーズを入力する端末がありません。"
                                "--passphrase-file で指定してください"));
        if (rc != 0)
            return report_read_failure(rc, &f);
        if (dst[0] == '\0') {
            fputs(tr("A passphrase is needed.\n", "パスフレーズを入力してください。\n"), stderr);
            continue;
        }
        show_strength(dst);
        rc = os_read_secret(tr("The same once more: ", "もう一度入力してください: "), again,
                            sizeof(again), &f);
        same = rc == 0 && strcmp(dst, again) == 0;
        crypto_wipe(again, sizeof(again));
        if (rc != 0) {
            crypto_wipe(dst, cap);
            return report_read_failure(rc, &f);
        }
        if (same)
            return CLI_OK;
        fputs(tr("The two differ.\n", "二つのパスフレーズが一致しません。\n"), stderr);
    }
    crypto_wipe(dst, cap);
    return cli_fail(tr("no passphrase was given", "パスフレーズが入力されませんでした"), NULL);
}

static int get_passphrase(const char *file, char *dst, size_t cap)
{
    struct fault f = {0};
    int rc;

    if (file == NULL)
        return ask_new_passphrase(dst, cap);
    rc = os_read_secret_file(file, dst, cap, &f);
    if (rc != 0)
        return report_read_failure(rc, &f);
    show_strength(dst);
    return CLI_OK;
}

/* Puts a failure of keyfile_create() into people's words. */
static int report_failure(int rc, const char *path, const struct fault *f)
{
    struct msg_args args = {.name = path, .detail = f->text};

    if (keymake_problem(rc) == MSG_NONE)
        return cli_usage(&cli_keygen_command, "%s", f->text);
    cli_fail_msg(keymake_problem(rc), &args);
    if (rc == PRA_EWEAK) {
        fputc('\n', stderr);
        key_show_identifiers(stderr, NULL);
    }
    return CLI_FAILED;
}

static void say_what_next(const struct keyfile_info *info)
{
    char binding[KEY_BINDING_MAX];

    fprintf(stderr, tr("The key of %s@%s was made. It is %s.\n", "%s@%s の鍵を生成しました。%s\n"),
            info->user, info->computer, key_binding_words(info, binding));
    fputc('\n', stderr);
    key_show_identifiers(stderr, info);
    fputc('\n', stderr);
    if (info->weak)
        fprintf(stderr, "%s\n", keymake_weak_words());
    fprintf(stderr,
            tr("Next: pra key export -o %s.pub\n"
               "      and hand this file to your administrator, who registers it.\n"
               "The fingerprint of the key, for comparing:\n",
               "次の手順: pra key export -o %s.pub\n"
               "          "
               "エクスポートした公開鍵をシステム管理者さまに渡して、登録を依頼してください。\n"
               "照合用の鍵の指紋:\n"),
            info->user);
}

/* Reads the options that are no file names. Returns CLI_OK, CLI_USAGE after a report. */
static int read_options(const struct cli_args *args, struct keyfile_options *opt)
{
    const char *type = args->value[OPT_TYPE];

    opt->user = args->value[OPT_USER];
    opt->type = CRYPTO_ED25519;
    opt->strict = args->value[OPT_STRICT] != NULL;
    opt->allow_weak = args->value[OPT_ALLOW_WEAK] != NULL;
    opt->force = args->value[OPT_FORCE] != NULL;
    if (type != NULL && strcmp(type, key_type_word(CRYPTO_ECDSA_P256)) == 0)
        opt->type = CRYPTO_ECDSA_P256;
    else if (type != NULL && strcmp(type, key_type_word(CRYPTO_ED25519)) != 0)
        return cli_usage(&cli_keygen_command,
                         tr("--type '%s' is neither ed25519 nor ecdsa-p256",
                            "--type '%s' は指定できません (ed25519 または ecdsa-p256)"),
                         type);
    if (opt->user == NULL)
        return cli_usage(&cli_keygen_command, "%s",
                         tr("--user is missing", "--user を指定してください"));
    return CLI_OK;
}

static int make_key(const struct keyfile_options *opt, const char *path)
{
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
    struct kdf_progress *progress;
    struct keyfile_info info;
    struct fault f = {0};
    int rc;

    progress = kdf_progress_start(tr("Making the key", "鍵を生成しています"));
    rc = keyfile_create(path, opt, &info, &f);
    kdf_progress_stop(progress);
    if (rc != 0)
        return report_failure(rc, path, &f);
    if (key_fingerprint(&info, fingerprint) != CLI_OK)
        return CLI_FAILED;
    say_what_next(&info);
    puts(fingerprint);
    return CLI_OK;
}

static int run_keygen(int argc, char **argv)
{
    char passphrase[KEYFILE_PASS_MAX + 1];
    struct keyfile_options opt = {0};
    struct msg_args exists = {0};
    struct keyfile_info old;
    struct cli_args args;
    struct paths paths;
    int code = cli_parse(&cli_keygen_command, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    code = read_options(&args, &opt);
    if (code != CLI_OK)
        return code;
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    /* Told before a passphrase is thought up in vain. */
    if (!opt.force && keyfile_inspect(paths.key_file, &old, NULL) != PRA_ENOENT) {
        exists.name = paths.key_file;
        return cli_fail_msg(MSG_KEYGEN_EXISTS, &exists);
    }
    code = get_passphrase(args.value[OPT_PASSPHRASE_FILE], passphrase, sizeof(passphrase));
    if (code == CLI_OK) {
        opt.passphrase = passphrase;
        code = make_key(&opt, paths.key_file);
    }
    crypto_wipe(passphrase, sizeof(passphrase));
    return code;
}
