/* Who of many waiting channels is asked in a turn of the worker's timer. Meters are real, libevent's loop never runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/prad/meter.h"

static int64_t counted_ask(struct meter *one, enum meter_way way, struct fair_party *p,
                           int64_t want, uint64_t now_us);
#define meter_ask counted_ask
#include "server/prad/charge.c"
#undef meter_ask

#define MANY 100
#define FEW  3
#define ALL  (MANY + FEW)

static struct worker *worker;
static struct session *many, *few;
static struct channel channel[ALL];
static struct meters *meters;
static unsigned asked[ALL], ready;

static int64_t counted_ask(struct meter *one, enum meter_way way, struct fair_party *p,
                           int64_t want, uint64_t now_us)
{
    for (unsigned i = 0; i < ALL; i++)
        if (channel[i].charge && p == &channel[i].charge->user_party[way])
            asked[i]++;
    return meter_ask(one, way, p, want, now_us);
}

void channel_ready(struct channel *ch)
{
    (void)ch;
    ready++;
}

static void limit(int64_t rate)
{
    struct policy_limits l = {0};

    l.value[LIMIT_DOWNLOAD] = rate;
    meter_limit(many->meter, &l, now_us());
}

/* All of them wait: there is a byte a second. */
static int begin(void **state)
{
    (void)state;
    worker = calloc(1, sizeof(*worker));
    many = calloc(1, sizeof(*many));
    few = calloc(1, sizeof(*few));
    if (!worker || !many || !few || meters_new(&meters) != 0)
        return -1;
    worker->base = event_base_new();
    many->worker = few->worker = worker;
    many->meter = few->meter = meters_user(meters, "a");
    limit(1);
    memset(channel, 0, sizeof(channel));
    memset(asked, 0, sizeof(asked));
    ready = 0;
    for (unsigned i = 0; i < ALL; i++) {
        channel[i].session = i < MANY ? many : few;
        charge_set(&channel[i]);
        for (uint32_t got; (got = charge_room(&channel[i], METER_DOWN, 65536)) > 0;)
            charge_moved(&channel[i], METER_DOWN, got, got);
    }
    memset(asked, 0, sizeof(asked));
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ALL; i++) {
        charge_end(&channel[i]);
        free(channel[i].charge);
    }
    assert_null(many->charges);
    assert_null(worker->waiting);
    event_del(&worker->charge_event);
    event_base_free(worker->base);
    meter_release(meters, many->meter);
    meters_free(meters);
    free(worker);
    free(many);
    free(few);
    return 0;
}

static void turn(void)
{
    on_again(-1, 0, worker);
}

static unsigned sum(unsigned from, unsigned to)
{
    unsigned all = 0;

    for (unsigned i = from; i < to; i++)
        all += asked[i];
    return all;
}

static void thousands_are_asked_little_by_little_and_few_in_each_turn(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        turn();
        assert_int_equal(sum(0, MANY), i * AGAIN_MOST);
        assert_int_equal(sum(MANY, ALL), i * FEW);
    }
    turn();
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(asked[i], 1);
    turn();
    assert_int_equal(sum(0, MANY), MANY + AGAIN_MOST);
}

static void who_leaves_when_it_would_be_asked_next_leaves_its_place_to_another(void **state)
{
    struct channel *next;

    (void)state;
    turn();
    next = many->charge_at->channel;
    charge_end(next);
    assert_ptr_not_equal(many->charge_at->channel, next);
    for (unsigned i = 0; i < 3; i++)
        turn();
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(asked[i], &channel[i] != next);
    while (few->charges)
        charge_end(few->charges->channel);
    assert_ptr_equal(worker->waiting, many);
    assert_null(many->waiting_next);
}

static void when_the_limit_is_lifted_all_go_on(void **state)
{
    (void)state;
    limit(0);
    for (unsigned i = 0; i < 4; i++)
        turn();
    assert_int_equal(ready, ALL);
    assert_null(worker->waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(thousands_are_asked_little_by_little_and_few_in_each_turn,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            who_leaves_when_it_would_be_asked_next_leaves_its_place_to_another, begin, end),
        cmocka_unit_test_setup_teardown(when_the_limit_is_lifted_all_go_on, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
