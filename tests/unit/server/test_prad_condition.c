/* What /healthz says, and that results of log-ins are counted by fixed words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/prad/condition.h"

static void health_names_everything_that_is_wrong(void **state)
{
    (void)state;
    char text[CONDITION_TEXT_MAX];
    struct condition c = {.workers = 2};
    c.keeper_silent_ms = c.worker[1].silent_ms = CONDITION_SILENT_MS;
    assert_true(condition_good(&c, text));
    assert_string_equal(text, "");
    c.worker[1].silent_ms++;
    assert_false(condition_good(&c, text));
    assert_string_equal(text, "worker 1 stands still\n");
    c.keeper_silent_ms++;
    c.store_fails = c.draining = true;
    assert_false(condition_good(&c, text));
    assert_string_equal(text, "the gateway is being stopped\n"
                              "administration and audit stand still\n"
                              "the store cannot be written\n"
                              "worker 1 stands still\n");
    json_t *shown = condition_json(&c);
    assert_int_equal(json_array_size(json_object_get(shown, "trouble")), 4);
    json_decref(shown);
}

static void however_much_is_wrong_it_fits(void **state)
{
    (void)state;
    char text[CONDITION_TEXT_MAX];
    struct condition c = {.workers = GATEWAY_WORKERS_MAX};
    for (unsigned i = 0; i < c.workers; i++)
        c.worker[i].silent_ms = CONDITION_SILENT_MS + 1;
    assert_false(condition_good(&c, text));
    assert_true(strlen(text) < sizeof(text));
}

static void results_of_log_ins_are_a_fixed_set(void **state)
{
    (void)state;
    static struct counters n;
    counters_note(&n, AUDIT_LOGIN, "");
    counters_note(&n, AUDIT_LOGIN, "user-disabled");
    counters_note(&n, AUDIT_LOGIN_REFUSED, "unknown-key");
    counters_note(&n, AUDIT_LOGIN_REFUSED, "accepted");
    counters_note(&n, AUDIT_LOGIN_REFUSED, "whatever comes later");
    counters_note(&n, AUDIT_CHANNEL_OPEN, "");
    assert_int_equal(n.login[LOGIN_ACCEPTED], 2);
    assert_int_equal(n.login[LOGIN_UNKNOWN_KEY], 1);
    assert_int_equal(n.login[LOGIN_OTHER], 2);
    assert_int_equal(n.event[AUDIT_LOGIN_REFUSED], 3);
    assert_int_equal(n.event[AUDIT_CHANNEL_OPEN], 1);
    assert_string_equal(counters_login_word(LOGIN_SOURCE_FULL), "startups-of-source-full");
}

static void descriptors_are_counted_when_none_is_left(void **state)
{
    (void)state;
    struct descriptors before, d;
    struct rlimit was, few;
    int last = dup(STDIN_FILENO);
    assert_true(last >= 0 && getrlimit(RLIMIT_NOFILE, &was) == 0);
    few = (struct rlimit){.rlim_cur = (rlim_t)last + 1, .rlim_max = was.rlim_max};
    descriptors_count(&before);
    assert_true(before.open > 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    descriptors_count(&d);
    setrlimit(RLIMIT_NOFILE, &was);
    close(last);
    assert_int_equal(d.limit, few.rlim_cur);
    assert_int_equal(d.open, d.limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_names_everything_that_is_wrong),
        cmocka_unit_test(however_much_is_wrong_it_fits),
        cmocka_unit_test(results_of_log_ins_are_a_fixed_set),
        cmocka_unit_test(descriptors_are_counted_when_none_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
