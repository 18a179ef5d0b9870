/*
 * The client as an event loop uses it: data is read where it was decrypted and written where it is
 * encrypted. All of it arrives, in order, whatever its size, however little of it is taken at a
 * time and whatever else arrives in between; no packet is larger than the peer allows; what is unread
 * takes no more memory in small packets than in large ones; and nothing of a packet with a flipped bit
 * is ever shown.
 */
#include <malloc.h>

#include "tests/deps/peer.h"

#define CHANNELS   3
#define BUSY       64
#define BUSY_BYTES (256 * 1024)
#define STALL_MS   5000
#define WINDOW     (256 * 1024)
#define PACKET_MAX 32768
#define PIECES     4
#define OUTPUT_MAX (200 * 1024)

static const char *const ciphers[] = {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
                                      "chacha20-poly1305@openssh.com", "aes256-ctr"};

/* server thread only */
static struct echoed {
    ssh_channel channel;
    uint32_t len;
    char kept[PACKET_MAX];
} echoed[BUSY];
static int echo_count;

static bool accept_open(struct peer_server *server, ssh_session session, ssh_message msg)
{
    (void)server;
    (void)session;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN || echo_count == BUSY)
        return false;
    echoed[echo_count].len = 0;
    echoed[echo_count++].channel = ssh_message_channel_request_open_reply_accept(msg);
    ssh_message_free(msg);
    return true;
}

static void forget(struct peer_server *server, ssh_session session)
{
    (void)server;
    (void)session;
    echo_count = 0;
}

/* Sends back what comes. What libssh does not take, as while keys are exchanged, is kept. */
static void echo(struct peer_server *server, ssh_session session)
{
    (void)server;
    (void)session;
    for (int i = 0; i < echo_count; i++) {
        struct echoed *e = &echoed[i];
        uint32_t room = ssh_channel_window_size(e->channel);
        int n = 0;

        if (e->len == 0)
            n = ssh_channel_read_nonblocking(e->channel, e->kept, PACKET_MAX, 0);
        e->len += n > 0 ? (uint32_t)n : 0;
        n = room > 0 && e->len > 0
                ? ssh_channel_write(e->channel, e->kept, e->len < room ? e->len : room)
                : 0;
        if (n > 0) {
            e->len -= (uint32_t)n;
            memmove(e->kept, e->kept + n, e->len);
        }
    }
}

/* --- the client ----------------------------------------------------------------------------- */

struct end {
    LIBSSH2_CHANNEL *channel;
    size_t sent, got; /* bytes of the pattern */
    unsigned salt;
};

static unsigned char pattern(const struct end *e, size_t at)
{
    return (unsigned char)(at * 31 + at / 251 + e->salt);
}

static LIBSSH2_CHANNEL *open_channel(struct peer_client *client)
{
    unsigned char msg[64];
    size_t len = peer_put_string(msg, "target");

    len += peer_put_u32(msg + len, 80);
    len += peer_put_string(msg + len, "127.0.0.1");
    len += peer_put_u32(msg + len, 1);
    return libssh2_channel_open_ex(client->session, "direct-tcpip", 12, WINDOW, PACKET_MAX,
                                   (char *)msg, (unsigned)len);
}

static void start_session(struct peer_client *client, const char *cipher, struct end *ends,
                          int count)
{
    libssh2_session_method_pref(client->session, LIBSSH2_METHOD_CRYPT_CS, cipher);
    libssh2_session_method_pref(client->session, LIBSSH2_METHOD_CRYPT_SC, cipher);
    assert_int_equal(libssh2_session_handshake(client->session, client->fd), 0);
    assert_int_equal(peer_try_login(client), 0);
    for (int i = 0; i < count; i++) {
        ends[i] = (struct end){.channel = open_channel(client), .salt = (unsigned)i * 77};
        assert_non_null(ends[i].channel);
    }
    libssh2_session_set_blocking(client->session, 0);
    assert_int_equal(libssh2_session_flag(client->session, LIBSSH2_FLAG_EVENT_LOOP, 1), 0);
}

static void start(struct peer_server *server, struct peer_client *client, const char *cipher,
                  struct end *ends, int count)
{
    peer_client_open(client, server->port);
    start_session(client, cipher, ends, count);
}

/*
 * `len` bytes of the pattern, or less if there is room for less, in as many packets as that takes.
 * Returns how much was queued.
 */
