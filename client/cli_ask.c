/* Questions to a person at the terminal; see cli_ask.h. */
#include "client/cli_ask.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli.h"
#include "client/cli_text.h"
#include "client/config.h"
#include "common/os.h"

#define ANSWER_TRIES 3
#define ANSWER_MAX   128

bool ask_possible(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

int ask_code(char *dst, size_t cap)
{
    struct fault f = {0};
    int rc = os_read_secret(tr("Code of your authenticator app: ", "認証アプリのコード: "), dst,
                            cap, &f);

    if (rc == 0)
        return CLI_OK;
    if (rc == PRA_EUNSUPPORTED)
        return cli_usage(&cli_connect, "%s",
                         tr("there is no terminal to ask for the code; give it with --code-file",
                            "コードを入力する端末がありません。--code-file で指定してください"));
    if (rc == PRA_ECLOSED)
        return cli_fail(tr("stopped", "中止しました"), NULL);
    return cli_fail(tr("the code cannot be read", "コードを読めません"), &f);
}

int ask_passphrase(const struct cli_command *of, const char *user, char *dst, size_t cap)
{
    char prompt[128], clean[80];
    struct fault f = {0};
    int rc;

    snprintf(prompt, sizeof(prompt), tr("Passphrase of %s: ", "%s のパスフレーズ: "),
             text_clean(clean, sizeof(clean), user));
    rc = os_read_secret(prompt, dst, cap, &f);
    if (rc == 0)
        return CLI_OK;
    if (rc == PRA_EUNSUPPORTED)
        return cli_usage(of, "%s",
                         tr("there is no terminal to ask for the passphrase; give it with "
                            "--passphrase-file",
                            "パスフレーズを入力する端末がありません。"
                            "--passphrase-file で指定してください"));
    if (rc == PRA_ECLOSED)
        return cli_fail(tr("stopped", "中止しました"), NULL);
    return cli_fail(tr("the passphrase cannot be read", "パスフレーズを読めません"), &f);
}

enum answer { ANSWER_YES, ANSWER_NO, ANSWER_OTHER_KEY, ANSWER_UNCLEAR };

static enum answer read_answer(const char *line, const char *seen)
{
    static const char *const yes[] = {"yes", "はい", NULL}, *const no[] = {"no", "いいえ", NULL};

    for (size_t i = 0; yes[i] != NULL; i++)
        if (strcmp(line, yes[i]) == 0)
            return ANSWER_YES;
    for (size_t i = 0; no[i] != NULL; i++)
        if (strcmp(line, no[i]) == 0)
            return ANSWER_NO;
    if (strcmp(line, seen) == 0)
        return ANSWER_YES;
    return config_check_fingerprint(line, NULL) == 0 ? ANSWER_OTHER_KEY : ANSWER_UNCLEAR;
}

int ask_host_key(const char *server, const char *seen)
{
    char line[ANSWER_MAX], clean[ADDR_TEXT_MAX], key[64];
    enum answer answer = ANSWER_UNCLEAR;

    fprintf(stderr,
            tr("This PC does not know the gateway %s yet. Its fingerprint is\n\n    %s\n\n"
               "Compare it with the one that your administrator gave you.\n",
               "ゲートウェイ %s には、この PC から初めて接続します。指紋(フィンガープリント)は\n\n"
               "    %s\n\nです。管理者から伝えられたものと同じか確認してください。\n"),
            text_clean(clean, sizeof(clean), server), text_clean(key, sizeof(key), seen));
    for (int i = 0; i < ANSWER_TRIES && answer == ANSWER_UNCLEAR; i++) {
        fputs(tr("Is it the same? (yes / no / paste the fingerprint): ",
                 "同じですか? (yes / no / 指紋を貼り付け): "),
              stderr);
        if (fgets(line, sizeof(line), stdin) == NULL) {
            fputc('\n', stderr);
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        answer = read_answer(line, seen);
        if (answer == ANSWER_UNCLEAR)
            fputs(tr("Please type yes or no.\n", "yes または no を入力してください。\n"), stderr);
    }
    if (answer == ANSWER_YES)
        return CLI_OK;
    if (answer == ANSWER_OTHER_KEY)
        return cli_fail(tr("not connected: this gateway's fingerprint is another one; tell your "
                           "administrator",
                           "指紋が異なるため接続しませんでした。管理者に連絡してください"),
                        NULL);
    return cli_fail(tr("not connected: the gateway was not confirmed",
                       "ゲートウェイが確認されなかったため、接続しませんでした"),
                    NULL);
}
