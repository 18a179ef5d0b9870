/*
 * The key file on disk: replaced with a backup, left alone when writing fails, and written by several
 * processes at once.
 */
#include "tests/unit/keys/keyfile_support.h"
#include "tests/unit/keys/program.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "keys/keyfile_image.h"

static unsigned count_files(const char *suffix)
{
    unsigned n = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);

        n += strncmp(entry->d_name, "id.prakey", 9) == 0 && len >= strlen(suffix) &&
             strcmp(entry->d_name + len - strlen(suffix), suffix) == 0;
    }
    closedir(dir);
    return n;
}

static void existing_key_is_kept_or_backed_up(void **state)
{
    struct keyfile_options opt = usual;
    struct keyfile_info first;
    struct keyfile_info info;
    struct fault f;

    (void)state;
    create_usual(&first);
    assert_int_equal(create(&opt, &info, &f), PRA_EEXIST);
    assert_int_equal(keyfile_inspect(key_path(), &info, &f), 0);
    assert_memory_equal(info.public_key, first.public_key, 32);
    opt.force = true;
    for (unsigned i = 1; i <= 3; i++) { /* in the same second as well */
        assert_int_equal(create(&opt, &info, &f), 0);
        assert_int_equal(count_files(".bak"), i);
    }
    assert_memory_not_equal(info.public_key, first.public_key, 32);
    expect_opens();
    assert_int_equal(count_files(""), 4);
}

static void what_is_no_file_is_neither_read_nor_replaced(void **state)
{
    struct keyfile_options opt = usual;
    struct keyfile_info info;
    struct fault f = {0};

    (void)state;
    opt.force = true;
    use_machine(office_pc);
    assert_int_equal(keyfile_inspect(key_path(), &info, &f), PRA_ENOENT);
    assert_int_equal(mkdir(key_path(), 0700), 0);
    assert_int_equal(keyfile_inspect(key_path(), &info, &f), PRA_EIO);
    assert_int_equal(create(&opt, &info, &f), PRA_EIO);
    assert_int_equal(rmdir(key_path()), 0);
    put_file("elsewhere", "precious");
    assert_int_equal(symlink(in_folder("elsewhere"), key_path()), 0);
    assert_int_equal(keyfile_inspect(key_path(), &info, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "symbolic link"));
    assert_int_equal(create(&usual, &info, &f), PRA_EEXIST);
    assert_int_equal(create(&opt, &info, &f), PRA_EIO);
    assert_int_equal(unlink(key_path()), 0);
    assert_int_equal(mkfifo(key_path(), 0600), 0);
    assert_int_equal(keyfile_inspect(key_path(), &info, &f), PRA_EIO);
    assert_int_equal(unlink(key_path()), 0);
    assert_int_equal(symlink("nowhere", key_path()), 0);
    assert_int_equal(create(&usual, &info, &f), PRA_EEXIST);
}

/* A full disk: the old key stays, nothing is left over. */
static void failing_writes_leave_the_old_key(void **state)
{
    struct keyfile_options opt = usual;
    struct keyfile_report report;
    struct keyfile_info before;
    struct keyfile_info info;
    struct rlimit limit;
    struct rlimit none;
    struct fault f;

    (void)state;
    create_usual(&before);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    none = limit;
    none.rlim_cur = 100;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    opt.force = true;
    assert_int_equal(create(&opt, &info, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "id.prakey"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(count_files(""), 1);
    expect_opens();

    use_office_pc_but(MACHINE_MAC, other_pc[MACHINE_MAC]);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(open_key(PASSPHRASE, &report, &f), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(report.reseal_failed && !report.resealed);
    assert_true(f.text[0] != '\0');
    assert_int_equal(count_files(""), 1);
    expect_opens();
}

static void of_many_makers_one_wins_and_every_reader_finds_a_whole_key(void **state)
{
    struct keyfile_info info;
    struct fault f;
    unsigned won = 0;

    (void)state;
    use_machine(office_pc);
    for (int i = 0; i < 8; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            int rc = keyfile_create(key_path(), &usual, &info, &f);

            _exit(rc == 0 ? 0 : rc == PRA_EEXIST ? 1 : 2);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        won += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(won, 1);
    expect_opens();
}

/* One process opens after a change while others replace the key: no old key comes back. */
static void sealing_again_never_undoes_a_replacement(void **state)
{
    struct keyfile_options opt = usual;
    struct keyfile_info info;
    struct keyfile_info now;
    struct keyfile_report report;
    struct fault f;
    int status;
    pid_t pid;

    (void)state;
    opt.force = true;
    create_usual(&info);
    assert_int_equal(rename(in_folder("machine.json"), in_folder("mine.json")), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (unsigned i = 0;; i++) {
            use_office_pc_but(MACHINE_MAC, i % 2 != 0 ? "54:e1:ad:77:88:99" : "54:e1:ad:77:88:aa");
            if (open_key(PASSPHRASE, &report, &f) != 0) {
                _exit(1);
            }
        }
    }
    setenv("PRA_TEST_MACHINE", in_folder("mine.json"), 1);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(create(&opt, &info, &f), 0);
        usleep(10000); /* what the child had begun before is done by now */
        assert_int_equal(keyfile_inspect(key_path(), &now, &f), 0);
        assert_memory_equal(now.public_key, info.public_key, info.public_len);
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(existing_key_is_kept_or_backed_up),
        IN_FOLDER(what_is_no_file_is_neither_read_nor_replaced),
        IN_FOLDER(failing_writes_leave_the_old_key),
        IN_FOLDER(of_many_makers_one_wins_and_every_reader_finds_a_whole_key),
        IN_FOLDER(sealing_again_never_undoes_a_replacement),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
