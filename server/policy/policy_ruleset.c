/*
 * The rules of one owner and the buckets in which a request finds them (policy_internal.h).
 */
#include "server/policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

struct ruleset *ruleset_new(size_t count)
{
    struct ruleset *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    atomic_init(&s->refs, 1);
    s->rules = calloc(count, sizeof(*s->rules));
    s->next_target = calloc(count, sizeof(*s->next_target));
    s->next_port = calloc(count, sizeof(*s->next_port));
    s->buckets = calloc(count * 2, sizeof(*s->buckets));
    if (s->rules == NULL || s->next_target == NULL || s->next_port == NULL || s->buckets == NULL ||
        table_init(&s->by_id, count) != 0 || table_init(&s->by_bucket, count * 2) != 0) {
        ruleset_unref(s);
        return NULL;
    }
    return s;
}

struct ruleset *ruleset_ref(struct ruleset *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void ruleset_unref(struct ruleset *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    table_free(&s->by_id);
    table_free(&s->by_bucket);
    free(s->rules);
    free(s->next_target);
    free(s->next_port);
    free(s->buckets);
    free(s);
}

struct addr_ip policy_mask(const struct addr_ip *ip, unsigned prefix)
{
    struct addr_ip out = {.family = ip->family};
    unsigned whole = prefix / 8;

    memcpy(out.bytes, ip->bytes, whole);
    if (prefix % 8 != 0)
        out.bytes[whole] = (uint8_t)(ip->bytes[whole] & (0xff00u >> (prefix % 8)));
    return out;
}

/* ---- buckets --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 32);
}

/* By words, not bytes: one request computes up to 66 of these. */
static uint64_t key_hash(const struct bucket_key *k)
{
    uint64_t address[2];
    uint64_t h = mix(0, (uint64_t)k->port << 32 | (uint64_t)k->kind << 16 |
                            (uint64_t)k->family << 8 | k->prefix);

    memcpy(address, k->ip, sizeof(address));
    h = mix(mix(h, address[0]), address[1]);
    return k->name != NULL ? hash_bytes(h, k->name, strlen(k->name)) : h;
}

static bool key_equal(const struct bucket_key *a, const struct bucket_key *b)
{
    if (a->port != b->port || a->kind != b->kind || a->family != b->family ||
        a->prefix != b->prefix || memcmp(a->ip, b->ip, 16) != 0)
        return false;
    if (a->name == NULL || b->name == NULL)
        return a->name == b->name;
    return strcmp(a->name, b->name) == 0;
}

static uint32_t find_bucket(const struct ruleset *s, const struct bucket_key *key, uint64_t hash)
{
    uint32_t cursor = POLICY_NONE, b;

    while ((b = table_next(&s->by_bucket, hash, &cursor)) != POLICY_NONE) {
        if (key_equal(&s->buckets[b].key, key))
            return b;
    }
    return POLICY_NONE;
}

const struct bucket *ruleset_bucket(const struct ruleset *s, const struct bucket_key *key)
{
    uint32_t b = find_bucket(s, key, key_hash(key));

    return b == POLICY_NONE ? NULL : &s->buckets[b];
}

static void add_to_bucket(struct ruleset *s, const struct bucket_key *key, uint32_t *next,
                          uint32_t rule)
{
    uint64_t hash = key_hash(key);
    uint32_t b = find_bucket(s, key, hash);

    next[rule] = POLICY_NONE;
    if (b == POLICY_NONE) {
        b = s->bucket_count++;
        s->buckets[b] = (struct bucket){.key = *key, .head = rule, .tail = rule};
        table_put(&s->by_bucket, hash, b);
        return;
    }
    next[s->buckets[b].tail] = rule;
    s->buckets[b].tail = rule;
}

static void note_prefix(struct ruleset *s, const struct bucket_key *key)
{
    if (key->family == 4)
        s->v4 |= UINT64_C(1) << key->prefix;
    else
        s->v6[key->prefix / 64] |= UINT64_C(1) << (key->prefix % 64);
}

static void add_to_buckets(struct ruleset *s, uint32_t rule)
{
    const struct policy_target *t = &s->rules[rule].target;
    struct bucket_key key = {.port = t->port_first == t->port_last ? t->port_first : 0};

    if (!t->is_network && !t->host.is_ip) {
        key.kind = BUCKET_NAME;
        key.name = t->host.name;
        add_to_bucket(s, &key, s->next_target, rule);
        return;
    }
    const struct addr_ip *ip = t->is_network ? &t->cidr.ip : &t->host.ip;
    key.kind = BUCKET_NET;
    key.family = ip->family;
    key.prefix = t->is_network ? t->cidr.prefix : (ip->family == 4 ? 32 : 128);
    memcpy(key.ip, policy_mask(ip, key.prefix).bytes, 16);
    note_prefix(s, &key);
    add_to_bucket(s, &key, s->next_target, rule);

    struct bucket_key any = {.port = key.port, .kind = BUCKET_PORT};
    add_to_bucket(s, &any, s->next_port, rule);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static uint64_t id_hash(int64_t id)
{
    return hash_bytes(0, &id, sizeof(id));
}

const struct policy_rule *ruleset_find(const struct ruleset *s, int64_t id)
{
    uint64_t hash = id_hash(id);
    uint32_t cursor = POLICY_NONE, r;

    while ((r = table_next(&s->by_id, hash, &cursor)) != POLICY_NONE) {
        if (s->rules[r].id == id)
            return &s->rules[r];
    }
    return NULL;
}

int ruleset_add(struct ruleset *s, const struct policy_rule *r)
{
    if (ruleset_find(s, r->id) != NULL)
        return PRA_EINVAL;
    s->rules[s->count] = *r;
    s->timed |= r->expires != 0 || r->hours.count > 0;
    table_put(&s->by_id, id_hash(r->id), s->count);
    add_to_buckets(s, s->count);
    s->count++;
    return 0;
}
