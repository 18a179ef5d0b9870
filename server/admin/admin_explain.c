/*
 * explain: which rule decides about user and target, why, and the state of the user's keys (N5).
 * Asks the same policy_evaluate() as the gateway does. Whether name and target answer is found out
 * by whoever asks (pra-admin): he hands in the name's addresses, so that nothing here waits for a
 * name server or a target.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/os.h"
#include "common/timefmt.h"

struct question {
    struct policy *policy;
    struct policy_target target;
    struct policy_query query;
    struct addr_ip ips[ADMIN_ADDRESSES_MAX]; /* of the target's name, as the asker resolved it */
    size_t ip_count;
};

/* The outcome over all addresses, and each address's own. */
struct outcome {
    const char *decision;
    struct policy_verdict verdict;
    json_t *addresses;
};

static int read_addresses(struct call *c, struct question *q)
{
    json_t *text;
    size_t i;

    json_array_foreach(json_object_get(c->args, "addresses"), i, text)
    {
        const char *s = json_is_string(text) ? json_string_value(text) : "";

        if (addr_parse_ip(s, json_string_length(text), &q->ips[i]) != 0)
            return fault_set(&c->f, PRA_EINVAL, "addresses: element %zu, '%.60s', is no address",
                             i + 1, s);
        q->ip_count = i + 1;
    }
    return 0;
}

static int read_question(struct call *c, struct question *q)
{
    const char *from = arg_text(c, "from");

    if (policy_parse_target(arg_text(c, "target"), &q->target, &c->f) != 0)
        return PRA_EINVAL;
    if (q->target.is_network || q->target.port_first != q->target.port_last)
        return fault_set(&c->f, PRA_EINVAL, "target: expected one host and one port");
    q->query.user = arg_text(c, "user");
    q->query.host = &q->target.host;
    q->query.port = q->target.port_first;
    q->query.now = os_time_now();
    if (from != NULL && addr_parse_ip(from, strlen(from), &q->query.source) != 0)
        return fault_set(&c->f, PRA_EINVAL, "from: '%.60s' is no address", from);
    if (arg_text(c, "at") != NULL && parse_when(c, "at", &q->query.now) != 0)
        return PRA_EINVAL;
    return read_addresses(c, q);
}

/* A better answer for "can the user reach it": allowed by any address beats denied by another. */
static void weigh(struct outcome *o, const struct policy_verdict *v)
{
    if (o->decision == NULL || v->answer == POLICY_ALLOW) {
        if (o->decision == NULL || o->verdict.answer != POLICY_ALLOW)
            o->verdict = *v;
        o->decision = o->verdict.answer == POLICY_ALLOW ? "allow" : "deny";
    }
}

/* The question for one address, noted in the list. */
static int judge_address(const struct question *q, const struct addr_ip *ip, struct outcome *o)
{
    struct policy_query query = q->query;
    struct policy_verdict v;
    char text[46];
    json_t *one;

    query.ip = ip;
    policy_evaluate(q->policy, &query, &v);
    weigh(o, &v);
    one = json_pack("{s:s, s:s, s:s, s:o}", "address", addr_format_ip(ip, text), "decision",
                    v.answer == POLICY_ALLOW ? "allow" : "deny", "reason",
                    policy_reason_word(v.reason), "rule",
                    v.rule != NULL ? json_integer(v.rule->id) : json_null());
    return json_array_append_new(o->addresses, one) == 0 ? 0 : PRA_ENOMEM;
}

/* Without an address: a rule that allows this very name decides, if the name resolves one day. */
static void judge_unresolved(struct call *c, struct outcome *o)
{
    const struct policy_rule *r = o->verdict.rule;

    if (r != NULL && !r->target.is_network && !r->target.host.is_ip) {
        o->decision = "allow";
        warn(c, "the name could not be resolved here: connections fail until it can");
    } else {
        o->decision = "unknown";
        warn(c, "the name could not be resolved here, and a rule for addresses comes first");
    }
}

static int judge(struct call *c, const struct question *q, struct outcome *o)
{
    struct policy_verdict first;
    int rc = 0;

    policy_evaluate(q->policy, &q->query, &first);
    if (first.answer != POLICY_NEEDS_ADDRESS) {
        weigh(o, &first);
        return 0;
    }
    for (size_t i = 0; i < q->ip_count && rc == 0; i++)
        rc = judge_address(q, &q->ips[i], o);
    if (rc == 0 && o->decision == NULL) {
        o->verdict = first;
        judge_unresolved(c, o);
    }
    return rc;
}

