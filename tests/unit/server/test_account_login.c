/* Logging in to the management tool: set-up, passwords, second step, log-ins, limits. */
#include <liboath/oath.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "server/admin/password.h"
#include "tests/unit/server/account_support.h"

/* ---- set-up, passwords -------------------------------------------------------------------------- */

static void a_setup_code_works_once_and_letter_case_does_not_matter(void **state)
{
    char *code = setup_code_of("tanaka", "owner"), *token;

    (void)state;
    assert_int_equal(strlen(code), 24);
    assert_string_equal(try_as(NULL, "setup", setup_args("tanaka", "AAAA")), "wrong");
    assert_string_equal(try_as(NULL, "setup", setup_args("suzuki", code)), "wrong");
    assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", PROOF)), "wrong");
    for (char *p = code; *p != '\0'; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p == '-' ? ' ' : *p);
    token = text_of(ok_as(NULL, "setup", setup_args("tanaka", code)), "token");
    assert_string_equal(try_as(token, "me", json_object()), "");
    assert_string_equal(try_as(NULL, "setup", setup_args("tanaka", code)), "wrong");
    assert_false(found_in_audit(code));
    free(code);
    free(token);
}

static void a_reissued_account_has_no_password_and_no_log_in(void **state)
{
    char *token = account_with_token("tanaka", "owner"),
         *boss = account_with_token("boss", "owner");
    char *code;

    (void)state;
    code =
        text_of(ok_as(boss, "account.reissue", json_pack("{s:s}", "name", "tanaka")), "setup-code");
    assert_string_equal(try_as(token, "me", json_object()), "not-logged-in");
    assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", PROOF)), "wrong");
    free(token);
    token = text_of(ok_as(NULL, "setup", setup_args("tanaka", code)), "token");
    assert_string_equal(try_as(token, "me", json_object()), "");
    free(token);
    free(code);
    free(boss);
}

static void a_password_is_changed_by_who_knows_it_and_other_log_ins_end(void **state)
{
    char *token = account_with_token("tanaka", "admin"), *second = log_in("tanaka");
    json_t *args = json_pack("{s:s, s:s, s:s}", "proof", OTHER, "salt", SALT, "new-proof", OTHER);

    (void)state;
    assert_string_equal(try_as(token, "password.change", json_incref(args)), "wrong");
    json_object_set_new(args, "proof", json_string(PROOF));
    assert_string_equal(try_as(token, "password.change", args), "");
    assert_string_equal(try_as(token, "me", json_object()), "");
    assert_string_equal(try_as(second, "me", json_object()), "not-logged-in");
    assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", PROOF)), "wrong");
    assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", OTHER)), "");
    free(token);
    free(second);
}

static void what_is_stored_cannot_be_presented(void **state)
{
    char *token = account_with_token("tanaka", "admin"), proof[2 * STORE_HASH_LEN + 1];
    struct store_account stored;

    (void)state;
    assert_int_equal(a->store->ops->account_get(a->store, "tanaka", &stored, NULL), 0);
    crypto_hex_encode(stored.proof, sizeof(stored.proof), proof);
    assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", proof)), "wrong");
    free(token);
}

static void an_unknown_account_looks_like_a_known_one(void **state)
{
    char *one, *again, *other, *mine = account_with_token("tanaka", "admin");

    (void)state;
    one = text_of(ok_as(NULL, "login.begin", json_pack("{s:s}", "account", "ghost")), "salt");
    again = text_of(ok_as(NULL, "login.begin", json_pack("{s:s}", "account", "ghost")), "salt");
    other = text_of(ok_as(NULL, "login.begin", json_pack("{s:s}", "account", "spook")), "salt");
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), strlen(SALT));
    assert_string_equal(try_as(NULL, "login.password", login_args("ghost", PROOF)), "wrong");
    free(one);
    free(again);
    free(other);
    free(mine);
}

static void passwords_that_are_short_or_the_name_are_refused(void **state)
{
    char longest[PASSWORD_MAX + 2];
    uint8_t salt[PASSWORD_SALT_LEN] = {1}, one[PASSWORD_PROOF_LEN], two[PASSWORD_PROOF_LEN];

    (void)state;
    assert_int_equal(password_check("x", "elevenchars", NULL), PRA_EWEAK);
    assert_int_equal(password_check("x", "twelve chars", NULL), 0);
    assert_int_equal(password_check("x", "十二文字のパスワードです", NULL), 0);
    assert_int_equal(password_check("x", "パスワード", NULL), PRA_EWEAK);
    assert_int_equal(password_check("twelve-chars", "Twelve-Chars", NULL), PRA_EWEAK);
    assert_int_equal(password_check("x", "twelve\nchars!", NULL), PRA_EINVAL);
    assert_int_equal(password_check("x", "twelve chars\xff", NULL), PRA_EINVAL);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(password_check("x", longest, NULL), PRA_EINVAL);
    assert_int_equal(password_proof("one", salt, one), 0);
    assert_int_equal(password_proof("two", salt, two), 0);
    assert_memory_not_equal(one, two, sizeof(one));
}

