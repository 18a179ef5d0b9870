/* Control messages: what we say has the protocol's members, what the gateway says is taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/control.h"
#include "common/format.h"

#define FORTY "0123456789012345678901234567890123456789"

/* What the handlers were called with, as one line per call. */
static char heard[1024];

static void hear(const char *fmt, ...) FORMAT_PRINTF(1, 2);

static void hear(const char *fmt, ...)
{
    size_t len = strlen(heard);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(heard + len, sizeof(heard) - len, fmt, ap);
    va_end(ap);
}

static void on_welcome(void *arg, const struct control_welcome *w)
{
    (void)arg;
    hear("welcome %s %s %s %lld %u", w->session, w->version, w->source, (long long)w->clock,
         w->connections);
}

static void on_refused(void *arg, enum cause cause, const char *detail)
{
    (void)arg;
    hear("refused %s %s", cause_word(cause), detail);
}

static void on_rules(void *arg, struct plan *plan)
{
    (void)arg;
    hear("rules %lld %zu", (long long)plan->version, plan->count);
    plan_free(plan);
}

static void on_open_failed(void *arg, const struct control_channel *c)
{
    (void)arg;
    hear("open-failed %u %s %s %s", c->origin_port, c->target, c->reason, c->detail);
}

static void on_cut(void *arg, const struct control_channel *c)
{
    (void)arg;
    hear("cut %u %s %lld %s", c->origin_port, c->name, (long long)c->rule, c->reason);
}

static void on_notice(void *arg, const struct control_notice *n)
{
    (void)arg;
    hear("notice %s clock=%d %lld %lld", cause_word(n->cause), n->clock, (long long)n->seconds,
         (long long)n->retry_in);
}

static void on_explained(void *arg, int64_t id, const json_t *answer)
{
    (void)arg;
    (void)answer;
    hear("explained %lld", (long long)id);
}

static void on_joined(void *arg, const char *session)
{
    (void)arg;
    hear("joined %s", session);
}

static void on_join_token(void *arg, const struct control_join_token *t)
{
    (void)arg;
    hear("join-token %lld %s %s", (long long)t->id, t->token != NULL ? t->token : "none",
         t->reason);
}

static void on_ticket(void *arg, const char *ticket)
{
    (void)arg;
    hear("ticket %s", ticket);
}

static void on_log(void *arg, const struct control_log *l)
{
    (void)arg;
    hear("log %lld %d %lld %s%s", (long long)l->id, (int)l->state, (long long)l->bytes, l->reason,
         l->bundle);
}

static const struct control_handler handler = {
    on_welcome,     on_refused, on_joined, on_join_token, on_ticket, on_rules,
    on_open_failed, on_cut,     on_notice, on_explained,  on_log};

static int dispatch(const char *json, struct fault *f)
{
    json_t *msg = json_loads(json, 0, NULL);
    int rc;

    assert_non_null(msg);
    heard[0] = '\0';
    rc = control_dispatch(msg, &handler, NULL, f);
    json_decref(msg);
    return rc;
}

static void expect(const char *json, const char *expected)
{
    struct fault f = {0};

    if (dispatch(json, &f) != 0)
        fail_msg("%s: %s", json, f.text);
    assert_string_equal(heard, expected);
}

static void every_message_reaches_its_handler(void **state)
{
    (void)state;
    expect("{\"type\":\"welcome\",\"session\":\"ab\",\"version\":\"1\",\"clock\":"
           "\"2026-11-22T10:00:00Z\",\"user\":\"u\",\"source\":\"192.0.2.7\"}",
           "welcome ab 1 192.0.2.7 1795341600 1");
    expect("{\"type\":\"welcome\",\"session\":\"ab\",\"clock\":\"2026-11-22T10:00:00Z\","
           "\"connections\":4}",
           "welcome ab   1795341600 4");
    expect("{\"type\":\"joined\",\"session\":\"ab\"}", "joined ab");
    expect("{\"type\":\"join-token\",\"id\":7,\"token\":\"00ff\",\"seconds\":30}",
           "join-token 7 00ff ");
    expect("{\"type\":\"join-token\",\"id\":8,\"token\":null,\"reason\":\"limit\"}",
           "join-token 8 none limit");
    expect("{\"type\":\"rules\",\"version\":3,\"rules\":[]}", "rules 3 0");
    expect("{\"type\":\"open-failed\",\"origin_port\":5,\"target\":\"m:1\",\"reason\":\"dns\","
           "\"detail\":\"no such name\",\"rule\":0}",
           "open-failed 5 m:1 dns no such name");
    expect("{\"type\":\"cut\",\"origin_port\":65535,\"target\":\"m:1\",\"rule\":9,\"name\":\"POP\","
           "\"reason\":\"rule-removed\"}",
           "cut 65535 POP 9 rule-removed");
    expect("{\"type\":\"explained\",\"id\":4}", "explained 4");
    expect("{\"type\":\"log\",\"id\":4,\"state\":\"more\",\"bytes\":9}", "log 4 1 9 ");
    expect("{\"type\":\"log\",\"id\":4,\"state\":\"refused\",\"reason\":\"often\",\"bundle\":null}",
           "log 4 3 0 often");
}

