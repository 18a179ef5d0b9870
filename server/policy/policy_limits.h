/*
 * Limits that hold after login: of a user, of each member of a group, of a rule. What a user's own
 * limits leave open his groups' decide (the strictest of them), and what those leave open prad.ini.
 * A rule's are shared by all who use it. Pure.
 */
#ifndef PRA_SERVER_POLICY_POLICY_LIMITS_H
#define PRA_SERVER_POLICY_POLICY_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct policy;

enum policy_limit_unit { POLICY_UNIT_NUMBER, POLICY_UNIT_BYTES, POLICY_UNIT_SECONDS };

/* POLICY_LIMIT(id, word, unit, a rule may have it, largest) */
#define POLICY_LIMIT_MAP(X)                                                                        \
    X(LIMIT_SESSIONS, "max-sessions", POLICY_UNIT_NUMBER, false, 100000)                           \
    X(LIMIT_DEVICE_SESSIONS, "max-sessions-per-device", POLICY_UNIT_NUMBER, false, 100000)         \
    X(LIMIT_CONNECTIONS, "max-connections", POLICY_UNIT_NUMBER, true, 1000000)                     \
    X(LIMIT_RATE, "rate", POLICY_UNIT_NUMBER, true, 1000000) /* connections opened a second */     \
    X(LIMIT_BURST, "burst", POLICY_UNIT_NUMBER, true, 1000000)                                     \
    X(LIMIT_UPLOAD, "upload", POLICY_UNIT_BYTES, true, 1L << 40) /* bytes a second to targets */   \
    X(LIMIT_DOWNLOAD, "download", POLICY_UNIT_BYTES, true, 1L << 40)                               \
    X(LIMIT_QUOTA_DAY, "quota-day", POLICY_UNIT_BYTES, false, 1L << 60)                            \
    X(LIMIT_QUOTA_MONTH, "quota-month", POLICY_UNIT_BYTES, false, 1L << 60)                        \
    X(LIMIT_CHANNEL_IDLE, "channel-idle", POLICY_UNIT_SECONDS, true, 31536000)                     \
    X(LIMIT_SESSION_IDLE, "session-idle", POLICY_UNIT_SECONDS, false, 31536000)                    \
    X(LIMIT_SESSION_TIME, "session-time", POLICY_UNIT_SECONDS, false, 31536000)

enum policy_limit {
#define X(id, word, unit, of_rule, max) id,
    POLICY_LIMIT_MAP(X)
#undef X
        LIMIT_COUNT
};

#define POLICY_UNSET      0 /* nothing is said here */
#define POLICY_UNLIMITED  (-1)
#define POLICY_LIMIT_TEXT 24

struct policy_limits {
    int64_t value[LIMIT_COUNT]; /* POLICY_UNSET, POLICY_UNLIMITED, or the limit */
};

const char *policy_limit_word(enum policy_limit limit);
/* LIMIT_COUNT if there is none. */
enum policy_limit policy_limit_find(const char *word);
bool policy_limit_of_rule(enum policy_limit limit);
/* "5", "64K", "30m"; "none" or "0" = unlimited, "" = unset. Returns 0, PRA_EINVAL (names the word). */
int policy_limit_parse(enum policy_limit limit, const char *text, int64_t *out, struct fault *f);
/* What policy_limit_parse() reads as the same; "" = unset. Returns `dst`. */
const char *policy_limit_format(enum policy_limit limit, int64_t value,
                                char dst[POLICY_LIMIT_TEXT]);

/* Whose limits they are. */
enum policy_limits_kind { POLICY_LIMITS_USER, POLICY_LIMITS_GROUP, POLICY_LIMITS_RULE };

struct policy_limits_of {
    enum policy_limits_kind kind;
    char name[65]; /* of the user or group */
    int64_t rule;
    struct policy_limits limits;
};

/* Of a user: his own, then his groups'; what is still POLICY_UNSET nobody has said anything about. */
void policy_user_limits(const struct policy *p, const char *user, struct policy_limits *out);
/* NULL if the rule has none. As long as the snapshot lives. */
const struct policy_limits *policy_rule_limits(const struct policy *p, int64_t rule);

#endif
