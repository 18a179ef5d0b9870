/* Comma separated values: what spreadsheets write is read, broken tables are refused with their line, and
   what is written comes back as it was and never as a formula. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/admin/csv.h"

static char text[4096];
static struct csv_reader reader;
static struct csv_row row;
static struct fault f;

static void give_text(const char *s)
{
    memset(&f, 0, sizeof(f));
    snprintf(text, sizeof(text), "%s", s);
    csv_open(&reader, text, strlen(text));
}

static void expect_row(unsigned line, size_t count, const char *const cells[])
{
    assert_int_equal(csv_next(&reader, &row, &f), 1);
    assert_int_equal(row.line, line);
    assert_int_equal(row.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(row.cell[i], cells[i]);
}

#define ROW(line, ...)                                                                             \
    expect_row(line, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *),            \
               (const char *const[]){__VA_ARGS__})

static void expect_end(void)
{
    assert_int_equal(csv_next(&reader, &row, &f), 0);
}

static void tables_of_spreadsheets_are_read(void **state)
{
    (void)state;
    give_text("\xef\xbb\xbfname,full-name\r\nsuzuki,\"鈴木, \"\"花子\"\"\"\r\n\r\nsato,\r\n");
    ROW(1, "name", "full-name");
    ROW(2, "suzuki", "鈴木, \"花子\"");
    ROW(4, "sato", "");
    expect_end();
    give_text("a,\"two\r\nlines\",c\nd,e,"); /* LF, no end of the last line */
    ROW(1, "a", "two\r\nlines", "c");
    ROW(3, "d", "e", "");
    expect_end();
    give_text("\"\",\"\"");
    ROW(1, "", "");
    expect_end();
    give_text("\xef\xbb\xbf");
    expect_end();
}

static void broken_tables_are_refused_with_line_and_place(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        size_t cells;
    } broken[] = {
        {"a,b\n1,\"2", 2, 1}, {"a,b\n1,2\"3\n", 2, 1}, {"a\n\n\"1\" 2,3\n", 3, 0},
        {"a\rb\n", 1, 0},     {"\"a\"\"", 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        int rc;

        give_text(broken[i].text);
        while ((rc = csv_next(&reader, &row, &f)) == 1)
            ;
        assert_int_equal(rc, PRA_EINVAL);
        assert_int_equal(row.line, broken[i].line);
        assert_int_equal(row.count, broken[i].cells);
        assert_true(f.text[0] != '\0');
    }
}

static void a_row_has_a_limit(void **state)
{
    char many[CSV_COLUMNS_MAX + 2];

    (void)state;
    memset(many, ',', CSV_COLUMNS_MAX);
    many[CSV_COLUMNS_MAX - 1] = '\0'; /* so many cells are good */
    give_text(many);
    assert_int_equal(csv_next(&reader, &row, &f), 1);
    assert_int_equal(row.count, CSV_COLUMNS_MAX);
    many[CSV_COLUMNS_MAX - 1] = ',';
    many[CSV_COLUMNS_MAX] = '\0';
    give_text(many);
    assert_int_equal(csv_next(&reader, &row, &f), PRA_EINVAL);
}

static void what_is_written_comes_back_and_is_no_formula(void **state)
{
    static const char *const cells[] = {
        "=1+1",         "+81", "-1", "@x",  "\tx", "'", "''", "'=1", "plain", "with \"quotes\"",
        "two\r\nlines", "a,b", "",   "鈴木"};
    const size_t count = sizeof(cells) / sizeof(cells[0]);
    struct buf out;
    char copy[1024];

    (void)state;
    buf_init(&out, sizeof(copy) - 1);
    assert_int_equal(csv_begin(&out), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(csv_put(&out, cells[i], i == 0), 0);
    assert_int_equal(csv_end_row(&out), 0);
    memcpy(copy, buf_head(&out), out.len);
    copy[out.len] = '\0';
    /* No cell begins with what makes a formula. */
    for (const char *at = copy; (at = strstr(at, ",\"")) != NULL; at += 2)
        assert_null(strchr("=+-@\t", at[2]));
    csv_open(&reader, copy, out.len);
    expect_row(1, count, cells);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_spreadsheets_are_read),
        cmocka_unit_test(broken_tables_are_refused_with_line_and_place),
        cmocka_unit_test(a_row_has_a_limit),
        cmocka_unit_test(what_is_written_comes_back_and_is_no_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
