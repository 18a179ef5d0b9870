/* The policy: order of rules, special addresses, keys, forwards and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/policy/policy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MONDAY   1795392000 /* 2026-11-23T00:00:00Z */

/* A policy under construction: users alice (groups g1, g2) and off (disabled). */
static struct policy_rule rules[64];
static size_t rule_count;
static const struct policy_user users[] = {
    {.name = "alice", .enabled = true}, {.name = "Alice", .enabled = true}, {.name = "off"}};
static const struct policy_member members[] = {{"g1", "alice"}, {"g2", "alice"}};
static const struct addr_ip own[] = {{4, {192, 0, 2, 1}}, {4, {127, 0, 0, 1}}};

static unsigned utc_week_minute(int64_t t, void *ctx)
{
    (void)ctx;
    return (unsigned)((t / 60 + 3 * 1440) % 10080);
}

static struct policy_rule *add(int64_t id, const char *owner, int64_t position,
                               enum policy_action action, const char *target)
{
    struct policy_rule *r = &rules[rule_count++];

    memset(r, 0, sizeof(*r));
    r->id = id;
    r->is_group = owner[0] == 'g';
    r->position = position;
    r->action = action;
    snprintf(r->owner, sizeof(r->owner), "%s", owner);
    assert_int_equal(policy_parse_target(target, &r->target, NULL), 0);
    return r;
}

static struct policy_rule *allow(int64_t id, const char *owner, int64_t position,
                                 const char *target)
{
    return add(id, owner, position, POLICY_ACTION_ALLOW, target);
}

static struct policy_rule *deny(int64_t id, const char *owner, int64_t position, const char *target)
{
    return add(id, owner, position, POLICY_ACTION_DENY, target);
}

static struct policy_input input(void)
{
    return (struct policy_input){.generation = 7,
                                 .users = users,
                                 .user_count = COUNT(users),
                                 .members = members,
                                 .member_count = COUNT(members),
                                 .rules = rules,
                                 .rule_count = rule_count,
                                 .own = own,
                                 .own_count = COUNT(own),
                                 .week_minute = utc_week_minute};
}

static struct policy *compile(void)
{
    struct policy_input in = input();
    struct policy *p = NULL;
    struct fault f = {0};

    if (policy_compile(&in, &p, &f) != 0)
        fail_msg("%s", f.text);
    rule_count = 0;
    return p;
}

static struct policy_verdict ask_at(const struct policy *p, const char *user, const char *host,
                                    const char *ip, uint16_t port, int64_t now)
{
    struct policy_query q = {.user = user, .port = port, .now = now};
    struct policy_verdict v;
    struct addr_host h;
    struct addr_ip resolved;

    assert_int_equal(addr_parse_ip("198.51.100.7", 12, &q.source), 0);
    assert_int_equal(addr_parse_host(host, strlen(host), &h), 0);
    q.host = &h;
    if (ip != NULL) {
        assert_int_equal(addr_parse_ip(ip, strlen(ip), &resolved), 0);
        q.ip = &resolved;
    }
    policy_evaluate(p, &q, &v);
    return v;
}

static void expect(const struct policy *p, const char *host, const char *ip, uint16_t port,
                   enum policy_answer answer, enum policy_reason reason, int64_t rule)
{
    struct policy_verdict v = ask_at(p, "alice", host, ip, port, MONDAY);

    assert_int_equal(v.answer, answer);
    assert_string_equal(policy_reason_word(v.reason), policy_reason_word(reason));
    assert_int_equal(v.rule != NULL ? v.rule->id : 0, rule);
}

/* ---- order -------------------------------------------------------------------------------------- */

static void first_rule_that_applies_decides(void **state)
{
    struct policy *p;

    (void)state;
    deny(1, "alice", 2, "10.0.0.5:80");
    allow(2, "alice", 1, "10.0.0.0/24:80");
    deny(3, "alice", 1, "10.0.0.0/24:80"); /* same position: the lower id is first */
    p = compile();
    expect(p, "10.0.0.5", NULL, 80, POLICY_ALLOW, POLICY_BY_RULE, 2);
    expect(p, "10.0.1.5", NULL, 80, POLICY_DENY, POLICY_BY_DEFAULT, 0);
    expect(p, "10.0.0.5", NULL, 81, POLICY_DENY, POLICY_BY_DEFAULT, 0);
    policy_unref(p);
}

