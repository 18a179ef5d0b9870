/* Back-off, its jitter, and which causes are retried at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/cause.h"
#include "client/retry.h"

#define MIDDLE 0x80000000u

static void waits_double_up_to_the_limit(void **state)
{
    static const uint32_t expected[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
    struct retry r = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_in_range(retry_next_ms(&r, MIDDLE, 0), expected[i] - 1, expected[i] + 1);
}

static void jitter_stays_within_a_quarter(void **state)
{
    (void)state;
    for (unsigned attempt = 0; attempt < 10; attempt++) {
        struct retry low = {attempt}, middle = {attempt}, high = {attempt};
        uint32_t base = retry_next_ms(&middle, MIDDLE, 0);

        assert_in_range(retry_next_ms(&low, 0, 0), base - base / 4 - 1, base - base / 4 + 1);
        assert_in_range(retry_next_ms(&high, UINT32_MAX, 0), base + base / 4 - 1,
                        base + base / 4 + 1);
    }
}

static void success_starts_from_the_beginning(void **state)
{
    struct retry r = {0};

    (void)state;
    for (int i = 0; i < 10; i++)
        retry_next_ms(&r, MIDDLE, 0);
    retry_reset(&r);
    assert_in_range(retry_next_ms(&r, MIDDLE, 0), 999, 1001);
}

static void gateways_wish_is_never_undercut_and_capped(void **state)
{
    struct retry r = {0};

    (void)state;
    assert_in_range(retry_next_ms(&r, 0, 5000), 5000, 5000);
    assert_in_range(retry_next_ms(&r, UINT32_MAX, 5000), 6249, 6250);
    assert_in_range(retry_next_ms(&r, 0, UINT32_MAX), RETRY_ASKED_MAX_MS, RETRY_ASKED_MAX_MS);
}

static void attempts_beyond_counting_stay_at_the_limit(void **state)
{
    struct retry r = {UINT32_MAX};

    (void)state;
    assert_in_range(retry_next_ms(&r, MIDDLE, 0), 29999, 30001);
    assert_in_range(retry_next_ms(&r, MIDDLE, 0), 29999, 30001);
}

/* --- the table of causes ------------------------------------------------------------------- */

static void what_a_person_must_mend_is_not_retried(void **state)
{
    static const enum cause stops[] = {
        CAUSE_HOSTKEY_UNKNOWN, CAUSE_HOSTKEY_CHANGED, CAUSE_UNREGISTERED, CAUSE_ACCOUNT,
        CAUSE_KEY_REVOKED,     CAUSE_KILLED,          CAUSE_WEAK_KEY,     CAUSE_KEY_PASSPHRASE,
        CAUSE_KEY_MACHINE,     CAUSE_ALGORITHMS,      CAUSE_DEAD_CLEARED, CAUSE_TICKET_STALE,
        CAUSE_TICKET_MISSING,  CAUSE_TWO_MACHINES,    CAUSE_QUARANTINED,  CAUSE_SESSION_TIME,
        CAUSE_SESSION_IDLE};

    (void)state;
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        assert_false(cause_retries(stops[i], false));
        assert_false(cause_retries(stops[i], true));
        assert_false(cause_is_absence(stops[i]));
    }
}

static void what_the_network_does_is_retried(void **state)
{
    static const enum cause retried[] = {CAUSE_RESOLVE,     CAUSE_REFUSED, CAUSE_TIMEOUT,
                                         CAUSE_LOST,        CAUSE_DEAD,    CAUSE_SHUTDOWN,
                                         CAUSE_CUT,         CAUSE_PROXY,   CAUSE_SILENT,
                                         CAUSE_UNREACHABLE, CAUSE_MOVED,   CAUSE_SESSIONS};

    (void)state;
    for (size_t i = 0; i < sizeof(retried) / sizeof(retried[0]); i++)
        assert_true(cause_retries(retried[i], false));
}

static void wrong_server_stops_the_first_attempt_only(void **state)
{
    (void)state;
    assert_false(cause_retries(CAUSE_NOT_SSH, false));
    assert_true(cause_retries(CAUSE_NOT_SSH, true));
    assert_false(cause_retries(CAUSE_NO_CONTROL, false));
}

static void every_cause_has_a_message_and_a_word(void **state)
{
    (void)state;
    for (int c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
        assert_int_not_equal(cause_msg((enum cause)c), MSG_NONE);
        assert_true(strlen(cause_word((enum cause)c)) > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_limit),
        cmocka_unit_test(jitter_stays_within_a_quarter),
        cmocka_unit_test(success_starts_from_the_beginning),
        cmocka_unit_test(gateways_wish_is_never_undercut_and_capped),
        cmocka_unit_test(attempts_beyond_counting_stay_at_the_limit),
        cmocka_unit_test(what_a_person_must_mend_is_not_retried),
        cmocka_unit_test(what_the_network_does_is_retried),
        cmocka_unit_test(wrong_server_stops_the_first_attempt_only),
        cmocka_unit_test(every_cause_has_a_message_and_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
