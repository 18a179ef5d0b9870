/* What is counted of use: by day, by user, by rule, whatever becomes of the records. */
#include <stdlib.h>
#include <time.h>

#include "tests/unit/server/admin_support.h"

#define DAY 86400

static int in_utc(void **state)
{
    setenv("TZ", "UTC", 1);
    tzset();
    return open_ram(state);
}

static void store(enum audit_kind kind, int64_t when, const char *session, const char *user,
                  const char *detail, uint64_t bytes, int64_t rule)
{
    struct audit_event e = {.kind = kind, .time_ms = when * 1000, .rule = rule};

    snprintf(e.session, sizeof(e.session), "%s", session);
    snprintf(e.user, sizeof(e.user), "%s", user);
    snprintf(e.detail, sizeof(e.detail), "%s", detail);
    e.bytes_in = bytes;
    e.bytes_out = 2 * bytes;
    assert_int_equal(admin_store_audit(a, &e, 1), 0);
}

static int64_t total(const char *month, const char *user, const char *what)
{
    json_t *r = ok("report", json_pack("{s:s, s:s?}", "month", month, "user", user));
    int64_t n = json_integer_value(json_object_get(json_object_get(r, "totals"), what));

    json_decref(r);
    return n;
}

/* 2026-10-01T00:00:00Z */
#define OCTOBER  INT64_C(1790812800)
#define NOVEMBER (OCTOBER + 31 * DAY)

static void time_of_a_session_goes_to_the_days_and_months_that_it_was_in(void **state)
{
    json_t *r, *days;

    (void)state;
    add_user("alice");
    store(AUDIT_LOGIN, NOVEMBER - DAY - 100, "s1", "alice", "", 0, 0);
    store(AUDIT_LOGOUT, NOVEMBER + 50, "s1", "alice", "", 10, 0);
    assert_int_equal(total("2026-10", NULL, "seconds"), DAY + 100);
    assert_int_equal(total("2026-11", NULL, "seconds"), 50);
    assert_int_equal(total("2026-10", NULL, "sessions"), 1);
    assert_int_equal(total("2026-11", NULL, "sessions"), 0);
    assert_int_equal(total("2026-11", NULL, "bytes_out"), 20);
    assert_int_equal(total("2026-11", NULL, "users"),
                     1); /* was connected, since the month before */
    r = ok("report", json_pack("{s:s}", "month", "2026-10"));
    days = json_object_get(r, "days");
    assert_int_equal(json_array_size(days), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(days, 0), "day")),
                        "2026-10-30");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(days, 1), "seconds")), DAY);
    json_decref(r);
}

static void connections_of_one_session_are_one_session(void **state)
{
    (void)state;
    add_user("alice");
    store(AUDIT_LOGIN, OCTOBER + 10, "s1", "alice", "", 0, 0);
    store(AUDIT_LOGIN, OCTOBER + 20, "s2", "alice", "", 0, 0);
    store(AUDIT_JOIN, OCTOBER + 21, "s1", "alice", "logged in as s2", 0, 0);
    store(AUDIT_LEAVE, OCTOBER + 30, "s1", "alice", "", 5, 0);
    store(AUDIT_LOGOUT, OCTOBER + 40, "s1", "alice", "", 7, 0);
    assert_int_equal(total("2026-10", "alice", "sessions"), 1);
    assert_int_equal(total("2026-10", "alice", "seconds"), 30);
    assert_int_equal(total("2026-10", "alice", "bytes_in"), 12);
}

static void sessions_of_a_gateway_that_was_killed_last_until_its_last_record(void **state)
{
    (void)state;
    add_user("alice");
    store(AUDIT_LOGIN, OCTOBER + 10, "s1", "alice", "", 0, 0);
    store(AUDIT_LOGIN, OCTOBER + 15, "s2", "alice", "", 0, 0);
    store(AUDIT_CHANNEL_REFUSED, OCTOBER + 70, "s1", "alice", "", 0, 0);
    store(AUDIT_GATEWAY_START, OCTOBER + 500, "", "", "", 0, 0);
    assert_int_equal(total("2026-10", "alice", "seconds"), 60 + 55);
    assert_int_equal(total("2026-10", NULL, "open"), 0);
}

