/*
 * The bytes of a key file: every flipped byte is noticed, by accident (checksum) or on purpose
 * (checksum mended), every number outside its limits is refused before it costs anything.
 */
#include "tests/unit/keys/support.h"

#include "common/crypto.h"
#include "keys/keyfile_image.h"

#define PASSPHRASE "Lagerhaus im Regen 7"

static uint8_t good[KEYFILE_ENCODED_MAX];
static size_t good_len;
static size_t header_len;

static int key_setup(void **state)
{
    const struct keyfile_options opt = {
        .type = CRYPTO_ED25519, .user = "suzuki", .passphrase = PASSPHRASE, .log2_n = TEST_LOG2_N};
    struct keyfile_info info;
    char *data;

    if (folder_setup(state) != 0) {
        return -1;
    }
    use_machine(office_pc);
    if (keyfile_create(in_folder("id.prakey"), &opt, &info, NULL) != 0) {
        return -1;
    }
    data = get_bytes("id.prakey", &good_len);
    memcpy(good, data, good_len);
    free(data);
    header_len = (size_t)good[10] << 8 | good[11];
    return 0;
}

static int parse(const uint8_t *data, size_t len, struct fault *f)
{
    struct keyfile_image img;

    memset(f, 0, sizeof(*f));
    return keyfile_parse(data, len, &img, f);
}

static void mend_checksum(uint8_t *data, size_t len)
{
    assert_int_equal(crypto_sha256(data, len - CRYPTO_SHA256_LEN, data + len - CRYPTO_SHA256_LEN),
                     0);
}

static int open_bytes(const uint8_t *data, size_t len)
{
    struct keyfile_report report;
    struct fault f = {0};
    struct key *key = NULL;
    int rc;

    put_bytes("id.prakey", data, len);
    rc = keyfile_open(in_folder("id.prakey"), PASSPHRASE, &key, NULL, &report, &f);
    assert_int_equal(rc == 0, key != NULL);
    assert_int_equal(rc == 0, f.text[0] == '\0');
    key_free(key);
    return rc;
}

static void what_was_written_is_read_and_written_again_the_same(void **state)
{
    struct keyfile_image img;
    uint8_t again[KEYFILE_ENCODED_MAX];
    size_t len;
    struct fault f = {0};

    (void)state;
    assert_int_equal(keyfile_parse(good, good_len, &img, &f), 0);
    assert_int_equal(keyfile_encode(&img, again, &len), 0);
    assert_int_equal(len, good_len);
    assert_memory_equal(again, good, len);
    assert_int_equal(img.wrap_count, 28);
    assert_int_equal(good_len, header_len + 28 * 60 + 32);
}

/* The offsets that keys/README.md promises. */
static void format_is_as_documented(void **state)
{
    static const uint8_t begin[] = {0x89, 'P', 'R', 'A', 'K', 'E', 'Y', '\n', 0, 1};
    size_t at = 46;

    (void)state;
    assert_memory_equal(good, begin, sizeof(begin));
    assert_int_equal(good[12], 0); /* tolerant */
    assert_int_equal(good[13], 6); /* k */
    assert_int_equal(good[14], 8); /* n */
    assert_int_equal(good[15], 1); /* Ed25519 */
    assert_int_equal(good[16], TEST_LOG2_N);
    assert_int_equal(good[17], 8);
    assert_int_equal(good[18], 1);
    assert_int_equal(good[19], 28);
    assert_int_equal(good[20], 0x00);
    assert_int_equal(good[21], 0xff);
    assert_int_equal(good[at], 6);
    assert_memory_equal(good + at + 1, "suzuki", 6);
    at += 7;
    assert_int_equal(good[at], 11);
    assert_memory_equal(good + at + 1, "Sales-PC-07", 11);
    at += 12;
    assert_int_equal(good[at], 32);
    assert_int_equal(header_len, at + 33 + 1 + 8);
}

static void every_flipped_bit_is_noticed(void **state)
{
    uint8_t bad[KEYFILE_ENCODED_MAX];
    struct fault f;

    (void)state;
    memcpy(bad, good, good_len);
    for (size_t i = 0; i < good_len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            int rc;

            bad[i] ^= (uint8_t)(1u << bit);
            rc = parse(bad, good_len, &f);
            assert_int_equal(rc, i == 8 || i == 9 ? PRA_EVERSION : PRA_ECORRUPT);
            assert_true(f.text[0] != '\0');
            bad[i] ^= (uint8_t)(1u << bit);
        }
    }
}

