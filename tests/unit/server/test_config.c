/* prad.ini: defaults, every setting, and errors that name file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/config.h"
#include "tests/unit/common/scratch.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct config c;

static int load(const char *text, struct fault *f)
{
    scratch_write("prad.ini", text, strlen(text));
    memset(f, 0, sizeof(*f));
    return config_load(scratch_path("prad.ini"), &c, f);
}

static void expect_in_scratch(const char *path, const char *name)
{
    assert_string_equal(path, scratch_path(name));
}

static void empty_file_gives_the_defaults(void **state)
{
    struct fault f;

    (void)state;
    assert_int_equal(load("", &f), 0);
    assert_int_equal(c.listen_count, 1);
    assert_int_equal(c.listen[0].port, 10022);
    assert_int_equal(c.workers, 0);
    assert_string_equal(c.store_url, "sqlite:/var/lib/pra/pra.db");
    assert_string_equal(c.host_key, "/var/lib/pra/host_key");
    assert_string_equal(c.admin_socket, "/var/lib/pra/admin.sock");
    assert_string_equal(c.portal_listen, "0.0.0.0:10443");
    assert_int_equal(c.login_grace, 30);
    assert_int_equal(c.keepalive_delay, 30);
    assert_int_equal(c.keepalive_timeout, 120);
    assert_int_equal(c.log_level, LOG_INFO);
    assert_false(c.refuse_weak_keys);
    assert_int_equal(c.clone, POLICY_CLONE_REFUSE);
}

/* RFC 5424, 6.3.2 and 7.2.2; 32473 is for documents (RFC 5612). */
static void an_enterprise_number_is_ones_own(void **state)
{
    static const char *const bad[] = {
        "32473",      "32473.1", "0",   "12345.", ".1", "1..2", "012",
        "4294967296", "12345.a", "pra", "-1",     "+1", "1 2",  "12345.12345.12345.12345.12345"};
    struct fault f;

    (void)state;
    assert_int_equal(load("[audit]\nenterprise = 12345\n", &f), 0);
    assert_string_equal(c.audit_enterprise, "12345");
    assert_int_equal(load("[audit]\nenterprise = 4294967295.1.32473\n", &f), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        char text[128];

        snprintf(text, sizeof(text), "[audit]\nenterprise = %s\n", bad[i]);
        assert_int_equal(load(text, &f), PRA_EINVAL);
        assert_non_null(strstr(f.text, "prad.ini:2: "));
        assert_non_null(strstr(f.text, "enterprise"));
    }
}

static void every_setting_is_read(void **state)
{
    struct fault f;

    (void)state;
    assert_int_equal(
        load("[gateway]\nlisten = 127.0.0.1:1, [::1]:2 ,10.0.0.1\nhost_key = keys/h\n"
             "workers = 3\nuser = pra\n[store]\nurl = sqlite:data/pra.db\n[admin]\n"
             "socket = run/a.sock\ngroup = staff\n[limits]\nlogin_grace = 10s\n"
             "max_startups = 7\nsession_buffer = 1M\n[log]\nlevel = debug\n"
             "file = prad.log\n[keepalive]\ndelay = 5\ntimeout = 1m\n"
             "[portal]\nlisten = 127.0.0.1:10443\n[keys]\nweak = refuse\nclone = quarantine\n",
             &f),
        0);
    assert_int_equal(c.listen_count, 3);
    assert_int_equal(c.listen[1].ip.family, 6);
    assert_int_equal(c.listen[2].port, 10022);
    expect_in_scratch(c.host_key, "keys/h");
    expect_in_scratch(c.store_dir, "data");
    expect_in_scratch(c.store_url + strlen("sqlite:"), "data/pra.db");
    expect_in_scratch(c.admin_socket, "run/a.sock");
    expect_in_scratch(c.log_file, "prad.log");
    assert_string_equal(c.user, "pra");
    assert_string_equal(c.admin_group, "staff");
    assert_int_equal(c.login_grace, 10);
    assert_int_equal(c.max_startups, 7);
    assert_int_equal(c.session_buffer, 1 << 20);
    assert_int_equal(c.keepalive_timeout, 60);
    assert_int_equal(c.log_level, LOG_DEBUG);
    assert_true(c.refuse_weak_keys);
    assert_int_equal(c.clone, POLICY_CLONE_QUARANTINE);
}

static void host_key_and_socket_lie_beside_the_database(void **state)
{
    struct fault f;

    (void)state;
    assert_int_equal(load("[store]\nurl = sqlite:pra.db\n", &f), 0);
    expect_in_scratch(c.host_key, "host_key");
    expect_in_scratch(c.admin_socket, "admin.sock");
}

static void bad_settings_name_file_and_line(void **state)
{
    static const char *const bad[] = {
        "[gateway]\nlisten = mail:10022\n",
        "[gateway]\nlisten = \n",
        "[gateway]\nlisten = 1.2.3.4:1,\n",
        "[gateway]\nlisten = 1.2.3.4:1, 1.2.3.4:1\n",
        "[gateway]\nworkers = 0\n",
        "[gateway]\nworkers = 65\n",
        "[store]\nurl = mysql:x\n",
        "[store]\nurl = sqlite:\n",
        "[limits]\nlogin_grace = 0\n",
        "[limits]\nmax_startups = many\n",
        "[log]\nlevel = loud\n",
        "[portal]\nlisten = x\n",
        "[gateway]\nspeed = fast\n",
        ";\n[nonsense]\nlisten = x\n",
        "[keepalive]\ndelay = 30x\n",
        "[limits]\nsession_buffer = 1\n",
        "[keys]\nweak = maybe\n",
        "[keys]\nclone = maybe\n",
    };
    char where[200];

    (void)state;
    snprintf(where, sizeof(where), "%s:2", scratch_path("prad.ini"));
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fault f;

        if (load(bad[i], &f) == 0)
            fail_msg("accepted: %s", bad[i]);
        if (strstr(f.text, where) == NULL)
            fail_msg("no %s in: %s", where, f.text);
    }
}

static void timeout_must_be_longer_than_delay(void **state)
{
    struct fault f;

    (void)state;
    assert_int_equal(load("[keepalive]\ndelay = 60\ntimeout = 60\n", &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "timeout"));
}

static void missing_file_is_told(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(config_load(scratch_path("none.ini"), &c, &f), PRA_ENOENT);
    assert_non_null(strstr(f.text, "none.ini"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_file_gives_the_defaults, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(every_setting_is_read, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(an_enterprise_number_is_ones_own, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(host_key_and_socket_lie_beside_the_database, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(bad_settings_name_file_and_line, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(timeout_must_be_longer_than_delay, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(missing_file_is_told, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
