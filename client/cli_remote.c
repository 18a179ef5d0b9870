/* Paths, settings, the agent's socket and its status for the commands; see cli_remote.h. */
#include "client/cli_remote.h"

#include <string.h>

#include "client/cli.h"
#include "client/cli_show.h"
#include "keys/keyfile.h"

int remote_paths(struct paths *paths)
{
    struct fault f = {0};

    if (paths_init(paths, &f) == 0)
        return CLI_OK;
    return cli_fail(tr("PRA's folders cannot be used", "PRA のフォルダが使えません"), &f);
}

int remote_config(const struct paths *paths, struct config *config)
{
    struct fault f = {0};
    int rc = config_load(paths->config_file, config, &f);

    if (rc == 0)
        return CLI_OK;
    if (rc == PRA_EINVAL)
        return cli_fail(tr("there is a mistake in the settings", "設定ファイルに誤りがあります"),
                        &f);
    return cli_fail(tr("the settings cannot be read", "設定ファイルを読めません"), &f);
}

int remote_open(const struct paths *paths, bool quiet, struct ipc **out)
{
    struct fault f = {0};
    int rc = ipc_connect(paths, out, &f);

    if (rc == 0)
        return CLI_OK;
    if (rc != PRA_ENOENT)
        return cli_fail_msg(MSG_AGENT, &(struct msg_args){.detail = f.text});
    if (!quiet)
        fprintf(stderr, "pra: %s\n",
                tr("not connected; 'pra connect' connects",
                   "接続されていません。「pra connect」で接続してください。"));
    return CLI_NOT_CONNECTED;
}

int remote_failed(int rc, const struct fault *f)
{
    if (rc == PRA_ECLOSED) { /* it was ending while this began */
        fprintf(stderr, "pra: %s\n", tr("the agent has ended", "エージェントが終了しました"));
        return CLI_NOT_CONNECTED;
    }
    return cli_fail_msg(MSG_AGENT,
                        &(struct msg_args){.detail = f->text[0] != '\0' ? f->text : err_text(rc)});
}

int remote_exchange(struct ipc *ipc, json_t *request, int timeout_ms, json_t **reply)
{
    struct fault f = {0};
    int rc = PRA_ENOMEM;

    if (request != NULL)
        rc = ipc_call(ipc, request, timeout_ms, reply, &f);
    json_decref(request);
    return rc == 0 ? CLI_OK : remote_failed(rc, &f);
}

int remote_call(struct ipc *ipc, json_t *request, int timeout_ms, json_t **reply)
{
    json_t *answer = NULL;
    int code = remote_exchange(ipc, request, timeout_ms, &answer);

    if (code != CLI_OK)
        return code;
    if (json_is_true(json_object_get(answer, "ok"))) {
        *reply = answer;
        return CLI_OK;
    }
    code = cli_fail_error(json_object_get(answer, "error"));
    json_decref(answer);
    return code;
}

/* Where `pra connect` would go. */
json_t *remote_offline_status(const struct paths *paths)
{
    char server[ADDR_TEXT_MAX] = "";
    const char *user = NULL;
    struct keyfile_info info;
    struct config config;
    struct fault f = {0};

    if (config_load(paths->config_file, &config, &f) == 0) {
        if (config.has_server)
            config_format_address(&config.server, config.server_port, server);
        user = config.user[0] != '\0' ? config.user : NULL;
    }
    if (user == NULL && keyfile_inspect(paths->key_file, &info, &f) == 0)
        user = info.user;
    return json_pack("{s:s, s:s?, s:s?, s:n, s:n, s:n, s:[]}", "state", "disconnected", "server",
                     server[0] != '\0' ? server : NULL, "user", user, "since", "error", "retry_in",
                     "forwards");
}

json_t *remote_polish_status(json_t *status)
{
    json_t *error = cli_error_json(json_object_get(status, "error"));

    json_object_set_new(status, "error", error != NULL ? error : json_null());
    return status;
}

int remote_status(const struct paths *paths, json_t **status)
{
    struct ipc *ipc = NULL;
    json_t *reply = NULL;
    int code = remote_open(paths, true, &ipc);

    if (code == CLI_OK)
        code = remote_call(ipc, json_pack("{s:s}", "op", "status"), REMOTE_TIMEOUT_MS, &reply);
    if (code == CLI_NOT_CONNECTED) {
        *status = remote_offline_status(paths);
        code = *status != NULL ? CLI_OK : cli_fail(tr("out of memory", "メモリが足りません"), NULL);
    } else if (code == CLI_OK && json_is_object(json_object_get(reply, "status"))) {
        *status = remote_polish_status(json_incref(json_object_get(reply, "status")));
    } else if (code == CLI_OK) {
        code = cli_fail_msg(MSG_AGENT, &(struct msg_args){.detail = "status"});
    }
    json_decref(reply);
    ipc_close(ipc);
    return code;
}

bool remote_connected(const struct paths *paths)
{
    json_t *status = NULL;
    bool connected;

    if (remote_status(paths, &status) != CLI_OK)
        return false;
    connected = strcmp(show_member(status, "state"), "connected") == 0;
    json_decref(status);
    return connected;
}

void remote_tell_replaced(const struct paths *paths)
{
    struct ipc *ipc = NULL;
    json_t *request = json_pack("{s:s}", "op", "info"), *info = NULL;
    struct fault f = {0};

    if (request != NULL && ipc_connect(paths, &ipc, &f) == 0 &&
        ipc_call(ipc, request, REMOTE_TIMEOUT_MS, &info, &f) == 0 &&
        json_is_true(json_object_get(info, "replaced")))
        fprintf(stderr, "pra: %s\n",
                tr("PRA was updated; this connection goes on with the former version. "
                   "'pra disconnect' and 'pra connect' change to the new one.",
                   "PRA は更新されています。現在の接続は更新前のバージョンで継続しています。"
                   "「pra disconnect」の後に「pra connect」を実行すると、"
                   "新しいバージョンに切り替わります。"));
    json_decref(info);
    json_decref(request);
    ipc_close(ipc);
}
