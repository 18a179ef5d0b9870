/* Limits after login by themselves: token buckets, fair shares, meters; no clock but ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/prad/meter.h"

#define SECOND 1000000u

/* ---- buckets ----------------------------------------------------------------------------------- */

static void without_a_rate_everything_may_be_taken(void **state)
{
    struct bucket b = {0};

    (void)state;
    bucket_set(&b, 0, 0, 5);
    bucket_fill(&b, SECOND);
    assert_int_equal(bucket_level(&b), INT64_MAX);
    assert_true(bucket_take(&b, INT64_MAX));
    assert_int_equal(bucket_wait_us(&b, INT64_MAX), 0);
    assert_true(bucket_is_full(&b));
}

static void a_burst_comes_first_and_then_the_rate(void **state)
{
    struct bucket b = {0};

    (void)state;
    bucket_set(&b, 10, 3, 0);
    for (int i = 0; i < 3; i++)
        assert_true(bucket_take(&b, 1));
    assert_false(bucket_take(&b, 1));
    assert_int_equal(bucket_wait_us(&b, 1), SECOND / 10);
    bucket_fill(&b, SECOND / 10 - 1);
    assert_false(bucket_take(&b, 1));
    bucket_fill(&b, SECOND / 10);
    assert_true(bucket_take(&b, 1));
    assert_false(bucket_take(&b, 1));
}

static void nothing_is_lost_between_many_short_looks(void **state)
{
    struct bucket b = {0};
    int64_t taken = 0;

    (void)state;
    bucket_set(&b, 3, 1, 0);
    bucket_take(&b, 1);
    for (uint64_t t = 1; t <= 10 * SECOND; t += 7) {
        bucket_fill(&b, t);
        taken += bucket_take(&b, 1);
    }
    assert_in_range(taken, 29, 30);
}

static void no_more_than_the_burst_is_saved(void **state)
{
    struct bucket b = {0};

    (void)state;
    bucket_set(&b, 10, 3, 0);
    bucket_fill(&b, UINT64_MAX);
    assert_int_equal(bucket_level(&b), 3);
    bucket_return(&b, INT64_MAX);
    assert_int_equal(bucket_level(&b), 3);
}

static void a_clock_that_goes_back_gives_nothing_and_stops_nothing(void **state)
{
    struct bucket b = {0};

    (void)state;
    bucket_set(&b, 10, 1, 100 * SECOND);
    assert_true(bucket_take(&b, 1));
    bucket_fill(&b, 50 * SECOND);
    assert_false(bucket_take(&b, 1));
    bucket_fill(&b, 50 * SECOND + SECOND / 10);
    assert_true(bucket_take(&b, 1));
}

/* Threads look at the clock before they wait for the lock. */
static void time_that_two_threads_saw_counts_once(void **state)
{
    struct bucket b = {0};
    int64_t taken = 0;

    (void)state;
    bucket_set(&b, 1000, 1000, 0);
    assert_true(bucket_take(&b, 1000));
    for (uint64_t t = 1000; t <= SECOND; t += 1000) {
        bucket_fill(&b, t);
        taken += bucket_take(&b, 1);
        if (t % 2000 == 0)
            bucket_fill(&b, t - 900);
        else
            bucket_set(&b, 1000, 1000, t - 900);
        taken += bucket_take(&b, 1);
        bucket_fill(&b, t);
        taken += bucket_take(&b, 1);
    }
    assert_in_range(taken, 999, 1000);
}

static void the_largest_rate_and_burst_do_not_overflow(void **state)
{
    struct bucket b = {0};

    (void)state;
    bucket_set(&b, INT64_MAX, INT64_MAX, 0);
    assert_int_equal(bucket_level(&b), BUCKET_MAX);
    assert_true(bucket_take(&b, BUCKET_MAX));
    bucket_fill(&b, 1);
    assert_int_equal(bucket_level(&b), BUCKET_MAX / SECOND);
    bucket_fill(&b, UINT64_MAX);
    assert_int_equal(bucket_level(&b), BUCKET_MAX);
    bucket_set(&b, INT64_MIN, INT64_MIN, 0);
    assert_int_equal(b.rate, 0);
}

static void another_limit_keeps_what_was_used_up(void **state)
{
    struct bucket b = {0};

    (void)state;
    bucket_set(&b, 10, 10, 0);
    bucket_take(&b, 10);
    bucket_set(&b, 20, 100, 0);
    assert_int_equal(bucket_level(&b), 0);
    bucket_set(&b, 20, 5, 10 * SECOND);
    assert_int_equal(bucket_level(&b), 5);
}

/* ---- fair shares ------------------------------------------------------------------------------- */

#define RATE  1000000
#define TICK  10000
#define USERS 3
#define MOST  10
#define CHUNK 65536

#define ENDLESS INT64_MAX

