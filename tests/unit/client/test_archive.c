/* ZIP files: what another program reads from them, their limits, and that nothing is overwritten. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <signal.h>

#include "client/archive.h"
#include "tests/unit/client/zipfile.h"

#define BIG  (3u * 1024 * 1024)
#define WHEN 1795341601 /* 2026-11-22T10:00:01Z */

static char folder[] = "/tmp/pra-archive-XXXXXX";
static char path[sizeof(folder) + 16];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/a.zip", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static size_t files_in_folder(void)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    if (dir == NULL)
        return SIZE_MAX;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static struct archive *begin(void)
{
    struct archive *a = NULL;
    struct fault f = {0};

    unlink(path);
    assert_int_equal(archive_new(path, &a, &f), 0);
    return a;
}

static void add(struct archive *a, const char *name, const void *data, size_t len, int64_t when)
{
    struct fault f = {0};

    assert_int_equal(archive_add(a, name, data, len, when, &f), 0);
}

static void finish(struct archive *a)
{
    struct fault f = {0};

    assert_int_equal(archive_finish(a, &f), 0);
    archive_free(a);
}

static void assert_answer(const char *line, const char *expected)
{
    char *text = zipfile_ask(path, line, "");

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void another_program_reads_every_byte(void **state)
{
    char *big = malloc(BIG), *noise = malloc(BIG);
    struct archive *a = begin();
    struct stat st;

    (void)state;
    memset(big, 'x', BIG);
    srandom(7);
    for (size_t i = 0; i < BIG; i++)
        noise[i] = (char)random();
    add(a, "empty.txt", "", 0, WHEN);
    add(a, "one", "1", 1, WHEN);
    add(a, "big.log", big, BIG, WHEN);
    add(a, "noise", noise, BIG, WHEN);
    add(a, "folder/\xe8\xa8\x98\xe9\x8c\xb2.txt", "two\n", 4, WHEN);
    finish(a);
    free(big);
    free(noise);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_answer("out.write('|'.join(z.namelist()).encode())",
                  "empty.txt|one|big.log|noise|folder/\xe8\xa8\x98\xe9\x8c\xb2.txt");
    assert_answer("out.write(b'%d' % (z.read('big.log') == b'x' * 3145728))", "1");
    /* What does not get smaller is stored, and no byte of the attempt is left. */
    assert_answer("i = z.infolist(); out.write(str([x.compress_type for x in i]).encode())",
                  "[0, 0, 8, 0, 0]");
    assert_answer("i = z.getinfo('noise'); out.write(b'%d' % (i.compress_size - i.file_size))",
                  "0");
    assert_true(st.st_size > BIG && st.st_size < BIG + 16384);
    assert_int_equal(files_in_folder(), 1);
}

static void dates_are_local_time_and_exact_in_utc(void **state)
{
    struct archive *a;

    (void)state;
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    tzset();
    a = begin();
    add(a, "now", "x", 1, WHEN);
    add(a, "before 1980", "x", 1, 1);
    add(a, "after 2107", "x", 1, 5000000000);
    finish(a);
    assert_answer("out.write(repr([i.date_time for i in z.infolist()]).encode())",
                  "[(2026, 11, 22, 19, 0, 0), (1980, 1, 1, 0, 0, 0), (1980, 1, 1, 0, 0, 0)]");
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void exact_time_stands_beside_the_local_one(void **state)
{
    struct archive *a = begin();

    (void)state;
    add(a, "now", "x", 1, WHEN);
    finish(a);
    assert_answer("import struct; e = z.getinfo('now').extra; "
                  "out.write(b'%d' % struct.unpack('<HHBi', e)[3])",
                  "1795341601");
}

static void empty_archive_is_one(void **state)
{
    (void)state;
    finish(begin());
    assert_answer("out.write(b'%d' % len(z.namelist()))", "0");
}

static void names_that_a_reader_must_refuse_are_refused(void **state)
{
    static const char *const names[] = {"",   "/a",   "../a", "a/../b", ".",    "a/..", "a//b",
                                        "a/", "a\\b", "c:a",  "a\nb",   "\xff", "a/./b"};
    char longest[ARCHIVE_NAME_MAX + 2];
    struct archive *a = begin();
    struct fault f = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(archive_add(a, names[i], "x", 1, WHEN, &f), PRA_EINVAL);
    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(archive_add(a, longest, "x", 1, WHEN, &f), PRA_EINVAL);
    add(a, longest + 1, "x", 1, WHEN);
    assert_int_equal(archive_add(a, longest + 1, "x", 1, WHEN, &f), PRA_EINVAL);
    add(a, "..a", "x", 1, WHEN);
    finish(a);
    assert_answer("out.write(b'%d' % len(z.namelist()))", "2");
}

static void number_of_files_has_a_limit(void **state)
{
    struct archive *a = begin();
    struct fault f = {0};
    char name[16];

    (void)state;
    for (int i = 0; i < ARCHIVE_FILES_MAX; i++) {
        snprintf(name, sizeof(name), "%d", i);
        add(a, name, name, strlen(name), WHEN);
    }
    assert_int_equal(archive_add(a, "more", "x", 1, WHEN, &f), PRA_EFULL);
    finish(a);
    assert_answer("out.write(b'%d' % len(z.namelist()))", "128");
}

static void larger_than_four_gib_is_refused_before_it_is_read(void **state)
{
    struct archive *a = begin();
    struct fault f = {0};

    (void)state;
    assert_int_equal(archive_add(a, "x", "x", (size_t)ARCHIVE_SIZE_MAX + 1, WHEN, &f), PRA_ETOOBIG);
    archive_free(a);
    assert_int_equal(files_in_folder(), 0);
}

static void existing_file_is_never_replaced(void **state)
{
    struct archive *a = begin();
    struct fault f = {0};
    char *text;
    size_t len;

    (void)state;
    add(a, "x", "x", 1, WHEN);
    /* It comes while the archive is being made. */
    assert_int_equal(os_file_replace(path, "mine", 4, 0600, &f), 0);
    assert_int_equal(archive_finish(a, &f), PRA_EEXIST);
    archive_free(a);
    assert_int_equal(archive_new(path, &a, &f), PRA_EEXIST);
    assert_int_equal(os_file_read(path, 64, &text, &len, &f), 0);
    assert_string_equal(text, "mine");
    free(text);
    assert_int_equal(files_in_folder(), 1);
}

static void full_disk_leaves_nothing_behind(void **state)
{
    struct rlimit old, small = {1000, 1000};
    struct archive *a = begin();
    struct fault f = {0};
    char noise[5000];

    (void)state;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)random();
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(archive_add(a, "x", noise, sizeof(noise), WHEN, &f), PRA_EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_non_null(strstr(f.text, path));
    archive_free(a);
    assert_int_equal(files_in_folder(), 0);
}

static void folder_that_is_not_there_is_named(void **state)
{
    struct archive *a = NULL;
    struct fault f = {0};

    (void)state;
    assert_int_equal(archive_new("/nonexistent/a.zip", &a, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "/nonexistent/a.zip"));
    archive_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_program_reads_every_byte),
        cmocka_unit_test(dates_are_local_time_and_exact_in_utc),
        cmocka_unit_test(exact_time_stands_beside_the_local_one),
        cmocka_unit_test(empty_archive_is_one),
        cmocka_unit_test(names_that_a_reader_must_refuse_are_refused),
        cmocka_unit_test(number_of_files_has_a_limit),
        cmocka_unit_test(larger_than_four_gib_is_refused_before_it_is_read),
        cmocka_unit_test(existing_file_is_never_replaced),
        cmocka_unit_test(full_disk_leaves_nothing_behind),
        cmocka_unit_test(folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
