/*
 * What a gateway may be granted by several connections of one tunnel together. channel_pump.c is the
 * real one; libssh2's window, the socket and the clock are played, so that thousands of moments, each
 * the worst that the gateway and the programs can choose, take no time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/channel_internal.h"
#include "client/sock.h"

static uint64_t now_us;

static uint64_t played_hrtime(void)
{
    return now_us * 1000;
}

#define uv_hrtime played_hrtime
#include "client/channel_pump.c"
#undef uv_hrtime

#define SESSIONS 3
#define CHANNELS 5 /* of each session */
#define ALL      (SESSIONS * CHANNELS)
#define MOMENTS  20000

/* libssh2's side of a channel: `window` shrinks as the program takes what came. */
struct _LIBSSH2_CHANNEL {
    unsigned long window;
    size_t unread;
};

static struct _LIBSSH2_CHANNEL played[ALL];
static struct channel channels[ALL];
static struct session sessions[SESSIONS];
static struct session_shared shared;
static bool program_reads, queue_is_full;

/* --- what channel_pump.c calls ---------------------------------------------------------------- */

unsigned long libssh2_channel_window_read_ex(LIBSSH2_CHANNEL *channel, unsigned long *read_avail,
                                             unsigned long *window_size_initial)
{
    (void)read_avail;
    (void)window_size_initial;
    return channel->window;
}

int libssh2_channel_receive_window_adjust2(LIBSSH2_CHANNEL *channel, unsigned long adjustment,
                                           unsigned char force, unsigned int *storewindow)
{
    (void)force;
    (void)storewindow;
    if (queue_is_full)
        return LIBSSH2_ERROR_EAGAIN;
    channel->window += adjustment;
    return 0;
}

int libssh2_channel_peek(LIBSSH2_CHANNEL *channel, libssh2_piece *pieces, int max)
{
    assert_true(max > 0);
    pieces[0] = (libssh2_piece){.data = (const unsigned char *)"", .len = channel->unread};
    return channel->unread > 0;
}

void libssh2_channel_consume(LIBSSH2_CHANNEL *channel, size_t len)
{
    assert_true(len <= channel->unread);
    channel->unread -= len;
    channel->window -= len;
}

ssize_t sock_writev(int fd, const uv_buf_t *pieces, unsigned count)
{
    (void)fd;
    assert_int_equal(count, 1);
    if (!program_reads)
        return UV_EAGAIN;
    /* Now all of it, now a part. */
    return rand() % 2 ? (ssize_t)pieces[0].len : (ssize_t)((size_t)rand() % pieces[0].len) + 1;
}

int libssh2_channel_eof(LIBSSH2_CHANNEL *channel)
{
    (void)channel;
    return 0;
}

/* None of these has a part in it. */
int libssh2_channel_write_begin(LIBSSH2_CHANNEL *channel, libssh2_room *rooms, int max)
{
    (void)channel;
    (void)rooms;
    (void)max;
    return 0;
}

int libssh2_channel_write_end(LIBSSH2_CHANNEL *channel, size_t len)
{
    (void)channel;
    (void)len;
    return LIBSSH2_ERROR_BAD_USE;
}

int libssh2_channel_get_exit_signal(LIBSSH2_CHANNEL *channel, char **exitsignal,
                                    size_t *exitsignal_len, char **errmsg, size_t *errmsg_len,
                                    char **langtag, size_t *langtag_len)
{
    (void)channel, (void)exitsignal, (void)exitsignal_len, (void)errmsg;
    (void)errmsg_len, (void)langtag, (void)langtag_len;
    return LIBSSH2_ERROR_BAD_USE;
}

void libssh2_free(LIBSSH2_SESSION *session, void *ptr)
{
    (void)session;
    (void)ptr;
}

int libssh2_channel_wait_closed(LIBSSH2_CHANNEL *channel)
{
    (void)channel;
    return LIBSSH2_ERROR_EAGAIN;
}

int libssh2_channel_send_eof(LIBSSH2_CHANNEL *channel)
{
    (void)channel;
    return LIBSSH2_ERROR_EAGAIN;
}

ssize_t sock_readv(int fd, const uv_buf_t *pieces, unsigned count)
{
    (void)fd, (void)pieces, (void)count;
    return UV_EAGAIN;
}

void sock_shutdown_write(int fd)
{
    (void)fd;
}

