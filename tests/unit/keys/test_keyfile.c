/*
 * The key file as its users meet it: made, opened, refused, sealed again. Machines come from the
 * test provider; scrypt is cheap but in one test. What happens on disk is test_store.c.
 */
#include "tests/unit/keys/keyfile_support.h"

#include <time.h>

#include "keys/keyfile_image.h"
#include "tests/unit/private.h"

static void made_key_opens_and_says_whose_it_is(void **state)
{
    static const enum crypto_key_type types[] = {CRYPTO_ED25519, CRYPTO_ECDSA_P256};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct keyfile_options opt = usual;
        struct keyfile_info made;
        struct keyfile_info seen;
        struct fault f;

        opt.type = types[i];
        opt.force = true;
        use_machine(office_pc);
        assert_int_equal(create(&opt, &made, &f), 0);
        assert_int_equal(keyfile_inspect(key_path(), &seen, &f), 0);
        assert_memory_equal(&seen, &made, sizeof(seen));
        assert_string_equal(seen.user, "suzuki");
        assert_string_equal(seen.computer, "Sales-PC-07");
        assert_int_equal(seen.type, types[i]);
        assert_int_equal(seen.k, 6);
        assert_int_equal(seen.n, 8);
        assert_false(seen.weak);
        assert_true(llabs(seen.created - os_time_now()) < 60);
        assert_private(key_path());
        expect_opens();
    }
}

/* The design's cost, twice; quality 25 allows five seconds each. Of the processor, which others use as well. */
static void the_real_cost_is_bearable(void **state)
{
    struct keyfile_options opt = usual;
    struct keyfile_info info;
    struct fault f;
    clock_t begun = clock();
    size_t len;
    char *data;

    (void)state;
    opt.log2_n = 0;
    use_machine(office_pc);
    assert_int_equal(create(&opt, &info, &f), 0);
    expect_opens();
    assert_true(clock() - begun < 10 * CLOCKS_PER_SEC);
    data = get_bytes("id.prakey", &len);
    assert_int_equal(data[16], 17);
    assert_int_equal(data[17], 8);
    assert_int_equal(data[18], 1);
    free(data);
}

/* What the flow tests rely on, and that nothing but a lower cost of this build is taken. */
static void a_test_may_ask_for_keys_that_cost_less(void **state)
{
    static const struct {
        const char *asked;
        uint8_t given;
    } cases[] = {{"10", 10}, {"9", 17}, {"18", 17}};
    struct keyfile_options opt = usual;
    struct keyfile_info info;
    struct fault f;

    (void)state;
    opt.log2_n = 0;
    opt.force = true;
    use_machine(office_pc);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len;
        char *data;

        setenv("PRA_TEST_LOG2_N", cases[i].asked, 1);
        assert_int_equal(create(&opt, &info, &f), 0);
        data = get_bytes("id.prakey", &len);
        assert_int_equal(data[16], cases[i].given);
        free(data);
    }
    unsetenv("PRA_TEST_LOG2_N");
}

static void nothing_secret_stands_in_the_file(void **state)
{
    struct keyfile_info info;
    size_t len;
    char *data;

    (void)state;
    create_usual(&info);
    data = get_bytes("id.prakey", &len);
    assert_null(memmem(data, len, PASSPHRASE, strlen(PASSPHRASE)));
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        char value[MACHINE_VALUE_MAX];

        assert_true(machine_normalise(id, office_pc[id], value));
        if (id != MACHINE_COMPUTER_NAME && id != MACHINE_USER_NAME) {
            assert_null(memmem(data, len, office_pc[id], strlen(office_pc[id])));
            assert_null(memmem(data, len, value, strlen(value)));
        }
    }
    free(data);
}

