/* Files, folders, secrets and peers, above all when something fails half-way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "common/os.h"
#include "tests/unit/common/scratch.h"

static mode_t mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(lstat(scratch_path(name), &st), 0);
    return st.st_mode & 07777;
}

static void assert_content(const char *name, const char *expected)
{
    size_t len;
    char *text = scratch_read(name, &len);

    assert_string_equal(text, expected);
    free(text);
}

static void replace_writes_whole_files_with_exact_mode(void **state)
{
    mode_t before = umask(077);

    (void)state;
    assert_int_equal(os_file_replace(scratch_path("f"), "one", 3, 0644, NULL), 0);
    assert_int_equal(mode_of("f"), 0644);
    assert_content("f", "one");
    assert_int_equal(os_file_replace(scratch_path("f"), "second", 6, 0600, NULL), 0);
    assert_int_equal(mode_of("f"), 0600);
    assert_content("f", "second");
    assert_int_equal(os_file_replace(scratch_path("f"), NULL, 0, 0600, NULL), 0);
    assert_content("f", "");
    assert_int_equal(scratch_count(), 1);
    umask(before);
}

static void replace_of_a_link_leaves_its_target(void **state)
{
    char target[160];

    (void)state;
    scratch_write("target", "precious", 8);
    snprintf(target, sizeof(target), "%s", scratch_path("target"));
    assert_int_equal(symlink(target, scratch_path("link")), 0);
    assert_int_equal(os_file_replace(scratch_path("link"), "new", 3, 0600, NULL), 0);
    assert_content("target", "precious");
    assert_content("link", "new");
}

static void replace_that_cannot_begin_says_why(void **state)
{
    struct fault f = {0};
    char path[OS_PATH_MAX + 10];

    (void)state;
    assert_int_equal(os_file_replace("/nonexistent/f", "x", 1, 0600, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "/nonexistent/f: could not be written: No such file"));
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(os_file_replace(path, "x", 1, 0600, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "too long"));
}

/* The target is a folder: everything works up to the rename. */
static void replace_that_fails_at_the_rename_leaves_nothing(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(mkdir(scratch_path("d"), 0700), 0);
    assert_int_equal(os_file_replace(scratch_path("d"), "x", 1, 0600, &f), PRA_EIO);
    assert_int_equal(scratch_count(), 1);
}

