/*
 * What happened since prad started, in numbers: for /metrics. Each event is counted where it is
 * recorded, before records are thinned, so the numbers are exact. Only fixed words are counted, never
 * names of people or addresses: a stranger cannot make series. Any thread.
 */
#ifndef PRA_SERVER_PRAD_COUNTERS_H
#define PRA_SERVER_PRAD_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "server/audit/audit.h"

/* How a log-in ended; the words are those of the audit's reasons. */
#define COUNTERS_LOGIN_MAP(X)                                                                      \
    X(LOGIN_ACCEPTED, "accepted")                                                                  \
    X(LOGIN_UNKNOWN_USER, "unknown-user")                                                          \
    X(LOGIN_UNKNOWN_KEY, "unknown-key")                                                            \
    X(LOGIN_KEY_REVOKED, "key-revoked")                                                            \
    X(LOGIN_WRONG_SIGNATURE, "wrong-signature")                                                    \
    X(LOGIN_METHOD, "method")                                                                      \
    X(LOGIN_WEAK_KEY, "weak-key")                                                                  \
    X(LOGIN_FACTOR_WRONG, "factor-wrong")                                                          \
    X(LOGIN_FACTOR_USED, "factor-used")                                                            \
    X(LOGIN_FACTOR_LATE, "factor-late")                                                            \
    X(LOGIN_FACTOR_PAUSED, "factor-paused")                                                        \
    X(LOGIN_FACTOR_MISSING, "factor-missing")                                                      \
    X(LOGIN_GRACE, "login-grace")                                                                  \
    X(LOGIN_SESSION_LIMIT, "session-limit")                                                        \
    X(LOGIN_SESSIONS_FULL, "sessions-full")                                                        \
    X(LOGIN_STARTUPS_FULL, "startups-full")                                                        \
    X(LOGIN_SOURCE_FULL, "startups-of-source-full")                                                \
    X(LOGIN_CROWDED, "startups-crowded")                                                           \
    X(LOGIN_MADE_ROOM, "made-room")                                                                \
    X(LOGIN_PENALTY, "penalty")                                                                    \
    X(LOGIN_OTHER, "other")
enum counters_login {
#define X(id, word) id,
    COUNTERS_LOGIN_MAP(X)
#undef X
        LOGIN_RESULT_COUNT
};

struct counters {
    atomic_uint_fast64_t login[LOGIN_RESULT_COUNT];
    atomic_uint_fast64_t event[AUDIT_KIND_COUNT];
};

/* One event; `reason` as in its audit record. */
void counters_note(struct counters *c, enum audit_kind kind, const char *reason);
const char *counters_login_word(enum counters_login result);

#endif
