/*
 * `pra explain LOCALPORT` (N5): which rule decides and why, whether the key may, whether the name
 * is known and the target answers (all asked of the gateway), and how the port on this PC stands.
 * `pra errors [CODE]`: the table of messages.
 */
#include <stdlib.h>
#include <string.h>

#include "client/cli.h"
#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/cli_text.h"

static const struct cli_option json_option[] = {
    {"json", 'j', NULL, {"print JSON", "JSON で出力します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run_explain(int argc, char **argv);
static int run_errors(int argc, char **argv);

const struct cli_command cli_explain = {
    .name = "explain",
    .synopsis = "LOCALPORT|ADDRESS:PORT [--json]",
    .summary = {"say why a forward works or does not",
                "ポート転送が使える理由、使えない理由を調べます"},
    .about = {"Asks the gateway which rule decides for a port of this PC and why, and whether the\n"
              "company's server behind it has a name and answers; needs a connection.",
              "この PC のポートについて、どのルールがどう判定したか、転送先の名前が引けるか、\n"
              "応答するかをゲートウェイに問い合わせます。接続中に使います。"},
    .options = json_option,
    .min_operands = 1,
    .max_operands = 1,
    .example = "explain 110",
    .run = run_explain,
};

const struct cli_command cli_errors = {
    .name = "errors",
    .synopsis = "[CODE] [--json]",
    .summary = {"list the error codes, causes and remedies",
                "エラーコードと対処の一覧を表示します"},
    .about =
        {"Lists every code that PRA shows, what caused it and what to do; with CODE only those\n"
         "that match (10203, ERR(10203)).",
         "PRA が表示するすべてのコードの原因と対処の一覧です。CODE を指定すると、\n"
         "そのコード(10203、ERR(10203) など)だけを表示します。"},
    .options = json_option,
    .max_operands = 1,
    .example = "errors 10203",
    .run = run_errors,
};

/* --- explain ------------------------------------------------------------------------------ */

static void add_answer(struct table *t, bool good, const char *what, const char *text)
{
    table_row(t, good ? TEXT_GOOD : TEXT_BAD, (const char *[]){good ? "●" : "×", what, text});
}

/* The gateway's words for why, in people's; the word itself when it is a new one. */
static const char *reason_words(const char *reason)
{
    static const struct {
        const char *word;
        const char *text[CLI_LANGS];
    } known[] = {
        {"rule", {"", ""}},
        {"default-deny", {"no rule applies", "該当するルールがありません"}},
        {"no-user", {"the user is unknown", "ユーザが登録されていません"}},
        {"user-disabled", {"the user is disabled", "ユーザが無効です"}},
        {"special-address",
         {"the name leads to an address that rules must name themselves",
          "特殊なアドレスのため、アドレスを明記したルールが必要です"}},
        {"needs-address",
         {"the name has no address, so rules for networks cannot be asked",
          "アドレスが引けないため、ネットワークのルールを判定できません"}},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].word, reason) == 0)
            return known[i].text[i18n_lang()];
    return reason;
}

static void add_rule(struct table *t, const json_t *explained)
{
    bool allow = strcmp(show_member(explained, "decision"), "allow") == 0;
    long long deciding = json_integer_value(json_object_get(explained, "deciding"));
    const char *reason = reason_words(show_member(explained, "reason"));
    char text[TABLE_CELL_MAX];

    if (deciding != 0)
        snprintf(text, sizeof(text),
                 allow ? tr("allowed by rule %lld '%s'", "ルール %lld「%s」により許可")
                       : tr("refused by rule %lld '%s'", "ルール %lld「%s」により拒否"),
                 deciding, show_member(explained, "name"));
    else
        snprintf(text, sizeof(text), "%s", allow ? tr("allowed", "許可") : tr("refused", "拒否"));
    if (reason[0] != '\0')
        snprintf(text + strlen(text), sizeof(text) - strlen(text), ": %s", reason);
    add_answer(t, allow, tr("Rule", "ルール"), text);
}

static void add_key(struct table *t, const json_t *key)
{
    const char *state = show_member(key, "state");
    char text[TABLE_CELL_MAX];

    if (!json_is_object(key))
        return;
    snprintf(text, sizeof(text), "%s %s", show_member(key, "fingerprint"), state);
    add_answer(t, strcmp(state, "active") == 0, tr("Key", "鍵"), text);
}

static void add_name(struct table *t, const json_t *dns)
{
    bool ok = json_is_true(json_object_get(dns, "ok"));
    char text[TABLE_CELL_MAX] = "";
    const json_t *address;
    size_t i;

    if (!json_is_object(dns))
        return;
    json_array_foreach(json_object_get(dns, "addresses"), i, address)
    {
        const char *s = json_string_value(address);

        if (s != NULL && strlen(text) + strlen(s) + 3 < sizeof(text))
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                     text[0] != '\0' ? ", " : "", s);
    }
    if (!ok)
        snprintf(text, sizeof(text),
                 tr("the company's DNS does not know it: %s", "社内で名前を解決できません: %s"),
                 show_member(dns, "error"));
    add_answer(t, ok, tr("Name", "名前解決"), text);
}

static void add_target(struct table *t, const json_t *connect)
{
    bool ok = json_is_true(json_object_get(connect, "ok"));
    char text[TABLE_CELL_MAX];

    if (!json_is_object(connect))
        return;
    if (ok)
        snprintf(text, sizeof(text), tr("answers in %lld ms", "%lld ms で応答しました"),
                 (long long)json_integer_value(json_object_get(connect, "ms")));
    else
        snprintf(text, sizeof(text), tr("does not answer: %s", "応答しません: %s"),
                 show_member(connect, "error"));
    add_answer(t, ok, tr("Target", "転送先"), text);
}

