/*
 * What the tray's commands and dialogs do, for GTK and Windows alike: the toolkit's part is played by
 * tray_toolkit.h. Real threads, real files; no agent runs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "tests/unit/client/tray_pc.h"
#include "tests/unit/client/tray_toolkit.h"

/* --- commands --------------------------------------------------------------------------------- */

static void each_command_opens_what_it_names(void **state)
{
    const struct {
        enum tray_command command;
        const char *dialog;
    } cases[] = {{TRAY_CMD_SERVER, "server"},
                 {TRAY_CMD_SETTINGS, "options"},
                 {TRAY_CMD_PROFILE, "choose"},
                 {TRAY_CMD_KEYGEN, "keygen"},
                 {TRAY_CMD_CONNECT, "connect"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        app_command(&app, cases[i].command, 0);
        assert_true(is_open(cases[i].dialog));
        if (is_open("keygen"))
            keygen_ui_close(NULL);
    }
    app_command(&app, TRAY_CMD_CONNECT, 0); /* a second time: to the front */
    assert_int_equal(seen.fronts, 1);
    app_command(&app, TRAY_CMD_OPEN, 0);
    assert_int_equal(seen.presented, 1);
    app_command(&app, TRAY_CMD_ABOUT, 0);
    assert_non_null(strstr(seen.text, PRA_VERSION));
    app_command(&app, TRAY_CMD_LINE, 0);
    app_command(&app, TRAY_CMD_COUNT, 0);
    app_command(&app, TRAY_CMD_EXPORT, 0); /* there is no key */
    assert_non_null(strstr(seen.title, "ERR(10193)"));
}

static void leaving_asks_while_a_connection_stands(void **state)
{
    (void)state;
    app_command(&app, TRAY_CMD_QUIT, 0);
    assert_true(seen.quit);
    seen.quit = false;
    hear(status_of("connected", NULL, ""));
    app_command(&app, TRAY_CMD_QUIT, 0);
    assert_false(seen.quit);
    answer(false);
    assert_false(seen.quit);
    app_command(&app, TRAY_CMD_QUIT, 0);
    answer(true);
    assert_true(seen.quit);
    app_command(&app, TRAY_CMD_DISCONNECT, 0);
    assert_string_equal(seen.title, "Disconnect?");
    assert_false(seen.question.careful); /* nothing is lost by it */
}

static void address_is_copied_and_a_clipboard_that_is_held_is_told(void **state)
{
    (void)state;
    app_command(&app, TRAY_CMD_OPEN, 0);
    hear(status_of("connected", NULL, ""));
    app_command(&app, TRAY_CMD_COPY, 0);
    assert_string_equal(seen.copied, "127.0.0.1:110");
    assert_string_equal(seen.said, "Copied: 127.0.0.1:110");
    seen.clipboard_taken = true;
    app_command(&app, TRAY_CMD_COPY, 0);
    assert_non_null(strstr(seen.said, "Another program"));
    seen.copied[0] = '\0';
    app_command(&app, TRAY_CMD_COPY, 7); /* a row that has gone meanwhile */
    assert_string_equal(seen.copied, "");
}

static void window_opens_where_no_tray_shows_the_icon(void **state)
{
    (void)state;
    seen.hides = true;
    app_icon_gone(&app);
    assert_int_equal(seen.presented, 0);
    seen.hides = false;
    app_icon_gone(&app);
    assert_int_equal(seen.presented, 1);
    seen.shown = true;
    app_icon_gone(&app);
    assert_int_equal(seen.presented, 1);
}

static void menu_bar_holds_each_command_once_and_follows_the_state(void **state)
{
    struct words_menu_line lines[WORDS_MENU_LINES];
    int times[TRAY_CMD_COUNT] = {0};

    (void)state;
    words_menu_bar(lines);
    assert_int_equal(lines[0].command, TRAY_CMD_NONE); /* a menu comes before its entries */
    for (size_t i = 0; i < WORDS_MENU_LINES; i++) {
        times[lines[i].command]++;
        assert_true(lines[i].command == TRAY_CMD_LINE || lines[i].label[0] != '\0');
    }
    for (int c = TRAY_CMD_RETRY; c < TRAY_CMD_COUNT; c++)
        assert_int_equal(times[c], c == TRAY_CMD_COPY ? 0 : 1);
    set_server();
    assert_false(words_command_on(&app.facts, &app.view, TRAY_CMD_EXPORT));
    assert_false(words_command_on(&app.facts, &app.view, TRAY_CMD_DISCONNECT));
    hear(status_of("connected", NULL, ""));
    assert_true(words_command_on(&app.facts, &app.view, TRAY_CMD_DISCONNECT));
    assert_false(words_command_on(&app.facts, &app.view, TRAY_CMD_CONNECT));
    assert_false(words_command_on(&app.facts, &app.view, TRAY_CMD_RETRY));
    assert_true(words_command_on(&app.facts, &app.view, TRAY_CMD_QUIT));
}

/* --- 接続 ------------------------------------------------------------------------------------- */

/* The dialog, as it is once the agent has taken the request. */
static struct connect_dialog *on_the_way(void)
{
    app_command(&app, TRAY_CMD_CONNECT, 0);
    app.connect->phase = CONNECT_ON_THE_WAY;
    return app.connect;
}

static void connect_needs_both_fields(void **state)
{
    (void)state;
    set_server();
    app_command(&app, TRAY_CMD_CONNECT, 0);
    assert_false(connect_can_begin(app.connect, true, false));
    assert_true(connect_can_begin(app.connect, true, true));
    KEEP(seen.user, "suzuki");
    connect_begin(app.connect); /* Enter in the empty field */
    assert_int_equal(app.connect->phase, CONNECT_INPUT);
}

static void agent_that_cannot_be_started_is_told_in_the_dialog(void **state)
{
    (void)state;
    set_server();
    app_command(&app, TRAY_CMD_CONNECT, 0);
    KEEP(seen.user, "suzuki");
    KEEP(seen.passphrase, PASSPHRASE);
    connect_begin(app.connect);
    assert_int_equal(app.connect->phase, CONNECT_KEY);
    assert_string_equal(seen.words, "Opening the key ...");
    assert_false(connect_can_begin(app.connect, true, true));
    run_until(seen.trouble);
    assert_non_null(strstr(seen.trouble, "ERR(10401)"));
    assert_int_equal(app.connect->phase, CONNECT_INPUT);
}

static void state_from_before_the_attempt_is_not_taken_for_its_end(void **state)
{
    (void)state;
    (void)on_the_way();
    hear(status_of("disconnected", NULL, ""));
    assert_true(is_open("connect"));
    hear(status_of("connecting", NULL, ""));
    hear(status_of("connected", NULL, ""));
    assert_false(is_open("connect"));
    assert_null(app.connect);
    assert_string_equal(seen.title, "Connected; port forwarding has begun");
}

static void failure_is_shown_and_the_dialog_stays(void **state)
{
    const struct connect_dialog *d = on_the_way();

    (void)state;
    hear(status_of("error", "MSG_RULES_NONE", ""));
    assert_non_null(strstr(seen.trouble, "ERR(10203)"));
    assert_int_equal(d->phase, CONNECT_INPUT);
    assert_true(is_open("connect"));
}

static void host_key_is_trusted_only_as_it_was_shown(void **state)
{
    struct connect_dialog *d;
    struct ask_question first;

    (void)state;
    set_server();
    d = on_the_way();
    hear(status_of("error", "MSG_HOSTKEY_UNKNOWN", OTHER));
    assert_true(seen.question.careful);
    assert_non_null(strstr(seen.text, OTHER));
    assert_non_null(strstr(seen.text, "connects to gw.example.com:10022 for"));
    assert_string_equal(d->accept, "");
    first = seen.question; /* left open */
    d->phase = CONNECT_ON_THE_WAY;
    hear(status_of("error", "MSG_HOSTKEY_UNKNOWN", FINGERPRINT));
    KEEP(seen.user, "suzuki");
    KEEP(seen.passphrase, PASSPHRASE);
    first.yes(first.data); /* the older question means the older key */
    free(first.data);
    assert_string_equal(d->accept, OTHER);
    seen.trouble[0] = '\0';
    run_until(seen.trouble); /* there is no agent */
    answer(false);
}

/* --- 鍵生成 ----------------------------------------------------------------------------------- */

static void keygen_says_what_is_missing_until_nothing_is(void **state)
{
    struct keygen_dialog *d;

    (void)state;
    set_server();
    app_command(&app, TRAY_CMD_KEYGEN, 0);
    d = seen.dialog;
    assert_non_null(strstr(seen.advice, "user name"));
    assert_false(seen.ready);
    KEEP(seen.user, "suzuki");
    KEEP(seen.passphrase, PASSPHRASE);
    KEEP(seen.again, PASSPHRASE);
    keygen_look(d);
    assert_non_null(strstr(seen.advice, "Move the mouse"));
    keygen_begin(d); /* Enter: not yet */
    assert_false(d->busy);
    for (uint32_t i = 0; !pool_state_full(&d->pool); i++)
        (void)pool_state_key(&d->pool, i, i);
    keygen_look(d);
    assert_true(seen.ready);
    assert_string_equal(seen.advice, "");
    KEEP(seen.passphrase, "a");
    KEEP(seen.again, "a");
    keygen_look(d);
    assert_true(seen.ready); /* poor, and advised against */
    assert_string_not_equal(seen.advice, "");
}

static void key_that_is_there_is_replaced_only_after_a_careful_yes(void **state)
{
    (void)state;
    set_server();
    app.facts.has_key = true;
    app_command(&app, TRAY_CMD_KEYGEN, 0);
    assert_null(seen.open);
    assert_true(seen.question.careful);
    answer(true);
    assert_true(is_open("keygen"));
    assert_true(((struct keygen_dialog *)seen.dialog)->force);
}

/* --- profiles --------------------------------------------------------------------------------- */

static const char *write_profile(const char *server, const char *fingerprint)
{
    static char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "%s/suzuki.pra", home);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "[profile]\nserver = %s\nfingerprint = %s\nuser = suzuki\n", server, fingerprint);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* --- コードの入力 ------------------------------------------------------------------------------ */

