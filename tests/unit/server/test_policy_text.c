/* Texts of rules: targets, local addresses, hours; strict, and every refusal says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/policy/policy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void targets_are_read_and_written_alike(void **state)
{
    static const char *const good[][2] = {
        {"mail:110", "mail:110"},
        {"Mail.Example.COM.:110", "mail.example.com:110"},
        {"10.0.0.0/8:1-65535", "10.0.0.0/8:1-65535"},
        {"10.0.0.5/32:80", "10.0.0.5/32:80"},
        {"[2001:DB8::1]:443", "[2001:db8::1]:443"},
        {"[2001:db8::/32]:443-444", "[2001:db8::/32]:443-444"},
        {"10.0.0.5:80-80", "10.0.0.5:80"},
    };
    static const char *const bad[] = {
        "",
        "mail",
        ":80",
        "mail:",
        "mail:0",
        "mail:65536",
        "mail:80-79",
        "mail:80-",
        "mail:+80",
        "mail:80 ",
        " mail:80",
        "10.0.0.1/8:80",
        "10.0.0.0/33:80",
        "2001:db8::1:443",
        "[::1:80",
        "10.0.0:80",
        "010.0.0.1:80",
        "0x7f.1:80",
        "2130706433:80",
        "ma il:80",
        "mail..x:80",
        "[mail]:80",
        "-mail:80",
        "mail/24:80",
        "*:80",
    };
    char text[300];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct policy_target t;

        assert_int_equal(policy_parse_target(good[i][0], &t, NULL), 0);
        policy_format_target(&t, text, sizeof(text));
        assert_string_equal(text, good[i][1]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct policy_target t;
        struct fault f = {0};

        if (policy_parse_target(bad[i], &t, &f) != PRA_EINVAL)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(f.text, "target"));
    }
}

static void local_addresses_stay_on_the_users_machine(void **state)
{
    static const char *const bad[] = {
        "",          "0",         "65536",   "192.0.2.1:110", "[::1]:110",
        "0.0.0.0:1", "127.0.0.1", "127.1:1", "localhost:1",   "1 "};
    struct policy_local l;
    char text[32];

    (void)state;
    assert_int_equal(policy_parse_local("110", &l, NULL), 0);
    policy_format_local(&l, text, sizeof(text));
    assert_string_equal(text, "127.0.0.1:110");
    assert_int_equal(policy_parse_local("127.0.0.2:25", &l, NULL), 0);
    policy_format_local(&l, text, sizeof(text));
    assert_string_equal(text, "127.0.0.2:25");
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fault f = {0};

        if (policy_parse_local(bad[i], &l, &f) != PRA_EINVAL)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(f.text, "local"));
    }
}

static void hours_become_minutes_of_the_week(void **state)
{
    struct policy_hours h;

    (void)state;
    assert_int_equal(policy_parse_hours("Mon-Fri 08:00-19:00", &h, NULL), 0);
    assert_int_equal(h.count, 5);
    assert_int_equal(h.span[1].from, 1440 + 480);
    assert_int_equal(h.span[1].to, 1440 + 1140);
    assert_int_equal(policy_parse_hours("sat,SUN 10:00-12:00", &h, NULL), 0);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.span[0].from, 5 * 1440 + 600);
    assert_int_equal(policy_parse_hours("daily 00:00-24:00", &h, NULL), 0);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.span[0].to, 10080);
    assert_int_equal(policy_parse_hours("Sun 22:00-06:00", &h, NULL), 0);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.span[0].from, 0);
    assert_int_equal(h.span[0].to, 360);
    assert_int_equal(h.span[1].from, 6 * 1440 + 1320);
    assert_int_equal(policy_parse_hours("Fri-Mon 09:00-10:00", &h, NULL), 0);
    assert_int_equal(h.count, 4);
    assert_int_equal(
        policy_parse_hours("Mon 08:00-12:00, Mon 11:00-13:00,Tue 01:00-02:00", &h, NULL), 0);
    assert_int_equal(h.count, 2);
}

static void hours_that_are_not_understood_say_where(void **state)
{
    static const char *const bad[] = {
        "",
        "Mon",
        "Mon ",
        "Mon 08:00",
        "Mon 08:00-",
        "Mon 8:00-9:00",
        "Mon 08:00-25:00",
        "Mon 08:60-09:00",
        "Mon 08:00-08:00",
        "Mon 24:00-08:00",
        "Mo 08:00-09:00",
        "Mon- 08:00-09:00",
        "Mon, 08:00-09:00",
        "Mon 08:00-09:00,",
        "Mon 08:00-09:00;",
        "daily",
        "Mon-Fri 08:00-19:00 Sat 08:00-09:00",
        "Mon  08:00-09:00",
        "24:00-24:01",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct policy_hours h;
        struct fault f = {0};

        if (policy_parse_hours(bad[i], &h, &f) != PRA_EINVAL)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(f.text, "hours"));
    }
}

static void too_many_separate_hours_are_refused(void **state)
{
    char text[512] = "";
    struct policy_hours h;

    (void)state;
    for (int i = 0; i < 17; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sMon %02d:00-%02d:30",
                 i > 0 ? "," : "", i, i);
    assert_int_equal(policy_parse_hours(text, &h, NULL), PRA_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_read_and_written_alike),
        cmocka_unit_test(local_addresses_stay_on_the_users_machine),
        cmocka_unit_test(hours_become_minutes_of_the_week),
        cmocka_unit_test(hours_that_are_not_understood_say_where),
        cmocka_unit_test(too_many_separate_hours_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
