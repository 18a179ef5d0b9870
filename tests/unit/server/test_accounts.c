/* Accounts of the management tool: which role may what, what becomes of accounts. */
#include "tests/unit/server/account_support.h"

/* ---- who may what ------------------------------------------------------------------------------- */

/* Written down once more, by hand: o owner, a admin, h helpdesk, e engineer, u auditor,
   c console, n nobody, p second step is owed. */
static const struct {
    const char *op, *who;
} rights[] = {
    {"user.add", "oac"},
    {"user.list", "oahuc"},
    {"user.set", "oac"},
    {"user.limits", "oahuc"},
    {"user.limit", "oac"},
    {"user.export", "oahuc"},
    {"user.table", "oahuc"},
    {"user.import", "oac"},
    {"user.import.check", "oac"},
    {"user.enable", "oac"},
    {"user.disable", "oac"},
    {"user.delete", "oac"},
    {"group.add", "oac"},
    {"group.list", "oahuc"},
    {"group.limits", "oahuc"},
    {"group.limit", "oac"},
    {"group.delete", "oac"},
    {"group.member.add", "oac"},
    {"group.member.remove", "oac"},
    {"key.add", "oac"},
    {"key.list", "oahuc"},
    {"key.set", "oac"},
    {"key.show", "oahuc"},
    {"key.revoke", "oac"},
    {"enroll.code", "oac"},
    {"enroll.list", "oahuc"},
    {"enroll.approve", "oac"},
    {"enroll.deny", "oac"},
    {"user.factor", "oac"},
    {"group.factor", "oac"},
    {"factor.show", "oahuc"},
    {"factor.begin", "oac"},
    {"factor.confirm", "oac"},
    {"factor.recovery", "oac"},
    {"factor.reset", "oac"},
    {"factor.forget", "oahc"},
    {"factor.retry", "oahc"},
    {"user.trouble", "oahuc"},
    {"log.list", "oahuc"},
    {"log.show", "oahuc"},
    {"log.timeline", "oahuc"},
    {"log.fetch", "oahuc"},
    {"log.delete", "oac"},
    {"rule.add", "oac"},
    {"rule.list", "oahuc"},
    {"rule.export", "oahuc"},
    {"rule.table", "oahuc"},
    {"rule.import", "oac"},
    {"rule.import.check", "oac"},
    {"rule.check", "oahuc"},
    {"rule.set", "oac"},
    {"rule.history", "oahuc"},
    {"rule.undo", "oac"},
    {"rule.move", "oac"},
    {"rule.delete", "oac"},
    {"session.list", "oahuc"},
    {"session.kill", "oahc"},
    {"session.show", "oahuc"},
    {"channel.close", "oahc"},
    {"live", "oahuc"},
    {"port.trouble", "oahuc"},
    {"penalty.show", "oahuc"},
    {"penalty.clear", "oahc"},
    {"key.restore", "oac"},
    {"key.release", "oac"},
    {"key.release.all", "oac"},
    {"account.reset", "oc"},
    {"hostkey.show", "oaheuc"},
    {"profile", "oahc"},
    {"pac", "oahc"},
    {"download.list", "oaheuc"},
    {"download.show", "oaheuc"},
    {"audit.list", "oahuc"},
    {"audit.export", "oauc"},
    {"audit.counts", "oahuc"},
    {"alert.list", "oahuc"},
    {"alert.sums", "oahuc"},
    {"alert.counts", "oahuc"},
    {"alert.judge", "oahc"},
    {"alert.ack", "oahc"},
    {"alert.mail", "oahuc"},
    {"alert.mail.set", "oahuc"},
    {"watch.list", "oahuc"},
    {"watch.set", "oac"},
    {"outage.list", "oahuc"},
    {"outage.add", "oac"},
    {"outage.remove", "oac"},
    {"portal.certificate", "n"},
    {"explain", "oahuc"},
    {"status", "oaheuc"},
    {"init", "c"},
    {"account.add", "oc"},
    {"account.list", "oc"},
    {"account.set", "oc"},
    {"account.enable", "oc"},
    {"account.disable", "oc"},
    {"account.delete", "oc"},
    {"account.reissue", "oc"},
    {"login.begin", "oaheun"},
    {"login.password", "n"},
    {"login.code", "p"},
    {"setup", "n"},
    {"forgotten", "n"},
    {"reset", "n"},
    {"logout", "oaheup"},
    {"login.list", "oaheu"},
    {"login.end", "oaheu"},
    {"me", "oaheu"},
    {"me.set", "oaheu"},
    {"password.change", "oaheu"},
    {"totp.begin", "oaheu"},
    {"totp.confirm", "oaheu"},
    {"totp.disable", "oaheu"},
    {"passkey.begin", "oaheu"},
    {"passkey.add", "oaheu"},
    {"passkey.list", "oaheu"},
    {"passkey.rename", "oaheu"},
    {"passkey.remove", "oaheu"},
    {"login.passkey.begin", "p"},
    {"login.passkey", "p"},
    {"token.add", "oaheu"},
    {"token.list", "oaheuc"},
    {"token.revoke", "oaheuc"},
    {"access.list", "oc"},
    {"access.add", "oc"},
    {"access.delete", "oc"},
    {"access.reset", "c"},
    {"recovery.renew", "oaheu"},
    {"report", "oahuc"},
    {"report.readers", "oahuc"},
    {"report.subscribe", "oahuc"},
    {"mail.list", "oac"},
    {"mail.test", "oac"},
    {"mail.retry", "oac"},
    {"mail.drop", "oac"},
};
#define RIGHTS (sizeof(rights) / sizeof(rights[0]))

