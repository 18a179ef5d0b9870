/* Chained logs: whatever is done to a file behind our back shows, and power cuts are survived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "common/chainlog.h"
#include "tests/unit/common/scratch.h"

#define NAME "System.log"
#define BIG  (1u << 20)

static struct chainlog *open_log(size_t max_size, unsigned keep)
{
    struct chainlog *log = NULL;
    struct fault f = {0};

    if (chainlog_open(scratch, NAME, max_size, keep, &log, &f) != 0)
        fail_msg("%s", f.text);
    return log;
}

/* A closed log with `n` lines of text (and the first one that every file has). */
static struct chainlog_head make_log(int n)
{
    struct chainlog *log = open_log(BIG, 3);
    struct chainlog_head head;

    for (int i = 0; i < n; i++)
        assert_int_equal(chainlog_write(log, "info", "event number=%d", i), 0);
    chainlog_get_head(log, &head);
    chainlog_close(log);
    return head;
}

static void assert_verifies(uint64_t lines)
{
    struct chainlog_head head;
    struct fault f = {0};

    if (chainlog_verify(scratch, NAME, &head, &f) != 0)
        fail_msg("%s", f.text);
    assert_int_equal(head.lines, lines);
}

/* Verification fails and its sentence holds `place`. */
static void assert_broken(const char *place)
{
    struct chainlog_head head;
    struct fault f = {0};

    assert_int_equal(chainlog_verify(scratch, NAME, &head, &f), PRA_ECORRUPT);
    if (!strstr(f.text, place))
        fail_msg("'%s' does not say '%s'", f.text, place);
}

/* Beginning of line `number` (from 1). */
static char *line_at(char *text, int number)
{
    while (--number > 0)
        text = strchr(text, '\n') + 1;
    return text;
}

static void lines_are_chained_and_carried_on(void **state)
{
    struct chainlog_head head = make_log(3);
    struct chainlog *log;
    char *text;
    size_t len;

    (void)state;
    assert_int_equal(head.lines, 4);
    assert_verifies(4);
    log = open_log(BIG, 3);
    assert_int_equal(chainlog_write(log, "warn", "after the restart"), 0);
    chainlog_close(log);
    assert_verifies(5);
    text = scratch_read(NAME, &len);
    assert_non_null(strstr(text, "Z info log-start lines=0 chain=00000000000000000000"));
    assert_non_null(strstr(text, "Z info event number=2 #4 "));
    assert_non_null(strstr(text, "Z warn after the restart #5 "));
    free(text);
}

