/*
 * Moving data between a channel and its target, with back-pressure both ways.
 *
 * Client to target: libssh's callback sends straight from libssh's buffer. What the target does
 * not take stays in libssh, whose window then stays closed; when the target can take more it is
 * read out. Target to client: the target is read straight into the packets that libssh will send,
 * only while the client's window is open and the session's output has room, so that nothing piles
 * up here.
 */
#include "server/prad/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/os.h"
#include "server/prad/bounds.h"
#include "server/prad/tunnel.h"

/* Packets that one read of a target may fill, alone and when others wait for the output as well. */
#define READ_PACKETS        16
#define READ_PACKETS_SHARED 2
#define PACKET_DATA         (32u * 1024)
/* A window that would change by less than this part stays as it is. */
#define WINDOW_CHANGE_LEAST 4
/* What windows of all sessions may have grown by: this much may lie here for stalled targets. One
   session gets no more than a half of what the others leave. */
#define WINDOWS_GROWN_MAX ((size_t)512 * 1024 * 1024)
/* What a target did not take of one read of the client's socket, or of the scratch buffer. */
#define TO_TARGET_MAX WORKER_INPUT
/* How long a target may refuse to take the last data of a client that has gone. */
#define LINGER_MS 60000

static void want_read(struct channel *ch, bool want)
{
    if (ch->reading == want || ch->fd < 0)
        return;
    ch->reading = want;
    if (want)
        event_add(&ch->readable, NULL);
    else
        event_del(&ch->readable);
}

static void want_write(struct channel *ch, bool want)
{
    ch->can_write = !want;
    if (ch->writing == want || ch->fd < 0)
        return;
    ch->writing = want;
    if (want)
        event_add(&ch->writable, NULL);
    else
        event_del(&ch->writable);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct channel *ch = arg;
    ch->can_read = true;
    channel_ready(ch);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct channel *ch = arg;
    want_write(ch, false);
    channel_ready(ch);
}

/* ---- client to target ---------------------------------------------------------------------- */