/* A file size limit makes write(2) fail in the middle, as a full disk does. */
static void replace_that_fails_while_writing_keeps_the_old_file(void **state)
{
    struct rlimit before;
    struct rlimit small;
    struct fault f = {0};
    char *big = calloc(1, 100000);

    (void)state;
    assert_non_null(big);
    scratch_write("f", "old", 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(os_file_replace(scratch_path("f"), big, 100000, 0600, &f), PRA_EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_non_null(strstr(f.text, "File too large"));
    assert_content("f", "old");
    assert_int_equal(scratch_count(), 1);
    free(big);
}

static void read_gives_all_bytes_and_a_nul(void **state)
{
    char *data;
    size_t len;

    (void)state;
    scratch_write("f", "a\0b\n", 4);
    assert_int_equal(os_file_read(scratch_path("f"), 4, &data, &len, NULL), 0);
    assert_int_equal(len, 4);
    assert_memory_equal(data, "a\0b\n\0", 5);
    free(data);
    scratch_write("f", "", 0);
    assert_int_equal(os_file_read(scratch_path("f"), 0, &data, &len, NULL), 0);
    assert_int_equal(len, 0);
    assert_int_equal(data[0], 0);
    free(data);
}

static void read_limit_is_exact(void **state)
{
    struct fault f = {0};
    char *data;
    size_t len;

    (void)state;
    scratch_write("f", "12345", 5);
    assert_int_equal(os_file_read(scratch_path("f"), 5, &data, &len, &f), 0);
    free(data);
    assert_int_equal(os_file_read(scratch_path("f"), 4, &data, &len, &f), PRA_ETOOBIG);
    assert_non_null(strstr(f.text, "is larger than 4 bytes"));
}

static void read_works_where_the_size_is_not_known(void **state)
{
    char *data;
    size_t len;

    (void)state;
    assert_int_equal(os_file_read("/proc/self/maps", 1u << 20, &data, &len, NULL), 0);
    assert_true(len > 500);
    assert_int_equal(strlen(data), len);
    free(data);
    assert_int_equal(os_file_read("/proc/self/maps", 100, &data, &len, NULL), PRA_ETOOBIG);
}

static void read_refuses_what_is_no_file(void **state)
{
    struct fault f = {0};
    char *data;
    size_t len;

    (void)state;
    assert_int_equal(os_file_read(scratch_path("none"), 9, &data, &len, &f), PRA_ENOENT);
    assert_int_equal(os_file_read(scratch, 9, &data, &len, &f), PRA_EIO);
    assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
    assert_int_equal(os_file_read(scratch_path("fifo"), 9, &data, &len, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "fifo: is no regular file"));
    assert_int_equal(os_file_read("/dev/zero", 9, &data, &len, &f), PRA_EIO);
}

static void folders_are_made_with_parents(void **state)
{
    mode_t before = umask(077);
    struct fault f = {0};

    (void)state;
    assert_int_equal(os_dir_ensure(scratch_path("a/b//c/"), 0755, &f), 0);
    assert_int_equal(mode_of("a/b/c"), 0755);
    assert_int_equal(os_dir_ensure(scratch_path("a/b/c"), 0700, &f), 0);
    umask(before);
}

static void folders_of_others_are_refused(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(os_dir_ensure(scratch_path("open"), 0700, &f), 0);
    assert_int_equal(chmod(scratch_path("open"), 0770), 0);
    assert_int_equal(os_dir_ensure(scratch_path("open"), 0700, &f), PRA_EACCES);
    assert_non_null(strstr(f.text, "others may write in the folder (mode 0770)"));
    assert_int_equal(os_dir_ensure(scratch_path("open"), 0770, &f), 0);
    scratch_write("file", "", 0);
    assert_int_equal(os_dir_ensure(scratch_path("file"), 0700, &f), PRA_EIO);
    assert_int_equal(os_dir_ensure(scratch_path("file/sub"), 0700, &f), PRA_EIO);
    assert_int_equal(os_dir_ensure("", 0700, &f), PRA_EIO);
    if (geteuid() != 0)
        assert_int_equal(os_dir_ensure("/root/x", 0700, &f), PRA_EACCES);
    else if (chown(scratch_path("open"), 12345, 0) == 0)
        assert_int_equal(os_dir_ensure(scratch_path("open"), 0770, &f), PRA_EACCES);
}

static void paths_join_within_the_limit(void **state)
{
    char dst[OS_PATH_MAX];
    char longest[OS_PATH_MAX];

    (void)state;
    assert_int_equal(os_path_join(dst, "/a", "b"), 0);
    assert_string_equal(dst, "/a/b");
    assert_int_equal(os_path_join(dst, "/", "b"), 0);
    assert_string_equal(dst, "/b");
    assert_int_equal(os_path_join(dst, "", "b"), 0);
    assert_string_equal(dst, "b");
    memset(longest, 'x', sizeof(longest));
    longest[OS_PATH_MAX - 3] = '\0';
    assert_int_equal(os_path_join(dst, longest, "b"), 0);
    assert_int_equal(os_path_join(dst, longest, "bc"), PRA_ETOOBIG);
}

static int secret_of(const char *content, size_t len, char *dst, size_t cap, struct fault *f)
{
    scratch_write("secret", content, len);
    return os_read_secret_file(scratch_path("secret"), dst, cap, f);
}

static void secret_file_is_its_first_line(void **state)
{
    struct fault f = {0};
    char s[8];

    (void)state;
    assert_int_equal(secret_of("pass\nmore\n", 10, s, sizeof(s), &f), 0);
    assert_string_equal(s, "pass");
    assert_int_equal(secret_of("pass\r\n", 6, s, sizeof(s), &f), 0);
    assert_string_equal(s, "pass");
    assert_int_equal(secret_of(" p w ", 5, s, sizeof(s), &f), 0);
    assert_string_equal(s, " p w ");
    assert_int_equal(secret_of("1234567\n", 8, s, sizeof(s), &f), 0);
    assert_string_equal(s, "1234567");
}

static void secret_file_errors_are_told_apart(void **state)
{
    struct fault f = {0};
    char s[8] = "before";

    (void)state;
    assert_int_equal(secret_of("12345678\n", 9, s, sizeof(s), &f), PRA_ETOOBIG);
    assert_non_null(strstr(f.text, "longer than 7 bytes"));
    assert_null(strstr(f.text, "1234"));
    assert_int_equal(s[0], 0); /* what was read is wiped */
    assert_int_equal(secret_of("", 0, s, sizeof(s), &f), PRA_ECLOSED);
    assert_int_equal(secret_of("\n", 1, s, sizeof(s), &f), PRA_EINVAL);
    assert_int_equal(secret_of("\r\n", 2, s, sizeof(s), &f), PRA_EINVAL);
    assert_int_equal(secret_of("a\0b\n", 4, s, sizeof(s), &f), PRA_EINVAL);
    assert_int_equal(os_read_secret_file(scratch_path("none"), s, sizeof(s), &f), PRA_ENOENT);
    assert_int_equal(os_read_secret_file(scratch, s, sizeof(s), &f), PRA_EUNSUPPORTED);
}

static void secret_from_standard_input_takes_one_line(void **state)
{
    int saved = dup(STDIN_FILENO);
    int fds[2];
    char s[8];
    char rest[8];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "pw\nnext", 7), 7);
    close(fds[1]);
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    close(fds[0]);
    assert_int_equal(os_read_secret_file("-", s, sizeof(s), NULL), 0);
    assert_string_equal(s, "pw");
    assert_int_equal(read(STDIN_FILENO, rest, sizeof(rest)), 4);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

/* In a child with a terminal of its own; `typed` arrives after the prompt. Returns its exit code. */
static int ask_on_terminal(const char *typed, char *shown, size_t cap, int *echo_after)
{
    int master;
    int status;
    size_t at = 0;
    struct termios after;
    pid_t child = forkpty(&master, NULL, NULL, NULL);

    assert_true(child >= 0);
    if (child == 0) {
        char s[8];
        int rc = os_read_secret("Secret: ", s, sizeof(s), NULL);

        _exit(rc == 0 ? (strcmp(s, "pass") == 0 ? 0 : 99) : -rc);
    }
    while (at + 1 < cap) { /* until the prompt is complete */
        ssize_t n = read(master, shown + at, cap - 1 - at);

        if (n <= 0)
            break;
        at += (size_t)n;
        shown[at] = '\0';
        if (strstr(shown, "Secret: "))
            break;
    }
    assert_true(write(master, typed, strlen(typed)) > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)fcntl(master, F_SETFL, O_NONBLOCK);
    while (at + 1 < cap) {
        ssize_t n = read(master, shown + at, cap - 1 - at);

        if (n <= 0)
            break;
        at += (size_t)n;
    }
    shown[at] = '\0';
    *echo_after = tcgetattr(master, &after) == 0 && (after.c_lflag & ECHO) != 0 &&
                  (after.c_lflag & ISIG) != 0;
    close(master);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void secret_is_asked_without_echo(void **state)
{
    char shown[256];
    int echo;

    (void)state;
    assert_int_equal(ask_on_terminal("pasx\x7fs\n", shown, sizeof(shown), &echo), 0);
    assert_null(strstr(shown, "pas"));
    assert_non_null(strstr(shown, "Secret: "));
    assert_true(echo);
}

static void secret_can_be_interrupted_and_echo_comes_back(void **state)
{
    char shown[256];
    int echo;

    (void)state;
    assert_int_equal(ask_on_terminal("pa\x03", shown, sizeof(shown), &echo), -PRA_ECLOSED);
    assert_true(echo);
    assert_int_equal(ask_on_terminal("\x04", shown, sizeof(shown), &echo), -PRA_ECLOSED);
    assert_true(echo);
    assert_int_equal(ask_on_terminal("pass\x1c", shown, sizeof(shown), &echo), -PRA_ECLOSED);
    assert_int_equal(ask_on_terminal("12345678\n", shown, sizeof(shown), &echo), -PRA_ETOOBIG);
    assert_true(echo);
}

static void secret_without_terminal_is_unsupported(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        char s[8];

        setsid(); /* a session without controlling terminal */
        _exit(-os_read_secret("Secret: ", s, sizeof(s), NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), -PRA_EUNSUPPORTED);
}

static void hardening_forbids_cores_and_tracing(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct rlimit core;

        os_process_harden();
        _exit(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 &&
                      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && umask(0) == 077
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void peer_of_a_socket_is_known(void **state)
{
    int fds[2];
    uid_t uid = 12345;
    pid_t pid = 0;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(os_peer_credentials(fds[0], &uid, &pid), 0);
    assert_int_equal(uid, getuid());
    assert_int_equal(pid, getpid());
    assert_int_equal(os_fd_prepare(fds[0]), 0);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(os_peer_credentials(fds[0], &uid, &pid), PRA_EIO);
    assert_int_equal(os_fd_prepare(fds[0]), PRA_EIO);
    fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(os_peer_credentials(fds[0], &uid, &pid), PRA_EIO);
    close(fds[0]);
    fds[0] = open("/dev/null", O_RDONLY);
    assert_int_equal(os_peer_credentials(fds[0], &uid, &pid), PRA_EIO);
    close(fds[0]);
}

static void clocks_and_description(void **state)
{
    uint64_t m = os_monotonic_ms();
    char text[128];

    (void)state;
    assert_true(os_time_now() > 1700000000);
    assert_true(os_time_now_ms() / 1000 - os_time_now() <= 1);
    assert_true(os_monotonic_ms() - m < 1000);
    os_describe(text, sizeof(text));
    assert_true(strlen(text) > 3);
    assert_null(strpbrk(text, "\"\n"));
}

int main(void)
{
#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(replace_writes_whole_files_with_exact_mode),
        WITH_SCRATCH(replace_of_a_link_leaves_its_target),
        WITH_SCRATCH(replace_that_cannot_begin_says_why),
        WITH_SCRATCH(replace_that_fails_at_the_rename_leaves_nothing),
        WITH_SCRATCH(replace_that_fails_while_writing_keeps_the_old_file),
        WITH_SCRATCH(read_gives_all_bytes_and_a_nul),
        WITH_SCRATCH(read_limit_is_exact),
        WITH_SCRATCH(read_works_where_the_size_is_not_known),
        WITH_SCRATCH(read_refuses_what_is_no_file),
        WITH_SCRATCH(folders_are_made_with_parents),
        WITH_SCRATCH(folders_of_others_are_refused),
        cmocka_unit_test(paths_join_within_the_limit),
        WITH_SCRATCH(secret_file_is_its_first_line),
        WITH_SCRATCH(secret_file_errors_are_told_apart),
        cmocka_unit_test(secret_from_standard_input_takes_one_line),
        cmocka_unit_test(secret_is_asked_without_echo),
        cmocka_unit_test(secret_can_be_interrupted_and_echo_comes_back),
        cmocka_unit_test(secret_without_terminal_is_unsupported),
        cmocka_unit_test(hardening_forbids_cores_and_tracing),
        cmocka_unit_test(peer_of_a_socket_is_known),
        cmocka_unit_test(clocks_and_description),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