static size_t send_bytes(struct end *e, size_t len)
{
    libssh2_room rooms[LIBSSH2_WRITE_ROOMS];
    int count = libssh2_channel_write_begin(e->channel, rooms, LIBSSH2_WRITE_ROOMS);
    size_t put = 0;

    if (count == LIBSSH2_ERROR_EAGAIN)
        return 0;
    assert_in_range(count, 0, LIBSSH2_WRITE_ROOMS);
    for (int i = 0; i < count; i++) {
        assert_in_range(rooms[i].len, 1, PACKET_MAX);
        for (size_t k = 0; k < rooms[i].len && put < len; k++, put++)
            rooms[i].data[k] = pattern(e, e->sent + put);
    }
    assert_int_equal(libssh2_channel_write_end(e->channel, put), 0);
    e->sent += put;
    return put;
}

/* Takes at most `most` bytes of what has come, and grants as much again. */
static size_t take(struct end *e, size_t most)
{
    libssh2_piece pieces[PIECES];
    int count = libssh2_channel_peek(e->channel, pieces, PIECES);
    size_t taken = 0;

    for (int i = 0; i < count && taken < most; i++) {
        assert_true(pieces[i].len > 0 && pieces[i].len <= PACKET_MAX);
        for (size_t k = 0; k < pieces[i].len && taken < most; k++, taken++) {
            if (pieces[i].data[k] != pattern(e, e->got + taken))
                fail_msg("byte %zu of channel %u is wrong", e->got + taken, e->salt / 77);
        }
    }
    libssh2_channel_consume(e->channel, taken);
    e->got += taken;
    /* What had to wait is missing in the window, and so is granted by a later call. */
    unsigned long granted = libssh2_channel_window_read_ex(e->channel, NULL, NULL);
    if (granted < WINDOW / 2) {
        int rc = libssh2_channel_receive_window_adjust2(e->channel, WINDOW - granted, 1, NULL);
        assert_true(rc == 0 || rc == LIBSSH2_ERROR_EAGAIN);
    }
    return taken;
}

/* Sends what is queued, then receives once; waits for the socket when there is nothing. */
static int turn(struct peer_client *client)
{
    int rc = libssh2_session_flush(client->session);

    if (rc == 0 || rc == LIBSSH2_ERROR_EAGAIN)
        rc = libssh2_session_receive(client->session);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        peer_client_wait(client, 10);
    return rc;
}

/* Sizes around everything that is a limit somewhere, then all small ones. */
static size_t size_of(size_t i)
{
    static const size_t edges[] = {32768, 32767, 32753, 32752, 32751, 16384, 16383, 4096,  4095,
                                   1,     32769, 65535, 65536, 65537, 98304, 98305, 131072};
    size_t n = sizeof edges / sizeof edges[0];

    return i < n ? edges[i] : (i - n) % 300 + 1;
}

/*
 * Channel 0 takes everything at once; channel 1 a few bytes a turn until all is sent, so that what
 * it leaves is moved out of the buffer again and again; channel 2 nothing until the end.
 */
static void exchange(struct peer_client *client, struct end *ends)
{
    uint64_t until = peer_now_ms() + PEER_PATIENCE_MS;
    size_t next[CHANNELS] = {0}, packets = 320;

    for (;;) {
        bool sent_all = true, got_all = true;

        for (int i = 0; i < CHANNELS; i++) {
            size_t quota = i == 2 ? 6 : packets; /* all of that fits into the window */
            if (next[i] < quota && send_bytes(&ends[i], size_of(next[i])) > 0)
                next[i]++;
            sent_all = sent_all && next[i] == quota;
        }
        take(&ends[0], SIZE_MAX);
        take(&ends[1], sent_all ? SIZE_MAX : 977);
        if (sent_all)
            take(&ends[2], SIZE_MAX);
        for (int i = 0; i < CHANNELS; i++)
            got_all = got_all && ends[i].got == ends[i].sent;
        if (sent_all && got_all)
            return;
        int rc = turn(client);
        assert_true(rc == 0 || rc == LIBSSH2_ERROR_EAGAIN);
        if (rc == 0)
            until = peer_now_ms() + PEER_PATIENCE_MS;
        assert_true(libssh2_session_output_pending(client->session) < OUTPUT_MAX);
        assert_true(peer_now_ms() < until);
        libssh2_session_trim(client->session);
    }
}