/* ---- the second step ---------------------------------------------------------------------------- */

static char *secret_of(const char *token)
{
    char *raw = NULL,
         *text = text_of(ok_as(token, "totp.begin", json_pack("{s:s}", "proof", PROOF)), "secret");
    size_t len;

    assert_int_equal(oath_base32_decode(text, strlen(text), &raw, &len), OATH_OK);
    assert_int_equal(len, STORE_TOTP_LEN);
    free(text);
    return raw;
}

/* The code of a time step, counted from now. */
static json_t *code_at(const char *secret, int step)
{
    char otp[7];

    assert_int_equal(oath_totp_generate(secret, STORE_TOTP_LEN, time(NULL) + step * TOTP_STEP_S,
                                        TOTP_STEP_S, 0, 6, otp),
                     OATH_OK);
    return json_pack("{s:s}", "code", otp);
}

/* A new time step must not begin between two codes of a test: not in the last seconds of one. */
static void wait_for_a_fresh_step(void)
{
    while (time(NULL) % TOTP_STEP_S >= TOTP_STEP_S - 5)
        usleep(50 * 1000);
}

/* Turns two-step log-in on with the code of the step before; *codes gets the recovery codes. */
static char *turn_on(const char *token, json_t **codes)
{
    char *secret = secret_of(token);

    wait_for_a_fresh_step();
    *codes = ok_as(token, "totp.confirm", code_at(secret, -1));
    assert_int_equal(json_array_size(json_object_get(*codes, "recovery-codes")), RECOVERY_COUNT);
    return secret;
}

static void two_steps_are_needed_once_they_are_on(void **state)
{
    char *token = account_with_token("tanaka", "admin"), *pending, *secret;
    json_t *codes;

    (void)state;
    assert_string_equal(try_as(token, "totp.begin", json_pack("{s:s}", "proof", OTHER)), "wrong");
    secret = turn_on(token, &codes);
    pending = log_in("tanaka");
    assert_string_equal(try_as(pending, "me", json_object()), "not-logged-in");
    assert_string_equal(try_as(pending, "user.list", json_object()), "not-logged-in");
    assert_string_equal(try_as(pending, "login.code", json_pack("{s:s}", "code", "000000")),
                        "wrong");
    free(token);
    token = text_of(ok_as(pending, "login.code", code_at(secret, 0)), "token");
    assert_string_equal(try_as(token, "me", json_object()), "");
    assert_string_equal(try_as(pending, "me", json_object()), "not-logged-in");
    assert_string_equal(try_as(token, "totp.begin", json_pack("{s:s}", "proof", PROOF)), "exists");
    assert_string_equal(try_as(token, "totp.disable", json_pack("{s:s}", "proof", PROOF)), "");
    free(pending);
    pending = log_in("tanaka");
    assert_string_equal(try_as(pending, "me", json_object()), "");
    json_decref(codes);
    free(token);
    free(pending);
    free(secret);
}

static void a_code_is_good_once_and_so_are_those_before_it(void **state)
{
    char *token = account_with_token("tanaka", "admin"), *first, *second, *secret;
    json_t *codes;

    (void)state;
    secret = turn_on(token, &codes);
    first = log_in("tanaka");
    second = log_in("tanaka");
    assert_string_equal(try_as(second, "login.code", code_at(secret, -1)),
                        "wrong"); /* confirmed with it */
    assert_string_equal(try_as(first, "login.code", code_at(secret, 0)), "");
    assert_string_equal(try_as(second, "login.code", code_at(secret, 0)), "wrong");
    assert_true(found_in_audit("code-used"));
    assert_string_equal(try_as(second, "login.code", code_at(secret, 1)), "");
    json_decref(codes);
    free(token);
    free(first);
    free(second);
    free(secret);
}

