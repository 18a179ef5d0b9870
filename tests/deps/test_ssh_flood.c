/* What a peer may pile up at the server: stack by many small packets, output by not reading. */
#include "tests/deps/peer.h"

#define FLOOD         (512 * 1024)
#define PILE          10000              /* bytes that must be seen to wait */
#define SEND_MAX      (64 * 1024 * 1024) /* no socket buffers hold so much */
#define SOCKET_BUFFER 32768

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK (1024 * 1024) /* frames are larger with a sanitizer */
#else
#define STACK (192 * 1024)
#endif

enum { PENDING_MAX, PENDING };

/* Smallest packets before any key: SSH_MSG_IGNORE with an empty string (RFC 4253 sections 6, 11.2). */
static void flood_before_login_needs_no_stack(void **state)
{
    static const unsigned char ignore[16] = {0, 0, 0, 12, 6, 2};
    static const char banner[] = "SSH-2.0-flood\r\n";
    struct peer_server server = {.stack_bytes = STACK};
    struct peer_client client;
    (void)state;

    char *flood = malloc(FLOOD);
    for (size_t i = 0; i < FLOOD; i += sizeof ignore)
        memcpy(flood + i, ignore, sizeof ignore);
    peer_server_start(&server);
    int fd = peer_connect(server.port);
    assert_int_equal(write(fd, banner, sizeof banner - 1), sizeof banner - 1);
    assert_int_equal(write(fd, flood, FLOOD), FLOOD);
    peer_sleep_ms(200);
    assert_int_equal(atomic_load(&server.ended), 0); /* all of it was read, and is allowed */
    close(fd);
    assert_true(peer_wait(&server.ended, 1));
    free(flood);

    peer_login(&client, server.port);
    peer_client_close(&client);
    peer_server_stop(&server);
}

/*
 * The server talks until output waits, rather than answering a flood: where both ends send while one
 * does not read, Linux 6.18 drops whatever lies beyond a full receive buffer, acknowledgements of the
 * other direction with it, and the connection then stands for seconds at a time.
 */
static void talk_until_output_waits(struct peer_server *server, ssh_session session)
{
    char text[1024] = {0};
    int pending = (int)ssh_session_output_pending(session);
    int *sent = server->arg;

    if (atomic_load(&server->logins) == 1 && atomic_load(&server->counters[PENDING_MAX]) < PILE &&
        *sent < SEND_MAX) {
        memset(text, 'x', sizeof text - 1);
        for (int i = 0; i < 64; i++)
            ssh_send_ignore(session, text);
        *sent += 64 * (int)sizeof text;
        pending = (int)ssh_session_output_pending(session);
    }
    if (pending > atomic_load(&server->counters[PENDING_MAX]))
        atomic_store(&server->counters[PENDING_MAX], pending);
    atomic_store(&server->counters[PENDING], pending);
}

static void server_sees_output_pile_up(void **state)
{
    int sent = 0;
    struct peer_server server = {
        .on_round = talk_until_output_waits, .sndbuf = SOCKET_BUFFER, .arg = &sent};
    struct peer_client client;
    (void)state;

    peer_server_start(&server);
    peer_login(&client, server.port);
    assert_true(peer_wait(&server.counters[PENDING_MAX], PILE));

    char drain[16384];
    uint64_t end = peer_now_ms() + 3 * PEER_PATIENCE_MS;
    while (atomic_load(&server.counters[PENDING]) > 0 && peer_now_ms() < end) {
        struct pollfd p = {.fd = client.fd, .events = POLLIN};
        if (poll(&p, 1, 10) == 1)
            assert_true(recv(client.fd, drain, sizeof drain, 0) > 0);
    }
    assert_int_equal(atomic_load(&server.counters[PENDING]), 0);
    peer_client_close(&client);
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flood_before_login_needs_no_stack),
        cmocka_unit_test(server_sees_output_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
