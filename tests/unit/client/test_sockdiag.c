/* Who is at the other end of a connection: the kernel's answer, and what must not pass for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "client/pid_age.h"
#include "client/sockdiag.h"

static int listen_on_loopback(struct sockaddr_storage *at)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(listen(fd, 4), 0);
    memset(at, 0, sizeof(*at));
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

static void owner_of_a_living_connection_is_found(void **state)
{
    struct sockaddr_storage local, peer = {0};
    socklen_t len = sizeof(peer);
    int listener = listen_on_loopback(&local);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uid_t uid = (uid_t)-1;

    (void)state;
    assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&peer, &len), 0);
    assert_int_equal(sockdiag_peer_uid(&peer, &local, &uid, NULL), 0);
    assert_int_equal(uid, getuid());
    close(fd);
    close(listener);
}

static void closed_connection_belongs_to_nobody(void **state)
{
    const struct linger reset = {.l_onoff = 1};
    struct sockaddr_storage local, peer = {0};
    socklen_t len = sizeof(peer);
    int listener = listen_on_loopback(&local);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uid_t uid = (uid_t)-1;

    (void)state;
    assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&peer, &len), 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    assert_int_equal(sockdiag_peer_uid(&peer, &local, &uid, NULL), PRA_ENOENT);
    close(listener);
}

/* 6.17 and newer tell who has closed a connection, until the last of its data is acknowledged. */
static bool kernel_names_orphans(void)
{
    struct utsname u;
    char *end;

    assert_int_equal(uname(&u), 0);
    unsigned long major = strtoul(u.release, &end, 10);
    return major > 6 || (major == 6 && strtoul(end + 1, NULL, 10) >= 17);
}

static void connection_closed_behind_its_data_is_still_its_programs(void **state)
{
    struct sockaddr_storage local, peer = {0};
    socklen_t len = sizeof(peer);
    int listener = listen_on_loopback(&local), expected = PRA_ENOENT, rc = PRA_ENOENT;
    char buf[8];

    (void)state;
    /* Whoever is kept from asking for 40 ms is told nothing: several attempts. */
    for (int i = 0; i < 20 && rc != 0; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        uid_t uid = (uid_t)-1;

        assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof(struct sockaddr_in)), 0);
        len = sizeof(peer);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&peer, &len), 0);
        assert_int_equal(write(fd, "hello", 5), 5);
        close(fd);
        rc = sockdiag_peer_uid(&peer, &local, &uid, NULL);
        if (rc == 0)
            assert_int_equal(uid, getuid());
        fd = accept(listener, NULL, NULL);
        assert_int_equal(read(fd, buf, sizeof(buf)), 5);
        close(fd);
    }
    if (kernel_names_orphans())
        expected = 0;
    assert_int_equal(rc, expected);
    close(listener);
}

/* What is left of it then reads as root's, which it is not. */
static void connection_that_is_over_belongs_to_nobody(void **state)
{
    struct sockaddr_storage local, peer = {0};
    socklen_t len = sizeof(peer);
    int listener = listen_on_loopback(&local), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uid_t uid = (uid_t)-1;
    char byte;

    (void)state;
    assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&peer, &len), 0);
    close(fd);
    fd = accept(listener, NULL, NULL);
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd); /* our FIN acknowledges theirs */
    assert_int_equal(sockdiag_peer_uid(&peer, &local, &uid, NULL), PRA_ENOENT);
    close(listener);
}

/* The kernel falls back to a listener of the same address when there is no such connection. */
static void listener_at_the_peers_address_is_not_the_peer(void **state)
{
    struct sockaddr_storage local, other;
    int listener = listen_on_loopback(&local), second = listen_on_loopback(&other);
    uid_t uid = (uid_t)-1;

    (void)state;
    assert_int_equal(sockdiag_peer_uid(&other, &local, &uid, NULL), PRA_ENOENT);
    close(second);
    close(listener);
}

/* Windows notes process numbers with connections; ten minutes in its units of 100 ns. */
static void a_number_given_to_a_later_program_is_not_believed(void **state)
{
    const uint64_t minutes10 = 6000000000, at = 133000000000000000;

    (void)state;
    assert_true(pid_age_fits(at - minutes10, at));
    assert_true(pid_age_fits(at, at));
    assert_true(pid_age_fits(at + PID_AGE_SLACK, at)); /* a tick */
    assert_false(pid_age_fits(at + PID_AGE_SLACK + 1, at));
    assert_false(pid_age_fits(at + minutes10, at));
    assert_false(pid_age_fits(0, at)); /* whoever cannot be asked */
    assert_true(pid_age_fits(at, 0));  /* wine */
    assert_false(pid_age_fits(UINT64_MAX, UINT64_MAX - PID_AGE_SLACK - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owner_of_a_living_connection_is_found),
        cmocka_unit_test(closed_connection_belongs_to_nobody),
        cmocka_unit_test(connection_closed_behind_its_data_is_still_its_programs),
        cmocka_unit_test(connection_that_is_over_belongs_to_nobody),
        cmocka_unit_test(listener_at_the_peers_address_is_not_the_peer),
        cmocka_unit_test(a_number_given_to_a_later_program_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