void channel_watch(struct channel *ch, int events)
{
    (void)ch;
    (void)events;
}

void channel_finish(struct channel *ch, enum channel_end how, uint32_t reason, const char *text)
{
    (void)ch, (void)how, (void)reason, (void)text;
    fail_msg("a channel ended");
}

void channel_cut(struct channel *ch, enum channel_end how)
{
    (void)ch, (void)how;
    fail_msg("a channel was cut");
}

void session_fail_ssh(struct session *s, int rc)
{
    (void)s;
    fail_msg("the session failed: %d", rc);
}

/* --- moments ---------------------------------------------------------------------------------- */

static int begin(void **state)
{
    (void)state;
    srand(1);
    now_us = 1;
    shared = (struct session_shared){0};
    memset(channels, 0, sizeof(channels));
    for (size_t i = 0; i < SESSIONS; i++)
        sessions[i] = (struct session){.state = S_OPEN, .shared = &shared, .round_trip_us = 100000};
    for (size_t i = 0; i < ALL; i++) {
        played[i] = (struct _LIBSSH2_CHANNEL){.window = CHANNEL_WINDOW_FIRST};
        channels[i] = (struct channel){.state = CH_OPEN,
                                       .session = &sessions[i % SESSIONS],
                                       .ssh = &played[i],
                                       .fd = -1,
                                       .local_eof = true,
                                       .eof_sent = true,
                                       .window = CHANNEL_WINDOW_FIRST,
                                       .window_before = CHANNEL_WINDOW_FIRST,
                                       .period_began = now_us};
    }
    return 0;
}

/* What the gateway may make this PC hold beyond the first windows. */
static size_t promised(void)
{
    size_t sum = 0;

    for (size_t i = 0; i < ALL; i++)
        sum +=
            played[i].window > CHANNEL_WINDOW_FIRST ? played[i].window - CHANNEL_WINDOW_FIRST : 0;
    return sum;
}

/* The gateway sends `part` of 4 of what it may; the program takes of it what it wants. */
static void pump(size_t i, unsigned part)
{
    played[i].unread += (played[i].window - played[i].unread) / 4 * part;
    channels[i].writable = true;
    (void)channel_pump(&channels[i]);
}

static void assert_counted(void)
{
    size_t window = 0, granted = 0;
    unsigned bulk = 0;

    for (size_t i = 0; i < ALL; i++) {
        window += channels[i].window - CHANNEL_WINDOW_FIRST;
        granted += channels[i].granted;
        bulk += channels[i].window > CHANNEL_WINDOW_FIRST;
    }
    assert_int_equal(shared.window, window);
    assert_int_equal(shared.granted, granted);
    assert_int_equal(shared.bulk_channels, bulk);
}

/* Every flow is fast and far away. */
static void fast_flows_of_all_connections_share_one_limit(void **state)
{
    size_t most = 0;

    (void)state;
    program_reads = true;
    for (int n = 0; n < MOMENTS; n++) {
        now_us += 5000;
        pump((size_t)n % ALL, 4);
        most = promised() > most ? promised() : most;
    }
    assert_counted();
    assert_true(most > SESSION_WINDOW_MAX / 4 * 3); /* it is what limits them */
    assert_true(most <= SESSION_WINDOW_MAX);
}

/* One after the other is fast until its window is as large as it gets, then slow: what it was granted
   can still be sent. Moments between, in which the program or the output queue stands. */
static void no_order_of_moments_gets_past_the_limit(void **state)
{
    size_t most = 0, fast = 0;

    (void)state;
    for (int n = 0; n < MOMENTS; n++) {
        if (rand() % 200 == 0)
            fast = (size_t)rand() % ALL;
        now_us += (uint64_t)rand() % 60000;
        program_reads = rand() % 8 != 0;
        queue_is_full = rand() % 8 == 0;
        if (rand() % 4 != 0)
            pump(fast, 4);
        else
            pump((size_t)rand() % ALL, (unsigned)rand() % 5);
        most = promised() > most ? promised() : most;
        assert_true(most <= SESSION_WINDOW_MAX);
    }
    assert_counted();
    assert_true(most > SESSION_WINDOW_MAX / 4); /* large windows did arise */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fast_flows_of_all_connections_share_one_limit, begin),
        cmocka_unit_test_setup(no_order_of_moments_gets_past_the_limit, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
