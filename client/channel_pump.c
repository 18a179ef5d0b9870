/*
 * The work of an open channel: bytes from the program to the gateway and back, copied by the kernel
 * alone. What a program sends is read to where its packet is encrypted and sent from; what the
 * gateway sends is written from where it was decrypted. Nothing is read that cannot be sent on, and
 * what the program does not take stays in its window, so the pressure reaches the side that sends:
 * TCP's window locally, the channel's window at the gateway.
 */
#include "client/channel_internal.h"

#include <string.h>

#include "client/sock.h"

/*
 * Reads from the program to where its packets are sent from, as much as there is room for, by one
 * call: each wakes the program if it waits to send. Returns how much.
 */
static size_t read_up(struct channel *ch, const libssh2_room *rooms, int count)
{
    uv_buf_t in[CHANNEL_ROOMS];
    size_t room = 0, got;
    ssize_t n;
    int rc;

    for (int i = 0; i < count; i++) {
        in[i] = uv_buf_init((char *)rooms[i].data, (unsigned)rooms[i].len);
        room += rooms[i].len;
    }
    n = sock_readv(ch->fd, in, (unsigned)count);
    got = n > 0 ? (size_t)n : 0;
    rc = libssh2_channel_write_end(ch->ssh, got);
    ch->readable = got == room; /* a short read has emptied the socket */
    if (rc != 0)
        session_fail_ssh(ch->session, rc);
    else if (n == 0)
        ch->local_eof = true;
    else if (n < 0 && n != UV_EAGAIN)
        channel_cut(ch, CHANNEL_RESET);
    return got;
}

static bool pump_up(struct channel *ch)
{
    libssh2_room rooms[CHANNEL_ROOMS];
    size_t got;
    int count;

    if (ch->local_eof || !ch->readable)
        return false;
    count = libssh2_channel_write_begin(ch->ssh, rooms, CHANNEL_ROOMS);
    if (count <= 0) {
        if (count != 0 && count != LIBSSH2_ERROR_EAGAIN)
            session_fail_ssh(ch->session, count);
        return false;
    }
    got = read_up(ch, rooms, count);
    if (ch->owner != NULL)
        ch->owner->bytes_out += got;
    ch->moved += got;
    return got > 0 || ch->local_eof || ch->state != CH_OPEN;
}

/* What one channel may be granted when those that are busy share the session's part. */
static uint32_t fair_share(const struct session *s)
{
    size_t share =
        SESSION_WINDOW_MAX / (s->shared->bulk_channels > 0 ? s->shared->bulk_channels : 1);

    if (share > CHANNEL_WINDOW_MAX)
        share = CHANNEL_WINDOW_MAX;
    return share < CHANNEL_WINDOW_FIRST ? CHANNEL_WINDOW_FIRST : (uint32_t)share;
}

/*
 * Four times the window when all of it was used: what came in this period was sent under the window
 * of the period before. Else twice what is on its way at the measured rate, approached by halves. A
 * bulk flow gets CHANNEL_WINDOW_BULK or _FAST however short the way is.
 */
static uint32_t wanted_window(const struct channel *ch, uint64_t elapsed_us)
{
    uint64_t on_its_way = ch->received * ch->session->round_trip_us / elapsed_us, want;
    uint32_t most = fair_share(ch->session);
    uint32_t bulk =
        ch->received / elapsed_us >= CHANNEL_FAST ? CHANNEL_WINDOW_BULK_FAST : CHANNEL_WINDOW_BULK;

    if (on_its_way >= ch->window_before / 4 * 3)
        want = 4 * (uint64_t)ch->window;
    else
        want = 2 * on_its_way > ch->window ? ch->window : 2 * on_its_way;
    if (ch->received >= ch->window && want < bulk)
        want = bulk;
    if (want < ch->window / 2)
        want = ch->window / 2;
    if (want < CHANNEL_WINDOW_FIRST)
        want = CHANNEL_WINDOW_FIRST;
    return want > most ? most : (uint32_t)want;
}

/* Takes what the session as a whole may still grant, and keeps count of it. */
static void set_window(struct channel *ch, uint32_t want)
{
    struct session *s = ch->session;
    size_t room =
        SESSION_WINDOW_MAX > s->shared->window ? SESSION_WINDOW_MAX - s->shared->window : 0;

    if (want > ch->window && want - ch->window > room)
        want = ch->window + (uint32_t)room;
    s->shared->bulk_channels += want > CHANNEL_WINDOW_FIRST;
    s->shared->bulk_channels -= ch->window > CHANNEL_WINDOW_FIRST;
    s->shared->window = s->shared->window + want - ch->window;
    ch->window_before = ch->window;
    ch->window = want;
}

/*
 * Keeps the session's count of what may still come, and returns how far the channel may be granted.
 * A window that was made smaller is not the same as one that was used up: the gateway may fill what
 * it was granted whenever it likes, and all of it has to fit in memory. Of what the others leave a
 * channel gets half, so that there is always some for the next, or its fair share if that is more.
 */
static unsigned long note_grant(struct channel *ch, unsigned long granted)
{
    struct session *s = ch->session;
    size_t others = s->shared->granted - ch->granted, left, share = fair_share(s);

    ch->granted = granted > CHANNEL_WINDOW_FIRST ? granted - CHANNEL_WINDOW_FIRST : 0;
    s->shared->granted = others + ch->granted;
    left = others < SESSION_WINDOW_MAX ? SESSION_WINDOW_MAX - others : 0;
    if (share > left)
        share = left;
    if (share < left / 2)
        share = left / 2;
    share += CHANNEL_WINDOW_FIRST;
    return ch->window < share ? ch->window : (unsigned long)share;
}

