/* Receive windows: how they grow by what is measured, and what of them may have to be kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/prad/window.h"

#define MIB (1024u * 1024)

/* A client that sends as much as it may: its window arrives within `busy_us` once a round trip. */
struct flow {
    struct window w;
    uint64_t taken, now_us, round_trip_us, bytes_per_s;
};

/* One window's worth arrives, and the window gets the size that it should have. */
static uint32_t turn(struct flow *f)
{
    uint64_t us = f->w.size * 1000000ull / f->bytes_per_s;
    f->now_us += us > f->round_trip_us ? us : f->round_trip_us;
    f->taken += f->w.size;
    assert_true(window_is_filled(&f->w, f->taken));
    uint32_t size = window_look(&f->w, f->taken, f->now_us, f->round_trip_us);
    if (size > f->w.size)
        window_set(&f->w, f->taken, size, f->now_us);
    return f->w.size;
}

static struct flow flow(uint64_t round_trip_us, uint64_t bytes_per_s)
{
    struct flow f = {.round_trip_us = round_trip_us, .bytes_per_s = bytes_per_s, .now_us = 5};
    window_begin(&f.w, f.now_us);
    return f;
}

static void distant_client_has_16_mib_after_three_round_trips(void **state)
{
    (void)state;
    struct flow f = flow(100000, 10000ull * MIB);
    assert_int_equal(f.w.size, WINDOW_SMALL);
    assert_int_equal(turn(&f), MIB);
    assert_int_equal(turn(&f), 4 * MIB);
    assert_int_equal(turn(&f), 16 * MIB);
    for (int i = 0; i < 10; i++)
        turn(&f);
    assert_int_equal(f.w.size, WINDOW_LARGEST);
}

static void window_ends_at_a_few_times_what_the_line_holds(void **state)
{
    (void)state;
    static const uint64_t round_trips[] = {20000, 100000, 300000},
                          rates[] = {MIB, 10 * MIB, 50 * MIB};
    for (size_t r = 0; r < 3; r++) {
        for (size_t b = 0; b < 3; b++) {
            struct flow f = flow(round_trips[r], rates[b]);
            uint64_t line = f.round_trip_us * f.bytes_per_s / 1000000;
            for (int i = 0; i < 20; i++)
                turn(&f);
            uint64_t most = 4 * line < MIB ? MIB : 4 * line;
            assert_true(f.w.size <= most);
            assert_true(f.w.size >= line || f.w.size == WINDOW_LARGEST || f.w.size == WINDOW_SMALL);
        }
    }
}

static void near_client_gets_no_more_than_it_has_use_for(void **state)
{
    (void)state;
    struct flow f = flow(300, 1000ull * MIB);
    for (int i = 0; i < 1000; i++)
        turn(&f);
    assert_int_equal(f.w.size, 2 * MIB);
    f = flow(300, 10ull * MIB); /* as near, and slow */
    for (int i = 0; i < 1000; i++)
        turn(&f);
    assert_int_equal(f.w.size, MIB);
}

static void slow_client_keeps_the_smallest(void **state)
{
    (void)state;
    struct flow f = flow(100000, 60000); /* 64 KiB take more than a second */
    for (int i = 0; i < 100; i++)
        turn(&f);
    assert_int_equal(f.w.size, WINDOW_SMALL);
}

static void clocks_that_stand_still_do_no_harm(void **state)
{
    (void)state;
    struct window w;
    window_begin(&w, 7);
    uint64_t taken = 0;
    for (int i = 0; i < 40; i++) {
        taken += w.size;
        uint32_t size = window_look(&w, taken, 7, i < 20 ? 0 : 1);
        assert_true(size >= w.size && size <= WINDOW_LARGEST);
        window_set(&w, taken, size, 7);
    }
    assert_true(window_look(&w, UINT64_MAX / 2, 7, UINT64_MAX) <= WINDOW_LARGEST);
}

static void round_trip_is_the_time_until_a_byte_that_only_growth_allowed(void **state)
{
    (void)state;
    struct window w;
    window_begin(&w, 1000);
    assert_false(window_has_answer(&w, 1 << 30)); /* nothing was asked */
    window_set(&w, 40000, MIB, 2000);
    /* What the client may have sent before it heard: 64 KiB beyond what was taken. */
    assert_false(window_has_answer(&w, 40000 + WINDOW_SMALL));
    assert_true(window_has_answer(&w, 40000 + WINDOW_SMALL + 1));
    assert_int_equal(window_take_answer(&w, 102000), 100000);
    assert_false(window_has_answer(&w, 1 << 30));

    /* After a window that became smaller its old grants count, not its size. */
    window_set(&w, 200000, WINDOW_SMALL, 3000);
    window_set(&w, 210000, 4 * WINDOW_SMALL, 4000);
    assert_false(window_has_answer(&w, 200000 + MIB));
    assert_true(window_has_answer(&w, 200000 + MIB + 1));
    assert_int_equal(window_take_answer(&w, 4000), 1);
}

static void what_was_granted_is_owed_until_it_has_come(void **state)
{
    (void)state;
    struct window w;
    window_begin(&w, 0);
    assert_int_equal(window_owed(&w, 0), WINDOW_SMALL);
    window_set(&w, 1000, 16 * MIB, 0);
    assert_int_equal(window_owed(&w, 1000), 16 * MIB);
    window_set(&w, 1000, WINDOW_SMALL, 1); /* a target that takes nothing: all may still come */
    assert_int_equal(window_owed(&w, 1000), 16 * MIB);
    assert_int_equal(window_owed(&w, 1000 + MIB), 15 * MIB);
    assert_int_equal(window_owed(&w, 1000 + 16 * MIB), WINDOW_SMALL);
    assert_int_equal(window_owed(&w, 1000 + 20 * MIB), WINDOW_SMALL);
}

static void window_without_use_is_idle_after_five_seconds(void **state)
{
    (void)state;
    struct window w;
    window_begin(&w, 0);
    window_set(&w, 0, 16 * MIB, 0);
    assert_false(window_is_idle(&w, 100, 5000000));
    assert_true(window_is_idle(&w, 100, 5000001));
    assert_false(window_is_idle(&w, 100, 6000000)); /* it begins anew */
    assert_false(window_is_idle(&w, 100 + WINDOW_SMALL, 11000000));
    assert_true(window_is_idle(&w, 100 + WINDOW_SMALL, 17000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distant_client_has_16_mib_after_three_round_trips),
        cmocka_unit_test(window_ends_at_a_few_times_what_the_line_holds),
        cmocka_unit_test(near_client_gets_no_more_than_it_has_use_for),
        cmocka_unit_test(slow_client_keeps_the_smallest),
        cmocka_unit_test(clocks_that_stand_still_do_no_harm),
        cmocka_unit_test(round_trip_is_the_time_until_a_byte_that_only_growth_allowed),
        cmocka_unit_test(window_without_use_is_idle_after_five_seconds),
        cmocka_unit_test(what_was_granted_is_owed_until_it_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
