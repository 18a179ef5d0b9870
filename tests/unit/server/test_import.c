/* Large tables of users: others have their turn, and what becomes of all or nothing then. */
#include <stdlib.h>

#include "tests/unit/server/account_support.h"

#define ROWS 6000

static unsigned turns;
static void (*others)(void); /* what others do in their turn */

static void breathe(void *ctx)
{
    (void)ctx;
    turns++;
    if (others != NULL)
        others();
}

static int open_breathing(void **state)
{
    struct admin_host breathing = host;
    struct admin_options opt = {
        .store_url = "ram:", .host_key_path = "/nonexistent/host_key", .host = &breathing};

    (void)state;
    breathing.breathe = breathe;
    turns = 0;
    others = NULL;
    return admin_open(&opt, &a, NULL);
}

/* "name,groups", user0 ... ; the last row is `last`. The caller frees it. */
static char *table_of(const char *last)
{
    size_t cap = ROWS * 32 + 256, len;
    char *text = malloc(cap);

    assert_non_null(text);
    len = (size_t)snprintf(text, cap, "name,groups\r\n");
    for (int i = 0; i < ROWS; i++)
        len += (size_t)snprintf(text + len, cap - len, "user%d,\r\n", i);
    snprintf(text + len, cap - len, "%s", last);
    return text;
}

static json_int_t user_count(void)
{
    json_t *status = ok("status", json_object());
    json_int_t n = json_integer_value(json_object_get(status, "users"));

    json_decref(status);
    return n;
}

static void change_and_import(void)
{
    char name[32];

    snprintf(name, sizeof(name), "guest%u", turns);
    add_user(name);
    refused("user.import", json_pack("{s:s}", "csv", "name\nx\n"), "busy", "csv:");
    refused("rule.import", json_pack("{s:s}", "csv", "name\nx\n"), "busy", "csv:");
}

static void others_change_things_while_a_large_table_is_imported(void **state)
{
    char *text = table_of("");
    json_t *done_;

    (void)state;
    others = change_and_import;
    done_ = ok("user.import", json_pack("{s:s}", "csv", text));
    assert_int_equal(json_integer_value(json_object_get(done_, "added")), ROWS);
    assert_true(turns > 0);
    assert_int_equal(user_count(), ROWS + (json_int_t)turns);
    json_decref(done_);
    /* The same again changes nothing, and a check leaves nothing behind. */
    others = NULL;
    done_ = ok("user.import.check", json_pack("{s:s}", "csv", text));
    assert_int_equal(json_integer_value(json_object_get(done_, "unchanged")), ROWS);
    json_decref(done_);
    free(text);
}

static void a_problem_at_the_end_changes_nothing(void **state)
{
    char *text = table_of("a b,\r\n");

    (void)state;
    refused("user.import", json_pack("{s:s}", "csv", text), "invalid",
            "csv: 1 problem, nothing was changed; line 6002");
    assert_true(turns > 0);
    assert_int_equal(user_count(), 0);
    free(text);
}

/* Not before the first slice stands. */
static void take_the_group_away(void)
{
    if (user_count() > 0)
        done("group.delete", json_pack("{s:s}", "name", "sales")), others = NULL;
}

static void what_others_spoil_meanwhile_is_said_and_another_import_does_the_rest(void **state)
{
    char *text = table_of("last,sales\r\n");
    json_t *again;
    json_int_t kept;

    (void)state;
    done("group.add", json_pack("{s:s}", "name", "sales"));
    others = take_the_group_away;
    refused("user.import", json_pack("{s:s}", "csv", text), "partly",
            "rows were imported, then: line 6002");
    kept = user_count();
    assert_true(kept > 0 && kept <= ROWS);
    done("group.add", json_pack("{s:s}", "name", "sales"));
    again = ok("user.import", json_pack("{s:s}", "csv", text));
    assert_int_equal(json_integer_value(json_object_get(again, "unchanged")), kept);
    assert_int_equal(json_integer_value(json_object_get(again, "added")), ROWS + 1 - kept);
    json_decref(again);
    free(text);
}