struct flow {
    struct fair_party party;
    int64_t moved, comes; /* what its target gives in a tick */
    int64_t there;        /* what it has given, and was not moved */
};

/* Everybody moves what he may for some seconds. */
static void run_from(struct fair *f, struct flow *flow, size_t count, uint64_t from,
                     unsigned seconds)
{
    for (uint64_t now = from + TICK; now <= from + (uint64_t)seconds * SECOND; now += TICK) {
        for (size_t i = 0; i < count; i++) {
            struct flow *one = &flow[i];
            int64_t may = 1;

            one->there = one->comes == ENDLESS ? ENDLESS : one->there + one->comes;
            while (one->there > 0 && may > 0) {
                may = fair_ask(f, &one->party, one->there < CHUNK ? one->there : CHUNK, now);
                fair_spend(&one->party, may);
                one->moved += may;
                one->there -= may;
            }
            if (one->there == 0)
                fair_rest(f, &one->party);
        }
    }
}

static void run(struct fair *f, struct flow *flow, size_t count, unsigned seconds)
{
    run_from(f, flow, count, 0, seconds);
}

static void near(int64_t value, int64_t wanted, int percent)
{
    if (value < wanted - wanted * percent / 100 || value > wanted + wanted * percent / 100)
        fail_msg("%lld is not %lld +- %d %%", (long long)value, (long long)wanted, percent);
}

static void one_gets_the_whole_rate(void **state)
{
    struct fair f = {0};
    struct flow one = {.comes = ENDLESS};

    (void)state;
    fair_set(&f, RATE, 0);
    assert_int_equal(fair_join(&f, &one.party, "a"), 0);
    run(&f, &one, 1, 10);
    near(one.moved, 10 * RATE, 3);
    fair_leave(&f, &one.party);
    assert_null(f.users);
    assert_null(f.next);
}

static void ten_channels_get_no_more_than_one(void **state)
{
    struct fair f = {0};
    struct flow flow[MOST + 1] = {{.comes = ENDLESS}};
    int64_t ten = 0;

    (void)state;
    fair_set(&f, RATE, 0);
    fair_join(&f, &flow[0].party, "one");
    for (int i = 1; i <= MOST; i++) {
        flow[i].comes = ENDLESS;
        fair_join(&f, &flow[i].party, "ten");
    }
    run(&f, flow, MOST + 1, 10);
    for (int i = 1; i <= MOST; i++) {
        near(flow[i].moved, RATE / 2, 10);
        ten += flow[i].moved;
    }
    near(flow[0].moved, 5 * RATE, 5);
    near(ten, 5 * RATE, 5);
    for (int i = 0; i <= MOST; i++)
        fair_leave(&f, &flow[i].party);
}

/* As on a worker: who was told that he may move does so some turns later, and who waits asks every 10 ms. */
static void who_moves_what_he_was_given_misses_no_turns(void **state)
{
    struct fair f = {0};
    struct flow flow[MOST + 1] = {0};
    int64_t may[MOST + 1] = {0}, ten = 0;

    (void)state;
    fair_set(&f, RATE, 0);
    for (int i = 0; i <= MOST; i++)
        fair_join(&f, &flow[i].party, i == 0 ? "one" : "ten");
    for (uint64_t ms = 1; ms <= 10000; ms++)
        for (int i = 0; i <= MOST; i++) {
            if ((ms + (uint64_t)i) % 10 == 0)
                may[i] = fair_ask(&f, &flow[i].party, CHUNK, ms * 1000);
            if ((ms + (uint64_t)i) % 10 != 4 || may[i] == 0)
                continue;
            fair_spend(&flow[i].party, may[i]);
            flow[i].moved += may[i];
            may[i] = fair_ask(&f, &flow[i].party, CHUNK, ms * 1000);
        }
    for (int i = 1; i <= MOST; i++)
        ten += flow[i].moved;
    near(flow[0].moved, 5 * RATE, 3);
    near(ten, 5 * RATE, 3);
    for (int i = 0; i <= MOST; i++)
        fair_leave(&f, &flow[i].party);
}

static void who_was_told_and_does_not_come_keeps_little(void **state)
{
    struct fair f = {0};
    struct flow gone = {0}, other = {.comes = ENDLESS};

    (void)state;
    fair_set(&f, RATE, 0);
    fair_join(&f, &gone.party, "gone");
    fair_join(&f, &other.party, "other");
    run(&f, &other, 1, 1);
    assert_int_equal(fair_ask(&f, &gone.party, CHUNK, SECOND), 0);
    run_from(&f, &other, 1, SECOND, 1);
    assert_true(fair_ask(&f, &gone.party, CHUNK, 2 * SECOND) > 0);
    int64_t credit = gone.party.credit;
    other.moved = 0;
    run_from(&f, &other, 1, 2 * SECOND, 10);
    assert_in_range(gone.party.credit - credit, 0, RATE / 10);
    near(other.moved, 10 * RATE, 2);
    assert_false(gone.party.in);
    fair_leave(&f, &gone.party);
    fair_leave(&f, &other.party);
}