static void own_rules_come_before_group_rules_and_groups_mix_by_position(void **state)
{
    struct policy *p;

    (void)state;
    allow(1, "g2", 1, "10.0.0.1:80");
    deny(2, "g1", 2, "10.0.0.1:80");
    deny(3, "g2", 1, "10.0.0.2:80");
    allow(4, "g1", 1, "10.0.0.2:80");
    deny(5, "g1", 1, "10.0.0.3:80");
    allow(6, "alice", 9, "10.0.0.3:80");
    p = compile();
    expect(p, "10.0.0.1", NULL, 80, POLICY_ALLOW, POLICY_BY_RULE, 1);
    expect(p, "10.0.0.2", NULL, 80, POLICY_DENY, POLICY_BY_RULE, 3);
    expect(p, "10.0.0.3", NULL, 80, POLICY_ALLOW, POLICY_BY_RULE, 6);
    policy_unref(p);
}

static void user_names_are_case_sensitive_and_disabled_users_get_nothing(void **state)
{
    struct policy *p;

    (void)state;
    allow(1, "alice", 1, "10.0.0.1:80");
    allow(2, "off", 1, "10.0.0.1:80");
    p = compile();
    assert_int_equal(ask_at(p, "alice", "10.0.0.1", NULL, 80, 0).answer, POLICY_ALLOW);
    assert_int_equal(ask_at(p, "Alice", "10.0.0.1", NULL, 80, 0).reason, POLICY_BY_DEFAULT);
    assert_int_equal(ask_at(p, "off", "10.0.0.1", NULL, 80, 0).reason, POLICY_USER_DISABLED);
    assert_int_equal(ask_at(p, "nobody", "10.0.0.1", NULL, 80, 0).reason, POLICY_NO_USER);
    assert_null(policy_find_user(p, "ALICE"));
    assert_non_null(policy_find_user(p, "off"));
    policy_unref(p);
}

/* ---- names and addresses ------------------------------------------------------------------------ */

static void name_is_resolved_only_if_some_rule_could_allow_it(void **state)
{
    struct policy *p;

    (void)state;
    allow(1, "alice", 1, "mail:110");
    deny(2, "alice", 2, "evil:110");
    allow(3, "alice", 3, "10.0.0.0/8:443");
    p = compile();
    expect(p, "mail", NULL, 110, POLICY_NEEDS_ADDRESS, POLICY_UNRESOLVED, 1);
    expect(p, "evil", NULL, 110, POLICY_DENY, POLICY_BY_RULE, 2);
    expect(p, "other", NULL, 110, POLICY_DENY, POLICY_BY_DEFAULT, 0);
    expect(p, "other", NULL, 443, POLICY_NEEDS_ADDRESS, POLICY_UNRESOLVED, 3);
    expect(p, "MAIL.", "10.9.9.9", 110, POLICY_ALLOW, POLICY_BY_RULE, 1);
    expect(p, "10.9.9.9", NULL, 110, POLICY_DENY, POLICY_BY_DEFAULT, 0);
    expect(p, "other", "10.1.1.1", 443, POLICY_ALLOW, POLICY_BY_RULE, 3);
    expect(p, "other", "11.1.1.1", 443, POLICY_DENY, POLICY_BY_DEFAULT, 0);
    policy_unref(p);
}

