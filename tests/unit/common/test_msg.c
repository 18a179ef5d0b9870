/* The table of people's messages: complete, in both languages, filled in safely. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/msg.h"
#include "common/utf8.h"

static const char *const words[] = {
    "server",       "user",       "port",       "program",      "pid",       "target",
    "detail",       "seconds",    "name",       "gateway_port", "do_server", "do_pin",
    "do_first_key", "do_keygen",  "do_replace", "do_strong",    "do_export", "do_key_show",
    "do_check",     "do_collect", "do_connect", "do_code",      "do_status", "do_version"};

static void every_place_holder_is_known(void **state)
{
    (void)state;
    for (int id = MSG_NONE + 1; id < MSG_COUNT; id++)
        for (int lang = LANG_EN; lang <= LANG_JA; lang++) {
            const struct msg_entry *e = msg_entry((enum msg_id)id, (enum i18n_lang)lang);
            const char *const texts[] = {e->title, e->cause, e->remedy};

            for (size_t t = 0; t < 3; t++)
                for (const char *p = strchr(texts[t], '{'); p; p = strchr(p + 1, '{')) {
                    size_t i = 0;

                    assert_true(t > 0); /* titles stand as they are */
                    while (i < sizeof(words) / sizeof(words[0]) &&
                           (strncmp(p + 1, words[i], strlen(words[i])) != 0 ||
                            p[1 + strlen(words[i])] != '}'))
                        i++;
                    if (i == sizeof(words) / sizeof(words[0]))
                        fail_msg("%s: %.20s", msg_name((enum msg_id)id), p);
                }
        }
}

static bool holds(const char *text, const char *word)
{
    char braced[32];

    snprintf(braced, sizeof(braced), "{%s}", word);
    return strstr(text, braced) != NULL;
}

static void both_languages_say_the_same(void **state)
{
    (void)state;
    for (int id = MSG_NONE + 1; id < MSG_COUNT; id++) {
        const struct msg_entry *en = msg_entry((enum msg_id)id, LANG_EN);
        const struct msg_entry *ja = msg_entry((enum msg_id)id, LANG_JA);

        assert_string_equal(en->code, ja->code);
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (holds(en->cause, words[i]) != holds(ja->cause, words[i]) ||
                holds(en->remedy, words[i]) != holds(ja->remedy, words[i]))
                fail_msg("%s: {%s} stands in one language only", msg_name((enum msg_id)id),
                         words[i]);
    }
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static void every_entry_is_whole(void **state)
{
    (void)state;
    for (int id = MSG_NONE + 1; id < MSG_COUNT; id++) {
        const struct msg_entry *en = msg_entry((enum msg_id)id, LANG_EN);
        const struct msg_entry *ja = msg_entry((enum msg_id)id, LANG_JA);

        assert_int_equal(strlen(en->code), 10);
        assert_true(strncmp(en->code, "ERR(1", 5) == 0 || strncmp(en->code, "WAR(1", 5) == 0);
        assert_true(is_ascii(en->title) && is_ascii(en->cause) && is_ascii(en->remedy));
        assert_false(is_ascii(ja->title) || is_ascii(ja->cause) || is_ascii(ja->remedy));
        assert_true(utf8_valid(ja->title, strlen(ja->title)));
        assert_true(utf8_valid(ja->cause, strlen(ja->cause)));
        assert_true(utf8_valid(ja->remedy, strlen(ja->remedy)));
        /* Each remedy says what the employee and what the administrator does. */
        assert_ptr_equal(strstr(en->remedy, "You: "), en->remedy);
        assert_non_null(strstr(en->remedy, "Administrator: "));
        assert_non_null(strstr(ja->remedy, "システム管理者さま"));
        assert_int_equal(en->remedy[strlen(en->remedy) - 1], '.');
        /* Filled in with values of a usual length they are not cut. */
        assert_true(strlen(ja->remedy) < MSG_TEXT_MAX - 256);
    }
}

static void manual_wording_is_kept(void **state)
{
    (void)state;
    assert_string_equal(msg_entry(MSG_RULES_PORT, LANG_JA)->title,
                        "転送ルールの取得に失敗しました");
    assert_string_equal(msg_entry(MSG_KEY_PASSPHRASE, LANG_JA)->title,
                        "鍵の読み込みに失敗しました");
    assert_string_equal(msg_entry(MSG_NO_LOCAL_PORT, LANG_JA)->title,
                        "ポート転送に使用する空きがありません");
    assert_string_equal(msg_entry(MSG_RULES_PORT, LANG_JA)->code, "ERR(10203)");
    assert_string_equal(msg_entry(MSG_KEY_MACHINE, LANG_JA)->code, "ERR(10193)");
    assert_string_equal(msg_entry(MSG_LINK_BLOCKED, LANG_JA)->code, "WAR(10102)");
    assert_non_null(strstr(msg_entry(MSG_KEY_MACHINE, LANG_JA)->remedy, "公開鍵の再生成"));
    assert_non_null(strstr(msg_entry(MSG_KEY_MACHINE, LANG_JA)->remedy, "再登録"));
}

static void values_are_filled_in(void **state)
{
    const struct msg_args args = {.port = "127.0.0.1:110", .program = "dovecot", .pid = "4711"};
    struct msg_text out;

    (void)state;
    msg_format(MSG_PORT_BUSY, LANG_EN, &args, &out);
    assert_string_equal(out.code, "ERR(10301)");
    assert_string_equal(out.title, "A local port is in use");
    assert_string_equal(out.cause,
                        "The local port 127.0.0.1:110 is used by dovecot (process 4711).");
    msg_format(MSG_PORT_BUSY, LANG_JA, &args, &out);
    assert_non_null(strstr(out.cause, "dovecot(プロセス 4711)"));
}

static void the_gateways_port_is_the_one_that_its_address_names(void **state)
{
    static const char *const servers[][2] = {
        {"gw.example.com:443", "port 443 "}, {"[2001:db8::1]:22022", "port 22022 "},
        {"gw.example.com", "port 10022 "},   {"[2001:db8::1]", "port 10022 "},
        {"gw.example.com:", "port 10022 "},  {NULL, "port 10022 "}};

    (void)state;
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        const struct msg_args args = {.server = servers[i][0]};
        struct msg_text out;

        msg_format(MSG_RULES_PORT, LANG_EN, &args, &out);
        assert_non_null(strstr(out.remedy, servers[i][1]));
    }
}

