/* One key on two machines; see clone.h. */
#include "server/prad/clone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonl.h"
#include "common/log.h"
#include "server/admin/admin.h"
#include "server/prad/control_internal.h"
#include "server/prad/keeper.h"
#include "server/prad/mailbox.h"
#include "server/prad/record.h"
#include "server/prad/tickets.h"

/* ---- policy -------------------------------------------------------------------------------- */

static enum policy_clone policy_for(const struct session *s)
{
    const struct policy *p = s->worker->policy;
    const struct policy_user *user = policy_find_user(p, s->entry.user);
    const struct policy_key *key = policy_find_key(p, s->entry.user, s->key_blob, s->key_blob_len);
    if (key && key->clone != POLICY_CLONE_DEFAULT)
        return key->clone;
    if (user && user->clone != POLICY_CLONE_DEFAULT)
        return user->clone;
    return worker_config(s->worker)->clone;
}

struct quarantine {
    struct mail mail;
    int64_t key;
};

static void on_quarantine(struct mail *m, void *owner)
{
    struct quarantine *q = (struct quarantine *)m;
    struct fault f = {0};
    if (owner && admin_quarantine(keeper_admin(owner), q->key, &f) != 0)
        log_event(LOG_ERROR, "quarantine-not-stored", "key=%lld error=\"%s\"", (long long)q->key,
                  f.text);
    free(q);
}

/* The session itself is restricted at once; the key's others when the keeper has seen to it. */
static void quarantine(struct session *s)
{
    struct quarantine *q = malloc(sizeof(*q));
    if (!q) {
        log_event(LOG_ERROR, "quarantine-not-stored", "error=\"out of memory\"");
        return;
    }
    *q = (struct quarantine){.mail.deliver = on_quarantine, .key = s->key_id};
    keeper_post(s->worker->gateway->keeper, &q->mail);
}

/* Writes down that the key is on two machines. False: the policy lets the session get nothing. */
static bool found(struct session *s, enum policy_clone policy, const char *reason, const char *text)
{
    char detail[AUDIT_TEXT_MAX];
    snprintf(detail, sizeof(detail), "%s: %s policy=%s", reason, text, policy_clone_word(policy));
    record_session(s, AUDIT_CLONE, reason, detail);
    if (policy == POLICY_CLONE_ALLOW)
        return true;
    live_set_machine(s->worker->gateway->live, &s->entry, "", NULL, NULL); /* is no rival */
    bool suspends = policy == POLICY_CLONE_QUARANTINE;
    const char *word = suspends ? "quarantined" : reason;
    record_session(s, AUDIT_LOGIN_REFUSED, word, "");
    if (suspends)
        quarantine(s);
    control_refuse(s, word, "");
    return false;
}

static bool is_alone(struct session *s, const char *machine, char text[AUDIT_TEXT_MAX])
{
    char other[LIVE_MACHINE_MAX + 1], source[46];
    struct addr_ip from;
    if (!live_set_machine(s->worker->gateway->live, &s->entry, machine, other, &from))
        return true;
    snprintf(text, AUDIT_TEXT_MAX, "machine=%s other=%s at=%s", s->entry.machine, other,
             addr_format_ip(&from, source));
    return false;
}

/* ---- tickets ------------------------------------------------------------------------------- */

/* On the worker's thread, once the ticket is in the store. */
static void send_ticket(struct session *s, void *arg)
{
    struct ticket_step *step = arg;
    if (s && s->phase == SESSION_OPEN && s->ending_ms == 0)
        control_send(
            s, json_pack("{s:s, s:s}", "type", "ticket", "ticket", (const char *)step->offer.text));
    tickets_drop_step(step);
}

/* The keeper is to store what the book says of this key. `offer` NULL: nobody waits for it. */
static void to_store(struct session *s, const struct ticket_offer *offer)
{
    struct gateway *g = s->worker->gateway;
    struct ticket_step *step = calloc(1, sizeof(*step));
    if (!step) {
        if (offer)
            tickets_take_back(g->tickets, s->key_id, offer->hash);
        return;
    }
    step->key = s->key_id;
    step->worker = s->worker;
    step->connection = s->entry.connection;
    step->send = send_ticket;
    if (offer)
        step->offer = *offer;
    tickets_add_step(g->tickets, step);
    keeper_wake(g->keeper);
}

bool clone_hello(struct session *s, const struct clone_hello *h)
{
    enum policy_clone policy = policy_for(s);
    char text[AUDIT_TEXT_MAX];
    if (!is_alone(s, h->machine, text) && !found(s, policy, "two-machines", text))
        return false;
    const struct ticket_claim claim = {.key = s->key_id,
                                       .connection = s->entry.connection,
                                       .speaks = h->speaks,
                                       .shown = h->ticket,
                                       .lenient = policy == POLICY_CLONE_ALLOW};
    struct ticket_offer offer;
    enum ticket_answer answer = tickets_hello(s->worker->gateway->tickets, &claim, &offer);
    bool goes_on = true;
    if (answer == TICKET_FIRST && *offer.text)
        record_session(s, AUDIT_TICKET, ticket_answer_word(answer), s->entry.machine);
    if (answer == TICKET_STALE || answer == TICKET_MISSING) {
        snprintf(text, sizeof(text), "machine=%s", s->entry.machine);
        goes_on = found(s, policy, ticket_answer_word(answer), text);
    }
    if (*offer.text)
        to_store(s, &offer);
    crypto_wipe(&offer, sizeof(offer));
    return goes_on;
}

int clone_ticket_stored(struct session *s, const json_t *o, struct fault *f)
{
    struct tickets *t = s->worker->gateway->tickets;
    bool stored = true;
    int rc = jsonl_opt_bool(o, "stored", &stored, f);
    if (rc != 0)
        return rc;
    if (!stored) {
        record_session(s, AUDIT_TICKET, "ticket-not-stored", "");
        tickets_let_go(t, s->key_id, s->entry.connection);
    } else if (tickets_stored(t, s->key_id, s->entry.connection)) {
        to_store(s, NULL);
    }
    return 0;
}

void clone_end(struct session *s)
{
    if (s->hello && !s->entry.secondary)
        tickets_let_go(s->worker->gateway->tickets, s->key_id, s->entry.connection);
}
