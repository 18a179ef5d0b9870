/* Which host key is the gateway's: configured, pinned, confirmed, or none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/hostkey.h"
#include "tests/unit/private.h"

#define KEY_A  "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B  "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define SERVER "[gw.example]:10022"

static struct hostkey_pin pin_of(const char *server, const char *fingerprint)
{
    struct hostkey_pin pin;

    snprintf(pin.server, sizeof(pin.server), "%s", server);
    snprintf(pin.fingerprint, sizeof(pin.fingerprint), "%s", fingerprint);
    return pin;
}

/* Every combination of what is known, against a gateway that shows KEY_A. */
static void judgement_follows_configuration_then_pin_then_person(void **state)
{
    const struct hostkey_pin a = pin_of(SERVER, KEY_A), b = pin_of(SERVER, KEY_B),
                             other = pin_of("[other]:10022", KEY_A);
    const struct {
        const char *configured;
        const struct hostkey_pin *pin;
        const char *accepted;
        enum cause expected;
        bool pin_it;
    } cases[] = {
        {"", NULL, "", CAUSE_HOSTKEY_UNKNOWN, false},
        {"", NULL, KEY_B, CAUSE_HOSTKEY_UNKNOWN, false},
        {"", NULL, KEY_A, CAUSE_NONE, true},
        {NULL, NULL, NULL, CAUSE_HOSTKEY_UNKNOWN, false},
        {"", &a, "", CAUSE_NONE, false},
        {"", &b, "", CAUSE_HOSTKEY_CHANGED, false},
        {"", &b, KEY_A, CAUSE_HOSTKEY_CHANGED, false}, /* a person's yes does not undo a pin */
        {"", &other, "", CAUSE_HOSTKEY_UNKNOWN, false},
        {"", &other, KEY_A, CAUSE_NONE, true},
        {KEY_A, NULL, "", CAUSE_NONE, true},
        {KEY_A, &a, "", CAUSE_NONE, false},
        {KEY_A, &b, "", CAUSE_NONE, true}, /* the configuration was changed on purpose */
        {KEY_B, NULL, "", CAUSE_HOSTKEY_CHANGED, false},
        {KEY_B, &a, KEY_A, CAUSE_HOSTKEY_CHANGED, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool pin_it = true;
        enum cause got = hostkey_judge(cases[i].configured, cases[i].pin, SERVER, cases[i].accepted,
                                       KEY_A, &pin_it);

        if (got != cases[i].expected || pin_it != cases[i].pin_it)
            fail_msg("case %zu: %s", i, cause_word(got));
    }
}

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/pra-pin-%ld", (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    return hostkey_pin_forget(path, NULL);
}

/* An Ed25519 blob with `fill` as its key. */
static size_t make_blob(uint8_t *blob, uint8_t fill)
{
    static const uint8_t head[] = "\0\0\0\013ssh-ed25519\0\0\0\040";

    memcpy(blob, head, sizeof(head) - 1);
    memset(blob + sizeof(head) - 1, fill, 32);
    return sizeof(head) - 1 + 32;
}

static void pin_is_read_back_and_private(void **state)
{
    uint8_t blob[64];
    size_t len = make_blob(blob, 7);
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
    struct hostkey_pin pin;
    struct fault f = {0};

    (void)state;
    assert_int_equal(hostkey_pin_write(path, SERVER, blob, len, &f), 0);
    assert_int_equal(hostkey_pin_read(path, &pin, &f), 0);
    assert_int_equal(sshkey_fingerprint(blob, len, fingerprint), 0);
    assert_string_equal(pin.server, SERVER);
    assert_string_equal(pin.fingerprint, fingerprint);
    assert_private(path);
    assert_int_equal(hostkey_pin_forget(path, &f), 0);
    assert_int_equal(hostkey_pin_read(path, &pin, &f), PRA_ENOENT);
    assert_int_equal(hostkey_pin_forget(path, &f), 0);
}

static void damaged_pin_is_no_pin_and_says_where(void **state)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "x",
                                        "[gw]:1 ssh-ed25519 AAAA\n",
                                        "[gw]:1 ssh-rot13 AAAA\n",
                                        " ssh-ed25519 AAAA\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hostkey_pin pin;
        struct fault f = {0};
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(texts[i], file);
        fclose(file);
        assert_int_equal(hostkey_pin_read(path, &pin, &f), PRA_ECORRUPT);
        assert_non_null(strstr(f.text, path));
    }
}

static void malformed_key_is_not_pinned(void **state)
{
    uint8_t blob[64];
    size_t len = make_blob(blob, 7);

    (void)state;
    (void)hostkey_pin_forget(path, NULL);
    assert_int_equal(hostkey_pin_write(path, SERVER, blob, 3, NULL), PRA_EINVAL);
    blob[3] = 200; /* the type's length is beyond the blob */
    assert_int_equal(hostkey_pin_write(path, SERVER, blob, len, NULL), PRA_EINVAL);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judgement_follows_configuration_then_pin_then_person),
        cmocka_unit_test(pin_is_read_back_and_private),
        cmocka_unit_test(damaged_pin_is_no_pin_and_says_where),
        cmocka_unit_test(malformed_key_is_not_pinned),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
