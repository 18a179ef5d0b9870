/* Administration: every operation, refusals that name the argument, batches, audit, snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/os.h"
#include "server/admin/admin_internal.h"
#include "server/admin/hostkey.h"
#include "tests/unit/common/scratch.h"

#define KEY_LINE                                                                                   \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG21BJzqz1Qs5DBhXv4rLXp9D8UiOf2DOY+Fdil12Ocn "            \
    "alice@pc"
#define KEY_PRINT "SHA256:SBsuOVvnkFscsY1HDnPglpLEgo9Us+C0s9q76IppLak"

static struct admin *a;
static const struct admin_peer peer = {.uid = 0, .pid = 1, .name = "root"};
static char killed[64];

static json_t *fake_sessions(void *ctx)
{
    (void)ctx;
    return json_pack("[{s:s}]", "id", "4f1c");
}

static int fake_kill(void *ctx, const char *id, const char *why)
{
    (void)ctx;
    if (strcmp(id, "4f1c") != 0)
        return PRA_ENOENT;
    snprintf(killed, sizeof(killed), "%s", why);
    return 0;
}

static json_t *fake_probe(void *ctx, const struct addr_host *host, uint16_t port)
{
    bool found = strcmp(host->name, "gone") != 0;

    (void)ctx;
    (void)port;
    return json_pack("{s:{s:b, s:o}, s:{s:b}}", "dns", "ok", found, "addresses",
                     found ? json_pack("[s, s]", "127.0.0.1", "10.0.0.7") : json_array(), "connect",
                     "ok", found);
}

static const struct admin_host host = {
    .session_list = fake_sessions, .session_kill = fake_kill, .probe = fake_probe};

static int open_ram(void **state)
{
    const struct admin_options opt = {
        .store_url = "ram:", .host_key_path = "/nonexistent/host_key", .host = &host};
    const struct addr_ip source = {4, {192, 0, 2, 1}};

    (void)state;
    return admin_open(&opt, &a, NULL) != 0 ? -1 : admin_set_own_addresses(a, &source, 1);
}

static int close_admin(void **state)
{
    (void)state;
    admin_close(a);
    a = NULL;
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------------- */

static json_t *ask_raw(json_t *request)
{
    json_t *answer = admin_execute(a, &peer, request);

    json_decref(request);
    assert_non_null(answer);
    return answer;
}

/* The result of an operation that works; args in json_pack() form. */
static json_t *ok(const char *op, json_t *args)
{
    json_t *answer = ask_raw(json_pack("{s:s, s:o}", "op", op, "args", args));
    json_t *result = json_object_get(answer, "result");

    if (!json_is_true(json_object_get(answer, "ok")))
        fail_msg("%s: %s", op, json_dumps(answer, 0));
    json_incref(result);
    json_decref(answer);
    return result;
}

static void done(const char *op, json_t *args)
{
    json_decref(ok(op, args));
}

/* An operation that is refused with this code and a sentence that holds `words`. */
static void refused(const char *op, json_t *args, const char *code, const char *words)
{
    json_t *answer = ask_raw(json_pack("{s:s, s:o}", "op", op, "args", args));
    json_t *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));

    if (error == NULL || strstr(message, words) == NULL ||
        strcmp(json_string_value(json_object_get(error, "code")), code) != 0)
        fail_msg("%s: wanted %s '%s': %s", op, code, words, json_dumps(answer, 0));
    json_decref(answer);
}

static int64_t id_of(json_t *result)
{
    int64_t id = json_integer_value(json_object_get(result, "id"));

    json_decref(result);
    assert_true(id > 0);
    return id;
}

static void add_user(const char *name)
{
    done("user.add", json_pack("{s:s}", "name", name));
}

static int64_t add_rule(const char *name, const char *target, const char *local)
{
    return id_of(ok("rule.add", json_pack("{s:s, s:s, s:s, s:s?}", "user", "alice", "name", name,
                                          "target", target, "local", local)));
}

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

static json_t *key_args(const char *user, const char *line)
{
    return json_pack("{s:s, s:s}", "user", user, "line", line);
}

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

/* ---- rules -------------------------------------------------------------------------------------- */

