/* A publickey login with a wrong signature reaches the server, is answered, and lets nobody in. */
#include "tests/deps/peer.h"

enum { WRONG, REFUSED_SUCCESS };

static bool count_wrong(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)session;
    if (ssh_message_type(msg) != SSH_REQUEST_AUTH ||
        ssh_message_subtype(msg) != SSH_AUTH_METHOD_PUBLICKEY ||
        ssh_message_auth_publickey_state(msg) != SSH_PUBLICKEY_STATE_WRONG)
        return false;
    /* A careless server: says yes without looking. The library must refuse that. */
    if (ssh_message_auth_reply_success(msg, 0) == SSH_ERROR)
        atomic_fetch_add(&server->counters[REFUSED_SUCCESS], 1);
    ssh_message_reply_default(msg);
    ssh_message_free(msg);
    atomic_fetch_add(&server->counters[WRONG], 1);
    return true;
}

static void wrong_signature_is_delivered(void **state)
{
    struct peer_server server = {.on_message = count_wrong};
    struct peer_client client;
    (void)state;

    peer_server_start(&server);
    peer_client_open(&client, server.port);
    assert_int_equal(libssh2_session_handshake(client.session, client.fd), 0);
    client.break_signature = true;
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(peer_try_login(&client), LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED);
        assert_true(peer_wait(&server.counters[WRONG], i));
    }
    assert_int_equal(atomic_load(&server.counters[REFUSED_SUCCESS]), 3);
    assert_false(libssh2_userauth_authenticated(client.session));
    client.break_signature = false;
    assert_int_equal(peer_try_login(&client), 0);
    peer_client_close(&client);
    peer_server_stop(&server);
}

static void unknown_kind_of_key_is_answered(void **state)
{
    static const unsigned char odd[] = "\0\0\0\010ssh-odd1\0\0\0\004key!";
    struct peer_server server = {0};
    struct peer_client client;
    unsigned char msg[256] = {50}; /* SSH_MSG_USERAUTH_REQUEST */
    size_t len = 1;
    (void)state;

    peer_server_start(&server);
    peer_client_open(&client, server.port);
    assert_int_equal(libssh2_session_handshake(client.session, client.fd), 0);
    assert_non_null(libssh2_userauth_list(client.session, "user", 4));
    len += peer_put_string(msg + len, "user");
    len += peer_put_string(msg + len, "ssh-connection");
    len += peer_put_string(msg + len, "publickey");
    msg[len++] = 0;
    len += peer_put_string(msg + len, "ssh-odd1");
    len += peer_put_u32(msg + len, sizeof odd - 1);
    memcpy(msg + len, odd, sizeof odd - 1);
    len += sizeof odd - 1;
    assert_int_equal(_libssh2_transport_send(client.session, msg, len, NULL, 0), 0);

    struct pollfd p = {.fd = client.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PEER_PATIENCE_MS), 1);
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_signature_is_delivered),
        cmocka_unit_test(unknown_kind_of_key_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
