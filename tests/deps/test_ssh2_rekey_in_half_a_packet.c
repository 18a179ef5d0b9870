/*
 * Key exchanges that begin while a packet is half sent (libssh2 issue 2110): the client's socket
 * takes 1,000 bytes at a time, the server wants new keys every 256 KiB, and everything arrives.
 */
#include "tests/deps/peer.h"

#define TOTAL        (16 * 1024 * 1024)
#define SOCKET_TAKES 1000
#define PATIENCE_MS  30000

enum { RECEIVED, BAD };

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static void receive(struct peer_server *server, ssh_session session)
{
    static unsigned char buf[32768];
    int n;
    (void)session;
    while (server->channel != NULL &&
           (n = ssh_channel_read_nonblocking(server->channel, buf, sizeof buf, 0)) > 0) {
        size_t at = (size_t)atomic_load(&server->counters[RECEIVED]);
        for (int i = 0; i < n; i++) {
            if (buf[i] != pattern(at + (size_t)i))
                atomic_fetch_add(&server->counters[BAD], 1);
        }
        atomic_fetch_add(&server->counters[RECEIVED], n);
    }
}

/* LIBSSH2_SEND_FUNC of a socket that takes little. */
static ssize_t send_little(libssh2_socket_t fd, const void *data, size_t len, int flags,
                           void **abstract)
{
    static unsigned calls;
    (void)abstract;
    if (calls++ % 8 == 7)
        return -EAGAIN;
    ssize_t n = send(fd, data, len < SOCKET_TAKES ? len : SOCKET_TAKES, flags);
    return n < 0 ? -errno : n;
}

static void rekey_in_half_a_packet(void **state)
{
    struct peer_server server = {
        .on_message = peer_accept_open, .on_round = receive, .rekey_bytes = 256 * 1024};
    struct peer_client client;
    static unsigned char block[32000];
    char in[256];
    size_t sent = 0, len = 0;
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    LIBSSH2_CHANNEL *channel = peer_open(&client, 80);
    assert_non_null(channel);
    libssh2_session_callback_set2(client.session, LIBSSH2_CALLBACK_SEND,
                                  (libssh2_cb_generic *)send_little);
    libssh2_session_set_blocking(client.session, 0);

    uint64_t end = peer_now_ms() + PATIENCE_MS;
    while (atomic_load(&server.counters[RECEIVED]) < TOTAL && peer_now_ms() < end) {
        ssize_t n = 0;
        if (len == 0 && sent < TOTAL) {
            len = TOTAL - sent < sizeof block ? TOTAL - sent : sizeof block;
            for (size_t i = 0; i < len; i++)
                block[i] = pattern(sent + i);
        }
        if (len > 0)
            n = libssh2_channel_write(channel, (char *)block, len);
        assert_true(n >= 0 || n == LIBSSH2_ERROR_EAGAIN);
        if (n > 0) {
            memmove(block, block + n, len - (size_t)n);
            len -= (size_t)n;
            sent += (size_t)n;
            continue;
        }
        ssize_t r = libssh2_channel_read(channel, in, sizeof in);
        assert_int_equal(r, LIBSSH2_ERROR_EAGAIN);
        peer_client_wait(&client, 20);
    }
    assert_int_equal(atomic_load(&server.counters[RECEIVED]), TOTAL);
    assert_int_equal(atomic_load(&server.counters[BAD]), 0);
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rekey_in_half_a_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
