/* What the tray's dialogs make of what is typed, of events, and of the agent's answers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "client/tray/attempt.h"
#include "client/tray/icon_pixels.h"
#include "client/tray/pool_state.h"
#include "client/tray/prefs.h"
#include "client/tray/words.h"
#include "common/i18n.h"

#define FINGERPRINT "SHA256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"

static void pool_fills_by_movements_and_faster_by_keys(void **state)
{
    struct pool_state moved = {0}, typed = {0};
    unsigned moves = 0, keys = 0;

    (void)state;
    while (!pool_state_move(&moved, moves, moves, moves + 1.0, 0))
        assert_true(++moves < 1000);
    while (!pool_state_key(&typed, keys, keys))
        assert_true(++keys < 1000);
    assert_true(pool_state_full(&moved) && pool_state_full(&typed));
    assert_true(keys < moves);
    assert_false(pool_state_move(&moved, 1, 1, 5, 5)); /* full was said once */
}

static void pool_ignores_a_mouse_that_stands_still(void **state)
{
    struct pool_state p = {0};

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        pool_state_move(&p, i, i, 7, 7);
    assert_int_equal(p.filled, 1);
}

static void keygen_names_what_is_missing_one_by_one(void **state)
{
    (void)state;
    assert_string_not_equal(words_keygen_missing("", "p", "p", true), "");
    assert_string_not_equal(words_keygen_missing("a b", "p", "p", true), "");
    assert_string_not_equal(words_keygen_missing("suzuki", "", "", true), "");
    assert_string_not_equal(words_keygen_missing("suzuki", "p", "q", true), "");
    assert_string_not_equal(words_keygen_missing("suzuki", "p", "p", false), "");
    assert_string_equal(words_keygen_missing("suzuki", "p", "p", true), "");
}

static void name_of_a_public_key_holds_nothing_that_a_file_name_may_not(void **state)
{
    char name[80];

    (void)state;
    words_public_name("a/b\\c:d*e?f\"g<h>i|j", name, sizeof(name));
    assert_string_equal(name, "a_b_c_d_e_f_g_h_i_j.pub");
}

static void make_home(char home[32])
{
    memcpy(home, "/tmp/pra-words-XXXXXX", 22);
    assert_non_null(mkdtemp(home));
    assert_int_equal(setenv("PRA_HOME", home, 1), 0);
}

static void server_is_saved_without_the_blanks_of_a_paste(void **state)
{
    char home[32];
    struct paths paths;
    struct words_refusal no;
    struct config c;

    (void)state;
    make_home(home);
    assert_int_equal(paths_init(&paths, NULL), 0);
    assert_false(words_server_save(&paths, "a b", "", &no));
    assert_int_equal(no.field, WORDS_FIELD_ADDRESS);
    assert_false(words_server_save(&paths, "gw.example.com", "SHA256:short", &no));
    assert_int_equal(no.field, WORDS_FIELD_FINGERPRINT);
    assert_true(words_server_save(&paths, "  gw.example.com\r\n", FINGERPRINT "\n", &no));
    assert_int_equal(config_load(paths.config_file, &c, NULL), 0);
    assert_string_equal(c.server.name, "gw.example.com");
    assert_string_equal(c.fingerprint, FINGERPRINT);
}

static void fingerprint_is_judged_while_it_is_typed(void **state)
{
    char home[32], words[WORDS_MAX];
    struct paths paths;

    (void)state;
    make_home(home);
    assert_int_equal(paths_init(&paths, NULL), 0);
    words_fingerprint(&paths, "SHA256:abc", words);
    assert_non_null(strstr(words, "×"));
    words_fingerprint(&paths, " " FINGERPRINT " ", words);
    assert_non_null(strstr(words, "●"));
    words_fingerprint(&paths, "", words);
    assert_non_null(strstr(words, "first connection"));
}

static void proxy_is_checked_kept_and_taken_away(void **state)
{
    char home[32], why[SERVER_WHY_MAX];
    struct paths paths;
    struct config c;

    (void)state;
    make_home(home);
    assert_int_equal(paths_init(&paths, NULL), 0);
    assert_int_not_equal(words_proxy_save(&paths, "no port", why), 0);
    assert_int_equal(words_proxy_save(&paths, "proxy.example.com:8080", why), 0);
    assert_int_equal(config_load(paths.config_file, &c, NULL), 0);
    assert_int_equal(c.proxy_port, 8080);
    assert_int_equal(words_proxy_save(&paths, "", why), 0);
    assert_int_equal(config_load(paths.config_file, &c, NULL), 0);
    assert_false(c.has_proxy);
}