static void special_addresses_must_be_named(void **state)
{
    struct policy *p;

    (void)state;
    allow(1, "alice", 1, "mail:110");
    allow(2, "alice", 2, "localhost:80");
    allow(3, "alice", 3, "0.0.0.0/0:443");
    allow(4, "alice", 4, "[::/0]:443");
    allow(5, "alice", 5, "127.0.0.0/8:22");
    allow(6, "alice", 6, "192.0.2.0/24:8080");
    allow(7, "alice", 7, "192.0.2.1:8081");
    deny(8, "alice", 8, "0.0.0.0/0:9");
    p = compile();
    expect(p, "mail", "127.0.0.1", 110, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 1);
    expect(p, "mail", "169.254.169.254", 110, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 1);
    expect(p, "mail", "::ffff:10.0.0.1", 110, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 1);
    expect(p, "mail", "192.0.2.1", 110, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 1);
    expect(p, "localhost", "127.0.0.1", 80, POLICY_ALLOW, POLICY_BY_RULE, 2);
    expect(p, "localhost", "::1", 80, POLICY_ALLOW, POLICY_BY_RULE, 2);
    expect(p, "localhost", "169.254.0.1", 80, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 2);
    expect(p, "127.0.0.1", NULL, 443, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 3);
    expect(p, "64:ff9b::7f00:1", NULL, 443, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 4);
    expect(p, "2002:7f00:1::", NULL, 443, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 4);
    expect(p, "127.0.0.9", NULL, 22, POLICY_ALLOW, POLICY_BY_RULE, 5);
    expect(p, "192.0.2.1", NULL, 8080, POLICY_DENY, POLICY_SPECIAL_ADDRESS, 6);
    expect(p, "192.0.2.2", NULL, 8080, POLICY_ALLOW, POLICY_BY_RULE, 6);
    expect(p, "192.0.2.1", NULL, 8081, POLICY_ALLOW, POLICY_BY_RULE, 7);
    expect(p, "127.0.0.1", NULL, 9, POLICY_DENY, POLICY_BY_RULE, 8);
    policy_unref(p);
}

static void mapped_source_counts_as_the_ipv4_address_it_carries(void **state)
{
    struct policy_query q = {.user = "alice", .port = 80, .now = MONDAY};
    struct addr_host host;
    struct policy_verdict v;
    struct policy_rule *r;
    struct policy *p;

    (void)state;
    r = allow(1, "alice", 1, "10.0.0.1:80");
    r->has_from = true;
    assert_int_equal(addr_parse_cidr("192.0.2.0/24", 12, &r->from), 0);
    p = compile();
    assert_int_equal(addr_parse_host("10.0.0.1", 8, &host), 0);
    q.host = &host;
    assert_int_equal(addr_parse_ip("::ffff:192.0.2.9", 16, &q.source), 0);
    policy_evaluate(p, &q, &v);
    assert_int_equal(v.answer, POLICY_ALLOW);
    policy_unref(p);
}

static void address_other_than_the_requested_literal_is_denied(void **state)
{
    struct policy *p;

    (void)state;
    allow(1, "alice", 1, "10.0.0.0/8:80");
    p = compile();
    expect(p, "10.0.0.1", "10.0.0.1", 80, POLICY_ALLOW, POLICY_BY_RULE, 1);
    expect(p, "10.0.0.1", "10.0.0.2", 80, POLICY_DENY, POLICY_BY_DEFAULT, 0);
    policy_unref(p);
}

/* ---- keys --------------------------------------------------------------------------------------- */

static void keys_belong_to_one_user_each(void **state)
{
    static const uint8_t blob[] = {1, 2, 3}, other[] = {1, 2, 4};
    const struct policy_key keys[] = {
        {.id = 1, .user = "alice", .blob = blob, .blob_len = 3, .state = POLICY_KEY_REVOKED},
        {.id = 2, .user = "off", .blob = blob, .blob_len = 3},
    };
    struct policy_input in = input();
    struct policy *p = NULL;

    (void)state;
    in.rule_count = 0;
    in.keys = keys;
    in.key_count = COUNT(keys);
    assert_int_equal(policy_compile(&in, &p, NULL), 0);
    assert_int_equal(policy_find_key(p, "alice", blob, 3)->id, 1);
    assert_int_equal(policy_find_key(p, "alice", blob, 3)->state, POLICY_KEY_REVOKED);
    assert_int_equal(policy_find_key(p, "off", blob, 3)->id, 2);
    assert_ptr_not_equal(policy_find_key(p, "off", blob, 3)->blob, blob);
    assert_null(policy_find_key(p, "Alice", blob, 3));
    assert_null(policy_find_key(p, "alice", other, 3));
    assert_null(policy_find_key(p, "alice", blob, 2));
    policy_unref(p);
}

/* ---- compiling ---------------------------------------------------------------------------------- */

