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
