/* What an accepted connection and a vectored write promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "client/sock.h"

/* A connection of two ends: `near` was accepted by sock_accept(). */
static void make_pair(int *near, int *far)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_storage local, peer;
    socklen_t len = sizeof(at);
    int listener = sock_listen((struct sockaddr *)&at, len);
    struct pollfd ready = {.fd = listener, .events = POLLIN};

    assert_true(listener >= 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(sock_accept(listener, &local, &peer), UV_EAGAIN);
    *far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*far, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(poll(&ready, 1, 5000), 1);
    *near = sock_accept(listener, &local, &peer);
    assert_true(*near >= 0);
    assert_int_equal(((struct sockaddr_in *)&local)->sin_port, at.sin_port);
    close(listener);
}

static void accepted_connection_neither_blocks_nor_waits_nor_is_inherited(void **state)
{
    int near, far, nodelay = 0;
    socklen_t len = sizeof(nodelay);

    (void)state;
    make_pair(&near, &far);
    assert_true((fcntl(near, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(near, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(getsockopt(near, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
    assert_true(nodelay != 0);
    close(near);
    close(far);
}

static void pieces_are_written_in_order(void **state)
{
    static char words[SOCK_PIECES_MAX][2];
    uv_buf_t pieces[SOCK_PIECES_MAX];
    char got[SOCK_PIECES_MAX];
    int near, far;

    (void)state;
    make_pair(&near, &far);
    for (unsigned i = 0; i < SOCK_PIECES_MAX; i++) {
        words[i][0] = (char)(' ' + i);
        pieces[i] = uv_buf_init(words[i], 1);
    }
    assert_int_equal(sock_writev(near, pieces, SOCK_PIECES_MAX), SOCK_PIECES_MAX);
    assert_int_equal(recv(far, got, sizeof(got), MSG_WAITALL), sizeof(got));
    for (unsigned i = 0; i < SOCK_PIECES_MAX; i++)
        assert_int_equal(got[i], words[i][0]);
    close(far);
    /* the second one at the latest meets the reset, and raises no signal */
    (void)sock_writev(near, pieces, 1);
    for (int i = 0; i < 100 && sock_writev(near, pieces, 1) >= 0; i++)
        (void)poll(NULL, 0, 10);
    assert_true(sock_writev(near, pieces, 1) < 0);
    close(near);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_connection_neither_blocks_nor_waits_nor_is_inherited),
        cmocka_unit_test(pieces_are_written_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