static void contradictory_input_is_refused_with_a_sentence(void **state)
{
    static const struct policy_user twice[] = {{.name = "a", .enabled = true},
                                               {.name = "a", .enabled = true}};
    static const struct policy_member stranger[] = {{"g", "nobody"}};
    struct policy_input in = input();
    struct policy *p = NULL;
    struct fault f = {0};

    (void)state;
    in.users = twice;
    in.user_count = 2;
    in.member_count = 0;
    assert_int_equal(policy_compile(&in, &p, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "'a'"));
    in = input();
    in.members = stranger;
    in.member_count = 1;
    assert_int_equal(policy_compile(&in, &p, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "nobody"));
    allow(5, "alice", 1, "10.0.0.1:80");
    allow(5, "alice", 2, "10.0.0.1:80");
    in = input();
    assert_int_equal(policy_compile(&in, &p, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "5"));
    rules[1].id = 6;
    rules[1].target.port_last = 1;
    assert_int_equal(policy_compile(&in, &p, &f), PRA_EINVAL);
    rules[1].target.port_last = 80;
    snprintf(rules[1].owner, sizeof(rules[1].owner), "bob");
    assert_int_equal(policy_compile(&in, &p, &f), PRA_EINVAL);
    assert_null(p);
    rule_count = 0;
}

static void snapshot_lives_as_long_as_its_last_reference(void **state)
{
    struct policy *p, *again;

    (void)state;
    allow(1, "alice", 1, "10.0.0.1:80");
    p = compile();
    again = policy_ref(p);
    policy_unref(p);
    assert_int_equal(policy_generation(again), 7);
    assert_int_equal(policy_find_rule(again, "alice", 1)->id, 1);
    assert_null(policy_find_rule(again, "alice", 2));
    policy_unref(again);
    policy_unref(NULL);
}

/* ---- forwards ----------------------------------------------------------------------------------- */

static bool note_id(const struct policy_rule *rule, void *ctx)
{
    char *list = ctx;
    size_t len = strlen(list);

    snprintf(list + len, 256 - len, "%lld ", (long long)rule->id);
    return rule->id != 99;
}

static void give_local(struct policy_rule *r, const char *local)
{
    assert_int_equal(policy_parse_local(local, &r->local, NULL), 0);
}

static const char *forwards(const struct policy *p, const char *user)
{
    static const struct addr_ip source = {4, {198, 51, 100, 7}};
    static char list[256];

    list[0] = '\0';
    policy_each_forward(p, user, &source, MONDAY, note_id, list);
    return list;
}

static void forwards_are_what_would_be_allowed_each_local_port_once(void **state)
{
    struct policy *p;

    (void)state;
    give_local(allow(1, "alice", 1, "mail:110"), "110");
    give_local(allow(2, "alice", 2, "mail2:110"), "127.0.0.1:110"); /* taken */
    give_local(allow(3, "alice", 3, "mail2:110"), "127.0.0.2:110");
    allow(4, "alice", 4, "10.0.0.0/8:25"); /* no forward */
    deny(5, "alice", 5, "web:80");
    give_local(allow(6, "alice", 6, "web:80"), "8080"); /* denied before */
    give_local(allow(7, "alice", 7, "web:81"), "8081");
    rules[6].expires = MONDAY;
    give_local(allow(8, "g1", 1, "shared:80"), "8082");
    give_local(allow(9, "g2", 1, "shared:81"), "8083");
    give_local(allow(10, "off", 1, "x:1"), "1");
    p = compile();
    assert_string_equal(forwards(p, "alice"), "1 3 8 9 ");
    assert_string_equal(forwards(p, "off"), "");
    assert_string_equal(forwards(p, "nobody"), "");
    policy_unref(p);
}

static void delivery_stops_when_told_to(void **state)
{
    struct policy *p;

    (void)state;
    give_local(allow(99, "alice", 1, "mail:110"), "110");
    give_local(allow(100, "g1", 1, "mail:111"), "111");
    p = compile();
    assert_string_equal(forwards(p, "alice"), "99 ");
    policy_unref(p);
}

/* ---- time --------------------------------------------------------------------------------------- */

