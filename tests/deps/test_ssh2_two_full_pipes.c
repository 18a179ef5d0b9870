/*
 * What has arrived can be read while nothing can be sent: the server stops for a while, the client
 * fills its pipe, and still reads all that was sent to it, window adjusts being due or not. When the
 * server goes on, everything that was queued arrives.
 */
#include "tests/deps/peer.h"

#define WINDOW        (256 * 1024)
#define DOWN          (200 * 1024)
#define SOCKET_BUFFER 16384

enum { SENT, RESUME, RECEIVED };

/* Sends DOWN bytes, stops until the test says so, and counts what arrives from then on. */
static void stop_and_go(struct peer_server *server, ssh_session session)
{
    static char buf[32768];
    int n;
    if (server->channel == NULL)
        return;
    int sent = atomic_load(&server->counters[SENT]);
    if (sent < DOWN) {
        n = ssh_channel_write(server->channel, buf,
                              (uint32_t)(DOWN - sent < 32768 ? DOWN - sent : 32768));
        atomic_fetch_add(&server->counters[SENT], n > 0 ? n : 0);
        return;
    }
    if (ssh_session_output_pending(session) > 0)
        return;
    while (!atomic_load(&server->counters[RESUME]) && !atomic_load(&server->stop))
        peer_sleep_ms(1);
    while ((n = ssh_channel_read_nonblocking(server->channel, buf, sizeof buf, 0)) > 0)
        atomic_fetch_add(&server->counters[RECEIVED], n);
}

static void reading_goes_on_while_output_waits(void **state)
{
    struct peer_server server = {.on_message = peer_accept_open,
                                 .on_round = stop_and_go,
                                 .window = 4 * 1024 * 1024,
                                 .rcvbuf = SOCKET_BUFFER};
    struct peer_client client;
    static char buf[32768];
    unsigned char msg[64];
    int small = SOCKET_BUFFER, written = 0, read_bytes = 0;
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    setsockopt(client.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    size_t len = peer_put_string(msg, "target");
    len += peer_put_u32(msg + len, 80);
    len += peer_put_string(msg + len, "127.0.0.1");
    len += peer_put_u32(msg + len, 1);
    LIBSSH2_CHANNEL *channel = libssh2_channel_open_ex(client.session, "direct-tcpip", 12, WINDOW,
                                                       32768, (char *)msg, (unsigned)len);
    assert_non_null(channel);
    assert_true(peer_wait(&server.counters[SENT], DOWN));
    libssh2_session_set_blocking(client.session, 0);

    ssize_t n;
    while ((n = libssh2_channel_write(channel, buf, sizeof buf)) > 0)
        written += (int)n;
    assert_int_equal(n, LIBSSH2_ERROR_EAGAIN);
    assert_true(written < 4 * 1024 * 1024); /* the pipe is full, not the window */
    assert_true(libssh2_session_output_pending(client.session) > 0);
    assert_true(libssh2_session_output_pending(client.session) < 200 * 1024);
    assert_true(libssh2_session_block_directions(client.session) & LIBSSH2_SESSION_BLOCK_OUTBOUND);
    assert_int_equal(libssh2_session_flush(client.session), LIBSSH2_ERROR_EAGAIN);

    uint64_t end = peer_now_ms() + PEER_PATIENCE_MS;
    while (read_bytes < DOWN && peer_now_ms() < end) {
        n = libssh2_channel_read(channel, buf, sizeof buf);
        assert_true(n > 0 || n == LIBSSH2_ERROR_EAGAIN);
        if (n > 0)
            read_bytes += (int)n;
        else
            peer_sleep_ms(1);
    }
    assert_int_equal(read_bytes, DOWN);
    assert_int_equal(atomic_load(&server.counters[RECEIVED]), 0);

    atomic_store(&server.counters[RESUME], 1);
    while (libssh2_session_flush(client.session) == LIBSSH2_ERROR_EAGAIN && peer_now_ms() < end)
        peer_client_wait(&client, 10);
    assert_int_equal(libssh2_session_output_pending(client.session), 0);
    assert_int_equal(
        libssh2_session_block_directions(client.session) & LIBSSH2_SESSION_BLOCK_OUTBOUND, 0);
    assert_true(peer_wait(&server.counters[RECEIVED], written));
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_goes_on_while_output_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
