/*
 * Administration: opening, and the way every operation goes - look it up, check its arguments,
 * run it in a transaction, compile the new snapshot, write the audit record, commit, swap. What
 * cannot be compiled is never committed, so the store never holds a policy that prad cannot use.
 *
 * Owned by one thread: prad's keeper, or pra-admin.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "common/secmem.h"
#include "server/admin/alerts.h"
#include "server/admin/mail.h"

/* ---- opening ----------------------------------------------------------------------------------- */

int admin_open(const struct admin_options *opt, struct admin **out, struct fault *f)
{
    struct admin *a = calloc(1, sizeof(*a));
    int rc = 0;

    if (a == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory");
    a->store_url = strdup(opt->store_url);
    a->host_key_path = strdup(opt->host_key_path != NULL ? opt->host_key_path : "");
    admin_set_enterprise(a, opt->enterprise);
    if (admin_set_mail(a, opt->mail_from, opt->portal_url) != 0)
        rc = PRA_ENOMEM;
    a->downloads_path = strdup(opt->downloads != NULL ? opt->downloads : "");
    a->notes = calloc(ADMIN_NOTES_MAX, sizeof(*a->notes));
    a->throttle = throttle_new();
    a->forgotten = calloc(FORGOTTEN_MAX, sizeof(*a->forgotten));
    a->watcher = watcher_new();
    if (opt->host != NULL) {
        a->host = *opt->host;
        a->serving = opt->host->session_list != NULL;
    }
    if (rc != 0 || a->store_url == NULL || a->host_key_path == NULL || a->notes == NULL ||
        a->downloads_path == NULL || a->forgotten == NULL || a->throttle == NULL ||
        a->watcher == NULL)
        rc = fault_set(f, PRA_ENOMEM, "no memory");
    else
        rc = store_open(opt->store_url, opt->create, &a->store, f);
    if (rc == 0)
        mail_key_load(a, NULL); /* tried again, and told, when there is mail */
    if (rc == 0 && a->serving)
        rc = snapshot_load(a, true, &a->policy, f);
    if (rc != 0) {
        admin_close(a);
        return rc;
    }
    *out = a;
    return 0;
}

void admin_close(struct admin *a)
{
    if (a == NULL)
        return;
    if (a->store != NULL && a->note_count > 0)
        admin_store_audit(a, NULL, 0);
    store_close(a->store);
    policy_unref(a->policy);
    policy_unref(a->next);
    free(a->own);
    free(a->notes);
    free(a->released);
    free(a->forgotten);
    throttle_free(a->throttle);
    watcher_free(a->watcher);
    free(a->downloads_path);
    free(a->downloads);
    free(a->store_url);
    free(a->host_key_path);
    free(a->mail_from);
    free(a->portal_url);
    secmem_free(a->mail_key);
    free(a);
}

/* ---- snapshots --------------------------------------------------------------------------------- */

struct policy *admin_policy(struct admin *a)
{
    struct fault f = {0};

    if (a->policy == NULL && snapshot_load(a, true, &a->policy, &f) != 0)
        log_event(LOG_ERROR, "policy-not-loaded", "error=\"%s\"", f.text);
    return a->policy == NULL ? NULL : policy_ref(a->policy);
}

static void swap_policy(struct admin *a, struct policy *next)
{
    watcher_changed(a->watcher); /* keys may have gone */
    policy_unref(a->policy);
    a->policy = next;
}

static bool reload(struct admin *a, bool fresh)
{
    struct policy *next = NULL;
    struct fault f = {0};

    if (snapshot_load(a, fresh, &next, &f) != 0) {
        log_event(LOG_ERROR, "policy-not-loaded", "error=\"%s\" kept=old", f.text);
        return false;
    }
    swap_policy(a, next);
    return true;
}

bool admin_refresh(struct admin *a)
{
    return a->store->ops->changed(a->store) && reload(a, true);
}

int admin_set_own_addresses(struct admin *a, const struct addr_ip *ips, size_t count)
{
    struct addr_ip *own = calloc(count == 0 ? 1 : count, sizeof(*own));

    if (own == NULL)
        return PRA_ENOMEM;
    if (count > 0)
        memcpy(own, ips, count * sizeof(*own));
    free(a->own);
    a->own = own;
    a->own_count = count;
    return reload(a, false) ? 0 : PRA_ENOMEM;
}

/* ---- audit and notes --------------------------------------------------------------------------- */

int notes_write(struct admin *a, struct fault *f)
{
    const struct store_ops *db = a->store->ops;

    for (size_t i = 0; i < a->note_count; i++) {
        const struct device_note *n = &a->notes[i];
        int rc = db->key_note(a->store, n->key_id, n->machine_tag, n->version, n->os, n->binding,
                              n->when, f);

        if (rc != 0 && rc != PRA_ENOENT) /* the user may have been deleted meanwhile */
            return rc;
    }
    return 0;
}

int admin_store_audit(struct admin *a, const struct audit_event *events, size_t count)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc == 0)
        rc = db->audit_add(a->store, events, count, &f);
    if (rc == 0)
        rc = notes_write(a, &f);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = db->usage_add(a->store, &events[i], &f);
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (events[i].kind == AUDIT_LOGIN && events[i].device[0] != '\0')
            rc = db->key_seen(a->store, events[i].user, events[i].device, events[i].time_ms / 1000,
                              &f);
    }
    rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    if (rc != 0) {
        log_event(LOG_ERROR, "audit-not-stored", "events=%zu error=\"%s\"", count, f.text);
        return PRA_EIO;
    }
    a->note_count = 0;
    if (count > 0)
        alerts_look(a, events, count);
    return 0;
}

