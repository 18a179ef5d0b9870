/*
 * k of n (quality 25): every set of identifiers a machine may show, every subset of them that may
 * change, against the rule written down once more in the plainest way. Works on sealing itself;
 * scrypt stands still, its output is given.
 */
#include "tests/unit/keys/support.h"

#include "common/crypto.h"
#include "common/i18n.h"
#include "keys/keyfile_image.h"

/* Counting set bits for the oracle. */
static unsigned bits(unsigned mask)
{
    unsigned n = 0;

    while (mask != 0) {
        n += mask & 1;
        mask >>= 1;
    }
    return n;
}

static bool any_of(unsigned mask, const enum machine_id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((mask >> ids[i] & 1) != 0) {
            return true;
        }
    }
    return false;
}

static bool has_strong(unsigned mask)
{
    static const enum machine_id ids[] = {MACHINE_SMBIOS_UUID, MACHINE_BOARD_SERIAL,
                                          MACHINE_DISK_SERIAL, MACHINE_OS_ID};
    return any_of(mask, ids, 4);
}

static bool has_unique(unsigned mask)
{
    static const enum machine_id ids[] = {MACHINE_SMBIOS_UUID, MACHINE_BOARD_SERIAL,
                                          MACHINE_DISK_SERIAL, MACHINE_MAC};
    return any_of(mask, ids, 4);
}

/* A machine that shows the identifiers of `mask`; those of `changed` with another value. */
static void make_machine(struct machine *m, unsigned mask, unsigned changed)
{
    memset(m, 0, sizeof(*m));
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if ((mask >> id & 1) != 0) {
            m->source[id] = MACHINE_DIRECT;
            snprintf(m->value[id], MACHINE_VALUE_MAX, "%s",
                     (changed >> id & 1) != 0 ? other_pc[id] : office_pc[id]);
        }
    }
}

struct sealed {
    struct keyfile_image img;
    uint8_t root[CRYPTO_KEY_LEN];
    uint8_t secret[CRYPTO_SECRET_LEN];
};

static void seal(struct sealed *s, const struct machine *m, bool strict)
{
    memset(s, 0, sizeof(*s));
    s->img.info.type = CRYPTO_ED25519;
    s->img.info.strict = strict;
    s->img.log2_n = TEST_LOG2_N;
    snprintf(s->img.info.user, sizeof(s->img.info.user), "suzuki");
    snprintf(s->img.info.computer, sizeof(s->img.info.computer), "pc");
    crypto_random(s->img.info.salt, sizeof(s->img.info.salt));
    crypto_random(s->root, sizeof(s->root));
    assert_int_equal(crypto_key_generate(CRYPTO_ED25519, s->secret), 0);
    assert_int_equal(crypto_key_public(CRYPTO_ED25519, s->secret, s->img.info.public_key,
                                       &s->img.info.public_len),
                     0);
    assert_true(keyfile_choose(m, &s->img.info) > 0);
    assert_int_equal(keyfile_seal(&s->img, s->root, m, s->secret), 0);
}

static int unseal(const struct sealed *s, const struct machine *m, struct keyfile_report *report,
                  bool *all)
{
    uint8_t secret[CRYPTO_SECRET_LEN] = {0};
    int rc = keyfile_unseal(&s->img, s->root, m, secret, report, all);

    if (rc == 0) {
        assert_memory_equal(secret, s->secret, sizeof(secret));
    }
    return rc;
}

#define BASE_IDS 8
#define BASE_ALL ((1u << BASE_IDS) - 1)

/* 255 sets, 3^8 - 1 = 6,560 pairs of set and change. */
static void every_set_of_identifiers_and_every_change(void **state)
{
    unsigned tried = 0;

    (void)state;
    for (unsigned set = 1; set <= BASE_ALL; set++) {
        unsigned n = bits(set);
        unsigned k = n <= 3 ? n : n == 4 ? 3 : n - 2;
        bool weak = n < 3 || !has_strong(set) || !has_unique(set);
        struct sealed s;
        struct machine m;

        make_machine(&m, set, 0);
        seal(&s, &m, false);
        assert_int_equal(s.img.info.n, n);
        assert_int_equal(s.img.info.k, k);
        assert_int_equal(s.img.info.weak, weak);
        assert_in_range(s.img.wrap_count, 1, 28);
        for (unsigned changed = 0; changed <= set; changed++) {
            unsigned same = set & ~changed;
            bool opens = bits(same) >= k && (weak || (has_strong(same) && has_unique(same)));
            struct keyfile_report report;
            bool all = false;

            if ((changed & ~set) != 0) {
                continue;
            }
            make_machine(&m, set, changed);
            assert_int_equal(unseal(&s, &m, &report, &all), opens ? 0 : PRA_EMACHINE);
            tried++;
            if (!opens) {
                continue;
            }
            assert_int_equal(all, changed == 0);
            for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
                assert_int_equal(report.changed[id], (changed >> id & 1) != 0);
            }
        }
    }
    assert_int_equal(tried, 6560);
}