static void rule_keeps_its_name_after_it_is_gone_and_refusals_of_nobody_have_no_row(void **state)
{
    json_t *r, *rule;
    int64_t id;

    (void)state;
    add_user("alice");
    id = add_rule("POP", "mail:110", NULL);
    store(AUDIT_CHANNEL_CLOSE, OCTOBER + 1, "s1", "alice", "", 3, id);
    done("rule.delete", json_pack("{s:I}", "id", (json_int_t)id));
    store(AUDIT_CHANNEL_CUT, OCTOBER + 2, "s1", "alice", "", 4, id);
    store(AUDIT_LOGIN_REFUSED, OCTOBER + 3, "", "alice", "", 0, 0);
    store(AUDIT_LOGIN_REFUSED, OCTOBER + 3, "", "nobody-1", "", 0, 0);
    store(AUDIT_LOGIN_REFUSED, OCTOBER + 3, "", "nobody-2", "", 0, 0);
    r = ok("report", json_pack("{s:s}", "month", "2026-10"));
    rule = json_array_get(json_object_get(r, "rules"), 0);
    assert_string_equal(json_string_value(json_object_get(rule, "name")), "POP");
    assert_int_equal(json_integer_value(json_object_get(rule, "channels")), 2);
    assert_int_equal(json_integer_value(json_object_get(rule, "bytes_in")), 7);
    assert_int_equal(json_array_size(json_object_get(r, "users")), 1);
    assert_int_equal(total("2026-10", NULL, "refused"), 3);
    json_decref(r);
}

static void what_a_flood_left_without_a_record_is_counted_and_told(void **state)
{
    struct audit_event e = {.kind = AUDIT_CHANNEL_REFUSED,
                            .time_ms = (OCTOBER + 5) * 1000,
                            .times = 500,
                            .user = "alice",
                            .reason = "suppressed"};
    json_t *r;
    const char *text;

    (void)state;
    store(AUDIT_CHANNEL_REFUSED, OCTOBER + 4, "s1", "alice", "", 0, 0);
    assert_int_equal(admin_store_audit(a, &e, 1), 0);
    e = (struct audit_event){
        .kind = AUDIT_OVERFLOW, .time_ms = (OCTOBER + 6) * 1000, .times = 7, .reason = "login"};
    assert_int_equal(admin_store_audit(a, &e, 1), 0);
    r = ok("report", json_pack("{s:s}", "month", "2026-10"));
    assert_int_equal(json_integer_value(json_object_get(r, "thinned")), 507);
    json_decref(r);
    r = ok("report",
           json_pack("{s:s, s:s, s:s}", "month", "2026-10", "format", "html", "lang", "en"));
    text = json_string_value(json_object_get(r, "text"));
    assert_non_null(strstr(text, "Counted without a record of each"));
    assert_non_null(strstr(text, "<td>501</td>"));
    json_decref(r);
}

static void page_and_table_hold_no_letter_that_could_be_taken_for_markup(void **state)
{
    json_t *r;
    const char *text;

    (void)state;
    add_user("alice");
    store(AUDIT_CHANNEL_CLOSE, OCTOBER + 1, "s1", "alice", "", 3,
          add_rule("<script>\"&", "mail:110", NULL));
    store(AUDIT_LOGIN, OCTOBER + 1, "s1", "alice", "", 0, 0);
    r = ok("report", json_pack("{s:s, s:s}", "month", "2026-10", "format", "html"));
    text = json_string_value(json_object_get(r, "text"));
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "&lt;script&gt;&quot;&amp;"));
    assert_non_null(strstr(text, "2026年10月"));
    json_decref(r);
    r = ok("report", json_pack("{s:s, s:s}", "month", "2026-10", "format", "csv"));
    assert_non_null(strstr(json_string_value(json_object_get(r, "text")), "\"<script>\"\"&\""));
    json_decref(r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, in_utc, close_admin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(time_of_a_session_goes_to_the_days_and_months_that_it_was_in),
        T(connections_of_one_session_are_one_session),
        T(sessions_of_a_gateway_that_was_killed_last_until_its_last_record),
        T(rule_keeps_its_name_after_it_is_gone_and_refusals_of_nobody_have_no_row),
        T(what_a_flood_left_without_a_record_is_counted_and_told),
        T(page_and_table_hold_no_letter_that_could_be_taken_for_markup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
