/* Audit records for other programs: CSV, JSON lines, syslog messages of RFC 5424. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/audit/export.h"

static char text[4096];
static struct export_names names = {.host = "gw"};

/* What is in the queue, which is emptied. */
static const char *taken(struct buf *out)
{
    assert_true(out->len < sizeof(text));
    memcpy(text, buf_head(out), out->len);
    text[out->len] = '\0';
    buf_free(out);
    return text;
}

static const char *record(enum export_format format, json_t *json)
{
    struct buf out;

    buf_init(&out, sizeof(text));
    assert_int_equal(export_record(format, json, &names, &out), 0);
    json_decref(json);
    return taken(&out);
}

static json_t *refused_login(const char *detail)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:n, s:s, s:s, s:s, s:i}", "id", 7, "time",
                     "2026-11-29T08:00:00.123Z", "kind", "login-refused", "user", "鈴木", "session",
                     "source", "192.0.2.7", "reason", "unknown-key", "detail", detail, "times", 1);
}

/* A line of cells, which are always in quotation marks. */
static const char *cells(const char *const *list)
{
    static char line[4096];
    size_t len = 0;

    for (size_t i = 0; list[i] != NULL; i++)
        len +=
            (size_t)snprintf(line + len, sizeof(line) - len, "%s\"%s\"", i > 0 ? "," : "", list[i]);
    snprintf(line + len, sizeof(line) - len, "\r\n");
    return line;
}

static void a_record_is_one_line_of_csv(void **state)
{
    static const char *const head[] = {"id",     "time",   "kind",        "user",     "session",
                                       "device", "source", "source_port", "target",   "target_ip",
                                       "rule",   "reason", "detail",      "bytes_in", "bytes_out",
                                       "times",  NULL};
    static const char *const row[] = {"7",
                                      "2026-11-29T08:00:00.123Z",
                                      "login-refused",
                                      "鈴木",
                                      "",
                                      "",
                                      "192.0.2.7",
                                      "",
                                      "",
                                      "",
                                      "",
                                      "unknown-key",
                                      "'=x",
                                      "",
                                      "",
                                      "1",
                                      NULL};
    struct buf out;

    (void)state;
    assert_string_equal(record(EXPORT_CSV, refused_login("=x")), cells(row));
    buf_init(&out, sizeof(text));
    assert_int_equal(export_begin(EXPORT_CSV, &out), 0);
    taken(&out);
    assert_memory_equal(text, "\xef\xbb\xbf", 3);
    assert_string_equal(text + 3, cells(head));
}

static void a_record_is_a_syslog_message(void **state)
{
    (void)state;
    snprintf(names.enterprise, sizeof(names.enterprise), "12345.1");
    assert_string_equal(
        record(EXPORT_SYSLOG, refused_login("a\"b\\c]d\n\x7f")),
        "<108>1 2026-11-29T08:00:00.123Z gw prad - login-refused [pra@12345.1 id=\"7\" "
        "user=\"鈴木\" source=\"192.0.2.7\" reason=\"unknown-key\" "
        "detail=\"a\\\"b\\\\c\\]d\\\\x0a\\\\x7f\" times=\"1\"] "
        "\xef\xbb\xbflogin-refused user 鈴木 from 192.0.2.7: unknown-key - a\"b\\c]d\\x0a\\x7f\n");
    names.enterprise[0] = '\0';
    assert_memory_equal(record(EXPORT_SYSLOG, json_pack("{s:s, s:s}", "kind", "login", "time",
                                                        "2026-11-29T08:00:00.123Z")),
                        "<110>1 ", 7);
}

/* Nobody else's number, and none that is for examples: then the members end the message. */
static void without_an_enterprise_number_there_is_no_structured_data(void **state)
{
    (void)state;
    assert_string_equal(
        record(EXPORT_SYSLOG, refused_login("a\"b\\c]d\n")),
        "<108>1 2026-11-29T08:00:00.123Z gw prad - login-refused - "
        "\xef\xbb\xbflogin-refused user 鈴木 from 192.0.2.7: unknown-key - a\"b\\c]d\\x0a "
        "[id=\"7\" user=\"鈴木\" source=\"192.0.2.7\" reason=\"unknown-key\" "
        "detail=\"a\\\"b\\\\c\\]d\\\\x0a\" times=\"1\"]\n");
}

static void formats_have_words(void **state)
{
    char host[EXPORT_HOST_MAX];

    (void)state;
    assert_int_equal(export_format_of("csv"), EXPORT_CSV);
    assert_int_equal(export_format_of("jsonl"), EXPORT_JSONL);
    assert_int_equal(export_format_of("syslog"), EXPORT_SYSLOG);
    assert_int_equal(export_format_of("pdf"), -1);
    assert_int_equal(export_format_of(NULL), -1);
    assert_string_equal(record(EXPORT_JSONL, json_pack("{s:i}", "id", 1)), "{\"id\":1}\n");
    assert_string_equal(export_ending(EXPORT_SYSLOG), "log");
    assert_true(export_host(host)[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_one_line_of_csv),
        cmocka_unit_test(a_record_is_a_syslog_message),
        cmocka_unit_test(without_an_enterprise_number_there_is_no_structured_data),
        cmocka_unit_test(formats_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
