/* Limits after login as text, and what holds for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/policy/policy.h"

static int64_t parse(enum policy_limit limit, const char *text)
{
    struct fault f = {0};
    int64_t value = 12345;

    assert_int_equal(policy_limit_parse(limit, text, &value, &f), 0);
    return value;
}

static void texts_are_read_and_written_alike(void **state)
{
    static const struct {
        enum policy_limit limit;
        const char *text, *canonical;
        int64_t value;
    } cases[] = {
        {LIMIT_CONNECTIONS, "5", "5", 5},
        {LIMIT_CONNECTIONS, "0", "none", POLICY_UNLIMITED},
        {LIMIT_CONNECTIONS, "none", "none", POLICY_UNLIMITED},
        {LIMIT_CONNECTIONS, "", "", POLICY_UNSET},
        {LIMIT_UPLOAD, "1024K", "1M", 1 << 20},
        {LIMIT_UPLOAD, "1000", "1000", 1000},
        {LIMIT_QUOTA_DAY, "1024M", "1G", 1 << 30},
        {LIMIT_SESSION_TIME, "90m", "90m", 5400},
        {LIMIT_SESSION_TIME, "24h", "1d", 86400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[POLICY_LIMIT_TEXT];

        assert_int_equal(parse(cases[i].limit, cases[i].text), cases[i].value);
        assert_string_equal(policy_limit_format(cases[i].limit, cases[i].value, text),
                            cases[i].canonical);
    }
}

static void what_is_no_limit_is_refused_by_name(void **state)
{
    static const struct {
        enum policy_limit limit;
        const char *text;
    } cases[] = {
        {LIMIT_RATE, "-1"},       {LIMIT_RATE, "1.5"},     {LIMIT_RATE, "1000001"},
        {LIMIT_UPLOAD, "2048G"},  {LIMIT_UPLOAD, "1 M"},   {LIMIT_SESSION_TIME, "1y"},
        {LIMIT_SESSIONS, "some"}, {LIMIT_QUOTA_DAY, "1P"}, {LIMIT_QUOTA_DAY, "9999999999G"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fault f = {0};
        int64_t value;

        assert_int_equal(policy_limit_parse(cases[i].limit, cases[i].text, &value, &f), PRA_EINVAL);
        assert_non_null(strstr(f.text, policy_limit_word(cases[i].limit)));
    }
}

static void a_user_has_his_own_then_the_strictest_of_his_groups(void **state)
{
    const struct policy_user users[] = {{.name = "a", .enabled = true},
                                        {.name = "b", .enabled = true}};
    const struct policy_member members[] = {{.group = "g", .user = "a"},
                                            {.group = "h", .user = "a"}};
    struct policy_limits_of limits[] = {
        {.kind = POLICY_LIMITS_USER, .name = "a", .limits.value[LIMIT_RATE] = POLICY_UNLIMITED},
        {.kind = POLICY_LIMITS_GROUP, .name = "g"},
        {.kind = POLICY_LIMITS_GROUP, .name = "h"},
        {.kind = POLICY_LIMITS_RULE, .rule = 7, .limits.value[LIMIT_UPLOAD] = 9},
    };
    struct policy_input in = {.users = users,
                              .user_count = 2,
                              .members = members,
                              .member_count = 2,
                              .limits = limits,
                              .limit_count = 4};
    struct policy_limits l;
    struct policy *p = NULL;
    struct fault f = {0};

    (void)state;
    limits[0].limits.value[LIMIT_CONNECTIONS] = 50;
    limits[1].limits.value[LIMIT_CONNECTIONS] = 5;
    limits[1].limits.value[LIMIT_RATE] = 3;
    limits[1].limits.value[LIMIT_UPLOAD] = 100;
    limits[1].limits.value[LIMIT_DOWNLOAD] = POLICY_UNLIMITED;
    limits[2].limits.value[LIMIT_UPLOAD] = 200;
    limits[2].limits.value[LIMIT_DOWNLOAD] = 300;
    limits[2].limits.value[LIMIT_SESSION_TIME] = POLICY_UNLIMITED;
    assert_int_equal(policy_compile(&in, &p, &f), 0);
    policy_user_limits(p, "a", &l);
    assert_int_equal(l.value[LIMIT_CONNECTIONS], 50);
    assert_int_equal(l.value[LIMIT_RATE], POLICY_UNLIMITED);
    assert_int_equal(l.value[LIMIT_UPLOAD], 100);
    assert_int_equal(l.value[LIMIT_DOWNLOAD], 300);
    assert_int_equal(l.value[LIMIT_SESSION_TIME], POLICY_UNLIMITED);
    assert_int_equal(l.value[LIMIT_QUOTA_DAY], POLICY_UNSET);
    policy_user_limits(p, "b", &l);
    assert_int_equal(l.value[LIMIT_CONNECTIONS], POLICY_UNSET);
    policy_user_limits(p, "nobody", &l);
    assert_int_equal(l.value[LIMIT_CONNECTIONS], POLICY_UNSET);
    assert_int_equal(policy_rule_limits(p, 7)->value[LIMIT_UPLOAD], 9);
    assert_null(policy_rule_limits(p, 8));
    policy_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_and_written_alike),
        cmocka_unit_test(what_is_no_limit_is_refused_by_name),
        cmocka_unit_test(a_user_has_his_own_then_the_strictest_of_his_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
