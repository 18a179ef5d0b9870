/* `pra status`, `pra rules`, `pra disconnect`: what stands, what may be used, and its end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli.h"
#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/cli_text.h"

/* The agent may close many channels before it answers a disconnect. */
#define DISCONNECT_TIMEOUT_MS 10000

enum { STATUS_JSON, STATUS_WATCH };

static const struct cli_option status_options[] = {
    {"json", 'j', NULL, {"print JSON", "JSON で出力します"}},
    {"watch",
     'w',
     NULL,
     {"stay and show every change (Ctrl-C ends)", "変化を表示し続けます(Ctrl-C で終了)"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run_status(int argc, char **argv);
static int run_rules(int argc, char **argv);
static int run_disconnect(int argc, char **argv);

const struct cli_command cli_status = {
    .name = "status",
    .synopsis = "[--json] [--watch]",
    .summary = {"show the connection and every forward", "接続と各ポート転送の状態を表示します"},
    .about = {"Shows whether PRA is connected and, for every forward, ● (ready) or × with what is\n"
              "in the way. Exits with 0 while connected, and with 3 otherwise.",
              "接続の状態と、各ポート転送の状態を ●(使用可) または ×(理由つき) で表示します。\n"
              "接続中は終了コード 0、それ以外は 3 です。"},
    .options = status_options,
    .example = "status --json",
    .run = run_status,
};

static const struct cli_option json_option[] = {
    {"json", 'j', NULL, {"print JSON", "JSON で出力します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

const struct cli_command cli_rules = {
    .name = "rules",
    .synopsis = "[--json]",
    .summary = {"list the forwards that the administrator allows",
                "許可されている転送ルールを表示します"},
    .about = {"Lists the forwarding rules as the gateway delivered them: the port on this PC, the\n"
              "port used when that one is taken, and the server at the company.",
              "ゲートウェイから受け取った転送ルールの一覧です。この PC のポート、そのポートが\n"
              "使用中のときの代わりのポート、社内の転送先を表示します。"},
    .options = json_option,
    .example = "rules",
    .run = run_rules,
};

const struct cli_command cli_disconnect = {
    .name = "disconnect",
    .synopsis = "",
    .summary = {"end the connection", "切断します"},
    .about = {"Ends the connection and closes the ports; PRA does not connect again by itself.",
              "接続を終了し、ポートを閉じます。自動では再接続しません。"},
    .example = "disconnect",
    .run = run_disconnect,
};

static int print_status(const json_t *status, bool json)
{
    bool connected = strcmp(show_member(status, "state"), "connected") == 0;

    if (json) {
        if (cli_print_json(status) != CLI_OK)
            return CLI_FAILED;
    } else {
        show_status(stdout, status);
    }
    return connected ? CLI_OK : CLI_NOT_CONNECTED;
}

/* Draws a status anew over the screen, or prints it below the last one. */
static void show_change(const json_t *status, bool json, bool redraw)
{
    if (redraw)
        fputs("\033[H\033[2J", stdout);
    print_status(status, json);
    fflush(stdout);
}

/* The countdown to the next attempt goes on between two pushed states. */
static void count_down(json_t *status)
{
    double left = json_number_value(json_object_get(status, "retry_in"));

    if (left >= 1)
        json_object_set_new(status, "retry_in", json_real(left - 1));
}

/* Prints every state that the agent pushes until it ends or the user interrupts. */
static int watch_status(const struct paths *paths, bool json)
{
    struct ipc *ipc = NULL;
    json_t *reply = NULL, *event = NULL, *status = NULL;
    bool redraw = isatty(STDOUT_FILENO) == 1 && !json;
    int code = remote_open(paths, false, &ipc);

    if (code == CLI_OK)
        code = remote_call(ipc, json_pack("{s:s}", "op", "subscribe"), REMOTE_TIMEOUT_MS, &reply);
    json_decref(reply);
    while (code == CLI_OK) {
        struct fault f = {0};
        int rc = ipc_next_event(ipc, redraw ? 1000 : -1, &event, &f);

        if (rc == PRA_ECLOSED) {
            fprintf(stderr, "pra: %s\n", tr("the agent has ended", "エージェントが終了しました"));
            code = CLI_NOT_CONNECTED;
        } else if (rc == PRA_ETIMEOUT) {
            count_down(status);
            if (json_is_number(json_object_get(status, "retry_in")))
                show_change(status, json, redraw);
        } else if (rc != 0) {
            code = cli_fail_msg(MSG_AGENT, &(struct msg_args){.detail = f.text});
        } else {
            json_decref(status);
            status = json_incref(json_object_get(event, "status"));
            json_decref(event);
            show_change(remote_polish_status(status), json, redraw);
        }
    }
    json_decref(status);
    ipc_close(ipc);
    return code;
}

static int run_status(int argc, char **argv)
{
    struct cli_args args;
    struct paths paths;
    json_t *status = NULL;
    int code = cli_parse(&cli_status, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    if (args.value[STATUS_WATCH] != NULL)
        return watch_status(&paths, args.value[STATUS_JSON] != NULL);
    code = remote_status(&paths, &status);
    if (code == CLI_OK)
        code = print_status(status, args.value[STATUS_JSON] != NULL);
    if (code == CLI_OK && args.value[STATUS_JSON] == NULL)
        remote_tell_replaced(&paths);
    json_decref(status);
    return code;
}

static void print_rules(const json_t *rules)
{
    struct table *t = table_new(4);
    const json_t *rule;
    size_t i;

    table_row(t, TEXT_PLAIN,
              (const char *[]){tr("Name", "名前"), tr("On this PC", "この PC のポート"),
                               tr("If taken", "使用中のとき"), tr("Target", "転送先")});
    json_array_foreach((json_t *)rules, i, rule)
    {
        const char *fallback = show_member(rule, "fallback");

        table_row(t, TEXT_PLAIN,
                  (const char *[]){show_member(rule, "name"), show_member(rule, "local"),
                                   fallback[0] != '\0' ? fallback : "-",
                                   show_member(rule, "target")});
    }
    table_print(t, stdout, 0);
    table_free(t);
}

static int run_rules(int argc, char **argv)
{
    struct cli_args args;
    struct paths paths;
    struct ipc *ipc = NULL;
    json_t *reply = NULL;
    const json_t *rules;
    int code = cli_parse(&cli_rules, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    code = remote_open(&paths, false, &ipc);
    if (code == CLI_OK)
        code = remote_call(ipc, json_pack("{s:s}", "op", "rules"), REMOTE_TIMEOUT_MS, &reply);
    if (code == CLI_OK) {
        rules = json_object_get(reply, "rules");
        if (args.value[0] != NULL)
            code = cli_print_json(rules);
        else if (json_array_size(rules) == 0)
            fputs(tr("No rules.\n", "転送ルールはありません。\n"), stdout);
        else
            print_rules(rules);
    }
    json_decref(reply);
    ipc_close(ipc);
    return code;
}

static int run_disconnect(int argc, char **argv)
{
    struct cli_args args;
    struct paths paths;
    struct ipc *ipc = NULL;
    json_t *reply = NULL;
    int code = cli_parse(&cli_disconnect, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    if (remote_paths(&paths) != CLI_OK)
        return CLI_FAILED;
    code = remote_open(&paths, true, &ipc);
    if (code == CLI_OK)
        code = remote_call(ipc, json_pack("{s:s}", "op", "status"), REMOTE_TIMEOUT_MS, &reply);
    if (code == CLI_OK &&
        strcmp(show_member(json_object_get(reply, "status"), "state"), "disconnected") == 0)
        code = CLI_NOT_CONNECTED;
    json_decref(reply);
    reply = NULL;
    if (code == CLI_NOT_CONNECTED)
        fputs(tr("Not connected.\n", "接続されていません。\n"), stderr);
    if (code == CLI_OK)
        code =
            remote_call(ipc, json_pack("{s:s}", "op", "disconnect"), DISCONNECT_TIMEOUT_MS, &reply);
    if (code == CLI_OK)
        fputs(tr("Disconnected.\n", "切断しました。\n"), stdout);
    json_decref(reply);
    ipc_close(ipc);
    return code;
}