static void wrong_passphrase_is_told_apart_from_a_wrong_machine(void **state)
{
    struct keyfile_report report;
    struct keyfile_info info;
    struct fault f = {0};
    unsigned passed = 0;

    (void)state;
    /* A changed part has the tag of the old one once in 256 keys, and is not named then. */
    for (unsigned i = 0; i < 4 && strstr(f.text, "disk_serial") == NULL; i++) {
        (void)unlink(key_path());
        use_machine(office_pc);
        create_usual(&info);
        use_machine(other_pc);
        assert_int_equal(open_key(PASSPHRASE, &report, &f), PRA_EMACHINE);
    }
    assert_non_null(strstr(f.text, "disk_serial"));
    use_machine(office_pc);
    for (unsigned i = 0; i < 200; i++) {
        char wrong[32];
        int rc;

        snprintf(wrong, sizeof(wrong), "wrong %u", i);
        rc = open_key(wrong, &report, &f);
        if (rc == PRA_EMACHINE) { /* once in 256 the check byte agrees */
            passed++;
        } else {
            assert_int_equal(rc, PRA_EPASSPHRASE);
            assert_non_null(strstr(f.text, "passphrase"));
        }
    }
    assert_in_range(passed, 0, 8);
    assert_int_equal(open_key("", &report, &f) == 0, false);
}

/* A wrong passphrase that gets past the check byte is not sold as another machine alone. */
static void passphrase_that_passes_the_check_is_mentioned(void **state)
{
    struct keyfile_report report;
    struct keyfile_info info;
    struct fault f;
    int rc = PRA_EPASSPHRASE;

    (void)state;
    create_usual(&info);
    for (unsigned i = 0; i < 20000 && (rc != PRA_EMACHINE || !report.maybe_passphrase); i++) {
        char wrong[32];

        snprintf(wrong, sizeof(wrong), "wrong %u", i);
        rc = open_key(wrong, &report, &f);
    }
    assert_int_equal(rc, PRA_EMACHINE);
    assert_non_null(strstr(f.text, "passphrase"));
}

static void one_and_two_changes_open_and_three_do_not(void **state)
{
    struct keyfile_report report;
    struct keyfile_info info;
    const char *values[MACHINE_ID_COUNT];
    size_t len;
    char *data;
    struct fault f;

    (void)state;
    create_usual(&info);
    data = get_bytes("id.prakey", &len);
    for (int a = 0; a < 8; a++) {
        for (int b = a; b < 8; b++) {
            put_bytes("id.prakey", data, len);
            memcpy(values, office_pc, sizeof(values));
            values[a] = other_pc[a];
            values[b] = other_pc[b];
            use_machine(values);
            assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
            for (int id = 0; id < MACHINE_ID_COUNT; id++) {
                assert_int_equal(report.changed[id], id == a || id == b);
            }
            assert_true(report.resealed);
        }
    }
    put_bytes("id.prakey", data, len);
    values[MACHINE_OS_ID] = other_pc[MACHINE_OS_ID];
    values[MACHINE_CPU_MODEL] = other_pc[MACHINE_CPU_MODEL];
    values[MACHINE_MAC] = other_pc[MACHINE_MAC];
    use_machine(values);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), PRA_EMACHINE);
    free(data);
}

static void sealed_again_after_a_change_it_tolerates_the_next(void **state)
{
    struct keyfile_report report;
    struct keyfile_info before;
    struct keyfile_info after;
    const char *values[MACHINE_ID_COUNT];
    struct fault f;

    (void)state;
    create_usual(&before);
    memcpy(values, office_pc, sizeof(values));
    for (int id = 0; id < 8; id++) { /* one part after the other, until nothing is left */
        values[id] = other_pc[id];
        use_machine(values);
        assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
        assert_true(report.resealed);
        assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
        assert_false(report.resealed || report.changed[id]);
    }
    assert_int_equal(keyfile_inspect(key_path(), &after, &f), 0);
    assert_memory_equal(after.public_key, before.public_key, before.public_len);
    assert_string_equal(after.computer, before.computer);
    assert_int_equal(after.created, before.created);
    assert_private(key_path());
}

