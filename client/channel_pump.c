/*
 * The work of an open channel: bytes from the program to the gateway and back. Each direction
 * holds at most one buffer; while that is full nothing more is read, and so the pressure reaches
 * the side that sends: TCP's window locally, the channel's window at the gateway.
 */
#include "client/channel_internal.h"

#include "client/sock.h"

/* Takes the program's bytes straight to libssh2; what it does not take waits in ch->up. */
static bool send_up(struct channel *ch, const uint8_t *data, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t n = libssh2_channel_write_ex(ch->ssh, 0, (const char *)data + sent, len - sent);

        if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
            break;
        if (n < 0) {
            session_fail_ssh(ch->session, (int)n);
            return false;
        }
        sent += (size_t)n;
    }
    if (data == ch->session->scratch) {
        if (buf_append(&ch->up, data + sent, len - sent) != 0)
            session_fail(ch->session, CAUSE_MEMORY, "out of memory");
    } else {
        buf_consume(&ch->up, sent);
    }
    return sent > 0;
}

static bool pump_up(struct channel *ch)
{
    struct session *s = ch->session;
    ssize_t n;

    if (ch->up.len > 0)
        return send_up(ch, buf_head(&ch->up), ch->up.len);
    if (ch->local_eof || !ch->readable || !session_output_room(s) ||
        libssh2_channel_window_write(ch->ssh) == 0)
        return false;
    n = sock_read(ch->fd, s->scratch, CHANNEL_UP_MAX);
    ch->readable = n == (ssize_t)CHANNEL_UP_MAX; /* a short read has emptied the socket */
    if (n == UV_EAGAIN)
        return false;
    if (n < 0) {
        channel_cut(ch, CHANNEL_RESET);
        return true;
    }
    if (n == 0) {
        ch->local_eof = true;
        return true;
    }
    if (ch->owner != NULL)
        ch->owner->bytes_out += (uint64_t)n;
    (void)send_up(ch, s->scratch, (size_t)n);
    return true;
}

/* Gives the program what has come; what it does not take waits in ch->down. */
static bool send_down(struct channel *ch, const uint8_t *data, size_t len)
{
    ssize_t n = 0;
    size_t sent;

    if (ch->writable)
        n = sock_write(ch->fd, data, len);
    if (n < 0 && n != UV_EAGAIN) {
        channel_cut(ch, CHANNEL_RESET);
        return false;
    }
    sent = n > 0 ? (size_t)n : 0;
    if (sent < len)
        ch->writable = false;
    if (data == ch->session->scratch) {
        if (buf_append(&ch->down, data + sent, len - sent) != 0)
            session_fail(ch->session, CAUSE_MEMORY, "out of memory");
    } else {
        buf_consume(&ch->down, sent);
    }
    return sent > 0;
}

/* Twice what is on its way at the measured rate; a bulk flow gets CHANNEL_WINDOW_BULK in any case. */
static uint32_t wanted_window(const struct channel *ch, uint64_t elapsed_us)
{
    uint64_t want = 2 * ch->received * ch->session->round_trip_us / elapsed_us;

    if (ch->received >= ch->window && want < CHANNEL_WINDOW_BULK)
        want = CHANNEL_WINDOW_BULK;
    if (want > 2 * (uint64_t)ch->window)
        want = 2 * (uint64_t)ch->window;
    if (want < ch->window / 2)
        want = ch->window / 2;
    if (want < CHANNEL_WINDOW_FIRST)
        want = CHANNEL_WINDOW_FIRST;
    return want > CHANNEL_WINDOW_MAX ? CHANNEL_WINDOW_MAX : (uint32_t)want;
}

/*
 * Keeps the window at the size that rate and round trip ask for, looked at once per round trip. A
 * window larger than that only fills queues at the gateway (+0.8 s of its CPU per GiB with 16 MiB
 * on loopback), a smaller one leaves the line empty. A slow sender or a slow program has a low rate
 * and so a small window. What was granted cannot be taken back: it shrinks as it is used.
 */