int admin_probe_store(struct admin *a)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc == 0)
        rc = db->probe(a->store, os_time_now(), &f);
    rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    if (rc != 0)
        log_event(LOG_ERROR, "store-not-writable", "error=\"%s\"", f.text);
    return rc == 0 ? 0 : PRA_EIO;
}

int admin_note_device(struct admin *a, int64_t key_id, const char *machine_tag, const char *version,
                      const char *os, const char *binding, int64_t now)
{
    struct device_note *n;

    if (a->note_count == ADMIN_NOTES_MAX && admin_store_audit(a, NULL, 0) != 0)
        return PRA_EIO;
    n = &a->notes[a->note_count++];
    n->key_id = key_id;
    n->when = now;
    snprintf(n->machine_tag, sizeof(n->machine_tag), "%s", machine_tag);
    snprintf(n->version, sizeof(n->version), "%s", version);
    snprintf(n->os, sizeof(n->os), "%s", os);
    snprintf(n->binding, sizeof(n->binding), "%s", binding);
    return 0;
}

/* ---- one operation ----------------------------------------------------------------------------- */

static const char *error_word(int rc)
{
    switch (rc) {
    case PRA_EEXIST:
        return "exists";
    case PRA_ENOENT:
        return "not-found";
    case PRA_EUNSUPPORTED:
        return "not-running";
    case PRA_EBUSY:
        return "busy";
    case PRA_EACCES:
        return "not-permitted";
    case PRA_ECLOSED:
        return "not-logged-in";
    case PRA_EPASSPHRASE:
        return "wrong";
    case PRA_EAGAIN:
        return "too-many";
    case PRA_EIO:
    case PRA_ECORRUPT:
    case PRA_EFULL:
        return "store";
    case PRA_ENOMEM:
    case PRA_ECRYPTO:
        return "internal";
    default:
        return "invalid";
    }
}

/*
 * "rule.add user=alice name=POP ..." as far as it fits. Secrets and key lines are left out, and so
 * are arguments that the operation does not have: they may be secrets with a wrong name.
 */
static void describe(const struct call *c, char *dst, size_t cap)
{
    size_t len = (size_t)snprintf(dst, cap, "%s", c->op != NULL ? c->op->name : "unknown");
    const char *name;
    json_t *value;

    if (c->op == NULL)
        return;
    if (c->api.id != 0)
        len += (size_t)snprintf(dst + len, cap - len, " token=%s", c->api.name);
    json_object_foreach(c->args, name, value)
    {
        char text[AUDIT_TEXT_MAX], shown_name[32];
        const char *s = json_string_value(value);
        const struct arg_spec *spec = find_spec(c->op, name);
        int n;

        if (spec == NULL || spec->type == ARG_HIDDEN || json_is_null(value) ||
            json_is_array(value) || json_is_object(value))
            continue;
        log_escape(shown_name, sizeof(shown_name), name, strlen(name));
        if (s != NULL)
            log_escape(text, sizeof(text), s, json_string_length(value));
        else if (json_is_integer(value))
            snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
        else
            snprintf(text, sizeof(text), "%s", json_is_true(value) ? "yes" : "no");
        n = snprintf(dst + len, cap - len, " %s=%s", shown_name, text);
        if (n < 0 || (size_t)n >= cap - len) {
            dst[len] = '\0'; /* whole values only, so that no character is cut */
            return;
        }
        len += (size_t)n;
    }
}

