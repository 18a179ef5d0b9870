/* Requests that a gateway has to refuse reach it, so that it can say and write down that it did. */
#include "tests/deps/peer.h"

enum { SEEN };

static struct {
    int type, subtype;
    char name[64];
    uint32_t max_packet;
    bool accepted;
} seen;

/* Notes down the request; tries to accept an open of a known kind, and refuses everything else. */
static bool note(struct peer_server *server, ssh_session session, ssh_message msg)
{
    const char *name = ssh_message_request_name(msg);
    (void)session;
    if (ssh_message_type(msg) == SSH_REQUEST_AUTH || ssh_message_type(msg) == SSH_REQUEST_SERVICE)
        return false;
    seen.type = ssh_message_type(msg);
    seen.subtype = ssh_message_subtype(msg);
    snprintf(seen.name, sizeof seen.name, "%s", name != NULL ? name : "-");
    if (seen.type == SSH_REQUEST_CHANNEL_OPEN)
        seen.max_packet = ssh_message_channel_request_open_max_packet(msg);
    seen.accepted = seen.type == SSH_REQUEST_CHANNEL_OPEN && name == NULL &&
                    ssh_message_channel_request_open_reply_accept(msg) != NULL;
    if (!seen.accepted)
        ssh_message_reply_default(msg);
    ssh_message_free(msg);
    atomic_fetch_add(&server->counters[SEEN], 1);
    return true;
}

struct pair {
    struct peer_server server;
    struct peer_client client;
};

static int set_up(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    p->server.on_message = note;
    peer_server_start(&p->server);
    peer_login(&p->client, p->server.port);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *p = *state;
    peer_client_close(&p->client);
    peer_server_stop(&p->server);
    free(p);
    return 0;
}

static void open_and_expect(struct pair *p, const char *host, uint32_t host_len,
                            uint32_t max_packet, int rc)
{
    unsigned char msg[64];
    size_t len = peer_put_u32(msg, host_len);
    memcpy(msg + len, host, host_len);
    len += host_len;
    len += peer_put_u32(msg + len, 80);
    len += peer_put_string(msg + len, "127.0.0.1");
    len += peer_put_u32(msg + len, 1);
    LIBSSH2_CHANNEL *channel = libssh2_channel_open_begin(
        p->client.session, "direct-tcpip", 12, 65536, max_packet, (char *)msg, (unsigned)len);
    assert_non_null(channel);
    assert_int_equal(libssh2_channel_open_finish(channel, NULL, NULL, 0), rc);
    if (rc != 0)
        libssh2_channel_free(channel);
}

static void name_with_a_nul_is_not_cut(void **state)
{
    open_and_expect(*state, "trusted\0.example", 16, 32768, LIBSSH2_ERROR_CHANNEL_FAILURE);
    assert_int_equal(seen.subtype, SSH_CHANNEL_UNKNOWN);
    assert_string_equal(seen.name, "direct-tcpip");
    open_and_expect(*state, "trusted", 7, 32768, 0);
    assert_int_equal(seen.subtype, SSH_CHANNEL_DIRECT_TCPIP);
    assert_string_equal(seen.name, "-");
}

static void maximum_packet_is_seen_and_0_cannot_be_accepted(void **state)
{
    open_and_expect(*state, "trusted", 7, 10, 0);
    assert_int_equal(seen.max_packet, 10);
    open_and_expect(*state, "trusted", 7, 0, LIBSSH2_ERROR_CHANNEL_FAILURE);
    assert_int_equal(seen.max_packet, 0);
    assert_false(seen.accepted);
}

static void unknown_global_request_arrives(void **state)
{
    static const unsigned char request[] = "\120\0\0\0\006x@test\001";
    struct pair *p = *state;
    assert_int_equal(
        _libssh2_transport_send(p->client.session, request, sizeof request - 1, NULL, 0), 0);
    assert_true(peer_wait(&p->server.counters[SEEN], 1));
    assert_int_equal(seen.type, SSH_REQUEST_GLOBAL);
    assert_int_equal(seen.subtype, SSH_GLOBAL_REQUEST_UNKNOWN);
    assert_string_equal(seen.name, "x@test");
}

/* A keepalive wants an answer from a server that lives, not a decision. */
static void keepalive_is_answered_at_once(void **state)
{
    struct pair *p = *state;
    int seconds = 0;
    char in[16];
    struct pollfd readable = {.fd = p->client.fd, .events = POLLIN};
    LIBSSH2_CHANNEL *channel = peer_open(&p->client, 80);
    assert_non_null(channel);
    libssh2_session_set_blocking(p->client.session, 0);
    assert_int_equal(libssh2_channel_read(channel, in, sizeof in), LIBSSH2_ERROR_EAGAIN);
    libssh2_keepalive_config(p->client.session, 1, 2);
    assert_int_equal(poll(&readable, 1, 50), 0);
    assert_int_equal(libssh2_keepalive_send(p->client.session, &seconds), 0);
    assert_int_equal(poll(&readable, 1, PEER_PATIENCE_MS), 1);
    assert_int_equal(atomic_load(&p->server.counters[SEEN]), 1); /* the open */
}

static void agent_forwarding_arrives(void **state)
{
    struct pair *p = *state;
    LIBSSH2_CHANNEL *channel = libssh2_channel_open_session(p->client.session);
    assert_non_null(channel);
    assert_int_equal(libssh2_channel_request_auth_agent(channel),
                     LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED);
    assert_int_equal(seen.type, SSH_REQUEST_CHANNEL);
    assert_int_equal(seen.subtype, SSH_CHANNEL_REQUEST_UNKNOWN);
    /* libssh2 asks a second time, under the name of an old draft. */
    assert_true(peer_wait(&p->server.counters[SEEN], 3));
    assert_string_equal(seen.name, "auth-agent-req");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(name_with_a_nul_is_not_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(maximum_packet_is_seen_and_0_cannot_be_accepted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_global_request_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keepalive_is_answered_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(agent_forwarding_arrives, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
