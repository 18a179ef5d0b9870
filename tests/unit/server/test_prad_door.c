/* Who is let in: places for connections that have not logged in, and what is known of their sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/os.h"
#include "server/prad/limits.h"
#include "server/prad/sources.h"

#define NOW    1764400000 /* any time */
#define NOW_MS 1000000u

static struct addr_ip address(const char *text)
{
    struct addr_ip ip;
    assert_int_equal(addr_parse_ip(text, strlen(text), &ip), 0);
    return ip;
}

/* ---- places --------------------------------------------------------------------------------- */

static enum startup_answer take(struct startups *s, const struct addr_ip *ip, size_t max,
                                size_t max_per_source, struct startup **out)
{
    const struct startup_request r = {.source = *ip,
                                      .known = true,
                                      .max = max,
                                      .max_per_source = max_per_source,
                                      .now_ms = NOW_MS};
    return startups_take(s, &r, out);
}

static void startups_are_limited_per_source_and_in_all(void **state)
{
    (void)state;
    struct startups *s;
    struct startup *p[4], *none;
    struct addr_ip a = address("192.0.2.1"), b = address("2001:db8::1");
    assert_int_equal(startups_new(&s), 0);
    assert_int_equal(take(s, &a, 3, 2, &p[0]), STARTUP_OK);
    assert_int_equal(take(s, &a, 3, 2, &p[1]), STARTUP_OK);
    assert_int_equal(take(s, &a, 3, 2, &none), STARTUP_SOURCE_FULL);
    assert_null(none);
    assert_int_equal(take(s, &b, 3, 2, &p[2]), STARTUP_OK);
    assert_int_equal(take(s, &b, 3, 2, &none), STARTUP_FULL);
    startup_give(p[0]);
    assert_int_equal(take(s, &b, 3, 2, &p[3]), STARTUP_OK);
    assert_int_equal(startups_count(s), 3);
    for (int i = 1; i < 4; i++)
        startup_give(p[i]);
    assert_int_equal(startups_count(s), 0);
    assert_int_equal(take(s, &a, 1, 1, &p[0]), STARTUP_OK);
    startup_give(p[0]);
    startups_free(s);
}

static void startups_of_an_ipv6_network_are_one_source(void **state)
{
    (void)state;
    struct startups *s;
    struct startup *p[4], *none;
    struct addr_ip a = address("2001:db8::1"), same = address("2001:db8::ffff:0:0:1");
    struct addr_ip other = address("2001:db8:0:1::1"), v4 = address("192.0.2.1");
    struct addr_ip v4_next = address("192.0.2.2");
    assert_int_equal(startups_new(&s), 0);
    assert_int_equal(take(s, &a, 9, 1, &p[0]), STARTUP_OK);
    assert_int_equal(take(s, &same, 9, 1, &none), STARTUP_SOURCE_FULL);
    assert_int_equal(take(s, &other, 9, 1, &p[1]), STARTUP_OK);
    assert_int_equal(take(s, &v4, 9, 1, &p[2]), STARTUP_OK);
    assert_int_equal(take(s, &v4_next, 9, 1, &p[3]), STARTUP_OK);
    startup_give(p[0]);
    assert_int_equal(take(s, &same, 9, 1, &p[0]), STARTUP_OK);
    for (int i = 0; i < 4; i++)
        startup_give(p[i]);
    startups_free(s);
}

static void many_sources_come_and_go(void **state)
{
    (void)state;
    static struct startup *p[20000];
    struct startups *s;
    struct addr_ip ip = {.family = 4};
    assert_int_equal(startups_new(&s), 0);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 20000; i++) {
            memcpy(ip.bytes, &i, sizeof(i));
            assert_int_equal(take(s, &ip, 20000, 1, &p[i]), STARTUP_OK);
        }
        for (unsigned i = 0; i < 20000; i++)
            startup_give(p[i]);
    }
    startups_free(s);
}