static void rules_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *name, *target, *local, *fallback, *action, *words;
    } bad[] = {
        {"", "mail:110", NULL, NULL, NULL, "name"},
        {"a\x01", "mail:110", NULL, NULL, NULL, "name"},
        {"a", "mail", NULL, NULL, NULL, "target"},
        {"a", "mail:99999", NULL, NULL, NULL, "target"},
        {"a", "10.0.0.0/8:80", "80", NULL, NULL, "local"},
        {"a", "mail:80-90", "80", NULL, NULL, "local"},
        {"a", "mail:80", "80", NULL, "deny", "local"},
        {"a", "mail:80", "192.0.2.1:80", NULL, NULL, "127."},
        {"a", "mail:80", NULL, "81", NULL, "fallback"},
        {"a", "mail:80", "80", "80", NULL, "fallback"},
        {"a", "mail:80", "80", "x", NULL, "fallback"},
        {"a", "mail:80", NULL, NULL, "maybe", "action"},
    };

    (void)state;
    add_user("alice");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused("rule.add",
                json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?}", "user", "alice", "name", bad[i].name,
                          "target", bad[i].target, "local", bad[i].local, "fallback",
                          bad[i].fallback, "action", bad[i].action),
                "invalid", bad[i].words);
    refused("rule.add", json_pack("{s:s, s:s}", "name", "a", "target", "mail:80"), "invalid",
            "user");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:i}", "user", "alice", "name", "a", "target", "mail:80",
                      "position", 0),
            "invalid", "position");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:s}", "user", "alice", "name", "a", "target", "mail:80",
                      "from", "10.0.0.1/8"),
            "invalid", "from");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:s}", "user", "alice", "name", "a", "target", "mail:80",
                      "hours", "always"),
            "invalid", "hours");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s, s:s}", "user", "alice", "name", "a", "target", "mail:80",
                      "expires", "tomorrow"),
            "invalid", "expires");
    refused("rule.add",
            json_pack("{s:s, s:s, s:s}", "group", "none", "name", "a", "target", "mail:80"),
            "not-found", "none");
}

static const char *warnings_of(const char *target, const char *local)
{
    static char text[2048];
    json_t *answer =
        ask_raw(json_pack("{s:s, s:{s:s, s:s, s:s, s:s?}}", "op", "rule.add", "args", "user",
                          "alice", "name", "x", "target", target, "local", local));
    char *dumped = json_dumps(json_object_get(answer, "warnings"), JSON_ENCODE_ANY);

    assert_true(json_is_true(json_object_get(answer, "ok")));
    snprintf(text, sizeof(text), "%s", dumped != NULL ? dumped : "");
    free(dumped);
    json_decref(answer);
    return text;
}

static void rule_editor_warns_of_what_will_surprise(void **state)
{
    (void)state;
    add_user("alice");
    assert_string_equal(warnings_of("mail:110", "110"), "");
    assert_non_null(strstr(warnings_of("ftp:21", NULL), "FTP"));
    assert_non_null(strstr(warnings_of("mail:25", "110"), "same local port"));
    assert_non_null(strstr(warnings_of("localhost:80", NULL), "gateway itself"));
    assert_non_null(strstr(warnings_of("127.0.0.1:80", NULL), "gateway itself"));
    assert_non_null(strstr(warnings_of("[::ffff:10.0.0.1]:80", NULL), "IPv4"));
}

