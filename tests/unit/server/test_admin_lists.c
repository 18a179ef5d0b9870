/* Parts of lists: searched, sorted, cut, and said how much there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/server/account_support.h"

/* Names of the entries of a part, joined by blanks, and its total. */
static char shown[4096];
static int64_t total;

static const char *list_of(const char *op, const char *member, json_t *args)
{
    json_t *answer = ask_raw(json_pack("{s:s, s:o}", "op", op, "args", args)), *entry;
    size_t i, len = 0;

    if (!json_is_true(json_object_get(answer, "ok")))
        fail_msg("%s: %s", op, json_dumps(answer, 0));
    shown[0] = '\0';
    json_array_foreach(json_object_get(answer, "result"), i, entry)
    {
        len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%s%s", i == 0 ? "" : " ",
                                json_string_value(json_object_get(entry, member)));
    }
    total = json_integer_value(json_object_get(json_object_get(answer, "page"), "total"));
    json_decref(answer);
    return shown;
}

#define LIST(op, args, wanted, all)                                                                \
    do {                                                                                           \
        assert_string_equal(list_of(op ".list", "name", args), wanted);                            \
        assert_int_equal(total, all);                                                              \
    } while (0)

static int open_filled(void **state)
{
    if (open_ram(state) != 0)
        return -1;
    done("user.add", json_pack("{s:s, s:s}", "name", "alice", "full-name", "鈴木 花子"));
    done("user.add", json_pack("{s:s, s:s}", "name", "bob", "full-name", "Bob 100%"));
    done("user.add", json_pack("{s:s, s:s}", "name", "carol_a", "full-name", "under_score \\"));
    done("user.add", json_pack("{s:s, s:b}", "name", "dave", "disabled", 1));
    done("group.add", json_pack("{s:s}", "name", "sales"));
    done("group.add", json_pack("{s:s}", "name", "営業"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "sales", "user", "bob"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "営業", "user", "alice"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "営業", "user", "dave"));
    add_rule("POP", "mail:110", "110");
    add_rule("SMTP", "mail:25", "2525");
    add_rule("Web", "10.0.0.0/8:80", NULL);
    done("rule.add",
         json_pack("{s:s, s:s, s:s}", "group", "sales", "name", "CRM", "target", "crm:443"));
    return 0;
}

static void users_are_searched_sorted_and_cut(void **state)
{
    (void)state;
    LIST("user", json_object(), "alice bob carol_a dave", 4);
    LIST("user", json_pack("{s:i, s:i}", "limit", 2, "offset", 1), "bob carol_a", 4);
    LIST("user", json_pack("{s:i, s:i}", "limit", 2, "offset", 9), "", 4);
    LIST("user", json_pack("{s:s}", "sort", "-name"), "dave carol_a bob alice", 4);
    LIST("user", json_pack("{s:s}", "sort", "-rules"), "alice bob carol_a dave", 4);
    LIST("user", json_pack("{s:s}", "search", "花"), "alice", 1);
    LIST("user", json_pack("{s:s}", "search", "BO"), "bob", 1);
    LIST("user", json_pack("{s:s}", "search", "営"), "alice dave", 2);
    LIST("user", json_pack("{s:s}", "search", ""), "alice bob carol_a dave", 4);
    LIST("user", json_pack("{s:s}", "name", "bob"), "bob", 1);
    LIST("user", json_pack("{s:s}", "name", "Bob"), "", 0);
    LIST("user", json_pack("{s:s}", "group", "営業"), "alice dave", 2);
    LIST("user", json_pack("{s:s, s:s}", "group", "営業", "state", "disabled"), "dave", 1);
    LIST("user", json_pack("{s:s}", "state", "enabled"), "alice bob carol_a", 3);
    refused("user.list", json_pack("{s:s}", "state", "asleep"), "invalid", "state");
}

static void what_is_searched_for_is_no_pattern(void **state)
{
    (void)state;
    LIST("user", json_pack("{s:s}", "search", "%"), "bob", 1);
    LIST("user", json_pack("{s:s}", "search", "_"), "carol_a", 1);
    LIST("user", json_pack("{s:s}", "search", "\\"), "carol_a", 1);
    LIST("user", json_pack("{s:s}", "search", "a%b"), "", 0);
    LIST("user", json_pack("{s:s}", "search", "' OR 1=1 --"), "", 0);
}

static void an_order_is_one_of_the_lists_words(void **state)
{
    static const char *const lists[] = {"user.list", "group.list",   "key.list",
                                        "rule.list", "account.list", "session.list"};

    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        refused(lists[i], json_pack("{s:s}", "sort", "id; DROP TABLE users"), "invalid", "sort");
        refused(lists[i], json_pack("{s:s}", "sort", "-"), "invalid", "sort");
        refused(lists[i], json_pack("{s:s}", "sort", ""), "invalid", "sort");
        refused(lists[i], json_pack("{s:i}", "limit", 0), "invalid", "limit");
        refused(lists[i], json_pack("{s:i}", "limit", 10001), "invalid", "limit");
        refused(lists[i], json_pack("{s:i}", "offset", -1), "invalid", "offset");
    }
}

