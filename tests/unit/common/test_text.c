/* Texts: results and their sentences, UTF-8, the operator's log, times, the choice of language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "common/err.h"
#include "common/i18n.h"
#include "common/log.h"
#include "common/timefmt.h"
#include "common/utf8.h"
#include "tests/unit/common/scratch.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void codes_have_names_and_sentences(void **state)
{
    (void)state;
    assert_string_equal(err_name(PRA_EIO), "PRA_EIO");
    assert_string_equal(err_text(PRA_EMACHINE), "made on another machine");
    assert_string_equal(err_text(0), "ok");
    assert_string_equal(err_text(-9999), "unknown error");
    assert_string_equal(err_text(1), "unknown error");
    assert_string_equal(err_name(1), "unknown");
}

static void fault_keeps_one_sentence(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(fault_set(NULL, PRA_EIO, "x"), PRA_EIO);
    assert_int_equal(fault_wrap(NULL, PRA_EIO, "x"), PRA_EIO);
    assert_int_equal(fault_wrap(&f, PRA_EIO, "a file"), PRA_EIO);
    assert_string_equal(f.text, "a file: input or output failed");
    assert_int_equal(fault_set(&f, PRA_EINVAL, "bad %d", 7), PRA_EINVAL);
    assert_int_equal(fault_wrap(&f, PRA_EINVAL, "%s:%d", "x.ini", 3), PRA_EINVAL);
    assert_string_equal(f.text, "x.ini:3: bad 7");
    assert_int_equal(f.code, PRA_EINVAL);
}

static void long_sentences_are_cut_between_characters(void **state)
{
    char text[2000];
    struct fault f = {0};

    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe3\x81\x82", 4);
        fault_set(&f, PRA_EINVAL, "%s", text);
        assert_true(strlen(f.text) >= FAULT_TEXT_MAX - 4);
        assert_true(utf8_valid(f.text, strlen(f.text)));
        fault_wrap(&f, PRA_EINVAL, "%s", "prefix");
        assert_true(utf8_valid(f.text, strlen(f.text)));
        fault_wrap(&f, PRA_EINVAL, "%s", text);
        assert_true(utf8_valid(f.text, strlen(f.text)));
    }
}

/* "%.80s" counts bytes: the letter in which it ends goes, nothing else. */
static void words_cut_inside_a_sentence_end_between_characters(void **state)
{
    static const char *const letters[] = {"\xc3\xa9", "\xe3\x81\x82", "\xf0\x9f\x98\x80"};
    char text[64], expected[64];
    struct fault f = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(letters); i++)
        for (int cut = 0; cut <= 12; cut++) {
            size_t len = strlen(letters[i]);
            int whole = cut / (int)len * (int)len;

            text[0] = '\0';
            for (size_t n = 0; n < 12; n += len)
                memcpy(text + n, letters[i], len + 1);
            snprintf(expected, sizeof(expected), "'%.*s' is no word", whole, text);
            fault_set(&f, PRA_EINVAL, "'%.*s' is no word", cut, text);
            assert_string_equal(f.text, expected);
            fault_wrap(&f, PRA_EINVAL, "%.*s", cut, text);
            snprintf(expected, sizeof(expected), "%.*s: '%.*s' is no word", whole, text, whole,
                     text);
            assert_string_equal(f.text, expected);
        }
}

static void what_is_no_utf8_is_shown_as_question_marks(void **state)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"\xff", "?"},
                                           {"a\x80\x80z", "a??z"},
                                           {"\xc0\xaf.", "??."},
                                           {"\xed\xa0\x80", "???"},
                                           {"\xe3\x81\xe3\x81\x82", "\xe3\x81\x82"},
                                           {"\xf0\x9f\x98", ""},
                                           {"x\xc3", "x"},
                                           {"\xf4\x90\x80\x80", "????"}};
    char text[16];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text), "%s", cases[i][0]);
        utf8_mend(text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void utf8_follows_rfc_3629(void **state)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2"
                                      "a",
                                      "\xe0\x9f\xbf",
                                      "\xe3\x81",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xfe",
                                      "\xf0\x90\x80"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
    assert_true(utf8_valid("a\0b", 3));
}

static void utf8_trim_drops_only_a_cut_character(void **state)
{
    static const char text[] = "a\xc3\xa9\xe3\x81\x82\xf0\x9f\x98\x80";
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

    (void)state;
    for (size_t len = 0; len <= 10; len++)
        assert_int_equal(utf8_trim(text, len), expected[len]);
}

static void peer_text_is_escaped(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *shown;
    } cases[] = {
        {"alice", 5, "alice"},
        {"", 0, "\"\""},
        {"two words", 9, "\"two words\""},
        {"a\nb", 3, "a\\x0ab"},
        {"a\0b", 3, "a\\x00b"},
        {"q\"\\", 3, "q\\x22\\x5c"},
        {"\x1b[31m", 5, "\\x1b[31m"},
        {"\xff", 1, "\\xff"},
        {"\xe3\x81\x82", 3, "\xe3\x81\x82"},
        {"\xe3\x81", 2, "\\xe3\\x81"},
        {"\xc2\x9b"
         "1m",
         4, "\\xc2\\x9b1m"}, /* C1 control sequence introducer */
        {"\xe2\x80\xae"
         "gpj",
         6, "\\xe2\\x80\\xaegpj"},              /* right-to-left override */
        {"\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8"}, /* line separator */
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(log_escape(out, sizeof(out), cases[i].text, cases[i].len),
                            cases[i].shown);
}

