/* What secures log-ins beside the password: API tokens, known browsers, where the portal is used from. */
#include <time.h>

#include "common/crypto.h"
#include "tests/unit/server/account_support.h"

/* ---- asking ------------------------------------------------------------------------------------- */

/* As the portal asks, with whatever members say who asks. */
static json_t *ask_with(const char *op, json_t *args, const char *source, const char *member,
                        const char *value)
{
    json_t *request = json_pack("{s:s, s:o, s:s}", "op", op, "args", args, "source", source);
    json_t *answer;

    if (member != NULL)
        json_object_set_new(request, member, json_string(value));
    answer = admin_execute(a, &portal, request);
    json_decref(request);
    return answer;
}

static const char *try_api(const char *token, const char *op, json_t *args)
{
    return code_of(ask_with(op, args, SOURCE, "api-token", token));
}

static json_t *token_args(const char *name, const char *scopes, int days)
{
    return json_pack("{s:s, s:s, s:i, s:s}", "name", name, "scopes", scopes, "days", days, "proof",
                     PROOF);
}

static char *api_token(const char *login, const char *name, const char *scopes)
{
    return text_of(ok_as(login, "token.add", token_args(name, scopes, 30)), "token");
}

/* ---- API tokens --------------------------------------------------------------------------------- */

static void a_token_may_what_its_scopes_hold_and_its_role_may(void **state)
{
    static const char *const roles[] = {"owner", "admin", "helpdesk", "auditor", "engineer"};
    static const char *const words[] = {"read", "users", "rules", "sessions"};
    json_t *all = admin_operations(~0u), *name;
    size_t i;

    (void)state;
    for (size_t r = 0; r < 5; r++) {
        char *login = account_with_token(roles[r], roles[r]);

        for (size_t w = 0; w < 4; w++) {
            json_t *made = ask_from(SOURCE, login, "token.add", token_args(words[w], words[w], 1));
            const char *text =
                json_string_value(json_object_get(json_object_get(made, "result"), "token"));

            /* Only `read` is for everybody. */
            assert_int_equal(text != NULL, w == 0 || r < 2 || (r == 2 && w == 3));
            json_array_foreach(all, i, name)
            {
                const struct operation *op = admin_operation(json_string_value(name));
                struct store_token t = {0};
                bool may;

                if (text == NULL)
                    continue;
                snprintf(t.scopes, sizeof(t.scopes), "%s", words[w]);
                may = (op->who & 1u << role_of(roles[r])) != 0 && token_may(&t, op);
                if (strcmp(try_api(text, op->name, json_pack("{s:i}", "no-such", 1)),
                           may ? "invalid" : "not-permitted") != 0)
                    fail_msg("%s %s %s", roles[r], words[w], op->name);
            }
            json_decref(made);
        }
        free(login);
    }
    json_decref(all);
}

static void no_scope_holds_accounts_passwords_or_tokens(void **state)
{
    static const char *const never[] = {
        "token.",      "account.add",   "account.set",    "account.reissue", "password",
        "totp.",       "recovery.",     "login",          "setup",           "me.set",
        "access.add",  "access.delete", "passkey.",       "logout",          "account.reset",
        "user.factor", "group.factor",  "factor.confirm", "factor.reset"};
    struct store_token t = {.scopes = "read users rules sessions"};
    json_t *all = admin_operations(~0u), *name;
    size_t i;

    (void)state;
    json_array_foreach(all, i, name)
    {
        const struct operation *op = admin_operation(json_string_value(name));

        for (size_t n = 0; n < sizeof(never) / sizeof(never[0]); n++) {
            if (strncmp(op->name, never[n], strlen(never[n])) == 0 && token_may(&t, op))
                fail_msg("%s", op->name);
        }
    }
    assert_false(token_may(&t, admin_operation("login.begin")));
    assert_false(token_may(&t, admin_operation("login.list")));
    json_decref(all);
}

