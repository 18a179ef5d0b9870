/* The store of limits after login, and of what was moved of quotas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/store/store.h"

static int count_limits(const struct policy_limits_of *of, void *ctx)
{
    unsigned *seen = ctx;

    seen[of->kind]++;
    if (of->kind == POLICY_LIMITS_USER) {
        assert_string_equal(of->name, "alice");
        assert_int_equal(of->limits.value[LIMIT_RATE], 3);
        assert_int_equal(of->limits.value[LIMIT_BURST], POLICY_UNLIMITED);
        assert_int_equal(of->limits.value[LIMIT_UPLOAD], POLICY_UNSET);
    }
    return 0;
}

static int add_bytes(const struct store_quota *q, void *ctx)
{
    *(int64_t *)ctx += q->bytes;
    return 0;
}

static void limits_go_with_whose_they_are_and_quotas_stay(void **state)
{
    struct policy_limits l = {.value[LIMIT_RATE] = 3, .value[LIMIT_BURST] = POLICY_UNLIMITED}, read;
    const struct store_quota quotas[] = {{.user = "alice", .day = "2026-10-31", .bytes = 1},
                                         {.user = "alice", .day = "2026-11-01", .bytes = 10},
                                         {.user = "alice", .day = "2026-11-01", .bytes = 100}};
    const struct store_limit_ops *ops;
    struct store_rule r = {.rule = {.owner = "alice", .name = "POP"}};
    struct store_user user;
    struct store *s = NULL;
    unsigned seen[3] = {0};
    int64_t rule, bytes = 0;
    struct fault f;

    (void)state;
    assert_int_equal(store_open("ram:", true, &s, &f), 0);
    ops = s->ops->limits;
    assert_int_equal(s->ops->user_add(s, &(struct store_user){.name = "alice"}, &rule, &f), 0);
    assert_int_equal(policy_parse_target("mail:110", &r.rule.target, &f), 0);
    assert_int_equal(s->ops->rule_add(s, &r, &rule, &f), 0);
    assert_int_equal(s->ops->user_get(s, "alice", &user, &f), 0);
    assert_int_equal(ops->set(s, POLICY_LIMITS_USER, user.id, &l, &f), 0);
    assert_int_equal(ops->set(s, POLICY_LIMITS_RULE, rule, &l, &f), 0);
    assert_int_equal(ops->set(s, POLICY_LIMITS_RULE, rule, &l, &f), 0); /* replaces */
    assert_int_equal(ops->each(s, count_limits, seen, &f), 0);
    assert_int_equal(seen[POLICY_LIMITS_USER], 1);
    assert_int_equal(seen[POLICY_LIMITS_RULE], 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ops->quota_put(s, &quotas[i], &f), 0);
    assert_int_equal(ops->quota_each(s, "2026-11-01", add_bytes, &bytes, &f), 0);
    assert_int_equal(bytes, 100);
    assert_int_equal(ops->quota_tidy(s, "2026-11-01", &f), 0);
    assert_int_equal(ops->quota_each(s, "", add_bytes, &bytes, &f), 0);
    assert_int_equal(bytes, 200);
    assert_int_equal(s->ops->user_delete(s, "alice", &f), 0); /* and with him the rule */
    assert_int_equal(ops->each(s, count_limits, seen, &f), 0);
    assert_int_equal(seen[POLICY_LIMITS_USER] + seen[POLICY_LIMITS_RULE], 2);
    assert_int_equal(ops->get(s, POLICY_LIMITS_RULE, rule, &read, &f), 0);
    assert_int_equal(read.value[LIMIT_RATE], POLICY_UNSET);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_go_with_whose_they_are_and_quotas_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