/*
 * Keeps the window at the size that rate and round trip ask for, looked at once per round trip. A
 * window larger than that only fills queues at the gateway (+0.8 s of its CPU per GiB with 16 MiB
 * on loopback), a smaller one leaves the line empty. A slow sender or a slow program has a low rate
 * and so a small window. What was granted cannot be taken back: it shrinks as it is used.
 */
static void adapt_window(struct channel *ch, size_t n)
{
    unsigned long granted = libssh2_channel_window_read_ex(ch->ssh, NULL, NULL), may_hold;
    uint64_t now = uv_hrtime() / 1000, elapsed = now - ch->period_began;

    ch->received += n;
    if (elapsed >= ch->session->round_trip_us && elapsed >= CHANNEL_PERIOD_MIN_US) {
        set_window(ch, wanted_window(ch, elapsed));
        ch->period_began = now;
        ch->received = 0;
    }
    may_hold = note_grant(ch, granted);
    if (ch->adjust == 0 && (granted + CHANNEL_GRANT_STEP <= may_hold || granted < may_hold / 4 * 3))
        ch->adjust = may_hold - granted;
    (void)note_grant(ch, granted + ch->adjust);
}

/*
 * Sends a window adjustment. What libssh2 could not queue it sends with the next call, and that
 * amount alone: adapt_window() sees what is missing then.
 */
static void send_adjust(struct channel *ch)
{
    int rc = libssh2_channel_receive_window_adjust2(ch->ssh, ch->adjust, 1, NULL);

    if (rc == 0)
        ch->adjust = 0;
    else if (rc != LIBSSH2_ERROR_EAGAIN)
        session_fail_ssh(ch->session, rc);
}

/* Did the target reset its connection? Asked once its data has been delivered. */
static bool target_was_reset(struct channel *ch)
{
    char *name = NULL;
    bool reset;

    (void)libssh2_channel_get_exit_signal(ch->ssh, &name, NULL, NULL, NULL, NULL, NULL);
    reset = name != NULL && strcmp(name, CHANNEL_RESET_SIGNAL) == 0;
    if (name != NULL)
        libssh2_free(ch->session->ssh, name);
    return reset;
}

static bool note_remote_end(struct channel *ch)
{
    if (ch->remote_eof || !libssh2_channel_eof(ch->ssh))
        return false;
    ch->remote_eof = true;
    if (target_was_reset(ch)) {
        ch->remote_closed = true; /* the gateway needs no telling */
        channel_cut(ch, CHANNEL_RESET);
    }
    return true;
}

/* Gives the program `count` pieces; what it does not take stays where it is. */
static size_t write_down(struct channel *ch, const libssh2_piece *pieces, int count)
{
    uv_buf_t out[CHANNEL_PIECES];
    size_t total = 0, sent;
    ssize_t n;

    for (int i = 0; i < count; i++) {
        out[i] = uv_buf_init((char *)(uintptr_t)pieces[i].data, (unsigned)pieces[i].len);
        total += pieces[i].len;
    }
    n = sock_writev(ch->fd, out, (unsigned)count);
    if (n < 0 && n != UV_EAGAIN) {
        channel_cut(ch, CHANNEL_RESET);
        return 0;
    }
    sent = n > 0 ? (size_t)n : 0;
    ch->writable = sent == total;
    return sent;
}

static bool pump_down(struct channel *ch)
{
    libssh2_piece pieces[CHANNEL_PIECES];
    int count;
    size_t sent;

    if (ch->adjust > 0)
        send_adjust(ch);
    count = libssh2_channel_peek(ch->ssh, pieces, CHANNEL_PIECES);
    if (count == 0)
        return note_remote_end(ch);
    ch->unwritten = true;
    if (!ch->writable)
        return false;
    sent = write_down(ch, pieces, count);
    if (ch->state != CH_OPEN)
        return true;
    libssh2_channel_consume(ch->ssh, sent);
    ch->unwritten = !ch->writable;
    if (ch->owner != NULL)
        ch->owner->bytes_in += sent;
    ch->moved += sent;
    adapt_window(ch, sent);
    if (ch->adjust > 0)
        send_adjust(ch);
    return sent > 0;
}

/* Passes the ends of both directions on, and closes when nothing more can come of it. */
static bool pass_ends(struct channel *ch)
{
    bool moved = false;

    if (ch->remote_eof && !ch->remote_closed)
        ch->remote_closed = libssh2_channel_wait_closed(ch->ssh) == 0;
    if (ch->local_eof && !ch->eof_sent && !ch->remote_closed) {
        int rc = libssh2_channel_send_eof(ch->ssh);

        if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN)
            session_fail_ssh(ch->session, rc);
        ch->eof_sent = rc == 0;
        moved |= ch->eof_sent;
    }
    if (ch->remote_eof && (ch->eof_sent || ch->remote_closed)) {
        ch->state = CH_CLOSING;
        channel_finish(ch, CHANNEL_DONE, 0, "");
        moved = true;
    } else if (ch->remote_eof && !ch->fin_sent) {
        sock_shutdown_write(ch->fd);
        ch->fin_sent = moved = true;
    }
    return moved;
}

static void watch(struct channel *ch)
{
    int events = 0;

    if (!ch->local_eof && !ch->readable)
        events |= UV_READABLE;
    if (ch->unwritten)
        events |= UV_WRITABLE;
    channel_watch(ch, events);
}

bool channel_pump(struct channel *ch)
{
    bool moved = pump_down(ch);

    if (ch->state == CH_OPEN)
        moved |= pass_ends(ch);
    if (ch->state == CH_OPEN && ch->session->state == S_OPEN && !ch->remote_closed)
        moved |= pump_up(ch);
    if (ch->state == CH_OPEN)
        watch(ch);
    return moved;
}