static void reasons_become_causes(void **state)
{
    (void)state;
    expect("{\"type\":\"refused\",\"reason\":\"user-disabled\"}", "refused account-disabled ");
    expect("{\"type\":\"refused\",\"reason\":\"no-rules\",\"detail\":\"x\"}", "refused no-rules x");
    expect("{\"type\":\"refused\",\"reason\":\"weak-key\"}", "refused key-weakly-bound ");
    expect("{\"type\":\"notice\",\"kind\":\"shutdown\",\"retry_in\":5}",
           "notice gateway-shutdown clock=0 0 5");
    expect("{\"type\":\"notice\",\"kind\":\"key-revoked\",\"retry_in\":null}",
           "notice key-revoked clock=0 0 0");
    expect("{\"type\":\"notice\",\"kind\":\"clock\",\"seconds\":-7200}",
           "notice wanted clock=1 -7200 0");
}

static void later_versions_are_understood_as_far_as_possible(void **state)
{
    (void)state;
    expect("{\"type\":\"weather\",\"sunny\":true}", "");
    expect("{\"type\":\"notice\",\"kind\":\"weather\"}", "notice wanted clock=0 0 0");
    expect("{\"type\":\"refused\",\"reason\":\"weather\"}", "refused account-disabled ");
    expect("{\"type\":\"explained\",\"id\":4,\"more\":[1]}", "explained 4");
}

static void malformed_messages_reach_nobody_and_are_named(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"type\":7}",
        "{\"type\":\"welcome\",\"session\":\"x\"}",
        "{\"type\":\"welcome\",\"session\":\"x\",\"clock\":\"noon\"}",
        "{\"type\":\"cut\",\"origin_port\":65536,\"target\":\"m:1\",\"reason\":\"x\"}",
        "{\"type\":\"cut\",\"origin_port\":-1,\"target\":\"m:1\",\"reason\":\"x\"}",
        "{\"type\":\"cut\",\"origin_port\":1,\"target\":7,\"reason\":\"x\"}",
        "{\"type\":\"rules\",\"version\":1,\"rules\":[{}]}",
        "{\"type\":\"notice\"}",
        "{\"type\":\"explained\",\"id\":\"4\"}",
        "{\"type\":\"welcome\",\"session\":\"x\",\"clock\":\"2026-11-22T10:00:00Z\","
        "\"connections\":0}",
        "{\"type\":\"joined\"}",
        "{\"type\":\"join-token\",\"token\":\"00\"}",
        "{\"type\":\"join-token\",\"id\":1,\"token\":7}",
        "{\"type\":\"join-token\",\"id\":1,\"token\":\"" FORTY FORTY "\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fault f = {0};

        assert_int_equal(dispatch(bad[i], &f), PRA_EINVAL);
        assert_string_equal(heard, "");
        assert_non_null(strstr(f.text, "member"));
    }
}

static void hello_has_the_members_of_the_protocol(void **state)
{
    static const char *const members[] = {"proto", "version", "os",      "machine",
                                          "clock", "lang",    "binding", "log_heads"};
    struct chainlog_head system = {.lines = 5}, user = {.lines = 6};
    json_t *m = control_hello(&(struct control_hello){
        .machine = "0123456789abcdef", .weak = true, .system = &system, .user = &user});
    const json_t *heads = json_object_get(m, "log_heads");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(m, "type")), "hello");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        assert_non_null(json_object_get(m, members[i]));
    assert_string_equal(json_string_value(json_object_get(m, "binding")), "weak");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(heads, "user"), "lines")),
                     6);
    assert_int_equal(
        strlen(json_string_value(json_object_get(json_object_get(heads, "system"), "hash"))), 64);
    json_decref(m);
}

static void join_says_session_and_token(void **state)
{
    json_t *join = control_join("ab", "00ff"), *ask = control_join_token(3, "load");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(join, "type")), "join");
    assert_string_equal(json_string_value(json_object_get(join, "session")), "ab");
    assert_string_equal(json_string_value(json_object_get(join, "token")), "00ff");
    assert_string_equal(json_string_value(json_object_get(ask, "type")), "join-token");
    assert_int_equal(json_integer_value(json_object_get(ask, "id")), 3);
    assert_string_equal(json_string_value(json_object_get(ask, "why")), "load");
    json_decref(join);
    json_decref(ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_reaches_its_handler),
        cmocka_unit_test(reasons_become_causes),
        cmocka_unit_test(later_versions_are_understood_as_far_as_possible),
        cmocka_unit_test(malformed_messages_reach_nobody_and_are_named),
        cmocka_unit_test(hello_has_the_members_of_the_protocol),
        cmocka_unit_test(join_says_session_and_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
