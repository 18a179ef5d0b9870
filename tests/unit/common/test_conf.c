/* INI files: what is accepted, and that each error names file and line. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "tests/unit/common/scratch.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct target {
    char listen[CONF_LINE_MAX + 1];
    long workers;
    int log;
};

static int set_listen(void *target, const char *value, struct fault *f)
{
    struct target *t = target;

    (void)f;
    snprintf(t->listen, sizeof(t->listen), "%s", value);
    return 0;
}

static int set_workers(void *target, const char *value, struct fault *f)
{
    return conf_parse_number(value, 1, 64, &((struct target *)target)->workers, f);
}

static int set_log(void *target, const char *value, struct fault *f)
{
    return conf_parse_bool(value, &((struct target *)target)->log, f);
}

static const struct conf_key keys[] = {
    {"gateway", "listen", set_listen},
    {"gateway", "workers", set_workers},
    {"log", "on", set_log},
    {NULL, NULL, NULL},
};

static int load(const char *text, size_t len, struct target *t, struct fault *f)
{
    memset(t, 0, sizeof(*t));
    memset(f, 0, sizeof(*f));
    scratch_write("prad.ini", text, len);
    return conf_load(scratch_path("prad.ini"), keys, t, f);
}

static void good_file(void **state)
{
    static const char text[] = "\xef\xbb\xbf# comment\n; another\n\n[gateway]\r\n"
                               "listen = 0.0.0.0:10022 ; note\n  workers: 4\n"
                               "[log] ; note\non=yes";
    struct target t;
    struct fault f;

    (void)state;
    assert_int_equal(load(text, sizeof(text) - 1, &t, &f), 0);
    assert_string_equal(t.listen, "0.0.0.0:10022");
    assert_int_equal(t.workers, 4);
    assert_int_equal(t.log, 1);
    assert_int_equal(load("", 0, &t, &f), 0);
    assert_int_equal(load("[gateway]\nlisten=\n", 18, &t, &f), 0);
    assert_string_equal(t.listen, "");
}

static void each_error_names_file_and_line(void **state)
{
    static const struct {
        const char *text;
        const char *expected; /* behind the file name */
    } cases[] = {
        {"[gateway]\nlisten=a\nworkers=0\n", ":3: [gateway] workers: is not within 1 to 64"},
        {"[gateway]\nworkers=\n", ":2: [gateway] workers: is no number"},
        {"[gateway]\nworkers=4x\n",
         ":2: [gateway] workers: has something unknown behind the number"},
        {"\n\n[gateway]\nworker=4\n", ":4: [gateway] has no key 'worker'"},
        {"[gateway]\nListen=a\n", ":2: [gateway] has no key 'Listen'"},
        {"[gatway]\nlisten=a\n", ":1: unknown section [gatway]"},
        {"[gatway]\n", ":1: unknown section [gatway]"},
        {"[]\n", ":1: unknown section [\"\"]"},
        {"[gateway\nlisten=a\n", ":1: unknown section [gateway]"},
        {"[gateway] listen=a\n", ":1: something stands behind the ']' of the section"},
        {"listen=a\n", ":1: key 'listen' stands in front of the first [section]"},
        {"[gateway]\nlisten=a\n\nlisten=b\n", ":4: [gateway] listen: was given in line 2 already"},
        {"[gateway]\nlisten=a\n[log]\non=1\n[gateway]\nlisten=b\n",
         ":6: [gateway] listen: was given in line 2 already"},
        {"[gateway]\nnonsense\n", ":2: is neither '[section]', 'key = value' nor a comment"},
        {"[log]\non=maybe\nnonsense\n", ":2: [log] on: is neither 'yes' nor 'no'"},
        {"[gateway]\nlisten=\xff\n", ":2: the line is not UTF-8 text"},
        {"[gateway]\n\x1b[31m=1\n", ":2: the line has a control character"},
        {"[gateway]\nlisten=a\x1b[2J\r\n", ":2: the line has a control character"},
        {"[gateway]\na\\b=1\n", ":2: [gateway] has no key 'a\\x5cb'"},
        {"[gateway]\nlisten=a\n  more\n",
         ":3: is neither '[section]', 'key = value' nor a comment"},
    };
    struct target t;
    struct fault f;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char expected[400];

        assert_int_equal(load(cases[i].text, strlen(cases[i].text), &t, &f), PRA_EINVAL);
        snprintf(expected, sizeof(expected), "%s/prad.ini%s", scratch, cases[i].expected);
        assert_string_equal(f.text, expected);
        assert_int_equal(f.code, PRA_EINVAL);
    }
}

static void nul_bytes_are_refused(void **state)
{
    static const char text[] = "[gateway]\nlisten=a\0b\n";
    struct target t;
    struct fault f;

    (void)state;
    assert_int_equal(load(text, sizeof(text) - 1, &t, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, ":2: the line is not UTF-8 text"));
}