static void a_token_ends_with_its_account_its_role_its_time_and_when_it_is_revoked(void **state)
{
    char *boss = account_with_token("boss", "owner"), *login = account_with_token("bot", "admin");
    char *token = api_token(login, "ci", "read users"),
         *second = api_token(login, "nightly", "read");
    json_t *list = ok_as(login, "token.list", json_object());
    struct store_token t;
    uint8_t raw[TOKEN_LEN], hash[STORE_HASH_LEN];
    size_t len;

    (void)state;
    assert_int_equal(json_array_size(list), 2);
    assert_null(json_object_get(json_array_get(list, 0), "token")); /* shown once */
    json_decref(list);
    assert_string_equal(try_api(token, "user.add", json_pack("{s:s}", "name", "alice")), "");
    assert_true(found_in_audit("user.add token=ci name=alice"));
    assert_false(found_in_audit(token));
    assert_string_equal(try_as(token, "me", json_object()), "not-logged-in");  /* no cookie */
    assert_string_equal(try_api(login, "me", json_object()), "not-logged-in"); /* and no bearer */

    done("account.set", json_pack("{s:s, s:s}", "name", "bot", "role", "auditor"));
    assert_string_equal(try_api(token, "user.add", json_pack("{s:s}", "name", "bob")),
                        "not-permitted");
    assert_string_equal(try_api(token, "user.list", json_object()), "");
    done("account.disable", json_pack("{s:s}", "name", "bot"));
    assert_string_equal(try_api(token, "user.list", json_object()), "not-logged-in");
    done("account.enable", json_pack("{s:s}", "name", "bot"));
    free(login);
    login = log_in("bot");

    crypto_hex_decode(token + 4, strlen(token) - 4, raw, sizeof(raw), &len);
    crypto_sha256(raw, sizeof(raw), hash);
    assert_int_equal(a->store->ops->token_get(a->store, hash, &t, NULL), 0);
    assert_true(t.used >= t.created);
    assert_string_equal(t.source, SOURCE);
    /* Another account's, then his own. */
    assert_string_equal(try_as(boss, "token.revoke", json_pack("{s:I}", "id", (json_int_t)t.id)),
                        "not-found");
    assert_string_equal(try_as(login, "token.revoke", json_pack("{s:I}", "id", (json_int_t)t.id)),
                        "");
    assert_string_equal(try_api(token, "me", json_object()), "not-logged-in");
    assert_string_equal(try_api(second, "me", json_object()), "");
    done("account.reissue", json_pack("{s:s}", "name", "bot"));
    assert_string_equal(try_api(second, "me", json_object()), "not-logged-in");
    free(boss);
    free(login);
    free(token);
    free(second);
}

static void a_token_that_is_over_is_refused(void **state)
{
    char *login = account_with_token("bot", "admin");
    struct store_token t = {
        .name = "old", .scopes = "read", .created = time(NULL) - 100, .expires = time(NULL) - 1};
    char text[] =
        API_TOKEN_PREFIX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    uint8_t raw[TOKEN_LEN];
    struct store_account bot;
    size_t len;
    int64_t id;

    (void)state;
    assert_int_equal(a->store->ops->account_get(a->store, "bot", &bot, NULL), 0);
    t.account = bot.id;
    crypto_hex_decode(text + 4, strlen(text) - 4, raw, sizeof(raw), &len);
    crypto_sha256(raw, sizeof(raw), t.hash);
    assert_int_equal(a->store->ops->token_add(a->store, &t, &id, NULL), 0);
    assert_string_equal(try_api(text, "me", json_object()), "not-logged-in");
    assert_string_equal(try_api("pra_", "me", json_object()), "not-logged-in");
    assert_string_equal(try_api("", "me", json_object()), "not-logged-in");
    free(login);
}