static void escaping_never_writes_past_the_end(void **state)
{
    char out[40];

    (void)state;
    for (size_t cap = 0; cap < 30; cap++) {
        memset(out, 0x55, sizeof(out));
        log_escape(out, cap, "a b\n\n\n\xe3\x81\x82 end", 13);
        for (size_t i = cap; i < sizeof(out); i++)
            assert_int_equal(out[i], 0x55);
        if (cap > 0)
            assert_non_null(memchr(out, '\0', cap));
        if (cap >= 4) { /* quotes stay in pairs */
            assert_int_equal(out[0], '"');
            assert_int_equal(out[strlen(out) - 1], '"');
        }
    }
}

static void log_lines_are_whole_and_filtered(void **state)
{
    char *text;
    size_t len;
    char big[4000];

    (void)state;
    assert_int_equal(log_open(scratch_path("prad.log"), LOG_INFO, NULL), 0);
    log_event(LOG_DEBUG, "hidden", "a=1");
    log_event(LOG_INFO, "session-open", "user=%s n=%d", "alice", 3);
    log_event(LOG_WARN, "bare", "%s", "");
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    log_event(LOG_ERROR, "big", "text=%s", big);
    text = scratch_read("prad.log", &len);
    assert_null(strstr(text, "hidden"));
    assert_non_null(strstr(text, "Z info session-open user=alice n=3\n"));
    assert_non_null(strstr(text, "Z warn bare"));
    assert_string_equal(text + len - 5, "x...\n");
    assert_int_equal(strlen(strstr(text, "error big") - strlen("2026-11-22T10:00:00.123Z ")),
                     LOG_LINE_MAX);
    free(text);
    log_set_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "shown", "a=1");
    text = scratch_read("prad.log", &len);
    assert_non_null(strstr(text, "debug shown a=1\n"));
    free(text);
    assert_int_equal(log_open(NULL, LOG_INFO, NULL), 0);
    assert_int_equal(log_reopen(), 0);
}