void audit_of(const struct call *c, int rc, struct audit_event *e)
{
    size_t len;

    memset(e, 0, sizeof(*e));
    e->kind = AUDIT_ADMIN;
    e->time_ms = os_time_now_ms();
    e->rule = c->rule;
    snprintf(e->user, sizeof(e->user), "%s", c->account.id != 0 ? c->account.name : c->peer->name);
    snprintf(e->session, sizeof(e->session), "%s", c->login.public_id);
    addr_parse_ip(c->source, strlen(c->source), &e->source);
    snprintf(e->device, sizeof(e->device), "%s", c->device);
    snprintf(e->reason, sizeof(e->reason), "%s", rc == 0 ? "done" : error_word(rc));
    describe(c, e->detail, sizeof(e->detail));
    len = strlen(e->detail);
    if (c->note[0] != '\0' && len + strlen(c->note) + 2 <= sizeof(e->detail))
        snprintf(e->detail + len, sizeof(e->detail) - len, " %s", c->note);
}

static const struct operation *parse_request(struct call *c, json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "op"));
    json_t *args = json_object_get(request, "args");
    const char *member;
    json_t *value;

    json_object_foreach(request, member, value)
    {
        if (strcmp(member, "op") != 0 && strcmp(member, "args") != 0) {
            fault_set(&c->f, PRA_EINVAL, "a request has the members op and args only");
            return NULL;
        }
    }
    if (name == NULL) {
        fault_set(&c->f, PRA_EINVAL, "op: is missing or not text");
        return NULL;
    }
    if (args != NULL && !json_is_object(args)) {
        fault_set(&c->f, PRA_EINVAL, "args: must be an object");
        return NULL;
    }
    c->args = args;
    c->op = admin_operation(name);
    if (c->op == NULL)
        fault_set(&c->f, PRA_EINVAL, "op: '%.40s' is no operation", name);
    return c->op;
}

/* Runs an operation whose transaction, if it needs one, is open, and records it there. */
static int run_inside(struct call *c)
{
    struct audit_event e;
    int rc = access_check(c);

    if (rc == 0)
        rc = args_check(c);
    if (rc == 0)
        rc = c->op->run(c);
    if (rc == 0 && (c->op->flags & (OP_CHANGES | OP_WRITES)) != 0) {
        audit_of(c, 0, &e);
        rc = c->a->store->ops->audit_add(c->a->store, &e, 1, &c->f);
    }
    return rc;
}

/* Ends a transaction that no policy depends on. */
static int finish_plain(struct admin *a, int rc, struct fault *f)
{
    if (rc == 0)
        return a->store->ops->commit(a->store, f);
    a->store->ops->rollback(a->store);
    return rc;
}

/* prad's book of tickets follows the store: not before what was done to them stands. */
static void forget_tickets(struct admin *a, bool stands)
{
    for (size_t i = 0; stands && a->host.ticket_forget != NULL && i < a->released_count; i++)
        a->host.ticket_forget(a->host.ctx, a->released[i]);
    a->released_count = 0;
}

/* Ends a transaction: durable with its snapshot ready, or nothing. */
int admin_finish(struct admin *a, int rc, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    struct policy *next = NULL;

    if (rc == 0)
        rc = db->bump(a->store, f);
    if (rc == 0 && a->serving)
        rc = snapshot_load(a, false, &next, f);
    if (rc == 0)
        rc = db->commit(a->store, f);
    else
        db->rollback(a->store);
    if (rc == 0)
        swap_policy(a, next); /* NULL when not serving: loaded when somebody asks */
    else
        policy_unref(next);
    forget_tickets(a, rc == 0);
    return rc;
}

static void record_attempt(struct call *c, int rc)
{
    struct audit_event e;

    audit_of(c, rc, &e);
    admin_store_audit(c->a, &e, 1); /* a failure is in the log; the caller has his answer */
}

static int run_single(struct call *c, json_t *request)
{
    int rc;

    if (parse_request(c, request) == NULL)
        return PRA_EINVAL;
    if ((c->op->flags & (OP_CHANGES | OP_WRITES)) != 0) {
        rc = c->a->store->ops->begin(c->a->store, &c->f);
        if (rc == 0 && (c->op->flags & OP_WRITES) != 0)
            rc = finish_plain(c->a, run_inside(c), &c->f);
        else if (rc == 0)
            rc = admin_finish(c->a, run_inside(c), &c->f);
    } else {
        rc = run_inside(c);
    }
    /* What somebody without a log-in was refused is the business of the operations that log in. */
    if (((rc != 0 && (c->op->flags & (OP_CHANGES | OP_WRITES)) != 0) ||
         (c->op->flags & OP_ACTS) != 0 || rc == PRA_EACCES) &&
        (c->who & (BY_NOBODY | BY_PENDING)) == 0)
        record_attempt(c, rc);
    return rc;
}