static void what_a_token_is_made_of_is_looked_at(void **state)
{
    static const struct {
        const char *name, *scopes, *argument;
        int days;
    } bad[] = {{"ci", "", "scopes", 1},          {"ci", "read read", "scopes", 1},
               {"ci", "read root", "scopes", 1}, {"ci", "read", "days", 0},
               {"ci", "read", "days", 366},      {"c i", "read", "name", 1}};
    char *login = account_with_token("bot", "admin");

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *answer = ask_from(SOURCE, login, "token.add",
                                  token_args(bad[i].name, bad[i].scopes, bad[i].days));
        const char *message =
            json_string_value(json_object_get(json_object_get(answer, "error"), "message"));

        assert_non_null(message);
        assert_int_equal(strncmp(message, bad[i].argument, strlen(bad[i].argument)), 0);
        json_decref(answer);
    }
    assert_string_equal(try_as(login, "token.add",
                               json_pack("{s:s, s:s, s:i, s:s}", "name", "ci", "scopes", "read",
                                         "days", 1, "proof", OTHER)),
                        "wrong");
    free(api_token(login, "ci", "read"));
    assert_string_equal(try_as(login, "token.add", token_args("ci", "read", 1)), "exists");
    for (int i = 1; i < API_TOKENS_MAX; i++) {
        char name[16];

        snprintf(name, sizeof(name), "t%d", i);
        free(api_token(login, name, "read"));
    }
    assert_string_equal(try_as(login, "token.add", token_args("more", "read", 1)), "invalid");
    free(login);
}

static void a_token_that_asks_too_often_has_to_wait_and_others_do_not(void **state)
{
    char *login = account_with_token("bot", "admin");
    char *token = api_token(login, "ci", "read"), *other = api_token(login, "other", "read");
    int good = 0;

    (void)state;
    for (int i = 0; i < THROTTLE_REQUESTS + 3; i++)
        good += strcmp(try_api(token, "hostkey.show", json_object()), "too-many") != 0;
    assert_in_range(good, THROTTLE_REQUESTS,
                    THROTTLE_REQUESTS + 2); /* a new minute may have begun */
    assert_string_equal(try_api(other, "me", json_object()), "");
    assert_true(found_in_audit("too-many"));
    free(login);
    free(token);
    free(other);
}

static void a_batch_of_a_token_is_within_its_scopes(void **state)
{
    char *login = account_with_token("bot", "admin");
    char *users = api_token(login, "users", "users"), *read = api_token(login, "read", "read");
    json_t *request = json_pack("{s:[{s:s, s:{s:s}}], s:s, s:s}", "batch", "op", "user.add", "args",
                                "name", "x", "source", SOURCE, "api-token", read);

    (void)state;
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "not-permitted");
    json_object_set_new(request, "api-token", json_string(users));
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "");
    json_object_set_new(request, "batch",
                        json_pack("[{s:s, s:{s:i}}]", "op", "rule.delete", "args", "id", 1));
    assert_string_equal(code_of(admin_execute(a, &portal, request)), "not-permitted");
    json_decref(request);
    free(login);
    free(users);
    free(read);
}

/* ---- known browsers ----------------------------------------------------------------------------- */

#define ELSEWHERE "198.51.100.9"

static json_t *log_in_with(const char *browsers, const char *source, const char *proof)
{
    return ask_with("login.password", login_args("tanaka", proof), source,
                    browsers == NULL ? NULL : "browsers", browsers);
}

/* What the browser keeps after a log-in. */
static char *browser_of(const char *name, const char *kept)
{
    json_t *answer = ask_with("login.password", login_args(name, PROOF), SOURCE,
                              kept == NULL ? NULL : "browsers", kept);
    char *text = text_of(json_incref(json_object_get(answer, "result")), "browsers");

    json_decref(answer);
    return text;
}

static void guesses_from_elsewhere_do_not_lock_a_known_browser_out(void **state)
{
    char *token = account_with_token("tanaka", "owner"), *browser = browser_of("tanaka", NULL);
    char source[32];

    (void)state;
    /* As many as an account may have from everywhere, and from the owner's own address, too. */
    for (int i = 0; i < THROTTLE_ACCOUNT; i++) {
        snprintf(source, sizeof(source), "198.51.100.%d", i / THROTTLE_BOTH);
        code_of(log_in_with(NULL, source, OTHER));
    }
    for (int i = 0; i <= THROTTLE_BOTH; i++)
        code_of(log_in_with(NULL, SOURCE, OTHER));
    assert_string_equal(code_of(log_in_with(NULL, SOURCE, PROOF)), "too-many");
    assert_string_equal(code_of(log_in_with(NULL, "203.0.113.1", PROOF)), "too-many");
    assert_string_equal(code_of(log_in_with(browser, SOURCE, PROOF)), "");
    assert_string_equal(code_of(log_in_with(browser, "203.0.113.1", PROOF)), "");
    free(token);
    free(browser);
}

