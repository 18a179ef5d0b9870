/* Administration: users, groups, keys, malformed requests, batches, audit, snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/server/admin_support.h"

/* ---- users and groups --------------------------------------------------------------------------- */

static void users_are_added_listed_disabled_and_deleted(void **state)
{
    json_t *list, *user;

    (void)state;
    done("user.add", json_pack("{s:s, s:s}", "name", "alice", "full-name", "鈴木 花子"));
    add_user("Alice");
    refused("user.add", json_pack("{s:s}", "name", "alice"), "exists", "'alice'");
    done("group.add", json_pack("{s:s}", "name", "sales"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "sales", "user", "alice"));
    done("user.disable", json_pack("{s:s}", "name", "alice"));
    list = ok("user.list", json_object());
    assert_int_equal(json_array_size(list), 2);
    user = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(user, "name")), "alice");
    assert_true(json_is_false(json_object_get(user, "enabled")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(user, "groups"), 0)),
                        "sales");
    json_decref(list);
    done("user.enable", json_pack("{s:s}", "name", "alice"));
    done("user.delete", json_pack("{s:s}", "name", "alice"));
    refused("user.delete", json_pack("{s:s}", "name", "alice"), "not-found", "'alice'");
    refused("user.enable", json_pack("{s:s}", "name", "alice"), "not-found", "'alice'");
}

static void names_that_would_confuse_are_refused(void **state)
{
    static const char *const bad[] = {"",    "a b", "a/b",     "a:b",     "a@b",
                                      "-a",  ".",   "..",      "a\n",     "\x7f",
                                      "\"a", "a\\", "a\u200b", "\u202ea", "a\u3000b"};
    char longest[POLICY_NAME_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refused("user.add", json_pack("{s:s}", "name", bad[i]), "invalid", "name");
        refused("group.add", json_pack("{s:s}", "name", bad[i]), "invalid", "name");
    }
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    refused("user.add", json_pack("{s:s}", "name", longest), "invalid", "64");
    longest[POLICY_NAME_MAX] = '\0';
    add_user(longest);
    add_user("すずき");
}

static void members_come_and_go_with_limits(void **state)
{
    char name[16];

    (void)state;
    add_user("alice");
    refused("group.member.add", json_pack("{s:s, s:s}", "group", "g", "user", "alice"), "not-found",
            "group 'g'");
    for (int i = 0; i <= POLICY_GROUPS_MAX; i++) {
        snprintf(name, sizeof(name), "g%d", i);
        done("group.add", json_pack("{s:s}", "name", name));
        if (i < POLICY_GROUPS_MAX)
            done("group.member.add", json_pack("{s:s, s:s}", "group", name, "user", "alice"));
    }
    refused("group.member.add", json_pack("{s:s, s:s}", "group", name, "user", "alice"), "invalid",
            "64 groups");
    refused("group.member.add", json_pack("{s:s, s:s}", "group", "g1", "user", "alice"), "invalid",
            "64");
    done("group.member.remove", json_pack("{s:s, s:s}", "group", "g1", "user", "alice"));
    refused("group.member.remove", json_pack("{s:s, s:s}", "group", "g1", "user", "alice"),
            "not-found", "'g1'");
    done("group.member.add", json_pack("{s:s, s:s}", "group", "g1", "user", "alice"));
    done("group.delete", json_pack("{s:s}", "name", "g1"));
    refused("group.delete", json_pack("{s:s}", "name", "g1"), "not-found", "g1");
}

/* ---- keys --------------------------------------------------------------------------------------- */

