/*
 * Which identifiers a key is bound to and which subsets of them open it. Pure.
 *
 * With n usable identifiers, k = max(3, n - 2) must match (all of them in strict mode, and where
 * there are fewer than three). A subset counts only if it holds a strong identifier and one unique
 * to the hardware. If none of the subsets does, or if n < 3, the key is weakly bound: then every
 * k-subset counts.
 */
#include "keys/keyfile_image.h"

#include <string.h>

static unsigned count_bits(unsigned mask)
{
    unsigned n = 0;

    for (; mask != 0; mask &= mask - 1) {
        n++;
    }
    return n;
}

/* Holds one that names an installation and one that names the hardware. */
static bool is_acceptable(unsigned mask)
{
    bool strong = false;
    bool unique = false;

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if ((mask >> id & 1) != 0) {
            strong = strong || machine_id_strong(id);
            unique = unique || machine_id_unique(id);
        }
    }
    return strong && unique;
}

uint16_t keyfile_bound_mask(const struct keyfile_info *info)
{
    unsigned mask = 0;

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        mask |= info->bound[id] ? 1u << id : 0;
    }
    return (uint16_t)mask;
}

/* Sets k, n and weak from info->bound and info->strict. */
static void apply_rule(struct keyfile_info *info)
{
    unsigned mask = keyfile_bound_mask(info);
    unsigned n = count_bits(mask);

    info->n = n;
    if (info->strict || n <= KEYFILE_MIN_MATCH) {
        info->k = n;
    } else {
        info->k = n - 2 > KEYFILE_MIN_MATCH ? n - 2 : KEYFILE_MIN_MATCH;
    }
    /* A subset of k >= 3 can hold both kinds if the whole set does, since two places suffice. */
    info->weak = n < KEYFILE_MIN_MATCH || !is_acceptable(mask);
}

unsigned keyfile_choose(const struct machine *m, struct keyfile_info *info)
{
    uint16_t masks[KEYFILE_WRAPS_MAX];

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        bool known = m->source[id] == MACHINE_DIRECT || m->source[id] == MACHINE_HELPER;

        info->bound[id] = known && (info->strict || !machine_id_strict(id));
    }
    apply_rule(info);
    return keyfile_subsets(info, masks);
}

bool keyfile_check_rule(struct keyfile_info *info)
{
    unsigned k = info->k;
    unsigned n = info->n;

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if (info->bound[id] && !info->strict && machine_id_strict(id)) {
            return false;
        }
    }
    apply_rule(info);
    return info->n > 0 && info->k == k && info->n == n;
}

unsigned keyfile_subsets(const struct keyfile_info *info, uint16_t masks[KEYFILE_WRAPS_MAX])
{
    unsigned bound = keyfile_bound_mask(info);
    unsigned count = 0;

    for (unsigned mask = 1; mask <= bound; mask++) {
        if ((mask & ~bound) == 0 && count_bits(mask) == info->k &&
            (info->weak || is_acceptable(mask)) && count < KEYFILE_WRAPS_MAX) {
            masks[count++] = (uint16_t)mask;
        }
    }
    return count;
}
