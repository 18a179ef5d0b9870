/*
 * What is counted of a user, and of a rule that has limits, over all sessions and workers: open
 * connections, opens a second, bytes a second each way, bytes of the day and the month. A meter is
 * kept while somebody holds it, and as long as it would remember something.
 *
 * Any thread; each meter has a lock, which only those take who are limited, or open and close
 * connections. What is moved is added once a second and session.
 */
#ifndef PRA_SERVER_PRAD_METER_H
#define PRA_SERVER_PRAD_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/policy/policy.h"
#include "server/prad/fair.h"
#include "server/store/store_limits.h"

enum meter_way { METER_UP, METER_DOWN, METER_WAYS }; /* to targets, to clients */

struct meter;
struct meters;

/* Returns 0, PRA_ENOMEM. */
int meters_new(struct meters **out);
/* Nobody holds a meter any more. NULL is fine. */
void meters_free(struct meters *m);

/* One reference; NULL = no memory. */
struct meter *meters_user(struct meters *m, const char *name);
struct meter *meters_rule(struct meters *m, int64_t rule);
struct meter *meter_ref(struct meters *m, struct meter *one);
/* NULL is fine. */
void meter_release(struct meters *m, struct meter *one);

/* The limits in force from now on; POLICY_UNSET is unlimited here. */
void meter_limit(struct meter *one, const struct policy_limits *l, uint64_t now_us);

/* What there is now, for people. */
struct meter_use {
    unsigned connections;
    int64_t day, month; /* bytes */
};
/* All 0 if nothing is known of that user. */
void meters_look(struct meters *m, const char *user, struct meter_use *out);

/* ---- connections --------------------------------------------------------------------------- */

/*
 * One more connection. Returns LIMIT_COUNT, or the limit that is against it: LIMIT_CONNECTIONS,
 * LIMIT_RATE (*wait_us = until the next may come). `anyway`: it is there already, and only counted.
 */
enum policy_limit meter_enter(struct meter *one, bool anyway, uint64_t now_us, uint64_t *wait_us);
void meter_leave(struct meter *one);

/* ---- bytes a second; fair.h ---------------------------------------------------------------- */

/* Has it a limit in this direction? */
bool meter_shapes(struct meter *one, enum meter_way way);
int meter_join(struct meter *one, enum meter_way way, struct fair_party *p, const void *who);
void meter_part(struct meter *one, enum meter_way way, struct fair_party *p);
int64_t meter_ask(struct meter *one, enum meter_way way, struct fair_party *p, int64_t want,
                  uint64_t now_us);
void meter_spend(struct meter *one, struct fair_party *p, int64_t n);
void meter_rest(struct meter *one, enum meter_way way, struct fair_party *p);

/* ---- bytes a day and a month --------------------------------------------------------------- */

void meter_moved(struct meter *one, uint64_t bytes);
/* LIMIT_QUOTA_DAY or LIMIT_QUOTA_MONTH if that is used up, else LIMIT_COUNT. Costs no lock. */
enum policy_limit meter_quota(const struct meter *one);

/* The keeper's: what was noted before the start; `today` as in q->day. Returns 0, PRA_ENOMEM. */
int meters_load(struct meters *m, const struct store_quota *q, const char *today);
/*
 * The keeper's: users with a quota whose numbers are not stored yet, at most `max`; `today` is
 * written into them. They count as stored then. If it is `max` there may be more: the next call goes on
 * from there, so that a round ends however many move something meanwhile.
 */
size_t meters_take_changed(struct meters *m, const char *today, struct store_quota *out,
                           size_t max);
/* The keeper's: that could not be stored. */
void meters_put_back(struct meters *m, const struct store_quota *q);
/* The keeper's: another day has begun, and perhaps another month. */
void meters_new_day(struct meters *m, bool month);
/* The keeper's: forgets meters that nobody holds and that would remember nothing. */
void meters_sweep(struct meters *m, uint64_t now_us);

#endif
