/* Which connection a channel goes to, and when another one is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/spread.h"

static const struct spread_way near = {.round_trip_us = 1000, .loop_busy = 500, .cores = 4};
static const struct spread_way far = {.round_trip_us = 100000, .loop_busy = 900, .cores = 1};

static void channels_go_where_least_is_done(void **state)
{
    const struct spread_connection busy[] = {{.usable = true, .busy = 2, .channels = 2},
                                             {.usable = true, .busy = 1, .channels = 90},
                                             {.usable = true, .busy = 2}};
    const struct spread_connection rate[] = {{.usable = true, .rate = 5},
                                             {.usable = true, .rate = 4}};
    const struct spread_connection idle[] = {{.usable = true, .channels = 3},
                                             {.usable = true, .channels = 3}};

    (void)state;
    assert_int_equal(spread_choose(busy, 3), 1);
    assert_int_equal(spread_choose(rate, 2), 1);
    assert_int_equal(spread_choose(idle, 2), 0);
}

static void silent_connections_get_nothing_while_another_answers(void **state)
{
    const struct spread_connection second[] = {{.usable = true, .busy = 9}, {.usable = false}};
    const struct spread_connection first[] = {{.usable = false}, {.usable = true, .busy = 9}};
    const struct spread_connection none[] = {{.usable = false}, {.usable = false}};

    (void)state;
    assert_int_equal(spread_choose(second, 2), 0);
    assert_int_equal(spread_choose(first, 2), 1);
    assert_int_equal(spread_choose(none, 2), 0);
}

static void one_busy_channel_needs_no_second_connection(void **state)
{
    const struct spread_connection one[] = {{.usable = true, .busy = 1, .channels = 40}};
    const struct spread_connection none[] = {{.usable = true}};
    const struct spread_connection dead[] = {{.usable = false, .busy = 4}};

    (void)state;
    assert_int_equal(spread_wants(one, 1, &far), SPREAD_ENOUGH);
    assert_int_equal(spread_wants(none, 1, &far), SPREAD_ENOUGH);
    assert_int_equal(spread_wants(dead, 1, &far), SPREAD_ENOUGH);
}

static void shared_connection_wants_another(void **state)
{
    const struct spread_connection two[] = {{.usable = true, .busy = 2}};
    const struct spread_connection idle[] = {{.usable = true, .busy = 4}, {.usable = true}};
    const struct spread_connection full[] = {{.usable = true, .busy = 2},
                                             {.usable = true, .busy = 1}};
    const struct spread_connection own[] = {{.usable = true, .busy = 1},
                                            {.usable = true, .busy = 1}};

    (void)state;
    assert_int_equal(spread_wants(two, 1, &far), SPREAD_DISTANCE);
    assert_int_equal(spread_wants(two, 1, &near), SPREAD_LOAD);
    assert_int_equal(spread_wants(idle, 2, &far), SPREAD_ENOUGH);
    assert_int_equal(spread_wants(full, 2, &far), SPREAD_DISTANCE);
    assert_int_equal(spread_wants(own, 2, &far), SPREAD_ENOUGH);
}

static void near_the_gateway_our_own_loop_must_have_time_left(void **state)
{
    const struct spread_connection two[] = {{.usable = true, .busy = 2}};
    const struct spread_connection four[] = {{.usable = true, .busy = 2},
                                             {.usable = true, .busy = 2},
                                             {.usable = true, .busy = 2},
                                             {.usable = true, .busy = 2}};
    const struct spread_way busy = {.loop_busy = 900, .cores = 4}, single = {.cores = 1};

    (void)state;
    assert_int_equal(spread_wants(two, 1, &busy), SPREAD_ENOUGH);
    assert_int_equal(spread_wants(two, 1, &single), SPREAD_ENOUGH);
    assert_int_equal(spread_wants(four, 4, &near), SPREAD_ENOUGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_go_where_least_is_done),
        cmocka_unit_test(silent_connections_get_nothing_while_another_answers),
        cmocka_unit_test(one_busy_channel_needs_no_second_connection),
        cmocka_unit_test(shared_connection_wants_another),
        cmocka_unit_test(near_the_gateway_our_own_loop_must_have_time_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
