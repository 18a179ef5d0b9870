/*
 * What jansson makes of a text when the memory for it is refused once, at any place: nothing, or all
 * of it. A token that could not be saved was read on as if it had been (jansson issue 362): the
 * program ended at an assert() or copied past the end of a buffer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

/* Tokens longer than the 16 bytes that the lexer begins with, cut at each place by one text or another. */
static const char *const texts[] = {
    "{\"passphrase\": \"tea at four\\nin the\\tgarden \\\"of the\\\" house "
    "\\u3042\\ud83d\\ude00\"}",
    "[\"0123456789abcd\\n\", \"0123456789abcde\\n\", \"0123456789abcdef\\u0041\", "
    "\"あいうえおかきくけこ\"]",
    "[1234567890123456, -123456789012345678, 1234567890123.25, 1.5e100, -0.000000000000001e-10]",
    "[true, false, null, {\"a long name of a member\": {\"another long name of one\": []}}]",
};

static long fails_at, calls; /* 0 = none fails */

static void *allocate(size_t size)
{
    return ++calls == fails_at ? NULL : malloc(size);
}

static void text_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *whole, *got;
        long all;

        fails_at = calls = 0;
        whole = json_loads(texts[i], 0, NULL);
        assert_non_null(whole);
        all = calls;
        assert_true(all > 5);
        for (long at = 1; at <= all; at++) {
            json_error_t error;

            fails_at = at;
            calls = 0;
            got = json_loadb(texts[i], strlen(texts[i]), 0, &error);
            assert_true(got == NULL || json_equal(got, whole));
            json_decref(got);
        }
        json_decref(whole);
    }
}

/* A number at the end, which nothing follows that would show that it was cut. */
static void number_is_never_cut_short(void **state)
{
    static const char text[] = "12345678901234567";
    long all;

    (void)state;
    fails_at = calls = 0;
    json_decref(json_loads(text, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL));
    all = calls;
    for (long at = 1; at <= all; at++) {
        json_t *got;

        fails_at = at;
        calls = 0;
        got = json_loads(text, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
        assert_true(got == NULL || json_integer_value(got) == 12345678901234567);
        json_decref(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_whole_or_not_at_all),
        cmocka_unit_test(number_is_never_cut_short),
    };

    json_set_alloc_funcs(allocate, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
