/* Operations on the gateway: sessions, explain, init and the host key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "server/admin/hostkey.h"
#include "tests/unit/server/admin_support.h"

static void sessions_are_listed_and_ended_only_by_a_running_gateway(void **state)
{
    json_t *list = ok("session.list", json_object());

    (void)state;
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    done("session.kill", json_pack("{s:s, s:s}", "id", "4f1c", "reason", "maintenance"));
    assert_string_equal(killed, "maintenance");
    refused("session.kill", json_pack("{s:s}", "id", "none"), "not-found", "none");
    a->host = (struct admin_host){0};
    refused("session.list", json_object(), "not-running", "not running");
}

static void sessions_are_searched_and_shown_with_their_channels(void **state)
{
    json_t *live = ok("live", json_pack("{s:s}", "search", "win"));
    json_t *session = ok("session.show", json_pack("{s:s}", "id", "4f1c"));

    (void)state;
    assert_string_equal(json_string_value(json_object_get(live, "asked")), "win");
    assert_int_equal(json_integer_value(json_object_get(live, "limit")), 100);
    assert_int_equal(json_array_size(json_object_get(session, "open")), 1);
    json_decref(live);
    json_decref(session);
    refused("live", json_pack("{s:s}", "user", "nobody"), "not-found", "nobody");
    refused("live", json_pack("{s:s}", "search", "a\nb"), "invalid", "search");
    refused("live", json_pack("{s:i}", "limit", 1001), "invalid", "limit");
    refused("session.show", json_pack("{s:s}", "id", "none"), "not-found", "none");
    done("channel.close", json_pack("{s:s, s:s}", "id", "4f1c", "channel", "1-2-3"));
    refused("channel.close", json_pack("{s:s, s:s}", "id", "4f1c", "channel", "x"), "not-found",
            "'x'");
    a->host = (struct admin_host){0};
    refused("live", json_object(), "not-running", "not running");
    refused("session.show", json_pack("{s:s}", "id", "4f1c"), "not-running", "not running");
}

static void explain(const char *user, const char *target, const char *from, const char *at,
                    const char *decision, const char *reason, int64_t rule)
{
    bool found = strncmp(target, "gone", 4) != 0;
    json_t *got = ok(
        "explain", json_pack("{s:s, s:s, s:s?, s:s?, s:o}", "user", user, "target", target, "from",
                             from, "at", at, "addresses",
                             found ? json_pack("[s, s]", "127.0.0.1", "10.0.0.7") : json_array()));

    if (strcmp(json_string_value(json_object_get(got, "decision")), decision) != 0 ||
        strcmp(json_string_value(json_object_get(got, "reason")), reason) != 0 ||
        json_integer_value(json_object_get(got, "rule")) != rule)
        fail_msg("%s %s: %s", user, target, json_dumps(got, 0));
    json_decref(got);
}

static void explain_refuses_addresses(json_t *list, const char *words)
{
    refused("explain",
            json_pack("{s:s, s:s, s:o}", "user", "alice", "target", "mail:110", "addresses", list),
            "invalid", words);
}

static json_t *many_addresses(int count)
{
    json_t *list = json_array();

    while (count-- > 0)
        json_array_append_new(list, json_string("10.0.0.7"));
    return list;
}

static void explain_says_which_rule_and_why(void **state)
{
    int64_t mail, gone, net, late;

    (void)state;
    add_user("alice");
    add_user("off");
    done("user.disable", json_pack("{s:s}", "name", "off"));
    done("key.add", key_args("alice", KEY_LINE));
    mail = add_rule("Mail", "mail:110", "110");
    gone = add_rule("Gone", "gone:110", "111");
    net = add_rule("Net", "10.0.0.0/8:22-23", NULL);
    late = id_of(ok("rule.add",
                    json_pack("{s:s, s:s, s:s, s:s, s:s}", "user", "alice", "name", "L", "target",
                              "10.1.1.1:80", "hours", "Sun 10:00-11:00", "from", "192.0.2.0/24")));
    /* mail resolves to loopback, which is special, and to 10.0.0.7, which is not. */
    explain("alice", "mail:110", NULL, NULL, "allow", "rule", mail);
    explain("alice", "gone:110", NULL, NULL, "allow", "needs-address", gone);
    explain("alice", "gone:22", NULL, NULL, "unknown", "needs-address", net);
    explain("alice", "x:22", NULL, NULL, "allow", "rule", net);
    explain("alice", "10.1.1.1:80", "192.0.2.9", "2026-11-23T12:00:00Z", "deny", "default-deny", 0);
    explain("alice", "10.1.1.1:80", NULL, "2026-11-22T10:30:00Z", "deny", "default-deny", 0);
    explain("alice", "10.1.1.1:80", "192.0.2.9", "2026-11-22T10:30:00Z", "allow", "rule", late);
    explain("off", "mail:110", NULL, NULL, "deny", "user-disabled", 0);
    explain("nobody", "mail:110", NULL, NULL, "deny", "no-user", 0);
    explain_refuses_addresses(json_pack("[s, s]", "10.0.0.7", "10.0.0.007"), "element 2");
    explain_refuses_addresses(json_pack("[s]", "mail"), "'mail', is no address");
    explain_refuses_addresses(json_pack("[i]", 7), "element 1");
    explain_refuses_addresses(json_pack("s", "10.0.0.7"), "must be a list");
    explain_refuses_addresses(many_addresses(ADMIN_ADDRESSES_MAX + 1), "at most 16");
    done("explain", json_pack("{s:s, s:s, s:o}", "user", "alice", "target", "mail:110", "addresses",
                              many_addresses(ADMIN_ADDRESSES_MAX)));
    refused("explain", json_pack("{s:s, s:s}", "user", "alice", "target", "10.0.0.0/8:22"),
            "invalid", "target");
    refused("explain", json_pack("{s:s, s:s, s:s}", "user", "a", "target", "a:1", "from", "x"),
            "invalid", "from");
    refused("explain", json_pack("{s:s, s:s, s:s}", "user", "a", "target", "a:1", "at", "x"),
            "invalid", "at");
}

