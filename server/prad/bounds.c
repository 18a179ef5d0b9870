/* Limits of sessions and channels; see bounds.h. */
#include "server/prad/bounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/os.h"
#include "server/prad/control.h"
#include "server/prad/record.h"
#include "server/prad/tunnel.h"

/* That bandwidth is limited is told, and written down, no more often than this. */
#define SHAPED_TOLD_MS (3600u * 1000)

/* ---- what holds ---------------------------------------------------------------------------- */

/* Of the rule that decided last; true if something of it has to be counted. */
static bool rule_limits(const struct channel *ch, struct policy_limits *l)
{
    static const enum policy_limit counted[] = {LIMIT_CONNECTIONS, LIMIT_RATE, LIMIT_UPLOAD,
                                                LIMIT_DOWNLOAD};
    const struct worker *w = ch->session->worker;
    const struct policy_limits *own = policy_rule_limits(w->policy, ch->rule);
    *l = own ? *own : (struct policy_limits){0};
    bounds_fill_rule(l, worker_config(w));
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
        if (l->value[counted[i]] > 0)
            return true;
    return false;
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- the rule's meter ---------------------------------------------------------------------- */

void bounds_leave_rule(struct channel *ch)
{
    struct charge *c = ch->charge;
    if (!c || !c->rule)
        return;
    for (unsigned way = 0; way < METER_WAYS; way++)
        if (c->rule_party[way].user)
            meter_part(c->rule, (enum meter_way)way, &c->rule_party[way]);
    meter_leave(c->rule);
    meter_release(ch->session->worker->gateway->meters, c->rule);
    c->rule = NULL;
}

/* Counts the channel at its rule. Returns LIMIT_COUNT, or which limit is against it; LIMIT_SESSIONS:
   no memory. `anyway` as for meter_enter(). */
static enum policy_limit join_rule(struct channel *ch, const struct policy_limits *l, bool anyway,
                                   uint64_t *wait_us)
{
    struct meters *all = ch->session->worker->gateway->meters;
    struct charge *c = charge_of(ch);
    struct meter *m = c ? meters_rule(all, ch->rule) : NULL;
    uint64_t now = now_us();
    if (!m)
        return LIMIT_SESSIONS;
    meter_limit(m, l, now);
    enum policy_limit against = meter_enter(m, anyway, now, wait_us);
    if (against != LIMIT_COUNT) {
        meter_release(all, m);
        return against;
    }
    c->rule = m;
    c->rule_id = ch->rule;
    return LIMIT_COUNT;
}

/* ---- a session ----------------------------------------------------------------------------- */

static void read_limits(struct session *s)
{
    policy_user_limits(s->worker->policy, s->entry.user, &s->limits);
    s->own_sessions = s->limits.value[LIMIT_SESSIONS];
    bounds_fill_user(&s->limits, worker_config(s->worker));
    meter_limit(s->meter, &s->limits, now_us());
}

bool bounds_login(struct session *s)
{
    s->meter = meters_user(s->worker->gateway->meters, s->entry.user);
    if (!s->meter)
        return false;
    read_limits(s);
    atomic_store(&s->entry.share->active_ms, os_monotonic_ms());
    return true;
}

static void count(struct session *s, uint64_t now_ms)
{
    uint64_t moved = atomic_load(&s->entry.bytes_in) + atomic_load(&s->entry.bytes_out);
    if (moved == s->counted)
        return;
    meter_moved(s->meter, moved - s->counted);
    s->counted = moved;
    atomic_store(&s->entry.share->active_ms, now_ms);
}

void bounds_logout(struct session *s)
{
    if (!s->meter)
        return;
    count(s, os_monotonic_ms());
    meter_release(s->worker->gateway->meters, s->meter);
    s->meter = NULL;
}

void bounds_refresh(struct session *s)
{
    if (!s->meter)
        return;
    read_limits(s);
    for (struct channel *ch = s->channels; ch; ch = ch->next) {
        struct policy_limits l;
        if (ch->state != CHANNEL_OPEN || ch->cut)
            continue;
        bool counted = rule_limits(ch, &l);
        if (ch->charge && ch->charge->rule && ch->charge->rule_id == ch->rule) {
            meter_limit(ch->charge->rule, &l, now_us());
        } else { /* it was opened when there were no limits, or through another rule */
            uint64_t wait_us;
            bounds_leave_rule(ch);
            if (counted)
                join_rule(ch, &l, true, &wait_us);
        }
        pump_limit(ch);
    }
}

size_t bounds_connections(const struct session *s)
{
    const struct config *c = worker_config(s->worker);
    if (s->own_sessions == POLICY_UNLIMITED)
        return SIZE_MAX;
    return s->own_sessions > 0 ? (size_t)s->own_sessions * (size_t)c->max_connections
                               : (size_t)c->max_sessions_per_user;
}

const char *bounds_too_many(struct session *s)
{
    const int64_t *limit = s->limits.value;
    size_t of_user = 0, of_device = 0;
    if (s->own_sessions <= 0 && limit[LIMIT_DEVICE_SESSIONS] <= 0)
        return NULL;
    live_count_older(s->worker->gateway->live, &s->entry, &of_user, &of_device);
    if (s->own_sessions > 0 && of_user >= (size_t)s->own_sessions)
        return policy_limit_word(LIMIT_SESSIONS);
    if (limit[LIMIT_DEVICE_SESSIONS] > 0 && of_device >= (size_t)limit[LIMIT_DEVICE_SESSIONS])
        return policy_limit_word(LIMIT_DEVICE_SESSIONS);
    return NULL;
}

/* ---- opening ------------------------------------------------------------------------------- */

static const char *const TEXTS[2][LIMIT_COUNT] = {
    {[LIMIT_CONNECTIONS] = "this user has too many connections at once",
     [LIMIT_RATE] = "this user opens connections too fast",
     [LIMIT_QUOTA_DAY] = "this user's volume for today is used up",
     [LIMIT_QUOTA_MONTH] = "this user's volume for this month is used up"},
    {[LIMIT_CONNECTIONS] = "there are too many connections at once through this rule",
     [LIMIT_RATE] = "connections through this rule are opened too fast"}};

/* The audit's reasons. */
static const char *const REASONS[2][LIMIT_COUNT] = {
    {[LIMIT_CONNECTIONS] = "user-connections",
     [LIMIT_RATE] = "user-rate",
     [LIMIT_QUOTA_DAY] = "quota-day",
     [LIMIT_QUOTA_MONTH] = "quota-month"},
    {[LIMIT_CONNECTIONS] = "rule-connections", [LIMIT_RATE] = "rule-rate"}};

static bool refuse(struct channel *ch, enum policy_limit limit, bool of_rule, int64_t value,
                   uint64_t wait_us)
{
    struct channel_limit *l = &ch->opening->limit;
    l->limit = limit;
    l->of_rule = of_rule;
    l->value = value;
    l->retry_s = wait_us == 0 ? -1 : (int)((wait_us + 999999) / 1000000);
    channel_fail(ch, FAILURE_LIMIT, REASONS[of_rule][limit], TEXTS[of_rule][limit]);
    return false;
}

bool bounds_enter(struct channel *ch)
{
    struct session *s = ch->session;
    uint64_t wait_us = 0;
    enum policy_limit against = meter_quota(s->meter);
    if (against == LIMIT_COUNT)
        against = meter_enter(s->meter, false, now_us(), &wait_us);
    ch->entered = against == LIMIT_COUNT;
    return ch->entered || refuse(ch, against, false, s->limits.value[against], wait_us);
}

bool bounds_enter_rule(struct channel *ch)
{
    struct policy_limits l;
    uint64_t wait_us = 0;
    bool counted = rule_limits(ch, &l);
    if (ch->charge && ch->charge->rule && ch->charge->rule_id == ch->rule) {
        meter_limit(ch->charge->rule, &l, now_us());
        return true;
    }
    bounds_leave_rule(ch);
    if (!counted)
        return true;
    enum policy_limit against = join_rule(ch, &l, false, &wait_us);
    if (against == LIMIT_SESSIONS)
        channel_fail(ch, FAILURE_LIMIT, "out-of-memory", "the gateway is out of memory");
    else if (against != LIMIT_COUNT)
        refuse(ch, against, true, l.value[against], wait_us);
    return against == LIMIT_COUNT;
}

void bounds_leave(struct channel *ch)
{
    charge_end(ch);
    bounds_leave_rule(ch);
    free(ch->charge);
    ch->charge = NULL;
    if (ch->entered)
        meter_leave(ch->session->meter);
    ch->entered = false;
}

/* ---- time ---------------------------------------------------------------------------------- */

static void tick_channel(struct channel *ch, uint64_t now_ms)
{
    const struct session *s = ch->session;
    const struct policy_limits *rule = policy_rule_limits(s->worker->policy, ch->rule);
    int64_t idle = rule ? rule->value[LIMIT_CHANNEL_IDLE] : POLICY_UNSET;
    if (idle == POLICY_UNSET)
        idle = s->limits.value[LIMIT_CHANNEL_IDLE];
    uint64_t moved = ch->bytes_in + ch->bytes_out;
    if (moved != ch->idle_moved || ch->idle_ms == 0) {
        ch->idle_moved = moved;
        ch->idle_ms = now_ms;
    }
    if (idle > 0 && now_ms - ch->idle_ms >= (uint64_t)idle * 1000)
        channel_cut_by_limit(ch, "idle");
}

static void cut_session(struct session *s, const char *kind, enum policy_limit limit)
{
    char text[POLICY_LIMIT_TEXT];
    session_cut(s, kind, policy_limit_format(limit, s->limits.value[limit], text));
}

static void tick_session(struct session *s, uint64_t now_ms)
{
    const int64_t *limit = s->limits.value;
    uint64_t active = atomic_load(&s->entry.share->active_ms);
    if (s->entry.secondary || s->ending_ms != 0)
        return;
    if (limit[LIMIT_SESSION_TIME] > 0 &&
        now_ms - s->login_ms >= (uint64_t)limit[LIMIT_SESSION_TIME] * 1000)
        cut_session(s, "session-time", LIMIT_SESSION_TIME);
    else if (limit[LIMIT_SESSION_IDLE] > 0 && now_ms > active &&
             now_ms - active >= (uint64_t)limit[LIMIT_SESSION_IDLE] * 1000)
        cut_session(s, "session-idle", LIMIT_SESSION_IDLE);
}

/* What was held back since the last look is told and written down, once in a while. */
static void tell_shaped(struct session *s, uint64_t now_ms)
{
    for (unsigned bit = 0; bit < METER_WAYS * 2; bit++) {
        if ((s->shaped & 1u << bit) == 0 ||
            (s->shaped_told_ms[bit] != 0 && now_ms - s->shaped_told_ms[bit] < SHAPED_TOLD_MS))
            continue;
        const char *word = policy_limit_word(bit / 2 == METER_UP ? LIMIT_UPLOAD : LIMIT_DOWNLOAD);
        const char *of = bit % 2 ? "rule" : "user";
        s->shaped_told_ms[bit] = now_ms;
        record_session(s, AUDIT_LIMIT, word, of);
        control_notice_limit(s, word, of);
    }
    s->shaped = 0;
}

void bounds_tick(struct session *s, uint64_t now_ms)
{
    if (!s->meter)
        return;
    count(s, now_ms);
    enum policy_limit used_up = meter_quota(s->meter);
    for (struct channel *ch = s->channels; ch; ch = ch->next) {
        if (ch->state != CHANNEL_OPEN || ch->cut)
            continue;
        tick_channel(ch, now_ms);
        if (used_up != LIMIT_COUNT && !ch->cut)
            channel_cut_by_limit(ch, policy_limit_word(used_up));
    }
    if (s->shaped != 0)
        tell_shaped(s, now_ms);
    tick_session(s, now_ms);
}