static void line_limit_is_exact_and_long_lines_are_not_split(void **state)
{
    char text[3 * CONF_LINE_MAX];
    const size_t head = strlen("[gateway]\n");
    struct target t;
    struct fault f;

    (void)state;
    for (size_t len = CONF_LINE_MAX - 1; len <= CONF_LINE_MAX + 3; len++) {
        int rc;

        memcpy(text, "[gateway]\nlisten=", head + 7);
        memset(text + head + 7, 'x', len - 7);
        memcpy(text + head + len, "\nworkers=3\n", 11);
        rc = load(text, head + len + 11, &t, &f);
        if (len <= CONF_LINE_MAX) {
            assert_int_equal(rc, 0);
            assert_int_equal(strlen(t.listen), len - 7);
            assert_int_equal(t.workers, 3);
        } else {
            assert_int_equal(rc, PRA_EINVAL);
            assert_non_null(strstr(f.text, ":2: the line is longer than 1024 bytes"));
        }
    }
    /* A tail that would read as a setting of its own, and a comment, are no way around. */
    memset(text, '#', sizeof(text));
    memcpy(text + 2 * CONF_LINE_MAX, "\nworkers=3\n", 11);
    assert_int_equal(load(text, sizeof(text), &t, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, ":1: the line is longer"));
}

static void missing_large_and_odd_files(void **state)
{
    struct target t;
    struct fault f = {0};
    char *big = calloc(1, CONF_FILE_MAX + 1);

    (void)state;
    assert_int_equal(conf_load(scratch_path("none.ini"), keys, &t, &f), PRA_ENOENT);
    assert_non_null(strstr(f.text, "none.ini"));
    assert_int_equal(conf_load(scratch, keys, &t, &f), PRA_EIO);
    assert_non_null(big);
    memset(big, '\n', CONF_FILE_MAX + 1);
    assert_int_equal(load(big, CONF_FILE_MAX, &t, &f), 0);
    assert_int_equal(load(big, CONF_FILE_MAX + 1, &t, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "is larger than"));
    free(big);
    assert_int_equal(conf_load(scratch_path("none.ini"), keys, &t, NULL), PRA_ENOENT);
    scratch_write("bad.ini", "x\n", 2);
    assert_int_equal(conf_load(scratch_path("bad.ini"), keys, &t, NULL), PRA_EINVAL);
}

static void numbers_durations_and_sizes(void **state)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "+1",
                                      "1 ",
                                      "1.5",
                                      "0x10",
                                      "1e3",
                                      "s",
                                      "-",
                                      "1ss",
                                      "1w",
                                      "9999999999999999999",
                                      "99999999999999999d"};
    long n;

    (void)state;
    assert_int_equal(conf_parse_number("-3", -5, 5, &n, NULL), 0);
    assert_int_equal(n, -3);
    assert_int_equal(conf_parse_number("3s", -5, 5, &n, NULL), PRA_EINVAL);
    assert_int_equal(conf_parse_duration("90", 0, 1000, &n, NULL), 0);
    assert_int_equal(n, 90);
    assert_int_equal(conf_parse_duration("30s", 0, 1000, &n, NULL), 0);
    assert_int_equal(n, 30);
    assert_int_equal(conf_parse_duration("5m", 0, 1000, &n, NULL), 0);
    assert_int_equal(n, 300);
    assert_int_equal(conf_parse_duration("2h", 0, 7200, &n, NULL), 0);
    assert_int_equal(n, 7200);
    assert_int_equal(conf_parse_duration("1d", 0, 86399, &n, NULL), PRA_EINVAL);
    assert_int_equal(conf_parse_duration("1d", 0, 86400, &n, NULL), 0);
    assert_int_equal(conf_parse_size("64K", 0, 65536, &n, NULL), 0);
    assert_int_equal(n, 65536);
    assert_int_equal(conf_parse_size("4M", 0, 1L << 30, &n, NULL), 0);
    assert_int_equal(n, 4194304);
    assert_int_equal(conf_parse_size("1G", 0, 1L << 30, &n, NULL), 0);
    assert_int_equal(conf_parse_size("64k", 0, 65536, &n, NULL), PRA_EINVAL);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(conf_parse_duration(bad[i], -10, LONG_MAX, &n, NULL), PRA_EINVAL);
}

int main(void)
{
#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(good_file),
        WITH_SCRATCH(each_error_names_file_and_line),
        WITH_SCRATCH(nul_bytes_are_refused),
        WITH_SCRATCH(line_limit_is_exact_and_long_lines_are_not_split),
        WITH_SCRATCH(missing_large_and_odd_files),
        cmocka_unit_test(numbers_durations_and_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
