/*
 * Audit events: typed, append-only, queued by any thread to one writer (the keeper thread), which
 * stores them in batches. When the queue is full events are counted, not lost in silence: the
 * writer records "audit-overflow" with the exact number per kind.
 */
#ifndef PRA_SERVER_AUDIT_AUDIT_H
#define PRA_SERVER_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "server/policy/policy.h"

#define AUDIT_KIND_MAP(X)                                                                          \
    X(AUDIT_GATEWAY_START, "gateway-start")                                                        \
    X(AUDIT_GATEWAY_STOP, "gateway-stop")                                                          \
    X(AUDIT_LOGIN, "login")                                                                        \
    X(AUDIT_LOGIN_REFUSED, "login-refused") /* key, signature, user, limits: see reason */         \
    X(AUDIT_LOGOUT, "logout")                                                                      \
    X(AUDIT_JOIN, "tunnel-join")          /* a connection became a part of the session */          \
    X(AUDIT_JOIN_REFUSED, "join-refused") /* a token that is not this connection's to use */       \
    X(AUDIT_LEAVE, "tunnel-leave")                                                                 \
    X(AUDIT_CHANNEL_OPEN, "channel-open")                                                          \
    X(AUDIT_CHANNEL_REFUSED, "channel-refused") /* direct-tcpip not allowed */                     \
    X(AUDIT_CHANNEL_FAILED, "channel-failed")   /* allowed, target did not answer */               \
    X(AUDIT_CHANNEL_CLOSE, "channel-close")                                                        \
    X(AUDIT_CHANNEL_CUT, "channel-cut")                                                            \
    X(AUDIT_REQUEST_REFUSED, "request-refused") /* shell, exec, x11, agent, remote forward ... */  \
    X(AUDIT_SESSION_CUT, "session-cut")                                                            \
    X(AUDIT_PROTOCOL_ERROR, "protocol-error")                                                      \
    X(AUDIT_PORT_REPORT, "port-report")                                                            \
    X(AUDIT_CLOCK, "clock-difference")                                                             \
    X(AUDIT_LOG_HEAD, "log-head") /* heads of the client's chained logs */                         \
    X(AUDIT_ENROLL, "enroll")     /* a PC that hands in its key; reason: how it stands */          \
    X(AUDIT_BUNDLE, "log-bundle") /* a client sent its logs; reason: what came of it */            \
    X(AUDIT_VIOLATION, "sandbox-violation") /* an earlier prad was ended; reason: the call */      \
    X(AUDIT_ADMIN, "admin")                 /* a change or an attempt by an administrator */       \
    X(AUDIT_ACCOUNT_LOGIN, "account-login") /* of the management tool; reason: how far */          \
    X(AUDIT_ACCOUNT_REFUSED, "account-refused")                                                    \
    X(AUDIT_ACCOUNT_RESET, "account-reset") /* a forgotten password; reason: what came of it */    \
    X(AUDIT_MAIL_SENT, "mail-sent")         /* the mail server has taken it */                     \
    X(AUDIT_MAIL_FAILED, "mail-failed")     /* given up: see reason */                             \
    X(AUDIT_LIMIT, "limit")                 /* bandwidth is held back; reason: which way */        \
    X(AUDIT_CLONE, "clone")                 /* one key on two machines at the same time */         \
    X(AUDIT_TICKET, "ticket")               /* a device's ticket; reason: what came of it */       \
    X(AUDIT_ALERT, "alert")                 /* an alert was raised; reason: its kind */            \
    X(AUDIT_EXPIRED, "audit-expired")   /* records older than [audit] keep_days were deleted */    \
    X(AUDIT_OVERFLOW, "audit-overflow") /* reason: the kind of those that were only counted */

enum audit_kind {
#define X(id, word) id,
    AUDIT_KIND_MAP(X)
#undef X
        AUDIT_KIND_COUNT
};
const char *audit_kind_word(enum audit_kind k);

#define AUDIT_SESSION_MAX 33 /* 32 hex digits */
#define AUDIT_TEXT_MAX    256

/* Strings are copied when queued; unknown members stay zero / empty. Peer text must be valid UTF-8
   or escaped by log_escape(). */
struct audit_event {
    enum audit_kind kind;
    int64_t time_ms; /* 0 = stamped when queued */
    char session[AUDIT_SESSION_MAX];
    char user[POLICY_NAME_MAX + 1];
    char device[52]; /* key fingerprint */
    struct addr_ip source;
    uint16_t source_port;
    char target[ADDR_TEXT_MAX]; /* as requested, host:port */
    struct addr_ip target_ip;   /* connected to */
    int64_t rule;               /* 0 = none */
    char reason[64];            /* fixed words with dashes */
    char detail[AUDIT_TEXT_MAX];
    uint64_t bytes_in, bytes_out; /* from client to target, from target to client */
    /* So many did this record stand for; 0 = one. An AUDIT_OVERFLOW stands for events of the kind
       that `reason` names. */
    uint64_t times;
};

struct audit_queue;

/* `wake` is called (any thread) when the queue goes from empty to not empty, and again, with
   `urgent`, when it has become half full before it was emptied. 0, PRA_ENOMEM. */
int audit_queue_new(size_t capacity, void (*wake)(void *ctx, bool urgent), void *ctx,
                    struct audit_queue **out);
void audit_queue_free(struct audit_queue *q);
/* Any thread; never blocks on I/O. A full queue counts the event by kind. `q` NULL is ignored. */
void audit_record(struct audit_queue *q, const struct audit_event *e);
/* Writer only: moves up to `max` events out; overflow counters come as AUDIT_OVERFLOW events. */
size_t audit_queue_take(struct audit_queue *q, struct audit_event *out, size_t max);
/* Any thread: how many events wait, how many may, and how many were only counted so far. */
void audit_queue_look(struct audit_queue *q, size_t *waiting, size_t *capacity, uint64_t *lost);

#endif
