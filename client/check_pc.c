/* The checks of what lies on this PC: key and binding, the right to use low ports, each forward. */
#include "client/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "client/cli_show.h"
#include "client/ipc.h"
#include "client/sock.h"
#include "common/i18n.h"
#include "common/msg.h"
#include "common/utf8.h"
#include "keys/keyfile.h"
#include "keys/machine.h"

#define STATUS_TIMEOUT_MS 3000

/* A port below 1024 that hardly any program uses. */
#define LOW_PORT 1023

/* What opening the key would find of the machine, without the passphrase. */
static void check_binding(struct check *c, const struct keyfile_info *info)
{
    struct machine *m = calloc(1, sizeof(*m));
    char gone[CHECK_TEXT_MAX] = "";
    unsigned readable = 0;
    struct fault f = {0};

    if (m == NULL || machine_read(info->salt, m, &f) != 0) {
        check_add(
            c, "binding", CHECK_FAIL, NULL,
            tr("Binding: this PC cannot be read: %s", "鍵の結び付け: PC の情報を読めません: %s"),
            f.text);
        free(m);
        return;
    }
    for (int i = 0; i < MACHINE_ID_COUNT; i++) {
        enum machine_id id = (enum machine_id)i;

        if (!info->bound[i])
            continue;
        if (m->source[i] == MACHINE_DIRECT || m->source[i] == MACHINE_HELPER)
            readable++;
        else
            snprintf(gone + strlen(gone), sizeof(gone) - strlen(gone), "%s%s",
                     gone[0] != '\0' ? ", " : "", machine_id_label(id));
    }
    machine_wipe(m);
    free(m);
    if (readable < info->k) {
        check_add(
            c, "binding", CHECK_FAIL,
            tr("The key cannot be opened here: make a new one (pra keygen) and have it "
               "registered, or make these readable again.",
               "この PC では鍵を読み込めません。公開鍵の再生成(pra keygen)と再登録を行うか、"
               "読み取れるようにしてください。"),
            tr("Binding: %u of %u identifiers can be read, %u are needed; missing: %s",
               "鍵の結び付け: %u / %u 項目しか読み取れません (%u 項目必要)。読み取れない項目: %s"),
            readable, info->n, info->k, gone);
        check_add_code(c, MSG_KEY_MACHINE);
    } else if (info->weak) {
        check_add(c, "binding", CHECK_WARN,
                  tr("A gateway may refuse it.", "ゲートウェイに拒否されることがあります。"),
                  tr("Binding: weak (%u of %u identifiers must match, %u can be read)",
                     "鍵の結び付け: 不十分 (%u / %u 項目の一致が必要、%u 項目を読み取り)"),
                  info->k, info->n, readable);
    } else {
        check_add(c, "binding", CHECK_OK, NULL,
                  tr("Binding: %u of %u identifiers must match, %u can be read",
                     "鍵の結び付け: %u / %u 項目の一致が必要、%u 項目を読み取れます"),
                  info->k, info->n, readable);
    }
}

void check_key(struct check *c)
{
    struct keyfile_info info;
    struct msg_text text;
    struct fault f = {0};
    int rc = keyfile_inspect(c->paths->key_file, &info, &f);

    if (rc != 0) {
        msg_format(rc == PRA_ENOENT ? MSG_KEY_MISSING : MSG_KEY_DAMAGED, i18n_lang(),
                   &(struct msg_args){.detail = f.text,
                                      .user = c->config.user[0] != '\0' ? c->config.user
                                                                        : tr("NAME", "ユーザ名")},
                   &text);
        check_add(c, "key", CHECK_FAIL, text.remedy, tr("Key: %s", "鍵: %s"), text.cause);
        check_add_code(c, rc == PRA_ENOENT ? MSG_KEY_MISSING : MSG_KEY_DAMAGED);
        return;
    }
    check_add(c, "key", CHECK_OK, NULL, tr("Key: %s@%s, %s%s", "鍵: %s@%s、%s%s"), info.user,
              info.computer, info.type == CRYPTO_ED25519 ? "Ed25519" : "ECDSA P-256",
              info.strict ? tr(", strict", "、厳密") : "");
    if (c->config.user[0] != '\0' && strcmp(c->config.user, info.user) != 0)
        check_add(c, "user", CHECK_WARN,
                  tr("User names are case-sensitive; 'pra connect --user NAME' overrides.",
                     "ユーザ名は大文字と小文字を区別します。"),
                  tr("User: the settings say %s, the key was made for %s",
                     "ユーザ名: 設定は %s、鍵は %s です"),
                  c->config.user, info.user);
    check_binding(c, &info);
}