/* Who never opens a terminal is not told to type; what an administrator types stays. */
static void windows_are_told_of_instead_of_commands(void **state)
{
    static const struct msg_args args = {.server = "gw:10022", .user = "suzuki"};
    struct msg_text out;

    (void)state;
    msg_format(MSG_KEY_PASSPHRASE, LANG_EN, &args, &out);
    assert_non_null(strstr(out.remedy, "(pra keygen --user suzuki --force)"));
    /* A list of all messages names commands, too, and keeps the values' place-holders. */
    msg_describe(MSG_KEY_PASSPHRASE, LANG_JA, &out);
    assert_non_null(strstr(out.remedy, "(pra keygen --user {user} --force)"));
    msg_speak_of_windows();
    msg_format(MSG_KEY_PASSPHRASE, LANG_EN, &args, &out);
    assert_non_null(
        strstr(out.remedy, "make a new key (Key > Make a key), export it (Key > Export"));
    assert_non_null(strstr(out.remedy, "pra-admin key add"));
    msg_format(MSG_KEY_PASSPHRASE, LANG_JA, &args, &out);
    assert_non_null(strstr(out.remedy, "公開鍵の再生成(鍵生成 > 鍵生成)"));
    for (int id = MSG_NONE + 1; id < MSG_COUNT; id++)
        for (int lang = LANG_EN; lang <= LANG_JA; lang++) {
            static const char *const typed[] = {"pra key", "pra connect", "pra check",
                                                "pra log", "pra status",  "pra server",
                                                "pra --",  "{",           "--force"};

            msg_format((enum msg_id)id, (enum i18n_lang)lang, &args, &out);
            for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
                if (strstr(out.cause, typed[i]) != NULL || strstr(out.remedy, typed[i]) != NULL)
                    fail_msg("%s: %s", msg_name((enum msg_id)id), typed[i]);
        }
}

static void missing_values_read_as_question_marks(void **state)
{
    struct msg_text out;

    (void)state;
    msg_format(MSG_PORT_BUSY, LANG_EN, NULL, &out);
    assert_string_equal(out.cause, "The local port ? is used by ? (process ?).");
}

static void values_cannot_disturb_the_terminal_or_be_expanded(void **state)
{
    const struct msg_args args = {.port = "{pid}\n\x1b[2J", .program = "\xff\xc2\x9b", .pid = "1"};
    struct msg_text out;

    (void)state;
    msg_format(MSG_PORT_BUSY, LANG_EN, &args, &out);
    assert_string_equal(out.cause, "The local port {pid}\?\?[2J is used by ?? (process 1).");
}

static void long_values_are_cut_between_characters(void **state)
{
    char value[4000];
    struct msg_text out;
    struct msg_args args = {.detail = value, .server = value};

    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(value, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(value); i += 3)
            memcpy(value + i, "\xe3\x81\x82", 4);
        for (int id = MSG_NONE; id < MSG_COUNT; id++) {
            msg_format((enum msg_id)id, LANG_JA, &args, &out);
            assert_true(utf8_valid(out.cause, strlen(out.cause)));
            assert_true(utf8_valid(out.remedy, strlen(out.remedy)));
        }
    }
}

static void names_and_ids_belong_together(void **state)
{
    struct msg_text out;

    (void)state;
    for (int id = MSG_NONE; id < MSG_COUNT; id++)
        assert_int_equal(msg_find(msg_name((enum msg_id)id)), id);
    assert_string_equal(msg_name(MSG_KEY_PASSPHRASE), "MSG_KEY_PASSPHRASE");
    assert_int_equal(msg_find("MSG_NO_SUCH_THING"), MSG_NONE);
    assert_int_equal(msg_find(""), MSG_NONE);
    assert_string_equal(msg_name((enum msg_id)9999), "MSG_NONE");
    msg_format(MSG_NONE, LANG_EN, NULL, &out);
    assert_string_equal(out.code, "");
    assert_string_equal(out.title, "");
    assert_string_equal(out.cause, "");
    assert_string_equal(out.remedy, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_holder_is_known),
        cmocka_unit_test(both_languages_say_the_same),
        cmocka_unit_test(every_entry_is_whole),
        cmocka_unit_test(manual_wording_is_kept),
        cmocka_unit_test(values_are_filled_in),
        cmocka_unit_test(the_gateways_port_is_the_one_that_its_address_names),
        cmocka_unit_test(missing_values_read_as_question_marks),
        cmocka_unit_test(values_cannot_disturb_the_terminal_or_be_expanded),
        cmocka_unit_test(long_values_are_cut_between_characters),
        cmocka_unit_test(names_and_ids_belong_together),
        cmocka_unit_test(windows_are_told_of_instead_of_commands), /* for good: the last one */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