static void code_is_asked_for_when_the_gateway_wants_one_and_only_then(void **state)
{
    (void)state;
    set_server();
    app_command(&app, TRAY_CMD_CODE, 0);
    assert_null(seen.open);
    hear(status_of("code", "MSG_CODE_NEEDED", ""));
    assert_true(words_command_on(&app.facts, &app.view, TRAY_CMD_CODE));
    assert_int_equal(app.view.next, TRAY_STEP_CODE);
    app_command(&app, TRAY_CMD_CODE, 0);
    assert_true(is_open("code"));
    assert_string_equal(seen.trouble, ""); /* that one is wanted is no trouble */
    app_command(&app, TRAY_CMD_CODE, 0);
    assert_int_equal(seen.fronts, 1);
    code_give(app.code); /* Enter in the empty field */
    assert_false(app.code->busy);
    hear(status_of("disconnected", NULL, ""));
    assert_null(seen.open);
}

static void code_that_no_agent_takes_is_told_in_the_dialog(void **state)
{
    (void)state;
    set_server();
    hear(status_of("code", "MSG_CODE_WRONG", ""));
    app_command(&app, TRAY_CMD_CODE, 0);
    assert_true(strstr(seen.trouble, "ERR(10214)") != NULL); /* why it is asked for again */
    KEEP(seen.passphrase, "123456");
    seen.trouble[0] = '\0';
    code_give(app.code);
    assert_true(app.code->busy && seen.passphrase[0] == '\0');
    run_until(seen.trouble);
    assert_false(app.code->busy);
}