static void part_that_is_gone_is_dropped_and_a_new_one_taken_in(void **state)
{
    struct keyfile_report report;
    struct keyfile_info info;
    struct fault f;

    (void)state;
    use_office_pc_but(MACHINE_BOARD_SERIAL, NULL);
    assert_int_equal(create(&usual, &info, &f), 0);
    assert_int_equal(info.n, 7);
    use_machine(office_pc);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
    assert_false(report.resealed); /* more than before is no change */
    use_office_pc_but(MACHINE_DISK_SERIAL, NULL);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
    assert_true(report.missing[MACHINE_DISK_SERIAL] && report.resealed);
    assert_int_equal(keyfile_inspect(key_path(), &info, &f), 0);
    assert_true(info.bound[MACHINE_BOARD_SERIAL]);
    assert_false(info.bound[MACHINE_DISK_SERIAL]);
}

/* A helper that does not answer today must not cost the key its serial numbers. */
static void hidden_parts_do_not_lead_to_sealing_again(void **state)
{
    struct keyfile_report report;
    struct keyfile_info info;
    struct fault f;
    size_t before_len;
    size_t len;
    char *before;
    char *data;

    (void)state;
    create_usual(&info);
    before = get_bytes("id.prakey", &before_len);
    use_office_pc_but(MACHINE_SMBIOS_UUID, VALUE_HIDDEN);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
    assert_true(report.hidden[MACHINE_SMBIOS_UUID]);
    assert_false(report.resealed || report.reseal_refused || report.reseal_failed);
    data = get_bytes("id.prakey", &len);
    assert_int_equal(len, before_len);
    assert_memory_equal(data, before, len);
    free(data);
    free(before);
}

/* Name, CPU and volume alone: weak, and no strong identifier that could vouch for a change. */
static void weak_key_needs_consent_and_is_not_sealed_again(void **state)
{
    const char *values[MACHINE_ID_COUNT] = {NULL};
    struct keyfile_options opt = usual;
    struct keyfile_report report;
    struct keyfile_info info;
    struct fault f;

    (void)state;
    values[MACHINE_COMPUTER_NAME] = "vm";
    values[MACHINE_CPU_MODEL] = "QEMU Virtual CPU";
    values[MACHINE_VOLUME_ID] = "1234-ABCD";
    values[MACHINE_MAC] = "52:54:00:12:34:56";
    use_machine(values);
    assert_int_equal(create(&opt, &info, &f), PRA_EWEAK);
    assert_non_null(strstr(f.text, "volume_id, computer_name, cpu_model, mac"));
    assert_false(keyfile_exists(key_path()));
    opt.allow_weak = true;
    assert_int_equal(create(&opt, &info, &f), 0);
    assert_true(info.weak);
    assert_int_equal(info.k, 3);
    values[MACHINE_CPU_MODEL] = "another";
    use_machine(values);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
    assert_true(report.changed[MACHINE_CPU_MODEL] && report.reseal_refused);
}

/* Losing parts may not turn a bound key into a weak one behind the administrator's back. */
static void bound_key_does_not_become_weak(void **state)
{
    const char *values[MACHINE_ID_COUNT] = {NULL};
    struct keyfile_report report;
    struct keyfile_info info;
    struct fault f;

    (void)state;
    for (int id = MACHINE_SMBIOS_UUID; id <= MACHINE_DISK_SERIAL; id++) {
        values[id] = office_pc[id];
    }
    values[MACHINE_CPU_MODEL] = office_pc[MACHINE_CPU_MODEL];
    use_machine(values);
    assert_int_equal(create(&usual, &info, &f), 0);
    assert_int_equal(info.n, 4);
    values[MACHINE_CPU_MODEL] = NULL;
    use_machine(values);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
    assert_true(report.resealed); /* three strong ones are left: still bound */
    values[MACHINE_DISK_SERIAL] = NULL;
    use_machine(values);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), PRA_EMACHINE);
}