static void each_operation_is_for_the_roles_that_it_is_for(void **state)
{
    static const unsigned bits[] = {1u << ROLE_OWNER,    1u << ROLE_ADMIN,   1u << ROLE_HELPDESK,
                                    1u << ROLE_ENGINEER, 1u << ROLE_AUDITOR, BY_CONSOLE,
                                    BY_NOBODY,           BY_PENDING};
    static const char letters[] = "oaheucnp";
    json_t *all = admin_operations(~0u);

    (void)state;
    assert_int_equal(json_array_size(all), RIGHTS); /* a new operation is a new line here */
    json_decref(all);
    for (size_t i = 0; i < RIGHTS; i++) {
        const struct operation *op = admin_operation(rights[i].op);
        unsigned want = 0;

        for (size_t b = 0; b < sizeof(bits) / sizeof(bits[0]); b++)
            want |= strchr(rights[i].who, letters[b]) != NULL ? bits[b] : 0;
        assert_non_null(op);
        if (op->who != want)
            fail_msg("%s: %x, wanted %x", op->name, op->who, want);
    }
}

static void roles_are_asked_before_anything_else_is_looked_at(void **state)
{
    static const struct {
        const char *role, letter;
    } roles[] = {
        {"owner", 'o'}, {"admin", 'a'}, {"helpdesk", 'h'}, {"engineer", 'e'}, {"auditor", 'u'}};

    (void)state;
    for (size_t r = 0; r < 5; r++) {
        char *token = account_with_token(roles[r].role, roles[r].role);

        for (size_t i = 0; i < RIGHTS; i++) {
            const char *op = rights[i].op;
            bool may = strchr(rights[i].who, roles[r].letter) != NULL;
            /* An argument that no operation has: who may is told so, who may not learns nothing. */
            const char *code = try_as(token, op, json_pack("{s:i}", "no-such", 1));

            if (strcmp(code, may ? "invalid" : "not-permitted") != 0)
                fail_msg("%s %s: %s", roles[r].role, op, code);
        }
        free(token);
    }
    for (size_t i = 0; i < RIGHTS; i++) {
        bool may = strchr(rights[i].who, 'n') != NULL;

        assert_string_equal(try_as(NULL, rights[i].op, json_pack("{s:i}", "no-such", 1)),
                            may ? "invalid" : "not-logged-in");
    }
    assert_true(found_in_audit("not-permitted"));
}

static int64_t generation(void)
{
    json_t *status = ok("status", json_object());
    int64_t n = json_integer_value(json_object_get(status, "generation"));

    json_decref(status);
    return n;
}

static void a_batch_has_the_rights_of_its_account(void **state)
{
    char *token = account_with_token("aud", "auditor"), *admin = account_with_token("adm", "admin");
    json_t *request = json_pack("{s:[{s:s, s:{s:s}}], s:s}", "batch", "op", "user.add", "args",
                                "name", "x", "token", token);

    (void)state;
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "not-permitted");
    json_object_set_new(request, "token", json_string(admin));
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "");
    json_object_del(request, "token");
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "not-logged-in");
    /* A token in an element changes nothing: elements have no such member. */
    json_object_set_new(json_array_get(json_object_get(request, "batch"), 0), "token",
                        json_string(admin));
    json_object_set_new(request, "token", json_string(token));
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "not-permitted");
    json_object_set_new(request, "token", json_string(admin));
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "invalid");
    json_decref(request);
    free(token);
    free(admin);
}

/* It compiles all rules anew, whatever is in it: not for a portal where nobody has logged in. */
static void even_an_empty_batch_is_for_those_who_may_change_something(void **state)
{
    static const char *const roles[] = {"helpdesk", "engineer", "auditor"};
    json_t *request = json_pack("{s:[]}", "batch");
    int64_t before = generation();
    char *token;

    (void)state;
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "not-logged-in");
    assert_false(found_in_audit("batch requests"));
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        token = account_with_token(roles[i], roles[i]);
        json_object_set_new(request, "token", json_string(token));
        assert_string_equal(code_of(admin_execute(a, &portal, request)), "not-permitted");
        free(token);
    }
    assert_int_equal(generation(), before);
    token = account_with_token("adm", "admin");
    json_object_set_new(request, "token", json_string(token));
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "");
    assert_int_equal(generation(), before + 1);
    free(token);
    json_decref(request);
}

