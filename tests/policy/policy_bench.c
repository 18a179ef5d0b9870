/*
 * How long the policy takes to compile and to answer with 100,000 rules, in three shapes: spread
 * over 1,000 users, all of one user, all of one group. Prints a table and, with --json, JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/policy/policy.h"

#define RULES   100000u
#define ASKS    200000u
#define USERS   1000u
#define SAMPLES 1000u

enum shape { SPREAD, ONE_USER, ONE_GROUP };
static const char *const shape_names[] = {"1,000 users x 100 rules", "one user, 100,000 rules",
                                          "one group, 100,000 rules"};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void random_target(uint64_t *seed, struct policy_target *t)
{
    uint32_t r = next_random(seed), port = 1 + next_random(seed) % 60000;
    char text[64];

    if (r % 4 == 0)
        snprintf(text, sizeof(text), "host%u.example.com:%u", r % 50000, port);
    else if (r % 4 == 1)
        snprintf(text, sizeof(text), "10.%u.%u.0/24:%u-%u", r >> 8 & 255, r >> 16 & 255, port,
                 port + 100);
    else
        snprintf(text, sizeof(text), "10.%u.%u.%u:%u", r >> 8 & 255, r >> 16 & 255, r >> 24 & 127,
                 port);
    if (policy_parse_target(text, t, NULL) != 0)
        abort();
}

static struct policy *build(enum shape shape, struct policy_rule *rules, double *compile_ms)
{
    struct policy_user *users = calloc(USERS, sizeof(*users));
    struct policy_member member = {"everybody", "user0"};
    struct policy_input in = {.users = users,
                              .user_count = USERS,
                              .members = &member,
                              .member_count = 1,
                              .rules = rules,
                              .rule_count = RULES};
    struct policy *p = NULL;
    struct fault f = {0};
    uint64_t start;

    for (unsigned i = 0; users != NULL && i < USERS; i++) {
        snprintf(users[i].name, sizeof(users[i].name), "user%u", i);
        users[i].enabled = true;
    }
    for (unsigned i = 0; i < RULES; i++) {
        rules[i].is_group = shape == ONE_GROUP;
        if (shape == ONE_GROUP)
            snprintf(rules[i].owner, sizeof(rules[i].owner), "everybody");
        else
            snprintf(rules[i].owner, sizeof(rules[i].owner), "user%u",
                     shape == SPREAD ? i % USERS : 0);
    }
    start = now_ns();
    if (users == NULL || policy_compile(&in, &p, &f) != 0) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    *compile_ms = (double)(now_ns() - start) / 1e6;
    free(users);
    return p;
}

static int compare(const void *va, const void *vb)
{
    const double *a = va, *b = vb;

    return *a < *b ? -1 : *a > *b;
}

/* Mean time of a batch of questions, and the slowest per cent of the batches. */
static void measure(struct policy *p, enum shape shape, const struct policy_rule *rules,
                    double *mean_us, double *p99_us)
{
    static double sample[SAMPLES];
    struct policy_query q = {.source = {.family = 4, .bytes = {192, 0, 2, 7}}, .now = 1795000000};
    uint64_t seed = 7, total = 0;
    unsigned allowed = 0;

    for (unsigned s = 0; s < SAMPLES; s++) {
        uint64_t start = now_ns();

        for (unsigned i = 0; i < ASKS / SAMPLES; i++) {
            const struct policy_rule *r = &rules[next_random(&seed) % RULES];
            struct addr_host host = {.is_ip = true, .ip = {.family = 4, .bytes = {10, 1, 2, 3}}};
            struct addr_ip resolved = {.family = 4, .bytes = {10, 9, 8, 7}};
            struct policy_verdict v;

            if (r->target.is_network)
                host.ip = r->target.cidr.ip;
            else
                host = r->target.host;
            q.user = shape == SPREAD ? r->owner : "user0";
            q.host = &host;
            q.ip = host.is_ip ? NULL : &resolved;
            q.port = r->target.port_first;
            policy_evaluate(p, &q, &v);
            allowed += v.answer == POLICY_ALLOW;
        }
        uint64_t took = now_ns() - start;
        total += took;
        sample[s] = (double)took / (ASKS / SAMPLES) / 1e3;
    }
    if (allowed != ASKS)
        abort();
    qsort(sample, SAMPLES, sizeof(sample[0]), compare);
    *mean_us = (double)total / ASKS / 1e3;
    *p99_us = sample[SAMPLES * 99 / 100];
}

int main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct policy_rule *rules = calloc(RULES, sizeof(*rules));
    uint64_t seed = 1;

    if (rules == NULL)
        return 1;
    for (unsigned i = 0; i < RULES; i++) {
        rules[i].id = i + 1;
        rules[i].position = i / USERS + 1;
        rules[i].action = POLICY_ACTION_ALLOW;
        random_target(&seed, &rules[i].target);
    }
    if (!json)
        printf("%-26s %12s %12s %12s\n", "100,000 rules", "compile ms", "answer us", "p99 us");
    for (enum shape s = SPREAD; s <= ONE_GROUP; s++) {
        double compile_ms, mean, p99;
        struct policy *p = build(s, rules, &compile_ms);

        measure(p, s, rules, &mean, &p99);
        printf(json ? "{\"shape\":\"%s\",\"compile_ms\":%.1f,\"answer_us\":%.3f,\"p99_us\":%.3f}\n"
                    : "%-26s %12.1f %12.3f %12.3f\n",
               shape_names[s], compile_ms, mean, p99);
        policy_unref(p);
    }
    free(rules);
    return 0;
}
