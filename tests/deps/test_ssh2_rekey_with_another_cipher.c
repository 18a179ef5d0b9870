/*
 * A server that chooses another cipher when keys are exchanged again. The two ends would have to
 * swap the state of one cipher for that of another at exactly the same packet; libssh2 does not keep
 * them apart, so the session has to end, with an error and without touching memory that is not its.
 */
#include "tests/deps/peer.h"

#define REKEY_BYTES (64 * 1024)
#define TOTAL       (1024 * 1024)

static const char *const ciphers[] = {"aes256-gcm@openssh.com", "aes256-ctr",
                                      "chacha20-poly1305@openssh.com"};

static const char *second; /* the cipher of the second key exchange */
static ssh_channel channel_in;
static int received; /* server thread */
static bool answered;

static bool accept_open(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)server;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN)
        return false;
    ssh_options_set(session, SSH_OPTIONS_CIPHERS_C_S, second);
    ssh_options_set(session, SSH_OPTIONS_CIPHERS_S_C, second);
    channel_in = ssh_message_channel_request_open_reply_accept(msg);
    ssh_message_free(msg);
    return true;
}

/* Answers TOTAL bytes with one. */
static void receive(struct peer_server *server, ssh_session session)
{
    static char buf[32768];
    int n;
    (void)server;
    (void)session;
    while (channel_in != NULL &&
           (n = ssh_channel_read_nonblocking(channel_in, buf, sizeof buf, 0)) > 0)
        received += n;
    /* While keys are exchanged nothing can be written: then the next round does. */
    if (received >= TOTAL && !answered)
        answered = ssh_channel_write(channel_in, "!", 1) == 1;
}

/* How sending TOTAL bytes (or a little more) and reading the answer ends: 0, or libssh2's error. */
static int run(const char *first, const char *then)
{
    struct peer_server server = {
        .on_message = accept_open, .on_round = receive, .rekey_bytes = REKEY_BYTES};
    struct peer_client client;
    static char block[16384];
    ssize_t n = 0;

    second = then;
    channel_in = NULL;
    received = 0;
    answered = false;
    peer_server_start(&server);
    peer_client_open(&client, server.port);
    char both[128]; /* the server's choice is among what the client offers */
    snprintf(both, sizeof both, "%s,%s", first, then);
    libssh2_session_method_pref(client.session, LIBSSH2_METHOD_CRYPT_CS, both);
    libssh2_session_method_pref(client.session, LIBSSH2_METHOD_CRYPT_SC, both);
    assert_int_equal(libssh2_session_handshake(client.session, client.fd), 0);
    assert_int_equal(peer_try_login(&client), 0);
    LIBSSH2_CHANNEL *channel = peer_open(&client, 80);
    assert_non_null(channel);
    for (size_t sent = 0; n >= 0 && sent < TOTAL; sent += (size_t)n)
        n = libssh2_channel_write(channel, block, sizeof block);
    if (n >= 0)
        n = libssh2_channel_read(channel, block, 1);
    peer_client_close(&client);
    peer_server_stop(&server);
    return n < 0 ? (int)n : 0;
}

static void same_cipher_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(run(ciphers[i], ciphers[i]), 0);
}

static void another_cipher_ends_the_session(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        if (i % 3 != i / 3)
            assert_int_not_equal(run(ciphers[i % 3], ciphers[i / 3]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_cipher_goes_on),
        cmocka_unit_test(another_cipher_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
