/*
 * The keeper's part of quotas: what was moved is read from the store at start, written every few
 * seconds, and begins anew with the day and the month of the gateway's time zone. A prad that is
 * killed forgets what was moved since it was written last.
 */
#ifndef PRA_SERVER_PRAD_QUOTA_H
#define PRA_SERVER_PRAD_QUOTA_H

#include <jansson.h>

#include "server/admin/admin.h"
#include "server/prad/gateway.h"

struct quota {
    struct gateway *gateway;
    struct admin *admin;
    char today[STORE_DAY_MAX];
    struct policy_limits defaults; /* prad.ini's, of users */
    bool failed;                   /* said so already */
};

/* Reads what was noted. What cannot be read counts as nothing, with a line in the log. */
void quota_begin(struct quota *q, struct gateway *g, struct admin *a);
void quota_set(struct quota *q, const struct config *c);
/* Writes what has changed; looks whether another day has begun. */
void quota_tick(struct quota *q);
/* For struct admin_host. */
void quota_limits(const struct quota *q, const char *user, struct policy_limits *l, json_t **used);

#endif