static void a_known_browser_has_a_budget_of_its_own(void **state)
{
    char *token = account_with_token("tanaka", "owner"), *browser = browser_of("tanaka", NULL);
    char *second = browser_of("tanaka", NULL);

    (void)state;
    for (int i = 0; i < THROTTLE_BROWSER; i++)
        assert_string_equal(code_of(log_in_with(browser, ELSEWHERE, OTHER)), "wrong");
    assert_string_equal(code_of(log_in_with(browser, ELSEWHERE, PROOF)), "too-many");
    assert_string_equal(code_of(log_in_with(browser, SOURCE, PROOF)), "too-many");
    assert_string_equal(code_of(log_in_with(second, SOURCE, PROOF)), "");
    assert_string_equal(code_of(log_in_with(NULL, ELSEWHERE, PROOF)),
                        ""); /* strangers count apart */
    free(token);
    free(browser);
    free(second);
}

static void what_a_browser_keeps_is_good_for_its_account_and_password_only(void **state)
{
    char *token = account_with_token("tanaka", "owner"),
         *other = account_with_token("sato", "admin");
    char *own = browser_of("tanaka", NULL), *both = browser_of("sato", own), *forged = strdup(own);
    struct call c = {.a = a, .peer = &portal};
    struct store_account tanaka;
    uint8_t name[THROTTLE_BROWSER_LEN], again[THROTTLE_BROWSER_LEN];

    (void)state;
    assert_int_equal(a->store->ops->account_get(a->store, "tanaka", &tanaka, NULL), 0);
    c.browsers = own;
    assert_true(browser_known(&c, &tanaka, name));
    c.browsers = both; /* two accounts, one browser */
    assert_int_equal(strlen(both), 2 * BROWSER_TEXT + 1);
    assert_true(browser_known(&c, &tanaka, again));
    assert_memory_equal(name, again, sizeof(name));
    forged[0] = forged[0] == '0' ? '1' : '0';
    c.browsers = forged;
    assert_false(browser_known(&c, &tanaka, name));
    both[BROWSER_TEXT] = '\0'; /* sato's word alone */
    c.browsers = both;
    assert_false(browser_known(&c, &tanaka, name));
    c.browsers = "..x.";
    assert_false(browser_known(&c, &tanaka, name));
    /* The log-in that changes the password keeps its browser; what others kept is worth nothing. */
    json_decref(ok_as(token, "password.change",
                      json_pack("{s:s, s:s, s:s}", "proof", PROOF, "salt",
                                "ff0102030405060708090a0b0c0d0e0f", "new-proof", PROOF)));
    assert_int_equal(a->store->ops->account_get(a->store, "tanaka", &tanaka, NULL), 0);
    c.browsers = own;
    assert_false(browser_known(&c, &tanaka, name));
    assert_string_equal(code_of(ask_with("login.begin", json_pack("{s:s}", "account", "tanaka"),
                                         SOURCE, "browsers", "")),
                        "");
    free(token);
    free(other);
    free(own);
    free(both);
    free(forged);
}

static void a_browser_keeps_the_words_of_a_few_accounts(void **state)
{
    char *kept = NULL;

    (void)state;
    for (int i = 0; i < BROWSERS_MAX + 3; i++) {
        char name[16], *next;

        snprintf(name, sizeof(name), "a%d", i);
        free(account_with_token(name, "admin"));
        next = browser_of(name, kept);
        free(kept);
        kept = next;
        assert_true(strlen(kept) <= BROWSER_TEXT_MAX);
    }
    assert_int_equal(strlen(kept), BROWSERS_MAX * (BROWSER_TEXT + 1) - 1);
    free(kept);
}

/* ---- where the portal is used from -------------------------------------------------------------- */

