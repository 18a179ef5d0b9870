/* Who is at the other end of a connection: the kernel's answer, and what must not pass for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owner_of_a_living_connection_is_found),
        cmocka_unit_test(closed_connection_belongs_to_nobody),
        cmocka_unit_test(listener_at_the_peers_address_is_not_the_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