static void add_local(struct table *t, const json_t *explained)
{
    const char *state = show_member(explained, "state");
    struct msg_text trouble;
    char text[TABLE_CELL_MAX];

    snprintf(text, sizeof(text), "%s %s", show_member(explained, "local"),
             show_forward_word(state));
    add_answer(t, strcmp(state, "listening") == 0, tr("On this PC", "この PC"), text);
    if (show_moved(explained, text, sizeof(text)))
        table_note(t, 2, text);
    else if (show_trouble(explained, &trouble) != MSG_NONE)
        table_note(t, 2, trouble.cause);
}

static void show_explained(const json_t *explained)
{
    struct table *t = table_new(3);

    add_local(t, explained);
    add_key(t, json_object_get(explained, "key"));
    add_rule(t, explained);
    add_name(t, json_object_get(explained, "dns"));
    add_target(t, json_object_get(explained, "connect"));
    table_print(t, stdout, 0);
    table_free(t);
}

/* The request for "110" or "127.0.0.1:110"; NULL when it is neither. */
static json_t *explain_request(const char *text)
{
    struct addr_host host;
    uint16_t port;

    if (addr_parse_port(text, strlen(text), &port) == 0)
        return json_pack("{s:s, s:i}", "op", "explain", "port", (int)port);
    if (addr_parse_host_port(text, 0, &host, &port) == 0 && host.is_ip)
        return json_pack("{s:s, s:s}", "op", "explain", "local", text);
    return NULL;
}

/* Without a connection nobody can be asked. Returns CLI_OK, CLI_NOT_CONNECTED, CLI_FAILED after a
   report. */
static int check_connected(struct ipc *ipc)
{
    json_t *reply = NULL;
    const json_t *status;
    int code = remote_call(ipc, json_pack("{s:s}", "op", "status"), REMOTE_TIMEOUT_MS, &reply);

    status = json_object_get(reply, "status");
    if (code == CLI_OK && strcmp(show_member(status, "state"), "connected") != 0) {
        fprintf(stderr, "pra: %s\n",
                tr("not connected, so the gateway cannot be asked; 'pra status' says why",
                   "接続されていないため、ゲートウェイに問い合わせできません。"
                   "理由は「pra status」で確認できます"));
        code = CLI_NOT_CONNECTED;
    }
    json_decref(reply);
    return code;
}

static int run_explain(int argc, char **argv)
{
    struct cli_args args;
    struct paths paths;
    struct ipc *ipc = NULL;
    json_t *request, *reply = NULL;
    int code = cli_parse(&cli_explain, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    request = explain_request(args.operand[0]);
    if (request == NULL)
        return cli_usage(
            &cli_explain,
            tr("'%s' is no port; a number from 1 to 65535 or 127.0.0.1:110 is expected",
               "'%s' はポートではありません。1 から 65535 の番号か 127.0.0.1:110 の形で"
               "指定してください"),
            args.operand[0]);
    code = remote_paths(&paths);
    if (code == CLI_OK)
        code = remote_open(&paths, false, &ipc);
    if (code == CLI_OK)
        code = check_connected(ipc);
    if (code == CLI_OK)
        code = remote_call(ipc, json_incref(request), REMOTE_EXPLAIN_TIMEOUT_MS, &reply);
    if (code == CLI_OK && args.value[0] != NULL)
        code = cli_print_json(json_object_get(reply, "explained"));
    else if (code == CLI_OK)
        show_explained(json_object_get(reply, "explained"));
    json_decref(request);
    json_decref(reply);
    ipc_close(ipc);
    return code;
}

/* --- errors ------------------------------------------------------------------------------- */

/* "10203" and "ERR(10203)" match; NULL matches everything. */
static bool code_matches(const char *code, const char *wanted)
{
    return wanted == NULL || strcasecmp(code, wanted) == 0 ||
           (strlen(wanted) == 5 && strstr(code, wanted) != NULL);
}

static json_t *errors_json(const char *wanted)
{
    json_t *list = json_array();

    for (int i = MSG_NONE + 1; i < MSG_COUNT; i++) {
        enum msg_id id = (enum msg_id)i;
        struct msg_text m;

        msg_describe(id, i18n_lang(), &m);
        if (code_matches(m.code, wanted))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", msg_name(id),
                                                  "code", m.code, "message", m.title, "cause",
                                                  m.cause, "remedy", m.remedy));
    }
    return list;
}

static void show_errors(const json_t *list)
{
    const json_t *entry;
    size_t i;

    json_array_foreach((json_t *)list, i, entry)
    {
        cli_print_message(stdout, show_member(entry, "code"), show_member(entry, "message"),
                          show_member(entry, "cause"), show_member(entry, "remedy"));
    }
}

static int run_errors(int argc, char **argv)
{
    struct cli_args args;
    json_t *list;
    int code = cli_parse(&cli_errors, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    list = errors_json(args.count > 0 ? args.operand[0] : NULL);
    code = CLI_OK;
    if (json_array_size(list) == 0)
        code =
            cli_usage(&cli_errors, tr("no message has the code '%s'", "コード '%s' はありません"),
                      args.count > 0 ? args.operand[0] : "");
    else if (args.value[0] != NULL)
        code = cli_print_json(list);
    else
        show_errors(list);
    json_decref(list);
    return code;
}
