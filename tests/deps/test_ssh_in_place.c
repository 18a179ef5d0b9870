/*
 * Packets are decrypted where the socket was read and made where they are sent from, for a server
 * with a loop of its own: every cipher, every kind of MAC, small and large packets, keys exchanged
 * again and again, a socket that takes little. What a peer breaks ends its session and nothing else.
 */
#undef _FORTIFY_SOURCE
#include "tests/deps/peer.h"

#include <libssh/callbacks.h>
#include <sys/uio.h>

#define TOTAL (2 * 1024 * 1024)

enum { TAKEN, BAD };

static struct peer_server server;
static unsigned char received[TOTAL + 65536];
static size_t echoed;
static ssh_channel echo;

/* --- a wire that flips one bit of what the client sends --- */

static atomic_int flip_fd = -1;
static atomic_long flip_in = -1; /* after so many bytes */

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    static unsigned char copy[1024 * 1024];
    long at = atomic_load(&flip_in);
    if (fd != atomic_load(&flip_fd) || at < 0 || len > sizeof copy)
        return sendto(fd, data, len, flags, NULL, 0);
    memcpy(copy, data, len);
    if ((size_t)at < len)
        copy[at] ^= (unsigned char)(1 << (at % 8));
    ssize_t n = sendto(fd, copy, len, flags, NULL, 0);
    if (n > 0)
        atomic_store(&flip_in, at - n < -1 ? -1 : at - n);
    return n;
}

/* --- what was handed over in one read of the socket --- */

static struct {
    const unsigned char *data;
    size_t at, len;
} piece[256];
static size_t pieces;
static atomic_size_t pieces_seen;

static void note_piece(const unsigned char *data, size_t at, size_t len)
{
    if (data < peer_input || data >= peer_input + sizeof peer_input)
        return; /* kept by libssh, and handed over from there */
    if (pieces == sizeof piece / sizeof *piece)
        return;
    piece[pieces].data = data;
    piece[pieces].at = at;
    piece[pieces++].len = len;
}

/* prad sends it from there when the read is over. */
static bool pieces_are_left_as_they_were(void)
{
    for (size_t i = 0; i < pieces; i++) {
        if (memcmp(piece[i].data, received + piece[i].at, piece[i].len) != 0)
            return false;
    }
    atomic_fetch_add(&pieces_seen, pieces);
    pieces = 0;
    return true;
}

/* --- the server: takes data by turns whole, in part, or not at all, and sends it back --- */

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 11 + at / 257);
}

static int take(ssh_session session, ssh_channel channel, void *data, uint32_t len, int is_stderr,
                void *userdata)
{
    static unsigned turn;
    uint32_t n = turn % 7 == 3 ? 0 : turn % 3 == 1 ? len / 2 : len;
    size_t at = (size_t)atomic_load(&server.counters[TAKEN]);
    (void)session;
    (void)channel;
    (void)is_stderr;
    (void)userdata;

    turn++;
    if (at + n > sizeof received)
        n = (uint32_t)(sizeof received - at);
    for (uint32_t i = 0; i < n; i++) {
        if (((unsigned char *)data)[i] != pattern(at + i))
            atomic_fetch_add(&server.counters[BAD], 1);
    }
    memcpy(received + at, data, n);
    note_piece(data, at, n);
    atomic_fetch_add(&server.counters[TAKEN], (int)n);
    return (int)n;
}

static struct ssh_channel_callbacks_struct callbacks = {.channel_data_function = take};

static bool accept_open(struct peer_server *s, ssh_session session, ssh_message msg)
{
    (void)s;
    (void)session;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN)
        return false;
    ssh_callbacks_init(&callbacks);
    echo = ssh_message_channel_request_open_reply_accept(msg);
    ssh_set_channel_callbacks(echo, &callbacks);
    ssh_message_free(msg);
    return true;
}

