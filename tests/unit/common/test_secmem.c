/* Memory for secrets: what the kernel says about its pages, and what is left of them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/secmem.h"
#include "tests/unit/smaps.h"

/* Runs a function in a child; its exit status, or -signal. */
static int in_child(int (*run)(void *), void *arg)
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka's would go on with the parent's tests */
        signal(SIGBUS, SIG_DFL);
        _exit(run(arg));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void pages_are_locked_and_kept_out_of_dumps_and_children(void **state)
{
    char *p = secmem_new(32), flags[SMAPS_FLAGS_MAX];

    (void)state;
    assert_non_null(p);
    smaps_flags(p, flags);
    if (SMAPS_LOCKS && secmem_lock_error() == 0)
        assert_non_null(strstr(flags, " lo"));
    assert_non_null(strstr(flags, " dd"));
    assert_non_null(strstr(flags, " wf"));
    secmem_free(p);
    smaps_flags(p, flags);
    assert_null(strstr(flags, " wf"));
}

static void memory_is_zero_and_aligned(void **state)
{
    (void)state;
    for (size_t len = 1; len < 20000; len += 997) {
        unsigned char *p = secmem_new(len);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, len);
        secmem_free(p);
    }
    secmem_free(NULL);
    assert_null(secmem_new(SIZE_MAX - 5));
}

static int sum(void *p)
{
    int total = 0;

    for (int i = 0; i < 32; i++)
        total += ((unsigned char *)p)[i];
    return total > 255 ? 255 : total;
}

static void child_sees_zeros(void **state)
{
    char *p = secmem_new(32);

    (void)state;
    memset(p, 1, 32);
    assert_int_equal(sum(p), 32);
    assert_int_equal(in_child(sum, p), 0);
    assert_int_equal(sum(p), 32);
    secmem_free(p);
}

static int touch(void *p)
{
    *(volatile char *)p = 1;
    return 0;
}

static void overrun_ends_the_process(void **state)
{
    long page = sysconf(_SC_PAGESIZE);
    char *p = secmem_new((size_t)page - 64), flags[SMAPS_FLAGS_MAX];

    (void)state;
    smaps_flags(p - 64 - 1, flags);
    assert_null(strstr(flags, "wr"));
    smaps_flags(p + page - 64, flags);
    assert_null(strstr(flags, "wr"));
    assert_int_not_equal(in_child(touch, p + page - 64), 0);
    secmem_free(p);
}

static int lock_without_permission(void *arg)
{
    const struct rlimit none = {0, 0};
    char *p;

    (void)arg;
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0)
        return 1;
    /* root may lock whatever the limit says */
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return 2;
    if (secmem_lock_error() != 0)
        return 3;
    p = secmem_new(32);
    if (p == NULL)
        return 4;
    memset(p, 1, 32);
    secmem_free(p);
    return secmem_lock_error() == EPERM || secmem_lock_error() == ENOMEM ? 0 : 5;
}

static void refused_lock_is_told_and_the_memory_given_all_the_same(void **state)
{
    (void)state;
    if (SMAPS_LOCKS && secmem_lock_error() == 0) /* else it was shown already */
        assert_int_equal(in_child(lock_without_permission, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_locked_and_kept_out_of_dumps_and_children),
        cmocka_unit_test(memory_is_zero_and_aligned),
        cmocka_unit_test(child_sees_zeros),
        cmocka_unit_test(overrun_ends_the_process),
        cmocka_unit_test(refused_lock_is_told_and_the_memory_given_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