static void every_shorter_and_longer_file_is_refused(void **state)
{
    uint8_t longer[KEYFILE_ENCODED_MAX + 64];
    struct fault f;

    (void)state;
    memset(longer, 0, sizeof(longer));
    memcpy(longer, good, good_len);
    for (size_t len = 0; len < good_len; len++) {
        assert_int_equal(parse(good, len, &f), PRA_ECORRUPT);
    }
    for (size_t len = good_len + 1; len < sizeof(longer); len++) {
        mend_checksum(longer, len);
        assert_int_equal(parse(longer, len, &f), PRA_ECORRUPT);
    }
}

/* Somebody changed the header and mended the checksum: the additional data of the seal notices. */
static void a_forged_header_does_not_open(void **state)
{
    uint8_t bad[KEYFILE_ENCODED_MAX];

    (void)state;
    assert_int_equal(open_bytes(good, good_len), 0);
    for (size_t i = 0; i < header_len; i++) {
        int rc;

        memcpy(bad, good, good_len);
        bad[i] ^= (uint8_t)(1u << i % 8);
        mend_checksum(bad, good_len);
        rc = open_bytes(bad, good_len);
        if (rc == 0) {
            fail_msg("opens with byte %zu of the header flipped", i);
        }
    }
}

/* Wraps one by one: the others still open, or not; never does another secret come out. */
static void a_forged_wrap_never_gives_another_key(void **state)
{
    uint8_t bad[KEYFILE_ENCODED_MAX];

    (void)state;
    memcpy(bad, good, good_len);
    for (size_t wrap = 0; wrap < 28; wrap++) {
        struct keyfile_image img;
        struct keyfile_report report;
        struct machine m;
        uint8_t root[CRYPTO_KEY_LEN];
        uint8_t secret[CRYPTO_SECRET_LEN];
        uint8_t public_key[CRYPTO_PUBLIC_MAX];
        struct fault f = {0};
        size_t len;
        bool all = true;

        bad[header_len + wrap * 60 + 17] ^= 1;
        mend_checksum(bad, good_len);
        assert_int_equal(keyfile_parse(bad, good_len, &img, &f), 0);
        assert_int_equal(machine_read(img.info.salt, &m, &f), 0);
        assert_int_equal(keyfile_derive(&img, PASSPHRASE, root), 0);
        if (wrap == 27) { /* none is left */
            assert_int_equal(keyfile_unseal(&img, root, &m, secret, &report, &all), PRA_EMACHINE);
            break;
        }
        assert_int_equal(keyfile_unseal(&img, root, &m, secret, &report, &all), 0);
        assert_false(all);
        assert_int_equal(crypto_key_public(CRYPTO_ED25519, secret, public_key, &len), 0);
        assert_memory_equal(public_key, img.info.public_key, len);
    }
}

/* A file that claims another public key than its secret has. */
static void a_secret_of_another_public_key_is_damage(void **state)
{
    struct keyfile_image img;
    struct machine m;
    uint8_t root[CRYPTO_KEY_LEN];
    uint8_t secret[CRYPTO_SECRET_LEN];
    uint8_t data[KEYFILE_ENCODED_MAX];
    struct fault f = {0};
    size_t len;

    (void)state;
    assert_int_equal(keyfile_parse(good, good_len, &img, &f), 0);
    assert_int_equal(machine_read(img.info.salt, &m, &f), 0);
    assert_int_equal(keyfile_derive(&img, PASSPHRASE, root), 0);
    assert_int_equal(crypto_key_generate(CRYPTO_ED25519, secret), 0);
    assert_int_equal(keyfile_seal(&img, root, &m, secret), 0);
    assert_int_equal(keyfile_encode(&img, data, &len), 0);
    assert_int_equal(open_bytes(data, len), PRA_ECORRUPT);
}