static void rules_and_groups_are_searched_sorted_and_cut(void **state)
{
    (void)state;
    LIST("rule", json_object(), "POP SMTP Web CRM", 4);
    LIST("rule", json_pack("{s:i, s:i}", "limit", 1, "offset", 3), "CRM", 4);
    LIST("rule", json_pack("{s:s}", "sort", "target"), "Web CRM POP SMTP", 4);
    LIST("rule", json_pack("{s:s}", "search", "mail"), "POP SMTP", 2);
    LIST("rule", json_pack("{s:s}", "search", "sales"), "CRM", 1);
    LIST("rule", json_pack("{s:s, s:s}", "user", "alice", "sort", "-position"), "Web SMTP POP", 3);
    LIST("rule", json_pack("{s:s}", "group", "sales"), "CRM", 1);
    LIST(
        "rule",
        json_pack("{s:s, s:b, s:i, s:i}", "user", "alice", "effective", 1, "limit", 1, "offset", 1),
        "SMTP", 3);
    refused("rule.list",
            json_pack("{s:s, s:b, s:s}", "user", "alice", "effective", 1, "sort", "id"), "invalid",
            "effective");
    LIST("group", json_pack("{s:s}", "sort", "-members"), "営業 sales", 2);
    LIST("group", json_pack("{s:s}", "search", "SAL"), "sales", 1);
}

static void keys_and_accounts_are_searched_and_sorted(void **state)
{
    (void)state;
    done("key.add", key_args("alice", KEY_LINE));
    done("key.add", key_args("bob", KEY_LINE));
    assert_string_equal(list_of("key.list", "user", json_pack("{s:s}", "sort", "-user")),
                        "bob alice");
    assert_string_equal(list_of("key.list", "user", json_pack("{s:s}", "user", "bob")), "bob");
    assert_string_equal(list_of("key.list", "user", json_pack("{s:s}", "state", "revoked")), "");
    assert_string_equal(list_of("key.list", "user", json_pack("{s:s}", "search", "BOB")), "bob");
    refused("key.list", json_pack("{s:s}", "user", "nobody"), "not-found", "nobody");
    done("account.add", json_pack("{s:s, s:s}", "name", "tanaka", "role", "owner"));
    done("account.add", json_pack("{s:s, s:s}", "name", "sato", "role", "auditor"));
    LIST("account", json_pack("{s:s}", "sort", "-name"), "tanaka sato", 2);
    LIST("account", json_pack("{s:s}", "search", "sat"), "sato", 1);
    assert_string_equal(list_of("session.list", "id", json_pack("{s:s}", "sort", "user")), "4f1c");
    assert_int_equal(total, 1);
}

/* What an account asks for is never more than one page of the portal needs. */
static void an_account_gets_at_most_a_thousand_entries(void **state)
{
    json_t *batch = json_array(), *answer;
    char *token = account_with_token("tanaka", "owner"), name[32];

    (void)state;
    for (int i = 0; i < 1100; i++) {
        snprintf(name, sizeof(name), "u%04d", i);
        json_array_append_new(batch,
                              json_pack("{s:s, s:{s:s}}", "op", "user.add", "args", "name", name));
    }
    json_decref(ask_raw(json_pack("{s:o}", "batch", batch)));
    LIST("user", json_pack("{s:i, s:i}", "limit", 1, "offset", 1099), "u1095", 1104);
    answer = ask_from(SOURCE, token, "user.list", json_object());
    assert_int_equal(json_array_size(json_object_get(answer, "result")), 1000);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "page"), "total")),
                     1104);
    json_decref(answer);
    assert_string_equal(try_as(token, "user.list", json_pack("{s:i}", "limit", 1001)), "invalid");
    assert_string_equal(try_as(token, "user.list", json_pack("{s:i}", "limit", 1000)), "");
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(users_are_searched_sorted_and_cut, open_filled,
                                        close_admin),
        cmocka_unit_test_setup_teardown(what_is_searched_for_is_no_pattern, open_filled,
                                        close_admin),
        cmocka_unit_test_setup_teardown(an_order_is_one_of_the_lists_words, open_filled,
                                        close_admin),
        cmocka_unit_test_setup_teardown(rules_and_groups_are_searched_sorted_and_cut, open_filled,
                                        close_admin),
        cmocka_unit_test_setup_teardown(keys_and_accounts_are_searched_and_sorted, open_filled,
                                        close_admin),
        cmocka_unit_test_setup_teardown(an_account_gets_at_most_a_thousand_entries, open_filled,
                                        close_admin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
