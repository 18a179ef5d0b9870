/* The PAC file's names; what a browser makes of it is asked of node in tests/flow/test_pac.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/pac.h"
#include "common/err.h"

static void names_are_told_from_what_is_none(void **state)
{
    static const char *const good[] = {"example.co.jp", "intra", "a-b.c_d.example", "3com.com"};
    static const char *const bad[] = {
        "",     ".",   ".example.com",  "example.com.",    "a..b", "192.0.2.1", "a b", "a\"b",
        "a\\b", "a/b", "*.example.com", "\xe4\xbe\x8b.jp", "a\nb"};
    char long_name[PAC_NAME_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(pac_name_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(pac_name_valid(bad[i]));
    memset(long_name, 'a', sizeof(long_name));
    long_name[PAC_NAME_MAX] = '\0';
    assert_true(pac_name_valid(long_name));
    long_name[PAC_NAME_MAX] = 'a';
    long_name[PAC_NAME_MAX + 1] = '\0';
    assert_false(pac_name_valid(long_name));
}

static void what_does_not_fit_is_refused(void **state)
{
    static char name[PAC_NAME_MAX + 1], text[32768];
    const char *names[PAC_NAMES_MAX + 1];

    (void)state;
    memset(name, 'a', PAC_NAME_MAX);
    for (size_t i = 0; i <= PAC_NAMES_MAX; i++)
        names[i] = name;
    assert_int_equal(pac_write("127.0.0.1:10080", names, PAC_NAMES_MAX, text, sizeof(text)), 0);
    assert_int_equal(pac_write("127.0.0.1:10080", names, PAC_NAMES_MAX + 1, text, sizeof(text)),
                     PRA_EIO);
    assert_int_equal(pac_write("127.0.0.1:10080", names, 1, text, 100), PRA_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_told_from_what_is_none),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
