/*
 * Many channel opens of one libssh2 session are under way at once: one that is never answered delays
 * nothing, a refusal says why, and an open that was given up is closed when its answer comes late.
 */
#include "tests/deps/peer.h"

enum { NOW = 1, NEVER, REFUSE, LATE }; /* target ports */
enum { HELD, CLOSED_BY_CLIENT, ANSWER_NOW };

#define OPENS   200
#define REFUSAL "name does not resolve: target"

static ssh_message late[OPENS];
static ssh_channel accepted[OPENS];
static int late_count, accepted_count;

static bool answer(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)session;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN)
        return false;
    switch (ssh_message_channel_request_open_destination_port(msg)) {
    case NOW:
        ssh_message_channel_request_open_reply_accept(msg);
        break;
    case REFUSE:
        ssh_message_channel_request_open_reply_failure(msg, 2, REFUSAL);
        break;
    default:
        late[late_count++] = msg;
        atomic_fetch_add(&server->counters[HELD], 1);
        return true;
    }
    ssh_message_free(msg);
    return true;
}

static void answer_late(struct peer_server *server, ssh_session session)
{
    (void)session;
    for (; atomic_load(&server->counters[ANSWER_NOW]) && late_count > 0; late_count--) {
        ssh_message msg = late[late_count - 1];
        if (ssh_message_channel_request_open_destination_port(msg) == LATE)
            accepted[accepted_count++] = ssh_message_channel_request_open_reply_accept(msg);
        ssh_message_free(msg);
    }
    int closed = 0;
    for (int i = 0; i < accepted_count; i++)
        closed += ssh_channel_is_closed(accepted[i]) != 0;
    atomic_store(&server->counters[CLOSED_BY_CLIENT], closed);
}

static LIBSSH2_CHANNEL *begin(struct peer_client *client, unsigned port)
{
    unsigned char msg[64];
    size_t len = peer_put_string(msg, "target");
    len += peer_put_u32(msg + len, port);
    len += peer_put_string(msg + len, "127.0.0.1");
    len += peer_put_u32(msg + len, 4321);
    LIBSSH2_CHANNEL *channel = libssh2_channel_open_begin(client->session, "direct-tcpip", 12,
                                                          65536, 32768, (char *)msg, (unsigned)len);
    assert_non_null(channel);
    return channel;
}

static int finish(struct peer_client *client, LIBSSH2_CHANNEL *channel, uint32_t *reason,
                  char *text, size_t cap)
{
    uint64_t end = peer_now_ms() + PEER_PATIENCE_MS;
    int rc;
    while ((rc = libssh2_channel_open_finish(channel, reason, text, cap)) == LIBSSH2_ERROR_EAGAIN &&
           peer_now_ms() < end)
        peer_client_wait(client, 100);
    return rc;
}

static void start(struct peer_server *server, struct peer_client *client)
{
    late_count = accepted_count = 0;
    peer_server_start(server);
    peer_login(client, server->port);
    libssh2_session_set_blocking(client->session, 0);
}

static void stop(struct peer_server *server, struct peer_client *client)
{
    peer_client_close(client);
    peer_server_stop(server);
    while (late_count > 0)
        ssh_message_free(late[--late_count]);
}

/* Runs the client until the server has seen `least` closes. */
static void run_until_closed(struct peer_client *client, struct peer_server *server, int least)
{
    LIBSSH2_CHANNEL *pump = begin(client, NEVER); /* any unanswered open will do to read with */
    uint64_t end = peer_now_ms() + PEER_PATIENCE_MS;
    while (atomic_load(&server->counters[CLOSED_BY_CLIENT]) < least && peer_now_ms() < end) {
        assert_int_equal(libssh2_channel_open_finish(pump, NULL, NULL, 0), LIBSSH2_ERROR_EAGAIN);
        peer_client_wait(client, 10);
    }
    assert_int_equal(atomic_load(&server->counters[CLOSED_BY_CLIENT]), least);
    assert_int_equal(libssh2_channel_free(pump), 0);
}

static void unanswered_open_delays_nothing(void **state)
{
    struct peer_server server = {.on_message = answer, .on_round = answer_late};
    struct peer_client client;
    LIBSSH2_CHANNEL *never, *open[OPENS];
    (void)state;

    start(&server, &client);
    never = begin(&client, NEVER);
    for (int i = 0; i < OPENS; i++)
        open[i] = begin(&client, NOW);
    for (int i = OPENS - 1; i >= 0; i--)
        assert_int_equal(finish(&client, open[i], NULL, NULL, 0), 0);
    assert_int_equal(libssh2_channel_open_finish(never, NULL, NULL, 0), LIBSSH2_ERROR_EAGAIN);
    assert_int_equal(libssh2_channel_write(open[7], "x", 1), 1);
    assert_int_equal(libssh2_channel_write(never, "x", 1), LIBSSH2_ERROR_BAD_USE);
    stop(&server, &client);
}

static void refusal_says_why(void **state)
{
    struct peer_server server = {.on_message = answer, .on_round = answer_late};
    struct peer_client client;
    char text[64] = "", little[9] = "";
    uint32_t reason = 0;
    (void)state;

    start(&server, &client);
    LIBSSH2_CHANNEL *no = begin(&client, REFUSE);
    assert_int_equal(finish(&client, no, &reason, text, sizeof text),
                     LIBSSH2_ERROR_CHANNEL_FAILURE);
    assert_int_equal(reason, 2);
    assert_string_equal(text, REFUSAL);
    assert_int_equal(finish(&client, no, NULL, little, sizeof little),
                     LIBSSH2_ERROR_CHANNEL_FAILURE);
    assert_string_equal(little, "name doe");
    assert_int_equal(finish(&client, no, NULL, NULL, 0), LIBSSH2_ERROR_CHANNEL_FAILURE);
    assert_int_equal(libssh2_channel_free(no), 0);
    stop(&server, &client);
}

static void abandoned_open_is_closed_when_it_is_answered(void **state)
{
    struct peer_server server = {.on_message = answer, .on_round = answer_late};
    struct peer_client client;
    (void)state;

    start(&server, &client);
    for (int i = 0; i < 20; i++)
        assert_int_equal(libssh2_channel_free(begin(&client, i % 2 ? LATE : REFUSE)), 0);
    assert_true(peer_wait(&server.counters[HELD], 10));
    atomic_store(&server.counters[ANSWER_NOW], 1);
    run_until_closed(&client, &server, 10);
    stop(&server, &client);
}

static void unanswered_opens_are_capped(void **state)
{
    struct peer_server server = {.on_message = NULL};
    struct peer_client client;
    int begun = 0;
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    libssh2_session_set_blocking(client.session, 0);
    while (begun < 5000) {
        if (libssh2_channel_open_begin(client.session, "x@test", 6, 65536, 32768, NULL, 0) != NULL)
            begun++;
        else if (libssh2_session_last_errno(client.session) != LIBSSH2_ERROR_EAGAIN)
            break;
        else
            peer_client_wait(&client, 10);
    }
    assert_int_equal(libssh2_session_last_errno(client.session), LIBSSH2_ERROR_OUT_OF_BOUNDARY);
    assert_int_equal(begun, 1024);
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unanswered_open_delays_nothing),
        cmocka_unit_test(refusal_says_why),
        cmocka_unit_test(abandoned_open_is_closed_when_it_is_answered),
        cmocka_unit_test(unanswered_opens_are_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