/* Tries to listen on 127.0.0.1; the right is asked before whether the port is taken. */
static void check_low_ports(struct check *c)
{
    struct addr_ip ip = {.family = 4, .bytes = {127, 0, 0, 1}};
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&ip, LOW_PORT, &sa);
    int fd = sock_listen((struct sockaddr *)&sa, len);

    if (fd >= 0)
        sock_close(fd);
    if (fd != UV_EACCES) {
        check_add(
            c, "low_ports", CHECK_OK, NULL, "%s",
            tr("Local ports below 1024: may be used", "1024 未満のローカルポート: 使用できます"));
        return;
    }
    check_add(c, "low_ports", CHECK_WARN, msg_entry(MSG_PORT_DENIED, i18n_lang())->remedy, "%s",
              tr("Local ports below 1024: not permitted for this user",
                 "1024 未満のローカルポート: 使用する権限がありません"));
    check_add_code(c, MSG_PORT_DENIED);
}

static void check_forward(struct check *c, const json_t *forward)
{
    const char *local = show_member(forward, "local"), *state = show_member(forward, "state");
    char id[80], what[CHECK_TEXT_MAX], detail[CHECK_TEXT_MAX];
    struct addr_host host;
    struct msg_text text;
    enum msg_id trouble;
    uint16_t port;

    snprintf(id, sizeof(id), "port:%.60s", local);
    snprintf(what, sizeof(what), "%.200s -> %.200s", show_member(forward, "name"),
             show_member(forward, "target"));
    utf8_mend(what);
    if (addr_parse_host_port(local, 0, &host, &port) == 0)
        check_add_port(c, port, CHECK_LOCAL, "TCP", false,
                       strcmp(state, "listening") == 0 ? CHECK_OPEN : CHECK_CLOSED, what);
    if (strcmp(state, "listening") == 0) {
        bool moved = show_moved(forward, detail, sizeof(detail));

        check_add(c, id, CHECK_OK, moved ? detail : NULL,
                  tr("Port %s: ready (%s)", "ポート %s: 使用できます (%s)"), local, what);
        return;
    }
    trouble = show_trouble(forward, &text);
    if (trouble == MSG_NONE) {
        check_add(c, id, CHECK_FAIL, NULL, tr("Port %s: %s", "ポート %s: %s"), local,
                  show_member(forward, "error"));
        return;
    }
    check_add(c, id, CHECK_FAIL, text.remedy, "%s", text.cause);
    check_add_code(c, trouble);
}

/* The agent's status, or NULL when none runs. New reference. */
static json_t *ask_status(struct check *c)
{
    json_t *request = json_pack("{s:s}", "op", "status"), *reply = NULL, *status = NULL;
    struct ipc *ipc = NULL;
    struct fault f = {0};

    if (request != NULL && ipc_connect(c->paths, &ipc, &f) == 0 &&
        ipc_call(ipc, request, STATUS_TIMEOUT_MS, &reply, &f) == 0)
        status = json_incref(json_object_get(reply, "status"));
    json_decref(reply);
    json_decref(request);
    ipc_close(ipc);
    return status;
}

void check_ports(struct check *c)
{
    json_t *status = ask_status(c);
    const json_t *forwards = json_object_get(status, "forwards"), *forward;
    bool connected = strcmp(show_member(status, "state"), "connected") == 0;
    size_t i;

    check_low_ports(c);
    check_add(c, "connection", connected ? CHECK_OK : CHECK_WARN,
              connected ? NULL
                        : tr("The local ports are known once 'pra connect' has connected.",
                             "ローカルポートは接続後に確認できます(pra connect)。"),
              "%s",
              connected ? tr("Connection: stands", "接続: 接続中")
                        : tr("Connection: not connected", "接続: 未接続"));
    json_array_foreach((json_t *)forwards, i, forward)
    {
        check_forward(c, forward);
    }
    json_decref(status);
}
