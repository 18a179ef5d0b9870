/* What the tray shows for each state of the agent: shape, words, menu, rows, notices, countdown. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include <jansson.h>

#include "client/tray/tray_state.h"
#include "common/i18n.h"
#include "common/utf8.h"

static json_t *forward(const char *name, const char *state)
{
    bool ready = strcmp(state, "listening") == 0;

    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:i, s:i}", "name", name, "local",
                     "127.0.0.1:110", "target", "mail:110", "state", state, "error",
                     ready ? json_null() : json_string("ERR(10301) busy"), "holder",
                     ready ? json_null()
                           : json_pack("{s:i, s:s}", "pid", 4711, "program", "dovecot"),
                     "connections", 2, "bytes_in", 2048, "bytes_out", 10);
}

static json_t *error_of(const char *id)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "code", "ERR(1)", "message",
                     "agent's title", "cause", "agent's cause", "remedy", "agent's remedy", "id",
                     id, "args", "server", "gw.example.com:10022", "user", "suzuki", "seconds",
                     "99");
}

static json_t *status_of(const char *state, const char *error)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:n, s:[]}", "state", state, "server",
                     "gw.example.com:10022", "user", "suzuki", "error",
                     error != NULL ? error_of(error) : json_null(), "retry_in", "forwards");
}

static json_t *connected(size_t ready, size_t busy)
{
    json_t *status = status_of("connected", NULL), *list = json_object_get(status, "forwards");

    for (size_t i = 0; i < ready; i++)
        json_array_append_new(list, forward("POP", "listening"));
    for (size_t i = 0; i < busy; i++)
        json_array_append_new(list, forward("SMTP", "conflict"));
    return status;
}

static json_t *waiting(const char *error, int seconds)
{
    json_t *status = status_of("waiting", error);

    json_object_set_new(status, "retry_in", json_integer(seconds));
    return status;
}

/* The view of a PC that is set up; releases `status`, so texts of unknown errors are not looked at. */
static struct tray_view look(json_t *status)
{
    struct tray_facts facts = {.status = status, .has_server = true, .has_key = true};
    struct tray_view view;

    tray_look(&facts, &view);
    json_decref(status);
    return view;
}

static void each_state_has_its_shape(void **state)
{
    (void)state;
    assert_int_equal(look(NULL).shape, TRAY_OFF);
    assert_int_equal(look(status_of("disconnected", NULL)).shape, TRAY_OFF);
    assert_int_equal(look(status_of("connecting", NULL)).shape, TRAY_CONNECTING);
    assert_int_equal(look(waiting("MSG_GATEWAY_LOST", 5)).shape, TRAY_CONNECTING);
    assert_int_equal(look(connected(3, 0)).shape, TRAY_ON);
    assert_int_equal(look(connected(2, 1)).shape, TRAY_PARTLY);
    assert_int_equal(look(connected(0, 2)).shape, TRAY_ERROR);
    assert_int_equal(look(status_of("error", "MSG_PROTOCOL")).shape, TRAY_ERROR);
    assert_int_equal(look(status_of("error", "MSG_KEY_PASSPHRASE")).shape, TRAY_ACTION);
    assert_int_equal(look(status_of("error", "MSG_HOSTKEY_UNKNOWN")).shape, TRAY_ACTION);
    assert_int_equal(look(status_of("error", "MSG_KEY_UNREGISTERED")).shape, TRAY_ACTION);
}

static void new_pc_is_led_from_server_to_key_to_connect(void **state)
{
    struct tray_facts facts = {0};
    struct tray_view view;

    (void)state;
    tray_look(&facts, &view);
    assert_int_equal(view.next, TRAY_STEP_SERVER);
    assert_int_equal(view.shape, TRAY_ACTION);
    assert_false(view.can_connect);
    facts.has_server = true;
    tray_look(&facts, &view);
    assert_int_equal(view.next, TRAY_STEP_KEY);
    facts.has_key = true;
    tray_look(&facts, &view);
    assert_int_equal(view.next, TRAY_STEP_CONNECT);
    assert_true(view.can_connect);
    assert_false(view.can_disconnect);
}