static void profile_changes_nothing_before_a_yes_and_leads_on(void **state)
{
    struct profile_row rows[PROFILE_ROWS];

    (void)state;
    profile_dialog_open(&app, write_profile("gw.example.com:10022", FINGERPRINT));
    assert_true(is_open("profile"));
    assert_int_equal(profile_rows(seen.dialog, rows), 3);
    assert_string_equal(rows[0].word, "gw.example.com:10022");
    assert_string_equal(rows[0].was, "");
    assert_false(profile_alarms(seen.dialog));
    assert_false(app.facts.has_server);
    profile_use(seen.dialog);
    assert_true(app.facts.has_server);
    assert_true(is_open("keygen"));
    assert_string_equal(seen.user, "suzuki");
    assert_string_equal(app.profile_folder, home);
}

static void profile_that_replaces_is_shown_beside_what_was(void **state)
{
    struct profile_row rows[PROFILE_ROWS];

    (void)state;
    set_server();
    profile_dialog_open(&app, write_profile("evil.example.com:10022", OTHER));
    assert_true(profile_alarms(seen.dialog));
    (void)profile_rows(seen.dialog, rows);
    assert_string_equal(rows[0].was, "until now: gw.example.com:10022");
    assert_string_equal(rows[1].was, "until now: " FINGERPRINT);
    /* A newer one takes its place. */
    profile_dialog_open(&app, write_profile("gw.example.com:10022", FINGERPRINT));
    (void)profile_rows(seen.dialog, rows);
    assert_string_equal(rows[0].was, "");
    profile_dialog_open(&app, write_profile("gw.example.com:10022", "SHA256:short"));
    assert_string_equal(seen.title, "The profile cannot be used");
    assert_non_null(strstr(seen.text, "suzuki.pra:3:"));
}