static void log_reopens_under_the_same_name(void **state)
{
    char moved[200];
    char *text;
    size_t len;
    struct fault f = {0};

    (void)state;
    assert_int_equal(log_open("/nonexistent/prad.log", LOG_INFO, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "/nonexistent/prad.log"));
    assert_int_equal(log_open(scratch_path("a.log"), LOG_INFO, NULL), 0);
    log_event(LOG_INFO, "one", "%s", "");
    snprintf(moved, sizeof(moved), "%s/a.log.1", scratch);
    assert_int_equal(rename(scratch_path("a.log"), moved), 0);
    log_event(LOG_INFO, "two", "%s", "");
    assert_int_equal(log_reopen(), 0);
    log_event(LOG_INFO, "three", "%s", "");
    text = scratch_read("a.log.1", &len);
    assert_non_null(strstr(text, "two"));
    assert_null(strstr(text, "three"));
    free(text);
    text = scratch_read("a.log", &len);
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "three"));
    free(text);
    assert_int_equal(log_open(NULL, LOG_INFO, NULL), 0);
}

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++)
        log_event(LOG_INFO, "thread", "id=%d i=%d end", *(int *)arg, i);
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
    pthread_t threads[4];
    int ids[4] = {0, 1, 2, 3};
    char *text;
    size_t len;
    int lines = 0;

    (void)state;
    assert_int_equal(log_open(scratch_path("t.log"), LOG_INFO, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &ids[i]), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(log_reopen(), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(log_open(NULL, LOG_INFO, NULL), 0);
    text = scratch_read("t.log", &len);
    for (char *line = text; *line; lines++) {
        char *end = strchr(line, '\n');

        assert_non_null(end);
        assert_memory_equal(end - 4, " end", 4);
        assert_memory_equal(line + 24, " info thread id=", 16);
        line = end + 1;
    }
    assert_int_equal(lines, 2000);
    free(text);
}

static void levels_parse(void **state)
{
    enum log_level level;

    (void)state;
    assert_int_equal(log_parse_level("warn", &level), 0);
    assert_int_equal(level, LOG_WARN);
    assert_int_equal(log_parse_level("WARN", &level), PRA_EINVAL);
    assert_int_equal(log_parse_level("", &level), PRA_EINVAL);
}

static void times_format_and_parse_back(void **state)
{
    static const struct {
        int64_t t;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {1795341600, "2026-11-22T10:00:00Z"},
        {4107542400, "2100-03-01T00:00:00Z"},
        {-62167219200, "0000-01-01T00:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {4294967296, "2106-02-07T06:28:16Z"},
    };
    char text[TIMEFMT_MAX];
    int64_t t;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(timefmt_rfc3339(cases[i].t, text), cases[i].text);
        assert_int_equal(timefmt_parse(cases[i].text, &t), 0);
        assert_true(t == cases[i].t);
    }
    for (int64_t day = -719528; day < 2932896; day += 1) { /* every day of years 0 to 9999 */
        timefmt_rfc3339(day * 86400 + 43201, text);
        assert_int_equal(timefmt_parse(text, &t), 0);
        assert_true(t == day * 86400 + 43201);
    }
    assert_string_equal(timefmt_rfc3339(INT64_MAX, text), "9999-12-31T23:59:59Z");
    assert_string_equal(timefmt_rfc3339(INT64_MIN, text), "0000-01-01T00:00:00Z");
    assert_string_equal(timefmt_rfc3339_ms(1795341600123, text), "2026-11-22T10:00:00.123Z");
    assert_string_equal(timefmt_rfc3339_ms(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(timefmt_rfc3339_ms(5, text), "1970-01-01T00:00:00.005Z");
}

static void times_with_offsets(void **state)
{
    static const struct {
        const char *text;
        int64_t t;
    } cases[] = {
        {"2026-11-22T19:00:00+09:00", 1795341600},
        {"2026-11-22T05:30:00-04:30", 1795341600},
        {"2026-11-22t10:00:00z", 1795341600},
        {"2026-11-22T10:00:00.999999999Z", 1795341600},
        {"2026-11-22", 1795305600},
        {"2026-11-22T10:00:00-00:00", 1795341600},
    };
    int64_t t;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(timefmt_parse(cases[i].text, &t), 0);
        assert_true(t == cases[i].t);
    }
}

static void times_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "now",
                                      "2026",
                                      "2026-11",
                                      "2026-11-",
                                      "26-11-22",
                                      "2026-13-01",
                                      "2026-00-01",
                                      "2026-02-29",
                                      "2100-02-29",
                                      "2026-04-31",
                                      "2026-11-00",
                                      "2026-11-22T",
                                      "2026-11-22 10:00:00Z",
                                      "2026-11-22T10:00:00",
                                      "2026-11-22T10:00Z",
                                      "2026-11-22T24:00:00Z",
                                      "2026-11-22T10:60:00Z",
                                      "2026-11-22T10:00:60Z",
                                      "2026-11-22T10:00:00.Z",
                                      "2026-11-22T10:00:00+9:00",
                                      "2026-11-22T10:00:00+0900",
                                      "2026-11-22T10:00:00+24:00",
                                      "2026-11-22T10:00:00Zx",
                                      "2026-11-22x",
                                      " 2026-11-22",
                                      "-026-11-22",
                                      "2026-1a-22",
                                      "+2026-11-22"};
    int64_t t;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (timefmt_parse(bad[i], &t) != PRA_EINVAL)
            fail_msg("'%s' was taken for a time", bad[i]);
}

static void language_follows_the_locale(void **state)
{
    static const struct {
        const char *all, *messages, *lang;
        enum i18n_lang expected;
    } cases[] = {
        {NULL, NULL, NULL, LANG_EN},          {NULL, NULL, "ja_JP.UTF-8", LANG_JA},
        {NULL, NULL, "ja", LANG_JA},          {NULL, NULL, "ja.UTF-8", LANG_JA},
        {NULL, NULL, "C.UTF-8", LANG_EN},     {NULL, NULL, "jam_JM", LANG_EN},
        {"C", NULL, "ja_JP.UTF-8", LANG_EN},  {"", "ja_JP", "en_US", LANG_JA},
        {"ja_JP", "en_US", "en_US", LANG_JA}, {NULL, NULL, "en_JA", LANG_EN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
        const char *const values[] = {cases[i].all, cases[i].messages, cases[i].lang};

        for (size_t k = 0; k < 3; k++)
            if (values[k])
                setenv(names[k], values[k], 1);
            else
                unsetenv(names[k]);
        i18n_init();
        assert_int_equal(i18n_lang(), cases[i].expected);
        assert_string_equal(tr("yes", "hai"), cases[i].expected == LANG_JA ? "hai" : "yes");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_names_and_sentences),
        cmocka_unit_test(fault_keeps_one_sentence),
        cmocka_unit_test(long_sentences_are_cut_between_characters),
        cmocka_unit_test(words_cut_inside_a_sentence_end_between_characters),
        cmocka_unit_test(what_is_no_utf8_is_shown_as_question_marks),
        cmocka_unit_test(utf8_follows_rfc_3629),
        cmocka_unit_test(utf8_trim_drops_only_a_cut_character),
        cmocka_unit_test(peer_text_is_escaped),
        cmocka_unit_test(escaping_never_writes_past_the_end),
        cmocka_unit_test_setup_teardown(log_lines_are_whole_and_filtered, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(log_reopens_under_the_same_name, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_their_lines, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(levels_parse),
        cmocka_unit_test(times_format_and_parse_back),
        cmocka_unit_test(times_with_offsets),
        cmocka_unit_test(times_that_are_none_are_refused),
        cmocka_unit_test(language_follows_the_locale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
