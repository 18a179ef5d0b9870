/*
 * The client against a stream that is not what it should be: a flipped bit anywhere in a packet is an
 * error and delivers nothing, a length that is no whole number of blocks does not abort the program,
 * and a server may choose another cipher for each direction.
 */
#include "tests/deps/peer.h"

#define DATA (96 * 1024)

static const char *const ciphers[] = {"aes256-gcm@openssh.com", "aes256-ctr",
                                      "chacha20-poly1305@openssh.com"};

/* server thread only; the session that matters is the newest */
static ssh_session session_in;
static ssh_channel channel_in;
static int received;

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 31 + at / 253);
}

static bool accept_open(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)server;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN)
        return false;
    session_in = session;
    channel_in = ssh_message_channel_request_open_reply_accept(msg);
    received = 0;
    ssh_message_free(msg);
    return true;
}

static void forget(struct peer_server *server, ssh_session session)
{
    (void)server;
    if (session_in == session)
        session_in = NULL;
}

/* Answers the first byte with DATA bytes of the pattern, and DATA bytes with one. */
static void answer(struct peer_server *server, ssh_session session)
{
    static unsigned char buf[DATA];
    (void)server;
    if (session_in != session)
        return;
    int n = ssh_channel_read_nonblocking(channel_in, buf, sizeof buf, 0);
    if (n <= 0)
        return;
    int before = received;
    received += n;
    if (before == 0) {
        for (size_t i = 0; i < DATA; i++)
            buf[i] = pattern(i);
        ssh_channel_write(channel_in, buf, DATA);
    }
    if (before < 1 + DATA && before + n >= 1 + DATA)
        ssh_channel_write(channel_in, "!", 1);
}

static void prefer(struct peer_client *client, const char *cs, const char *sc, const char *mac)
{
    LIBSSH2_SESSION *s = client->session;
    assert_int_equal(libssh2_session_method_pref(s, LIBSSH2_METHOD_CRYPT_CS, cs), 0);
    assert_int_equal(libssh2_session_method_pref(s, LIBSSH2_METHOD_CRYPT_SC, sc), 0);
    if (mac != NULL) {
        assert_int_equal(libssh2_session_method_pref(s, LIBSSH2_METHOD_MAC_CS, mac), 0);
        assert_int_equal(libssh2_session_method_pref(s, LIBSSH2_METHOD_MAC_SC, mac), 0);
    }
}

static LIBSSH2_CHANNEL *start(struct peer_server *server, struct peer_client *client,
                              const char *cs, const char *sc, const char *mac)
{
    peer_client_open(client, server->port);
    prefer(client, cs, sc, mac);
    assert_int_equal(libssh2_session_handshake(client->session, client->fd), 0);
    assert_int_equal(peer_try_login(client), 0);
    LIBSSH2_CHANNEL *channel = peer_open(client, 80);
    assert_non_null(channel);
    return channel;
}

static void ciphers_may_differ_by_direction(void **state)
{
    struct peer_server server = {.on_message = accept_open, .on_round = answer, .on_end = forget};
    struct peer_client client;
    static char buf[DATA];
    (void)state;

    peer_server_start(&server);
    for (size_t i = 0; i < 9; i++) {
        LIBSSH2_CHANNEL *channel = start(&server, &client, ciphers[i % 3], ciphers[i / 3], NULL);
        size_t got = 0, sent = 0;
        assert_int_equal(libssh2_channel_write(channel, "?", 1), 1);
        while (got < DATA) {
            ssize_t n = libssh2_channel_read(channel, buf, sizeof buf);
            assert_true(n > 0);
            for (ssize_t k = 0; k < n; k++)
                assert_int_equal((unsigned char)buf[k], pattern(got++));
        }
        while (sent < DATA) {
            ssize_t n = libssh2_channel_write(channel, buf, DATA - sent);
            assert_true(n > 0);
            sent += (size_t)n;
        }
        assert_int_equal(libssh2_channel_read(channel, buf, sizeof buf), 1);
        peer_client_close(&client);
    }
    peer_server_stop(&server);
}

static void flip(struct peer_server *server, const char *cipher, const char *mac, long at,
                 unsigned char mask)
{
    struct peer_client client;
    char buf[4096];
    ssize_t n;

    LIBSSH2_CHANNEL *channel = start(server, &client, cipher, cipher, mac);
    libssh2_session_callback_set2(client.session, LIBSSH2_CALLBACK_RECV,
                                  (libssh2_cb_generic *)peer_recv_flipped);
    libssh2_session_set_blocking(client.session, 0);
    while (libssh2_channel_read(channel, buf, sizeof buf) > 0)
        ; /* nothing is under way */
    peer_flip_at = at;
    peer_flip_mask = mask;
    assert_int_equal(libssh2_channel_write(channel, "?", 1), 1);
    uint64_t end = peer_now_ms() + PEER_PATIENCE_MS;
    while ((n = libssh2_channel_read(channel, buf, sizeof buf)) == LIBSSH2_ERROR_EAGAIN &&
           peer_now_ms() < end)
        peer_client_wait(&client, 100);
    if (n >= 0 || n == LIBSSH2_ERROR_EAGAIN)
        fail_msg("%s %s: bit %02x of byte %ld: %zd", cipher, mac, mask, at, n);
    peer_client_close(&client);
}

static void flipped_bit_delivers_nothing(void **state)
{
    static const struct {
        const char *cipher, *mac;
    } how[] = {{"aes256-gcm@openssh.com", "hmac-sha2-256"},
               {"chacha20-poly1305@openssh.com", "hmac-sha2-256"},
               {"aes256-ctr", "hmac-sha2-256"},
               {"aes256-ctr", "hmac-sha2-256-etm@openssh.com"}};
    struct peer_server server = {.on_message = accept_open, .on_round = answer, .on_end = forget};
    (void)state;

    peer_server_start(&server);
    for (size_t h = 0; h < 4; h++) {
        for (long at = 0; at < 4; at++) { /* the packet length */
            for (int bit = 0; bit < 8; bit++)
                flip(&server, how[h].cipher, how[h].mac, at, (unsigned char)(1 << bit));
        }
        for (long at = 4; at < 40; at++)
            flip(&server, how[h].cipher, how[h].mac, at, (unsigned char)(1 << at % 8));
    }
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ciphers_may_differ_by_direction),
        cmocka_unit_test(flipped_bit_delivers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
