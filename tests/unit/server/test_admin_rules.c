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

static void add_for_alice(const char *name, const char *target, const char *more, const char *value)
{
    json_t *args = json_pack("{s:s, s:s, s:s}", "user", "alice", "name", name, "target", target);

    if (more != NULL)
        json_object_set_new(args, more, json_string(value));
    done("rule.add", args);
}

/* "name:kind:by-name ..." of the findings about alice. */
static void findings(const char *want)
{
    json_t *list = ok("rule.check", json_pack("{s:s}", "user", "alice")), *one;
    char text[512] = "";
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *by = json_string_value(json_object_get(one, "by-name"));

        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s:%s:%s", i ? " " : "",
                 json_string_value(json_object_get(one, "name")),
                 json_string_value(json_object_get(one, "kind")), by != NULL ? by : "");
    }
    json_decref(list);
    assert_string_equal(text, want);
}

static void odd_rules_are_pointed_out_and_only_what_is_certain(void **state)
{
    (void)state;
    done("user.add", json_pack("{s:s}", "name", "alice"));
    findings("");
    add_for_alice("net", "10.0.0.0/8:1-1024", NULL, NULL);
    add_for_alice("name", "mail:110", "local", "110"); /* may be an address in it, or not */
    add_for_alice("inside", "10.1.2.3:80", NULL, NULL);
    add_for_alice("wider", "10.0.0.0/7:80", NULL, NULL);
    add_for_alice("stop", "10.1.0.0/16:22", "action", "deny");
    add_for_alice("again", "MAIL:110", "local", "110");
    add_for_alice("old", "web:80", "expires", "2001-01-01T00:00:00Z");
    add_for_alice("web", "web:80", "hours", "Mon-Fri 08:00-19:00");
    add_for_alice("web2", "web:80", NULL, NULL); /* the one before holds at times only */
    add_for_alice("far", "web:80", "from", "192.0.2.0/24");
    findings("inside:redundant:net stop:never:net again:redundant:name again:same-local:name "
             "old:expired: far:redundant:web2");
    refused("rule.check", json_object(), "invalid", "user");
    refused("rule.check", json_pack("{s:s}", "group", "none"), "not-found", "none");
}

static void a_groups_rules_are_checked_behind_the_users_own(void **state)
{
    (void)state;
    done("user.add", json_pack("{s:s}", "name", "alice"));
    done("group.add", json_pack("{s:s}", "name", "g"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "g", "user", "alice"));
    done("rule.add",
         json_pack("{s:s, s:s, s:s}", "group", "g", "name", "shared", "target", "web:80"));
    findings("");
    add_for_alice("no", "web:80", "action", "deny");
    findings("shared:never:no");
}

static void a_table_of_one_owner_is_one_part_and_of_nobody_else(void **state)
{
    json_t *part;

    (void)state;
    add_user("alice");
    add_user("bob");
    done("group.add", json_pack("{s:s}", "name", "staff"));
    add_for_alice("Mail", "mail:110", NULL, NULL);
    done("rule.add",
         json_pack("{s:s, s:s, s:s}", "group", "staff", "name", "Secret", "target", "secret:1"));
    part = ok("rule.table", json_pack("{s:s}", "user", "alice"));
    assert_non_null(strstr(json_string_value(json_object_get(part, "text")), "Mail"));
    assert_null(strstr(json_string_value(json_object_get(part, "text")), "Secret"));
    assert_true(json_is_null(json_object_get(part, "next")));
    json_decref(part);
    refused("rule.table", json_pack("{s:s, s:s}", "user", "alice", "after", "g:a"), "invalid",
            "after");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(odd_rules_are_pointed_out_and_only_what_is_certain,
                                        open_ram, close_admin),
        cmocka_unit_test_setup_teardown(a_groups_rules_are_checked_behind_the_users_own, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(rules_that_make_no_sense_are_refused, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(rule_editor_warns_of_what_will_surprise, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(effective_rules_are_listed_in_reading_order, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(a_table_of_one_owner_is_one_part_and_of_nobody_else,
                                        open_ram, close_admin),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
