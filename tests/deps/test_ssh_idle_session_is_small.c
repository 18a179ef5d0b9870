/*
 * A session that is idle again after a burst of traffic costs the server little memory. The server
 * runs in a process of its own, so that what it has allocated is its own; it also prints its PSS.
 */
#include "tests/deps/peer.h"

#include <malloc.h>
#include <sys/wait.h>

#define SESSIONS 60
#define BURST    (512 * 1024)
#define IDLE_MAX (24 * 1024) /* heap bytes a session, with one open channel */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
size_t __sanitizer_get_current_allocated_bytes(void);
static size_t heap_in_use(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
static size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#endif

static long pss_kib(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    long kib = -1;
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "Pss:", 4) == 0)
            kib = strtol(line + 4, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib;
}

struct held {
    ssh_session session;
    ssh_channel channel;
} held[SESSIONS];
static int held_count;

static bool accept_open(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)server;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN || held_count == SESSIONS)
        return false;
    held[held_count].session = session;
    held[held_count++].channel = ssh_message_channel_request_open_reply_accept(msg);
    ssh_message_free(msg);
    return true;
}

static void echo(struct peer_server *server, ssh_session session)
{
    static char buf[16384];
    (void)server;
    for (int i = 0; i < held_count; i++) {
        int n = 1;
        while (held[i].session == session && n > 0) {
            uint32_t room = ssh_channel_window_size(held[i].channel);
            n = ssh_channel_read_nonblocking(held[i].channel, buf,
                                             room < sizeof buf ? room : sizeof buf, 0);
            if (n > 0)
                ssh_channel_write(held[i].channel, buf, (uint32_t)n);
        }
    }
}

/* The server process: answers each byte from `ask` with its heap use and PSS. */
static int serve(int ask, int answer)
{
    struct peer_server server = {.on_message = accept_open, .on_round = echo};
    char what;

    peer_server_start(&server);
    if (write(answer, &server.port, sizeof server.port) != sizeof server.port)
        return 1;
    while (read(ask, &what, 1) == 1) {
        peer_sleep_ms(200);
        malloc_trim(0);
        size_t use[2] = {heap_in_use(), (size_t)pss_kib()};
        if (write(answer, use, sizeof use) != sizeof use)
            return 1;
    }
    peer_server_stop(&server);
    return 0;
}

static void measure(int ask, int answer, size_t use[2])
{
    assert_int_equal(write(ask, "m", 1), 1);
    assert_int_equal(read(answer, use, 2 * sizeof use[0]), 2 * sizeof use[0]);
}

static void burst(struct peer_client *client, LIBSSH2_CHANNEL *channel)
{
    static char out[32768], in[32768];
    size_t sent = 0, got = 0;

    libssh2_session_set_blocking(client->session, 0);
    while (got < BURST) {
        ssize_t w = sent < BURST ? libssh2_channel_write(channel, out, sizeof out) : 0;
        ssize_t r = libssh2_channel_read(channel, in, sizeof in);
        assert_true(w >= 0 || w == LIBSSH2_ERROR_EAGAIN);
        assert_true(r >= 0 || r == LIBSSH2_ERROR_EAGAIN);
        sent += w > 0 ? (size_t)w : 0;
        got += r > 0 ? (size_t)r : 0;
        if (w <= 0 && r <= 0)
            peer_client_wait(client, 100);
    }
    libssh2_session_set_blocking(client->session, 1);
}

static void idle_session_is_small_after_a_burst(void **state)
{
    static struct peer_client clients[SESSIONS];
    static LIBSSH2_CHANNEL *channels[SESSIONS];
    size_t none[2], idle[2], after[2];
    int ask[2], answer[2], status;
    uint16_t port = 0;
    (void)state;

    assert_int_equal(pipe(ask), 0);
    assert_int_equal(pipe(answer), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ask[1]);
        _exit(serve(ask[0], answer[1]));
    }
    assert_int_equal(read(answer[0], &port, sizeof port), sizeof port);
    measure(ask[1], answer[0], none);
    for (int i = 0; i < SESSIONS; i++)
        peer_login(&clients[i], port);
    measure(ask[1], answer[0], idle);
    for (int i = 0; i < SESSIONS; i++) {
        channels[i] = peer_open(&clients[i], 80);
        assert_non_null(channels[i]);
        burst(&clients[i], channels[i]);
    }
    measure(ask[1], answer[0], after);
    print_message("per idle session: heap %zu bytes, after a burst %zu (with an open channel); "
                  "PSS %zu and %zu KiB\n",
                  (idle[0] - none[0]) / SESSIONS, (after[0] - none[0]) / SESSIONS,
                  (idle[1] - none[1]) / SESSIONS, (after[1] - none[1]) / SESSIONS);
    assert_true((after[0] - none[0]) / SESSIONS <= IDLE_MAX);

    for (int i = 0; i < SESSIONS; i++)
        peer_client_close(&clients[i]);
    close(ask[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_session_is_small_after_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