static void a_recovery_code_is_good_once(void **state)
{
    char *token = account_with_token("tanaka", "admin"), *first, *second, *secret;
    const char *code;
    json_t *codes;

    (void)state;
    secret = turn_on(token, &codes);
    code = json_string_value(json_array_get(json_object_get(codes, "recovery-codes"), 3));
    first = log_in("tanaka");
    second = log_in("tanaka");
    assert_string_equal(try_as(first, "login.code", json_pack("{s:s}", "code", code)), "");
    assert_string_equal(try_as(second, "login.code", json_pack("{s:s}", "code", code)), "wrong");
    json_decref(codes);
    codes = ok_as(token, "me", json_object());
    assert_int_equal(json_integer_value(json_object_get(codes, "recovery-codes")),
                     RECOVERY_COUNT - 1);
    json_decref(codes);
    free(token);
    free(first);
    free(second);
    free(secret);
}

static void codes_cannot_be_guessed(void **state)
{
    char *token = account_with_token("tanaka", "admin"), *pending, *secret;
    json_t *codes, *answer;

    (void)state;
    secret = turn_on(token, &codes);
    for (int round = 0; round < CODE_FAILURES_MAX / CODE_TRIES_MAX; round++) {
        pending = log_in("tanaka");
        for (int i = 0; i < CODE_TRIES_MAX; i++)
            assert_string_equal(try_as(pending, "login.code", json_pack("{s:s}", "code", "000000")),
                                "wrong");
        assert_string_equal(try_as(pending, "login.code", code_at(secret, 0)), "not-logged-in");
        free(pending);
    }
    /* From elsewhere, where nothing is counted yet. */
    answer = ask_from("198.51.100.1", NULL, "login.password", login_args("tanaka", PROOF));
    pending = text_of(json_incref(json_object_get(answer, "result")), "token");
    json_decref(answer);
    assert_string_equal(try_as(pending, "login.code", code_at(secret, 0)), "too-many");
    json_decref(codes);
    free(token);
    free(pending);
    free(secret);
}

/* ---- log-ins and limits ------------------------------------------------------------------------- */

static void log_ins_end(void **state)
{
    char *token = account_with_token("tanaka", "admin"), *second = log_in("tanaka");
    char *id = text_of(ok_as(second, "me", json_object()), "login"), bad[2 * TOKEN_LEN + 1];

    (void)state;
    assert_string_equal(try_as(token, "login.end", json_pack("{s:s}", "id", id)), "");
    assert_string_equal(try_as(second, "me", json_object()), "not-logged-in");
    assert_string_equal(try_as(token, "logout", json_object()), "");
    assert_string_equal(try_as(token, "me", json_object()), "not-logged-in");
    memset(bad, '0', sizeof(bad) - 1);
    bad[sizeof(bad) - 1] = '\0';
    assert_string_equal(try_as(bad, "me", json_object()), "not-logged-in");
    assert_string_equal(try_as("x", "me", json_object()), "not-logged-in");
    assert_string_equal(try_as("", "me", json_object()), "not-logged-in");
    free(token);
    free(second);
    free(id);
}

/* Puts a log-in with this token and these times into the store. */
static const char *old_login(int64_t created, int64_t seen, bool open)
{
    static char text[2 * TOKEN_LEN + 1];
    struct store_login l = {.created = created, .seen = seen, .open = open};
    struct store_account owner;
    uint8_t token[TOKEN_LEN];
    int64_t id;

    crypto_random(token, sizeof(token));
    crypto_hex_encode(token, sizeof(token), text);
    crypto_sha256(token, sizeof(token), l.token);
    assert_int_equal(a->store->ops->account_get(a->store, "tanaka", &owner, NULL), 0);
    l.account = owner.id;
    assert_int_equal(a->store->ops->login_add(a->store, &l, &id, NULL), 0);
    return text;
}

static void log_ins_grow_old(void **state)
{
    char *token = account_with_token("tanaka", "admin");
    int64_t now = time(NULL);
    json_t *list;

    (void)state;
    assert_string_equal(
        try_as(old_login(now - 600, now - LOGIN_IDLE_S + 5, true), "me", json_object()), "");
    assert_string_equal(
        try_as(old_login(now - LOGIN_IDLE_S, now - LOGIN_IDLE_S, true), "me", json_object()),
        "not-logged-in");
    assert_string_equal(try_as(old_login(now - LOGIN_LONGEST_S, now, true), "me", json_object()),
                        "not-logged-in");
    assert_string_equal(try_as(old_login(now + 3600, now + 3600, true), "me", json_object()),
                        "not-logged-in");
    assert_string_equal(try_as(old_login(now - LOGIN_PENDING_S, now, false), "login.code",
                               json_pack("{s:s}", "code", "1")),
                        "not-logged-in");
    for (int i = 0; i < LOGINS_MAX + 4; i++)
        free(log_in("tanaka"));
    list = ok_as(token = (free(token), log_in("tanaka")), "login.list", json_object());
    assert_int_equal(json_array_size(list), LOGINS_MAX);
    json_decref(list);
    free(token);
}

