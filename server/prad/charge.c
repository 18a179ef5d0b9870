/* Bytes a second of limited channels; see bounds.h. Those who wait are asked again by a timer. */
#include <stdlib.h>
#include <time.h>

#include "server/prad/bounds.h"

/* Who waits is asked again so often: short against what may be saved meanwhile (fair.c). */
#define AGAIN_US 10000
/* So many of a session at a time: a limited user may have thousands that wait, and the worker is the others',
   too. Their turns are counted meanwhile (fair.c), so that nothing is lost by being asked later. */
#define AGAIN_MOST 32

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- the lists ----------------------------------------------------------------------------- */

/* Of the worker's sessions that have such channels. */
static void enter_worker(struct session *s)
{
    struct worker *w = s->worker;
    s->waiting_prev = NULL;
    s->waiting_next = w->waiting;
    if (w->waiting)
        w->waiting->waiting_prev = s;
    w->waiting = s;
}

static void leave_worker(struct session *s)
{
    if (s->waiting_prev)
        s->waiting_prev->waiting_next = s->waiting_next;
    else
        s->worker->waiting = s->waiting_next;
    if (s->waiting_next)
        s->waiting_next->waiting_prev = s->waiting_prev;
}

static void unlist(struct charge *c)
{
    struct session *s = c->channel->session;
    if (!c->listed)
        return;
    c->listed = false;
    if (s->charge_at == c)
        s->charge_at = c->next;
    if (c->prior)
        c->prior->next = c->next;
    else
        s->charges = c->next;
    if (c->next)
        c->next->prior = c->prior;
    if (!s->charges)
        leave_worker(s);
}

static void on_again(evutil_socket_t fd, short what, void *arg);

static void list(struct charge *c)
{
    const struct timeval again = {.tv_usec = AGAIN_US};
    struct session *s = c->channel->session;
    struct worker *w = s->worker;
    if (c->listed)
        return;
    c->listed = true;
    c->prior = NULL;
    c->next = s->charges;
    if (s->charges)
        s->charges->prior = c;
    else
        enter_worker(s);
    s->charges = c;
    if (!event_initialized(&w->charge_event))
        event_assign(&w->charge_event, w->base, -1, 0, on_again, w);
    if (!event_pending(&w->charge_event, EV_TIMEOUT, NULL))
        event_add(&w->charge_event, &again);
}

/* ---- asking -------------------------------------------------------------------------------- */

static int64_t ask(struct charge *c, enum meter_way way, int64_t want)
{
    uint64_t now = now_us();
    if (c->user_party[way].user)
        want = meter_ask(c->channel->session->meter, way, &c->user_party[way], want, now);
    if (want > 0 && c->rule_party[way].user)
        want = meter_ask(c->rule, way, &c->rule_party[way], want, now);
    return want;
}

static void ask_again(struct charge *c)
{
    for (unsigned way = 0; way < METER_WAYS; way++) {
        if (!c->waits[way] || ask(c, (enum meter_way)way, 1 << 20) == 0)
            continue;
        c->waits[way] = false;
        if (way == METER_DOWN)
            c->channel->can_read = true;
        channel_ready(c->channel);
    }
    if (!c->waits[METER_UP] && !c->waits[METER_DOWN])
        unlist(c);
}

/* Goes on where it stopped; what has come meanwhile is in front, and asked when it begins anew. */
static void ask_some(struct session *s)
{
    struct charge *c = s->charge_at ? s->charge_at : s->charges;
    for (unsigned i = 0; c && i < AGAIN_MOST; i++) {
        s->charge_at = c->next;
        ask_again(c);
        c = s->charge_at;
    }
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    const struct timeval again = {.tv_usec = AGAIN_US};
    struct worker *w = arg;
    for (struct session *s = w->waiting, *next; s; s = next) {
        next = s->waiting_next;
        ask_some(s);
    }
    if (w->waiting)
        event_add(&w->charge_event, &again);
}

uint32_t charge_room(struct channel *ch, enum meter_way way, uint32_t want)
{
    struct charge *c = ch->charge;
    if (!c->shaped[way])
        return want;
    int64_t may = ask(c, way, want);
    c->waits[way] = may == 0;
    if (may == 0) {
        bool of_rule = fair_waits(&c->rule_party[way]);
        ch->session->shaped |= 1u << (way * 2 + of_rule);
        list(c);
    }
    return (uint32_t)may;
}

void charge_moved(struct channel *ch, enum meter_way way, uint32_t room, uint32_t moved)
{
    struct charge *c = ch->charge;
    struct meter *user = ch->session->meter;
    if (!c->shaped[way])
        return;
    if (c->user_party[way].user)
        meter_spend(user, &c->user_party[way], moved);
    if (c->rule_party[way].user)
        meter_spend(c->rule, &c->rule_party[way], moved);
    if (moved >= room)
        return;
    if (c->user_party[way].user)
        meter_rest(user, way, &c->user_party[way]);
    if (c->rule_party[way].user)
        meter_rest(c->rule, way, &c->rule_party[way]);
}

/* ---- taking part --------------------------------------------------------------------------- */

struct charge *charge_of(struct channel *ch)
{
    if (!ch->charge) {
        ch->charge = calloc(1, sizeof(*ch->charge));
        if (ch->charge)
            ch->charge->channel = ch;
    }
    return ch->charge;
}

/* The party is in the meter if that has a limit, and not if it has none. */
static void take_part(struct meter *m, enum meter_way way, struct fair_party *p, const void *who)
{
    bool shapes = m && meter_shapes(m, way);
    if (shapes && !p->user)
        meter_join(m, way, p, who); /* without memory it is not limited */
    else if (!shapes && p->user)
        meter_part(m, way, p);
}

void charge_set(struct channel *ch)
{
    struct meter *user = ch->session->meter;
    bool needed = ch->charge != NULL;
    for (unsigned way = 0; way < METER_WAYS && !needed; way++)
        needed = meter_shapes(user, (enum meter_way)way);
    struct charge *c = needed ? charge_of(ch) : NULL;
    if (!c)
        return;
    for (unsigned i = 0; i < METER_WAYS; i++) {
        enum meter_way way = (enum meter_way)i;
        take_part(user, way, &c->user_party[way], user);
        if (c->rule)
            take_part(c->rule, way, &c->rule_party[way], user);
        c->shaped[way] = c->user_party[way].user || c->rule_party[way].user;
    }
}

void charge_end(struct channel *ch)
{
    struct charge *c = ch->charge;
    if (!c)
        return;
    unlist(c);
    for (unsigned i = 0; i < METER_WAYS; i++) {
        enum meter_way way = (enum meter_way)i;
        if (c->user_party[way].user)
            meter_part(ch->session->meter, way, &c->user_party[way]);
        if (c->rule_party[way].user)
            meter_part(c->rule, way, &c->rule_party[way]);
        c->shaped[way] = c->waits[way] = false;
    }
}
