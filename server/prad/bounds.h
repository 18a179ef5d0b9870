/*
 * What bounds a session and its channels after login: connections, opens a second, quotas, times
 * (bounds.c), and bytes a second (charge.c). The numbers that many sessions share are in meter.h; what
 * holds for whom is in policy/policy_limits.h. Own thread only, but for the defaults.
 */
#ifndef PRA_SERVER_PRAD_BOUNDS_H
#define PRA_SERVER_PRAD_BOUNDS_H

#include "server/config.h"
#include "server/prad/channel.h"
#include "server/prad/meter.h"

/* prad.ini's, where nothing is said of a user, or of a rule. */
void bounds_fill_user(struct policy_limits *l, const struct config *c);
void bounds_fill_rule(struct policy_limits *l, const struct config *c);

/* ---- a session ----------------------------------------------------------------------------- */

/* Finds its user's limits and meter. False without memory. */
bool bounds_login(struct session *s);
/* Nothing is left of it. Before live_remove(). */
void bounds_logout(struct session *s);
/* Rules, limits or settings have changed. */
void bounds_refresh(struct session *s);
/* How many connections the user may have in all; for live_add(). */
size_t bounds_connections(const struct session *s);
/* It has said what it is: are there others of the user, or of the key, that said so before it and are as
   many as may be? NULL = no, else the limit's word. */
const char *bounds_too_many(struct session *s);
/* Once a second: counts what was moved, and ends what has run out. */
void bounds_tick(struct session *s, uint64_t now_ms);

/* ---- a channel ----------------------------------------------------------------------------- */

/* The user may have another connection; otherwise the channel has failed. */
bool bounds_enter(struct channel *ch);
/* Likewise for the rule that has decided, by what is in force now; it may be asked again. */
bool bounds_enter_rule(struct channel *ch);
/* Its target is gone: the rule's place is another's. */
void bounds_leave_rule(struct channel *ch);
/* It is gone. */
void bounds_leave(struct channel *ch);

/* ---- bytes a second (charge.c) ------------------------------------------------------------- */

/* A channel that is limited; all others have none. */
struct charge {
    struct charge *next, *prior; /* the session's list of those who wait */
    struct channel *channel;
    struct meter *rule; /* NULL = the rule has no limits */
    int64_t rule_id;
    bool shaped[METER_WAYS], waits[METER_WAYS], listed;
    struct fair_party user_party[METER_WAYS], rule_party[METER_WAYS];
};

/* Makes one if there is none yet. NULL = no memory. */
struct charge *charge_of(struct channel *ch);
/* Takes part in what meters it has by now, and in no others. Frees what is not needed. */
void charge_set(struct channel *ch);
/* Takes no part any more: the target is gone. */
void charge_end(struct channel *ch);
/* How much may be moved now, at most `want`. 0: the channel is made ready when it may go on. */
uint32_t charge_room(struct channel *ch, enum meter_way way, uint32_t want);
/* Of `room` so much was moved; less than that means that there was no more. */
void charge_moved(struct channel *ch, enum meter_way way, uint32_t room, uint32_t moved);
/* True while it waits for leave to move something. */
static inline bool charge_waits(const struct channel *ch, enum meter_way way)
{
    return ch->charge && ch->charge->waits[way];
}

#endif
