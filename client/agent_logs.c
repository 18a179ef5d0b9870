/*
 * Sending a log bundle over the control channel (server/README.md): announced, then in pieces of which
 * a few are under way at a time, so that everything else on that channel goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent_internal.h"
#include "common/crypto.h"
#include "common/jsonl.h"

/* A piece before base64 and how many may be unanswered; the gateway's lines are 64 KiB at most. */
#define PIECE_MAX 45000u
#define AHEAD_MAX 4u

struct log_send {
    uint64_t client; /* who waits for the answer */
    int64_t id;
    bool going; /* the gateway has said yes */
    char *data;
    size_t len, sent, taken;
};

static void finish(struct agent *a, const char *state, const char *reason, const char *bundle)
{
    struct log_send *s = a->log_send;

    a->log_send = NULL;
    agentlog_system(a->log, LOG_INFO, "log bundle: %s%s%s", state, reason[0] != '\0' ? ": " : "",
                    bundle[0] != '\0' ? bundle : reason);
    ipc_server_reply(a->ipc, s->client,
                     json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "state", state, "reason", reason,
                               "bundle", bundle));
    free(s->data);
    free(s);
}

static bool say(struct agent *a, json_t *msg)
{
    bool said = msg != NULL && a->session != NULL && session_send(a->session, msg) == 0;

    json_decref(msg);
    return said;
}

static void send_pieces(struct agent *a)
{
    struct log_send *s = a->log_send;
    char text[4 * ((PIECE_MAX + 2) / 3) + 1];

    while (s->sent < s->len && s->sent - s->taken < (size_t)AHEAD_MAX * PIECE_MAX) {
        size_t n = s->len - s->sent < PIECE_MAX ? s->len - s->sent : PIECE_MAX;

        crypto_base64_encode(s->data + s->sent, n, text);
        if (!say(a, control_log_data(s->id, text))) {
            finish(a, "refused", "lost", "");
            return;
        }
        s->sent += n;
    }
}

void agent_log_answer(struct agent *a, const struct control_log *answer)
{
    struct log_send *s = a->log_send;

    if (s == NULL || answer->id != s->id)
        return;
    switch (answer->state) {
    case CONTROL_LOG_GO:
    case CONTROL_LOG_MORE:
        s->taken = (uint64_t)answer->bytes < s->sent ? (size_t)answer->bytes : s->sent;
        send_pieces(a);
        break;
    case CONTROL_LOG_DONE:
        finish(a, "done", "", answer->bundle);
        break;
    case CONTROL_LOG_REFUSED:
        finish(a, "refused", answer->reason, "");
        break;
    }
}

void agent_log_lost(struct agent *a)
{
    if (a->log_send != NULL)
        finish(a, "refused", "lost", "");
}

/* Reads and announces the file. Returns NULL or the reason why not. */
static const char *begin(struct agent *a, const char *path)
{
    struct log_send *s = a->log_send;
    uint8_t hash[CRYPTO_SHA256_LEN];
    char hex[2 * CRYPTO_SHA256_LEN + 1];

    if (!a->online || a->session == NULL)
        return "offline";
    if (a->logs_max == 0)
        return "old";
    if (os_file_read(path, a->logs_max, &s->data, &s->len, NULL) != 0)
        return "size";
    if (crypto_sha256(s->data, s->len, hash) != 0)
        return "lost";
    crypto_hex_encode(hash, sizeof(hash), hex);
    return say(a, control_log_begin(s->id, (int64_t)s->len, hex)) ? NULL : "lost";
}

void agent_send_log(struct agent *a, uint64_t client, const char *path)
{
    struct log_send *s = a->log_send == NULL ? calloc(1, sizeof(*s)) : NULL;
    const char *reason;

    if (s == NULL) {
        ipc_server_reply(a->ipc, client,
                         json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "state", "refused", "reason",
                                   "busy", "bundle", ""));
        return;
    }
    s->client = client;
    s->id = ++a->last_log;
    a->log_send = s;
    reason = begin(a, path);
    if (reason != NULL)
        finish(a, "refused", reason, "");
    else
        agentlog_user(a->log, LOG_INFO, "log bundle sent, %zu bytes", s->len);
}
