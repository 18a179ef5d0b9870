/* A key file in the test's folder, made and opened at little cost. */
#ifndef PRA_TESTS_KEYS_KEYFILE_SUPPORT_H
#define PRA_TESTS_KEYS_KEYFILE_SUPPORT_H

#include "tests/unit/keys/support.h"

#include "common/crypto.h"
#include "keys/key.h"
#include "keys/keyfile.h"

#define PASSPHRASE "Lagerhaus im Regen 7"

static const struct keyfile_options usual = {
    .type = CRYPTO_ED25519, .user = "suzuki", .passphrase = PASSPHRASE, .log2_n = TEST_LOG2_N};

static inline const char *key_path(void)
{
    return in_folder("id.prakey");
}

static inline int create(const struct keyfile_options *opt, struct keyfile_info *info,
                         struct fault *f)
{
    memset(f, 0, sizeof(*f));
    return keyfile_create(key_path(), opt, info, f);
}

static inline void create_usual(struct keyfile_info *info)
{
    struct fault f;

    use_machine(office_pc);
    assert_int_equal(create(&usual, info, &f), 0);
}

static inline int open_key(const char *passphrase, struct keyfile_report *report, struct fault *f)
{
    struct keyfile_info info;
    struct key *key = NULL;
    int rc;

    memset(f, 0, sizeof(*f));
    memset(report, 0, sizeof(*report));
    rc = keyfile_open(key_path(), passphrase, &key, &info, report, f);
    assert_int_equal(key != NULL, rc == 0);
    if (key != NULL) {
        uint8_t public_key[CRYPTO_PUBLIC_MAX];
        size_t len;

        assert_int_equal(crypto_key_public(key->type, key->secret, public_key, &len), 0);
        assert_int_equal(len, info.public_len);
        assert_memory_equal(public_key, info.public_key, len);
    }
    key_free(key);
    return rc;
}

static inline void expect_opens(void)
{
    struct keyfile_report report;
    struct fault f;

    assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

#endif