static const char *importer; /* whose log-in is over once the first slice stands */

static void take_the_right_away(void)
{
    if (user_count() > 0)
        done("account.disable", json_pack("{s:s}", "name", "chief")), others = NULL;
}

static void log_out(void)
{
    if (user_count() > 0)
        json_decref(ok_as(importer, "logout", json_object())), others = NULL;
}

/* What the first slices did stays, and both the answer and the record say so. */
static void assert_cut_off(json_t *answer, const char *why)
{
    json_t *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    char kept[64];

    assert_non_null(message);
    assert_string_equal(json_string_value(json_object_get(error, "code")), "partly");
    snprintf(kept, sizeof(kept),
             "csv: the first %lld rows were imported, then: ", (long long)user_count());
    assert_memory_equal(message, kept, strlen(kept));
    assert_non_null(strstr(message, why));
    snprintf(kept, sizeof(kept), " rows-kept=%lld", (long long)user_count());
    assert_true(found_in_audit(kept));
    json_decref(answer);
}

static void who_may_no_longer_import_is_cut_off_and_told_what_stays(void **state)
{
    char *text = table_of(""), *token = account_with_token("chief", "admin");

    (void)state;
    others = take_the_right_away;
    assert_cut_off(ask_from(SOURCE, token, "user.import", json_pack("{s:s}", "csv", text)),
                   "may not do this any more");
    free(token);
    free(text);
}

static void the_end_of_a_log_in_ends_its_import(void **state)
{
    char *text = table_of(""), *token = account_with_token("chief", "admin");

    (void)state;
    importer = token;
    others = log_out;
    assert_cut_off(ask_from(SOURCE, token, "user.import", json_pack("{s:s}", "csv", text)),
                   "good no more");
    free(token);
    free(text);
}

static void revoke_tokens(void)
{
    if (user_count() > 0)
        json_decref(ok_as(importer, "token.revoke", json_pack("{s:i}", "id", 1))), others = NULL;
}

static void a_token_that_is_revoked_imports_no_further(void **state)
{
    char *text = table_of(""), *token = account_with_token("chief", "admin"), *api;
    json_t *request;

    (void)state;
    importer = token;
    api = text_of(ok_as(token, "token.add",
                        json_pack("{s:s, s:s, s:i, s:s}", "name", "ci", "scopes", "users", "days",
                                  1, "proof", PROOF)),
                  "token");
    others = revoke_tokens;
    request = json_pack("{s:s, s:{s:s}, s:s, s:s}", "op", "user.import", "args", "csv", text,
                        "api-token", api, "source", SOURCE);
    assert_cut_off(admin_execute(a, &portal, request), "good no more");
    json_decref(request);
    free(api);
    free(token);
    free(text);
}

static void in_a_batch_nobody_has_a_turn(void **state)
{
    char *text = table_of("");
    json_t *answer;

    (void)state;
    answer = ask_raw(json_pack("{s:[{s:s, s:{s:s}}, {s:s, s:{s:s}}]}", "batch", "op", "user.import",
                               "args", "csv", text, "op", "user.add", "args", "name", "user1"));
    assert_true(json_is_false(json_object_get(answer, "ok")));
    json_decref(answer);
    assert_int_equal(turns, 0);
    assert_int_equal(user_count(), 0);
    free(text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_breathing, close_admin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(others_change_things_while_a_large_table_is_imported),
        T(a_problem_at_the_end_changes_nothing),
        T(what_others_spoil_meanwhile_is_said_and_another_import_does_the_rest),
        T(who_may_no_longer_import_is_cut_off_and_told_what_stays),
        T(the_end_of_a_log_in_ends_its_import),
        T(a_token_that_is_revoked_imports_no_further),
        T(in_a_batch_nobody_has_a_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