/* --- 登録コードで登録 ------------------------------------------------------------------------------ */

static const char *const nothing[] = {NULL};

/* The dialog with both fields filled, and what the program will say. */
static struct enroll_dialog *enrolling(const char *const *lines)
{
    set_server();
    app.facts.has_key = true;
    app_command(&app, TRAY_CMD_ENROLL, 0);
    assert_true(is_open("enroll"));
    KEEP(seen.user, "abcd-efgh-ijkl-mnop");
    KEEP(seen.passphrase, PASSPHRASE);
    seen.lines = lines;
    return seen.dialog;
}

static void enrolment_needs_server_key_and_a_whole_code(void **state)
{
    struct enroll_dialog *d;

    (void)state;
    app_command(&app, TRAY_CMD_ENROLL, 0);
    assert_null(seen.open);
    assert_false(words_command_on(&app.facts, &app.view, TRAY_CMD_ENROLL));
    d = enrolling(nothing);
    assert_true(words_command_on(&app.facts, &app.view, TRAY_CMD_ENROLL));
    app_command(&app, TRAY_CMD_ENROLL, 0);
    assert_int_equal(seen.fronts, 1);
    KEEP(seen.user, "abcd");
    enroll_begin(d);
    assert_string_equal(seen.trouble, "That is no enrollment code");
    assert_string_equal(seen.input, ""); /* nothing was started */
    seen.lines = NULL;
    KEEP(seen.user, "abcd-efgh-ijkl-mnop");
    enroll_begin(d);
    assert_non_null(strstr(seen.trouble, "could not be handed in"));
    assert_int_equal(d->phase, ENROLL_INPUT);
}

