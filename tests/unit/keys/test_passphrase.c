/* The estimate of a passphrase's strength: order and rough size, never flattering. */
#include "tests/unit/keys/support.h"

#include "common/i18n.h"
#include "keys/keyfile.h"

static void known_passphrases_fall_into_their_range(void **state)
{
    static const struct {
        const char *text;
        unsigned low, high;
    } cases[] = {
        {"", 0, 0},
        {"a", 1, 6},
        {"password", 5, 12},
        {"P@ssw0rd", 5, 16},
        {"password1", 5, 18},
        {"123456789", 3, 14},
        {"aaaaaaaaaaaaaaaaaaaa", 1, 16},
        {"abababababababab", 5, 14},
        {"qwertyuiop", 3, 14},
        {"a b c d", 15, 28},
        {"suzuki1984", 8, 20},
        {"Summer2026!", 8, 26},
        {"Tr0ub4dor&3", 25, 50},
        {"correct horse battery staple", 30, 55},
        {"Lagerhaus im Regen 7", 35, 75},
        {"xK9$vQ2m!pL4", 45, 80},
        {"朝顔に釣瓶取られて貰い水", 40, 110},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned bits = passphrase_bits(cases[i].text);

        if (bits < cases[i].low || bits > cases[i].high) {
            fail_msg("'%s': %u bits, expected %u to %u", cases[i].text, bits, cases[i].low,
                     cases[i].high);
        }
    }
}

static void appending_never_makes_weaker_by_much(void **state)
{
    static const char text[] = "river-Lantern 42 copper/Falcon";
    char part[sizeof(text)];
    unsigned before = 0;

    (void)state;
    for (size_t n = 1; n < sizeof(text); n++) {
        unsigned bits;

        memcpy(part, text, n);
        part[n] = '\0';
        bits = passphrase_bits(part);
        assert_true(bits + 5 >= before);
        before = bits;
    }
}

static void any_bytes_and_any_length_are_judged(void **state)
{
    static char text[KEYFILE_PASS_MAX + 1];

    (void)state;
    memset(text, 0xff, sizeof(text) - 1);
    assert_true(passphrase_bits(text) < 64);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        text[i] = (char)(1 + i * 7 % 255);
    }
    assert_true(passphrase_bits(text) > 64);
}

static void words_go_with_the_bits_in_both_languages(void **state)
{
    (void)state;
    assert_string_equal(passphrase_word(0), "very weak");
    assert_string_equal(passphrase_word(31), "weak");
    assert_string_equal(passphrase_word(32), "fair");
    assert_string_equal(passphrase_word(50), "strong");
    assert_string_equal(passphrase_word(200), "very strong");
    i18n_set(LANG_JA);
    assert_string_equal(passphrase_word(0), "とても弱い");
    i18n_set(LANG_EN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_passphrases_fall_into_their_range),
        cmocka_unit_test(appending_never_makes_weaker_by_much),
        cmocka_unit_test(any_bytes_and_any_length_are_judged),
        cmocka_unit_test(words_go_with_the_bits_in_both_languages),
    };

    return cmocka_run_group_tests_name("passphrase", tests, NULL, NULL);
}