static void machine_without_identifiers_gets_no_key(void **state)
{
    const char *values[MACHINE_ID_COUNT] = {[MACHINE_COMPUTER_NAME] = "localhost"};
    struct keyfile_options opt = usual;
    struct keyfile_info info;
    struct fault f;

    (void)state;
    opt.allow_weak = true;
    use_machine(values);
    assert_int_equal(create(&opt, &info, &f), PRA_EWEAK);
    values[MACHINE_CPU_MODEL] = "Some CPU";
    use_machine(values);
    assert_int_equal(create(&opt, &info, &f), 0);
    assert_int_equal(info.n, 1);
    assert_string_equal(info.computer, "localhost");
    expect_opens();
}

static void strict_key_opens_unchanged_only(void **state)
{
    struct keyfile_options opt = usual;
    struct keyfile_report report;
    struct keyfile_info info;
    struct fault f;

    (void)state;
    opt.strict = true;
    use_machine(office_pc);
    assert_int_equal(create(&opt, &info, &f), 0);
    assert_int_equal(info.k, 12);
    expect_opens();
    use_office_pc_but(MACHINE_BIOS_VERSION, "1.22.0");
    assert_int_equal(open_key(PASSPHRASE, &report, &f), PRA_EMACHINE);
    assert_false(report.changed[MACHINE_DISK_SERIAL]);
}

static void bad_options_are_refused_in_words(void **state)
{
    char long_user[KEYFILE_USER_MAX + 2];
    char long_pass[KEYFILE_PASS_MAX + 2];
    struct keyfile_options bad[9];
    struct keyfile_info info;
    struct fault f;

    (void)state;
    memset(long_user, 'u', sizeof(long_user) - 1);
    long_user[sizeof(long_user) - 1] = '\0';
    memset(long_pass, 'p', sizeof(long_pass) - 1);
    long_pass[sizeof(long_pass) - 1] = '\0';
    for (size_t i = 0; i < 9; i++) {
        bad[i] = usual;
    }
    bad[0].user = "";
    bad[1].user = long_user;
    bad[2].user = "a b";
    bad[3].user = "a\nb";
    bad[4].user = "a\xff";
    bad[5].passphrase = "";
    bad[6].passphrase = long_pass;
    bad[7].log2_n = 9;
    bad[8].log2_n = 20;
    use_machine(office_pc);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(create(&bad[i], &info, &f), PRA_EINVAL);
        assert_true(f.text[0] != '\0');
    }
    assert_false(keyfile_exists(key_path()));
    bad[1].user = long_user + 1;
    assert_int_equal(create(&bad[1], &info, &f), 0);
    assert_string_equal(info.user, long_user + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(made_key_opens_and_says_whose_it_is),
        IN_FOLDER(the_real_cost_is_bearable),
        IN_FOLDER(a_test_may_ask_for_keys_that_cost_less),
        IN_FOLDER(nothing_secret_stands_in_the_file),
        IN_FOLDER(wrong_passphrase_is_told_apart_from_a_wrong_machine),
        IN_FOLDER(passphrase_that_passes_the_check_is_mentioned),
        IN_FOLDER(one_and_two_changes_open_and_three_do_not),
        IN_FOLDER(sealed_again_after_a_change_it_tolerates_the_next),
        IN_FOLDER(part_that_is_gone_is_dropped_and_a_new_one_taken_in),
        IN_FOLDER(hidden_parts_do_not_lead_to_sealing_again),
        IN_FOLDER(weak_key_needs_consent_and_is_not_sealed_again),
        IN_FOLDER(bound_key_does_not_become_weak),
        IN_FOLDER(machine_without_identifiers_gets_no_key),
        IN_FOLDER(strict_key_opens_unchanged_only),
        IN_FOLDER(bad_options_are_refused_in_words),
    };

    return cmocka_run_group_tests_name("keyfile", tests, NULL, NULL);
}