/* One that is silent for a second, or slow for five, loses its place to a newcomer: the oldest first. */
static void the_idle_make_room(void **state)
{
    (void)state;
    struct startups *s;
    struct startup *p[4], *fresh[3], *none;
    struct startup_request r = {.source = address("192.0.2.1"), .max = 100, .max_per_source = 4};
    assert_int_equal(startups_new(&s), 0);
    for (unsigned i = 0; i < 4; i++) {
        r.now_ms = NOW_MS + i;
        assert_int_equal(startups_take(s, &r, &p[i]), STARTUP_OK);
    }
    startup_spoke(p[0]);
    r.now_ms = NOW_MS + STARTUP_SILENT_MS;
    assert_int_equal(startups_take(s, &r, &none), STARTUP_SOURCE_FULL);
    r.now_ms = NOW_MS + STARTUP_SILENT_MS + 1;
    assert_int_equal(startups_take(s, &r, &fresh[0]), STARTUP_OK);
    assert_false(startup_evicted(p[0]));
    assert_true(startup_evicted(p[1]));
    assert_false(startup_evicted(p[2]));
    r.now_ms = NOW_MS + STARTUP_SLOW_MS;
    assert_int_equal(startups_take(s, &r, &fresh[1]), STARTUP_OK);
    assert_true(startup_evicted(p[0]));
    /* Two of four are on their way out: no more until they are gone. */
    assert_int_equal(startups_take(s, &r, &none), STARTUP_SOURCE_FULL);
    assert_false(startup_evicted(p[2]));
    startup_give(p[0]);
    assert_int_equal(startups_take(s, &r, &fresh[2]), STARTUP_OK);
    assert_true(startup_evicted(p[2]));
    for (int i = 1; i < 4; i++)
        startup_give(p[i]);
    for (int i = 0; i < 3; i++)
        startup_give(fresh[i]);
    assert_int_equal(startups_count(s), 0);
    startups_free(s);
}

/* A flood from many sources: places of the silent are taken from the half on, strangers are turned
   away where no place makes room, the known never while one is free. */
static void a_crowd_thins_out_at_random(void **state)
{
    (void)state;
    static struct startup *held[1000];
    struct startups *s;
    struct startup *p;
    struct startup_request r = {
        .source = {.family = 4}, .max = 1000, .max_per_source = 10, .now_ms = NOW_MS};
    unsigned count = 0, away = 0;
    assert_int_equal(startups_new(&s), 0);
    for (uint32_t i = 0; i < 3000; i++) {
        memcpy(r.source.bytes, &i, sizeof(i));
        enum startup_answer answer = startups_take(s, &r, &p);
        assert_true(answer == STARTUP_OK || answer == STARTUP_EARLY || answer == STARTUP_FULL);
        assert_true(answer == STARTUP_OK || count >= 500);
        if (answer == STARTUP_OK)
            held[count++] = p;
        else
            away++;
    }
    assert_in_range(count, 700, 1000);
    assert_int_equal(count + away, 3000);
    r.known = true;
    while (count < 1000) {
        memcpy(r.source.bytes, &(uint32_t){5000 + count}, 4);
        assert_int_equal(startups_take(s, &r, &held[count]), STARTUP_OK);
        count++;
    }
    assert_int_equal(startups_take(s, &r, &p), STARTUP_FULL);
    r.now_ms += STARTUP_SILENT_MS;
    r.known = false;
    assert_int_equal(startups_take(s, &r, &p), STARTUP_OK);
    startup_give(p);
    for (unsigned i = 0; i < 1000; i++)
        startup_give(held[i]);
    startups_free(s);
}

/* ---- sources -------------------------------------------------------------------------------- */

static const struct source_limits LIMITS = {.min = 15, .max = 600};

static void penalties_grow_are_enforced_and_run_off(void **state)
{
    (void)state;
    struct sources *s;
    struct addr_ip a = address("198.51.100.7"), b = address("198.51.100.8");
    assert_int_equal(sources_new(&s), 0);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW), SOURCE_STRANGER);
    assert_false(sources_penalise(s, &a, 5, &LIMITS, NOW));
    assert_false(sources_penalise(s, &a, 5, &LIMITS, NOW));
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW), SOURCE_STRANGER);
    assert_true(sources_penalise(s, &a, 5, &LIMITS, NOW));
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW), SOURCE_PENALISED);
    assert_int_equal(sources_standing(s, &b, &LIMITS, NOW), SOURCE_STRANGER);
    /* Once enforced it stays so until it has run off, and grows meanwhile. */
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 14), SOURCE_PENALISED);
    assert_false(sources_penalise(s, &a, 5, &LIMITS, NOW + 14));
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 19), SOURCE_PENALISED);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 20), SOURCE_STRANGER);
    /* Once a second for a second: decays as it grows. */
    for (int i = 0; i < 100; i++)
        assert_false(sources_penalise(s, &b, 1, &LIMITS, NOW + i));
    for (int i = 0; i < 1000; i++)
        sources_penalise(s, &a, 10, &LIMITS, NOW + 20);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 20 + 599), SOURCE_PENALISED);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 20 + 600), SOURCE_STRANGER);
    sources_free(s);
}

