/* A server sees the ports of a channel open uncut, and can say why it refuses one. */
#include "tests/deps/peer.h"

#define WHY "the target does not answer: 連絡先"

static uint32_t destination, originator, destination_cut;
static int wrong_kind_refused;

static bool refuse(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)session;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN) {
        wrong_kind_refused +=
            ssh_message_channel_request_open_reply_failure(msg, 1, "") == SSH_ERROR;
        return false;
    }
    destination = ssh_message_channel_request_open_destination_port_raw(msg);
    originator = ssh_message_channel_request_open_originator_port_raw(msg);
    destination_cut = (uint32_t)ssh_message_channel_request_open_destination_port(msg);
    ssh_message_channel_request_open_reply_failure(msg, 77, server->arg);
    ssh_message_free(msg);
    return true;
}

static void ask(const char *text, uint32_t expect_reason, const char *expect_text)
{
    struct peer_server server = {.on_message = refuse, .arg = (void *)(uintptr_t)text};
    struct peer_client client;
    unsigned char msg[64];
    char got[128];
    uint32_t reason = 0;

    peer_server_start(&server);
    peer_login(&client, server.port);
    size_t len = peer_put_string(msg, "target");
    len += peer_put_u32(msg + len, 65558);
    len += peer_put_string(msg + len, "127.0.0.1");
    len += peer_put_u32(msg + len, UINT32_MAX);
    LIBSSH2_CHANNEL *channel = libssh2_channel_open_begin(client.session, "direct-tcpip", 12, 65536,
                                                          32768, (char *)msg, (unsigned)len);
    assert_non_null(channel);
    assert_int_equal(libssh2_channel_open_finish(channel, &reason, got, sizeof got),
                     LIBSSH2_ERROR_CHANNEL_FAILURE);
    assert_int_equal(reason, expect_reason);
    assert_string_equal(got, expect_text);
    libssh2_channel_free(channel);
    peer_client_close(&client);
    peer_server_stop(&server);
}

static void ports_arrive_uncut(void **state)
{
    (void)state;
    ask("", 77, "");
    assert_int_equal(destination, 65558);
    assert_int_equal(originator, UINT32_MAX);
    assert_int_equal(destination_cut, 22);
}

static void refusal_carries_code_and_text(void **state)
{
    (void)state;
    wrong_kind_refused = 0;
    ask(WHY, 77, WHY);
    ask(NULL, 77, "");
    assert_true(wrong_kind_refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_arrive_uncut),
        cmocka_unit_test(refusal_carries_code_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