static void what_can_be_done_follows_the_state(void **state)
{
    struct tray_view view = look(status_of("connecting", NULL));

    (void)state;
    assert_false(view.can_connect);
    assert_true(view.can_disconnect);
    assert_false(view.can_retry);
    view = look(waiting("MSG_GATEWAY_LOST", 5));
    assert_true(view.can_retry);
    assert_true(view.can_disconnect);
    view = look(status_of("error", "MSG_RULES_NONE"));
    assert_true(view.can_connect);
    assert_true(view.can_disconnect); /* its session waits for a first rule */
    view = look(status_of("error", "MSG_KEY_REVOKED"));
    assert_false(view.can_disconnect);
    assert_int_equal(view.next, TRAY_STEP_KEY);
}

static void words_are_in_the_chosen_language(void **state)
{
    (void)state;
    i18n_set(LANG_JA);
    assert_non_null(strstr(look(connected(3, 0)).headline, "接続中"));
    assert_string_equal(look(status_of("disconnected", NULL)).headline, "未接続");
    assert_string_equal(look(status_of("error", "MSG_RULES_PORT")).headline,
                        "接続エラー: ERR(10203) 転送ルールの取得に失敗しました");
    i18n_set(LANG_EN);
    assert_non_null(strstr(look(connected(2, 1)).headline, "2 of 3"));
    assert_string_equal(look(status_of("error", "MSG_RULES_PORT")).headline,
                        "Not connected: ERR(10203) The forwarding rules could not be fetched");
    assert_string_equal(look(connected(1, 0)).detail, "gw.example.com:10022  suzuki");
}

static void countdown_goes_on_between_messages_and_stops_at_zero(void **state)
{
    struct tray_facts facts = {
        .status = waiting("MSG_GATEWAY_LOST", 12), .age = 5, .has_server = true, .has_key = true};
    struct tray_view view;

    (void)state;
    tray_look(&facts, &view);
    assert_int_equal(view.retry_in, 7);
    assert_non_null(strstr(view.headline, "7 s"));
    assert_non_null(strstr(view.trouble.cause, " 7 seconds"));
    facts.age = 1000;
    tray_look(&facts, &view);
    assert_int_equal(view.retry_in, 0);
    json_decref((json_t *)(uintptr_t)facts.status);
}

static void message_of_a_newer_agent_is_shown_in_its_own_words(void **state)
{
    json_t *status = status_of("error", "MSG_FROM_THE_FUTURE");
    struct tray_facts facts = {.status = status, .has_server = true, .has_key = true};
    struct tray_view view;

    (void)state;
    tray_look(&facts, &view);
    assert_true(view.has_trouble);
    assert_int_equal(view.problem, MSG_NONE);
    assert_string_equal(view.trouble.code, "ERR(1)");
    assert_string_equal(view.trouble.cause, "agent's cause");
    json_decref(status);
}

static void rows_say_mark_word_traffic_and_who_is_in_the_way(void **state)
{
    json_t *status = connected(1, 1);
    struct tray_row row;

    (void)state;
    assert_int_equal(tray_row_count(status), 2);
    tray_row(status, 0, &row);
    assert_true(row.ready);
    assert_string_equal(row.mark, "●");
    assert_string_equal(row.local, "127.0.0.1:110");
    assert_string_equal(row.connections, "2");
    assert_string_equal(row.traffic, "↓ 2.0 KiB  ↑ 10 B");
    assert_string_equal(row.note, "");
    tray_row(status, 1, &row);
    assert_false(row.ready);
    assert_string_equal(row.mark, "×");
    assert_string_equal(row.word, "port taken");
    assert_non_null(strstr(row.note, "dovecot"));
    assert_non_null(strstr(row.note, "4711"));
    assert_non_null(strchr(row.note, '\n'));
    json_decref(status);
    assert_int_equal(tray_row_count(NULL), 0);
}

static void names_chosen_by_a_gateway_are_cleaned(void **state)
{
    json_t *status = connected(1, 0);
    json_t *first = json_array_get(json_object_get(status, "forwards"), 0);
    char longest[4096];
    struct tray_row row;

    (void)state;
    json_object_set_new(first, "name", json_string("a\nb\x1b[31m\xe2\x80\xae"));
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    json_object_set_new(first, "target", json_string(longest));
    tray_row(status, 0, &row);
    assert_string_equal(row.name, "a?b?[31m?");
    assert_int_equal(strlen(row.target), TRAY_CELL_MAX - 1);
    json_object_set_new(status, "user", json_string(longest));
    json_object_set_new(status, "server", json_string(longest));
    assert_true(strlen(look(status).detail) < TRAY_TEXT_MAX);
}