static void file_is_private(void **state)
{
    struct stat st;

    (void)state;
    make_log(1);
    assert_int_equal(stat(scratch_path(NAME), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void changed_line_is_named(void **state)
{
    char *text;
    size_t len;

    (void)state;
    make_log(9);
    text = scratch_read(NAME, &len);
    *strstr(line_at(text, 5), "event") = 'E';
    scratch_write(NAME, text, len);
    free(text);
    assert_broken(NAME ":5: does not follow line #4");
}

static void every_changed_byte_shows(void **state)
{
    char *text;
    size_t len;

    (void)state;
    make_log(3);
    text = scratch_read(NAME, &len);
    for (size_t i = 0; i < len; i++) {
        struct chainlog_head head;

        if (i + 1 == len)
            continue; /* the last newline alone: the line is whole and proven */
        text[i] ^= 1;
        scratch_write(NAME, text, len);
        if (chainlog_verify(scratch, NAME, &head, NULL) != PRA_ECORRUPT)
            fail_msg("byte %zu was changed unseen", i);
        text[i] ^= 1;
    }
    free(text);
}

static void removed_line_is_named(void **state)
{
    char *text;
    size_t len;
    char *from;
    char *to;

    (void)state;
    make_log(9);
    text = scratch_read(NAME, &len);
    from = line_at(text, 6);
    to = line_at(text, 7);
    memmove(from, to, len - (size_t)(to - text));
    scratch_write(NAME, text, len - (size_t)(to - from));
    free(text);
    assert_broken(NAME ":6: does not follow line #5");
}

static void removed_first_line_is_named(void **state)
{
    char *text;
    size_t len;

    (void)state;
    make_log(3);
    text = scratch_read(NAME, &len);
    scratch_write(NAME, line_at(text, 2), len - (size_t)(line_at(text, 2) - text));
    free(text);
    assert_broken(NAME ":1: does not say which chain");
}

static void moved_and_doubled_lines_are_named(void **state)
{
    char *text;
    char *changed;
    size_t len;
    size_t a, b, c;

    (void)state;
    make_log(9);
    text = scratch_read(NAME, &len);
    changed = calloc(1, 2 * len);
    assert_non_null(changed);
    a = (size_t)(line_at(text, 3) - text);
    b = (size_t)(line_at(text, 4) - text);
    c = (size_t)(line_at(text, 5) - text);
    memcpy(changed, text, len);
    memcpy(changed + a, text + b, c - b); /* 3 and 4 swapped */
    memcpy(changed + a + (c - b), text + a, b - a);
    scratch_write(NAME, changed, len);
    assert_broken(NAME ":3: does not follow line #2");
    memcpy(changed, text, c);
    memcpy(changed + c, text + b, len - b); /* 4 twice */
    scratch_write(NAME, changed, len + (c - b));
    assert_broken(NAME ":5: does not follow line #4");
    free(changed);
    free(text);
}

static void cut_end_shows_against_the_told_head(void **state)
{
    struct chainlog_head told = make_log(9);
    struct chainlog_head other = told;
    struct fault f = {0};
    struct chainlog *log;
    char *text;
    size_t len;

    (void)state;
    assert_int_equal(chainlog_check_head(scratch, NAME, &told, NULL), 0);
    text = scratch_read(NAME, &len);
    scratch_write(NAME, text, (size_t)(line_at(text, 8) - text));
    assert_verifies(7); /* the rest is a good chain of its own */
    assert_int_equal(chainlog_check_head(scratch, NAME, &told, &f), PRA_ECORRUPT);
    assert_non_null(strstr(f.text, "ends with line #7, but the gateway was told of 10 lines"));

    /* The log goes on after the cut: line 10 is there again, but it is another one. */
    log = open_log(BIG, 3);
    for (int i = 0; i < 5; i++)
        assert_int_equal(chainlog_write(log, "info", "new event"), 0);
    chainlog_close(log);
    assert_verifies(12);
    assert_int_equal(chainlog_check_head(scratch, NAME, &told, &f), PRA_ECORRUPT);
    assert_non_null(strstr(f.text, "line #10 is not the one that the gateway was told of"));

    scratch_write(NAME, text, len);
    other.hash[31] ^= 1; /* a digit that no line shows */
    assert_int_equal(chainlog_check_head(scratch, NAME, &other, &f), PRA_ECORRUPT);
    memset(&other, 0, sizeof(other)); /* told before anything was written */
    assert_int_equal(chainlog_check_head(scratch, NAME, &other, &f), 0);
    free(text);
}

static void rotation_carries_on_the_chain(void **state)
{
    struct chainlog *log = open_log(2000, 3);
    struct chainlog_head head;
    struct chainlog_head early = {0};
    struct stat st;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(chainlog_write(log, "info", "event number=%d", i), 0);
        if (i == 3)
            chainlog_get_head(log, &early);
    }
    chainlog_get_head(log, &head);
    chainlog_close(log);
    assert_int_equal(scratch_count(), 4);
    for (int i = 1; i <= 3; i++) {
        char name[32];

        snprintf(name, sizeof(name), NAME ".%d", i);
        assert_int_equal(stat(scratch_path(name), &st), 0);
        assert_true(st.st_size <= 2000);
    }
    assert_verifies(head.lines);
    assert_int_equal(chainlog_check_head(scratch, NAME, &head, NULL), 0);
    assert_int_equal(chainlog_check_head(scratch, NAME, &early, NULL), PRA_ENOENT);
}

static void move(const char *from, const char *to)
{
    char source[160];

    snprintf(source, sizeof(source), "%s", scratch_path(from));
    assert_int_equal(rename(source, scratch_path(to)), 0);
}

static void rotated_files_that_are_missing_or_swapped_show(void **state)
{
    struct chainlog *log = open_log(2000, 5);

    (void)state;
    for (int i = 0; i < 200; i++)
        assert_int_equal(chainlog_write(log, "info", "event number=%d", i), 0);
    chainlog_close(log);
    move(NAME ".2", "hidden");
    assert_broken(NAME ".1:1: carries on behind line #");
    move(NAME ".1", NAME ".2");
    move("hidden", NAME ".1");
    assert_broken(NAME ".2:1: carries on behind line #");
    move(NAME ".1", "hidden");
    move(NAME ".2", NAME ".1");
    move("hidden", NAME ".2");
    assert_int_equal(unlink(scratch_path(NAME ".5")), 0); /* the oldest may go */
    assert_int_equal(chainlog_verify(scratch, NAME, &(struct chainlog_head){0}, NULL), 0);
}

static void emptied_log_carries_on_from_the_rotated_file(void **state)
{
    struct chainlog *log = open_log(2000, 3);
    struct chainlog_head head;

    (void)state;
    for (int i = 0; i < 30; i++)
        assert_int_equal(chainlog_write(log, "info", "event number=%d", i), 0);
    chainlog_close(log);
    /* Killed between renaming the old file and making the new one. */
    assert_int_equal(unlink(scratch_path(NAME)), 0);
    log = open_log(2000, 3);
    chainlog_get_head(log, &head);
    assert_true(head.lines > 10);
    chainlog_close(log);
    assert_verifies(head.lines);
    /* Killed while the first line of the new file was written. */
    scratch_write(NAME, "2026-11-22T10:00:00.000Z info log-st", 36);
    log = open_log(2000, 3);
    chainlog_close(log);
    assert_verifies(head.lines);
}

static void half_line_is_kept_and_mended_within_the_chain(void **state)
{
    char *text;
    size_t len;

    (void)state;
    /* Cut at every byte of the last line. */
    for (size_t cut = 1;; cut++) {
        struct chainlog *log;
        size_t last;

        (void)unlink(scratch_path(NAME));
        make_log(4);
        text = scratch_read(NAME, &len);
        last = len - (size_t)(line_at(text, 5) - text);
        if (cut >= last) {
            free(text);
            break;
        }
        scratch_write(NAME, text, len - cut);
        log = open_log(BIG, 3);
        assert_int_equal(chainlog_write(log, "info", "after the power cut"), 0);
        chainlog_close(log);
        free(text);
        text = scratch_read(NAME, &len);
        if (cut == 1) { /* only the newline was missing */
            assert_null(strstr(text, "log-mended"));
            assert_verifies(6);
        } else {
            assert_non_null(strstr(text, "warn log-mended bytes="));
            assert_non_null(strstr(text, "after the power cut"));
            assert_verifies(6); /* the half line has no number; the mending line has */
        }
        free(text);
    }
}

static void half_line_of_zeros_is_mended(void **state)
{
    struct chainlog *log;
    char *text;
    size_t len;

    (void)state;
    make_log(4);
    text = scratch_read(NAME, &len);
    memset(text + len, 0, 5000); /* as some file systems leave it; scratch_read() gives the room */
    scratch_write(NAME, text, len + 5000);
    log = open_log(BIG, 3);
    chainlog_close(log);
    assert_verifies(6);
    free(text);
}

static void mended_end_cannot_be_changed_unseen(void **state)
{
    struct chainlog *log;
    char *text;
    char *half;
    size_t len;

    (void)state;
    make_log(4);
    text = scratch_read(NAME, &len);
    scratch_write(NAME, text, len - 20);
    free(text);
    log = open_log(BIG, 3);
    chainlog_close(log);
    assert_verifies(5);
    text = scratch_read(NAME, &len);
    half = line_at(text, 5);
    half[3] ^= 1;
    scratch_write(NAME, text, len);
    free(text);
    assert_broken(NAME ":5: does not follow line #4");
}

static void damaged_file_is_put_aside_and_stays_reported(void **state)
{
    struct chainlog *log;
    char *text;
    size_t len;

    (void)state;
    make_log(9);
    text = scratch_read(NAME, &len);
    *strstr(line_at(text, 5), "event") = 'E';
    scratch_write(NAME, text, len);
    free(text);
    log = open_log(BIG, 3);
    assert_int_equal(chainlog_write(log, "info", "goes on"), 0);
    chainlog_close(log);
    assert_broken(NAME ".1:5: does not follow line #4");
    text = scratch_read(NAME, &len);
    assert_non_null(strstr(text, "error log-damaged "));
    assert_non_null(strstr(text, "goes on"));
    free(text);
}

static void foreign_file_is_put_aside(void **state)
{
    struct chainlog *log;
    char *text;
    size_t len;

    (void)state;
    scratch_write(NAME, "hello\nworld\n", 12);
    log = open_log(BIG, 3);
    chainlog_close(log);
    text = scratch_read(NAME ".1", &len);
    assert_string_equal(text, "hello\nworld\n");
    free(text);
    assert_broken(NAME ".1:1: does not say which chain");
}

static void text_cannot_forge_lines(void **state)
{
    struct chainlog *log = open_log(BIG, 3);
    char *text;
    char big[9000];
    size_t len;
    int lines = 0;

    (void)state;
    assert_int_equal(chainlog_write(log, "info", "%s", "a\nb\r\x1b[2J\xff #9 0123"), 0);
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(chainlog_write(log, "info", "%s", big), 0);
    memset(big, '\n', sizeof(big) - 1);
    assert_int_equal(chainlog_write(log, "info", "%s", big), 0);
    assert_int_equal(chainlog_write(log, "info", "%s", ""), 0);
    chainlog_close(log);
    assert_verifies(5);
    text = scratch_read(NAME, &len);
    assert_non_null(strstr(text, "a\\x0ab\\x0d\\x1b[2J\\xff #9 0123 #2 "));
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        assert_true(strchr(line, '\n') - line < CHAINLOG_LINE_MAX);
        lines++;
    }
    assert_int_equal(lines, 5);
    free(text);
}

static void second_writer_is_refused(void **state)
{
    struct chainlog *log = open_log(BIG, 3);
    struct chainlog *second;
    struct fault f = {0};

    (void)state;
    assert_int_equal(chainlog_open(scratch, NAME, BIG, 3, &second, &f), PRA_EBUSY);
    assert_non_null(strstr(f.text, "another process writes this log"));
    chainlog_close(log);
    log = open_log(BIG, 3);
    chainlog_close(log);
    chainlog_close(NULL);
}

static void odd_places_are_refused(void **state)
{
    struct chainlog *log;
    struct chainlog_head head;
    struct fault f = {0};

    (void)state;
    assert_int_equal(chainlog_open("/nonexistent", NAME, BIG, 3, &log, &f), PRA_EIO);
    assert_int_equal(chainlog_verify(scratch, NAME, &head, &f), PRA_ENOENT);
    assert_int_equal(mkdir(scratch_path(NAME), 0700), 0);
    assert_int_equal(chainlog_open(scratch, NAME, BIG, 3, &log, &f), PRA_EIO);
    assert_int_equal(rmdir(scratch_path(NAME)), 0);
    assert_int_equal(symlink("/dev/null", scratch_path(NAME)), 0);
    assert_int_equal(chainlog_open(scratch, NAME, BIG, 3, &log, &f), PRA_EIO);
}

/* A full disk: the line is lost, the chain is not. */
static void failed_write_leaves_no_half_line(void **state)
{
    struct chainlog *log = open_log(BIG, 3);
    struct chainlog_head before;
    struct chainlog_head after;
    struct rlimit limit;
    struct rlimit small;
    struct stat st;

    (void)state;
    assert_int_equal(chainlog_write(log, "info", "one"), 0);
    assert_int_equal(stat(scratch_path(NAME), &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = (rlim_t)st.st_size + 10;
    signal(SIGXFSZ, SIG_IGN);
    chainlog_get_head(log, &before);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(chainlog_write(log, "info", "two"), PRA_EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    chainlog_get_head(log, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(chainlog_write(log, "info", "three"), 0);
    chainlog_close(log);
    assert_verifies(3);
}

int main(void)
{
#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(lines_are_chained_and_carried_on),
        WITH_SCRATCH(file_is_private),
        WITH_SCRATCH(changed_line_is_named),
        WITH_SCRATCH(every_changed_byte_shows),
        WITH_SCRATCH(removed_line_is_named),
        WITH_SCRATCH(removed_first_line_is_named),
        WITH_SCRATCH(moved_and_doubled_lines_are_named),
        WITH_SCRATCH(cut_end_shows_against_the_told_head),
        WITH_SCRATCH(rotation_carries_on_the_chain),
        WITH_SCRATCH(rotated_files_that_are_missing_or_swapped_show),
        WITH_SCRATCH(emptied_log_carries_on_from_the_rotated_file),
        WITH_SCRATCH(half_line_is_kept_and_mended_within_the_chain),
        WITH_SCRATCH(half_line_of_zeros_is_mended),
        WITH_SCRATCH(mended_end_cannot_be_changed_unseen),
        WITH_SCRATCH(damaged_file_is_put_aside_and_stays_reported),
        WITH_SCRATCH(foreign_file_is_put_aside),
        WITH_SCRATCH(text_cannot_forge_lines),
        WITH_SCRATCH(second_writer_is_refused),
        WITH_SCRATCH(odd_places_are_refused),
        WITH_SCRATCH(failed_write_leaves_no_half_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
