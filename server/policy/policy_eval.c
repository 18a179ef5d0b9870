/*
 * The questions: does the policy allow this, and which forwards does a client get.
 */
#include "server/policy/policy_internal.h"

#include <string.h>

/* One question, taken apart once. */
struct question {
    const struct policy *p;
    const char *name;         /* the requested name, NULL for a literal */
    const struct addr_ip *ip; /* NULL = not known yet */
    struct addr_ip source;
    uint16_t port;
    int64_t now;
    int week_minute; /* -1 = not asked yet: time zones cost more than the rest */
};

static bool within_hours(struct question *q, const struct policy_hours *h)
{
    if (h->count == 0)
        return true;
    if (q->p->week_minute == NULL)
        return false;
    if (q->week_minute < 0)
        q->week_minute = (int)(q->p->week_minute(q->now, q->p->week_ctx) % WEEK_MINUTES);
    for (unsigned i = 0; i < h->count; i++) {
        if (q->week_minute >= h->span[i].from && q->week_minute < h->span[i].to)
            return true;
    }
    return false;
}

/* Everything about a rule but its target's host, which its bucket stands for. */
static bool applies(struct question *q, const struct policy_rule *r)
{
    if (q->port < r->target.port_first || q->port > r->target.port_last)
        return false;
    if (r->expires != 0 && q->now >= r->expires)
        return false;
    if (r->has_from && !addr_cidr_contains(&r->from, &q->source))
        return false;
    return within_hours(q, &r->hours);
}

/* The first rule of one bucket that applies and is earlier than `best`; else `best`. */
static uint32_t first_in_bucket(struct question *q, const struct ruleset *s,
                                const struct bucket_key *key, const uint32_t *next, uint32_t best)
{
    const struct bucket *b = ruleset_bucket(s, key);

    for (uint32_t r = b == NULL ? POLICY_NONE : b->head; r < best; r = next[r]) {
        if (applies(q, &s->rules[r]))
            return r;
    }
    return best;
}

/* The same for the buckets of the single port and of port ranges. */
static uint32_t first_of_target(struct question *q, const struct ruleset *s, struct bucket_key *key,
                                const uint32_t *next, uint32_t best)
{
    key->port = q->port;
    best = first_in_bucket(q, s, key, next, best);
    key->port = 0;
    return first_in_bucket(q, s, key, next, best);
}

static uint32_t first_of_address(struct question *q, const struct ruleset *s, uint32_t best)
{
    struct bucket_key key = {.kind = BUCKET_NET, .family = q->ip->family};
    unsigned longest = q->ip->family == 4 ? 32 : 128;

    for (unsigned n = 0; n <= longest; n++) {
        uint64_t used = q->ip->family == 4 ? s->v4 : s->v6[n / 64];

        if ((used >> (n % 64) & 1) == 0)
            continue;
        key.prefix = (uint8_t)n;
        memcpy(key.ip, policy_mask(q->ip, n).bytes, sizeof(key.ip));
        best = first_of_target(q, s, &key, s->next_target, best);
    }
    return best;
}

/*
 * The first rule of an owner that applies or, while the address is not known, might apply. NULL if
 * there is none, or no ruleset.
 */
static const struct policy_rule *first_of_owner(struct question *q, const struct ruleset *s)
{
    uint32_t best = POLICY_NONE;

    if (s == NULL)
        return NULL;
    if (q->name != NULL) {
        struct bucket_key key = {.kind = BUCKET_NAME, .name = q->name};

        best = first_of_target(q, s, &key, s->next_target, best);
    }
    if (q->ip != NULL) {
        best = first_of_address(q, s, best);
    } else {
        struct bucket_key any = {.kind = BUCKET_PORT};

        best = first_of_target(q, s, &any, s->next_port, best);
    }
    return best == POLICY_NONE ? NULL : &s->rules[best];
}

/* Rules of several groups are read by position, then by id. NULL comes last. */
static bool earlier(const struct policy_rule *a, const struct policy_rule *b)
{
    if (a == NULL || b == NULL)
        return b == NULL && a != NULL;
    return a->position != b->position ? a->position < b->position : a->id < b->id;
}