static void with_rules_the_portal_answers_their_networks_only(void **state)
{
    char *token = account_with_token("tanaka", "owner");
    json_t *net = json_pack("{s:s}", "network", "192.0.2.0/24");

    (void)state;
    assert_string_equal(try_as(token, "access.add", net), "");
    assert_string_equal(try_as(token, "me", json_object()), "");
    assert_string_equal(code_of(ask_from(ELSEWHERE, token, "me", json_object())),
                        "address-refused");
    assert_string_equal(
        code_of(ask_from(ELSEWHERE, NULL, "login.password", login_args("tanaka", PROOF))),
        "address-refused");
    assert_string_equal(code_of(ask_from("2001:db8::1", NULL, "login.begin",
                                         json_pack("{s:s}", "account", "tanaka"))),
                        "address-refused");
    assert_true(found_in_audit("\"reason\": \"address\""));
    done("status", json_object()); /* the console is never asked */
    done("access.reset", json_object());
    assert_string_equal(code_of(ask_from(ELSEWHERE, token, "me", json_object())), "");
    free(token);
}

static int64_t added(const char *token, const char *network)
{
    json_t *rule = ok_as(token, "access.add", json_pack("{s:s}", "network", network));
    int64_t id = json_integer_value(json_object_get(rule, "id"));

    json_decref(rule);
    return id;
}

static void who_would_lock_himself_out_is_warned_first(void **state)
{
    char *token = account_with_token("tanaka", "owner");
    json_t *far = json_pack("{s:s}", "network", "203.0.113.0/24");
    int64_t own, other;

    (void)state;
    assert_string_equal(try_as(token, "access.add", json_incref(far)), "would-lock-out");
    assert_string_equal(try_as(token, "me", json_object()), ""); /* nothing was changed */
    own = added(token, SOURCE);
    other = added(token, "203.0.113.0/24");
    assert_string_equal(try_as(token, "access.delete", json_pack("{s:I}", "id", (json_int_t)own)),
                        "would-lock-out");
    assert_string_equal(try_as(token, "access.delete", json_pack("{s:I}", "id", (json_int_t)other)),
                        "");
    /* The last rule: then there is no list, and everybody may. */
    assert_string_equal(try_as(token, "access.delete", json_pack("{s:I}", "id", (json_int_t)own)),
                        "");
    json_object_set_new(far, "confirm", json_true());
    assert_string_equal(try_as(token, "access.add", far), "");
    assert_string_equal(try_as(token, "me", json_object()), "address-refused");
    json_decref(ok("access.reset", json_object()));
    assert_string_equal(try_as(token, "me", json_object()), "");
    free(token);
}

static void a_network_has_to_be_one_and_to_be_new(void **state)
{
    static const char *const bad[] = {"", "x", "192.0.2.1/33", "192.0.2.0/24 ", "gw.example.com"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused("access.add", json_pack("{s:s}", "network", bad[i]), "invalid", "network");
    done("access.add", json_pack("{s:s, s:s}", "network", "2001:db8::/32", "comment", "本社"));
    refused("access.add", json_pack("{s:s}", "network", "2001:db8::/32"), "exists", "network");
    refused("access.delete", json_pack("{s:i}", "id", 99), "not-found", "id");
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_ram, close_admin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_token_may_what_its_scopes_hold_and_its_role_may),
        T(no_scope_holds_accounts_passwords_or_tokens),
        T(a_token_ends_with_its_account_its_role_its_time_and_when_it_is_revoked),
        T(a_token_that_is_over_is_refused),
        T(what_a_token_is_made_of_is_looked_at),
        T(a_token_that_asks_too_often_has_to_wait_and_others_do_not),
        T(a_batch_of_a_token_is_within_its_scopes),
        T(guesses_from_elsewhere_do_not_lock_a_known_browser_out),
        T(a_known_browser_has_a_budget_of_its_own),
        T(what_a_browser_keeps_is_good_for_its_account_and_password_only),
        T(a_browser_keeps_the_words_of_a_few_accounts),
        T(with_rules_the_portal_answers_their_networks_only),
        T(who_would_lock_himself_out_is_warned_first),
        T(a_network_has_to_be_one_and_to_be_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