static void effective_rules_are_listed_in_reading_order(void **state)
{
    json_t *list;
    int64_t ids[4];

    (void)state;
    add_user("alice");
    done("group.add", json_pack("{s:s}", "name", "g"));
    done("group.add", json_pack("{s:s}", "name", "h"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "g", "user", "alice"));
    done("group.member.add", json_pack("{s:s, s:s}", "group", "h", "user", "alice"));
    ids[1] = id_of(
        ok("rule.add", json_pack("{s:s, s:s, s:s}", "group", "h", "name", "1", "target", "a:1")));
    ids[2] = id_of(
        ok("rule.add", json_pack("{s:s, s:s, s:s}", "group", "g", "name", "2", "target", "a:1")));
    ids[3] = id_of(
        ok("rule.add", json_pack("{s:s, s:s, s:s}", "group", "h", "name", "3", "target", "a:1")));
    ids[0] = add_rule("0", "a:1", NULL);
    list = ok("rule.list", json_pack("{s:s, s:b}", "user", "alice", "effective", 1));
    assert_int_equal(json_array_size(list), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(list, i), "id")),
                         ids[i]);
    json_decref(list);
    refused("rule.list", json_pack("{s:b}", "effective", 1), "invalid", "effective");
    refused("rule.list", json_pack("{s:s}", "user", "nobody"), "not-found", "nobody");
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
    json_t *page, *events, *first, *second;

    (void)state;
    add_user("alice");
    refused("user.add", json_pack("{s:s}", "name", "a\"\n"), "invalid", "name");
    page = ok("audit.list", json_pack("{s:s}", "kind", "admin"));
    events = json_object_get(page, "events");
    assert_int_equal(json_array_size(events), 2);
    first = json_array_get(events, 0);
    second = json_array_get(events, 1);
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

static void audit_is_read_in_pages(void **state)
{
    struct audit_event *events = calloc(2500, sizeof(*events));
    json_t *page;
    json_int_t next = 0;
    size_t total = 0;

    (void)state;
    for (int i = 0; i < 2500; i++) {
        events[i].kind = AUDIT_LOGIN;
        events[i].time_ms = i + 1;
    }
    assert_int_equal(admin_store_audit(a, events, 2500), 0);
    free(events);
    do {
        page = ok("audit.list", json_pack("{s:I}", "after", next));
        total += json_array_size(json_object_get(page, "events"));
        next = json_integer_value(json_object_get(page, "next"));
        json_decref(page);
    } while (next != 0);
    assert_int_equal(total, 2500);
    page = ok("audit.list", json_pack("{s:i}", "limit", 3));
    assert_int_equal(json_array_size(json_object_get(page, "events")), 3);
    json_decref(page);
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
    assert_non_null(policy_find_rule(q, rule));
    policy_unref(p);
    policy_unref(q);
    done("rule.delete", json_pack("{s:I}", "id", rule));
    p = admin_policy(a);
    assert_null(policy_find_rule(p, rule));
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

/* ---- the gateway -------------------------------------------------------------------------------- */

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

static void explain(const char *user, const char *target, const char *from, const char *at,
                    const char *decision, const char *reason, int64_t rule)
{
    json_t *got = ok("explain", json_pack("{s:s, s:s, s:s?, s:s?}", "user", user, "target", target,
                                          "from", from, "at", at));

    if (strcmp(json_string_value(json_object_get(got, "decision")), decision) != 0 ||
        strcmp(json_string_value(json_object_get(got, "reason")), reason) != 0 ||
        json_integer_value(json_object_get(got, "rule")) != rule)
        fail_msg("%s %s: %s", user, target, json_dumps(got, 0));
    json_decref(got);
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
#define RAM(name)   cmocka_unit_test_setup_teardown(name, open_ram, close_admin)
#define FILES(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        RAM(users_are_added_listed_disabled_and_deleted),
        RAM(names_that_would_confuse_are_refused),
        RAM(members_come_and_go_with_limits),
        RAM(keys_are_registered_revoked_and_only_deliberately_taken_back),
        RAM(broken_key_lines_name_the_argument),
        RAM(what_a_device_said_shows_in_the_list),
        RAM(rules_that_make_no_sense_are_refused),
        RAM(rule_editor_warns_of_what_will_surprise),
        RAM(effective_rules_are_listed_in_reading_order),
        RAM(malformed_requests_are_refused_by_name),
        RAM(batch_is_all_or_nothing),
        RAM(changes_and_refused_attempts_are_audited),
        RAM(audit_is_read_in_pages),
        RAM(every_change_makes_a_new_snapshot_and_nothing_else_does),
        RAM(change_that_cannot_be_stored_or_audited_does_not_happen),
        RAM(sessions_are_listed_and_ended_only_by_a_running_gateway),
        RAM(explain_says_which_rule_and_why),
        FILES(init_makes_database_and_host_key_once),
        FILES(broken_host_key_files_are_told_from_missing_ones),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