static void no_penalties_where_they_are_switched_off(void **state)
{
    (void)state;
    const struct source_limits off = {.min = 15, .max = 0};
    struct sources *s;
    struct addr_ip a = address("198.51.100.7");
    assert_int_equal(sources_new(&s), 0);
    for (int i = 0; i < 100; i++)
        assert_false(sources_penalise(s, &a, 5, &off, NOW));
    assert_int_equal(sources_standing(s, &a, &off, NOW), SOURCE_STRANGER);
    /* Switched off while one is in force. */
    for (int i = 0; i < 100; i++)
        sources_penalise(s, &a, 5, &LIMITS, NOW);
    assert_int_equal(sources_standing(s, &a, &off, NOW), SOURCE_STRANGER);
    sources_free(s);
}

static void the_known_are_on_probation(void **state)
{
    (void)state;
    struct sources *s;
    struct addr_ip office = address("2001:db8::1"), colleague = address("2001:db8::2");
    assert_int_equal(sources_new(&s), 0);
    sources_welcome(s, &office, NOW);
    assert_int_equal(sources_standing(s, &colleague, &LIMITS, NOW), SOURCE_KNOWN);
    for (int i = 0; i < 10; i++)
        sources_penalise(s, &colleague, 5, &LIMITS, NOW);
    assert_int_equal(sources_standing(s, &office, &LIMITS, NOW), SOURCE_PROBATION);
    assert_int_equal(sources_standing(s, &office, &LIMITS, NOW + 50), SOURCE_KNOWN);
    assert_int_equal(
        sources_standing(s, &office, &LIMITS, NOW + (int64_t)SOURCES_KNOWN_DAYS * 86400),
        SOURCE_STRANGER);
    sources_free(s);
}

static void a_clock_that_was_set_locks_nobody_out(void **state)
{
    (void)state;
    struct sources *s;
    struct addr_ip a = address("198.51.100.7");
    assert_int_equal(sources_new(&s), 0);
    for (int i = 0; i < 4; i++)
        sources_penalise(s, &a, 5, &LIMITS, NOW + 1000000);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW), SOURCE_PENALISED);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 600), SOURCE_STRANGER);
    sources_free(s);
}

static void penalties_are_listed_and_forgiven(void **state)
{
    (void)state;
    struct sources *s;
    struct addr_ip a = address("198.51.100.7"), b = address("2001:db8::1");
    size_t total;
    assert_int_equal(sources_new(&s), 0);
    for (int i = 0; i < 4; i++) {
        sources_penalise(s, &a, 5, &LIMITS, NOW);
        sources_penalise(s, &b, 10, &LIMITS, NOW);
    }
    json_t *list = sources_list(s, NOW, 1, &total);
    assert_int_equal(total, 2);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "source")),
                        "2001:db8::/64");
    json_decref(list);
    assert_int_equal(sources_forgive(s, &a, NOW), 1);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW), SOURCE_STRANGER);
    assert_int_equal(sources_standing(s, &b, &LIMITS, NOW), SOURCE_PENALISED);
    assert_int_equal(sources_forgive(s, NULL, NOW), 1);
    assert_int_equal(sources_standing(s, &b, &LIMITS, NOW), SOURCE_STRANGER);
    sources_free(s);
}

static void a_flood_of_sources_does_not_push_out_the_known(void **state)
{
    (void)state;
    struct sources *s;
    struct addr_ip ip = {.family = 4}, office = address("198.51.100.7");
    assert_int_equal(sources_new(&s), 0);
    sources_welcome(s, &office, NOW);
    for (uint32_t i = 1; i < 4 * SOURCES_MAX; i++) {
        memcpy(ip.bytes, &i, sizeof(i));
        for (int n = 0; n < 2; n++)
            sources_penalise(s, &ip, 10, &LIMITS, NOW);
    }
    assert_int_equal(sources_standing(s, &office, &LIMITS, NOW), SOURCE_KNOWN);
    sources_free(s);
}

/* ---- the file ------------------------------------------------------------------------------- */

struct folder {
    char dir[64], file[96];
};

static int make_folder(void **state)
{
    static struct folder at;
    snprintf(at.dir, sizeof(at.dir), "/tmp/pra-door-XXXXXX");
    if (!mkdtemp(at.dir))
        return -1;
    snprintf(at.file, sizeof(at.file), "%s/sources", at.dir);
    *state = &at;
    return 0;
}