/* Fills the places with less than they hold now and then. */
static void send_back(struct peer_server *s, ssh_session session)
{
    static unsigned turn;
    struct iovec place[5];
    if (echo == NULL)
        return;
    if (!pieces_are_left_as_they_were())
        atomic_fetch_add(&s->counters[BAD], 1);
    /* what the callback left comes out here, so that the end comes as well */
    size_t have = (size_t)atomic_load(&s->counters[TAKEN]);
    int n =
        ssh_channel_read_nonblocking(echo, received + have, (uint32_t)(sizeof received - have), 0);
    for (int i = 0; i < n; i++) {
        if (received[have + (size_t)i] != pattern(have + (size_t)i))
            atomic_fetch_add(&s->counters[BAD], 1);
    }
    if (n > 0)
        have = (size_t)atomic_fetch_add(&s->counters[TAKEN], n) + (size_t)n;
    if (have == echoed || ssh_session_output_pending(session) > 100000)
        return;
    size_t want = have - echoed;
    int count = ssh_channel_reserve(echo, place, (int)(1 + turn % 5), (uint32_t)want);
    size_t filled = 0;
    for (int i = 0; i < count; i++) {
        memcpy(place[i].iov_base, received + echoed + filled, place[i].iov_len);
        filled += place[i].iov_len;
    }
    if (turn++ % 4 == 2)
        filled /= 2;
    if (ssh_channel_commit(echo, (uint32_t)filled) == SSH_OK)
        echoed += filled;
}

static void start(void)
{
    memset(&server, 0, sizeof server);
    server.own_loop = true;
    server.on_message = accept_open;
    server.on_round = send_back;
    server.window = 256 * 1024;
    echoed = 0;
    pieces = 0;
    echo = NULL;
}

/* --- the client --- */

/* Writes and reads until all has come back. True if it did, and was right. */
static bool exchange(struct peer_client *client, LIBSSH2_CHANNEL *channel, size_t total)
{
    static unsigned char block[40000], back[65536];
    size_t sent = 0, got = 0;
    uint64_t end = peer_now_ms() + 3 * PEER_PATIENCE_MS;
    libssh2_session_set_blocking(client->session, 0);
    while (got < total && peer_now_ms() < end) {
        size_t len = total - sent < sizeof block ? total - sent : sizeof block;
        for (size_t i = 0; i < len; i++)
            block[i] = pattern(sent + i);
        ssize_t n = len ? libssh2_channel_write(channel, (char *)block, len) : 0;
        if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
            return false;
        sent += n > 0 ? (size_t)n : 0;
        ssize_t m = libssh2_channel_read(channel, (char *)back, sizeof back);
        if (m < 0 && m != LIBSSH2_ERROR_EAGAIN)
            return false;
        for (ssize_t i = 0; i < m; i++) {
            if (back[i] != pattern(got + (size_t)i))
                return false;
        }
        got += m > 0 ? (size_t)m : 0;
        if (n <= 0 && m <= 0)
            peer_client_wait(client, 10);
    }
    libssh2_session_set_blocking(client->session, 1);
    return got == total;
}

static void login_with(struct peer_client *client, const char *cipher, const char *mac)
{
    peer_client_open(client, server.port);
    assert_int_equal(libssh2_session_method_pref(client->session, LIBSSH2_METHOD_CRYPT_CS, cipher),
                     0);
    assert_int_equal(libssh2_session_method_pref(client->session, LIBSSH2_METHOD_CRYPT_SC, cipher),
                     0);
    assert_int_equal(libssh2_session_method_pref(client->session, LIBSSH2_METHOD_MAC_CS, mac), 0);
    assert_int_equal(libssh2_session_method_pref(client->session, LIBSSH2_METHOD_MAC_SC, mac), 0);
    assert_int_equal(libssh2_session_handshake(client->session, client->fd), 0);
    assert_int_equal(peer_try_login(client), 0);
}

static LIBSSH2_CHANNEL *open_with(struct peer_client *client, unsigned packet)
{
    static const char to[] = "\0\0\0\006target\0\0\0\120\0\0\0\011127.0.0.1\0\0\0\1";
    return libssh2_channel_open_ex(client->session, "direct-tcpip", 12, 1 << 20, packet, to,
                                   sizeof to - 1);
}