/* ---- a batch ----------------------------------------------------------------------------------- */

static int run_element(struct call *batch, json_t *request, size_t index)
{
    struct call c = *batch;
    int rc = PRA_EINVAL;

    c.result = NULL;
    c.batched = true;
    if (!json_is_object(request))
        fault_set(&c.f, PRA_EINVAL, "is not an object");
    else if (parse_request(&c, request) != NULL && (c.op->flags & OP_CHANGES) == 0)
        fault_set(&c.f, PRA_EINVAL, "op: only changes can be in a batch");
    else if (c.op != NULL)
        rc = run_inside(&c);
    batch->warnings = c.warnings;
    if (rc == 0 && json_array_append_new(batch->result, c.result != NULL ? c.result : json_null()))
        rc = fault_set(&c.f, PRA_ENOMEM, "no memory for the answer");
    else if (rc != 0)
        json_decref(c.result);
    if (rc != 0)
        fault_set(&batch->f, rc, "request %zu: %s", index + 1, c.f.text);
    return rc;
}

int admin_run_within(struct call *outer, const char *op, json_t *args, json_t **result)
{
    struct call c = *outer;
    int rc;

    c.op = admin_operation(op);
    c.args = args;
    c.result = c.warnings = c.page = NULL;
    c.within = true;
    c.f = (struct fault){0};
    rc = run_inside(&c);
    if (rc == 0 && result != NULL)
        *result = json_incref(c.result);
    json_decref(c.result);
    json_decref(c.warnings);
    json_decref(c.page);
    outer->f = c.f;
    return rc;
}

/* All of them in one transaction and one new snapshot, or none. */
static int run_batch(struct call *c, json_t *requests)
{
    json_t *request;
    size_t i;
    int rc = access_check_batch(c);

    if (rc != 0)
        return rc;
    if (!json_is_array(requests) || json_array_size(requests) > ADMIN_BATCH_MAX)
        return fault_set(&c->f, PRA_EINVAL, "batch: must be a list of at most %d requests",
                         ADMIN_BATCH_MAX);
    c->result = json_array();
    if (c->result == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory for the answer");
    rc = c->a->store->ops->begin(c->a->store, &c->f);
    if (rc != 0)
        return rc;
    json_array_foreach(requests, i, request)
    {
        rc = run_element(c, request, i);
        if (rc != 0)
            break;
    }
    rc = admin_finish(c->a, rc, &c->f);
    if (rc != 0) {
        struct audit_event e;

        audit_of(c, rc, &e);
        snprintf(e.detail, sizeof(e.detail), "batch requests=%zu", json_array_size(requests));
        admin_store_audit(c->a, &e, 1);
    }
    return rc;
}

json_t *admin_execute(struct admin *a, const struct admin_peer *peer, const json_t *request)
{
    struct call c = {.a = a, .peer = peer};
    json_t *copy = json_deep_copy(request); /* jansson's accessors take no const */
    json_t *batch, *answer;
    int rc;

    if (copy == NULL)
        return NULL;
    if (a->host.settle != NULL)
        a->host.settle(a->host.ctx);
    if (!json_is_object(copy))
        rc = fault_set(&c.f, PRA_EINVAL, "a request is an object");
    else
        rc = access_identify(&c, copy);
    batch = json_object_get(copy, "batch");
    if (rc == 0 && batch != NULL && json_object_size(copy) == 1)
        rc = run_batch(&c, batch);
    else if (rc == 0)
        rc = run_single(&c, copy);
    if (a->host.take_effect != NULL)
        a->host.take_effect(a->host.ctx);
    if (rc == 0) {
        answer =
            json_pack("{s:b, s:o}", "ok", 1, "result", c.result != NULL ? c.result : json_null());
        if (answer != NULL && c.warnings != NULL)
            json_object_set(answer, "warnings", c.warnings);
        if (answer != NULL && c.page != NULL)
            json_object_set(answer, "page", c.page);
    } else {
        answer =
            json_pack("{s:b, s:{s:s, s:o}}", "ok", 0, "error", "code",
                      c.code != NULL ? c.code : error_word(rc), "message", json_text(c.f.text));
        json_decref(c.result);
    }
    json_decref(c.warnings);
    json_decref(c.page);
    json_decref(c.shown);
    json_decref(copy);
    return answer;
}
