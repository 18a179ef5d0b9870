/*
 * Keys that libssh computes once and keeps: a host key that was imported, in all its copies, and the
 * key of a key exchange between its making and its use.
 */
#include "tests/deps/peer.h"

#define LOGINS    3
#define STEPS_MAX 12

/* A copy of a key that came from a file's text; everything it was made of is freed. */
static ssh_key imported_key(void)
{
    ssh_key made = NULL, read = NULL;
    char *text = NULL;

    assert_int_equal(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &made), SSH_OK);
    assert_int_equal(ssh_pki_export_privkey_base64(made, NULL, NULL, NULL, &text), SSH_OK);
    assert_int_equal(ssh_pki_import_privkey_base64(text, NULL, NULL, NULL, &read), SSH_OK);
    assert_int_equal(ssh_key_cmp(made, read, SSH_KEY_CMP_PRIVATE), 0);
    ssh_key_free(made);
    ssh_string_free_char(text);

    ssh_key copy = ssh_key_dup(read);
    assert_non_null(copy);
    assert_int_equal(ssh_key_cmp(copy, read, SSH_KEY_CMP_PRIVATE), 0);
    ssh_key_free(read);
    return copy;
}

static void copy_of_an_imported_host_key_signs_when_its_source_is_gone(void **state)
{
    unsigned char *hash = NULL;
    size_t hash_len;
    (void)state;

    ssh_init();
    struct peer_server server = {.host_key = imported_key(), .own_loop = true};
    assert_int_equal(
        ssh_get_publickey_hash(server.host_key, SSH_PUBLICKEY_HASH_SHA256, &hash, &hash_len), 0);
    peer_server_start(&server);
    for (int i = 0; i < LOGINS; i++) {
        struct peer_client client;
        peer_login(&client, server.port); /* libssh2 has verified the signature */
        const char *seen = libssh2_hostkey_hash(client.session, LIBSSH2_HOSTKEY_HASH_SHA256);
        assert_non_null(seen);
        assert_memory_equal(seen, hash, hash_len);
        peer_client_close(&client);
    }
    peer_server_stop(&server);
    ssh_clean_pubkey_hash(&hash);
}

/* A client of libssh that goes after so many steps of connecting; true if it was through. */
static bool connect_and_go(uint16_t port, int steps)
{
    unsigned number = port;
    ssh_session session = ssh_new();
    int rc = SSH_AGAIN;

    assert_non_null(session);
    ssh_options_set(session, SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(session, SSH_OPTIONS_PORT, &number);
    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
    ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    ssh_options_set(session, SSH_OPTIONS_KEY_EXCHANGE, "curve25519-sha256");
    ssh_set_blocking(session, 0);
    for (int i = 0; i < steps && rc == SSH_AGAIN; i++) {
        rc = ssh_connect(session);
        struct pollfd p = {.fd = ssh_get_fd(session), .events = POLLIN};
        if (rc == SSH_AGAIN && p.fd >= 0)
            poll(&p, 1, 50);
    }
    assert_int_not_equal(rc, SSH_ERROR);
    ssh_free(session);
    return rc == SSH_OK;
}

/* The sanitizer's build tells what is left behind. */
static void client_may_go_at_any_step_of_a_key_exchange(void **state)
{
    struct peer_server server = {.own_loop = true};
    bool through = false;
    (void)state;

    peer_server_start(&server);
    for (int steps = 1; steps <= STEPS_MAX; steps++)
        through = connect_and_go(server.port, steps);
    assert_true(through);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_of_an_imported_host_key_signs_when_its_source_is_gone),
        cmocka_unit_test(client_may_go_at_any_step_of_a_key_exchange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