static const struct {
    const char *cipher, *mac;
} WAYS[] = {
    {"aes128-gcm@openssh.com", "hmac-sha2-256"},
    {"aes256-gcm@openssh.com", "hmac-sha2-256"},
    {"chacha20-poly1305@openssh.com", "hmac-sha2-256"},
    {"aes128-ctr", "hmac-sha2-256"},
    {"aes256-ctr", "hmac-sha2-512"},
    {"aes128-ctr", "hmac-sha2-256-etm@openssh.com"},
    {"aes256-ctr", "hmac-sha2-512-etm@openssh.com"},
};
#define WAY_COUNT (sizeof WAYS / sizeof WAYS[0])

static void every_cipher_carries_data_through_rekeys(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAY_COUNT; i++) {
        struct peer_client client;
        start();
        server.rekey_bytes = 300 * 1024;
        server.sndbuf = 16384;
        peer_server_start(&server);
        login_with(&client, WAYS[i].cipher, WAYS[i].mac);
        LIBSSH2_CHANNEL *channel = open_with(&client, i % 2 ? 32768 : 1500);
        assert_non_null(channel);
        assert_true(exchange(&client, channel, TOTAL));
        assert_int_equal(atomic_load(&server.counters[BAD]), 0);
        assert_true(atomic_exchange(&pieces_seen, 0) > 0);
        peer_client_close(&client);
        peer_server_stop(&server);
    }
}

/* Nothing that was altered may reach the callback, and the session must end. */
static void flipped_bit_ends_the_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAY_COUNT * 40; i++) {
        struct peer_client client;
        size_t way = i % WAY_COUNT, at = i / WAY_COUNT;
        start();
        peer_server_start(&server);
        login_with(&client, WAYS[way].cipher, WAYS[way].mac);
        LIBSSH2_CHANNEL *channel = open_with(&client, 32768);
        assert_non_null(channel);
        atomic_store(&flip_fd, client.fd);
        atomic_store(&flip_in, (long)(at < 24 ? at : at * at * 37));
        (void)exchange(&client, channel, TOTAL / 8);
        /* a length that became larger waits for more than ever comes */
        shutdown(client.fd, SHUT_WR);
        assert_true(peer_wait(&server.ended, 1));
        assert_int_equal(atomic_load(&server.counters[BAD]), 0);
        assert_true(atomic_load(&server.counters[TAKEN]) < TOTAL / 8);
        atomic_store(&flip_fd, -1);
        peer_client_close(&client);
        peer_server_stop(&server);
    }
}

static void send_raw(const char *banner, uint32_t length, size_t really)
{
    unsigned char *packet = calloc(1, really + 4);
    int fd = peer_connect(server.port);
    peer_put_u32(packet, length);
    for (size_t i = 4; i < really + 4; i++)
        packet[i] = (unsigned char)(i * 7 + length);
    if (really > 0)
        packet[4] = (unsigned char)length; /* as padding: now in range, now not */
    assert_int_equal(write(fd, banner, strlen(banner)), strlen(banner));
    assert_int_equal(send(fd, packet, really + 4, MSG_NOSIGNAL), really + 4);
    shutdown(fd, SHUT_WR);
    char drain[4096];
    while (recv(fd, drain, sizeof drain, 0) > 0)
        ;
    close(fd);
    free(packet);
}

static void any_length_before_keys_ends_the_session_only(void **state)
{
    static const uint32_t large[] = {4096,       32768,      35000,      65535,      262143,
                                     262144,     262145,     0x7fffffff, 0x80000000, 0xfffffffb,
                                     0xfffffffc, 0xfffffffe, 0xffffffff};
    int count = 0;
    (void)state;

    start();
    peer_server_start(&server);
    for (uint32_t length = 0; length < 80; length++, count++)
        send_raw("SSH-2.0-x\r\n", length, length % 3 == 2 ? length / 2 : length);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++, count++)
        send_raw("SSH-2.0-x\r\n", large[i], large[i] > 262144 ? 100 : large[i]);
    assert_true(peer_wait(&server.ended, count));

    struct peer_client client;
    peer_login(&client, server.port);
    assert_true(exchange(&client, open_with(&client, 32768), 100000));
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cipher_carries_data_through_rekeys),
        cmocka_unit_test(flipped_bit_ends_the_session),
        cmocka_unit_test(any_length_before_keys_ends_the_session_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
