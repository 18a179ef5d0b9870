/*
 * One forward: the listener of a rule, its state for people and for the gateway, and its
 * connections. A port that is taken is tried again every FORWARD_RETRY_MS; the rule's fallback is
 * used meanwhile. Only processes of the user who runs the agent are let in.
 */
#ifndef PRA_CLIENT_FORWARD_H
#define PRA_CLIENT_FORWARD_H

#include <stdbool.h>

#include <jansson.h>
#include <uv.h>

#include "client/channel.h"
#include "client/fdwatch.h"
#include "client/plan.h"
#include "client/sockdiag.h"
#include "common/msg.h"

#define FORWARD_RETRY_MS 2000
/* Connections that wait for the tunnel: how long, and how many per forward. */
#define FORWARD_HOLD_MS  10000
#define FORWARD_HELD_MAX 64

enum forward_state { FORWARD_LISTENING, FORWARD_CONFLICT, FORWARD_DENIED };

struct forward;

struct forward_events {
    /* State, address or holder of the listener has changed. */
    void (*changed)(void *arg, struct forward *fw);
    /* The session for a new connection, NULL while there is none. */
    struct session *(*session)(void *arg);
    /* Something for System.log. */
    void (*log)(void *arg, const struct forward *fw, const char *text);
    /* A connection of this forward has ended. */
    void (*ended)(void *arg, struct forward *fw, enum channel_end end, uint32_t ssh_reason,
                  const char *text);
};

struct forward {
    struct channel_owner owner; /* first: the owner's pointer is the forward's */
    struct plan_rule rule;
    enum forward_state state;
    bool on_fallback;
    int fd; /* the listener, -1 = none */
    struct fdwatch watch;
    uv_timer_t retry, hold;
    unsigned handles;    /* of libuv; freed when they are closed */
    enum msg_id problem; /* why it does not listen at rule.local; MSG_NONE */
    int error;           /* UV_E* behind it */
    bool has_holder;
    struct sockdiag_holder holder; /* of rule.local */
    const struct forward_events *events;
    void *arg;
};

/* Makes a forward; it does not listen before forward_open(). NULL without memory. */
struct forward *forward_new(uv_loop_t *loop, const struct plan_rule *rule,
                            const struct forward_events *events, void *arg);

/* Opens the listener if it can be, and tells the outcome by `changed`. Once. */
void forward_open(struct forward *fw);

/* Closes the listener and cuts its connections. NULL is fine. */
void forward_free(struct forward *fw);

/* The rule's label or target has changed, its listener not. */
void forward_update(struct forward *fw, const struct plan_rule *rule);

/* The tunnel stands: connections that were held are opened. */
void forward_release(struct forward *fw);

/* Where it listens, or would: "127.0.0.1:110". `dst` holds ADDR_TEXT_MAX. Returns `dst`. */
const char *forward_local(const struct forward *fw, char *dst);

const char *forward_state_word(enum forward_state state);

/* The members shared by status, `ports` message and `explain`: new references. */
json_t *forward_holder_json(const struct forward *fw); /* {"pid","program"} or null */
json_t *forward_error_json(const struct forward *fw);  /* one sentence with its code, or null */

#endif