static void init_makes_database_and_host_key_once(void **state)
{
    char key_path[160], url[200], type[SSHKEY_TYPE_MAX], print[SSHKEY_FINGERPRINT_MAX];
    struct admin_options opt = {.store_url = url, .host_key_path = key_path, .create = true};
    struct fault f = {0};
    struct stat st;
    json_t *key;

    (void)state;
    snprintf(key_path, sizeof(key_path), "%s/host_key", scratch);
    snprintf(url, sizeof(url), "sqlite:%s/pra.db", scratch);
    assert_int_equal(admin_open(&opt, &a, &f), 0);
    refused("hostkey.show", json_object(), "not-found", "host_key");
    done("init", json_object());
    assert_int_equal(hostkey_read(key_path, type, print, NULL), 0);
    assert_string_equal(type, "ssh-ed25519");
    key = ok("hostkey.show", json_object());
    assert_string_equal(json_string_value(json_object_get(key, "fingerprint")), print);
    json_decref(key);
    assert_int_equal(stat(key_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    admin_close(a);
    assert_int_equal(admin_open(&opt, &a, &f), 0);
    refused("init", json_object(), "exists", print);
    assert_int_equal(hostkey_create(key_path, print, &f), PRA_EEXIST);
    remove(key_path);
    done("init", json_object()); /* a lost host key is made anew */
    admin_close(a);
}

static void broken_host_key_files_are_told_from_missing_ones(void **state)
{
    char type[SSHKEY_TYPE_MAX], print[SSHKEY_FINGERPRINT_MAX], *text;
    struct fault f = {0};
    size_t len;

    (void)state;
    assert_int_equal(hostkey_read(scratch_path("k"), type, print, &f), PRA_ENOENT);
    assert_int_equal(hostkey_create(scratch_path("k"), print, &f), 0);
    text = scratch_read("k", &len);
    for (size_t cut = 0; cut < len - 200; cut += 7) {
        scratch_write("k", text, cut);
        assert_int_equal(hostkey_read(scratch_path("k"), type, print, &f), PRA_ECORRUPT);
    }
    free(text);
    assert_non_null(strstr(f.text, "/k"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sessions_are_listed_and_ended_only_by_a_running_gateway,
                                        open_ram, close_admin),
        cmocka_unit_test_setup_teardown(sessions_are_searched_and_shown_with_their_channels,
                                        open_ram, close_admin),
        cmocka_unit_test_setup_teardown(explain_says_which_rule_and_why, open_ram, close_admin),
        cmocka_unit_test_setup_teardown(init_makes_database_and_host_key_once, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(broken_host_key_files_are_told_from_missing_ones,
                                        scratch_make, scratch_remove),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
