/*
 * Whose turn it is on a worker: what is live is served in every turn of the loop, logins and ends get a
 * slice of it. The loop is the real one; the clock is ours, and what serving a session takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static int fake_clock(clockid_t clock, struct timespec *t);
#define clock_gettime fake_clock
#include "server/prad/worker.c"
#undef clock_gettime

#define SLICE_US 300
#define MANY     100

static uint64_t now_us;

static int fake_clock(clockid_t clock, struct timespec *t)
{
    (void)clock;
    *t = (struct timespec){.tv_sec = (time_t)(now_us / 1000000),
                           .tv_nsec = (long)(now_us % 1000000) * 1000};
    return 0;
}

/* ---- sessions that only take time ----------------------------------------------------------- */

static struct session *served[8 * MANY];
static unsigned served_count;
static uint64_t step_us;

void session_step(struct session *s)
{
    assert_true(served_count < sizeof(served) / sizeof(served[0]));
    served[served_count++] = s;
    now_us += s->channels ? 1 : step_us;
}

enum run_class session_run_class(const struct session *s)
{
    if (s->phase != SESSION_OPEN)
        return RUN_LOGIN;
    return s->channels ? RUN_LIVE : RUN_IDLE;
}

struct session *session_new(struct worker *w, const struct arrival *a)
{
    (void)w, (void)a;
    return NULL;
}

void session_end(struct session *s, const char *reason, const char *text)
{
    (void)s, (void)reason, (void)text;
}

void session_free(struct session *s)
{
    free(s);
}

int live_channels(struct live *l, const char *session, json_t **out)
{
    (void)l, (void)session, (void)out;
    return PRA_ENOENT;
}

int live_channel_close(struct live *l, const char *session, const char *channel)
{
    (void)l, (void)session, (void)channel;
    return PRA_ENOENT;
}

void session_kill(struct session *s, const char *why)
{
    (void)s, (void)why;
}

void session_drain(struct session *s)
{
    (void)s;
}

void session_obey_primary(struct session *s)
{
    (void)s;
}

void bounds_refresh(struct session *s)
{
    (void)s;
}

void session_recheck(struct session *s, bool timed)
{
    (void)s, (void)timed;
}

void session_tick(struct session *s, uint64_t now_ms)
{
    (void)s, (void)now_ms;
}

int algorithms_bind(ssh_key host_key, ssh_bind *out, struct fault *f)
{
    (void)host_key, (void)out, (void)f;
    return 0;
}

/* ---- a worker ------------------------------------------------------------------------------- */

static struct worker *w;
static struct session *made[3 * MANY];
static unsigned made_count;
static int any; /* what a pointer to channels points at */

static int make_worker(void **state)
{
    (void)state;
    w = calloc(1, sizeof(*w));
    if (!w || !(w->base = event_base_new()))
        return -1;
    w->run_event = event_new(w->base, -1, 0, on_run, w);
    made_count = served_count = 0;
    return w->run_event ? 0 : -1;
}

static int free_worker(void **state)
{
    (void)state;
    for (unsigned i = 0; i < made_count; i++)
        free(made[i]);
    event_free(w->run_event);
    event_base_free(w->base);
    free(w);
    return 0;
}

static struct session *make(enum session_phase phase, bool live)
{
    struct session *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->worker = w;
    s->phase = phase;
    s->channels = live ? (struct channel *)(void *)&any : NULL;
    made[made_count++] = s;
    return s;
}

static void wake_many(enum session_phase phase)
{
    for (unsigned i = 0; i < MANY; i++)
        worker_wake(w, make(phase, false));
}

/* One turn of the loop; how many of the sessions served in it were of that phase and not live. */
static unsigned turn(enum session_phase phase)
{
    unsigned before = served_count, count = 0;
    event_base_loop(w->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    for (unsigned i = before; i < served_count; i++)
        count += served[i]->phase == phase && !served[i]->channels;
    return count;
}

static void logins_get_a_slice_of_each_turn_and_live_sessions_their_turn(void **state)
{
    struct session *live = make(SESSION_OPEN, true);
    unsigned left = MANY;

    (void)state;
    step_us = 150;
    wake_many(SESSION_LOGIN);
    while (left > 0) {
        uint64_t begun = now_us;
        unsigned count, before = served_count;
        worker_wake(w, live); /* its socket has something again */
        count = turn(SESSION_LOGIN);
        assert_ptr_equal(served[before], live);
        assert_in_range(count, 1, SLICE_US / step_us);
        assert_true(now_us - begun <= SLICE_US + step_us);
        left -= count;
    }
    /* In the order in which they came. */
    for (unsigned i = 0, next = 1; i < served_count; i++)
        if (served[i] != live)
            assert_ptr_equal(served[i], made[next++]);
}

static void login_that_takes_long_is_the_only_one_of_its_turn(void **state)
{
    (void)state;
    step_us = 10 * SLICE_US;
    wake_many(SESSION_LOGIN);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(turn(SESSION_LOGIN), 1);
}

static void logins_and_ends_do_not_take_each_others_slice(void **state)
{
    (void)state;
    step_us = 100;
    wake_many(SESSION_LOGIN);
    wake_many(SESSION_OPEN);
    for (unsigned left = MANY; left > 0;) {
        unsigned before = served_count, idle = turn(SESSION_OPEN);
        assert_in_range(idle, 1, SLICE_US / step_us);
        assert_in_range(served_count - before - idle, 1, SLICE_US / step_us);
        left -= idle;
    }
}

/* Whoever wakes himself again waits for the next turn, when sockets were looked at. */
static void live_session_that_always_has_work_leaves_time_for_logins(void **state)
{
    struct session *live = make(SESSION_OPEN, true);

    (void)state;
    step_us = SLICE_US;
    wake_many(SESSION_LOGIN);
    for (unsigned i = 0; i < MANY; i++) {
        worker_wake(w, live);
        worker_wake(w, live);
        assert_int_equal(turn(SESSION_LOGIN), 1);
    }
    assert_int_equal(served_count, 2 * MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_worker, free_worker)
        TEST(logins_get_a_slice_of_each_turn_and_live_sessions_their_turn),
        TEST(login_that_takes_long_is_the_only_one_of_its_turn),
        TEST(logins_and_ends_do_not_take_each_others_slice),
        TEST(live_session_that_always_has_work_leaves_time_for_logins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
