/* The agent's socket seen from a command-line program; see ipc.h. */
#include "client/ipc.h"

#include <stdlib.h>
#include <string.h>

#include "client/ipc_link.h"
#include "common/buf.h"
#include "common/crypto.h"
#include "common/jsonl.h"
#include "common/os.h"

#define START_TEXT_MAX 1024

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

int ipc_connect_or_start(const struct paths *paths, struct ipc **out, struct fault *f)
{
    char words[START_TEXT_MAX] = "";
    int rc = ipc_connect(paths, out, f);

    if (rc != PRA_ENOENT)
        return rc;
    rc = ipc_link_start_agent(paths->agent_program, words, sizeof(words), f);
    if (rc != 0)
        return rc;
    rc = ipc_connect(paths, out, f);
    words[strcspn(words, "\r\n")] = '\0';
    if (rc == PRA_ENOENT && words[0] != '\0')
        return fault_set(f, rc, "the agent does not start: %.400s", words);
    return rc;
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

int ipc_call_connect(struct ipc *ipc, const char *user, const char *passphrase, const char *accept,
                     int timeout_ms, json_t **reply, struct fault *f)
{
    json_t *request = json_pack("{s:s, s:s?, s:s, s:s?}", "op", "connect", "user", user,
                                "passphrase", passphrase, "accept_host_key", accept);
    const json_t *secret = json_object_get(request, "passphrase");
    int rc;

    if (secret == NULL) {
        json_decref(request);
        return fault_set(f, PRA_EINVAL, "the passphrase is not UTF-8");
    }
    rc = ipc_call(ipc, request, timeout_ms, reply, f);
    crypto_wipe((void *)(uintptr_t)json_string_value(secret), json_string_length(secret));
    json_decref(request);
    return rc;
}

int ipc_next_event(struct ipc *ipc, int timeout_ms, json_t **event, struct fault *f)
{
    return next_line(ipc, true, timeout_ms, event, f);
}