static void enrolment_shows_what_waits_and_leads_on_when_it_is_approved(void **state)
{
    static const char *const lines[] = {"{\"state\":\"connecting\",\"server\":\"gw\"}",
                                        "{\"state\":\"waiting\",\"user\":\"suzuki\","
                                        "\"fingerprint\":\"SHA256:f\",\"expires\":\"noon\"}",
                                        "{\"state\":\"lost\",\"detail\":\"gone\",\"retry_in\":7}",
                                        "{\"state\":\"approved\",\"user\":\"suzuki\"}", NULL};

    (void)state;
    enroll_begin(enrolling(lines));
    assert_string_equal(seen.words, "Opening the key ...");
    assert_null(strstr(seen.arguments, "abcd")); /* secrets go another way */
    assert_null(strstr(seen.arguments, "horse"));
    assert_string_equal(seen.input, "abcd-efgh-ijkl-mnop\n" PASSPHRASE "\n");
    seen.said[0] = '\0';
    run_until(seen.said);
    assert_string_equal(seen.said, "suzuki SHA256:f noon");
    KEEP(app.key.user, "suzuki");
    seen.title[0] = '\0';
    run_until(seen.title);
    assert_non_null(strstr(seen.words, "in 7 s"));
    assert_string_equal(seen.title, "The key is registered");
    assert_null(seen.open);
    assert_int_equal(seen.stopped, 0);
    run_freed(1);
}

static void enrolment_says_what_is_wrong_and_trusts_only_the_key_that_was_shown(void **state)
{
    static const char *const lines[] = {"{\"state\":\"error\",\"error\":{\"id\":\"MSG_HOSTKEY_"
                                        "UNKNOWN\",\"args\":{\"detail\":\"" OTHER "\"}}}",
                                        NULL};
    static const char *const denied[] = {
        "no JSON", "{\"state\":\"error\",\"error\":{\"id\":\"MSG_ENROLL_DENIED\",\"args\":{}}}",
        NULL};
    struct enroll_dialog *d = enrolling(lines);

    (void)state;
    enroll_begin(d);
    seen.title[0] = '\0';
    run_until(seen.title);
    assert_non_null(strstr(seen.text, OTHER));
    assert_null(strstr(seen.arguments, "--accept"));
    seen.lines = denied;
    seen.trouble[0] = '\0';
    answer(true);
    assert_non_null(strstr(seen.arguments, "--accept " OTHER));
    run_until(seen.trouble);
    assert_non_null(strstr(seen.trouble, "ERR("));
    assert_string_equal(d->accept, "");
    assert_int_equal(d->phase, ENROLL_INPUT);
    run_freed(2);
}

static void enrolment_that_is_left_ends_its_program_and_one_that_ends_is_told(void **state)
{
    struct enroll_dialog *d = enrolling(nothing);

    (void)state;
    enroll_begin(d);
    seen.trouble[0] = '\0';
    run_until(seen.trouble);
    assert_non_null(strstr(seen.trouble, "pra has ended"));
    assert_int_equal(seen.freed, 1);
    seen.lines = nothing;
    enroll_begin(d);
    enroll_ui_close(NULL);
    assert_int_equal(seen.stopped, 1);
    run_freed(2);
}

/* --- logs -------------------------------------------------------------------------------------- */

/* The place in memory of one that was closed is good enough for the next one. */
static void close_and_open_at_the_same_place(void)
{
    void *same[7];

    for (int i = 0; i < 7;
         i++) /* as many as malloc() keeps aside, from where calloc() takes none */
        same[i] = malloc(sizeof(struct collect_dialog));
    for (int i = 0; i < 7; i++)
        free(same[i]);
    collect_gone(seen.dialog);
    collect_dialog_open(&app);
}

static void logs_that_were_gathered_for_a_closed_dialog_are_not_the_next_ones(void **state)
{
    struct timespec end = patience();
    const struct collect_dialog *d;

    (void)state;
    collect_dialog_open(&app);
    wait_posted();
    seen.ready = false;
    close_and_open_at_the_same_place();
    d = seen.dialog;
    run_one(&end);
    assert_null(d->bundle);
    assert_false(seen.ready);
    run_one(&end);
    assert_non_null(d->bundle);
    assert_true(seen.ready);
    collect_gone(seen.dialog);
}