static int list_key(const struct store_key *k, void *ctx)
{
    return json_array_append_new(ctx, key_json(k)) == 0 ? 0 : PRA_ENOMEM;
}

static int has_source(const struct store_rule *r, void *ctx)
{
    *(bool *)ctx = *(bool *)ctx || r->rule.has_from;
    return 0;
}

struct membership {
    struct call *c;
    bool *found;
};

static int has_source_in_group(const char *group, const char *user, void *ctx)
{
    struct membership *m = ctx;
    struct store *s = m->c->a->store;

    (void)user;
    return s->ops->rule_each(s, true, group, has_source, m->found, &m->c->f);
}

/* Without a source, rules that ask for one do not apply: say so if there are any. */
static int look_for_sources(struct call *c, const char *user)
{
    struct store *s = c->a->store;
    bool found = false;
    struct membership m = {.c = c, .found = &found};
    int rc = s->ops->rule_each(s, false, user, has_source, &found, &c->f);

    if (rc == 0)
        rc = s->ops->member_each(s, user, has_source_in_group, &m, &c->f);
    if (rc == 0 && found)
        warn(c, "rules with --from were passed over: give --from ADDRESS to include them");
    return rc;
}

static void write_sentence(const struct question *q, const struct outcome *o, char *dst, size_t cap)
{
    const struct policy_rule *r = o->verdict.rule;

    switch (o->verdict.reason) {
    case POLICY_NO_USER:
        snprintf(dst, cap, "There is no user '%s'.", q->query.user);
        return;
    case POLICY_USER_DISABLED:
        snprintf(dst, cap, "User '%s' is disabled.", q->query.user);
        return;
    case POLICY_SPECIAL_ADDRESS:
        snprintf(dst, cap,
                 "Rule %lld '%s' allows it, but the address is special (loopback, link-local, the "
                 "gateway's own ...) and the rule does not name it: denied.",
                 (long long)r->id, r->name);
        return;
    default:
        break;
    }
    if (r == NULL)
        snprintf(dst, cap, "No rule applies, and without a rule the answer is no.");
    else
        snprintf(dst, cap, "Rule %lld '%s' of %s '%s' (position %lld) decides: %s.",
                 (long long)r->id, r->name, r->is_group ? "group" : "user", r->owner,
                 (long long)r->position, r->action == POLICY_ACTION_ALLOW ? "allowed" : "denied");
}

static json_t *answer_json(struct call *c, const struct question *q, const struct outcome *o,
                           json_t *keys)
{
    const struct policy_rule *r = o->verdict.rule;
    char sentence[512], at[TIMEFMT_MAX];

    write_sentence(q, o, sentence, sizeof(sentence));
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:O, s:O}", "user",
                     json_text(q->query.user), "target", json_text(arg_text(c, "target")), "at",
                     timefmt_rfc3339(q->query.now, at), "decision", o->decision, "reason",
                     policy_reason_word(o->verdict.reason), "rule",
                     r != NULL ? json_integer(r->id) : json_null(), "name",
                     r != NULL ? json_text(r->name) : json_null(), "sentence", json_text(sentence),
                     "addresses", o->addresses, "keys", keys);
}

int op_explain(struct call *c)
{
    struct store *s = c->a->store;
    struct question q = {.policy = admin_policy(c->a)};
    struct outcome o = {.addresses = json_array()};
    json_t *keys = json_array();
    int rc;

    if (q.policy == NULL)
        rc = fault_set(&c->f, PRA_ECORRUPT, "the rules cannot be loaded from the database");
    else
        rc = read_question(c, &q);
    if (rc == 0)
        rc = judge(c, &q, &o);
    if (rc == 0)
        rc = s->ops->key_each(s, q.query.user, NULL, list_key, keys, &c->f);
    if (rc == 0 && q.query.source.family == 0)
        rc = look_for_sources(c, q.query.user);
    if (rc == 0)
        rc = give(c, answer_json(c, &q, &o, keys));
    policy_unref(q.policy);
    json_decref(o.addresses);
    json_decref(keys);
    return rc;
}
