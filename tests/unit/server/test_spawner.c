/* The spawner's end of its socket, where whoever asks may have been taken over: prad's end is ours here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/sandbox/spawner.c"

#include <dirent.h>

static int ours;
static struct spawner spawner;

static int open_socket(void **state)
{
    int pair[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    ours = pair[0];
    memset(&spawner, 0, sizeof(spawner));
    spawner.fd = pair[1];
    return 0;
}

static int close_socket(void **state)
{
    (void)state;
    close(ours);
    close(spawner.fd);
    return 0;
}

static unsigned descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* One datagram with so many descriptors. */
static void ask(uint8_t which, size_t count)
{
    union {
        char space[CMSG_SPACE(16 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {.iov_base = &which, .iov_len = sizeof(which)};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    int fd[16];

    for (size_t i = 0; i < count; i++)
        fd[i] = ours;
    if (count > 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(count * sizeof(int));
        CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fd, count * sizeof(int));
    }
    assert_int_equal(sendmsg(ours, &m, MSG_NOSIGNAL), 1);
}

static void no_descriptor_is_kept_of_requests_that_are_none(void **state)
{
    unsigned before = descriptors();

    (void)state;
    for (size_t count = 0; count <= 16; count++) {
        ask(SPAWNER_MAILER, count); /* which is nowhere, as far as this spawner knows */
        assert_true(take_request(&spawner));
        assert_int_equal(descriptors(), before);
    }
    ask(SPAWNER_PROGRAMS, FDS);
    assert_true(take_request(&spawner));
    ask(UINT8_MAX, FDS);
    assert_true(take_request(&spawner));
    assert_int_equal(descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_descriptor_is_kept_of_requests_that_are_none,
                                        open_socket, close_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