static void menu_begins_with_the_status_and_offers_what_can_be_done(void **state)
{
    struct tray_facts facts = {
        .status = waiting("MSG_GATEWAY_LOST", 9), .has_server = true, .has_key = true};
    struct tray_item items[TRAY_MENU_MAX];
    bool disconnect = false, connect = false;
    struct tray_view view;
    size_t n;

    (void)state;
    tray_look(&facts, &view);
    n = tray_menu(&facts, &view, items);
    assert_string_equal(items[0].label, view.headline);
    assert_int_equal(items[1].command, TRAY_CMD_RETRY);
    assert_non_null(strstr(items[1].label, "9"));
    for (size_t i = 0; i < n; i++) {
        disconnect |= items[i].command == TRAY_CMD_DISCONNECT;
        connect |= items[i].command == TRAY_CMD_CONNECT;
    }
    assert_true(disconnect);
    assert_false(connect);
    json_decref((json_t *)(uintptr_t)facts.status);
}

static void menu_holds_at_most_so_many_forwards(void **state)
{
    struct tray_facts facts = {.status = connected(300, 40), .has_server = true, .has_key = true};
    struct tray_item items[TRAY_MENU_MAX];
    size_t n, copies = 0;
    struct tray_view view;

    (void)state;
    tray_look(&facts, &view);
    n = tray_menu(&facts, &view, items);
    assert_true(n <= TRAY_MENU_MAX);
    for (size_t i = 0; i < n; i++)
        copies += items[i].command == TRAY_CMD_COPY;
    assert_int_equal(copies, TRAY_MENU_FORWARDS);
    json_decref((json_t *)(uintptr_t)facts.status);
}

/* The desktop's bus refuses a text that ends in half a letter. */
static void long_names_and_causes_are_cut_between_letters(void **state)
{
    struct tray_facts facts = {.status = connected(1, 0), .has_server = true, .has_key = true};
    json_t *first = json_array_get(json_object_get(facts.status, "forwards"), 0);
    json_t *failed = status_of("error", "MSG_RULES_NONE");
    struct tray_item items[TRAY_MENU_MAX];
    struct tray_told told = {.begun = true};
    struct tray_notice notice;
    struct tray_view view;
    char name[400] = "";
    size_t n;

    (void)state;
    i18n_set(LANG_JA);
    for (size_t shift = 0; shift < 3; shift++) {
        memset(name, 'x', shift);
        for (size_t at = shift; at + 3 < sizeof(name); at += 3)
            memcpy(name + at, "\xe9\x95\xb7", 4);
        json_object_set_new(first, "name", json_string(name));
        tray_look(&facts, &view);
        n = tray_menu(&facts, &view, items);
        for (size_t i = 0; i < n; i++)
            assert_true(utf8_valid(items[i].label, strlen(items[i].label)));
        json_object_set_new(json_object_get(json_object_get(failed, "error"), "args"), "user",
                            json_string(name));
        tray_look(&(struct tray_facts){.status = failed}, &view);
        told.kind = 1;
        assert_true(tray_notice(&view, TRAY_NOTICES_ALL, &told, &notice));
        assert_true(utf8_valid(notice.body, strlen(notice.body)));
        assert_true(strlen(notice.body) > 480);
        told = (struct tray_told){.begun = true};
    }
    i18n_set(LANG_EN);
    json_decref((json_t *)(uintptr_t)facts.status);
    json_decref(failed);
}

/* Shows a state to the notices and says whether one came. */
static bool told(struct tray_told *t, json_t *status, struct tray_notice *n)
{
    struct tray_view view = look(status);

    return tray_notice(&view, TRAY_NOTICES_ALL, t, n);
}

static void one_notice_per_real_change(void **state)
{
    struct tray_told t = {0};
    struct tray_notice n;

    (void)state;
    assert_false(told(&t, NULL, &n)); /* the first state is no change */
    assert_false(told(&t, status_of("connecting", NULL), &n));
    assert_true(told(&t, connected(2, 0), &n));
    assert_false(n.error);
    assert_string_equal(n.title, "Connected; port forwarding has begun");
    assert_false(told(&t, connected(2, 0), &n));
    assert_true(told(&t, connected(1, 1), &n));
    assert_true(n.error);
    assert_false(told(&t, connected(2, 0), &n)); /* got better: seen, not announced */
    assert_true(told(&t, waiting("MSG_GATEWAY_LOST", 5), &n));
    assert_true(n.error);
    for (int i = 0; i < 5; i++) {
        assert_false(told(&t, status_of("connecting", NULL), &n));
        assert_false(told(&t, waiting(i % 2 ? "MSG_RULES_PORT" : "MSG_GATEWAY_LOST", 5), &n));
    }
    assert_false(told(&t, status_of("connecting", NULL), &n));
    assert_true(told(&t, connected(2, 0), &n));
    assert_true(told(&t, status_of("disconnected", NULL), &n));
    assert_false(n.error);
    assert_false(told(&t, NULL, &n));
}

