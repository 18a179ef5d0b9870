/*
 * What the client keeps of what it has not read: a queue per channel, in order, bounded by the window;
 * nothing that nobody will ask for; and all of it is delivered before the end of the connection.
 */
#include "tests/deps/peer.h"

#define CHANNELS   40
#define DATA       3000
#define KEEPALIVES 500

enum { SENT };

static ssh_channel channels[CHANNELS];
static int channel_count;

static unsigned char pattern(int channel, int at)
{
    return (unsigned char)(channel * 5 + at);
}

static bool accept_open(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)server;
    (void)session;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN || channel_count == CHANNELS)
        return false;
    channels[channel_count++] = ssh_message_channel_request_open_reply_accept(msg);
    ssh_message_free(msg);
    return true;
}

/* When all are open: one byte to each in turn, DATA times, then the end of the connection. */
static void interleave_and_end(struct peer_server *server, ssh_session session)
{
    if (channel_count < CHANNELS)
        return;
    if (atomic_load(&server->counters[SENT]) == DATA) {
        if (ssh_session_output_pending(session) == 0)
            ssh_disconnect(session);
        return;
    }
    for (int at = 0; at < DATA; at++) {
        for (int i = 0; i < CHANNELS; i++) {
            unsigned char byte = pattern(i, at);
            ssh_channel_write(channels[i], &byte, 1);
        }
    }
    atomic_store(&server->counters[SENT], DATA);
}

static void queued_data_comes_in_order_and_before_the_end(void **state)
{
    struct peer_server server = {.on_message = accept_open, .on_round = interleave_and_end};
    struct peer_client client;
    LIBSSH2_CHANNEL *open[CHANNELS];
    unsigned char buf[DATA + 1];
    (void)state;

    channel_count = 0;
    peer_server_start(&server);
    peer_login(&client, server.port);
    for (int i = 0; i < CHANNELS; i++) {
        open[i] = peer_open(&client, 80);
        assert_non_null(open[i]);
    }

    /* The last channel is read first, which takes in what belongs to the others. */
    for (int i = CHANNELS - 1; i >= 0; i--) {
        ssize_t got = 0, n = 1;
        while (got < DATA && n > 0) {
            n = libssh2_channel_read(open[i], (char *)buf + got, sizeof buf - (size_t)got);
            got += n > 0 ? n : 0;
        }
        assert_int_equal(got, DATA);
        assert_true(peer_wait(&server.ended, 1));
        for (int at = 0; at < DATA; at++)
            assert_int_equal(buf[at], pattern(i, at));
        assert_true(libssh2_channel_read(open[i], (char *)buf, 1) < 0);
    }
    peer_client_close(&client);
    peer_server_stop(&server);
}

/* LIBSSH2_ALLOC_FUNC and its kin, counting what is allocated */
static int live;

static void *count_alloc(size_t size, void **abstract)
{
    (void)abstract;
    live++;
    return malloc(size);
}

static void count_free(void *p, void **abstract)
{
    (void)abstract;
    live -= p != NULL;
    free(p);
}

static void *count_realloc(void *p, size_t size, void **abstract)
{
    (void)abstract;
    live += p == NULL;
    return realloc(p, size);
}

static void answers_nobody_asked_for_are_not_kept(void **state)
{
    static const unsigned char request[] = "\120\0\0\0\006x@test\001"; /* SSH_MSG_GLOBAL_REQUEST */
    struct peer_server server = {.on_message = accept_open};
    struct peer_client client;
    (void)state;

    channel_count = 0;
    peer_server_start(&server);
    peer_client_open(&client, server.port);
    libssh2_session_free(client.session);
    live = 0;
    client.session = libssh2_session_init_ex(count_alloc, count_free, count_realloc, NULL);
    libssh2_session_set_timeout(client.session, PEER_PATIENCE_MS);
    assert_int_equal(libssh2_session_handshake(client.session, client.fd), 0);
    assert_int_equal(peer_try_login(&client), 0);
    assert_non_null(peer_open(&client, 80));
    int before = live;
    for (int i = 0; i < KEEPALIVES; i++)
        assert_int_equal(
            _libssh2_transport_send(client.session, request, sizeof request - 1, NULL, 0), 0);
    assert_non_null(peer_open(&client, 80)); /* answered after all of them */
    assert_true(live - before < 20);
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_data_comes_in_order_and_before_the_end),
        cmocka_unit_test(answers_nobody_asked_for_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