static void what_one_does_not_use_the_others_get(void **state)
{
    struct fair f = {0};
    struct flow flow[USERS] = {{.comes = RATE / 100 / 10}, {.comes = ENDLESS}, {.comes = ENDLESS}};
    const char *names[USERS] = {"slow", "b", "c"};

    (void)state;
    fair_set(&f, RATE, 0);
    for (int i = 0; i < USERS; i++)
        fair_join(&f, &flow[i].party, names[i]);
    run(&f, flow, USERS, 10);
    near(flow[0].moved, RATE, 5);
    near(flow[1].moved, 10 * RATE * 45 / 100, 5);
    near(flow[2].moved, 10 * RATE * 45 / 100, 5);
    for (int i = 0; i < USERS; i++)
        fair_leave(&f, &flow[i].party);
}

static void who_leaves_while_waiting_takes_nothing_along(void **state)
{
    struct fair f = {0};
    struct flow a = {.comes = ENDLESS}, b = {.comes = ENDLESS};

    (void)state;
    fair_set(&f, RATE, 0);
    fair_join(&f, &a.party, "a");
    fair_join(&f, &b.party, "b");
    run(&f, &a, 1, 1);
    assert_true(fair_waits(&a.party));
    assert_int_equal(fair_ask(&f, &b.party, CHUNK, SECOND), 0);
    fair_leave(&f, &a.party);
    assert_ptr_equal(f.next, b.party.user);
    assert_true(fair_ask(&f, &b.party, CHUNK, 2 * SECOND) > 0);
    fair_leave(&f, &b.party);
    assert_null(f.next);
    assert_true(bucket_is_full(&f.bucket));
}

static void a_limit_that_is_lifted_lets_all_go_on(void **state)
{
    struct fair f = {0};
    struct flow a = {.comes = ENDLESS};

    (void)state;
    fair_set(&f, RATE, 0);
    fair_join(&f, &a.party, "a");
    run(&f, &a, 1, 1);
    assert_true(fair_waits(&a.party));
    fair_set(&f, 0, SECOND);
    assert_int_equal(fair_ask(&f, &a.party, CHUNK, SECOND), CHUNK);
    assert_false(fair_waits(&a.party));
    fair_leave(&f, &a.party);
}

static void one_byte_a_second_still_flows(void **state)
{
    struct fair f = {0};
    struct flow a = {.comes = ENDLESS};

    (void)state;
    fair_set(&f, 1, 0);
    fair_join(&f, &a.party, "a");
    run(&f, &a, 1, 1000);
    assert_in_range(a.moved, 4096, 4096 + 1000);
    fair_leave(&f, &a.party);
}

/* ---- meters ------------------------------------------------------------------------------------ */

static struct meters *meters;

static int begin(void **state)
{
    (void)state;
    return meters_new(&meters);
}

static int end(void **state)
{
    (void)state;
    meters_free(meters);
    return 0;
}

static struct meter *user(const char *name, enum policy_limit limit, int64_t value)
{
    struct policy_limits l = {0};
    struct meter *m = meters_user(meters, name);

    l.value[limit] = value;
    meter_limit(m, &l, 0);
    return m;
}

static void connections_are_counted_and_given_back(void **state)
{
    struct meter *m = user("a", LIMIT_CONNECTIONS, 2);
    struct meter_use use;
    uint64_t wait;

    (void)state;
    assert_int_equal(meter_enter(m, false, 0, &wait), LIMIT_COUNT);
    assert_int_equal(meter_enter(m, false, 0, &wait), LIMIT_COUNT);
    assert_int_equal(meter_enter(m, false, 0, &wait), LIMIT_CONNECTIONS);
    assert_int_equal(meter_enter(m, true, 0, &wait), LIMIT_COUNT); /* was there before the limit */
    meters_look(meters, "a", &use);
    assert_int_equal(use.connections, 3);
    meter_leave(m);
    meter_leave(m);
    assert_int_equal(meter_enter(m, false, 0, &wait), LIMIT_COUNT);
    meter_release(meters, m);
}

static void opens_come_as_fast_as_they_may(void **state)
{
    struct meter *m = user("a", LIMIT_RATE, 10);
    uint64_t wait = 0;

    (void)state;
    for (int i = 0; i < 20; i++) /* twice the rate is the burst */
        assert_int_equal(meter_enter(m, false, 0, &wait), LIMIT_COUNT);
    assert_int_equal(meter_enter(m, false, 0, &wait), LIMIT_RATE);
    assert_int_equal(wait, SECOND / 10);
    assert_int_equal(meter_enter(m, false, SECOND / 10, &wait), LIMIT_COUNT);
    meter_release(meters, m);
}

