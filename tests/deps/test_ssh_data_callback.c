/* A data callback may take what it likes of each packet: all bytes come, in order, and each once. */
#include "tests/deps/peer.h"

#include <libssh/callbacks.h>

#define TOTAL (3 * 1024 * 1024)

enum { TAKEN, BAD };

static struct peer_server server;

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 11 + at / 257);
}

/* Takes all, a part, or nothing, by turns. */
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
    for (uint32_t i = 0; i < n; i++) {
        if (((unsigned char *)data)[i] != pattern(at + i))
            atomic_fetch_add(&server.counters[BAD], 1);
    }
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
    ssh_set_channel_callbacks(ssh_message_channel_request_open_reply_accept(msg), &callbacks);
    ssh_message_free(msg);
    return true;
}

static void callback_gets_every_byte_once(void **state)
{
    struct peer_client client;
    static unsigned char block[30000];
    size_t sent = 0;
    (void)state;

    server.on_message = accept_open;
    server.window = 256 * 1024;
    peer_server_start(&server);
    peer_login(&client, server.port);
    LIBSSH2_CHANNEL *channel = peer_open(&client, 80);
    assert_non_null(channel);
    /* More packets come until the callback has taken everything it left behind. */
    while (atomic_load(&server.counters[TAKEN]) < TOTAL) {
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = pattern(sent + i);
        ssize_t n = libssh2_channel_write(channel, (char *)block, sizeof block);
        assert_true(n > 0);
        sent += (size_t)n;
    }
    assert_int_equal(atomic_load(&server.counters[BAD]), 0);
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callback_gets_every_byte_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
