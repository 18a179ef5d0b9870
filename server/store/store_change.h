/* A change of a rule, as the store keeps it (store.h). */
#ifndef PRA_SERVER_STORE_STORE_CHANGE_H
#define PRA_SERVER_STORE_STORE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/policy/policy.h"

/* What was done to a rule, so that it can be taken back. */
#define STORE_CHANGES_MAX 100000 /* of all rules; the oldest ones go */
#define STORE_CHANGE_TEXT 4096
struct store_change {
    int64_t id, time;
    char by[POLICY_NAME_MAX + 1];
    char what[16]; /* "add", "set", "move", "delete" */
    int64_t rule;
    bool is_group;
    char owner[POLICY_NAME_MAX + 1];
    char before[STORE_CHANGE_TEXT],
        after[STORE_CHANGE_TEXT]; /* the rule as JSON; "" = there was none */
    bool undone;
};

#endif
