/* Widths, cleaning, tables, hints: what people see on the terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli.h"
#include "client/cli_text.h"
#include "tests/unit/client/printed.h"

static void japanese_takes_two_columns(void **state)
{
    (void)state;
    assert_int_equal(text_width("POP"), 3);
    assert_int_equal(text_width("接続中"), 6);
    assert_int_equal(text_width("PC 内"), 5);
    assert_int_equal(text_width("ﾎﾟｰﾄ"), 4);
    assert_int_equal(text_width("●"), 1);
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("\xff\xfe"), 2);
}

static void escape_sequences_do_not_reach_the_terminal(void **state)
{
    char dst[64];

    (void)state;
    assert_string_equal(text_clean(dst, sizeof(dst), "a\033[2Jb"), "a?[2Jb");
    assert_string_equal(text_clean(dst, sizeof(dst), "a\r\nb\tc\x7f"), "a??b?c?");
    assert_string_equal(text_clean(dst, sizeof(dst),
                                   "\xc2\x9b"
                                   "31m"),
                        "?31m");
    assert_string_equal(text_clean(dst, sizeof(dst),
                                   "evil\xe2\x80\xae"
                                   "txt"),
                        "evil?txt");
    assert_string_equal(text_clean(dst, sizeof(dst), "\xe3\x81"), "??");
    assert_string_equal(text_clean(dst, sizeof(dst), "日本語"), "日本語");
}

static void cleaning_cuts_at_a_whole_letter(void **state)
{
    char dst[8];

    (void)state;
    assert_string_equal(text_clean(dst, sizeof(dst), "日本語"), "日本");
    assert_string_equal(text_clean(dst, 1, "x"), "");
}

static void bytes_are_shown_in_a_fitting_unit(void **state)
{
    char dst[16];

    (void)state;
    assert_string_equal(text_bytes(dst, 0), "0 B");
    assert_string_equal(text_bytes(dst, 1023), "1023 B");
    assert_string_equal(text_bytes(dst, 1536), "1.5 KiB");
    assert_string_equal(text_bytes(dst, 3ULL << 30), "3.0 GiB");
    assert_string_equal(text_bytes(dst, UINT64_MAX), "16.0 EiB");
}

static char *print(const struct table *t, size_t indent)
{
    FILE *to = tmpfile();

    assert_non_null(to);
    assert_int_equal(table_print(t, to, indent), 0);
    return printed_text(to);
}

static void columns_line_up_in_both_languages(void **state)
{
    struct table *t = table_new(3);
    char *text;

    (void)state;
    table_row(t, TEXT_PLAIN, (const char *[]){"名前", "この PC", "状態"});
    table_row(t, TEXT_PLAIN, (const char *[]){"POP", "127.0.0.1:110", "使用できます"});
    table_row(t, TEXT_PLAIN, (const char *[]){"メール", "1", "x"});
    text = print(t, 1);
    assert_string_equal(text, " 名前    この PC        状態\n"
                              " POP     127.0.0.1:110  使用できます\n"
                              " メール  1              x\n");
    free(text);
    table_free(t);
}

static void empty_columns_take_no_room_and_notes_stand_below(void **state)
{
    struct table *t = table_new(3);
    char *text;

    (void)state;
    table_row(t, TEXT_GOOD, (const char *[]){"×", "", "POP"});
    table_note(t, 2, "why\nand what");
    table_row(t, TEXT_GOOD, (const char *[]){"●", NULL, "SMTP"});
    text = print(t, 0);
    assert_string_equal(text, "×  POP\n   why?and what\n●  SMTP\n");
    free(text);
    table_free(t);
}

static void table_without_memory_prints_nothing(void **state)
{
    (void)state;
    assert_null(table_new(TABLE_COLUMNS_MAX + 1));
    table_row(NULL, TEXT_PLAIN, (const char *[]){"x"});
    assert_int_equal(table_print(NULL, stdout, 0), -1);
    table_free(NULL);
}

static void misspelt_words_get_a_hint(void **state)
{
    static const char *const words[] = {"connect", "disconnect", "status", "rules", NULL};

    (void)state;
    assert_string_equal(cli_nearest("conect", words), "connect");
    assert_string_equal(cli_nearest("stats", words), "status");
    assert_string_equal(cli_nearest("disc", words), "disconnect");
    assert_null(cli_nearest("zebra", words));
    assert_null(cli_nearest("", words));
    assert_null(cli_nearest("a-word-that-is-much-longer-than-any-command-and-also-longer-than-the-"
                            "limit",
                            words));
}

static void every_command_is_described_in_both_languages(void **state)
{
    (void)state;
    for (size_t i = 0; cli_commands()[i] != NULL; i++) {
        const struct cli_command *c = cli_commands()[i];
        size_t n = 0;

        for (int lang = 0; lang < CLI_LANGS; lang++) {
            assert_non_null(c->summary[lang]);
            assert_non_null(c->about[lang]);
            assert_true(text_width(c->summary[lang]) <= 60);
        }
        assert_true(c->hidden || c->example != NULL);
        assert_non_null(c->run);
        for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++, n++) {
            assert_non_null(o->help[LANG_EN]);
            assert_non_null(o->help[LANG_JA]);
        }
        assert_true(n <= CLI_OPTIONS_MAX);
    }
}

static int start(void **state)
{
    (void)state;
    text_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(japanese_takes_two_columns),
        cmocka_unit_test(escape_sequences_do_not_reach_the_terminal),
        cmocka_unit_test(cleaning_cuts_at_a_whole_letter),
        cmocka_unit_test(bytes_are_shown_in_a_fitting_unit),
        cmocka_unit_test(columns_line_up_in_both_languages),
        cmocka_unit_test(empty_columns_take_no_room_and_notes_stand_below),
        cmocka_unit_test(table_without_memory_prints_nothing),
        cmocka_unit_test(misspelt_words_get_a_hint),
        cmocka_unit_test(every_command_is_described_in_both_languages),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