static void adapt_window(struct channel *ch, size_t n)
{
    struct session *s = ch->session;
    unsigned long granted = libssh2_channel_window_read_ex(ch->ssh, NULL, NULL);
    uint64_t now = uv_hrtime() / 1000, elapsed = now - ch->period_began;

    ch->received += n;
    if (elapsed >= s->round_trip_us && elapsed >= CHANNEL_PERIOD_MIN_US) {
        uint32_t want = wanted_window(ch, elapsed);

        if (want <= ch->window || s->window + (want - ch->window) <= SESSION_WINDOW_MAX) {
            s->window = s->window + want - ch->window;
            ch->window = want;
        }
        ch->period_began = now;
        ch->received = 0;
    }
    if (ch->window > CHANNEL_WINDOW_FIRST && granted < ch->window / 4 * 3)
        ch->adjust = ch->window - granted;
}

/*
 * Sends a window adjustment. As long as libssh2 has not taken it, nothing else may be asked of the
 * channel that adjusts as well (reading does): it would mix up the two amounts.
 */
static bool send_adjust(struct channel *ch)
{
    int rc = libssh2_channel_receive_window_adjust2(ch->ssh, ch->adjust, 1, NULL);

    if (rc == 0)
        ch->adjust = 0;
    else if (rc != LIBSSH2_ERROR_EAGAIN)
        session_fail_ssh(ch->session, rc);
    return rc == 0;
}

static bool note_remote_end(struct channel *ch)
{
    if (ch->remote_eof || !libssh2_channel_eof(ch->ssh))
        return false;
    ch->remote_eof = true;
    return true;
}

static bool pump_down(struct channel *ch)
{
    struct session *s = ch->session;
    /* libssh2 grants as much as is asked for on top of the first window: ask for less than ours. */
    size_t want = ch->window / 4 < SESSION_SCRATCH ? ch->window / 4 : SESSION_SCRATCH;
    ssize_t n;

    if (ch->adjust > 0 && !send_adjust(ch))
        return false;
    if (ch->down.len > 0)
        return ch->writable && send_down(ch, buf_head(&ch->down), ch->down.len);
    if (ch->remote_eof)
        return false;
    n = libssh2_channel_read_ex(ch->ssh, 0, (char *)s->scratch, want);
    if (n == LIBSSH2_ERROR_EAGAIN)
        return false;
    if (n < 0) {
        session_fail_ssh(s, (int)n);
        return false;
    }
    if (n == 0)
        return note_remote_end(ch);
    if (ch->owner != NULL)
        ch->owner->bytes_in += (uint64_t)n;
    (void)send_down(ch, s->scratch, (size_t)n);
    if (ch->state == CH_OPEN)
        adapt_window(ch, (size_t)n);
    return true;
}

/* Passes the ends of both directions on, and closes when nothing more can come of it. */
static bool pass_ends(struct channel *ch)
{
    bool moved = false;

    if (ch->remote_eof && ch->down.len == 0 && !ch->fin_sent) {
        sock_shutdown_write(ch->fd);
        ch->fin_sent = moved = true;
    }
    if (ch->remote_eof && !ch->remote_closed)
        ch->remote_closed = libssh2_channel_wait_closed(ch->ssh) == 0;
    if (ch->local_eof && ch->up.len == 0 && !ch->eof_sent && !ch->remote_closed) {
        int rc = libssh2_channel_send_eof(ch->ssh);

        if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN)
            session_fail_ssh(ch->session, rc);
        ch->eof_sent = rc == 0;
        moved |= ch->eof_sent;
    }
    if (ch->fin_sent && (ch->eof_sent || ch->remote_closed)) {
        ch->state = CH_CLOSING;
        channel_finish(ch, CHANNEL_DONE, 0, "");
        moved = true;
    }
    return moved;
}

static void watch(struct channel *ch)
{
    int events = 0;

    if (!ch->local_eof && !ch->readable && ch->up.len == 0)
        events |= UV_READABLE;
    if (ch->down.len > 0 && !ch->writable)
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