static void missing_and_hidden_count_as_changed_and_are_told_apart(void **state)
{
    struct keyfile_report report;
    struct sealed s;
    struct machine m;
    char text[256];
    bool all = true;

    (void)state;
    make_machine(&m, BASE_ALL, 0);
    seal(&s, &m, false);
    make_machine(&m, BASE_ALL & ~(1u << MACHINE_DISK_SERIAL | 1u << MACHINE_MAC), 0);
    m.source[MACHINE_MAC] = MACHINE_HIDDEN;
    assert_int_equal(unseal(&s, &m, &report, &all), 0);
    assert_false(all);
    assert_true(report.missing[MACHINE_DISK_SERIAL]);
    assert_true(report.hidden[MACHINE_MAC]);
    keyfile_describe_changes(&report, text, sizeof(text));
    assert_string_equal(text, "disk serial (missing), MAC address (not readable)");
    m.source[MACHINE_OS_ID] = MACHINE_HIDDEN;
    assert_int_equal(unseal(&s, &m, &report, &all), PRA_EMACHINE);
    assert_true(report.hidden[MACHINE_OS_ID]);
    assert_false(report.maybe_passphrase);
}

/* With tags of 8 bits one changed identifier in 256 goes unnamed; never an unchanged one named. */
static void a_key_that_does_not_open_names_what_differs(void **state)
{
    unsigned named = 0;
    unsigned expected = 0;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        unsigned changed = 1u << MACHINE_SMBIOS_UUID | 1u << MACHINE_CPU_MODEL | 1u << MACHINE_MAC;
        struct keyfile_report report;
        struct sealed s;
        struct machine m;
        bool all;

        make_machine(&m, BASE_ALL, 0);
        seal(&s, &m, false);
        make_machine(&m, BASE_ALL, changed);
        assert_int_equal(unseal(&s, &m, &report, &all), PRA_EMACHINE);
        assert_false(report.maybe_passphrase);
        for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
            if ((changed >> id & 1) != 0) {
                expected++;
                named += report.changed[id];
            } else {
                assert_false(report.changed[id]);
            }
        }
    }
    assert_in_range(named, expected - 6, expected);
}

static void a_wholly_different_machine_may_be_a_wrong_passphrase(void **state)
{
    struct keyfile_report report;
    struct sealed s;
    struct machine m;
    unsigned unsure = 0;
    bool all;

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        make_machine(&m, BASE_ALL, 0);
        seal(&s, &m, false);
        make_machine(&m, BASE_ALL, BASE_ALL);
        assert_int_equal(unseal(&s, &m, &report, &all), PRA_EMACHINE);
        unsure += report.maybe_passphrase;
    }
    assert_in_range(unsure, 15, 20); /* not when a tag agrees by chance: 8 in 256 */
}

static void strict_needs_everything(void **state)
{
    const unsigned set = (1u << MACHINE_ID_COUNT) - 1;
    struct keyfile_report report;
    struct sealed s;
    struct machine m;
    bool all;

    (void)state;
    make_machine(&m, set, 0);
    seal(&s, &m, true);
    assert_int_equal(s.img.info.n, MACHINE_ID_COUNT);
    assert_int_equal(s.img.info.k, MACHINE_ID_COUNT);
    assert_int_equal(s.img.wrap_count, 1);
    assert_false(s.img.info.weak);
    assert_int_equal(unseal(&s, &m, &report, &all), 0);
    assert_true(all);
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        make_machine(&m, set, 1u << id);
        assert_int_equal(unseal(&s, &m, &report, &all), PRA_EMACHINE);
        make_machine(&m, set & ~(1u << id), 0);
        assert_int_equal(unseal(&s, &m, &report, &all), PRA_EMACHINE);
        assert_true(report.missing[id]);
    }
}