static const struct policy_rule *first_of_user(struct question *q, uint32_t user)
{
    const struct policy *p = q->p;
    const struct policy_rule *best = first_of_owner(q, p->rulesets[user]);

    if (best != NULL)
        return best;
    for (uint32_t m = p->member_first[user]; m < p->member_first[user + 1]; m++) {
        const struct policy_rule *r = first_of_owner(q, p->rulesets[p->members[m]]);

        if (earlier(r, best))
            best = r;
    }
    return best;
}

/* ---- special addresses ------------------------------------------------------------------------- */

/* The ranges behind addr_classify(), to see whether a rule's network lies within one. */
static const struct {
    enum addr_kind kind;
    struct addr_cidr net;
} special_ranges[] = {
    {ADDR_LOOPBACK, {{4, {127}}, 8}},
    {ADDR_LOOPBACK, {{6, {[15] = 1}}, 128}},
    {ADDR_LINK_LOCAL, {{4, {169, 254}}, 16}},
    {ADDR_LINK_LOCAL, {{6, {0xfe, 0x80}}, 10}},
    {ADDR_UNSPECIFIED, {{4, {0}}, 8}},
    {ADDR_UNSPECIFIED, {{6, {0}}, 128}},
    {ADDR_MULTICAST, {{4, {224}}, 4}},
    {ADDR_MULTICAST, {{4, {255, 255, 255, 255}}, 32}},
    {ADDR_MULTICAST, {{6, {0xff}}, 8}},
    {ADDR_MAPPED, {{6, {[10] = 0xff, [11] = 0xff}}, 96}},
    {ADDR_MAPPED, {{6, {0}}, 96}},
    {ADDR_NAT64, {{6, {0, 0x64, 0xff, 0x9b}}, 96}},
    {ADDR_NAT64, {{6, {0, 0x64, 0xff, 0x9b, 0, 1}}, 48}},
    {ADDR_NAT64, {{6, {0x20, 0x02}}, 16}},
};

static bool network_within_kind(const struct addr_cidr *net, const struct addr_ip *ip,
                                enum addr_kind kind)
{
    for (size_t i = 0; i < sizeof(special_ranges) / sizeof(special_ranges[0]); i++) {
        const struct addr_cidr *range = &special_ranges[i].net;

        if (special_ranges[i].kind == kind && net->prefix >= range->prefix &&
            addr_cidr_contains(range, ip) && addr_cidr_contains(range, &net->ip))
            return true;
    }
    return false;
}

static bool is_own(const struct policy *p, const struct addr_ip *ip)
{
    for (size_t i = 0; i < p->own_count; i++) {
        if (addr_ip_equal(&p->own[i], ip))
            return true;
    }
    return false;
}

/* Whether this allow rule, which matched the address, may reach it (see policy_evaluate()). */
static bool rule_names(const struct policy *p, const struct policy_rule *r,
                       const struct addr_ip *ip)
{
    const struct policy_target *t = &r->target;
    enum addr_kind kind = addr_classify(ip);
    bool singly = t->is_network ? t->cidr.prefix == (ip->family == 4 ? 32 : 128) : t->host.is_ip;

    if (singly)
        return true;
    if (kind == ADDR_LOOPBACK && !t->is_network && strcmp(t->host.name, "localhost") == 0)
        return true;
    if (kind != ADDR_ORDINARY && (!t->is_network || !network_within_kind(&t->cidr, ip, kind)))
        return false;
    return kind == ADDR_LOOPBACK || !is_own(p, ip);
}

/* ---- the questions ----------------------------------------------------------------------------- */

static struct policy_verdict verdict(enum policy_answer answer, enum policy_reason reason,
                                     const struct policy_rule *rule)
{
    return (struct policy_verdict){.answer = answer, .reason = reason, .rule = rule};
}

static struct policy_verdict judge(struct question *q, const struct policy_rule *r)
{
    if (r == NULL)
        return verdict(POLICY_DENY, POLICY_BY_DEFAULT, NULL);
    if (q->ip == NULL) {
        bool by_name = !r->target.is_network && !r->target.host.is_ip;

        if (by_name && r->action == POLICY_ACTION_DENY)
            return verdict(POLICY_DENY, POLICY_BY_RULE, r);
        return verdict(POLICY_NEEDS_ADDRESS, POLICY_UNRESOLVED, r);
    }
    if (r->action == POLICY_ACTION_DENY)
        return verdict(POLICY_DENY, POLICY_BY_RULE, r);
    if (!rule_names(q->p, r, q->ip))
        return verdict(POLICY_DENY, POLICY_SPECIAL_ADDRESS, r);
    return verdict(POLICY_ALLOW, POLICY_BY_RULE, r);
}

