/* Where a user's files are: PRA_HOME, the XDG folders, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/paths.h"
#include "tests/unit/common/scratch.h"

static int fresh(void **state)
{
    static const char *const names[] = {"PRA_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
                                        "XDG_STATE_HOME", "XDG_RUNTIME_DIR"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    if (scratch_make(state) != 0)
        return -1;
    return setenv("HOME", scratch, 1);
}

static void assert_path(const char *path, const char *below_scratch)
{
    assert_string_equal(path, scratch_path(below_scratch));
}

static void assert_private_dir(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void pra_home_holds_everything(void **state)
{
    struct paths p;

    (void)state;
    setenv("PRA_HOME", scratch_path("home"), 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    assert_int_equal(paths_init(&p, NULL), 0);
    assert_path(p.config_file, "home/config.ini");
    assert_path(p.known_host, "home/known_host");
    assert_path(p.key_file, "home/id.prakey");
    assert_path(p.log_dir, "home/log");
    assert_path(p.runtime_dir, "home/run");
    assert_path(p.agent_socket, "home/run/agent.sock");
    assert_path(p.agent_lock, "home/run/agent.lock");
    assert_private_dir(scratch_path("home"));
    assert_private_dir(p.log_dir);
    assert_private_dir(p.runtime_dir);
    assert_int_equal(paths_init(&p, NULL), 0); /* again, with the folders there */
}

static void relative_pra_home_becomes_absolute(void **state)
{
    char before[OS_PATH_MAX];
    struct paths p;

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(scratch), 0);
    setenv("PRA_HOME", "rel", 1);
    assert_int_equal(paths_init(&p, NULL), 0);
    assert_path(p.config_file, "rel/config.ini");
    assert_int_equal(chdir(before), 0);
}

static void xdg_defaults_are_below_home(void **state)
{
    struct paths p;

    (void)state;
    assert_int_equal(paths_init(&p, NULL), 0);
    assert_path(p.config_file, ".config/pra/config.ini");
    assert_path(p.known_host, ".config/pra/known_host");
    assert_path(p.key_file, ".local/share/pra/id.prakey");
    assert_path(p.log_dir, ".local/state/pra/log");
    assert_path(p.runtime_dir, ".local/state/pra/run");
    assert_private_dir(p.runtime_dir);
}

static void xdg_variables_are_used(void **state)
{
    struct paths p;

    (void)state;
    setenv("XDG_CONFIG_HOME", scratch_path("c"), 1);
    setenv("XDG_DATA_HOME", scratch_path("d"), 1);
    setenv("XDG_STATE_HOME", scratch_path("s"), 1);
    assert_int_equal(mkdir(scratch_path("r"), 0700), 0);
    setenv("XDG_RUNTIME_DIR", scratch_path("r"), 1);
    assert_int_equal(paths_init(&p, NULL), 0);
    assert_path(p.config_file, "c/pra/config.ini");
    assert_path(p.key_file, "d/pra/id.prakey");
    assert_path(p.log_dir, "s/pra/log");
    assert_path(p.agent_socket, "r/pra/agent.sock");
}

static void unusable_xdg_variables_are_ignored(void **state)
{
    struct paths p;

    (void)state;
    setenv("XDG_CONFIG_HOME", "relative", 1);
    setenv("XDG_DATA_HOME", "", 1);
    setenv("XDG_RUNTIME_DIR", scratch_path("not-there"), 1);
    assert_int_equal(paths_init(&p, NULL), 0);
    assert_path(p.config_file, ".config/pra/config.ini");
    assert_path(p.key_file, ".local/share/pra/id.prakey");
    assert_path(p.runtime_dir, ".local/state/pra/run");
}

static void long_socket_paths_are_refused_with_a_remedy(void **state)
{
    struct fault f = {0};
    struct paths p;
    char home[200];

    (void)state;
    memset(home, 'x', sizeof(home));
    memcpy(home, scratch, strlen(scratch));
    home[strlen(scratch)] = '/';
    home[107 - strlen("/run/agent.sock")] = '\0';
    setenv("PRA_HOME", home, 1);
    assert_int_equal(paths_init(&p, &f), 0);
    home[107 - strlen("/run/agent.sock")] = 'x';
    home[108 - strlen("/run/agent.sock")] = '\0';
    setenv("PRA_HOME", home, 1);
    assert_int_equal(paths_init(&p, &f), PRA_ETOOBIG);
    assert_non_null(strstr(f.text, "choose a shorter PRA_HOME"));
}

static void endless_paths_are_refused(void **state)
{
    struct fault f = {0};
    struct paths p;
    char *home = malloc(OS_PATH_MAX + 2);

    (void)state;
    assert_non_null(home);
    memset(home, 'x', OS_PATH_MAX + 1);
    home[0] = '/';
    home[OS_PATH_MAX + 1] = '\0';
    setenv("PRA_HOME", home, 1);
    assert_int_equal(paths_init(&p, &f), PRA_ETOOBIG);
    home[OS_PATH_MAX - 3] = '\0';
    setenv("PRA_HOME", home, 1);
    assert_int_equal(paths_init(&p, &f), PRA_ETOOBIG);
    free(home);
}

static void folders_that_others_may_write_are_refused(void **state)
{
    struct fault f = {0};
    struct paths p;

    (void)state;
    setenv("PRA_HOME", scratch_path("home"), 1);
    assert_int_equal(paths_init(&p, NULL), 0);
    assert_int_equal(chmod(p.runtime_dir, 0777), 0);
    assert_int_equal(paths_init(&p, &f), PRA_EACCES);
    assert_non_null(strstr(f.text, "home/run"));
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, fresh, scratch_remove)
    const struct CMUnitTest tests[] = {
        FRESH(pra_home_holds_everything),
        FRESH(relative_pra_home_becomes_absolute),
        FRESH(xdg_defaults_are_below_home),
        FRESH(xdg_variables_are_used),
        FRESH(unusable_xdg_variables_are_ignored),
        FRESH(long_socket_paths_are_refused_with_a_remedy),
        FRESH(endless_paths_are_refused),
        FRESH(folders_that_others_may_write_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
