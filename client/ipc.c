/* The agent's socket seen from a command-line program; see ipc.h. */
#include "client/ipc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/ipc_link.h"
#include "common/buf.h"
#include "common/crypto.h"
#include "common/jsonl.h"
#include "common/os.h"

#define START_TEXT_MAX 1024
#define END_MS         5000 /* an agent has to end, an answer to come */
#define START_AGAIN_MS 20

struct ipc {
    struct ipc_link *link;
    struct buf in;
};

int ipc_connect(const struct paths *paths, struct ipc **out, struct fault *f)
{
    struct ipc *ipc = calloc(1, sizeof(*ipc));
    int rc;

    if (ipc == NULL)
        return fault_set(f, PRA_EIO, "out of memory");
    rc = ipc_link_open(paths, &ipc->link, f);
    if (rc != 0) {
        free(ipc);
        return rc;
    }
    buf_init(&ipc->in, JSONL_LOCAL_MAX);
    *out = ipc;
    return 0;
}

void ipc_close(struct ipc *ipc)
{
    if (ipc == NULL)
        return;
    ipc_link_close(ipc->link);
    buf_free(&ipc->in);
    free(ipc);
}

static int start(const struct paths *paths, struct ipc **out, struct fault *f)
{
    char words[START_TEXT_MAX] = "";
    int rc = ipc_link_start_agent(paths->agent_program, words, sizeof(words), f);
    if (rc != 0)
        return rc;
    rc = ipc_connect(paths, out, f);
    words[strcspn(words, "\r\n")] = '\0';
    if (rc == PRA_ENOENT && words[0] != '\0')
        return fault_set(f, rc, "the agent does not start: %.400s", words);
    return rc;
}

/* One request without members. Returns what ipc_call() does. */
static int ask(struct ipc *ipc, const char *op, json_t **reply, struct fault *f)
{
    json_t *request = json_pack("{s:s}", "op", op);
    int rc = request != NULL ? ipc_call(ipc, request, END_MS, reply, f) : PRA_ENOMEM;

    json_decref(request);
    return rc;
}

/* An agent that runs a program of before an upgrade, and nobody's connection. */
static bool is_left_behind(struct ipc *ipc)
{
    json_t *info = NULL, *reply = NULL;
    const char *state = NULL;
    struct fault f = {0};

    if (ask(ipc, "info", &info, &f) == 0 && json_is_true(json_object_get(info, "replaced")) &&
        ask(ipc, "status", &reply, &f) == 0)
        state = json_string_value(json_object_get(json_object_get(reply, "status"), "state"));
    json_decref(info);
    if (state != NULL && strcmp(state, "connected") == 0)
        state = NULL;
    json_decref(reply);
    return state != NULL;
}

/* Ends the agent. It has left its socket when this returns 0, and is about to end. */
static int end_agent(struct ipc *ipc, uint64_t deadline, struct fault *f)
{
    json_t *reply = NULL;
    int rc = ask(ipc, "shutdown", &reply, f);

    json_decref(reply);
    while (rc == 0) {
        uint64_t now = os_monotonic_ms();
        uint8_t rest[256];
        size_t got;

        rc = now < deadline
                 ? ipc_link_read(ipc->link, rest, sizeof(rest), (int)(deadline - now), &got, f)
                 : fault_set(f, PRA_ETIMEOUT, "the agent of before the upgrade does not end");
    }
    return rc == PRA_ECLOSED ? 0 : rc;
}

/* It holds its lock until it has written its logs; until then no other one starts. */
static int start_after(const struct paths *paths, uint64_t deadline, struct ipc **out,
                       struct fault *f)
{
    const struct timespec pause_time = {.tv_nsec = START_AGAIN_MS * 1000000L};

    for (;;) {
        int rc = start(paths, out, f);

        if (rc != PRA_ENOENT || os_monotonic_ms() >= deadline)
            return rc;
        nanosleep(&pause_time, NULL);
    }
}

