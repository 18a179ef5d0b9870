/* attempt.h */
#include "client/tray/attempt.h"

#include <string.h>

#include "client/cli_show.h"
#include "client/config.h"
#include "client/ipc.h"
#include "client/problem.h"
#include "client/tray/texts.h"
#include "common/crypto.h"

/* Opening the key is one scrypt run; a slow laptop under load may take seconds. */
#define BEGIN_TIMEOUT_MS 60000
#define ANSWER_MS        10000

static int ask(struct ipc *ipc, const char *op, json_t **reply, struct fault *f)
{
    json_t *request = json_pack("{s:s}", "op", op);
    int rc = ipc_call(ipc, request, ANSWER_MS, reply, f);

    json_decref(request);
    return rc;
}

static bool on_the_way(const json_t *reply)
{
    const char *state = show_member(json_object_get(reply, "status"), "state");

    return strcmp(state, "waiting") == 0 || strcmp(state, "connecting") == 0 ||
           strcmp(state, "code") == 0 || strcmp(state, "error") == 0;
}

/*
 * An attempt that goes on with old settings ends first, as `pra connect` does it; and a session that
 * only waits for a first rule, since the agent would keep it and have nothing new to say.
 */
static int end_old(struct ipc *ipc, struct fault *f)
{
    json_t *reply = NULL, *ended = NULL;
    int rc = ask(ipc, "status", &reply, f);

    if (rc == 0 && on_the_way(reply))
        rc = ask(ipc, "disconnect", &ended, f);
    json_decref(ended);
    json_decref(reply);
    return rc;
}

void attempt_run(const struct paths *paths, struct attempt *a)
{
    struct ipc *ipc = NULL;

    a->rc = ipc_connect_or_start(paths, &ipc, &a->fault);
    if (a->rc == 0)
        a->rc = end_old(ipc, &a->fault);
    if (a->rc == 0)
        a->rc =
            ipc_call_connect(ipc, a->user, a->passphrase, a->accept[0] != '\0' ? a->accept : NULL,
                             BEGIN_TIMEOUT_MS, &a->reply, &a->fault);
    crypto_wipe(a->passphrase, sizeof(a->passphrase));
    ipc_close(ipc);
}

enum attempt_outcome attempt_judge(const struct tray_view *view)
{
    if (view->can_code)
        return ATTEMPT_CODE;
    if (view->can_disconnect && !view->can_connect && view->shape != TRAY_CONNECTING)
        return ATTEMPT_UP;
    if (view->can_retry)
        return ATTEMPT_WAITING;
    return view->shape == TRAY_CONNECTING ? ATTEMPT_ON_THE_WAY : ATTEMPT_FAILED;
}

bool attempt_hears(const json_t *status)
{
    const char *state = json_string_value(json_object_get(status, "state"));

    return state != NULL && strcmp(state, "disconnected") != 0;
}

const char *attempt_host_key(const json_t *error)
{
    struct msg_args args;
    enum msg_id id = problem_read(error, &args);

    return id == MSG_HOSTKEY_UNKNOWN && args.detail != NULL &&
                   config_check_fingerprint(args.detail, NULL) == 0
               ? args.detail
               : NULL;
}

const char *attempt_reason(const json_t *error)
{
    const char *message = json_string_value(json_object_get(error, "message"));

    return message != NULL ? message : TXT_NO_REASON;
}
