/* Reading rules and finding the way from the listeners that stand to those that are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/plan.h"

static int parse(const char *json, struct plan *out, struct fault *f)
{
    json_t *message = json_loads(json, 0, NULL);
    int rc;

    assert_non_null(message);
    rc = plan_parse(message, out, f);
    json_decref(message);
    return rc;
}

static void expect_fault(const char *json, int code, const char *words)
{
    struct plan p;
    struct fault f = {0};

    assert_int_equal(parse(json, &p, &f), code);
    if (strstr(f.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", f.text, words);
}

static void rules_are_read_with_all_their_members(void **state)
{
    struct plan p;
    char text[ADDR_TEXT_MAX];

    (void)state;
    assert_int_equal(parse("{\"version\":7,\"rules\":[{\"id\":3,\"name\":\"POP\",\"local\":"
                           "\"127.0.0.1:110\",\"fallback\":\"127.0.0.5:110\",\"target\":"
                           "\"Mail.Example.:110\"},{\"id\":4,\"name\":\"6\",\"local\":\"[::1]:25\","
                           "\"fallback\":null,\"target\":\"[2001:db8::1]:25\"}]}",
                           &p, NULL),
                     0);
    assert_int_equal(p.version, 7);
    assert_int_equal(p.count, 2);
    assert_string_equal(p.rules[0].name, "POP");
    assert_string_equal(plan_format_local(&p.rules[0].local, text), "127.0.0.1:110");
    assert_string_equal(plan_format_local(&p.rules[0].fallback, text), "127.0.0.5:110");
    assert_string_equal(plan_format_target(&p.rules[0], text), "mail.example:110");
    assert_string_equal(plan_format_local(&p.rules[1].local, text), "[::1]:25");
    assert_string_equal(plan_format_target(&p.rules[1], text), "[2001:db8::1]:25");
    assert_int_equal(p.rules[1].fallback.ip.family, 0);
    plan_free(&p);
}

static void only_loopback_addresses_are_followed(void **state)
{
    static const char *const locals[] = {"0.0.0.0:80", "192.0.2.1:80", "[::]:80", "name:80",
                                         "[::ffff:127.0.0.1]:80"};
    char json[256];

    (void)state;
    for (size_t i = 0; i < sizeof(locals) / sizeof(locals[0]); i++) {
        struct plan p;

        snprintf(json, sizeof(json),
                 "{\"version\":1,\"rules\":[{\"id\":1,\"name\":\"n\",\"local\":\"%s\","
                 "\"target\":\"t:1\"}]}",
                 locals[i]);
        assert_int_equal(parse(json, &p, NULL), 0);
        assert_string_not_equal(p.rules[0].refused, "");
        plan_free(&p);
    }
}

static void malformed_rules_are_named_by_place_and_member(void **state)
{
    (void)state;
    expect_fault("{\"rules\":[]}", PRA_EINVAL, "version");
    expect_fault("{\"version\":1}", PRA_EINVAL, "rules");
    expect_fault("{\"version\":1,\"rules\":{}}", PRA_EINVAL, "rules");
    expect_fault("{\"version\":1,\"rules\":[7]}", PRA_EINVAL, "rule 1");
    expect_fault("{\"version\":1,\"rules\":[{\"id\":1,\"name\":\"n\",\"local\":\"127.0.0.1:0\","
                 "\"target\":\"t:1\"}]}",
                 PRA_EINVAL, "local");
    expect_fault("{\"version\":1,\"rules\":[{\"id\":1,\"name\":\"n\",\"local\":\"127.0.0.1:1\","
                 "\"target\":\"t:65558\"}]}",
                 PRA_EINVAL, "target");
    expect_fault("{\"version\":1,\"rules\":[{\"id\":1,\"name\":\"n\",\"local\":\"127.0.0.1:1\","
                 "\"target\":\"t:1\"},{\"id\":1,\"name\":\"n\",\"local\":\"127.0.0.1:2\","
                 "\"target\":\"t:1\"}]}",
                 PRA_EINVAL, "rule 2");
}

static void too_many_rules_are_refused(void **state)
{
    json_t *rules = json_array(), *message;
    struct plan p;

    (void)state;
    for (int i = 1; i <= PLAN_RULES_MAX + 1; i++)
        json_array_append_new(rules, json_pack("{s:i, s:s, s:s, s:s}", "id", i, "name", "n",
                                               "local", "127.0.0.1:80", "target", "t:1"));
    message = json_pack("{s:i, s:o}", "version", 1, "rules", rules);
    assert_int_equal(plan_parse(message, &p, NULL), PRA_ETOOBIG);
    json_array_remove(rules, 0);
    assert_int_equal(plan_parse(message, &p, NULL), 0);
    plan_free(&p);
    json_decref(message);
}

/* --- the way from one plan to another ------------------------------------------------------ */

static struct plan_rule make(int64_t id, uint16_t port, const char *target)
{
    struct plan_rule r = {.id = id, .target_port = 80};

