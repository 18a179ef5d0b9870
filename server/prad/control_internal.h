/* The inside of the control channel, shared by control.c, control_in.c, control_out.c, explain.c. */
#ifndef PRA_SERVER_PRAD_CONTROL_INTERNAL_H
#define PRA_SERVER_PRAD_CONTROL_INTERNAL_H

#include <event2/event_struct.h>
#include <libssh/callbacks.h>

#include "common/buf.h"
#include "common/crypto.h"
#include "common/err.h"
#include "common/jsonl.h"
#include "server/prad/control.h"

/* Input: a line that is not yet whole, and what came with it. Output: two of the largest lines. */
#define CONTROL_IN_MAX  (2 * JSONL_CLIENT_MAX)
#define CONTROL_OUT_MAX (2 * JSONL_GATEWAY_MAX)
/* Messages of a client per minute, and explanations at once; more ends the session. */
#define CONTROL_RATE_MAX    600
#define CONTROL_EXPLAIN_MAX 4

struct explain;

struct control {
    struct session *session;
    ssh_channel ssh;
    struct ssh_channel_callbacks_struct callbacks;
    bool started; /* the subsystem runs */
    bool ready;   /* a callback saw something */
    bool client_closed, closed;
    bool held_back; /* libssh keeps input that did not fit into `in` */
    struct buf in, out;
    bool rules_sent;
    size_t rules_count;
    uint8_t rules_hash[CRYPTO_SHA256_LEN];
    unsigned received; /* messages in this minute */
    uint64_t minute_ms;
    struct explain *explains;
    unsigned explain_count;
    ssh_message refused; /* answered with a failure when `refuse_timer` fires */
    struct event refuse_timer;
};

/* Acts on one message. Returns 0, PRA_EINVAL or PRA_EVERSION with the reason in `f`. */
int control_receive(struct session *s, const json_t *o, struct fault *f);

/* Tells a client that said hello why it gets nothing, and ends the session soon. */
void control_refuse(struct session *s, const char *reason, const char *detail);

/* "explain": takes what it needs from the message. Returns 0, PRA_EINVAL, PRA_EFULL. */
int explain_start(struct session *s, int64_t id, int64_t rule);
/* Drops all that are under way. */
void explain_cancel_all(struct control *c);

#endif