static void keys_are_registered_revoked_and_only_deliberately_taken_back(void **state)
{
    const struct policy_key *found;
    struct sshkey_public pub;
    struct policy *p;
    json_t *key, *list;

    (void)state;
    add_user("alice");
    add_user("bob");
    assert_int_equal(sshkey_parse_line(KEY_LINE, strlen(KEY_LINE), &pub, NULL), 0);
    key = ok("key.add", key_args("alice", KEY_LINE));
    assert_string_equal(json_string_value(json_object_get(key, "fingerprint")), KEY_PRINT);
    assert_string_equal(json_string_value(json_object_get(key, "comment")), "alice@pc");
    json_decref(key);
    refused("key.add", key_args("alice", KEY_LINE), "exists", KEY_PRINT);
    refused("key.add", key_args("nobody", KEY_LINE), "not-found", "'nobody'");
    done("key.add", key_args("bob", KEY_LINE));
    list = ok("key.revoke", json_pack("{s:s, s:s}", "fingerprint", KEY_PRINT, "user", "alice"));
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    p = admin_policy(a);
    found = policy_find_key(p, "alice", pub.blob, pub.blob_len);
    assert_int_equal(found->state, POLICY_KEY_REVOKED);
    found = policy_find_key(p, "bob", pub.blob, pub.blob_len);
    assert_int_equal(found->state, POLICY_KEY_ACTIVE);
    policy_unref(p);
    refused("key.revoke", json_pack("{s:s, s:s}", "fingerprint", KEY_PRINT, "user", "alice"),
            "exists", "already");
    refused("key.add", key_args("alice", KEY_LINE), "exists", "revoked");
    done("key.add",
         json_pack("{s:s, s:s, s:b}", "user", "alice", "line", KEY_LINE, "reactivate", 1));
    list = ok("key.revoke", json_pack("{s:s}", "fingerprint", KEY_PRINT));
    assert_int_equal(json_array_size(list), 2); /* the key itself, whoever's */
    json_decref(list);
    done("key.restore", json_pack("{s:s, s:s}", "fingerprint", KEY_PRINT, "user", "alice"));
    refused("key.restore", json_pack("{s:s, s:s}", "fingerprint", KEY_PRINT, "user", "alice"),
            "exists", "not revoked");
    refused("key.restore", json_pack("{s:s, s:s}", "fingerprint", KEY_PRINT, "user", "nobody"),
            "not-found", "nobody");
    refused("key.revoke", json_pack("{s:s}", "fingerprint", "SHA256:none"), "not-found", "none");
}

static void broken_key_lines_name_the_argument(void **state)
{
    static const char *const bad[] = {"", "x", "ssh-ed25519 AAAA a", "ssh-dss AAAA a",
                                      "command=\"x\" " KEY_LINE};

    (void)state;
    add_user("alice");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused("key.add", key_args("alice", bad[i]), "invalid", "line");
}

static void what_a_device_said_shows_in_the_list(void **state)
{
    json_t *list, *key;
    int64_t id;

    (void)state;
    add_user("alice");
    id = id_of(ok("key.add", key_args("alice", KEY_LINE)));
    assert_int_equal(admin_note_device(a, id, "tag", "0.1", "Debian", "weak", 1795000000), 0);
    assert_int_equal(admin_note_device(a, id + 9, "tag", "0.1", "Debian", "weak", 1), 0);
    list = ok("key.list", json_object());
    key = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(key, "os")), "Debian");
    assert_string_equal(json_string_value(json_object_get(key, "seen")), "2026-11-18T11:06:40Z");
    json_decref(list);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void malformed_requests_are_refused_by_name(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"op\":5}",
        "{\"op\":\"no.such\"}",
        "{\"op\":\"user.add\"}",
        "{\"op\":\"user.add\",\"args\":[]}",
        "{\"op\":\"user.add\",\"args\":{\"name\":5}}",
        "{\"op\":\"user.add\",\"args\":{\"name\":\"a\",\"colour\":\"red\"}}",
        "{\"op\":\"user.add\",\"args\":{\"name\":\"a\"},\"extra\":1}",
        "{\"op\":\"rule.delete\",\"args\":{\"id\":\"1\"}}",
        "{\"op\":\"rule.delete\",\"args\":{\"id\":-1}}",
        "{\"op\":\"user.add\",\"args\":{\"name\":\"a\",\"disabled\":1}}",
        "{\"batch\":5}",
        "{\"batch\":[5]}",
        "{\"batch\":[{\"op\":\"user.list\"}]}",
        "{\"batch\":[{\"op\":\"no.such\"}]}",
        "{\"batch\":[{\"op\":\"user.add\"}]}",
        "{\"batch\":[],\"op\":\"user.list\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *answer = ask_raw(json_loads(bad[i], 0, NULL));
        json_t *error = json_object_get(answer, "error");

        if (!json_is_false(json_object_get(answer, "ok")) ||
            strcmp(json_string_value(json_object_get(error, "code")), "invalid") != 0)
            fail_msg("%s: %s", bad[i], json_dumps(answer, 0));
        json_decref(answer);
    }
    refused("user.add", json_pack("{s:s%}", "name", "a\0b", (size_t)3), "invalid", "NUL");
}

