/*
 * Hashing inside a policy snapshot: an open-addressing table of item numbers, and the buckets of
 * rules (policy_internal.h). Filled while compiling, only read afterwards.
 */
#include "server/policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

uint64_t hash_bytes(uint64_t seed, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h = seed ^ 0xcbf29ce484222325u; /* FNV-1a with a final mix */

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

int table_init(struct table *t, size_t items)
{
    size_t size = 16;

    while (size < items * 2)
        size *= 2;
    if (size > UINT32_MAX / 2)
        return PRA_ENOMEM;
    t->slots = malloc(size * sizeof(*t->slots));
    if (t->slots == NULL)
        return PRA_ENOMEM;
    for (size_t i = 0; i < size; i++)
        t->slots[i].item = POLICY_NONE;
    t->mask = (uint32_t)(size - 1);
    return 0;
}

void table_free(struct table *t)
{
    free(t->slots);
    t->slots = NULL;
}

void table_put(struct table *t, uint64_t hash, uint32_t item)
{
    uint32_t at = (uint32_t)hash & t->mask;

    while (t->slots[at].item != POLICY_NONE)
        at = (at + 1) & t->mask;
    t->slots[at] = (struct table_slot){.hash = (uint32_t)(hash >> 32), .item = item};
}

uint32_t table_next(const struct table *t, uint64_t hash, uint32_t *cursor)
{
    uint32_t at = *cursor == POLICY_NONE ? (uint32_t)hash & t->mask : *cursor;

    for (;; at = (at + 1) & t->mask) {
        const struct table_slot *s = &t->slots[at];

        if (s->item == POLICY_NONE)
            return POLICY_NONE;
        if (s->hash == (uint32_t)(hash >> 32)) {
            *cursor = (at + 1) & t->mask;
            return s->item;
        }
    }
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
    uint64_t h = mix(k->owner, (uint64_t)k->port << 32 | (uint64_t)k->kind << 16 |
                                   (uint64_t)k->family << 8 | k->prefix);

    memcpy(address, k->ip, sizeof(address));
    h = mix(mix(h, address[0]), address[1]);
    return k->name != NULL ? hash_bytes(h, k->name, strlen(k->name)) : h;
}

static bool key_equal(const struct bucket_key *a, const struct bucket_key *b)
{
    if (a->owner != b->owner || a->port != b->port || a->kind != b->kind ||
        a->family != b->family || a->prefix != b->prefix || memcmp(a->ip, b->ip, 16) != 0)
        return false;
    if (a->name == NULL || b->name == NULL)
        return a->name == b->name;
    return strcmp(a->name, b->name) == 0;
}

static uint32_t find_bucket(const struct policy *p, const struct bucket_key *key, uint64_t hash)
{
    uint32_t cursor = POLICY_NONE, b;

    while ((b = table_next(&p->by_bucket, hash, &cursor)) != POLICY_NONE) {
        if (key_equal(&p->buckets[b].key, key))
            return b;
    }
    return POLICY_NONE;
}

const struct bucket *policy_bucket(const struct policy *p, const struct bucket_key *key)
{
    uint32_t b = find_bucket(p, key, key_hash(key));

    return b == POLICY_NONE ? NULL : &p->buckets[b];
}

static void add_to_bucket(struct policy *p, const struct bucket_key *key, uint32_t *next,
                          uint32_t rule)
{
    uint64_t hash = key_hash(key);
    uint32_t b = find_bucket(p, key, hash);

    next[rule] = POLICY_NONE;
    if (b == POLICY_NONE) {
        b = p->bucket_count++;
        p->buckets[b] = (struct bucket){.key = *key, .head = rule, .tail = rule};
        table_put(&p->by_bucket, hash, b);
        return;
    }
    next[p->buckets[b].tail] = rule;
    p->buckets[b].tail = rule;
}

static void note_prefix(struct owner *o, const struct bucket_key *key)
{
    if (key->family == 4)
        o->v4 |= UINT64_C(1) << key->prefix;
    else
        o->v6[key->prefix / 64] |= UINT64_C(1) << (key->prefix % 64);
}

void policy_index_rule(struct policy *p, uint32_t owner, uint32_t rule)
{
    const struct policy_target *t = &p->rules[rule].target;
    struct bucket_key key = {.owner = owner,
                             .port = t->port_first == t->port_last ? t->port_first : 0};

    if (!t->is_network && !t->host.is_ip) {
        key.kind = BUCKET_NAME;
        key.name = t->host.name;
        add_to_bucket(p, &key, p->next_target, rule);
        return;
    }
    const struct addr_ip *ip = t->is_network ? &t->cidr.ip : &t->host.ip;
    key.kind = BUCKET_NET;
    key.family = ip->family;
    key.prefix = t->is_network ? t->cidr.prefix : (ip->family == 4 ? 32 : 128);
    memcpy(key.ip, policy_mask(ip, key.prefix).bytes, 16);
    note_prefix(&p->owners[owner], &key);
    add_to_bucket(p, &key, p->next_target, rule);

    struct bucket_key any = {.owner = owner, .port = key.port, .kind = BUCKET_PORT};
    add_to_bucket(p, &any, p->next_port, rule);
}
