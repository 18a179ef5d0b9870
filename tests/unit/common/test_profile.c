/* Connection profiles: what is taken, what is refused and where it is said to stand. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/os.h"
#include "common/profile.h"

#define FINGERPRINT "SHA256:0123456789abcdefghijABCDEFGHIJ+/01234567890"
#define WHOLE       "[profile]\nserver = gw.example.com\nfingerprint = " FINGERPRINT "\nuser = suzuki\n"

static char path[] = "/tmp/pra-profile-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static int load(const char *text, size_t len, struct profile *p, struct fault *f)
{
    memset(f, 0, sizeof(*f));
    assert_int_equal(os_file_replace(path, text, len, 0600, f), 0);
    return profile_load(path, p, f);
}

static void written_profile_reads_back_the_same(void **state)
{
    static const char *const servers[] = {"gw.example.com:443", "192.0.2.1:10022",
                                          "[2001:db8::1]:10022"};
    static const char *const names[] = {"", "本社", "a;b # c = d [e]", "\"quoted\"", "a \\n"};
    char text[PROFILE_TEXT_MAX];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            struct profile in = {.fingerprint = FINGERPRINT, .user = "Suzuki"}, out = {0};
            struct fault f = {0};

            assert_int_equal(
                addr_parse_host_port(servers[i], PROFILE_DEFAULT_PORT, &in.server, &in.port), 0);
            snprintf(in.name, sizeof(in.name), "%s", names[n]);
            assert_int_equal(profile_format(&in, text, &len, &f), 0);
            assert_int_equal(load(text, len, &out, &f), 0);
            assert_string_equal(out.server.name, in.server.name);
            assert_int_equal(out.port, in.port);
            assert_string_equal(out.fingerprint, in.fingerprint);
            assert_string_equal(out.user, in.user);
            assert_string_equal(out.name, in.name);
        }
}

static void what_would_not_read_back_is_not_written(void **state)
{
    static const char *const bad[] = {" a",
                                      "a ",
                                      "a ; b",
                                      ";a",
                                      "a\tb",
                                      "a\nb",
                                      "\xe2\x80\xae"
                                      "gro.live",
                                      "\xff"};
    char text[PROFILE_TEXT_MAX];
    size_t len = 0;
    struct profile p = {.fingerprint = FINGERPRINT, .user = "suzuki", .port = 1};
    struct fault f;

    (void)state;
    assert_int_equal(addr_parse_host_port("gw", 1, &p.server, &p.port), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(p.name, sizeof(p.name), "%s", bad[i]);
        assert_int_equal(profile_format(&p, text, &len, &f), PRA_EINVAL);
    }
    p.name[0] = '\0';
    snprintf(p.user, sizeof(p.user), ";x");
    assert_int_equal(profile_format(&p, text, &len, &f), PRA_EINVAL);
    p.user[0] = '\0';
    assert_int_equal(profile_format(&p, text, &len, &f), PRA_EINVAL);
}

struct wrong {
    const char *text;
    int line; /* 0 = none, the file alone */
    const char *says;
};

static const struct wrong wrongs[] = {
    {"", 0, "server is missing"},
    {"[profile]\nserver = gw\n", 0, "fingerprint is missing"},
    {"[profile]\nserver = gw\nfingerprint = " FINGERPRINT "\n", 0, "user is missing"},
    {"[profile]\nserver = https://gw/\n", 2, "HOST"},
    {"[profile]\nserver =\n", 2, "HOST"},
    {"[profile]\nserver = gw:0\n", 2, "HOST"},
    {"[profile]\nfingerprint = SHA256:short\n", 2, "43 characters"},
    {"[profile]\nuser = a b\n", 2, "blanks"},
    {"[profile]\nuser =\n", 2, "empty"},
    {"[profile]\nname = \xe2\x80\xae"
     "x\n",
     2, "direction"},
    {"[profile]\nname = a\x1b[31m\n", 2, "control"},
    {"[profile]\nname = a\xd8\x9c\n", 2, "direction"}, /* U+061C */
    {"[profile]\nname = a\xe2\x80\x8b\n", 2, "not seen"},
    {"[profile]\nuser = su\xe2\x80\xaezuki\n", 2, "not seen"},
    {"[profile]\nuser = suzuki\xe2\x80\x8b\n", 2, "not seen"},
    {"[profile]\nuser = su\xc2\x85zuki\n", 2, "control"},
    {WHOLE "proxy = evil.example.com:8080\n", 5, "no key 'proxy'"},
    {WHOLE "user = other\n", 5, "line 4 already"},
    {WHOLE "[proxy]\n", 5, "unknown section"},
    {"\x7f"
     "ELF\x02\x01\n",
     1, "control"},
    {"PK\n", 1, "neither"},
    {"[profile]\nserver = \xff\xfe\n", 2, "UTF-8"},
};

static void damaged_or_hostile_profile_is_refused_with_its_line(void **state)
{
    char place[sizeof(path) + 16];
    struct profile p = {.user = "untouched"};
    struct fault f;

    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        assert_int_equal(load(wrongs[i].text, strlen(wrongs[i].text), &p, &f), PRA_EINVAL);
        if (wrongs[i].line > 0)
            snprintf(place, sizeof(place), "%s:%d: ", path, wrongs[i].line);
        else
            snprintf(place, sizeof(place), "%s: ", path);
        if (strncmp(f.text, place, strlen(place)) != 0 || strstr(f.text, wrongs[i].says) == NULL)
            fail_msg("%zu: %s", i, f.text);
        assert_string_equal(p.user, "untouched");
    }
    assert_int_equal(load("[profile]\0x", 11, &p, &f), PRA_EINVAL);
}

static void windows_line_ends_and_byte_order_mark_are_taken(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf[profile]\r\nserver = gw.example.com\r\nfingerprint = " FINGERPRINT
        "\r\nuser = suzuki\r\n";
    struct profile p;
    struct fault f;

    (void)state;
    assert_int_equal(load(text, sizeof(text) - 1, &p, &f), 0);
    assert_string_equal(p.user, "suzuki");
    assert_int_equal(p.port, 10022);
}

static void every_cut_of_a_profile_is_refused_or_whole(void **state)
{
    struct profile p;
    struct fault f;

    (void)state;
    for (size_t len = 0; len < strlen(WHOLE); len++) {
        int rc = load(WHOLE, len, &p, &f);

        /* A shorter user name cannot be told from a whole one. */
        if (rc == 0)
            assert_true(len > strlen(WHOLE) - strlen("suzuki\n"));
        else
            assert_memory_equal(f.text, path, strlen(path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_profile_reads_back_the_same),
        cmocka_unit_test(what_would_not_read_back_is_not_written),
        cmocka_unit_test(damaged_or_hostile_profile_is_refused_with_its_line),
        cmocka_unit_test(windows_line_ends_and_byte_order_mark_are_taken),
        cmocka_unit_test(every_cut_of_a_profile_is_refused_or_whole),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
