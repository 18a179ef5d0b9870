/*
 * A session survives sockets that say EAGAIN after poll() said ready. This program's own send() and
 * recv() stand before the C library's for libssh and libssh2 alike.
 */
#undef _FORTIFY_SOURCE
#include "tests/deps/peer.h"

#define TOTAL (512 * 1024)

enum { RECEIVED };

static atomic_uint calls;

static bool would_block(void)
{
    if (atomic_fetch_add(&calls, 1) % 5 != 4)
        return false;
    errno = EAGAIN;
    return true;
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return would_block() ? -1 : sendto(fd, data, len, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    return would_block() ? -1 : recvfrom(fd, data, len, flags, NULL, NULL);
}

static void receive(struct peer_server *server, ssh_session session)
{
    static char buf[32768];
    int n;
    (void)session;
    while (server->channel != NULL &&
           (n = ssh_channel_read_nonblocking(server->channel, buf, sizeof buf, 0)) > 0)
        atomic_fetch_add(&server->counters[RECEIVED], n);
}

static void session_survives_a_socket_that_would_block(void **state)
{
    struct peer_server server = {.on_message = peer_accept_open, .on_round = receive};
    struct peer_client client;
    static char block[32768];
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    LIBSSH2_CHANNEL *channel = peer_open(&client, 80);
    assert_non_null(channel);
    for (size_t sent = 0; sent < TOTAL;) {
        ssize_t n = libssh2_channel_write(channel, block, sizeof block);
        assert_true(n > 0);
        sent += (size_t)n;
    }
    assert_true(peer_wait(&server.counters[RECEIVED], TOTAL));
    assert_int_equal(atomic_load(&server.ended), 0);
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_survives_a_socket_that_would_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
