/* Choosing workers; see balance.h. */
#include "server/prad/balance.h"

#include "server/prad/gateway.h"
#include "server/prad/worker.h"

/* What a connection that is on its way will cost, in thousandths of a second: about a login. */
#define FRESH_COST 2
/* All sessions together weigh as much as this much of a busy second. */
#define SESSIONS_WEIGHT 250
/* From here on a worker is what holds its sessions up; below that one there is room for more. */
#define BUSY_LIMIT 850
#define IDLE_LIMIT 400

static unsigned long cost(const struct balance_load *l, unsigned long all_sessions)
{
    return 1000ul * (l->busy + FRESH_COST * (unsigned long)l->fresh) +
           1000ul * SESSIONS_WEIGHT * l->sessions / (all_sessions + 1);
}

unsigned balance_choose(const struct balance_load *load, unsigned count, unsigned start)
{
    unsigned long all = 0, least = 0;
    unsigned best = count;
    for (unsigned i = 0; i < count; i++)
        all += load[i].sessions + load[i].fresh;
    for (unsigned n = 0; n < count; n++) {
        unsigned i = (start + n) % count;
        unsigned long c = cost(&load[i], all);
        if (best == count || c < least) {
            best = i;
            least = c;
        }
    }
    return best;
}

bool balance_has_better(const struct balance_load *load, unsigned count, unsigned mine)
{
    if (load[mine].busy < BUSY_LIMIT)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (i != mine && load[i].busy < IDLE_LIMIT)
            return true;
    return false;
}

static void look(const struct gateway *g, struct balance_load load[GATEWAY_WORKERS_MAX])
{
    for (unsigned i = 0; i < g->worker_count; i++) {
        const struct worker *w = g->worker[i];
        load[i] = (struct balance_load){.busy = atomic_load(&w->busy),
                                        .fresh = atomic_load(&w->fresh),
                                        .sessions = atomic_load(&w->session_count)};
    }
}

struct worker *balance_pick(struct gateway *g)
{
    struct balance_load load[GATEWAY_WORKERS_MAX];
    look(g, load);
    struct worker *w = g->worker[balance_choose(load, g->worker_count, g->next_worker++)];
    atomic_fetch_add(&w->fresh, 1);
    return w;
}

bool balance_can_offload(const struct worker *w)
{
    const struct gateway *g = w->gateway;
    struct balance_load load[GATEWAY_WORKERS_MAX];
    unsigned mine = 0;
    look(g, load);
    while (mine < g->worker_count && g->worker[mine] != w)
        mine++;
    return mine < g->worker_count && balance_has_better(load, g->worker_count, mine);
}