static void numbers_outside_the_limits_are_refused_before_scrypt_runs(void **state)
{
    static const struct {
        size_t at;
        int value;
        const char *says;
    } bad[] = {
        {12, 2, "mode"},           {13, 5, "identifiers"},    {13, 0, "identifiers"},
        {14, 7, "identifiers"},    {14, 255, "identifiers"},  {15, 0, "type"},
        {15, 3, "type"},           {16, 9, "scrypt"},         {16, 20, "scrypt"},
        {16, 63, "scrypt"},        {17, 0, "scrypt"},         {17, 16, "scrypt"},
        {18, 0, "scrypt"},         {18, 255, "scrypt"},       {19, 27, "length"},
        {19, 255, "length"},       {20, 0x10, "identifiers"}, {20, 0x01, "identifiers"},
        {21, 0x7f, "identifiers"}, {10, 0xff, "length"},      {11, 0, "length"},
        {46, 0, "user"},           {46, 65, "user"},          {46, 255, "user"},
        {47, '\n', "user"},        {53, 0, "computer"},       {53, 200, "computer"},
        {65, 31, "public"},        {65, 65, "public"},
    };
    uint64_t begun = os_monotonic_ms();

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t data[KEYFILE_ENCODED_MAX];
        struct fault f;

        memcpy(data, good, good_len);
        data[bad[i].at] = (uint8_t)bad[i].value;
        mend_checksum(data, good_len);
        assert_int_equal(parse(data, good_len, &f), PRA_ECORRUPT);
        if (strstr(f.text, bad[i].says) == NULL) {
            fail_msg("byte %zu = %d: '%s' does not say '%s'", bad[i].at, bad[i].value, f.text,
                     bad[i].says);
        }
    }
    assert_true(os_monotonic_ms() - begun < 1000);
}

static void another_version_is_named(void **state)
{
    static const unsigned versions[] = {0, 2, 256, 65535};
    struct keyfile_info info;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uint8_t data[KEYFILE_ENCODED_MAX];
        char number[32];
        struct fault f = {0};

        memcpy(data, good, good_len);
        data[8] = (uint8_t)(versions[i] >> 8);
        data[9] = (uint8_t)versions[i];
        put_bytes("id.prakey", data, 40); /* a version may be shorter, too */
        assert_int_equal(keyfile_inspect(in_folder("id.prakey"), &info, &f), PRA_EVERSION);
        snprintf(number, sizeof(number), "version %u;", versions[i]);
        assert_non_null(strstr(f.text, number));
        assert_non_null(strstr(f.text, "id.prakey: "));
    }
}

static void what_is_no_key_file_is_said_to_be_none(void **state)
{
    static char large[KEYFILE_SIZE_MAX + 1];
    struct keyfile_info info;
    struct fault f = {0};

    (void)state;
    put_file("id.prakey", "");
    assert_int_equal(keyfile_inspect(in_folder("id.prakey"), &info, &f), PRA_ECORRUPT);
    put_file("id.prakey", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    assert_int_equal(keyfile_inspect(in_folder("id.prakey"), &info, &f), PRA_ECORRUPT);
    assert_non_null(strstr(f.text, "not a PRA key file"));
    put_bytes("id.prakey", large, sizeof(large));
    assert_int_equal(keyfile_inspect(in_folder("id.prakey"), &info, &f), PRA_ECORRUPT);
    /* As a transfer in text mode leaves it. */
    snprintf(large, sizeof(large), "\x89PRAKEY\r\n");
    put_bytes("id.prakey", large, 1000);
    assert_int_equal(keyfile_inspect(in_folder("id.prakey"), &info, &f), PRA_ECORRUPT);
}

#define WITH_KEY(f) cmocka_unit_test_setup_teardown(f, key_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_KEY(what_was_written_is_read_and_written_again_the_same),
        WITH_KEY(format_is_as_documented),
        WITH_KEY(every_flipped_bit_is_noticed),
        WITH_KEY(every_shorter_and_longer_file_is_refused),
        WITH_KEY(a_forged_header_does_not_open),
        WITH_KEY(a_forged_wrap_never_gives_another_key),
        WITH_KEY(a_secret_of_another_public_key_is_damage),
        WITH_KEY(numbers_outside_the_limits_are_refused_before_scrypt_runs),
        WITH_KEY(another_version_is_named),
        WITH_KEY(what_is_no_key_file_is_said_to_be_none),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
