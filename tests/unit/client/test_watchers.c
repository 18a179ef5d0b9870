/* What libuv watches with: it ends a program that has no memory for more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "client/agent_internal.h"

static void the_array_of_watchers_never_has_to_grow(void **state)
{
    struct rlimit files;
    uv_loop_t loop;

    (void)state;
    agent_tune_process();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    agent_reserve_watchers(&loop);
    assert_true(loop.nwatchers >= files.rlim_cur || loop.nwatchers >= 8190);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_array_of_watchers_never_has_to_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