static void every_size_arrives_in_order(void **state)
{
    struct peer_server server = {
        .on_message = accept_open, .on_round = echo, .on_end = forget, .window = WINDOW};
    struct peer_client client;
    struct end ends[CHANNELS];
    (void)state;

    peer_server_start(&server);
    for (size_t c = 0; c < sizeof ciphers / sizeof ciphers[0]; c++) {
        int ended = atomic_load(&server.ended);
        start(&server, &client, ciphers[c], ends, CHANNELS);
        exchange(&client, ends);
        peer_client_close(&client);
        assert_true(peer_wait(&server.ended, ended + 1));
    }
    peer_server_stop(&server);
}

static void keys_are_exchanged_while_data_waits_in_the_buffer(void **state)
{
    struct peer_server server = {.on_message = accept_open,
                                 .on_round = echo,
                                 .on_end = forget,
                                 .window = WINDOW,
                                 .rekey_bytes = 64 * 1024};
    struct peer_client client;
    struct end ends[CHANNELS];
    (void)state;

    peer_server_start(&server);
    start(&server, &client, ciphers[0], ends, CHANNELS);
    exchange(&client, ends);
    peer_client_close(&client);
    peer_server_stop(&server);
}

static void keys_are_exchanged_under_many_busy_channels(void **state)
{
    struct peer_server server = {.on_message = accept_open,
                                 .on_round = echo,
                                 .on_end = forget,
                                 .window = WINDOW,
                                 .rekey_bytes = 256 * 1024};
    static struct end ends[BUSY];
    struct peer_client client;
    uint64_t moved = 0, limit;
    (void)state;

    peer_server_start(&server);
    start(&server, &client, ciphers[0], ends, BUSY);
    limit = peer_now_ms() + STALL_MS;
    while (moved < (uint64_t)BUSY * BUSY_BYTES) {
        uint64_t before = moved;
        for (int i = 0; i < BUSY; i++) {
            if (ends[i].sent < BUSY_BYTES)
                send_bytes(&ends[i], BUSY_BYTES - ends[i].sent);
            moved += take(&ends[i], SIZE_MAX);
        }
        int rc = turn(&client);
        assert_true(rc == 0 || rc == LIBSSH2_ERROR_EAGAIN);
        if (moved > before)
            limit = peer_now_ms() + STALL_MS;
        assert_true(peer_now_ms() < limit);
    }
    for (int i = 0; i < BUSY; i++)
        assert_int_equal(ends[i].got, BUSY_BYTES);
    peer_client_close(&client);
    peer_server_stop(&server);
}

static void nothing_is_written_beyond_window_packet_and_queue(void **state)
{
    struct peer_server server = {.on_message = accept_open, .on_end = forget, .window = 100000};
    struct peer_client client;
    struct end ends[2];
    libssh2_room rooms[LIBSSH2_WRITE_ROOMS];
    (void)state;

    peer_server_start(&server); /* which reads nothing */
    start(&server, &client, ciphers[0], ends, 2);
    assert_int_equal(libssh2_channel_write_begin(ends[0].channel, rooms, 2), 2);
    assert_int_equal(rooms[0].len, PACKET_MAX);
    assert_int_equal(rooms[1].len, PACKET_MAX);
    assert_int_equal(libssh2_channel_write_end(ends[0].channel, 2 * PACKET_MAX + 1),
                     LIBSSH2_ERROR_BAD_USE);
    /* given back: nothing was sent, and the next one gets the same room */
    assert_int_equal(libssh2_channel_write_end(ends[0].channel, 0), 0);
    assert_int_equal(libssh2_session_output_pending(client.session), 0);
    /* the window ends in the fourth packet */
    assert_int_equal(libssh2_channel_write_begin(ends[0].channel, rooms, LIBSSH2_WRITE_ROOMS), 4);
    assert_int_equal(rooms[3].len, 100000 - 3 * PACKET_MAX);
    assert_int_equal(libssh2_channel_write_end(ends[0].channel, 0), 0);
    while (send_bytes(&ends[0], PACKET_MAX) > 0)
        ;
    assert_int_equal(ends[0].sent, 100000);
    assert_int_equal(libssh2_channel_write_begin(ends[0].channel, rooms, 1), 0);
    assert_int_equal(libssh2_channel_send_eof(ends[0].channel), 0);
    assert_int_equal(libssh2_channel_write_begin(ends[0].channel, rooms, 1),
                     LIBSSH2_ERROR_CHANNEL_EOF_SENT);
    peer_client_close(&client);
    peer_server_stop(&server);
}