/* Sends what the target takes now. Returns how much; a broken target "takes" everything. */
static size_t send_pieces(struct channel *ch, struct iovec *piece, int count, size_t len)
{
    if (ch->fd < 0 || ch->target_failed)
        return len;
    if (!ch->can_write)
        return 0;
    struct msghdr m = {.msg_iov = piece, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(ch->fd, &m, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        want_write(ch, true);
        return 0;
    }
    if (n < 0) {
        ch->target_failed = true;
        channel_ready(ch);
        return len;
    }
    if ((size_t)n < len)
        want_write(ch, true);
    ch->bytes_in += (uint64_t)n;
    atomic_fetch_add_explicit(&ch->session->entry.bytes_in, (uint64_t)n, memory_order_relaxed);
    ch->session->worker->moved += (size_t)n;
    return (size_t)n;
}

static size_t send_to_target(struct channel *ch, const void *data, size_t len)
{
    struct iovec piece = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
    return send_pieces(ch, &piece, 1, len);
}

/* Keeps for the target what it did not take, behind what is kept already. */
static void keep(struct channel *ch, const void *data, size_t len)
{
    if (buf_append(&ch->to_target, data, len) == 0)
        return;
    ch->target_failed = true;
    channel_ready(ch);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The client's bytes that have left libssh. */
static uint64_t taken(const struct channel *ch)
{
    return ch->bytes_in + ch->to_target.len;
}

/* The shortest counts: what takes longer waited for a processor, or for the target. */
static void note_round_trip(struct channel *ch)
{
    struct session *s = ch->session;
    uint64_t us = window_take_answer(&ch->window, now_us());
    if (s->round_trip_us == 0 || us < s->round_trip_us)
        s->round_trip_us = us;
}

static void note_taken(struct channel *ch)
{
    if (window_has_answer(&ch->window, ch->bytes_in))
        note_round_trip(ch);
    if (window_is_filled(&ch->window, ch->bytes_in))
        channel_ready(ch);
}

void pump_flush(struct worker *w)
{
    struct gather *g = &w->gather;
    struct channel *ch = g->channel;
    if (!ch)
        return;
    size_t sent = send_pieces(ch, g->piece, (int)g->count, g->len);
    for (unsigned i = 0; i < g->count && sent < g->len; i++) {
        size_t gone = sent < g->piece[i].iov_len ? sent : g->piece[i].iov_len;
        keep(ch, (char *)g->piece[i].iov_base + gone, g->piece[i].iov_len - gone);
        sent -= gone;
        g->len -= g->piece[i].iov_len;
    }
    *g = (struct gather){0};
    note_taken(ch);
}

/*
 * What came together goes to the target in one call, when the read of the client's socket is over:
 * it stays where it was decrypted so long. Only for channels in bulk: of the others prad holds no
 * more than their window. False: not now.
 */
static bool gather(struct channel *ch, void *data, size_t len)
{
    struct worker *w = ch->session->worker;
    struct gather *g = &w->gather;
    uint8_t *at = data;
    if (ch->window.size == WINDOW_SMALL || at < w->input || at >= w->input + sizeof(w->input))
        return false;
    if (g->channel != ch || g->count == GATHER_PIECES)
        pump_flush(w);
    if (!ch->can_write || ch->held_back || ch->to_target.len > 0)
        return false;
    g->channel = ch;
    g->piece[g->count++] = (struct iovec){.iov_base = data, .iov_len = len};
    g->len += len;
    return true;
}

/* libssh calls this while it dispatches packets; it must not call libssh. */
static int on_data(ssh_session ssh, ssh_channel channel, void *data, uint32_t len, int is_stderr,
                   void *arg)
{
    (void)ssh;
    (void)channel;
    struct channel *ch = arg;
    if (is_stderr || ch->state != CHANNEL_OPEN || ch->cut)
        return (int)len; /* nothing to do with it, and it must not fill the window */
    if (gather(ch, data, len))
        return (int)len;
    size_t sent = ch->to_target.len > 0 ? 0 : send_to_target(ch, data, len);
    ch->held_back = sent < len;
    note_taken(ch);
    return (int)sent;
}

/* Of a channel whose bytes a second are limited: all stays in libssh, and the window closed, until
   push_to_target() may take it. */
static int on_data_held(ssh_session ssh, ssh_channel channel, void *data, uint32_t len,
                        int is_stderr, void *arg)
{
    (void)ssh;
    (void)channel;
    (void)data;
    struct channel *ch = arg;
    if (is_stderr || ch->state != CHANNEL_OPEN || ch->cut)
        return (int)len;
    ch->held_back = true;
    channel_ready(ch);
    return 0;
}

/* Sends the rest of what was read out of libssh. True when nothing is left. */
static bool send_rest(struct channel *ch)
{
    if (ch->to_target.len > 0)
        buf_consume(&ch->to_target,
                    send_to_target(ch, buf_head(&ch->to_target), ch->to_target.len));
    return ch->to_target.len == 0;
}

/* Takes out of libssh what it holds, as far as the target goes along. False: session died. */
static bool push_to_target(struct channel *ch)
{
    struct worker *w = ch->session->worker;
    while (ch->can_write && send_rest(ch) && ch->held_back) {
        uint32_t room = sizeof(w->scratch);
        if (ch->charge && (room = charge_room(ch, METER_UP, room)) == 0)
            break;
        int n = ssh_channel_read_timeout(ch->ssh, w->scratch, room, 0, 0);
        if (!session_alive(ch->session))
            return false;
        if (ch->charge)
            charge_moved(ch, METER_UP, room, n > 0 ? (uint32_t)n : 0);
        if (n <= 0) {
            ch->held_back = false;
            break;
        }
        size_t sent = send_to_target(ch, w->scratch, (size_t)n);
        if (sent < (size_t)n)
            keep(ch, w->scratch + sent, (size_t)n - sent);
    }
    bool all_sent = !ch->held_back && ch->to_target.len == 0;
    if (all_sent && (ch->client_eof || ch->client_closed) && !ch->shut) {
        ch->shut = true;
        if (ch->fd >= 0 && !ch->target_failed && !ch->client_reset)
            shutdown(ch->fd, SHUT_WR);
    }
    return true;
}

/* ---- target to client ---------------------------------------------------------------------- */

static void stall(struct channel *ch)
{
    want_read(ch, false);
    if (ch->is_stalled)
        return;
    struct channel_queue *q = &ch->session->stalled;
    ch->is_stalled = true;
    ch->stalled_next = NULL;
    if (q->head)
        q->tail->stalled_next = ch;
    else
        q->head = ch;
    q->tail = ch;
}

void pump_resume(struct channel *ch)
{
    ch->can_read = true; /* most likely, and cheaper to try than to wait for the event */
    channel_ready(ch);
}

static void note_moved(struct channel *ch, size_t len)
{
    struct session *s = ch->session;
    ch->bytes_out += len;
    atomic_fetch_add_explicit(&s->entry.bytes_out, len, memory_order_relaxed);
    s->worker->moved += len;
}

/* One read of the target, straight into the places of the next packets, as much as the client's
   window and its share of the output allow. False: session died. */
static bool read_target(struct channel *ch)
{
    struct session *s = ch->session;
    struct iovec place[READ_PACKETS];
    int want = s->stalled.head ? READ_PACKETS_SHARED : READ_PACKETS;
    uint32_t room = READ_PACKETS * (uint32_t)PACKET_DATA;
    if (ch->charge && (room = charge_room(ch, METER_DOWN, room)) == 0)
        return true; /* the timer of charge.c comes back here */
    int count = ssh_channel_reserve(ch->ssh, place, want, room);
    if (!session_alive(s))
        return false;
    if (count <= 0) { /* keys are being exchanged; or the client has closed, and we shall hear it */
        stall(ch);
        return true;
    }
    ch->can_read = false;
    ssize_t n = readv(ch->fd, place, count);
    if (ch->charge)
        charge_moved(ch, METER_DOWN, room, n > 0 ? (uint32_t)n : 0);
    if (n == 0) {
        ch->target_eof = true;
        want_read(ch, false);
    } else if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            ch->target_failed = true;
    } else {
        ssh_channel_commit(ch->ssh, (uint32_t)n);
        note_moved(ch, (size_t)n);
    }
    return session_alive(s);
}

static bool push_to_client(struct channel *ch)
{
    if (!ch->target_eof && !ch->target_failed && ch->fd >= 0) {
        if (ssh_channel_window_size(ch->ssh) == 0)
            want_read(ch, false); /* on_window() comes back here */
        else if (!session_has_room(ch->session))
            stall(ch);
        else if (ch->can_read && !read_target(ch))
            return false;
        if (charge_waits(ch, METER_DOWN))
            want_read(ch, false);
        else if (!ch->is_stalled && ssh_channel_window_size(ch->ssh) > 0)
            want_read(ch, !ch->target_eof);
    }
    if (ch->target_eof && !ch->eof_sent) {
        ssh_channel_send_eof(ch->ssh); /* "again" means sent, and not all on the wire yet */
        ch->eof_sent = true;
        if (!session_alive(ch->session))
            return false;
    }
    return true;
}

/* ---- windows ------------------------------------------------------------------------------- */

/* Counts anew what may have to be kept for the channel: in its tunnel, and in all of them. Returns
   what it comes to in the tunnel. */
static size_t count_owed(struct channel *ch, size_t owed)
{
    const struct session *s = ch->session;
    struct tunnel_share *t = s->entry.share;
    if (owed > 0 && ch->owed == 0)
        atomic_fetch_add(&t->grown_channels, 1);
    if (owed == 0 && ch->owed > 0)
        atomic_fetch_sub(&t->grown_channels, 1);
    /* Unsigned numbers wrap around: adding what is negative takes away. */
    size_t change = owed - ch->owed;
    ch->owed = owed;
    atomic_fetch_add(&s->worker->gateway->windows_grown, change);
    return atomic_fetch_add(&t->windows_grown, change) + change;
}

static void recount(struct channel *ch)
{
    count_owed(ch, (size_t)window_owed(&ch->window, taken(ch)) - WINDOW_SMALL + ch->to_target.len);
}

static void set_window(struct channel *ch, uint32_t size)
{
    window_set(&ch->window, taken(ch), size, now_us());
    recount(ch);
    ssh_channel_set_window_target(ch->ssh, size);
}

/*
 * What one window may grow to: an equal share of what those of its tunnel may come to, as far as
 * the others have left it. Workers look at the same moment, so all tunnels together may come to a
 * little more than their limit.
 */
static size_t window_most(const struct channel *ch)
{
    const struct session *s = ch->session;
    const struct tunnel_share *t = s->entry.share;
    size_t grown = atomic_load(&t->windows_grown),
           sum = atomic_load(&s->worker->gateway->windows_grown);
    size_t all = sum > grown ? sum - grown : 0;
    size_t limit = (size_t)worker_config(s->worker)->channel_window;
    size_t fair = all < WINDOWS_GROWN_MAX ? (WINDOWS_GROWN_MAX - all) / 2 : 0;
    if (limit > fair)
        limit = fair;
    size_t share = limit / (atomic_load(&t->grown_channels) + (ch->owed == 0));
    size_t others = grown - ch->owed, has = ch->window.size - WINDOW_SMALL;
    size_t room = limit > others ? limit - others : 0;
    if (room < has)
        room = has;
    return WINDOW_SMALL + (share < room ? share : room);
}

/* Counts a window of that size before it is given: another worker may be about to take the same
   room for another connection of the tunnel. False: that came first; the next look will do. */
static bool take_room(struct channel *ch, size_t size)
{
    size_t before = ch->owed, more = size - WINDOW_SMALL;
    size_t limit = (size_t)worker_config(ch->session->worker)->channel_window;
    if (more <= before || count_owed(ch, more) <= limit)
        return true;
    count_owed(ch, before);
    return false;
}

/* A window that is filled quickly grows; one that is larger than its share becomes smaller. */
static void adapt_window(struct channel *ch)
{
    if (!window_is_filled(&ch->window, taken(ch)))
        return;
    size_t size = ch->window.size;
    size_t want = window_look(&ch->window, taken(ch), now_us(), ch->session->round_trip_us);
    recount(ch);
    size_t most = window_most(ch);
    if (want > most)
        want = most;
    size_t change = want > size ? want - size : size - want;
    if (change >= size / WINDOW_CHANGE_LEAST && !(ch->held_back && want > size) &&
        (want <= size || take_room(ch, want)))
        set_window(ch, (uint32_t)want);
}

void pump_tick(struct channel *ch, uint64_t now_ms)
{
    if (ch->state != CHANNEL_OPEN)
        return;
    if (ch->owed > 0) {
        if (ch->window.size > WINDOW_SMALL && window_is_idle(&ch->window, taken(ch), now_us()))
            set_window(ch, WINDOW_SMALL);
        recount(ch);
    }
    if (ch->client_closed && charge_waits(ch, METER_UP))
        ch->closed_ms = now_ms; /* it is not the target that makes it wait */
    if (ch->client_closed && now_ms - ch->closed_ms > LINGER_MS) {
        ch->target_failed = true;
        channel_ready(ch);
    }
}

/* ---- callbacks of libssh: they only mark --------------------------------------------------- */

static void on_eof(ssh_session ssh, ssh_channel channel, void *arg)
{
    (void)ssh;
    (void)channel;
    struct channel *ch = arg;
    ch->client_eof = true;
    channel_ready(ch);
}

static void on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
    (void)ssh;
    (void)channel;
    struct channel *ch = arg;
    ch->client_closed = true;
    ch->closed_ms = os_monotonic_ms();
    channel_ready(ch);
}

