/* Where an unsealed key lies, as Linux tells it. */
#include "tests/unit/keys/keyfile_support.h"

#include "common/secmem.h"
#include "tests/unit/smaps.h"

static void opened_key_lies_in_pages_for_secrets_and_leaves_with_them(void **state)
{
    struct keyfile_info info;
    struct key *key = NULL;
    struct fault f = {0};
    char flags[SMAPS_FLAGS_MAX];
    const void *where;

    (void)state;
    create_usual(&info);
    assert_int_equal(keyfile_open(key_path(), PASSPHRASE, &key, &info, NULL, &f), 0);
    where = key->secret;
    smaps_flags(where, flags);
    if (SMAPS_LOCKS && secmem_lock_error() == 0)
        assert_non_null(strstr(flags, " lo"));
    assert_non_null(strstr(flags, " dd"));
    assert_non_null(strstr(flags, " wf"));
    key_free(key);
    smaps_flags(where, flags);
    assert_null(strstr(flags, " wf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(opened_key_lies_in_pages_for_secrets_and_leaves_with_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