static void an_empty_queue_takes_a_large_batch_and_another_is_only_filled_up(void **state)
{
    struct peer_server server = {
        .on_message = accept_open, .on_end = forget, .window = 4 * 1024 * 1024};
    struct peer_client client;
    struct end ends[1];
    libssh2_room rooms[LIBSSH2_WRITE_ROOMS];
    LIBSSH2_CHANNEL *ch;
    (void)state;

    peer_server_start(&server);
    start(&server, &client, ciphers[0], ends, 1);
    ch = ends[0].channel;
    assert_int_equal(libssh2_channel_write_begin(ch, rooms, LIBSSH2_WRITE_ROOMS), 16);
    assert_int_equal(libssh2_channel_write_end(ch, (size_t)3 * PACKET_MAX), 0);
    /* 98 KiB wait: one packet, and it may reach beyond 128 KiB */
    assert_int_equal(libssh2_channel_write_begin(ch, rooms, LIBSSH2_WRITE_ROOMS), 1);
    assert_int_equal(libssh2_channel_write_end(ch, PACKET_MAX), 0);
    assert_in_range(libssh2_session_output_pending(client.session), 128 * 1024, 160 * 1024);
    /* that is full: it is sent, and the socket takes all of it */
    assert_int_equal(libssh2_channel_write_begin(ch, rooms, LIBSSH2_WRITE_ROOMS), 16);
    assert_int_equal(libssh2_session_output_pending(client.session), 0);
    assert_int_equal(libssh2_channel_write_end(ch, 0), 0);
    peer_client_close(&client);
    peer_server_stop(&server);
}

/* --- packets of one byte -------------------------------------------------------------------- */

#define SINGLES 8000 /* on each channel */

/* LIBSSH2_ALLOC_FUNC and its kin, counting bytes */
static size_t held;

static void *count_alloc(size_t size, void **abstract)
{
    (void)abstract;
    void *p = malloc(size);
    held += p != NULL ? malloc_usable_size(p) : 0;
    return p;
}

static void count_free(void *p, void **abstract)
{
    (void)abstract;
    held -= p != NULL ? malloc_usable_size(p) : 0;
    free(p);
}

static void *count_realloc(void *p, size_t size, void **abstract)
{
    (void)abstract;
    held -= p != NULL ? malloc_usable_size(p) : 0;
    p = realloc(p, size);
    held += p != NULL ? malloc_usable_size(p) : 0;
    return p;
}

/* server thread only: one byte to each channel in turn; the last one gets them as extended data */
static size_t singles_sent;

static void send_singles(struct peer_server *server, ssh_session session)
{
    (void)server;
    if (echo_count < CHANNELS)
        return;
    while (singles_sent < SINGLES && ssh_session_output_pending(session) < OUTPUT_MAX) {
        for (unsigned i = 0; i < CHANNELS; i++) {
            struct end e = {.salt = i * 77};
            unsigned char byte = pattern(&e, singles_sent);
            if (i < CHANNELS - 1)
                ssh_channel_write(echoed[i].channel, &byte, 1);
            else
                ssh_channel_write_stderr(echoed[i].channel, &byte, 1);
        }
        singles_sent++;
    }
}

static void receive_singles(struct peer_client *client, struct end *ends)
{
    uint64_t until = peer_now_ms() + PEER_PATIENCE_MS;
    unsigned long waiting = 0;

    for (int i = 0; i < CHANNELS;) {
        libssh2_channel_window_read_ex(ends[i].channel, &waiting, NULL);
        if (waiting == SINGLES) {
            i++;
            continue;
        }
        int rc = turn(client);
        assert_true(rc == 0 || rc == LIBSSH2_ERROR_EAGAIN);
        if (rc == 0) /* on a busy machine it takes its time */
            until = peer_now_ms() + PEER_PATIENCE_MS;
        assert_true(peer_now_ms() < until);
    }
}

