/*
 * One key on two machines: what administration has to do with it. Tickets for prad, quarantine, and
 * the operation that ends it.
 */
#include "server/admin/admin_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"

/* ---- for prad ---------------------------------------------------------------------------------- */

int admin_ticket_each(struct admin *a, int (*fn)(const struct store_ticket *, void *), void *ctx,
                      struct fault *f)
{
    return a->store->ops->ticket_each(a->store, fn, ctx, f);
}

int admin_ticket_store(struct admin *a, const struct store_ticket *rows, size_t count)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int64_t now = os_time_now();
    int rc = db->begin(a->store, &f);

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = db->ticket_set(a->store, &rows[i], now, &f);
    rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    if (rc != 0)
        log_event(LOG_ERROR, "tickets-not-stored", "tickets=%zu error=\"%s\"", count, f.text);
    return rc == 0 ? 0 : PRA_EIO;
}

struct by_id {
    int64_t id;
    struct store_key key;
    bool found;
};

static int take_by_id(const struct store_key *k, void *ctx)
{
    struct by_id *want = ctx;

    if (k->id == want->id) {
        want->key = *k;
        want->found = true;
    }
    return 0;
}

int admin_quarantine(struct admin *a, int64_t key, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    struct by_id want = {.id = key};
    int rc = db->begin(a->store, f);

    if (rc != 0)
        return rc;
    rc = db->key_each(a->store, NULL, NULL, take_by_id, &want, f);
    if (rc != 0 || !want.found || want.key.state != POLICY_KEY_ACTIVE) {
        db->rollback(a->store);
        return rc;
    }
    want.key.state = POLICY_KEY_QUARANTINED;
    rc = db->key_update(a->store, &want.key, f);
    if (rc == 0)
        rc = db->factor->lease_clear_key(a->store, key, f); /* a copy of the PC has it, too */
    a->lease_changes++;
    return admin_finish(a, rc, f);
}

/* ---- policy ------------------------------------------------------------------------------------ */

int read_clone(struct call *c, const char *word, enum policy_clone *out)
{
    if (strcmp(word, "default") == 0)
        word = "";
    if (policy_clone_parse(word, out) == 0)
        return 0;
    return fault_set(&c->f, PRA_EINVAL,
                     "clone: '%.40s' is none of refuse, quarantine, allow, default", word);
}

/* ---- operations -------------------------------------------------------------------------------- */

/* prad does so when the transaction has ended well. */
static int forget_later(struct call *c, int64_t key)
{
    struct admin *a = c->a;
    int64_t *more = realloc(a->released, (a->released_count + 1) * sizeof(*more));

    if (more == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory");
    a->released = more;
    a->released[a->released_count++] = key;
    return 0;
}

/* Forgets all tickets: the database is older than what the devices have. */
int op_key_release_all(struct call *c)
{
    struct store *s = c->a->store;
    int rc = s->ops->ticket_clear(s, 0, &c->f);

    if (rc == 0)
        rc = forget_later(c, 0);
    return rc != 0 ? rc : give(c, json_object());
}

int op_key_release(struct call *c)
{
    struct store *s = c->a->store;
    struct store_key k;
    int rc = find_key(c, &k);

    if (rc == 0 && k.state == POLICY_KEY_REVOKED)
        rc = fault_set(&c->f, PRA_EINVAL, "fingerprint: that key is revoked (key restore)");
    if (rc != 0)
        return rc;
    memcpy(c->device, k.fingerprint, sizeof(c->device));
    if (k.state == POLICY_KEY_ACTIVE && k.ticket_since == 0)
        warn(c, "this key is not in quarantine and has no ticket: nothing was to be done");
    k.state = POLICY_KEY_ACTIVE;
    k.ticket_since = 0;
    rc = s->ops->key_update(s, &k, &c->f);
    if (rc == 0)
        rc = s->ops->ticket_clear(s, k.id, &c->f);
    /* Whoever comes first gets the first ticket: where a second factor is wanted, by a code. */
    if (rc == 0)
        rc = s->ops->factor->lease_clear_key(s, k.id, &c->f);
    if (rc == 0)
        rc = forget_later(c, k.id);
    if (rc != 0)
        return rc;
    c->a->lease_changes++;
    return give(c, key_json(&k));
}