int ipc_connect_or_start(const struct paths *paths, struct ipc **out, struct fault *f)
{
    uint64_t deadline = os_monotonic_ms() + END_MS;
    struct ipc *ipc = NULL;
    int rc = ipc_connect(paths, &ipc, f);

    if (rc == PRA_ENOENT)
        return start(paths, out, f);
    if (ipc == NULL)
        return rc;
    if (!is_left_behind(ipc)) {
        *out = ipc;
        return 0;
    }
    rc = end_agent(ipc, deadline, f);
    ipc_close(ipc);
    return rc == 0 ? start_after(paths, deadline, out, f) : rc;
}

/* --- talking -------------------------------------------------------------------------------- */

/* Reads more within `wait_ms` (negative: for ever). Returns 0, PRA_ETIMEOUT, PRA_ECLOSED, PRA_EIO. */
static int read_more(struct ipc *ipc, int wait_ms, struct fault *f)
{
    size_t room, got;
    uint8_t *dst = buf_reserve(&ipc->in, 16u * 1024, &room);
    int rc;

    if (dst == NULL)
        return fault_set(f, PRA_EIO, "the agent's answer is too long");
    rc = ipc_link_read(ipc->link, dst, room, wait_ms, &got, f);
    if (rc == 0)
        buf_commit(&ipc->in, got);
    return rc;
}

/* The next line that is an event, or that is not. */
static int next_line(struct ipc *ipc, bool event, int timeout_ms, json_t **out, struct fault *f)
{
    uint64_t deadline = os_monotonic_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);

    for (;;) {
        json_t *line = NULL;
        int rc = jsonl_next(&ipc->in, JSONL_LOCAL_MAX, &line, f);

        if (rc == 0 && (json_object_get(line, "event") != NULL) == event) {
            *out = line;
            return 0;
        }
        json_decref(line);
        if (rc == PRA_EAGAIN) {
            uint64_t now = os_monotonic_ms();
            int left = timeout_ms < 0 ? -1 : now < deadline ? (int)(deadline - now) : 0;

            rc = read_more(ipc, left, f);
        }
        if (rc != 0)
            return rc;
    }
}

int ipc_call(struct ipc *ipc, const json_t *request, int timeout_ms, json_t **reply,
             struct fault *f)
{
    size_t len;
    char *text = jsonl_encode(request, &len);
    int rc;

    if (text == NULL)
        return fault_set(f, PRA_EINVAL, "the request cannot be encoded");
    rc = ipc_link_send(ipc->link, text, len, f);
    crypto_wipe(text, len); /* it may hold a passphrase */
    free(text);
    return rc == 0 ? next_line(ipc, false, timeout_ms, reply, f) : rc;
}

/* Sends `request` (taken over) and wipes its member `name`. */
static int call_secret(struct ipc *ipc, json_t *request, const char *name, int timeout_ms,
                       json_t **reply, struct fault *f)
{
    const json_t *secret = json_object_get(request, name);
    int rc;

    if (secret == NULL) {
        json_decref(request);
        return fault_set(f, PRA_EINVAL, "the %s is not UTF-8", name);
    }
    rc = ipc_call(ipc, request, timeout_ms, reply, f);
    crypto_wipe((void *)(uintptr_t)json_string_value(secret), json_string_length(secret));
    json_decref(request);
    return rc;
}

int ipc_call_code(struct ipc *ipc, const char *code, int timeout_ms, json_t **reply,
                  struct fault *f)
{
    return call_secret(ipc, json_pack("{s:s, s:s}", "op", "code", "code", code), "code", timeout_ms,
                       reply, f);
}

int ipc_call_connect(struct ipc *ipc, const char *user, const char *passphrase, const char *accept,
                     int timeout_ms, json_t **reply, struct fault *f)
{
    json_t *request = json_pack("{s:s, s:s?, s:s, s:s?}", "op", "connect", "user", user,
                                "passphrase", passphrase, "accept_host_key", accept);

    return call_secret(ipc, request, "passphrase", timeout_ms, reply, f);
}

int ipc_next_event(struct ipc *ipc, int timeout_ms, json_t **event, struct fault *f)
{
    return next_line(ipc, true, timeout_ms, event, f);
}