static int remove_folder(void **state)
{
    const struct folder *at = *state;
    unlink(at->file);
    rmdir(at->dir);
    return 0;
}

static void what_is_known_is_kept_over_a_restart(void **state)
{
    const struct folder *at = *state;
    struct sources *s;
    struct fault f = {0};
    struct addr_ip a = address("198.51.100.7"), b = address("2001:db8::1"),
                   c = address("192.0.2.9");
    assert_int_equal(sources_new(&s), 0);
    assert_int_equal(sources_load(s, at->file, NOW, &f), 0);
    sources_welcome(s, &b, NOW);
    for (int i = 0; i < 10; i++)
        sources_penalise(s, &a, 10, &LIMITS, NOW);
    sources_penalise(s, &c, 1, &LIMITS, NOW);
    assert_int_equal(sources_save(s, at->file, NOW, &f), 0);
    sources_free(s);
    assert_int_equal(sources_new(&s), 0);
    assert_int_equal(sources_load(s, at->file, NOW + 50, &f), 0);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 99), SOURCE_PENALISED);
    assert_int_equal(sources_standing(s, &a, &LIMITS, NOW + 100), SOURCE_STRANGER);
    assert_int_equal(sources_standing(s, &b, &LIMITS, NOW + 50), SOURCE_KNOWN);
    assert_int_equal(sources_standing(s, &c, &LIMITS, NOW + 50), SOURCE_STRANGER);
    /* Nothing new: the file is left alone. */
    unlink(at->file);
    assert_int_equal(sources_save(s, at->file, NOW + 50, &f), 0);
    assert_int_equal(access(at->file, F_OK), -1);
    sources_free(s);
}

static void a_damaged_file_names_its_line(void **state)
{
    static const char *const BAD[] = {"198.51.100.7 1\n",     "x 1 2\n",    "198.51.100.7 1 2 3\n",
                                      "198.51.100.7 -1 0\n",  "\x01\x02\n", "198.51.100.7 1 2x\n",
                                      "198.51.100.999 1 2\n", " \n"};
    const struct folder *at = *state;
    struct addr_ip a = address("192.0.2.1");
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct sources *s;
        struct fault f = {0};
        char text[128], line[160];
        snprintf(text, sizeof(text), "192.0.2.1 0 %d\n%s192.0.2.2 0 %d\n", NOW, BAD[i], NOW);
        assert_int_equal(os_file_replace(at->file, text, strlen(text), 0600, &f), 0);
        assert_int_equal(sources_new(&s), 0);
        assert_int_equal(sources_load(s, at->file, NOW, &f), PRA_ECORRUPT);
        snprintf(line, sizeof(line), "%s:2: ", at->file);
        assert_memory_equal(f.text, line, strlen(line));
        assert_int_equal(sources_standing(s, &a, &LIMITS, NOW), SOURCE_KNOWN);
        sources_free(s);
    }
}

static void a_file_that_cannot_be_written_is_tried_again(void **state)
{
    const struct folder *at = *state;
    struct sources *s;
    struct fault f = {0};
    struct addr_ip a = address("192.0.2.1");
    char nowhere[128];
    snprintf(nowhere, sizeof(nowhere), "%s/none/sources", at->dir);
    assert_int_equal(sources_new(&s), 0);
    sources_welcome(s, &a, NOW);
    assert_int_equal(sources_save(s, nowhere, NOW, &f), PRA_EIO);
    assert_int_equal(sources_save(s, at->file, NOW, &f), 0);
    assert_int_equal(access(at->file, F_OK), 0);
    sources_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startups_are_limited_per_source_and_in_all),
        cmocka_unit_test(startups_of_an_ipv6_network_are_one_source),
        cmocka_unit_test(many_sources_come_and_go),
        cmocka_unit_test(the_idle_make_room),
        cmocka_unit_test(a_crowd_thins_out_at_random),
        cmocka_unit_test(penalties_grow_are_enforced_and_run_off),
        cmocka_unit_test(no_penalties_where_they_are_switched_off),
        cmocka_unit_test(the_known_are_on_probation),
        cmocka_unit_test(a_clock_that_was_set_locks_nobody_out),
        cmocka_unit_test(penalties_are_listed_and_forgiven),
        cmocka_unit_test(a_flood_of_sources_does_not_push_out_the_known),
        cmocka_unit_test_setup_teardown(what_is_known_is_kept_over_a_restart, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_damaged_file_names_its_line, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_tried_again, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