static void the_console_with_a_token_has_only_the_rights_of_the_token(void **state)
{
    char *token = account_with_token("aud", "auditor");
    json_t *request =
        json_pack("{s:s, s:{s:s}, s:s}", "op", "user.add", "args", "name", "x", "token", token);

    (void)state;
    assert_string_equal(code_of(admin_execute(a, &peer, request)), "not-permitted");
    json_object_set_new(request, "source", json_string(SOURCE));
    assert_string_equal(code_of(admin_execute(a, &peer, request)), "invalid");
    json_decref(request);
    free(token);
}

static void changes_are_recorded_with_account_source_and_log_in(void **state)
{
    char *token = account_with_token("tanaka", "admin");
    char *id = text_of(ok_as(token, "me", json_object()), "login");

    (void)state;
    json_decref(ok_as(token, "user.add", json_pack("{s:s}", "name", "alice")));
    assert_true(found_in_audit(id));
    assert_true(found_in_audit("\"user\": \"tanaka\""));
    assert_true(found_in_audit(SOURCE));
    assert_false(found_in_audit(PROOF));
    assert_false(found_in_audit(token));
    free(token);
    free(id);
}

/* ---- accounts ----------------------------------------------------------------------------------- */

static void the_last_owner_stays(void **state)
{
    char *token = account_with_token("tanaka", "owner"), *second;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        static const char *const ops[] = {"account.disable", "account.delete", "account.reissue"};

        assert_string_equal(try_as(token, ops[i], json_pack("{s:s}", "name", "tanaka")), "invalid");
    }
    assert_string_equal(
        try_as(token, "account.set", json_pack("{s:s, s:s}", "name", "tanaka", "role", "admin")),
        "invalid");
    assert_string_equal(try_as(token, "account.set",
                               json_pack("{s:s, s:s}", "name", "tanaka", "expires", "2020-01-01")),
                        "invalid");
    /* One who was only invited cannot log in: he does not count. */
    free(setup_code_of("late", "owner"));
    assert_string_equal(try_as(token, "account.disable", json_pack("{s:s}", "name", "tanaka")),
                        "invalid");
    second = account_with_token("suzuki", "owner");
    assert_string_equal(try_as(second, "account.disable", json_pack("{s:s}", "name", "tanaka")),
                        "");
    assert_string_equal(try_as(token, "me", json_object()), "not-logged-in");
    done("account.reissue", json_pack("{s:s}", "name", "suzuki")); /* the console may */
    free(token);
    free(second);
}

static void a_role_that_is_taken_away_ends_the_log_in(void **state)
{
    char *token = account_with_token("tanaka", "admin");

    (void)state;
    done("account.set", json_pack("{s:s, s:s}", "name", "tanaka", "role", "auditor"));
    assert_string_equal(try_as(token, "me", json_object()), "not-logged-in");
    free(token);
    token = log_in("tanaka");
    assert_string_equal(try_as(token, "user.add", json_pack("{s:s}", "name", "x")),
                        "not-permitted");
    done("account.set", json_pack("{s:s, s:s}", "name", "tanaka", "expires", "2020-01-01"));
    assert_string_equal(try_as(token, "me", json_object()), "not-logged-in");
    assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", PROOF)), "wrong");
    free(token);
}

static void broken_members_name_the_argument(void **state)
{
    static const char *const mails[] = {"x",      "@x", "x@", "a@b@c", "a b@c", "a@b\nBcc: x@y",
                                        "a@b,c@d"};

    (void)state;
    for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++)
        refused("account.add",
                json_pack("{s:s, s:s, s:s}", "name", "x", "role", "admin", "mail", mails[i]),
                "invalid", "mail");
    refused("account.add", json_pack("{s:s, s:s}", "name", "x", "role", "root"), "invalid", "role");
    refused("account.add", json_pack("{s:s, s:s}", "name", "a b", "role", "admin"), "invalid",
            "name");
    refused("account.set", json_pack("{s:s, s:s}", "name", "ghost", "role", "admin"), "not-found",
            "ghost");
    free(setup_code_of("x", "admin"));
    refused("account.add", json_pack("{s:s, s:s}", "name", "x", "role", "admin"), "exists", "'x'");
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_ram, close_admin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_operation_is_for_the_roles_that_it_is_for),
        T(roles_are_asked_before_anything_else_is_looked_at),
        T(a_batch_has_the_rights_of_its_account),
        T(even_an_empty_batch_is_for_those_who_may_change_something),
        T(the_console_with_a_token_has_only_the_rights_of_the_token),
        T(changes_are_recorded_with_account_source_and_log_in),
        T(the_last_owner_stays),
        T(a_role_that_is_taken_away_ends_the_log_in),
        T(broken_members_name_the_argument),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
