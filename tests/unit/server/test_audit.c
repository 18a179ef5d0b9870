/* The queue of audit events: order, stamps, overflow counted exactly, many threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/audit/audit.h"

#define URGENT 1000 /* what an urgent wake counts */

static void count_wake(void *ctx, bool urgent)
{
    atomic_fetch_add((atomic_int *)ctx, urgent ? URGENT : 1);
}

static void record(struct audit_queue *q, enum audit_kind kind, int64_t rule)
{
    struct audit_event e = {.kind = kind, .rule = rule};

    audit_record(q, &e);
}

static void events_come_out_in_order_and_stamped(void **state)
{
    struct audit_event out[8];
    struct audit_queue *q;
    atomic_int wakes = 0;

    (void)state;
    assert_int_equal(audit_queue_new(8, count_wake, &wakes, &q), 0);
    record(q, AUDIT_LOGIN, 1);
    record(q, AUDIT_LOGOUT, 2);
    assert_int_equal(wakes, 1); /* only when it was empty */
    assert_int_equal(audit_queue_take(q, out, 1), 1);
    assert_int_equal(out[0].rule, 1);
    assert_true(out[0].time_ms > 0);
    assert_int_equal(audit_queue_take(q, out, 8), 1);
    assert_int_equal(out[0].kind, AUDIT_LOGOUT);
    assert_int_equal(audit_queue_take(q, out, 8), 0);
    record(q, AUDIT_LOGIN, 3);
    assert_int_equal(wakes, 2);
    audit_record(NULL, &out[0]);
    audit_queue_free(q);
    audit_queue_free(NULL);
}

static void writer_is_woken_again_before_the_queue_is_full(void **state)
{
    struct audit_event out[8];
    struct audit_queue *q;
    atomic_int wakes = 0;

    (void)state;
    assert_int_equal(audit_queue_new(8, count_wake, &wakes, &q), 0);
    for (int i = 0; i < 3; i++)
        record(q, AUDIT_LOGIN, i);
    assert_int_equal(wakes, 1);
    record(q, AUDIT_LOGIN, 3);
    assert_int_equal(wakes, 1 + URGENT);
    for (int i = 4; i < 8; i++)
        record(q, AUDIT_LOGIN, i);
    assert_int_equal(wakes, 1 + URGENT); /* once, until it was emptied */
    assert_int_equal(audit_queue_take(q, out, 8), 8);
    for (int i = 0; i < 4; i++)
        record(q, AUDIT_LOGIN, i);
    assert_int_equal(wakes, 2 + 2 * URGENT);
    audit_queue_free(q);
}

static void overflow_is_counted_by_kind(void **state)
{
    struct audit_event out[8];
    struct audit_queue *q;

    (void)state;
    assert_int_equal(audit_queue_new(2, NULL, NULL, &q), 0);
    record(q, AUDIT_LOGIN, 1);
    record(q, AUDIT_LOGIN, 2);
    for (int i = 0; i < 5; i++)
        record(q, AUDIT_CHANNEL_OPEN, 0);
    record(q, AUDIT_LOGIN, 3);
    assert_int_equal(audit_queue_take(q, out, 3), 3); /* counters go out as far as there is room */
    assert_int_equal(out[2].kind, AUDIT_OVERFLOW);
    assert_string_equal(out[2].reason, "login");
    assert_string_equal(out[2].detail, "lost=1");
    assert_int_equal(audit_queue_take(q, out, 8), 1);
    assert_string_equal(out[0].reason, "channel-open");
    assert_string_equal(out[0].detail, "lost=5");
    assert_int_equal(audit_queue_take(q, out, 8), 0);
    audit_queue_free(q);
}

#define THREADS 4
#define EACH    20000

static void *flood(void *arg)
{
    for (int i = 0; i < EACH; i++)
        record(arg, AUDIT_CHANNEL_OPEN, 1);
    return NULL;
}

static void no_event_of_many_threads_is_lost_uncounted(void **state)
{
    struct audit_event out[64];
    struct audit_queue *q;
    pthread_t threads[THREADS];
    uint64_t seen = 0;
    size_t n;

    (void)state;
    assert_int_equal(audit_queue_new(256, NULL, NULL, &q), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, flood, q), 0);
    while (seen < (uint64_t)THREADS * EACH) {
        n = audit_queue_take(q, out, 64);
        for (size_t i = 0; i < n; i++)
            seen += out[i].kind == AUDIT_OVERFLOW ? strtoull(out[i].detail + 5, NULL, 10) : 1;
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(audit_queue_take(q, out, 64), 0);
    assert_int_equal(seen, THREADS * EACH);
    audit_queue_free(q);
}

static void every_kind_has_its_word(void **state)
{
    (void)state;
    for (unsigned k = 0; k < AUDIT_KIND_COUNT; k++)
        assert_true(strlen(audit_kind_word((enum audit_kind)k)) > 3);
    assert_string_equal(audit_kind_word(AUDIT_KIND_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_in_order_and_stamped),
        cmocka_unit_test(writer_is_woken_again_before_the_queue_is_full),
        cmocka_unit_test(overflow_is_counted_by_kind),
        cmocka_unit_test(no_event_of_many_threads_is_lost_uncounted),
        cmocka_unit_test(every_kind_has_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
