/* Chained logs that somebody has tampered with, read to their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chainlog.h"
#include "common/chainlog_scan.h"
#include "common/os.h"

#define LINES 8

/* A log of LINES lines, as the client writes it. */
struct made {
    char *line[LINES];
    struct chainlog_head head[LINES]; /* behind each line */
};

static struct made made;

static int make_log(void **state)
{
    char dir[] = "/tmp/pra-scan-XXXXXX", path[64], *text;
    struct chainlog *log;
    size_t len;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chainlog_open(dir, "L", CHAINLOG_SIZE_DEFAULT, 3, &log, NULL), 0);
    chainlog_get_head(log, &made.head[0]);
    for (int i = 1; i < LINES; i++) {
        assert_int_equal(chainlog_write(log, "info", "event %d", i), 0);
        chainlog_get_head(log, &made.head[i]);
    }
    chainlog_close(log);
    snprintf(path, sizeof(path), "%s/L", dir);
    assert_int_equal(os_file_read(path, 1 << 20, &text, &len, NULL), 0);
    for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        for (int i = 0; i < LINES; i++) {
            if (made.line[i] == NULL) {
                made.line[i] = strndup(at, (size_t)(end - at) + 1);
                break;
            }
        }
    }
    assert_non_null(made.line[LINES - 1]);
    free(text);
    unlink(path);
    rmdir(dir);
    return 0;
}

static int drop_log(void **state)
{
    (void)state;
    for (int i = 0; i < LINES; i++)
        free(made.line[i]);
    return 0;
}

/* What a scan said: a letter for each line, and a word for each break. */
static char said[512];

static void on_line(void *ctx, const struct chain_scan_line *l)
{
    static const char letters[] = "guamn"; /* good, unproven, altered, misplaced, no line */
    size_t at = strlen(said);

    (void)ctx;
    snprintf(said + at, sizeof(said) - at, "%c", letters[l->state]);
}

static void on_break(void *ctx, enum chain_break what, const char *file, unsigned line,
                     uint64_t count)
{
    static const char *const words[] = {"missing", "not-joined", "not-as-told", "end-missing"};
    size_t at = strlen(said);

    (void)ctx;
    snprintf(said + at, sizeof(said) - at, "[%s %s:%u %llu]", words[what], file, line,
             (unsigned long long)count);
}

static const struct chain_scan_events events = {.line = on_line, .broken = on_break};

/* Scans these lines (numbers of `made`, -1 ends; 100 + n: line n altered; 200: noise). */
static size_t scan(const struct chainlog_head *told, size_t told_count, const int *lines)
{
    struct chain_told heads[LINES] = {0};
    struct chain_scan s = {.events = &events, .told = heads, .told_count = told_count};
    char text[8192] = "";
    size_t len = 0, found = 0;

    for (size_t i = 0; i < told_count; i++)
        heads[i].head = told[i];
    said[0] = '\0';
    for (; *lines >= 0; lines++) {
        const char *line = *lines == 200 ? "something else\n" : made.line[*lines % 100 % LINES];
        size_t n = strlen(line);

        memcpy(text + len, line, n);
        if (*lines >= 100 && *lines < 200)
            text[len + 30] ^= 1;
        len += n;
    }
    chain_scan_file(&s, "L", text, len);
    chain_scan_end(&s, "L");
    for (size_t i = 0; i < told_count; i++)
        found += heads[i].found;
    return found;
}

#define SCAN(told, count, ...) scan(told, count, (const int[]){__VA_ARGS__, -1})

static void a_whole_log_is_good(void **state)
{
    (void)state;
    assert_int_equal(SCAN(made.head + 3, 2, 0, 1, 2, 3, 4, 5, 6, 7), 2);
    assert_string_equal(said, "gggggggg");
}

static void each_kind_of_harm_is_found_where_it_is(void **state)
{
    (void)state;
    SCAN(NULL, 0, 0, 1, 3, 4);
    assert_string_equal(said, "gg[missing L:3 1]uu");
    SCAN(NULL, 0, 0, 1, 102, 3);
    assert_string_equal(said, "ggau");
    SCAN(NULL, 0, 0, 1, 3, 2, 4);
    assert_string_equal(said, "gg[missing L:3 1]umu");
    SCAN(NULL, 0, 0, 1, 200, 2, 3);
    assert_string_equal(said, "ggnuu");
    SCAN(NULL, 0, 1, 2, 3);
    assert_string_equal(said, "[not-joined L:1 0][missing L:1 1]uuu");
}

static void what_was_told_lets_the_check_go_on(void **state)
{
    (void)state;
    /* Line 3 is missing; the gateway was told of line 5 (index 4): behind it all is proven again. */
    assert_int_equal(SCAN(made.head + 4, 1, 0, 1, 3, 4, 5, 6), 1);
    assert_string_equal(said, "gg[missing L:3 1]uugg");
}

static void a_chain_made_anew_and_an_end_that_was_cut_off_show(void **state)
{
    struct chainlog_head other = made.head[2];

    (void)state;
    other.hash[0] ^= 1;
    SCAN(&other, 1, 0, 1, 2, 3);
    assert_string_equal(said, "gggg[not-as-told L:3 0]");
    SCAN(made.head + 6, 1, 0, 1, 2, 3, 4);
    assert_string_equal(said, "ggggg[end-missing L:0 2]");
}

static void files_that_do_not_fit_together_are_told(void **state)
{
    struct chain_scan s = {.events = &events};

    (void)state;
    said[0] = '\0';
    chain_scan_file(&s, "L.1", made.line[0], strlen(made.line[0]));
    chain_scan_file(&s, "L", made.line[0], strlen(made.line[0]));
    assert_string_equal(said, "g[not-joined L:1 0]g");
}

/* The client puts a damaged log aside and goes on behind its last good line: numbers are there twice. */
static void a_log_that_went_back_fits_what_was_told_of_either(void **state)
{
    struct chain_told told[] = {{.head = made.head[3]}, {.head = made.head[3]}};
    struct chain_scan s = {.events = &events, .told = told, .told_count = 2};

    (void)state;
    told[1].head.hash[0] ^= 1; /* told of the other line #4 */
    said[0] = '\0';
    for (int i = 0; i < 4; i++)
        chain_scan_file(&s, "L.1", made.line[i], strlen(made.line[i]));
    assert_true(told[0].found && !told[1].found);
    chain_scan_end(&s, "L");
    assert_non_null(strstr(said, "not-as-told"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log_is_good),
        cmocka_unit_test(each_kind_of_harm_is_found_where_it_is),
        cmocka_unit_test(what_was_told_lets_the_check_go_on),
        cmocka_unit_test(a_chain_made_anew_and_an_end_that_was_cut_off_show),
        cmocka_unit_test(files_that_do_not_fit_together_are_told),
        cmocka_unit_test(a_log_that_went_back_fits_what_was_told_of_either),
    };

    return cmocka_run_group_tests(tests, make_log, drop_log);
}
