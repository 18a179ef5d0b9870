/* The log bundle: what is in it, what is taken out, and that nothing is overwritten. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/collect.h"
#include "client/log_send.h"
#include "client/redact.h"
#include "common/chainlog.h"
#include "tests/unit/client/zipfile.h"

static char home[] = "/tmp/pra-collect-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int make_home(void **state)
{
    (void)state;
    if (mkdtemp(home) == NULL)
        return -1;
    return setenv("PRA_HOME", home, 1);
}

static int remove_home(void **state)
{
    (void)state;
    return nftw(home, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void assert_redacted(const char *in, const char *expected, size_t expected_lines)
{
    size_t len, lines;
    char *out = redact_text(in, strlen(in), &len, &lines);

    assert_non_null(out);
    assert_string_equal(out, expected);
    assert_int_equal(len, strlen(expected));
    assert_int_equal(lines, expected_lines);
    free(out);
}

static void secrets_are_taken_out(void **state)
{
    (void)state;
    assert_redacted("passphrase = hunter2 two\nnext\n", "passphrase =[removed]\nnext\n", 1);
    assert_redacted("x {\"Passphrase\": \"hunter2\"}\n", "x {\"Passphrase\":[removed]\n", 1);
    assert_redacted("TOKEN=abc", "TOKEN=[removed]", 1);
    assert_redacted("Proxy-Authorization: Basic aGk=\r\nok", "Proxy-Authorization:[removed]\nok",
                    1);
    assert_redacted("via http://u:p@proxy:3128/ and ftp://a@b\n",
                    "via http://[removed]@proxy:3128/ and ftp://[removed]@b\n", 1);
    assert_redacted("a\n-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE "
                    "KEY-----\nb\n",
                    "a\n[removed]\nb\n", 3);
    assert_redacted("-----BEGIN PRIVATE KEY-----\nc2VjcmV0", "[removed]\n", 2);
}

static void ordinary_lines_stay_as_they_are(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "2026-11-22T10:00:00Z info key-open-failed cause=wrong-passphrase #3 00ff",
        "open https://example.com/a@b?c=d and passphrase wrong\n",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI suzuki@pc\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n",
        "password:\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_redacted(lines[i], lines[i], 0);
}

static void default_name_holds_only_harmless_letters(void **state)
{
    char dst[OS_PATH_MAX];

    (void)state;
    collect_default_name("su/zuki", "pc 12", 1795341600, dst);
    assert_int_equal(strncmp(dst, "pra-log-su_zuki-pc_12-2026", 26), 0);
    assert_null(strchr(dst, '/'));
    assert_string_equal(dst + strlen(dst) - 4, ".zip");
}

static void assert_in_zip(const char *path, const char *name, const char *text)
{
    char *found = zipfile_text(path, name);

    assert_non_null(found);
    assert_non_null(strstr(found, text));
    free(found);
}

static void fill_home(const struct paths *paths)
{
    static const char settings[] = "[server]\naddress = 127.0.0.1:9\n; password = hunter2\n";
    struct chainlog *log;
    struct fault f = {0};

    assert_int_equal(os_file_replace(paths->config_file, settings, strlen(settings), 0600, &f), 0);
    assert_int_equal(os_file_replace(paths->key_file, "KEYBYTES", 8, 0600, &f), 0);
    assert_int_equal(
        chainlog_open(paths->log_dir, "System.log", CHAINLOG_SIZE_DEFAULT, 2, &log, &f), 0);
    chainlog_write(log, "info", "welcome session=%s", "0123456789abcdef0123456789abcdef");
    chainlog_close(log);
    assert_int_equal(chainlog_open(paths->log_dir, "User.log", CHAINLOG_SIZE_DEFAULT, 2, &log, &f),
                     0);
    chainlog_write(log, "info", "connect");
    chainlog_close(log);
}

static void bundle_holds_what_the_helpdesk_needs_and_no_secret(void **state)
{
    struct collect *c = calloc(1, sizeof(*c));
    char path[OS_PATH_MAX], *manifest;
    struct paths paths;
    struct fault f = {0};
    struct stat st;
    json_t *check;

    (void)state;
    assert_int_equal(paths_init(&paths, &f), 0);
    fill_home(&paths);
    check = json_pack("{s:s}", "tcp", "ok");
    assert_int_equal(collect_gather(&paths, check, COLLECT_TOTAL_MAX, c, &f), 0);
    json_decref(check);
    assert_string_equal(c->session, "0123456789abcdef0123456789abcdef");
    assert_int_equal(os_path_join(path, home, "bundle.zip"), 0);
    assert_int_equal(collect_write(c, path, &f), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_in_zip(path, "System.log", "welcome session=");
    assert_in_zip(path, "User.log", "connect");
    assert_in_zip(path, "chain.txt", "System.log: whole");
    assert_in_zip(path, "environment.txt", "PRA ");
    assert_in_zip(path, "status.json", "disconnected");
    assert_in_zip(path, "check.json", "\"tcp\"");
    assert_in_zip(path, "config.ini", "[removed]");
    manifest = zipfile_text(path, "manifest.txt");
    assert_non_null(strstr(manifest, "0123456789abcdef0123456789abcdef"));
    assert_non_null(strstr(manifest, "System.log"));
    free(manifest);
    for (size_t i = 0; i < c->count; i++) {
        assert_null(memmem(c->file[i].data, c->file[i].len, "hunter2", 7));
        assert_null(memmem(c->file[i].data, c->file[i].len, "KEYBYTES", 8));
    }
    collect_free(c);
    free(c);
}

static void broken_log_is_included_and_named(void **state)
{
    struct collect *c = calloc(1, sizeof(*c));
    char path[OS_PATH_MAX], *text, *at;
    struct paths paths;
    struct fault f = {0};
    size_t len;

    (void)state;
    assert_int_equal(paths_init(&paths, &f), 0);
    assert_int_equal(os_path_join(path, paths.log_dir, "User.log"), 0);
    assert_int_equal(os_file_read(path, 65536, &text, &len, &f), 0);
    at = strstr(text, "connect");
    assert_non_null(at);
    *at = 'C';
    assert_int_equal(os_file_replace(path, text, len, 0600, &f), 0);
    free(text);
    assert_int_equal(collect_gather(&paths, NULL, COLLECT_TOTAL_MAX, c, &f), 0);
    assert_true(c->chain_broken);
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->file[i].name, "chain.txt") == 0)
            assert_non_null(strstr(c->file[i].data, "User.log: damaged"));
    collect_free(c);
    free(c);
}

static void existing_and_unwritable_targets_are_refused(void **state)
{
    struct collect *c = calloc(1, sizeof(*c));
    char path[OS_PATH_MAX], *text;
    struct fault f = {0};
    size_t len;

    (void)state;
    assert_int_equal(collect_add(c, "a.txt", "a", 1), 0);
    assert_int_equal(os_path_join(path, home, "there.zip"), 0);
    assert_int_equal(os_file_replace(path, "mine", 4, 0600, &f), 0);
    assert_int_equal(collect_check_target(path, &f), PRA_EEXIST);
    assert_int_equal(collect_write(c, path, &f), PRA_EEXIST);
    assert_non_null(strstr(f.text, path));
    assert_int_equal(os_file_read(path, 64, &text, &len, &f), 0);
    assert_string_equal(text, "mine");
    free(text);
    assert_int_equal(collect_check_target("/nonexistent/x.zip", &f), PRA_EIO);
    assert_non_null(strstr(f.text, "/nonexistent"));
    assert_int_equal(collect_write(c, "/nonexistent/x.zip", &f), PRA_EIO);
    collect_free(c);
    free(c);
}

static void bundle_has_a_limit(void **state)
{
    struct collect *c = calloc(1, sizeof(*c));

    (void)state;
    for (int i = 0; i < COLLECT_FILES_MAX; i++)
        assert_int_equal(collect_add(c, "x", "x", 1), 0);
    assert_int_equal(collect_add(c, "x", "x", 1), PRA_EFULL);
    collect_free(c);
    free(c);
}

static void path_that_is_too_long_is_no_lack_of_memory(void **state)
{
    static struct paths paths;
    struct fault f = {0};
    char path[OS_PATH_MAX];

    (void)state;
    memset(paths.key_file, 'x', sizeof(paths.key_file) - 8);
    assert_int_equal(log_send_pack(&paths, NULL, path, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_taken_out),
        cmocka_unit_test(ordinary_lines_stay_as_they_are),
        cmocka_unit_test(default_name_holds_only_harmless_letters),
        cmocka_unit_test(bundle_holds_what_the_helpdesk_needs_and_no_secret),
        cmocka_unit_test(broken_log_is_included_and_named),
        cmocka_unit_test(existing_and_unwritable_targets_are_refused),
        cmocka_unit_test(bundle_has_a_limit),
        cmocka_unit_test(path_that_is_too_long_is_no_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, make_home, remove_home);
}
