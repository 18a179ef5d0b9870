/*
 * A server sees what the peer really asked for: texts are not cut at a NUL, unknown requests arrive
 * as messages, and data taken by a callback leaves no buffer behind.
 */
#include "tests/deps/peer.h"

#include <libssh/callbacks.h>
#include <malloc.h>

enum { OPENED, GLOBAL, CHANNEL_REQUEST, TAKEN };

static char last_name[64];
static ssh_channel accepted;

static int take(ssh_session session, ssh_channel channel, void *data, uint32_t len, int is_stderr,
                void *arg)
{
    struct peer_server *server = arg;
    (void)session;
    (void)channel;
    (void)data;
    (void)is_stderr;
    atomic_fetch_add(&server->counters[TAKEN], (int)len);
    return (int)len;
}

static struct ssh_channel_callbacks_struct callbacks = {.channel_data_function = take};

static bool look(struct peer_server *server, ssh_session session, ssh_message msg)
{
    int type = ssh_message_type(msg);
    (void)session;
    if (type == SSH_REQUEST_CHANNEL_OPEN) {
        accepted = ssh_message_channel_request_open_reply_accept(msg);
        callbacks.userdata = server;
        ssh_callbacks_init(&callbacks);
        ssh_set_channel_callbacks(accepted, &callbacks);
        atomic_fetch_add(&server->counters[OPENED], 1);
    } else if (type == SSH_REQUEST_GLOBAL || type == SSH_REQUEST_CHANNEL) {
        const char *name = ssh_message_unknown_request_name(msg);
        snprintf(last_name, sizeof last_name, "%s", name ? name : "(known)");
        ssh_message_reply_default(msg);
        atomic_fetch_add(&server->counters[type == SSH_REQUEST_GLOBAL ? GLOBAL : CHANNEL_REQUEST],
                         1);
    } else {
        return false;
    }
    ssh_message_free(msg);
    return true;
}

static void send_packet(struct peer_client *client, const unsigned char *msg, size_t len)
{
    assert_int_equal(_libssh2_transport_send(client->session, msg, len, NULL, 0), 0);
}

static void open_of_a_host_with_a_nul_ends_the_session(void **state)
{
    struct peer_server server = {.on_message = look};
    struct peer_client client;
    unsigned char msg[128];
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    msg[0] = 90; /* CHANNEL_OPEN */
    size_t len = 1 + peer_put_string(msg + 1, "direct-tcpip");
    len += peer_put_u32(msg + len, 0);
    len += peer_put_u32(msg + len, 65536);
    len += peer_put_u32(msg + len, 32768);
    len += peer_put_string(msg + len, "127.0.0.1-evil");
    msg[len - 5] = '\0';
    len += peer_put_u32(msg + len, 80);
    len += peer_put_string(msg + len, "127.0.0.1");
    len += peer_put_u32(msg + len, 1);
    send_packet(&client, msg, len);
    assert_true(peer_wait(&server.ended, 1));
    assert_int_equal(atomic_load(&server.counters[OPENED]), 0);
    peer_client_close(&client);
    peer_server_stop(&server);
}

static void unknown_requests_reach_the_server(void **state)
{
    struct peer_server server = {.on_message = look};
    struct peer_client client;
    unsigned char msg[128];
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    msg[0] = 80; /* GLOBAL_REQUEST, no reply wanted */
    size_t len = 1 + peer_put_string(msg + 1, "streamlocal-forward@openssh.com");
    msg[len++] = 0;
    len += peer_put_string(msg + len, "/tmp/x");
    send_packet(&client, msg, len);
    assert_true(peer_wait(&server.counters[GLOBAL], 1));
    assert_string_equal(last_name, "streamlocal-forward@openssh.com");

    LIBSSH2_CHANNEL *channel = peer_open(&client, 80);
    assert_non_null(channel);
    assert_int_not_equal(libssh2_channel_request_auth_agent(channel), 0);
    assert_true(peer_wait(&server.counters[CHANNEL_REQUEST], 1));
    assert_memory_equal(last_name, "auth-agent-req", 14);
    libssh2_channel_free(channel);
    peer_client_close(&client);
    peer_server_stop(&server);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void channel_read_by_callback_keeps_no_buffer(void **state)
{
    enum { CHANNELS = 20, BYTES = 32768 };
    static char data[BYTES];
    struct peer_server server = {.on_message = look};
    struct peer_client client;
    LIBSSH2_CHANNEL *channel[CHANNELS];
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    for (int i = 0; i < CHANNELS; i++)
        channel[i] = peer_open(&client, 80);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int i = 0; i < CHANNELS; i++) {
        size_t sent = 0;
        while (sent < BYTES) {
            ssize_t n = libssh2_channel_write(channel[i], data + sent, BYTES - sent);
            assert_true(n > 0);
            sent += (size_t)n;
        }
        assert_true(peer_wait(&server.counters[TAKEN], (i + 1) * BYTES));
    }
    peer_sleep_ms(50);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    print_message("heap a channel after %d KiB: %ld bytes more\n", BYTES / 1024,
                  ((long)after - (long)before) / CHANNELS);
    assert_true(after < before + CHANNELS * 8192);
    for (int i = 0; i < CHANNELS; i++)
        libssh2_channel_free(channel[i]);
    peer_client_close(&client);
    peer_server_stop(&server);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_of_a_host_with_a_nul_ends_the_session),
        cmocka_unit_test(unknown_requests_reach_the_server),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(channel_read_by_callback_keeps_no_buffer),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