static void a_use_moves_the_end_of_a_log_in(void **state)
{
    char *token = account_with_token("tanaka", "admin");
    int64_t now = time(NULL);
    char old[2 * TOKEN_LEN + 1];
    struct store_login l;
    uint8_t raw[TOKEN_LEN], hash[STORE_HASH_LEN];
    size_t len;

    (void)state;
    snprintf(old, sizeof(old), "%s", old_login(now - 600, now - 600, true));
    assert_string_equal(try_as(old, "me", json_object()), "");
    crypto_hex_decode(old, strlen(old), raw, sizeof(raw), &len);
    crypto_sha256(raw, sizeof(raw), hash);
    assert_int_equal(a->store->ops->login_get(a->store, hash, &l, NULL), 0);
    assert_true(l.seen >= now);
    free(token);
}

static void wrong_passwords_are_slowed_down_by_account_and_source(void **state)
{
    char *token = account_with_token("tanaka", "admin");

    (void)state;
    for (int i = 0; i < THROTTLE_BOTH; i++)
        assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", OTHER)), "wrong");
    assert_string_equal(try_as(NULL, "login.password", login_args("tanaka", PROOF)), "too-many");
    assert_string_equal(
        code_of(ask_from("198.51.100.1", NULL, "login.password", login_args("tanaka", PROOF))), "");
    assert_string_equal(try_as(token, "me", json_object()), "");
    assert_true(found_in_audit("too-many"));
    free(token);
}

static void a_name_of_any_length_is_looked_at_safely(void **state)
{
    static const char *const sources[] = {"192.0.2.1", "2001:db8::1"};
    char name[1025];

    (void)state;
    for (size_t len = 1; len < sizeof(name); len = len < 16 ? len + 1 : len + 61) {
        memset(name, 'x', len);
        name[len] = '\0';
        for (size_t s = 0; s < 2; s++) {
            const char *code =
                code_of(ask_from(sources[s], NULL, "login.password", login_args(name, PROOF)));

            assert_true(strcmp(code, "wrong") == 0 || strcmp(code, "too-many") == 0);
            code_of(ask_from(sources[s], NULL, "login.begin", json_pack("{s:s}", "account", name)));
            code_of(ask_from(sources[s], NULL, "setup", setup_args(name, "x")));
        }
    }
}

static void a_source_is_slowed_down_whatever_accounts_it_tries(void **state)
{
    char *token = account_with_token("tanaka", "admin"), name[32], source[64];

    (void)state;
    for (int i = 0; i < THROTTLE_SOURCE; i++) {
        snprintf(name, sizeof(name), "ghost%d", i);
        snprintf(source, sizeof(source), "2001:db8::%x", i + 1); /* one /64 is one source */
        assert_string_equal(
            code_of(ask_from(source, NULL, "login.password", login_args(name, PROOF))), "wrong");
    }
    assert_string_equal(
        code_of(ask_from("2001:db8::ffff", NULL, "login.password", login_args("tanaka", PROOF))),
        "too-many");
    assert_string_equal(
        code_of(ask_from("2001:db8:0:1::1", NULL, "login.password", login_args("tanaka", PROOF))),
        "");
    free(token);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_ram, close_admin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_setup_code_works_once_and_letter_case_does_not_matter),
        T(a_reissued_account_has_no_password_and_no_log_in),
        T(a_password_is_changed_by_who_knows_it_and_other_log_ins_end),
        T(what_is_stored_cannot_be_presented),
        T(an_unknown_account_looks_like_a_known_one),
        T(passwords_that_are_short_or_the_name_are_refused),
        T(two_steps_are_needed_once_they_are_on),
        T(a_code_is_good_once_and_so_are_those_before_it),
        T(a_recovery_code_is_good_once),
        T(codes_cannot_be_guessed),
        T(log_ins_end),
        T(log_ins_grow_old),
        T(a_use_moves_the_end_of_a_log_in),
        T(wrong_passwords_are_slowed_down_by_account_and_source),
        T(a_name_of_any_length_is_looked_at_safely),
        T(a_source_is_slowed_down_whatever_accounts_it_tries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