    assert_int_equal(addr_parse_ip("127.0.0.1", 9, &r.local.ip), 0);
    r.local.port = port;
    snprintf(r.target.name, sizeof(r.target.name), "%s", target);
    return r;
}

static void unchanged_rules_are_kept(void **state)
{
    struct plan_rule have[] = {make(1, 110, "a"), make(2, 25, "b")};
    struct plan_rule want[] = {make(2, 25, "b"), make(1, 110, "a")};
    struct plan_step steps[4];

    (void)state;
    snprintf(want[1].name, sizeof(want[1].name), "new label");
    assert_int_equal(plan_diff(have, 2, want, 2, steps), 2);
    assert_int_equal(steps[0].op, PLAN_KEEP);
    assert_int_equal(steps[0].have, 1);
    assert_int_equal(steps[0].want, 0);
    assert_int_equal(steps[1].op, PLAN_KEEP);
    assert_int_equal(steps[1].have, 0);
}

static void new_target_keeps_the_listener(void **state)
{
    struct plan_rule have = make(1, 110, "a"), want = make(1, 110, "b");
    struct plan_step steps[2];

    (void)state;
    assert_int_equal(plan_diff(&have, 1, &want, 1, steps), 1);
    assert_int_equal(steps[0].op, PLAN_RETARGET);
}

static void port_that_changes_rules_is_freed_before_it_is_taken(void **state)
{
    struct plan_rule have[] = {make(1, 110, "a")}, want[] = {make(2, 110, "a")};
    struct plan_step steps[2];

    (void)state;
    assert_int_equal(plan_diff(have, 1, want, 1, steps), 2);
    assert_int_equal(steps[0].op, PLAN_REMOVE);
    assert_int_equal(steps[1].op, PLAN_ADD);
}

static void another_fallback_is_another_listener(void **state)
{
    struct plan_rule have = make(1, 110, "a"), want = make(1, 110, "a");
    struct plan_step steps[2];

    (void)state;
    want.fallback = want.local;
    want.fallback.port = 111;
    assert_int_equal(plan_diff(&have, 1, &want, 1, steps), 2);
}

static void nothing_and_everything(void **state)
{
    struct plan_rule rules[] = {make(1, 110, "a"), make(2, 25, "b")};
    struct plan_step steps[4];

    (void)state;
    assert_int_equal(plan_diff(NULL, 0, NULL, 0, steps), 0);
    assert_int_equal(plan_diff(rules, 2, NULL, 0, steps), 2);
    assert_int_equal(steps[1].op, PLAN_REMOVE);
    assert_int_equal(plan_diff(NULL, 0, rules, 2, steps), 2);
    assert_int_equal(steps[1].op, PLAN_ADD);
    assert_int_equal(steps[1].want, 1);
}

/* Following the steps always leads to the wanted rules, each exactly once. */
static void steps_lead_to_the_wanted_plan_in_random_cases(void **state)
{
    (void)state;
    srand(20);
    for (int round = 0; round < 20000; round++) {
        struct plan_rule have[6], want[6];
        size_t h = (size_t)rand() % 7, w = (size_t)rand() % 7, n;
        bool stands[6] = {false}, made[6] = {false};
        struct plan_step steps[12];

        for (size_t i = 0; i < h; i++) {
            have[i] = make((int64_t)i + 1, (uint16_t)(80 + rand() % 3), rand() % 2 ? "a" : "b");
            stands[i] = true;
        }
        for (size_t i = 0; i < w; i++)
            want[i] = make((int64_t)i + 1 + rand() % 2 * 10, (uint16_t)(80 + rand() % 3), "a");
        n = plan_diff(have, h, want, w, steps);
        for (size_t i = 0; i < n; i++) {
            if (steps[i].op == PLAN_REMOVE) {
                assert_true(stands[steps[i].have]);
                stands[steps[i].have] = false;
                continue;
            }
            assert_false(made[steps[i].want]);
            made[steps[i].want] = true;
            if (steps[i].op != PLAN_ADD) {
                assert_true(stands[steps[i].have]);
                stands[steps[i].have] = false;
                assert_int_equal(have[steps[i].have].id, want[steps[i].want].id);
            }
        }
        for (size_t i = 0; i < h; i++)
            assert_false(stands[i]);
        for (size_t i = 0; i < w; i++)
            assert_true(made[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_read_with_all_their_members),
        cmocka_unit_test(only_loopback_addresses_are_followed),
        cmocka_unit_test(malformed_rules_are_named_by_place_and_member),
        cmocka_unit_test(too_many_rules_are_refused),
        cmocka_unit_test(unchanged_rules_are_kept),
        cmocka_unit_test(new_target_keeps_the_listener),
        cmocka_unit_test(port_that_changes_rules_is_freed_before_it_is_taken),
        cmocka_unit_test(another_fallback_is_another_listener),
        cmocka_unit_test(nothing_and_everything),
        cmocka_unit_test(steps_lead_to_the_wanted_plan_in_random_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