/* Central European time around the end of summer time, 2026-10-25T01:00:00Z. */
#define CLOCKS_BACK 1792890000
static unsigned berlin_week_minute(int64_t t, void *ctx)
{
    (void)ctx;
    return utc_week_minute(t + (t < CLOCKS_BACK ? 7200 : 3600), NULL);
}

static void next_change_knows_hours_and_expiry(void **state)
{
    struct policy_rule *r;
    struct policy *p;

    (void)state;
    allow(1, "alice", 1, "10.0.0.1:80");
    p = compile();
    assert_true(policy_next_change(p, MONDAY) == INT64_MAX);
    policy_unref(p);

    r = allow(1, "alice", 1, "10.0.0.1:80");
    assert_int_equal(policy_parse_hours("Mon-Fri 08:00-19:00", &r->hours, NULL), 0);
    r = allow(2, "alice", 2, "10.0.0.1:81");
    r->expires = MONDAY + 3600;
    p = compile();
    assert_int_equal(policy_next_change(p, MONDAY), MONDAY + 3600);
    assert_int_equal(policy_next_change(p, MONDAY + 3600), MONDAY + 8 * 3600);
    assert_int_equal(policy_next_change(p, MONDAY + 8 * 3600), MONDAY + 19 * 3600);
    assert_int_equal(policy_next_change(p, MONDAY + 8 * 3600 - 1), MONDAY + 8 * 3600);
    /* Friday evening to Monday morning. */
    assert_int_equal(policy_next_change(p, MONDAY + (4 * 24 + 19) * 3600),
                     MONDAY + (7 * 24 + 8) * 3600);
    assert_int_equal(ask_at(p, "alice", "10.0.0.1", NULL, 80, MONDAY + 8 * 3600).answer,
                     POLICY_ALLOW);
    assert_int_equal(ask_at(p, "alice", "10.0.0.1", NULL, 80, MONDAY + 19 * 3600).answer,
                     POLICY_DENY);
    assert_int_equal(ask_at(p, "alice", "10.0.0.1", NULL, 81, MONDAY + 3599).answer, POLICY_ALLOW);
    assert_int_equal(ask_at(p, "alice", "10.0.0.1", NULL, 81, MONDAY + 3600).answer, POLICY_DENY);
    policy_unref(p);
}

static void next_change_stops_where_the_clocks_change(void **state)
{
    struct policy_input in;
    struct policy_rule *r;
    struct policy *p = NULL;

    (void)state;
    r = allow(1, "alice", 1, "10.0.0.1:80");
    assert_int_equal(policy_parse_hours("Sun 02:30-06:00", &r->hours, NULL), 0);
    in = input();
    in.week_minute = berlin_week_minute;
    assert_int_equal(policy_compile(&in, &p, NULL), 0);
    rule_count = 0;
    /* 02:30 summer time is half an hour before the change, and comes again half an hour after. */
    assert_int_equal(policy_next_change(p, CLOCKS_BACK - 7200), CLOCKS_BACK - 1800);
    assert_int_equal(policy_next_change(p, CLOCKS_BACK - 1800), CLOCKS_BACK);
    assert_int_equal(policy_next_change(p, CLOCKS_BACK), CLOCKS_BACK + 1800);
    policy_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_rule_that_applies_decides),
        cmocka_unit_test(own_rules_come_before_group_rules_and_groups_mix_by_position),
        cmocka_unit_test(user_names_are_case_sensitive_and_disabled_users_get_nothing),
        cmocka_unit_test(name_is_resolved_only_if_some_rule_could_allow_it),
        cmocka_unit_test(special_addresses_must_be_named),
        cmocka_unit_test(mapped_source_counts_as_the_ipv4_address_it_carries),
        cmocka_unit_test(address_other_than_the_requested_literal_is_denied),
        cmocka_unit_test(keys_belong_to_one_user_each),
        cmocka_unit_test(contradictory_input_is_refused_with_a_sentence),
        cmocka_unit_test(snapshot_lives_as_long_as_its_last_reference),
        cmocka_unit_test(forwards_are_what_would_be_allowed_each_local_port_once),
        cmocka_unit_test(delivery_stops_when_told_to),
        cmocka_unit_test(next_change_knows_hours_and_expiry),
        cmocka_unit_test(next_change_stops_where_the_clocks_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
