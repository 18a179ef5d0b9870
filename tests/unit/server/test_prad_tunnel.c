/* Who may join a session, and which worker a connection goes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/prad/balance.h"
#include "server/prad/live.h"
#include "server/prad/tunnel.h"
#include "server/prad/worker.h"

static struct worker worker;
static struct live *live;

static int open_registry(void **state)
{
    (void)state;
    return mailbox_init(&worker.mailbox) != 0 || live_new(&live) != 0;
}

static int close_registry(void **state)
{
    (void)state;
    mailbox_close(&worker.mailbox);
    live_free(live);
    return 0;
}

static struct live_entry *add(const char *id, const char *user, const char *device)
{
    static uint64_t connection;
    struct live_entry *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    snprintf(e->id, sizeof(e->id), "%s", id);
    snprintf(e->user, sizeof(e->user), "%s", user);
    snprintf(e->device, sizeof(e->device), "%s", device);
    e->connection = ++connection;
    e->worker = &worker;
    e->share = tunnel_share_new();
    assert_non_null(e->share);
    assert_true(live_add(live, e, 100));
    return e;
}

static void gone(struct live_entry *e)
{
    live_remove(live, e);
    tunnel_share_release(e->share);
    free(e);
}

static void token_is_good_once_and_for_its_time(void **state)
{
    (void)state;
    char token[TUNNEL_TOKEN_TEXT], other[TUNNEL_TOKEN_TEXT];
    struct live_entry *p = add("p", "u", "k"), *a = add("a", "u", "k"), *b = add("b", "u", "k");
    assert_int_equal(tunnel_issue(live, p, 4, 1000, 500, token), 0);
    assert_int_equal(strlen(token), 64);
    assert_int_equal(tunnel_issue(live, p, 4, 1000, 500, other), 0);
    assert_string_not_equal(token, other);
    assert_int_equal(tunnel_join(live, a, "p", token, 4, 1499), TUNNEL_JOINED);
    assert_true(a->secondary);
    assert_string_equal(a->id, "p");
    assert_int_equal(tunnel_join(live, b, "p", token, 4, 1499), TUNNEL_USED);
    assert_int_equal(tunnel_join(live, b, "p", other, 4, 1500), TUNNEL_EXPIRED);
    assert_int_equal(tunnel_join(live, b, "p", other, 4, 1400), TUNNEL_USED);
    assert_string_equal(b->id, "b");
    assert_int_equal(tunnel_connections(live, p), 2);
    gone(a);
    gone(b);
    gone(p);
}

static void token_is_of_one_user_key_and_session(void **state)
{
    (void)state;
    char token[TUNNEL_TOKEN_TEXT];
    struct live_entry *p = add("p", "u", "k"), *q = add("q", "u", "k");
    struct live_entry *user = add("a", "v", "k"), *key = add("b", "u", "l"),
                      *ok = add("c", "u", "k");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tunnel_issue(live, p, 8, 0, 100, token), 0);
        assert_int_equal(tunnel_join(live, i ? user : key, "p", token, 8, 1), TUNNEL_FOREIGN);
        assert_int_equal(tunnel_join(live, ok, "p", token, 8, 1), TUNNEL_USED);
    }
    assert_int_equal(tunnel_issue(live, p, 8, 0, 100, token), 0);
    assert_int_equal(tunnel_join(live, ok, "q", token, 8, 1), TUNNEL_UNKNOWN);
    assert_int_equal(tunnel_join(live, p, "p", token, 8, 1), TUNNEL_UNKNOWN);
    assert_int_equal(tunnel_join(live, ok, "p", "", 8, 1), TUNNEL_UNKNOWN);
    token[63] = '\0';
    assert_int_equal(tunnel_join(live, ok, "p", token, 8, 1), TUNNEL_UNKNOWN);
    struct live_entry *all[] = {p, q, user, key, ok};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        gone(all[i]);
}

static void tokens_under_way_are_counted_and_run_out(void **state)
{
    (void)state;
    char token[TUNNEL_TOKEN_TEXT];
    struct live_entry *p = add("p", "u", "k"), *a = add("a", "u", "k");
    for (unsigned round = 0; round < 50; round++) {
        uint64_t now = 1000 * (uint64_t)round;
        for (int i = 0; i < 7; i++)
            assert_int_equal(tunnel_issue(live, p, 8, now, 1000, token), 0);
        assert_int_equal(tunnel_issue(live, p, 8, now, 1000, token), PRA_EFULL);
    }
    assert_int_equal(tunnel_issue(live, p, 3, 99999, 1000, token), 0);
    assert_int_equal(tunnel_join(live, a, "p", token, 3, 99999), TUNNEL_JOINED);
    assert_int_equal(tunnel_issue(live, p, 2, 99999, 1000, token), PRA_EFULL);
    assert_int_equal(tunnel_issue(live, a, 8, 99999, 1000, token), PRA_ECLOSED);
    gone(p);
    gone(a);
}

static void tunnel_may_shrink_while_a_token_is_under_way(void **state)
{
    (void)state;
    char token[TUNNEL_TOKEN_TEXT];
    struct live_entry *p = add("p", "u", "k"), *a = add("a", "u", "k");
    assert_int_equal(tunnel_issue(live, p, 4, 0, 1000, token), 0);
    assert_int_equal(tunnel_join(live, a, "p", token, 1, 1), TUNNEL_FULL);
    assert_false(a->secondary);
    gone(p);
    gone(a);
}

static void end_of_a_primary_ends_its_secondaries(void **state)
{
    (void)state;
    char token[TUNNEL_TOKEN_TEXT];
    struct live_entry *p = add("p", "u", "k"), *a = add("a", "u", "k"), *b = add("b", "u", "k");
    struct live_entry *late = add("c", "u", "k");
    struct live_entry *join[] = {a, b};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tunnel_issue(live, p, 8, 0, 1000, token), 0);
        assert_int_equal(tunnel_join(live, join[i], "p", token, 8, 1), TUNNEL_JOINED);
    }
    atomic_store(&a->bytes_in, 70);
    gone(a); /* one in the middle of it all */
    assert_int_equal(p->left_in, 70);
    assert_int_equal(tunnel_issue(live, p, 8, 0, 1000, token), 0);
    gone(p);
    assert_string_equal(atomic_load(&b->must_end), "primary-ended");
    assert_null(b->primary);
    assert_int_equal(tunnel_join(live, late, "p", token, 8, 1), TUNNEL_UNKNOWN);
    json_t *list = NULL;
    int64_t total = 0;
    assert_int_equal(live_list(live, &(struct listing){0}, &list, &total), 0);
    assert_int_equal(json_array_size(list), 1); /* what still ends is shown no more */
    json_decref(list);
    gone(b);
    gone(late);
}

