/*
 * The client's side of the control protocol pra@v1 (server/README.md): builds what we say and
 * takes apart what the gateway says. No I/O. Strings handed to handlers are borrowed from the
 * message and bounded; they are the gateway's words and are escaped where they are shown.
 */
#ifndef PRA_CLIENT_CONTROL_H
#define PRA_CLIENT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "client/cause.h"
#include "client/plan.h"
#include "common/chainlog.h"
#include "common/err.h"

#define CONTROL_PROTO 1
/* Hexadecimal digits of a token, and more connections than any tunnel has. */
#define CONTROL_TOKEN_LEN       64
#define CONTROL_CONNECTIONS_MAX 64
/* Longest text of the gateway that is taken over ("detail", names, targets). */
#define CONTROL_TEXT_MAX 512

struct control_hello {
    const char *machine; /* tag, 16 hexadecimal digits */
    bool weak;
    const char *ticket; /* NULL = this PC has none */
    const struct chainlog_head *system, *user;
};

/* Each builds one message: a new reference, NULL without memory. */
json_t *control_hello(const struct control_hello *h);
/* Whether the ticket is on this PC's disk now. */
json_t *control_ticket_stored(bool stored);
json_t *control_log_heads(const struct chainlog_head *system, const struct chainlog_head *user);
json_t *control_explain(int64_t id, int64_t rule);
json_t *control_bye(const char *reason);
/* On a secondary connection, instead of hello. */
json_t *control_join(const char *session, const char *token);
/* Asks for a token. `why` is "load" or "distance". */
json_t *control_join_token(int64_t id, const char *why);
/* `ports` is the array of the protocol; its reference is taken. */
json_t *control_ports(int64_t version, json_t *ports);

struct control_welcome {
    const char *session, *version, *user, *source;
    int64_t clock;
    unsigned connections; /* that the gateway allows a tunnel; 1 if it does not know of more */
    int64_t logs;         /* the largest log bundle that it takes; 0 = none */
    const char *lease;    /* spares the next code; "" = none was given. A secret */
};

/* The answer to join-token. */
struct control_join_token {
    int64_t id;
    const char *token;  /* NULL = no */
    const char *reason; /* of a no, "" if there is none */
};

/* Why one channel was refused or cut. `reason` is one of the words of the protocol. */
struct control_channel {
    uint16_t origin_port;
    const char *target, *reason, *detail, *name;
    int64_t rule; /* 0 = none */
    /* Which limit it was, of "user" or "rule", and how much is allowed; "" = none, or not told. */
    const char *limit, *of, *value;
};

struct control_notice {
    enum cause cause; /* what the session ends with; CAUSE_NONE: it goes on */
    bool clock;       /* news about this PC's clock */
    int64_t seconds;  /* its difference */
    int64_t retry_in; /* seconds, 0 = the gateway does not say */
    const char *kind, *detail;
    const char *limit, *of; /* kind "limit": which one holds transfers back, of "user" or "rule" */
};

/* How an enrollment stands. */
enum control_enroll_state {
    CONTROL_ENROLL_WAITING,
    CONTROL_ENROLL_APPROVED,
    CONTROL_ENROLL_DENIED,
    CONTROL_ENROLL_USED,
    CONTROL_ENROLL_EXPIRED, /* or taken back */
    CONTROL_ENROLL_REPLACED /* another connection of this PC waits now */
};

struct control_enroll {
    enum control_enroll_state state;
    const char *user, *fingerprint, *expires;
};

struct control_enroll_request {
    const char *computer, *machine; /* name, tag */
    bool weak;
};

json_t *control_enroll(const struct control_enroll_request *r);

/*
 * Reads how an enrollment stands. Returns 0; PRA_ENOENT: the message is another one; PRA_EINVAL with a
 * sentence.
 */
int control_read_enroll(const json_t *msg, struct control_enroll *out, struct fault *f);

/* How the sending of a log bundle goes. */
enum control_log_state { CONTROL_LOG_GO, CONTROL_LOG_MORE, CONTROL_LOG_DONE, CONTROL_LOG_REFUSED };

struct control_log {
    int64_t id, bytes; /* bytes that the gateway has */
    enum control_log_state state;
    const char *reason, *bundle; /* of a refusal; its name at the gateway; or "" */
};

json_t *control_log_begin(int64_t id, int64_t size, const char *sha256);
json_t *control_log_data(int64_t id, const char *base64);

struct control_handler {
    void (*welcome)(void *arg, const struct control_welcome *w);
    /* CAUSE_NO_RULES: the session stays open and waits for rules. */
    void (*refused)(void *arg, enum cause cause, const char *detail);
    /* This connection has joined `session`. */
    void (*joined)(void *arg, const char *session);
    void (*join_token)(void *arg, const struct control_join_token *t);
    /* A new ticket, to be kept and confirmed. */
    void (*ticket)(void *arg, const char *ticket);
    /* Takes ownership of the plan. */
    void (*rules)(void *arg, struct plan *plan);
    void (*open_failed)(void *arg, const struct control_channel *c);
    void (*cut)(void *arg, const struct control_channel *c);
    void (*notice)(void *arg, const struct control_notice *n);
    void (*explained)(void *arg, int64_t id, const json_t *answer);
    void (*log)(void *arg, const struct control_log *answer);
};

/*
 * Reads one message and calls its handler. A type that we do not know is passed over. Returns 0;
 * PRA_EINVAL with type and member in `f` when a message is malformed; PRA_ENOMEM.
 */
int control_dispatch(const json_t *msg, const struct control_handler *h, void *arg,
                     struct fault *f);

#endif