static void a_holder_that_cannot_be_seen_is_called_so(void **state)
{
    json_t *busy = forward("POP", "conflict");
    json_t *status = json_pack("{s:s, s:[o]}", "state", "connected", "forwards", busy);
    struct tray_row row;

    (void)state;
    json_object_set_new(busy, "holder", json_pack("{s:n, s:s}", "pid", "program", "?"));
    tray_row(status, 0, &row);
    assert_non_null(strstr(row.note, "used by a program that cannot be seen (process ?)"));
    json_decref(status);
}

static void each_failure_is_told_once(void **state)
{
    struct tray_told t = {0};
    struct tray_notice n;

    (void)state;
    assert_false(told(&t, NULL, &n));
    assert_true(told(&t, status_of("error", "MSG_KEY_PASSPHRASE"), &n));
    assert_non_null(strstr(n.title, "ERR(10193)"));
    assert_false(told(&t, status_of("error", "MSG_KEY_PASSPHRASE"), &n));
    assert_true(told(&t, status_of("error", "MSG_KEY_REVOKED"), &n));
    assert_false(told(&t, NULL, &n));
}

static void notices_can_be_limited_to_errors_or_left_out(void **state)
{
    struct tray_view good = look(connected(1, 0)), bad = look(status_of("error", "MSG_PROTOCOL"));
    struct tray_told t = {0};
    struct tray_notice n;

    (void)state;
    assert_false(tray_notice(&good, TRAY_NOTICES_ERRORS, &t, &n));
    assert_true(tray_notice(&bad, TRAY_NOTICES_ERRORS, &t, &n));
    assert_false(tray_notice(&good, TRAY_NOTICES_ERRORS, &t, &n));
    assert_false(tray_notice(&bad, TRAY_NOTICES_NONE, &t, &n));
    assert_true(tray_notice(&good, TRAY_NOTICES_ALL, &t, &n));
}

static void strange_status_is_survived(void **state)
{
    static const char *const texts[] = {"{}",
                                        "[]",
                                        "{\"state\":7}",
                                        "{\"state\":\"waiting\",\"retry_in\":\"x\"}",
                                        "{\"state\":\"waiting\",\"retry_in\":-5,\"error\":{}}",
                                        "{\"state\":\"connected\",\"forwards\":[null,{},3]}",
                                        "{\"state\":\"error\",\"error\":{\"id\":3,\"args\":[]}}"};
    struct tray_row row;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *status = json_loads(texts[i], 0, NULL);
        struct tray_facts facts = {.status = status, .has_server = true, .has_key = true};
        struct tray_item items[TRAY_MENU_MAX];
        struct tray_view view;

        assert_non_null(status);
        tray_look(&facts, &view);
        assert_true(view.headline[0] != '\0');
        assert_true(tray_menu(&facts, &view, items) > 0);
        for (size_t k = 0; k < tray_row_count(status); k++)
            tray_row(status, k, &row);
        json_decref(status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_has_its_shape),
        cmocka_unit_test(new_pc_is_led_from_server_to_key_to_connect),
        cmocka_unit_test(what_can_be_done_follows_the_state),
        cmocka_unit_test(words_are_in_the_chosen_language),
        cmocka_unit_test(countdown_goes_on_between_messages_and_stops_at_zero),
        cmocka_unit_test(message_of_a_newer_agent_is_shown_in_its_own_words),
        cmocka_unit_test(rows_say_mark_word_traffic_and_who_is_in_the_way),
        cmocka_unit_test(names_chosen_by_a_gateway_are_cleaned),
        cmocka_unit_test(menu_begins_with_the_status_and_offers_what_can_be_done),
        cmocka_unit_test(menu_holds_at_most_so_many_forwards),
        cmocka_unit_test(long_names_and_causes_are_cut_between_letters),
        cmocka_unit_test(one_notice_per_real_change),
        cmocka_unit_test(a_holder_that_cannot_be_seen_is_called_so),
        cmocka_unit_test(each_failure_is_told_once),
        cmocka_unit_test(notices_can_be_limited_to_errors_or_left_out),
        cmocka_unit_test(strange_status_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