static void killed_session_takes_no_more_connections(void **state)
{
    (void)state;
    char token[TUNNEL_TOKEN_TEXT];
    struct live_entry *p = add("p", "u", "k"), *a = add("a", "u", "k"), *b = add("b", "u", "k");
    assert_int_equal(tunnel_issue(live, p, 8, 0, 1000, token), 0);
    assert_int_equal(tunnel_join(live, a, "p", token, 8, 1), TUNNEL_JOINED);
    assert_int_equal(tunnel_issue(live, p, 8, 0, 1000, token), 0);
    assert_int_equal(live_kill(live, "p", "x"), 0);
    assert_string_equal(atomic_load(&a->must_end), "killed");
    assert_int_equal(tunnel_join(live, b, "p", token, 8, 1), TUNNEL_UNKNOWN);
    assert_int_equal(tunnel_issue(live, p, 8, 0, 1000, token), PRA_ECLOSED);
    gone(a);
    gone(b);
    gone(p);
}

static void user_has_no_more_sessions_than_allowed(void **state)
{
    (void)state;
    struct live_entry more = {.user = "u", .worker = &worker};
    struct live_entry *mine[] = {add("a", "u", "k"), add("b", "u", "k")},
                      *other = add("c", "v", "k");
    assert_false(live_add(live, &more, 2));
    assert_false(live_add(live, &more, 0));
    assert_true(live_add(live, &more, 3));
    live_remove(live, &more);
    gone(mine[0]);
    assert_true(live_add(live, &more, 2)); /* a place that was given back */
    live_remove(live, &more);
    gone(mine[1]);
    gone(other);
    struct live_entry nobody = {.user = "w", .worker = &worker};
    assert_false(live_add(live, &nobody, 0));
}

static void connections_go_where_least_is_done(void **state)
{
    (void)state;
    const struct balance_load busy[] = {{.busy = 900, .sessions = 1}, {.busy = 0, .sessions = 3}};
    assert_int_equal(balance_choose(busy, 2, 0), 1);
    const struct balance_load full[] = {{.sessions = 10}, {.sessions = 9}, {.sessions = 10}};
    assert_int_equal(balance_choose(full, 3, 0), 1);
    const struct balance_load equal[] = {{.busy = 5}, {.busy = 5}, {.busy = 5}};
    assert_int_equal(balance_choose(equal, 3, 2), 2);
    assert_int_equal(balance_choose(equal, 1, 7), 0);
    /* Both at their limit: fewer sessions decide. */
    const struct balance_load both[] = {{.busy = 1000, .sessions = 4},
                                        {.busy = 1000, .sessions = 2}};
    assert_int_equal(balance_choose(both, 2, 0), 1);
}

/* Ten thousand that come within one measurement are spread all the same. */
static void storm_is_spread_before_it_is_measured(void **state)
{
    (void)state;
    struct balance_load load[4] = {{.busy = 30}, {.busy = 0}, {.busy = 7}, {.busy = 15}};
    for (unsigned i = 0; i < 10000; i++)
        load[balance_choose(load, 4, i)].fresh++;
    for (int i = 0; i < 4; i++)
        assert_in_range(load[i].fresh, 2400, 2600);
}

static void second_connection_pays_only_with_time_elsewhere(void **state)
{
    (void)state;
    const struct balance_load pays[] = {{.busy = 950}, {.busy = 100}};
    assert_true(balance_has_better(pays, 2, 0));
    assert_false(balance_has_better(pays, 2, 1));
    const struct balance_load full[] = {{.busy = 950}, {.busy = 800}};
    assert_false(balance_has_better(full, 2, 0));
    assert_false(balance_has_better(pays, 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_is_good_once_and_for_its_time),
        cmocka_unit_test(token_is_of_one_user_key_and_session),
        cmocka_unit_test(tokens_under_way_are_counted_and_run_out),
        cmocka_unit_test(tunnel_may_shrink_while_a_token_is_under_way),
        cmocka_unit_test(end_of_a_primary_ends_its_secondaries),
        cmocka_unit_test(killed_session_takes_no_more_connections),
        cmocka_unit_test(user_has_no_more_sessions_than_allowed),
        cmocka_unit_test(connections_go_where_least_is_done),
        cmocka_unit_test(storm_is_spread_before_it_is_measured),
        cmocka_unit_test(second_connection_pays_only_with_time_elsewhere),
    };
    return cmocka_run_group_tests(tests, open_registry, close_registry);
}
