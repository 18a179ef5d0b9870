/*
 * The port plan: which listeners the rules of the gateway ask for, and how to get there from the
 * listeners that stand. Pure: parses and compares, opens nothing.
 *
 * The gateway chooses names, ports and targets, but only loopback addresses are ever listened on:
 * a rule that asks for anything else is kept in the plan with the reason why it is not followed.
 */
#ifndef PRA_CLIENT_PLAN_H
#define PRA_CLIENT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/addr.h"
#include "common/err.h"

#define PLAN_RULES_MAX 1000
#define PLAN_NAME_MAX  128 /* bytes of a rule's label */

struct plan_local {
    struct addr_ip ip; /* family 0 = none */
    uint16_t port;
};

struct plan_rule {
    int64_t id;
    char name[PLAN_NAME_MAX + 1];
    struct plan_local local, fallback; /* fallback.ip.family 0 = none */
    struct addr_host target;
    uint16_t target_port;
    char refused[96]; /* why this rule is not followed, "" = it is */
};

struct plan {
    int64_t version;
    size_t count;
    struct plan_rule *rules;
};

/*
 * Reads a `rules` message of the gateway. Returns 0 and a plan to be freed with plan_free(), or
 * PRA_EINVAL (with the rule and member), PRA_ETOOBIG (more than PLAN_RULES_MAX), PRA_ENOMEM.
 */
int plan_parse(const json_t *message, struct plan *out, struct fault *f);
void plan_free(struct plan *p);

/* "127.0.0.1:110". `dst` holds ADDR_TEXT_MAX bytes. Returns `dst`. */
const char *plan_format_local(const struct plan_local *l, char *dst);
/* "mail:110". The same. */
const char *plan_format_target(const struct plan_rule *r, char *dst);

enum plan_op {
    PLAN_REMOVE,   /* close the listener `have` and its connections */
    PLAN_KEEP,     /* nothing that matters changed; the label may have */
    PLAN_RETARGET, /* the same listener leads elsewhere from now on */
    PLAN_ADD       /* open a listener for `want` */
};

struct plan_step {
    enum plan_op op;
    size_t have; /* index; meaningless for PLAN_ADD */
    size_t want; /* index; meaningless for PLAN_REMOVE */
};

/*
 * Writes into `steps` (room for have + want) what leads from the rules `have` to `want`, all
 * removals first, so that a port is free before another rule takes it. Returns how many.
 */
size_t plan_diff(const struct plan_rule *have, size_t have_count, const struct plan_rule *want,
                 size_t want_count, struct plan_step *steps);

#endif
