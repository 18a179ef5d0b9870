/* What the store counts of use; a part of store.h. */
#ifndef PRA_SERVER_STORE_STORE_USAGE_H
#define PRA_SERVER_STORE_STORE_USAGE_H

#include <stdint.h>

#include "server/policy/policy.h"

/* What was used on a day, or by a user, in a time. */
#define STORE_DAY_MAX 11 /* "2026-11-29", "2026-11" */
struct store_usage {
    char name[POLICY_NAME_MAX + 1]; /* the day, or the user */
    int64_t users;                  /* days: who connected; users: on how many days he did */
    int64_t sessions, seconds, bytes_in, bytes_out, refused;
    int64_t thinned; /* events that have no record of their own */
};
struct store_usage_rule {
    int64_t rule;
    char name[POLICY_LABEL_MAX + 1]; /* "" = gone before anything was counted */
    int64_t channels, bytes_in, bytes_out;
};

/* Callbacks as in store.h. */
typedef int (*store_usage_fn)(const struct store_usage *, void *ctx);
typedef int (*store_usage_rule_fn)(const struct store_usage_rule *, void *ctx);
typedef int (*store_usage_open_fn)(const char *user, int64_t since, void *ctx);
typedef int (*store_reader_fn)(int64_t account, const char *lang, void *ctx);
typedef int (*store_severity_fn)(const char *severity, int64_t count, void *ctx);

#endif