void policy_evaluate(const struct policy *p, const struct policy_query *query,
                     struct policy_verdict *out)
{
    const struct addr_host *host = query->host;
    struct question q = {.p = p,
                         .name = host->is_ip ? NULL : host->name,
                         .ip = host->is_ip ? &host->ip : query->ip,
                         .source = addr_ip_unmap(&query->source),
                         .port = query->port,
                         .now = query->now,
                         .week_minute = -1};
    uint32_t user = policy_user_number(p, query->user);

    if (user == POLICY_NONE)
        *out = verdict(POLICY_DENY, POLICY_NO_USER, NULL);
    else if (!p->users[user].enabled)
        *out = verdict(POLICY_DENY, POLICY_USER_DISABLED, NULL);
    else if (q.ip != NULL && ((q.ip->family != 4 && q.ip->family != 6) ||
                              (query->ip != NULL && !addr_ip_equal(q.ip, query->ip))))
        *out = verdict(POLICY_DENY, POLICY_BY_DEFAULT, NULL);
    else
        *out = judge(&q, first_of_user(&q, user));
}

struct delivery {
    const struct policy *p;
    const char *user;
    const struct addr_ip *source;
    int64_t now;
    uint64_t taken[POLICY_FORWARDS_MAX]; /* local addresses and ports given out */
    size_t count;
    bool (*each)(const struct policy_rule *rule, void *ctx);
    void *ctx;
};

static bool is_forward(const struct policy_rule *r)
{
    return r->action == POLICY_ACTION_ALLOW && r->local.port != 0 && !r->target.is_network &&
           r->target.port_first == r->target.port_last;
}

/* Delivers one rule if it is to be delivered. False = stop. */
static bool deliver(struct delivery *d, const struct policy_rule *r)
{
    struct question now = {.p = d->p,
                           .source = addr_ip_unmap(d->source),
                           .port = r->target.port_first,
                           .now = d->now,
                           .week_minute = -1};
    struct policy_query q = {.user = d->user,
                             .source = *d->source,
                             .host = &r->target.host,
                             .port = r->target.port_first,
                             .now = d->now};
    struct policy_verdict v;
    uint64_t local = r->local.port;

    if (!is_forward(r) || !applies(&now, r))
        return true;
    policy_evaluate(d->p, &q, &v);
    if (v.answer == POLICY_DENY)
        return true;
    for (unsigned i = 0; i < 4; i++)
        local = local << 8 | r->local.ip.bytes[i];
    for (size_t i = 0; i < d->count; i++) {
        if (d->taken[i] == local)
            return true;
    }
    d->taken[d->count++] = local;
    return d->each(r, d->ctx) && d->count < POLICY_FORWARDS_MAX;
}

static bool deliver_groups(struct delivery *d, uint32_t user)
{
    const struct policy *p = d->p;
    const uint32_t *groups = p->members + p->member_first[user];
    uint32_t count = p->member_first[user + 1] - p->member_first[user];
    uint32_t at[POLICY_GROUPS_MAX];

    for (uint32_t i = 0; i < count; i++)
        at[i] = 0;
    for (;;) { /* merge: the earliest of the groups' next rules */
        const struct policy_rule *best = NULL;
        uint32_t from = 0;

        for (uint32_t i = 0; i < count; i++) {
            const struct ruleset *s = p->rulesets[groups[i]];

            if (s != NULL && at[i] < s->count && earlier(&s->rules[at[i]], best)) {
                best = &s->rules[at[i]];
                from = i;
            }
        }
        if (best == NULL)
            return true;
        at[from]++;
        if (!deliver(d, best))
            return false;
    }
}

void policy_each_forward(const struct policy *p, const char *user, const struct addr_ip *source,
                         int64_t now, bool (*each)(const struct policy_rule *rule, void *ctx),
                         void *ctx)
{
    struct delivery d = {
        .p = p, .user = user, .source = source, .now = now, .each = each, .ctx = ctx};
    uint32_t u = policy_user_number(p, user);

    if (u == POLICY_NONE || !p->users[u].enabled)
        return;
    const struct ruleset *s = p->rulesets[u];
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        if (!deliver(&d, &s->rules[i]))
            return;
    }
    deliver_groups(&d, u);
}