static void batch_is_all_or_nothing(void **state)
{
    json_t *answer, *list;
    struct policy *before, *after;

    (void)state;
    before = admin_policy(a);
    answer = ask_raw(json_loads("{\"batch\":[{\"op\":\"user.add\",\"args\":{\"name\":\"a\"}},"
                                "{\"op\":\"user.add\",\"args\":{\"name\":\"a\"}}]}",
                                0, NULL));
    assert_non_null(
        strstr(json_string_value(json_object_get(json_object_get(answer, "error"), "message")),
               "request 2"));
    json_decref(answer);
    list = ok("user.list", json_object());
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    answer = ask_raw(json_loads("{\"batch\":[{\"op\":\"user.add\",\"args\":{\"name\":\"a\"}},"
                                "{\"op\":\"rule.add\",\"args\":{\"user\":\"a\",\"name\":\"x\","
                                "\"target\":\"mail:1\"}}]}",
                                0, NULL));
    assert_true(json_is_true(json_object_get(answer, "ok")));
    assert_int_equal(json_array_size(json_object_get(answer, "result")), 2);
    json_decref(answer);
    after = admin_policy(a);
    assert_int_equal(policy_generation(after), policy_generation(before) + 1);
    assert_non_null(policy_find_user(after, "a"));
    policy_unref(before);
    policy_unref(after);
}

/* ---- audit and snapshots ------------------------------------------------------------------------ */

static void changes_and_refused_attempts_are_audited(void **state)
{
    json_t *page, *first, *second;

    (void)state;
    add_user("alice");
    refused("user.add", json_pack("{s:s}", "name", "a\"\n"), "invalid", "name");
    page = ok("audit.list", json_pack("{s:s}", "kind", "admin"));
    assert_int_equal(json_array_size(page), 2);
    first = json_array_get(page, 1);
    second = json_array_get(page, 0);
    assert_string_equal(json_string_value(json_object_get(first, "user")), "root");
    assert_string_equal(json_string_value(json_object_get(first, "reason")), "done");
    assert_string_equal(json_string_value(json_object_get(first, "detail")), "user.add name=alice");
    assert_string_equal(json_string_value(json_object_get(second, "reason")), "invalid");
    assert_non_null(strstr(json_string_value(json_object_get(second, "detail")), "\\x0a"));
    json_decref(page);
    refused("audit.list", json_pack("{s:s}", "kind", "nonsense"), "invalid", "kind");
    refused("audit.list", json_pack("{s:s}", "since", "yesterday"), "invalid", "since");
    refused("audit.list", json_pack("{s:s, s:s}", "since", "2026-01-02", "until", "2026-01-01"),
            "invalid", "until");
}

static size_t lines_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void audit_is_read_in_pages(void **state)
{
    struct audit_event *events = calloc(2500, sizeof(*events));
    json_t *page;
    json_int_t next = 0, upto = 0;
    size_t total = 0;

    (void)state;
    for (int i = 0; i < 2500; i++) {
        events[i].kind = AUDIT_LOGIN;
        events[i].time_ms = i + 1;
    }
    assert_int_equal(admin_store_audit(a, events, 2500), 0);
    free(events);
    do {
        page = ok("audit.export",
                  json_pack("{s:I, s:I, s:s}", "after", next, "upto", upto, "format", "jsonl"));
        total += lines_of(json_string_value(json_object_get(page, "text")));
        next = json_integer_value(json_object_get(page, "next"));
        upto = json_integer_value(json_object_get(page, "upto"));
        json_decref(page);
    } while (next != 0);
    assert_int_equal(total, 2500 + 1); /* that somebody exports is in it */
    page = ok("audit.list", json_pack("{s:i, s:i}", "limit", 3, "offset", 1));
    assert_int_equal(json_array_size(page), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(page, 0), "id")), 2500);
    json_decref(page);
    refused("audit.list", json_pack("{s:s}", "before", "1.x"), "invalid", "before");
    refused("audit.list", json_pack("{s:s}", "source", "here"), "invalid", "source");
    refused("audit.list", json_pack("{s:s}", "search", "a\n"), "invalid", "search");
    refused("audit.export", json_pack("{s:s}", "format", "pdf"), "invalid", "format");
    refused("audit.counts", json_pack("{s:s}", "since", "1d"), "invalid", "since");
}

