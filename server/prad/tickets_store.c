/* The keeper's part of the tickets: from the store and into it; see tickets.h. */
#include <stdlib.h>
#include <string.h>

#include "server/admin/admin.h"
#include "server/prad/gateway.h"
#include "server/prad/tickets.h"
#include "server/prad/worker.h"

static int take_row(const struct store_ticket *row, void *ctx)
{
    return tickets_put(ctx, row);
}

int tickets_load(struct gateway *g, struct admin *a, struct fault *f)
{
    return admin_ticket_each(a, take_row, g->tickets, f);
}

static void finish_step(struct tickets *t, struct ticket_step *step, const struct store_ticket *row,
                        bool stored)
{
    bool waits = *step->offer.text != '\0';
    if (waits && stored && row->has_next &&
        memcmp(row->next, step->offer.hash, sizeof(row->next)) == 0) {
        if (worker_with_session(step->worker, step->connection, step->send, step) == 0)
            return;
        tickets_let_go(t, step->key, step->connection);
    } else if (waits && !stored) {
        tickets_take_back(t, step->key, step->offer.hash);
    }
    tickets_drop_step(step);
}

void tickets_store(struct gateway *g, struct admin *a)
{
    struct ticket_step *steps = tickets_take_steps(g->tickets);
    size_t count = 0, i = 0;
    if (!steps)
        return;
    for (const struct ticket_step *s = steps; s; s = s->next)
        count++;
    struct store_ticket *rows = calloc(count, sizeof(*rows));
    for (const struct ticket_step *s = steps; s && rows; s = s->next)
        tickets_row(g->tickets, s->key, &rows[i++]);
    int rc = rows ? admin_ticket_store(a, rows, count) : PRA_ENOMEM;
    i = 0;
    for (struct ticket_step *s = steps, *next; s; s = next, i++) {
        next = s->next;
        finish_step(g->tickets, s, rows ? &rows[i] : NULL, rc == 0);
    }
    free(rows);
}