static void on_signal(ssh_session ssh, ssh_channel channel, const char *signal, void *arg)
{
    (void)ssh;
    (void)channel;
    struct channel *ch = arg;
    if (strcmp(signal, CHANNEL_RESET_SIGNAL) != 0)
        return;
    ch->client_reset = true;
    channel_ready(ch);
}

static int on_window(ssh_session ssh, ssh_channel channel, uint32_t bytes, void *arg)
{
    (void)ssh;
    (void)channel;
    struct channel *ch = arg;
    if (bytes > 0 && ch->state == CHANNEL_OPEN && !ch->reading && !ch->is_stalled &&
        !ch->target_eof && !ch->client_closed) {
        want_read(ch, true);
    }
    return 0;
}

/* ---- life ---------------------------------------------------------------------------------- */

void pump_start(struct channel *ch)
{
    struct event_base *base = ch->session->worker->base;
    buf_init(&ch->to_target, TO_TARGET_MAX);
    window_begin(&ch->window, now_us());
    ch->callbacks =
        (struct ssh_channel_callbacks_struct){.userdata = ch,
                                              .channel_data_function = on_data,
                                              .channel_eof_function = on_eof,
                                              .channel_close_function = on_close,
                                              .channel_signal_function = on_signal,
                                              .channel_write_wontblock_function = on_window};
    ssh_callbacks_init(&ch->callbacks);
    ssh_set_channel_callbacks(ch->ssh, &ch->callbacks);
    event_assign(&ch->readable, base, ch->fd, EV_READ | EV_PERSIST, on_readable, ch);
    event_assign(&ch->writable, base, ch->fd, EV_WRITE | EV_PERSIST, on_writable, ch);
    ch->can_write = true;
    want_read(ch, true);
    pump_limit(ch);
}