/* --- options, ports --------------------------------------------------------------------------- */

static void options_are_refused_with_the_field_and_a_new_language_rebuilds(void **state)
{
    struct settings_options o;
    struct words_refusal no;

    (void)state;
    app_command(&app, TRAY_CMD_OPEN, 0);
    settings_options(&app, &o);
    KEEP(o.proxy, "no port");
    assert_false(settings_options_save(&app, &o, &no));
    assert_int_equal(no.field, WORDS_FIELD_PROXY);
    KEEP(o.proxy, "proxy.example.com:8080");
    o.autostart = true;
    o.prefs.language = PREFS_LANGUAGE_JA;
    assert_true(settings_options_save(&app, &o, &no));
    assert_true(seen.autostart);
    settings_options_taken(&app);
    assert_int_equal(i18n_lang(), LANG_JA);
    assert_int_equal(seen.rebuilt, 1);
    settings_options(&app, &o);
    assert_string_equal(o.proxy, "proxy.example.com:8080");
    assert_true(settings_options_save(&app, &o, &no));
    settings_options_taken(&app);
    assert_int_equal(seen.rebuilt, 1); /* the same language */
}

static void free_port_is_proposed_that_is_easy_to_keep_in_mind(void **state)
{
    char found[ADDR_TEXT_MAX], note[FREEPORT_NOTE_MAX];
    struct tray_row row = {.local = "127.0.0.1:110", .note = "in the way"};

    (void)state;
    assert_false(freeport_find(row.local, found));
    freeport_note(&row, note);
    assert_string_equal(note, "in the way");
    seen.free_port = 20110;
    assert_true(freeport_find(row.local, found));
    assert_string_equal(found, "127.0.0.1:20110");
    assert_true(freeport_find("[::1]:110", found));
    assert_string_equal(found, "[::1]:20110");
    assert_false(freeport_find("mail:110", found));
    assert_false(freeport_find("127.0.0.1:20110", found)); /* that one is taken */
    freeport_note(&row, note);
    assert_non_null(strstr(note, "127.0.0.1:20110"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_command_opens_what_it_names),
        TEST(leaving_asks_while_a_connection_stands),
        TEST(address_is_copied_and_a_clipboard_that_is_held_is_told),
        TEST(window_opens_where_no_tray_shows_the_icon),
        TEST(menu_bar_holds_each_command_once_and_follows_the_state),
        TEST(connect_needs_both_fields),
        TEST(agent_that_cannot_be_started_is_told_in_the_dialog),
        TEST(state_from_before_the_attempt_is_not_taken_for_its_end),
        TEST(code_is_asked_for_when_the_gateway_wants_one_and_only_then),
        TEST(code_that_no_agent_takes_is_told_in_the_dialog),
        TEST(failure_is_shown_and_the_dialog_stays),
        TEST(host_key_is_trusted_only_as_it_was_shown),
        TEST(keygen_says_what_is_missing_until_nothing_is),
        TEST(key_that_is_there_is_replaced_only_after_a_careful_yes),
        TEST(profile_changes_nothing_before_a_yes_and_leads_on),
        TEST(enrolment_needs_server_key_and_a_whole_code),
        TEST(enrolment_shows_what_waits_and_leads_on_when_it_is_approved),
        TEST(enrolment_says_what_is_wrong_and_trusts_only_the_key_that_was_shown),
        TEST(enrolment_that_is_left_ends_its_program_and_one_that_ends_is_told),
        TEST(logs_that_were_gathered_for_a_closed_dialog_are_not_the_next_ones),
        TEST(profile_that_replaces_is_shown_beside_what_was),
        TEST(options_are_refused_with_the_field_and_a_new_language_rebuilds),
        TEST(free_port_is_proposed_that_is_easy_to_keep_in_mind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
