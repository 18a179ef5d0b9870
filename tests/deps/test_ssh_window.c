/* The server chooses the receive window of a channel, and a peer that exceeds it is cut off. */
#include "tests/deps/peer.h"

#define DEFAULT    (64 * 1024)
#define LARGE      (4 * 1024 * 1024)
#define STEP       (1024 * 1024)
#define TARGET_MAX (128 * 1024 * 1024)

enum { TARGET, READ_MAX, RECEIVED, RC };

/* libssh numbers its channels from here on. */
#define FIRST_CHANNEL 43

/* Does what the test asks for: sets a target (leaving the result in RC), reads up to READ_MAX. */
static void obey(struct peer_server *server, ssh_session session)
{
    static char buf[4096];
    (void)session;
    if (server->channel == NULL)
        return;
    int target = atomic_exchange(&server->counters[TARGET], 0);
    if (target != 0)
        atomic_store(&server->counters[RC],
                     1 + (ssh_channel_set_window_target(
                              server->channel, target > 0 ? (uint32_t)target : 0) == SSH_OK));
    while (atomic_load(&server->counters[RECEIVED]) < atomic_load(&server->counters[READ_MAX])) {
        int n = ssh_channel_read_nonblocking(server->channel, buf, sizeof buf, 0);
        if (n <= 0)
            break;
        atomic_fetch_add(&server->counters[RECEIVED], n);
    }
}

/* The window the client has now, after everything that is under way. */
static unsigned long window(struct peer_client *client, LIBSSH2_CHANNEL *channel)
{
    char in[16];
    peer_sleep_ms(50);
    libssh2_session_set_blocking(client->session, 0);
    assert_int_equal(libssh2_channel_read(channel, in, sizeof in), LIBSSH2_ERROR_EAGAIN);
    libssh2_session_set_blocking(client->session, 1);
    return libssh2_channel_window_write_ex(channel, NULL);
}

static int set_target(struct peer_server *server, int target)
{
    atomic_store(&server->counters[RC], 0);
    atomic_store(&server->counters[TARGET], target);
    assert_true(peer_wait(&server->counters[RC], 1));
    return atomic_load(&server->counters[RC]) - 1;
}

static void send_all(LIBSSH2_CHANNEL *channel, size_t bytes)
{
    static char block[16384];
    while (bytes > 0) {
        ssize_t n =
            libssh2_channel_write(channel, block, bytes < sizeof block ? bytes : sizeof block);
        assert_true(n > 0);
        bytes -= (size_t)n;
    }
}

static void window_follows_its_target(void **state)
{
    struct peer_server server = {
        .on_message = peer_accept_open, .on_round = obey, .window = DEFAULT};
    struct peer_client client;
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    LIBSSH2_CHANNEL *channel = peer_open(&client, 80);
    assert_int_equal(window(&client, channel), DEFAULT);

    assert_int_equal(set_target(&server, LARGE), 1);
    assert_int_equal(window(&client, channel), LARGE);
    assert_int_equal(set_target(&server, -1), 0); /* that is 0 bytes */
    assert_int_equal(set_target(&server, TARGET_MAX + 1), 0);

    /* Unread data counts: nothing is granted until a step has been read, however large the target. */
    send_all(channel, LARGE);
    assert_int_equal(window(&client, channel), 0);
    atomic_store(&server.counters[READ_MAX], STEP / 2);
    assert_true(peer_wait(&server.counters[RECEIVED], STEP / 2));
    assert_int_equal(window(&client, channel), 0);
    atomic_store(&server.counters[READ_MAX], STEP);
    assert_true(peer_wait(&server.counters[RECEIVED], STEP));
    assert_int_equal(window(&client, channel), STEP);

    /* A smaller target takes effect as the window is used up. */
    assert_int_equal(set_target(&server, DEFAULT), 1);
    send_all(channel, STEP);
    atomic_store(&server.counters[READ_MAX], LARGE + STEP);
    assert_true(peer_wait(&server.counters[RECEIVED], LARGE + STEP));
    unsigned long left = window(&client, channel);
    assert_true(left > DEFAULT / 2 && left <= DEFAULT);

    /* Of a small one, until half of it has been read. */
    send_all(channel, left);
    assert_int_equal(window(&client, channel), 0);
    atomic_fetch_add(&server.counters[READ_MAX], (int)left - DEFAULT / 2 - 4096);
    assert_true(peer_wait(&server.counters[RECEIVED], atomic_load(&server.counters[READ_MAX])));
    assert_int_equal(window(&client, channel), 0);

    peer_client_close(&client);
    peer_server_stop(&server);
}

static void exceeded_window_ends_the_session(void **state)
{
    struct peer_server server = {.on_message = peer_accept_open, .window = DEFAULT};
    struct peer_client client;
    static unsigned char packet[9 + 16384] = {94, 0, 0, 0,
                                              FIRST_CHANNEL}; /* SSH_MSG_CHANNEL_DATA */
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    assert_non_null(peer_open(&client, 80));
    peer_put_u32(packet + 5, 16384);
    for (int i = 0; i < 4; i++)
        assert_int_equal(_libssh2_transport_send(client.session, packet, sizeof packet, NULL, 0),
                         0);
    peer_sleep_ms(100);
    assert_int_equal(atomic_load(&server.ended), 0);
    peer_put_u32(packet + 5, 1);
    assert_int_equal(_libssh2_transport_send(client.session, packet, 10, NULL, 0), 0);
    assert_true(peer_wait(&server.ended, 1));
    assert_null(peer_open(&client, 80));
    assert_int_equal(libssh2_session_last_errno(client.session), LIBSSH2_ERROR_SOCKET_DISCONNECT);
    peer_client_close(&client);
    peer_server_stop(&server);
    assert_string_equal(server.last_error, "Window exceeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_follows_its_target),
        cmocka_unit_test(exceeded_window_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
