/* Limits after login: words, texts, and what holds for whom; see policy_limits.h. */
#include "server/policy/policy_limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/policy/policy_internal.h"

static const struct {
    const char *word;
    enum policy_limit_unit unit;
    bool of_rule;
    long max;
} kinds[LIMIT_COUNT] = {
#define X(id, word, unit, of_rule, max) [id] = {word, unit, of_rule, max},
    POLICY_LIMIT_MAP(X)
#undef X
};

const char *policy_limit_word(enum policy_limit limit)
{
    return kinds[limit].word;
}

enum policy_limit policy_limit_find(const char *word)
{
    unsigned i = 0;

    while (i < LIMIT_COUNT && strcmp(kinds[i].word, word) != 0)
        i++;
    return (enum policy_limit)i;
}

bool policy_limit_of_rule(enum policy_limit limit)
{
    return kinds[limit].of_rule;
}

/* What a unit's letters multiply by, the largest first. */
static const struct scale {
    const char *letters;
    int64_t factors[4];
} scales[] = {
    [POLICY_UNIT_NUMBER] = {"", {0}},
    [POLICY_UNIT_BYTES] = {"GMK", {1 << 30, 1 << 20, 1 << 10}},
    [POLICY_UNIT_SECONDS] = {"dhms", {86400, 3600, 60, 1}},
};

int policy_limit_parse(enum policy_limit limit, const char *text, int64_t *out, struct fault *f)
{
    const struct scale *scale = &scales[kinds[limit].unit];
    const char *letter = NULL;
    char *end;
    long long value;

    if (text[0] == '\0' || strcmp(text, "none") == 0) {
        *out = text[0] == '\0' ? POLICY_UNSET : POLICY_UNLIMITED;
        return 0;
    }
    value = strtoll(text, &end, 10);
    if (*end != '\0')
        letter = strchr(scale->letters, *end);
    /* strtoll() alone would take leading spaces and signs. */
    if (text[0] < '0' || text[0] > '9' || (*end != '\0' && (letter == NULL || end[1] != '\0')))
        return fault_set(f, PRA_EINVAL, "%s: '%.40s' is no number%s%s%s, and not none",
                         kinds[limit].word, text, *scale->letters ? " with or without one of " : "",
                         scale->letters, *scale->letters ? " behind it" : "");
    if ((letter != NULL &&
         __builtin_mul_overflow(value, scale->factors[letter - scale->letters], &value)) ||
        value > kinds[limit].max)
        return fault_set(f, PRA_EINVAL, "%s: is more than %ld", kinds[limit].word,
                         kinds[limit].max);
    *out = value == 0 ? POLICY_UNLIMITED : value;
    return 0;
}

const char *policy_limit_format(enum policy_limit limit, int64_t value, char dst[POLICY_LIMIT_TEXT])
{
    const struct scale *scale = &scales[kinds[limit].unit];
    unsigned i = 0;

    if (value == POLICY_UNSET || value == POLICY_UNLIMITED) {
        snprintf(dst, POLICY_LIMIT_TEXT, "%s", value == POLICY_UNSET ? "" : "none");
        return dst;
    }
    while (scale->letters[i] != '\0' && value % scale->factors[i] != 0)
        i++;
    if (scale->letters[i] == '\0')
        snprintf(dst, POLICY_LIMIT_TEXT, "%" PRId64, value);
    else
        snprintf(dst, POLICY_LIMIT_TEXT, "%" PRId64 "%c", value / scale->factors[i],
                 scale->letters[i]);
    return dst;
}

/* ---- in a snapshot ------------------------------------------------------------------------------ */

static uint64_t hash_of(const struct policy_limits_of *l)
{
    return l->kind == POLICY_LIMITS_RULE ? hash_bytes(l->kind, &l->rule, sizeof(l->rule))
                                         : hash_bytes(l->kind, l->name, strlen(l->name));
}

static const struct policy_limits *find(const struct policy *p, const struct policy_limits_of *key)
{
    uint32_t cursor = POLICY_NONE, i;

    if (p->limit_count == 0)
        return NULL;
    while ((i = table_next(&p->by_limit, hash_of(key), &cursor)) != POLICY_NONE) {
        const struct policy_limits_of *l = &p->limits[i];

        if (l->kind == key->kind && l->rule == key->rule && strcmp(l->name, key->name) == 0)
            return &l->limits;
    }
    return NULL;
}

static const struct policy_limits *find_named(const struct policy *p, enum policy_limits_kind kind,
                                              const char *name)
{
    struct policy_limits_of key = {.kind = kind};

    snprintf(key.name, sizeof(key.name), "%s", name);
    return find(p, &key);
}

const struct policy_limits *policy_rule_limits(const struct policy *p, int64_t rule)
{
    const struct policy_limits_of key = {.kind = POLICY_LIMITS_RULE, .rule = rule};

    return find(p, &key);
}

static int64_t stricter(int64_t a, int64_t b)
{
    if (a > 0 && b > 0)
        return a < b ? a : b;
    return a > 0 || b == POLICY_UNSET ? a : b;
}

void policy_user_limits(const struct policy *p, const char *user, struct policy_limits *out)
{
    uint32_t u = policy_user_number(p, user);
    const struct policy_limits *own;

    memset(out, 0, sizeof(*out));
    if (u == POLICY_NONE || p->limit_count == 0)
        return;
    for (uint32_t m = p->member_first[u]; m < p->member_first[u + 1]; m++) {
        const char *group = p->groups[p->members[m] - p->user_count];
        const struct policy_limits *l = find_named(p, POLICY_LIMITS_GROUP, group);

        for (unsigned i = 0; l != NULL && i < LIMIT_COUNT; i++)
            out->value[i] = stricter(out->value[i], l->value[i]);
    }
    own = find_named(p, POLICY_LIMITS_USER, user);
    for (unsigned i = 0; own != NULL && i < LIMIT_COUNT; i++) {
        if (own->value[i] != POLICY_UNSET)
            out->value[i] = own->value[i];
    }
}

int policy_compile_limits(struct policy *p, const struct policy_input *in)
{
    p->limits = calloc(in->limit_count == 0 ? 1 : in->limit_count, sizeof(*p->limits));
    if (p->limits == NULL || table_init(&p->by_limit, in->limit_count) != 0)
        return PRA_ENOMEM;
    for (size_t i = 0; i < in->limit_count; i++) {
        p->limits[i] = in->limits[i];
        table_put(&p->by_limit, hash_of(&in->limits[i]), p->limit_count++);
    }
    return 0;
}
