/* Operations on rules: what is refused, what is warned about, in which order they are listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/server/admin_support.h"

static void rules_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *name, *target, *local, *fallback, *action, *words;
    } bad[] = {
        {"", "mail:110", NULL, NULL, NULL, "name"},
        {"a\x01", "mail:110", NULL, NULL, NULL, "name"},
        {"a", "mail", NULL, NULL, NULL, "target"},
        {"a", "mail:99999", NULL, NULL, NULL, "target"},
        {"a", "10.0.0.0/8:80", "80", NULL, NULL, "local"},
        {"a", "mail:80-90", "80", NULL, NULL, "local"},
        {"a", "mail:80", "80", NULL, "deny", "local"},
        {"a", "mail:80", "192.0.2.1:80", NULL, NULL, "127."},
        {"a", "mail:80", NULL, "81", NULL, "fallback"},
        {"a", "mail:80", "80", "80", NULL, "fallback"},
        {"a", "mail:80", "80", "x", NULL, "fallback"},
        {"a", "mail:80", NULL, NULL, "maybe", "action"},
    };

    (void)state;
    add_user("alice");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused("rule.add",
                json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?}", "user", "alice", "name", bad[i].name,
                          "target", bad[i].target, "local", bad[i].local, "fallback",
                          bad[i].fallback, "action", bad[i].action),
                "invalid", bad[i].words);
    refused("rule.add", json_pack("{s:s, s:s}", "name", "a", "target", "mail:80"), "invalid",
            "user");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:i}", "user", "alice", "name", "a", "target", "mail:80",
                      "position", 0),
            "invalid", "position");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:s}", "user", "alice", "name", "a", "target", "mail:80",
                      "from", "10.0.0.1/8"),
            "invalid", "from");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:s}", "user", "alice", "name", "a", "target", "mail:80",
                      "hours", "always"),
            "invalid", "hours");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:s}", "user", "alice", "name", "a", "target", "mail:80",
                      "expires", "tomorrow"),
            "invalid", "expires");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s}", "group", "none", "name", "a", "target", "mail:80"),
            "not-found", "none");
}

static const char *warnings_of(const char *target, const char *local)
{
    static char text[2048];
    json_t *answer =
        ask_raw(json_pack("{s:s, s:{s:s, s:s, s:s, s:s?}}", "op", "rule.add", "args", "user",
                          "alice", "name", "x", "target", target, "local", local));
    char *dumped = json_dumps(json_object_get(answer, "warnings"), JSON_ENCODE_ANY);

    assert_true(json_is_true(json_object_get(answer, "ok")));
    snprintf(text, sizeof(text), "%s", dumped != NULL ? dumped : "");
    free(dumped);
    json_decref(answer);
    return text;
}

static void rule_editor_warns_of_what_will_surprise(void **state)
{
    (void)state;
    add_user("alice");
    assert_string_equal(warnings_of("mail:110", "110"), "");
    assert_non_null(strstr(warnings_of("ftp:21", NULL), "FTP"));
    assert_non_null(strstr(warnings_of("mail:25", "110"), "same local port"));
    assert_non_null(strstr(warnings_of("localhost:80", NULL), "gateway itself"));
    assert_non_null(strstr(warnings_of("127.0.0.1:80", NULL), "gateway itself"));
    assert_non_null(strstr(warnings_of("[::ffff:10.0.0.1]:80", NULL), "IPv4"));
}

static void effective_rules_are_listed_in_reading_order(void **state)
{
    json_t *list;
    int64_t ids[4];

    (void)state;
    add_user("alice");
    done("group.add", json_pack("{s:s}", "name", "g"));
    done("group.add", json_pack("{s:s}", "name", "h"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "g", "user", "alice"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "h", "user", "alice"));
    ids[1] = id_of(
        ok("rule.add", json_pack("{s:s, s:s, s:s}", "group", "h", "name", "1", "target", "a:1")));
    ids[2] = id_of(
        ok("rule.add", json_pack("{s:s, s:s, s:s}", "group", "g", "name", "2", "target", "a:1")));
    ids[3] = id_of(
        ok("rule.add", json_pack("{s:s, s:s, s:s}", "group", "h", "name", "3", "target", "a:1")));
    ids[0] = add_rule("0", "a:1", NULL);
    list = ok("rule.list", json_pack("{s:s, s:b}", "user", "alice", "effective", 1));
    assert_int_equal(json_array_size(list), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(list, i), "id")),
                         ids[i]);
    json_decref(list);
    refused("rule.list", json_pack("{s:b}", "effective", 1), "invalid", "effective");
    refused("rule.list", json_pack("{s:s}", "user", "nobody"), "not-found", "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_that_make_no_sense_are_refused, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(rule_editor_warns_of_what_will_surprise, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(effective_rules_are_listed_in_reading_order, open_ram,
                                        close_admin),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
