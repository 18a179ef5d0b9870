/* follow.h */
#include "client/tray/follow.h"

#include "client/ipc.h"

#define ANSWER_MS     10000
#define DISCONNECT_MS 20000

/* Follows one agent to its end, or ours. */
static void stay(struct ipc *ipc, const struct follow *follow)
{
    json_t *request = json_pack("{s:s}", "op", "subscribe"), *reply = NULL, *event;
    struct fault f = {0};
    int rc = ipc_call(ipc, request, ANSWER_MS, &reply, &f);

    json_decref(request);
    json_decref(reply);
    while ((rc == 0 || rc == PRA_ETIMEOUT) && !follow->stopped(follow->arg)) {
        event = NULL;
        rc = ipc_next_event(ipc, FOLLOW_LOOK_MS, &event, &f);
        if (rc == 0)
            follow->post(follow->arg, json_incref(json_object_get(event, "status")));
        json_decref(event);
    }
}

void follow_once(const struct paths *paths, const struct follow *follow, bool *told)
{
    struct ipc *ipc = NULL;
    struct fault f = {0};

    if (ipc_connect(paths, &ipc, &f) == 0) {
        stay(ipc, follow);
        ipc_close(ipc);
        *told = false;
    }
    if (!*told)
        follow->post(follow->arg, NULL);
    *told = true;
}

int follow_send(const struct paths *paths, const json_t *request, struct fault *f)
{
    struct ipc *ipc = NULL;
    json_t *reply = NULL;
    int rc = ipc_connect(paths, &ipc, f);

    if (rc == 0)
        rc = ipc_call(ipc, request, DISCONNECT_MS, &reply, f);
    json_decref(reply);
    ipc_close(ipc);
    return rc == PRA_ENOENT ? 0 : rc;
}