static void strict_identifiers_take_part_in_strict_mode_only(void **state)
{
    const unsigned strict_only = 1u << MACHINE_USER_NAME | 1u << MACHINE_BIOS_VERSION |
                                 1u << MACHINE_OS_BUILD | 1u << MACHINE_PRODUCT_ID;
    struct keyfile_report report;
    struct sealed s;
    struct machine m;
    bool all;

    (void)state;
    make_machine(&m, BASE_ALL | strict_only, 0);
    seal(&s, &m, false);
    assert_int_equal(keyfile_bound_mask(&s.img.info), BASE_ALL);
    make_machine(&m, BASE_ALL | strict_only, strict_only);
    assert_int_equal(unseal(&s, &m, &report, &all), 0);
    assert_true(all);
    make_machine(&m, strict_only, 0);
    memset(&s.img.info, 0, sizeof(s.img.info));
    assert_int_equal(keyfile_choose(&m, &s.img.info), 0); /* nothing to bind to */
    s.img.info.strict = true;
    assert_int_equal(keyfile_choose(&m, &s.img.info), 1);
    assert_true(s.img.info.weak);
}

static void the_root_decides_and_the_check_byte_tells(void **state)
{
    struct keyfile_report report;
    struct sealed s;
    struct machine m;
    unsigned passphrase = 0;
    unsigned machine = 0;
    bool all;

    (void)state;
    make_machine(&m, BASE_ALL, 0);
    seal(&s, &m, false);
    for (unsigned i = 0; i < 4096; i++) {
        int rc;

        s.root[i % CRYPTO_KEY_LEN] ^= (uint8_t)(1 + i / CRYPTO_KEY_LEN);
        rc = unseal(&s, &m, &report, &all);
        s.root[i % CRYPTO_KEY_LEN] ^= (uint8_t)(1 + i / CRYPTO_KEY_LEN);
        passphrase += rc == PRA_EPASSPHRASE;
        machine += rc == PRA_EMACHINE;
        if (rc == PRA_EMACHINE) {
            keyfile_describe_changes(&report, (char[8]){0}, 8);
        }
    }
    assert_int_equal(passphrase + machine, 4096);
    assert_in_range(machine, 1, 50); /* 16 expected */
    assert_int_equal(unseal(&s, &m, &report, &all), 0);
}

/* A value may not slide from one identifier into the next. */
static void values_of_a_subset_are_kept_apart(void **state)
{
    const unsigned set =
        1u << MACHINE_SMBIOS_UUID | 1u << MACHINE_BOARD_SERIAL | 1u << MACHINE_DISK_SERIAL;
    struct keyfile_report report;
    struct sealed s;
    struct machine m;
    bool all;

    (void)state;
    make_machine(&m, set, 0);
    snprintf(m.value[MACHINE_SMBIOS_UUID], MACHINE_VALUE_MAX, "AB");
    snprintf(m.value[MACHINE_BOARD_SERIAL], MACHINE_VALUE_MAX, "CD");
    seal(&s, &m, false);
    snprintf(m.value[MACHINE_SMBIOS_UUID], MACHINE_VALUE_MAX, "A");
    snprintf(m.value[MACHINE_BOARD_SERIAL], MACHINE_VALUE_MAX, "BCD");
    assert_int_equal(unseal(&s, &m, &report, &all), PRA_EMACHINE);
}

static void changes_are_described_in_both_languages_and_cut_whole(void **state)
{
    struct keyfile_report report;
    char text[256];
    char small[16];

    (void)state;
    memset(&report, 0, sizeof(report));
    keyfile_describe_changes(&report, text, sizeof(text));
    assert_true(strlen(text) > 0);
    report.changed[MACHINE_DISK_SERIAL] = report.changed[MACHINE_BIOS_VERSION] = true;
    keyfile_describe_changes(&report, text, sizeof(text));
    assert_string_equal(text, "disk serial, BIOS version");
    keyfile_describe_changes(&report, small, sizeof(small));
    assert_string_equal(small, "disk serial");
    i18n_set(LANG_JA);
    keyfile_describe_changes(&report, text, sizeof(text));
    assert_string_equal(text, "ディスクのシリアル番号、BIOS 情報");
    i18n_set(LANG_EN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set_of_identifiers_and_every_change),
        cmocka_unit_test(missing_and_hidden_count_as_changed_and_are_told_apart),
        cmocka_unit_test(a_key_that_does_not_open_names_what_differs),
        cmocka_unit_test(a_wholly_different_machine_may_be_a_wrong_passphrase),
        cmocka_unit_test(strict_needs_everything),
        cmocka_unit_test(strict_identifiers_take_part_in_strict_mode_only),
        cmocka_unit_test(the_root_decides_and_the_check_byte_tells),
        cmocka_unit_test(values_of_a_subset_are_kept_apart),
        cmocka_unit_test(changes_are_described_in_both_languages_and_cut_whole),
    };

    return cmocka_run_group_tests_name("binding", tests, NULL, NULL);
}
