/* Alerts: raised by events and by devices that are away, joined, thinned, judged, counted. */
#include "tests/unit/server/admin_support.h"

#include "common/os.h"
#include "server/admin/alerts.h"

static bool connected;

static void fake_devices(void *ctx, void (*fn)(const char *user, const char *device, void *arg),
                         void *arg)
{
    (void)ctx;
    if (connected)
        fn("alice", KEY_PRINT, arg);
    fn("bob", "SHA256:another", arg);
}

static int open_watching(void **state)
{
    const struct admin_alert_options opt = {.failures = 3, .failures_s = 60};
    int rc = open_ram(state);

    if (rc != 0)
        return rc;
    a->host.device_each = fake_devices;
    admin_alerts_set(a, &opt);
    connected = false;
    return 0;
}

static json_t *alerts(const char *kind)
{
    return ok("alert.list", kind != NULL ? json_pack("{s:s}", "kind", kind) : json_object());
}

static size_t how_many(const char *kind)
{
    json_t *list = alerts(kind);
    size_t n = json_array_size(list);

    json_decref(list);
    return n;
}

static json_int_t counted(const char *kind)
{
    json_t *list = ok("alert.counts", json_object()), *one;
    json_int_t sum = 0;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "kind")), kind) == 0)
            sum += json_integer_value(json_object_get(one, "count"));
    }
    json_decref(list);
    return sum;
}

static void fail_to_log_in(const char *user, uint64_t times, int64_t at)
{
    struct audit_event e = {.kind = AUDIT_LOGIN_REFUSED,
                            .time_ms = at * 1000,
                            .times = times,
                            .source = {4, {192, 0, 2, 7}}};

    snprintf(e.user, sizeof(e.user), "%s", user);
    assert_int_equal(admin_store_audit(a, &e, 1), 0);
}

static void failures_within_the_window_are_an_alert(void **state)
{
    int64_t now = os_time_now();
    json_t *list, *one;

    (void)state;
    fail_to_log_in("alice", 1, now);
    fail_to_log_in("bob", 1, now);
    assert_int_equal(how_many("failures-user"), 0);
    fail_to_log_in("alice", 1, now + 61); /* another window */
    assert_int_equal(how_many("failures-user"), 0);
    fail_to_log_in("alice", 2, now + 61);
    list = alerts("failures-user");
    one = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(one, "subject")), "alice");
    assert_true(json_is_null(json_object_get(one, "severity")));
    json_decref(list);
    assert_int_equal(how_many("failures-source"), 1);
}

static void the_same_again_is_one_record_and_counted_twice(void **state)
{
    int64_t now = os_time_now();
    json_t *list;

    (void)state;
    fail_to_log_in("alice", 3, now);
    fail_to_log_in("alice", 3, now);
    list = alerts("failures-user");
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "times")), 2);
    json_decref(list);
    assert_int_equal(counted("failures-user"), 2);
}

static void many_at_once_are_thinned_and_counted(void **state)
{
    int64_t now = os_time_now();
    json_t *list;
    char name[16];

    (void)state;
    for (int i = 0; i < 130; i++) {
        snprintf(name, sizeof(name), "u%d", i);
        fail_to_log_in(name, 3, now);
    }
    assert_int_equal(how_many("failures-user"), ALERT_RECORDS_MAX);
    assert_int_equal(counted("failures-user"), 130);
    list = alerts("thinned");
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "times")),
                     130 - ALERT_RECORDS_MAX);
    json_decref(list);
}

static void an_alert_is_judged_before_it_is_done_with(void **state)
{
    json_t *sums;

    (void)state;
    fail_to_log_in("", 3, os_time_now());
    assert_int_equal(how_many(NULL), 1);
    refused("alert.ack", json_pack("{s:i}", "id", 1), "invalid", "id");
    refused("alert.judge", json_pack("{s:i, s:s}", "id", 1, "severity", "awful"), "invalid",
            "severity");
    refused("alert.judge", json_pack("{s:i, s:s}", "id", 9, "severity", "notice"), "not-found",
            "id");
    done("alert.judge",
         json_pack("{s:i, s:s, s:s}", "id", 1, "severity", "critical", "note", "a scan"));
    sums = ok("alert.sums", json_object());
    assert_int_equal(json_integer_value(json_object_get(sums, "critical")), 1);
    json_decref(sums);
    done("alert.ack", json_pack("{s:i}", "id", 1));
    refused("alert.ack", json_pack("{s:i}", "id", 1), "exists", "id");
    fail_to_log_in("", 3, os_time_now()); /* what is done with is over: this is another one */
    assert_int_equal(how_many(NULL), 2);
}

static void watch_alice(void)
{
    add_user("alice");
    done("key.add", json_pack("{s:s, s:s}", "user", "alice", "line", KEY_LINE));
    done("watch.set",
         json_pack("{s:s, s:s, s:s}", "user", "alice", "fingerprint", KEY_PRINT, "after", "1m"));
}

static void a_device_that_is_away_is_told_once_and_so_is_its_return(void **state)
{
    int64_t now = os_time_now();

    (void)state;
    watch_alice();
    admin_alerts_tick(a, now + 59);
    assert_int_equal(how_many(NULL), 0);
    admin_alerts_tick(a, now + 62);
    admin_alerts_tick(a, now + 63);
    assert_int_equal(how_many("device-offline"), 1);
    connected = true;
    admin_alerts_tick(a, now + 64);
    admin_alerts_tick(a, now + 65);
    assert_int_equal(how_many("device-back"), 1);
    connected = false;
    admin_alerts_tick(a, now + 70);
    connected = true;
    admin_alerts_tick(a, now + 100); /* away for less than it may be */
    assert_int_equal(how_many(NULL), 2);
}

static void nobody_is_told_of_an_announced_outage(void **state)
{
    int64_t now = os_time_now();

    (void)state;
    watch_alice();
    done("outage.add", json_pack("{s:s, s:s}", "until", "10m", "user", "alice"));
    admin_alerts_tick(a, now + 300);
    admin_alerts_tick(a, now + 650);
    assert_int_equal(how_many(NULL), 0);
    admin_alerts_tick(a, now + 662); /* still away when it should be back */
    assert_int_equal(how_many("device-offline"), 1);
    refused("outage.add", json_pack("{s:s, s:s}", "until", "10m", "user", "nobody"), "not-found",
            "user");
    refused("outage.add", json_pack("{s:s}", "until", "2020-01-01"), "invalid", "until");
}

static void what_is_watched_goes_with_the_key(void **state)
{
    json_t *list;

    (void)state;
    watch_alice();
    refused("watch.set",
            json_pack("{s:s, s:s, s:s}", "user", "alice", "fingerprint", KEY_PRINT, "after", "1s"),
            "invalid", "after");
    done("user.delete", json_pack("{s:s}", "name", "alice"));
    list = ok("watch.list", json_object());
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    admin_alerts_tick(a, os_time_now() + 100000);
    assert_int_equal(how_many("device-offline"), 0);
}

int main(void)
{
#define WATCHING(name) cmocka_unit_test_setup_teardown(name, open_watching, close_admin)
    const struct CMUnitTest tests[] = {
        WATCHING(failures_within_the_window_are_an_alert),
        WATCHING(the_same_again_is_one_record_and_counted_twice),
        WATCHING(many_at_once_are_thinned_and_counted),
        WATCHING(an_alert_is_judged_before_it_is_done_with),
        WATCHING(a_device_that_is_away_is_told_once_and_so_is_its_return),
        WATCHING(nobody_is_told_of_an_announced_outage),
        WATCHING(what_is_watched_goes_with_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
