/*
 * Why a connection could not be made or has ended: one table that gives each cause the message
 * that people see (A14) and says whether the agent tries again by itself.
 */
#ifndef PRA_CLIENT_CAUSE_H
#define PRA_CLIENT_CAUSE_H

#include <stdbool.h>

#include "common/msg.h"

enum cause_policy {
    CAUSE_STOPS,   /* waiting does not mend it: a person must act */
    CAUSE_RETRIES, /* the network or the gateway may come back */
    CAUSE_ASKS,    /* the connection waits for a code that a person types */
    CAUSE_DEPENDS  /* stops the first attempt; retried when the tunnel stood before */
};

/* Cause, message, policy, word for System.log. */
#define CAUSE_MAP(X)                                                                               \
    X(CAUSE_NONE, MSG_NONE, CAUSE_STOPS, "wanted")                                                 \
    X(CAUSE_RESOLVE, MSG_RULES_ADDRESS, CAUSE_RETRIES, "name-not-resolved")                        \
    X(CAUSE_REFUSED, MSG_RULES_PORT, CAUSE_RETRIES, "refused")                                     \
    X(CAUSE_TIMEOUT, MSG_RULES_PORT, CAUSE_RETRIES, "timeout")                                     \
    X(CAUSE_UNREACHABLE, MSG_RULES_PORT, CAUSE_RETRIES, "unreachable")                             \
    X(CAUSE_PROXY, MSG_PROXY_FAILED, CAUSE_RETRIES, "proxy")                                       \
    X(CAUSE_NOT_SSH, MSG_RULES_ADDRESS, CAUSE_DEPENDS, "not-ssh")                                  \
    X(CAUSE_TURNED_AWAY, MSG_TURNED_AWAY, CAUSE_RETRIES, "turned-away")                            \
    X(CAUSE_NO_CONTROL, MSG_RULES_ADDRESS, CAUSE_DEPENDS, "not-a-pra-gateway")                     \
    X(CAUSE_SILENT, MSG_LINK_BLOCKED, CAUSE_RETRIES, "silent")                                     \
    X(CAUSE_CUT, MSG_LINK_BLOCKED, CAUSE_RETRIES, "cut-on-the-way")                                \
    X(CAUSE_ALGORITHMS, MSG_PROTOCOL, CAUSE_STOPS, "no-common-algorithm")                          \
    X(CAUSE_PROTOCOL, MSG_PROTOCOL, CAUSE_DEPENDS, "protocol")                                     \
    X(CAUSE_HOSTKEY_UNKNOWN, MSG_HOSTKEY_UNKNOWN, CAUSE_STOPS, "host-key-unknown")                 \
    X(CAUSE_HOSTKEY_CHANGED, MSG_HOSTKEY_CHANGED, CAUSE_STOPS, "host-key-changed")                 \
    X(CAUSE_UNREGISTERED, MSG_KEY_UNREGISTERED, CAUSE_STOPS, "key-not-registered")                 \
    X(CAUSE_ENROLL_CODE, MSG_ENROLL_CODE, CAUSE_STOPS, "enrollment-code")                          \
    X(CAUSE_ENROLL_MANY, MSG_ENROLL_MANY, CAUSE_STOPS, "enrollment-many")                          \
    X(CAUSE_CODE_NEEDED, MSG_CODE_NEEDED, CAUSE_ASKS, "code-needed")                               \
    X(CAUSE_CODE_WRONG, MSG_CODE_WRONG, CAUSE_ASKS, "code-wrong")                                  \
    X(CAUSE_CODE_USED, MSG_CODE_USED, CAUSE_ASKS, "code-used")                                     \
    X(CAUSE_CODE_LATE, MSG_CODE_LATE, CAUSE_ASKS, "code-late")                                     \
    X(CAUSE_CODE_PAUSED, MSG_CODE_PAUSED, CAUSE_ASKS, "code-paused")                               \
    X(CAUSE_CODE_FAILED, MSG_CODE_FAILED, CAUSE_ASKS, "code-not-checked")                          \
    X(CAUSE_CODE_MISSING, MSG_CODE_MISSING, CAUSE_STOPS, "second-factor-missing")                  \
    X(CAUSE_ACCOUNT, MSG_RULES_ACCOUNT, CAUSE_STOPS, "account-disabled")                           \
    X(CAUSE_NO_RULES, MSG_RULES_NONE, CAUSE_STOPS, "no-rules")                                     \
    X(CAUSE_WEAK_KEY, MSG_KEY_WEAK, CAUSE_STOPS, "key-weakly-bound")                               \
    X(CAUSE_KEY_REVOKED, MSG_KEY_REVOKED, CAUSE_STOPS, "key-revoked")                              \
    X(CAUSE_TICKET_STALE, MSG_KEY_TICKET_STALE, CAUSE_STOPS, "ticket-stale")                       \
    X(CAUSE_TICKET_MISSING, MSG_KEY_TICKET_MISSING, CAUSE_STOPS, "ticket-missing")                 \
    X(CAUSE_TWO_MACHINES, MSG_KEY_TWO_MACHINES, CAUSE_STOPS, "two-machines")                       \
    X(CAUSE_QUARANTINED, MSG_KEY_QUARANTINED, CAUSE_STOPS, "key-quarantined")                      \
    X(CAUSE_KILLED, MSG_SESSION_KILLED, CAUSE_STOPS, "killed")                                     \
    X(CAUSE_SESSION_TIME, MSG_SESSION_TIME, CAUSE_STOPS, "session-time")                           \
    X(CAUSE_SESSION_IDLE, MSG_SESSION_IDLE, CAUSE_STOPS, "session-idle")                           \
    X(CAUSE_SESSIONS, MSG_SESSIONS_MANY, CAUSE_RETRIES, "sessions")                                \
    X(CAUSE_SHUTDOWN, MSG_GATEWAY_SHUTDOWN, CAUSE_RETRIES, "gateway-shutdown")                     \
    X(CAUSE_LOST, MSG_GATEWAY_LOST, CAUSE_RETRIES, "lost")                                         \
    X(CAUSE_DEAD, MSG_GATEWAY_LOST, CAUSE_RETRIES, "dead-peer")                                    \
    X(CAUSE_MOVED, MSG_GATEWAY_LOST, CAUSE_RETRIES, "gateway-moved")                               \
    X(CAUSE_DEAD_CLEARED, MSG_GATEWAY_DEAD, CAUSE_STOPS, "dead-peer-cleared")                      \
    X(CAUSE_MEMORY, MSG_GATEWAY_LOST, CAUSE_RETRIES, "memory")                                     \
    X(CAUSE_KEY_PASSPHRASE, MSG_KEY_PASSPHRASE, CAUSE_STOPS, "wrong-passphrase")                   \
    X(CAUSE_KEY_MACHINE, MSG_KEY_MACHINE, CAUSE_STOPS, "machine-changed")                          \
    X(CAUSE_KEY_DISK, MSG_KEY_DISK, CAUSE_STOPS, "disk-hidden")                                    \
    X(CAUSE_KEY_DAMAGED, MSG_KEY_DAMAGED, CAUSE_STOPS, "key-damaged")                              \
    X(CAUSE_KEY_MISSING, MSG_KEY_MISSING, CAUSE_STOPS, "no-key")

enum cause {
#define X(id, msg, policy, word) id,
    CAUSE_MAP(X)
#undef X
        CAUSE_COUNT
};

enum msg_id cause_msg(enum cause c);

/* The word of System.log. */
const char *cause_word(enum cause c);

/* Does the agent try again by itself? `stood` = this tunnel was up since the user connected. */
bool cause_retries(enum cause c, bool stood);

/* Does it wait for a code? */
bool cause_asks(enum cause c);

/*
 * Is this only a way of being away from the gateway? Such a cause, once the tunnel stood, is told
 * as "connection lost" (WAR(10103)) and not as a fault of the settings.
 */
bool cause_is_absence(enum cause c);

#endif
