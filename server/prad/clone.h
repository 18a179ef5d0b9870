/*
 * One key on two machines (N2): found out at hello, by the machine tag of another connection or by
 * the ticket (tickets.h); what is done about it is the policy's: refuse the one that came, put the
 * key into quarantine until an administrator has decided, or let it be. An audit record and, made
 * of it, an alert come in any case.
 */
#ifndef PRA_SERVER_PRAD_CLONE_H
#define PRA_SERVER_PRAD_CLONE_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"

struct session;

/* What hello says that clones are found by; the strings are borrowed. */
struct clone_hello {
    const char *machine;
    bool speaks;        /* knows of tickets */
    const char *ticket; /* NULL = it has none */
};

/*
 * Judges the session at its hello, and begins to replace its ticket. False: it was told why it gets
 * nothing, and ends.
 */
bool clone_hello(struct session *s, const struct clone_hello *h);
/* "ticket-stored": the client has its new ticket on its disk, or says why not. 0, PRA_EINVAL. */
int clone_ticket_stored(struct session *s, const json_t *o, struct fault *f);
/* The session ends. */
void clone_end(struct session *s);

#endif