void pump_limit(struct channel *ch)
{
    charge_set(ch);
    ch->callbacks.channel_data_function =
        ch->charge && ch->charge->shaped[METER_UP] ? on_data_held : on_data;
}

bool pump_serve(struct channel *ch)
{
    if (!push_to_target(ch))
        return false;
    if (ch->client_closed)
        want_read(ch, false);
    else if (!push_to_client(ch))
        return false;
    adapt_window(ch);
    return session_alive(ch->session);
}

bool pump_discard(struct channel *ch)
{
    struct worker *w = ch->session->worker;
    if (ch->held_back)
        ssh_channel_set_window_target(ch->ssh, 1); /* reading shall not ask for more */
    while (ch->held_back && session_alive(ch->session))
        ch->held_back = ssh_channel_read_timeout(ch->ssh, w->scratch, sizeof(w->scratch), 0, 0) > 0;
    return session_alive(ch->session);
}

void pump_close_target(struct channel *ch, bool reset)
{
    if (ch->fd < 0)
        return;
    charge_end(ch);
    if (event_initialized(&ch->readable))
        event_del(&ch->readable);
    if (event_initialized(&ch->writable))
        event_del(&ch->writable);
    ch->reading = ch->writing = false;
    if (reset)
        setsockopt(ch->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                   sizeof(struct linger));
    close(ch->fd);
    ch->fd = -1;
    count_owed(ch, 0); /* what still comes is thrown away */
}