static void prefs_come_back_as_they_were_saved(void **state)
{
    char home[32];
    struct paths paths;
    struct prefs p = {.notices = TRAY_NOTICES_ERRORS, .language = PREFS_LANGUAGE_JA}, read;

    (void)state;
    make_home(home);
    assert_int_equal(paths_init(&paths, NULL), 0);
    assert_int_equal(prefs_save(&paths, &p, NULL), 0);
    assert_int_equal(prefs_load(&paths, &read, NULL), 0);
    assert_int_equal(read.notices, TRAY_NOTICES_ERRORS);
    assert_int_equal(read.language, PREFS_LANGUAGE_JA);
    assert_false(read.connect_at_start);
}

static void attempt_is_judged_by_the_state_that_follows(void **state)
{
    const struct {
        const char *status;
        enum attempt_outcome outcome;
    } cases[] = {
        {"{\"state\":\"connecting\"}", ATTEMPT_ON_THE_WAY},
        {"{\"state\":\"connected\",\"forwards\":[]}", ATTEMPT_UP},
        {"{\"state\":\"waiting\",\"retry_in\":3}", ATTEMPT_WAITING},
        {"{\"state\":\"error\",\"error\":{\"id\":\"MSG_KEY_PASSPHRASE\"}}", ATTEMPT_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *status = json_loads(cases[i].status, 0, NULL);
        struct tray_facts facts = {.status = status, .has_server = true, .has_key = true};
        struct tray_view view;

        tray_look(&facts, &view);
        assert_int_equal(attempt_judge(&view), cases[i].outcome);
        assert_true(attempt_hears(status));
        json_decref(status);
    }
    assert_false(attempt_hears(NULL));
}

static void only_a_whole_fingerprint_is_put_before_a_person(void **state)
{
    json_t *whole =
        json_pack("{s:s, s:{s:s}}", "id", "MSG_HOSTKEY_UNKNOWN", "args", "detail", FINGERPRINT);
    json_t *part =
        json_pack("{s:s, s:{s:s}}", "id", "MSG_HOSTKEY_UNKNOWN", "args", "detail", "SHA256:x");
    json_t *other =
        json_pack("{s:s, s:{s:s}}", "id", "MSG_KEY_PASSPHRASE", "args", "detail", FINGERPRINT);

    (void)state;
    assert_string_equal(attempt_host_key(whole), FINGERPRINT);
    assert_null(attempt_host_key(part));
    assert_null(attempt_host_key(other));
    json_decref(whole);
    json_decref(part);
    json_decref(other);
}

/* Alpha only: without its colour. */
static size_t outlines_that_differ(enum tray_shape a, enum tray_shape b, int size)
{
    static uint32_t first[ICON_PIXELS_MAX * ICON_PIXELS_MAX],
        second[ICON_PIXELS_MAX * ICON_PIXELS_MAX];
    size_t differ = 0;

    icon_pixels(a, size, false, first);
    icon_pixels(b, size, false, second);
    for (int i = 0; i < size * size; i++)
        differ += (first[i] >> 31) != (second[i] >> 31);
    return differ;
}

static void icons_differ_by_their_outline_at_every_size(void **state)
{
    const int sizes[] = {16, 20, 24, 32, 48};

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int a = 0; a < TRAY_SHAPE_COUNT; a++)
            for (int b = a + 1; b < TRAY_SHAPE_COUNT; b++)
                assert_true(outlines_that_differ((enum tray_shape)a, (enum tray_shape)b, sizes[s]) >
                            (size_t)(sizes[s] * sizes[s] / 20));
}

static void icon_premultiplies_where_asked(void **state)
{
    uint32_t pixels[32 * 32];

    (void)state;
    icon_pixels(TRAY_ERROR, 32, true, pixels);
    for (int i = 0; i < 32 * 32; i++)
        for (int shift = 0; shift < 24; shift += 8)
            assert_true((pixels[i] >> shift & 0xFF) <= (pixels[i] >> 24) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_fills_by_movements_and_faster_by_keys),
        cmocka_unit_test(pool_ignores_a_mouse_that_stands_still),
        cmocka_unit_test(keygen_names_what_is_missing_one_by_one),
        cmocka_unit_test(name_of_a_public_key_holds_nothing_that_a_file_name_may_not),
        cmocka_unit_test(server_is_saved_without_the_blanks_of_a_paste),
        cmocka_unit_test(fingerprint_is_judged_while_it_is_typed),
        cmocka_unit_test(proxy_is_checked_kept_and_taken_away),
        cmocka_unit_test(prefs_come_back_as_they_were_saved),
        cmocka_unit_test(icons_differ_by_their_outline_at_every_size),
        cmocka_unit_test(icon_premultiplies_where_asked),
        cmocka_unit_test(attempt_is_judged_by_the_state_that_follows),
        cmocka_unit_test(only_a_whole_fingerprint_is_put_before_a_person),
    };

    i18n_set(LANG_EN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