static void what_is_used_up_is_not_forgotten_between_two_connections(void **state)
{
    struct meter *m = user("a", LIMIT_RATE, 1);
    uint64_t wait;

    (void)state;
    meter_enter(m, false, 0, &wait);
    meter_enter(m, false, 0, &wait);
    meter_release(meters, m);
    meters_sweep(meters, SECOND / 2);
    m = user("a", LIMIT_RATE, 1);
    assert_int_equal(meter_enter(m, false, 0, &wait), LIMIT_RATE);
    meter_release(meters, m);
}

static void quotas_of_day_and_month(void **state)
{
    struct meter *m = user("a", LIMIT_QUOTA_DAY, 1000);
    const struct store_quota before = {.user = "a", .day = "2026-11-28", .bytes = 5000},
                             now = {.user = "a", .day = "2026-11-29", .bytes = 900};
    struct store_quota out[2];
    struct policy_limits l = {0};

    (void)state;
    meters_load(meters, &before, "2026-11-29");
    meters_load(meters, &now, "2026-11-29");
    assert_int_equal(meter_quota(m), LIMIT_COUNT);
    assert_int_equal(meters_take_changed(meters, "2026-11-29", out, 2), 0); /* is stored already */
    meter_moved(m, 100);
    assert_int_equal(meter_quota(m), LIMIT_QUOTA_DAY);
    assert_int_equal(meters_take_changed(meters, "2026-11-29", out, 2), 1);
    assert_int_equal(out[0].bytes, 1000);
    assert_int_equal(meters_take_changed(meters, "2026-11-29", out, 2), 0);
    meters_put_back(meters, &out[0]);
    assert_int_equal(meters_take_changed(meters, "2026-11-29", out, 2), 1);
    meters_new_day(meters, false);
    assert_int_equal(meter_quota(m), LIMIT_COUNT);
    l.value[LIMIT_QUOTA_MONTH] = 6000;
    meter_limit(m, &l, 0);
    assert_int_equal(meter_quota(m), LIMIT_QUOTA_MONTH);
    meters_new_day(meters, true);
    assert_int_equal(meter_quota(m), LIMIT_COUNT);
    meter_release(meters, m);
}

/* Those whose numbers change faster than the store takes them. */
static void a_round_of_storing_ends_and_meets_everybody(void **state)
{
    struct meter *m[7];
    struct store_quota out[2];
    unsigned calls = 0, met = 0;
    size_t n;

    (void)state;
    for (unsigned i = 0; i < 7; i++)
        m[i] = user((const char[]){(char)('a' + i), '\0'}, LIMIT_QUOTA_DAY, 1000000);
    do {
        for (unsigned i = 0; i < 7; i++)
            meter_moved(m[i], 1);
        n = meters_take_changed(meters, "2026-11-29", out, 2);
        for (size_t i = 0; i < n; i++)
            met |= 1u << (out[i].user[0] - 'a');
    } while (n == 2 && ++calls < 100);
    assert_in_range(calls, 3, 7);
    assert_int_equal(met, 0x7f);
    for (unsigned i = 0; i < 7; i++)
        meter_release(meters, m[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_rate_everything_may_be_taken),
        cmocka_unit_test(a_burst_comes_first_and_then_the_rate),
        cmocka_unit_test(nothing_is_lost_between_many_short_looks),
        cmocka_unit_test(no_more_than_the_burst_is_saved),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing_and_stops_nothing),
        cmocka_unit_test(time_that_two_threads_saw_counts_once),
        cmocka_unit_test(the_largest_rate_and_burst_do_not_overflow),
        cmocka_unit_test(another_limit_keeps_what_was_used_up),
        cmocka_unit_test(one_gets_the_whole_rate),
        cmocka_unit_test(ten_channels_get_no_more_than_one),
        cmocka_unit_test(who_moves_what_he_was_given_misses_no_turns),
        cmocka_unit_test(who_was_told_and_does_not_come_keeps_little),
        cmocka_unit_test(what_one_does_not_use_the_others_get),
        cmocka_unit_test(who_leaves_while_waiting_takes_nothing_along),
        cmocka_unit_test(a_limit_that_is_lifted_lets_all_go_on),
        cmocka_unit_test(one_byte_a_second_still_flows),
        cmocka_unit_test_setup_teardown(connections_are_counted_and_given_back, begin, end),
        cmocka_unit_test_setup_teardown(opens_come_as_fast_as_they_may, begin, end),
        cmocka_unit_test_setup_teardown(what_is_used_up_is_not_forgotten_between_two_connections,
                                        begin, end),
        cmocka_unit_test_setup_teardown(quotas_of_day_and_month, begin, end),
        cmocka_unit_test_setup_teardown(a_round_of_storing_ends_and_meets_everybody, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