static void every_change_makes_a_new_snapshot_and_nothing_else_does(void **state)
{
    struct policy *p = admin_policy(a), *q;
    int64_t rule;

    (void)state;
    refused("user.add", json_pack("{s:s}", "name", ""), "invalid", "name");
    json_decref(ok("user.list", json_object()));
    q = admin_policy(a);
    assert_ptr_equal(p, q);
    policy_unref(q);
    add_user("alice");
    rule = add_rule("x", "mail:110", "110");
    q = admin_policy(a);
    assert_ptr_not_equal(p, q);
    assert_non_null(policy_find_rule(q, "alice", rule));
    policy_unref(p);
    policy_unref(q);
    done("rule.delete", json_pack("{s:I}", "id", rule));
    p = admin_policy(a);
    assert_null(policy_find_rule(p, "alice", rule));
    policy_unref(p);
    assert_false(admin_refresh(a));
}

/* ---- a store that fails ------------------------------------------------------------------------- */

static int calls_left;
static const struct store_ops *real_ops;

static int failing_commit(struct store *s, struct fault *f)
{
    if (calls_left-- > 0)
        return real_ops->commit(s, f);
    real_ops->rollback(s);
    return fault_set(f, PRA_EIO, "database: disk I/O error");
}

static int failing_audit(struct store *s, const struct audit_event *e, size_t n, struct fault *f)
{
    return calls_left-- > 0 ? real_ops->audit_add(s, e, n, f)
                            : fault_set(f, PRA_EIO, "database: disk I/O error");
}

static void change_that_cannot_be_stored_or_audited_does_not_happen(void **state)
{
    struct store_ops ops = *a->store->ops;
    struct policy *before = admin_policy(a), *after;
    struct audit_event e = {.kind = AUDIT_LOGIN};
    json_t *list;

    (void)state;
    real_ops = a->store->ops;
    a->store->ops = &ops;
    ops.commit = failing_commit;
    calls_left = 0;
    refused("user.add", json_pack("{s:s}", "name", "alice"), "store", "disk");
    assert_int_equal(admin_store_audit(a, &e, 1), PRA_EIO);
    ops.commit = real_ops->commit;
    ops.audit_add = failing_audit;
    calls_left = 0;
    refused("user.add", json_pack("{s:s}", "name", "alice"), "store", "disk");
    a->store->ops = real_ops;
    list = ok("user.list", json_object());
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    after = admin_policy(a);
    assert_ptr_equal(before, after);
    policy_unref(before);
    policy_unref(after);
    add_user("alice"); /* heals by itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(users_are_added_listed_disabled_and_deleted, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(names_that_would_confuse_are_refused, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(members_come_and_go_with_limits, open_ram, close_admin),
        cmocka_unit_test_setup_teardown(
            keys_are_registered_revoked_and_only_deliberately_taken_back, open_ram, close_admin),
        cmocka_unit_test_setup_teardown(broken_key_lines_name_the_argument, open_ram, close_admin),
        cmocka_unit_test_setup_teardown(what_a_device_said_shows_in_the_list, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(malformed_requests_are_refused_by_name, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(batch_is_all_or_nothing, open_ram, close_admin),
        cmocka_unit_test_setup_teardown(changes_and_refused_attempts_are_audited, open_ram,
                                        close_admin),
        cmocka_unit_test_setup_teardown(audit_is_read_in_pages, open_ram, close_admin),
        cmocka_unit_test_setup_teardown(every_change_makes_a_new_snapshot_and_nothing_else_does,
                                        open_ram, close_admin),
        cmocka_unit_test_setup_teardown(change_that_cannot_be_stored_or_audited_does_not_happen,
                                        open_ram, close_admin),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
