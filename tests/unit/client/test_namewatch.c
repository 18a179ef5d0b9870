/* When a name counts as moved. The lookups themselves are met in tests/flow/test_moved_gateway.py. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "client/namewatch.h"

static struct addr_ip ip(const char *text)
{
    struct addr_ip out;

    assert_int_equal(addr_parse_ip(text, strlen(text), &out), 0);
    return out;
}

static void one_lookup_without_the_address_says_nothing(void **state)
{
    struct addr_ip here = ip("192.0.2.1"), other = ip("192.0.2.2");
    unsigned misses = 0;

    (void)state;
    assert_false(namewatch_judge(&misses, &here, &other, 1));
    assert_true(namewatch_judge(&misses, &here, &other, 1));
    assert_true(namewatch_judge(&misses, &here, &other, 1));
}

static void address_among_others_is_still_the_name_s(void **state)
{
    struct addr_ip here = ip("2001:db8::1");
    struct addr_ip found[] = {ip("192.0.2.2"), ip("2001:db8::1"), ip("192.0.2.3")};
    unsigned misses = 0;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_false(namewatch_judge(&misses, &here, found, 3));
}

static void address_that_comes_back_starts_the_count_anew(void **state)
{
    struct addr_ip here = ip("192.0.2.1"), other = ip("192.0.2.2");
    unsigned misses = 0;

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_false(namewatch_judge(&misses, &here, &other, 1));
        assert_false(namewatch_judge(&misses, &here, &here, 1));
    }
}

static void failed_lookup_neither_counts_nor_forgets(void **state)
{
    struct addr_ip here = ip("192.0.2.1"), other = ip("192.0.2.2");
    unsigned misses = 0;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_false(namewatch_judge(&misses, &here, NULL, 0));
    assert_false(namewatch_judge(&misses, &here, &other, 1));
    assert_false(namewatch_judge(&misses, &here, NULL, 0));
    assert_true(namewatch_judge(&misses, &here, &other, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_lookup_without_the_address_says_nothing),
        cmocka_unit_test(address_among_others_is_still_the_name_s),
        cmocka_unit_test(address_that_comes_back_starts_the_count_anew),
        cmocka_unit_test(failed_lookup_neither_counts_nor_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