/* What it is worth to a peer to send a window in packets of one byte. */
static void unread_packets_of_one_byte_take_no_more_memory_than_large_ones(void **state)
{
    struct peer_server server = {
        .on_message = accept_open, .on_round = send_singles, .on_end = forget, .window = WINDOW};
    struct peer_client client;
    struct end ends[CHANNELS];
    char byte;
    (void)state;

    for (size_t c = 0; c < sizeof ciphers / sizeof ciphers[0]; c++) {
        singles_sent = 0;
        peer_server_start(&server);
        peer_client_open(&client, server.port);
        libssh2_session_free(client.session);
        held = 0;
        client.session = libssh2_session_init_ex(count_alloc, count_free, count_realloc, NULL);
        libssh2_session_set_timeout(client.session, PEER_PATIENCE_MS);
        start_session(&client, ciphers[c], ends, CHANNELS);
        receive_singles(&client, ends);
        assert_true(held < 1024 * 1024); /* buffers of 256 KiB included; it was 3 MB */

        while (ends[0].got < 1000)
            assert_true(take(&ends[0], 7) > 0);
        while (ends[0].got < SINGLES)
            assert_true(take(&ends[0], SIZE_MAX) > 0);
        while (ends[1].got < SINGLES)
            assert_true(take(&ends[1], SIZE_MAX) > 0);
        for (; ends[2].got < SINGLES; ends[2].got++) {
            assert_int_equal(libssh2_channel_read_ex(ends[2].channel, 1, &byte, 1), 1);
            assert_int_equal((unsigned char)byte, pattern(&ends[2], ends[2].got));
        }
        peer_client_close(&client);
        peer_server_stop(&server);
    }
}

/* --- flipped bits --------------------------------------------------------------------------- */

/* Echoes `size` bytes with byte `at` of their packet damaged; the packet before it was good. */
static void flip(struct peer_server *server, const char *cipher, size_t size, long at)
{
    struct peer_client client;
    struct end e;
    libssh2_piece piece;
    int rc = 0, ended = atomic_load(&server->ended);
    uint64_t until = peer_now_ms() + PEER_PATIENCE_MS;

    start(server, &client, cipher, &e, 1);
    libssh2_session_callback_set2(client.session, LIBSSH2_CALLBACK_RECV,
                                  (libssh2_cb_generic *)peer_recv_flipped);
    send_bytes(&e, 5);
    while (e.got < 5 && peer_now_ms() < until) {
        assert_true(turn(&client) != LIBSSH2_ERROR_SOCKET_RECV);
        take(&e, SIZE_MAX);
    }
    assert_int_equal(e.got, 5);
    while (libssh2_session_receive(client.session) == 0)
        ; /* nothing is under way */
    peer_flip_at = at;
    peer_flip_mask = (unsigned char)(1 << (at % 8));
    send_bytes(&e, size);
    do
        rc = turn(&client);
    while ((rc == 0 || rc == LIBSSH2_ERROR_EAGAIN) && peer_flip_at >= 0 && peer_now_ms() < until);
    /* a longer packet length waits for more than there is: then nothing comes, and nothing is shown */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(libssh2_channel_peek(e.channel, &piece, 1), 0);
        rc = libssh2_session_receive(client.session);
        assert_true(rc < 0);
        if (at >= 4)
            assert_true(rc != LIBSSH2_ERROR_EAGAIN);
    }
    peer_flip_at = -1;
    peer_client_close(&client);
    assert_true(peer_wait(&server->ended, ended + 1));
}

static void a_flipped_bit_is_never_shown(void **state)
{
    static const size_t sizes[] = {1, 30, 4000};
    struct peer_server server = {
        .on_message = accept_open, .on_round = echo, .on_end = forget, .window = WINDOW};
    (void)state;

    peer_server_start(&server);
    for (size_t c = 0; c < 3; c++) {
        for (size_t s = 0; s < 3; s++) {
            /* length, padding length, type, channel, length, data, padding, tag */
            long last = 4 + 1 + 9 + (long)sizes[s] + 16;
            for (long at = 0; at < last; at += at < 20 || at > last - 20 ? 1 : 397)
                flip(&server, ciphers[c], sizes[s], at);
        }
    }
    peer_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_arrives_in_order),
        cmocka_unit_test(keys_are_exchanged_while_data_waits_in_the_buffer),
        cmocka_unit_test(keys_are_exchanged_under_many_busy_channels),
        cmocka_unit_test(nothing_is_written_beyond_window_packet_and_queue),
        cmocka_unit_test(an_empty_queue_takes_a_large_batch_and_another_is_only_filled_up),
        cmocka_unit_test(unread_packets_of_one_byte_take_no_more_memory_than_large_ones),
        cmocka_unit_test(a_flipped_bit_is_never_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
