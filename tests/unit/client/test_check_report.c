/* The report of `pra check`: its JSON, its two tables, its limits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/check.h"
#include "client/cli_text.h"
#include "common/i18n.h"
#include "tests/unit/client/printed.h"

static struct check *make_report(void)
{
    struct check *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    check_add(c, "dns", CHECK_OK, NULL, "DNS: %s", "192.0.2.53");
    check_add(c, "tcp", CHECK_FAIL, "let it out", "TCP: \033[31mblocked");
    check_add_code(c, MSG_RULES_PORT);
    check_add_port(c, 10022, CHECK_OUT, "TCP", true, CHECK_CLOSED, "SSH");
    check_add_port(c, 110, CHECK_LOCAL, "TCP", false, CHECK_OPEN, "POP -> mail:110");
    return c;
}

static void json_has_the_members_of_the_contract(void **state)
{
    struct check *c = make_report();
    json_t *doc = check_json(c);
    const json_t *item = json_array_get(json_object_get(doc, "checks"), 1);
    const json_t *port = json_array_get(json_object_get(doc, "ports"), 0);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(item, "id")), "tcp");
    assert_string_equal(json_string_value(json_object_get(item, "state")), "fail");
    assert_string_equal(json_string_value(json_object_get(item, "code")), "ERR(10203)");
    assert_string_equal(json_string_value(json_object_get(item, "text")), "TCP: ?[31mblocked");
    assert_string_equal(json_string_value(json_object_get(item, "detail")), "let it out");
    assert_int_equal(json_integer_value(json_object_get(port, "port")), 10022);
    assert_string_equal(json_string_value(json_object_get(port, "direction")), "out");
    assert_true(json_is_true(json_object_get(port, "mandatory")));
    assert_string_equal(json_string_value(json_object_get(port, "state")), "closed");
    json_decref(doc);
    free(c);
}

static void one_failing_item_fails_the_report(void **state)
{
    struct check *c = make_report();

    (void)state;
    assert_true(check_failed(c));
    c->item[1].state = CHECK_WARN;
    assert_false(check_failed(c));
    free(c);
}

static char *print(const struct check *c)
{
    FILE *to = tmpfile();

    assert_non_null(to);
    check_print(c, to);
    return printed_text(to);
}

static void both_languages_mark_what_is_mandatory(void **state)
{
    struct check *c = make_report();
    char *text;

    (void)state;
    i18n_set(LANG_JA);
    text = print(c);
    assert_non_null(strstr(text, "× 異常  ERR(10203) TCP"));
    assert_non_null(strstr(text, "ポート  方向    プロトコル  状態          詳細"));
    assert_non_null(strstr(text, "※  10022   外向き  TCP         閉じています  SSH"));
    assert_non_null(strstr(text, "   110     PC 内   TCP         開いています  POP -> mail:110"));
    free(text);
    i18n_set(LANG_EN);
    text = print(c);
    assert_non_null(strstr(text, "× fail  ERR(10203) TCP"));
    assert_non_null(strstr(text, "        let it out"));
    assert_non_null(strstr(text, "ok 1, notes 0, failed 1"));
    free(text);
    free(c);
}

static void report_has_limits(void **state)
{
    struct check *c = calloc(1, sizeof(*c));

    (void)state;
    for (int i = 0; i < CHECK_ITEMS_MAX + 5; i++)
        check_add(c, "x", CHECK_OK, NULL, "%d", i);
    for (int i = 0; i < CHECK_PORTS_MAX + 5; i++)
        check_add_port(c, 1, CHECK_OUT, "TCP", false, CHECK_OPEN, "");
    assert_int_equal(c->items, CHECK_ITEMS_MAX);
    assert_int_equal(c->ports, CHECK_PORTS_MAX);
    free(c);
}

static int start(void **state)
{
    (void)state;
    text_init();
    i18n_set(LANG_EN);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_the_members_of_the_contract),
        cmocka_unit_test(one_failing_item_fails_the_report),
        cmocka_unit_test(both_languages_mark_what_is_mandatory),
        cmocka_unit_test(report_has_limits),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
