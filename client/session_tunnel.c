/*
 * The state in which data flows: control lines in and out, a fair share of work for every channel,
 * the watch over a silent gateway (D4), and the farewell of a wanted end.
 */
#include "client/session_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/channel_internal.h"
#include "client/sock.h"
#include "common/i18n.h"
#include "common/os.h"

/* Shares that a channel gets in one turn while it has work; then local events are looked at. */
#define ROUNDS_PER_TURN 4

/* libssh2 sends no keepalive within two seconds of the last one, whatever it is told. */
#define ASK_SPACING_MS 2000
/* The least time that the gateway has for its answer. */
#define PATIENCE_MIN_MS 1000
/* A channel that moves this much, in bytes per second, is a busy one. */
#define BUSY_RATE (1024u * 1024)

void session_begin_open(struct session *s)
{
    s->scratch = malloc(SESSION_SCRATCH);
    if (s->scratch == NULL) {
        session_fail(s, CAUSE_MEMORY, tr("out of memory", "メモリが足りません"));
        return;
    }
    /* Our own timer decides when a probe is due; libssh2 wants an interval of two at least. */
    libssh2_keepalive_config(s->ssh, 1, 2);
    /* From here on it is a turn that reads and writes the socket. */
    (void)libssh2_session_flag(s->ssh, LIBSSH2_FLAG_EVENT_LOOP, 1);
    session_enter(s, S_OPEN, s->dead_delay_ms);
    s->events->ready(s->owner);
}

int session_send(struct session *s, const json_t *msg)
{
    int rc;

    if (s->state != S_OPEN)
        return PRA_ECLOSED;
    rc = jsonl_append(&s->control_out, msg);
    session_kick(s);
    return rc;
}

static void take_lines(struct session *s)
{
    struct fault f = {0};
    json_t *msg;
    int rc;

    while (s->state == S_OPEN &&
           (rc = jsonl_next(&s->control_in, JSONL_GATEWAY_MAX, &msg, &f)) != PRA_EAGAIN) {
        if (rc != 0) {
            session_fail(s, CAUSE_PROTOCOL, f.text[0] != '\0' ? f.text : err_text(rc));
            return;
        }
        s->events->message(s->owner, msg);
        json_decref(msg);
    }
}

/* Takes in what has arrived for all channels. True if anything did. */
static bool receive(struct session *s)
{
    int rc = s->readable && s->budget > 0 ? libssh2_session_receive(s->ssh) : LIBSSH2_ERROR_EAGAIN;

    if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN)
        session_fail_ssh(s, rc);
    return rc == 0;
}

static void control_read(struct session *s)
{
    while (s->state == S_OPEN) {
        ssize_t n = libssh2_channel_read_ex(s->control, 0, (char *)s->scratch, CHANNEL_READ_SMALL);

        if (n == LIBSSH2_ERROR_EAGAIN)
            return;
        if (n < 0) {
            session_fail_ssh(s, (int)n);
        } else if (n == 0) {
            if (libssh2_channel_eof(s->control))
                session_fail(s, CAUSE_LOST,
                             tr("the gateway closed the control channel",
                                "制御チャネルがゲートウェイ側で閉じられました"));
            return;
        } else if (buf_append(&s->control_in, s->scratch, (size_t)n) != 0) {
            session_fail(
                s, CAUSE_PROTOCOL,
                tr("a control message of the gateway is too long", "制御メッセージが長すぎます"));
        } else {
            take_lines(s);
        }
    }
}

/* Returns 0, or libssh2's error. */
static int control_write(struct session *s)
{
    while (s->control_out.len > 0) {
        ssize_t n = libssh2_channel_write_ex(s->control, 0, (const char *)buf_head(&s->control_out),
                                             s->control_out.len);

        if (n <= 0)
            return n == LIBSSH2_ERROR_EAGAIN ? 0 : (int)n;
        buf_consume(&s->control_out, (size_t)n);
    }
    return 0;
}

/* One share for every channel, beginning where the round before did not. True if any moved. */
static bool channels_round(struct session *s)
{
    struct channel *ch = s->cursor != NULL ? s->cursor : s->channels;
    bool moved = false;

    for (unsigned n = s->channel_count; n > 0 && ch != NULL && s->state == S_OPEN; n--) {
        struct channel *next = ch->next != NULL ? ch->next : s->channels;

        moved |= channel_turn(ch);
        ch = next;
    }
    if (s->cursor == NULL)
        s->cursor = s->channels;
    if (s->cursor != NULL)
        s->cursor = s->cursor->next;
    return moved;
}

void session_step_open(struct session *s)
{
    bool moved = true;
    int rc;

    for (int i = 0; i < ROUNDS_PER_TURN && moved && s->state == S_OPEN; i++) {
        moved = receive(s);
        if (moved || i == 0)
            control_read(s);
        moved |= channels_round(s);
    }
    if (s->state != S_OPEN)
        return;
    rc = control_write(s);
    if (rc == 0)
        rc = libssh2_session_flush(s->ssh);
    if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN) {
        session_fail_ssh(s, rc);
        return;
    }
    session_wait_socket(s);
    /* At the end of the connection nothing wakes us: the next turn meets the error itself. */
    if (moved || s->closed)
        session_kick(s);
}

/* Asks for a sign of life. TCP repeats what is lost, so one question is enough. */
static void ask(struct session *s, uint64_t now)
{
    (void)libssh2_keepalive_send(s->ssh, NULL);
    s->asked = s->last_asked = now;
    s->ask_now = false;
    session_kick(s);
}

void session_watchdog(struct session *s)
{
    uint64_t now = os_monotonic_ms(), silence = now - s->heard, since = now - s->last_asked, next;
    char text[64];

    if (s->asked != 0 && now - s->asked >= s->patience_ms) {
        (void)snprintf(text, sizeof(text),
                       tr("no sign of life for %llu s", "%llu 秒間応答がありません"),
                       (unsigned long long)(silence / 1000));
        session_fail(s, CAUSE_DEAD, text);
        return;
    }
    if (s->asked == 0 && (s->ask_now || silence >= s->dead_delay_ms) && since >= ASK_SPACING_MS)
        ask(s, now);
    if (s->asked != 0)
        next = s->asked + s->patience_ms - now;
    else if (s->ask_now || silence >= s->dead_delay_ms)
        next = ASK_SPACING_MS - since;
    else
        next = s->dead_delay_ms - silence;
    session_enter(s, S_OPEN, next);
}

void session_probe(struct session *s)
{
    if (s->state != S_OPEN || s->ask_now)
        return;
    s->ask_now = s->asked == 0;
    if (s->patience_ms > SESSION_PROBE_MS)
        s->patience_ms = SESSION_PROBE_MS;
    session_watchdog(s);
}

void session_ask(struct session *s)
{
    uint64_t silence = os_monotonic_ms() - s->heard;

    if (s->state != S_OPEN || s->ask_now || s->asked != 0)
        return;
    s->ask_now = true;
    if (s->dead_timeout_ms > silence + PATIENCE_MIN_MS)
        s->patience_ms = s->dead_timeout_ms - silence;
    session_watchdog(s);
}

/* --- load ----------------------------------------------------------------------------------- */

void session_sample(struct session *s, uint64_t elapsed_ms)
{
    uint64_t all = 0;

    for (struct channel *ch = s->channels; ch != NULL; ch = ch->next) {
        uint64_t moved = ch->moved - ch->sampled;

        all += moved;
        /* One that still waits for its target, or was opened since, is new until it shows more. */
        ch->busy = ch->state < CH_OPEN || (ch->sampled == 0 && moved > 0) ||
                   moved * 1000 / elapsed_ms >= BUSY_RATE;
        ch->sampled = ch->moved;
    }
    s->rate = all * 1000 / elapsed_ms;
}

void session_look(const struct session *s, struct session_load *out)
{
    *out = (struct session_load){.channels = s->channel_count,
                                 .rate = s->rate,
                                 .round_trip_us = s->round_trip_us,
                                 .silence_ms = os_monotonic_ms() - s->heard};
    for (const struct channel *ch = s->channels; ch != NULL; ch = ch->next)
        out->busy += ch->busy && ch->state != CH_CLOSING && ch->state != CH_GONE;
}

void session_heard(struct session *s)
{
    s->heard = os_monotonic_ms();
    s->asked = 0;
    s->patience_ms = s->dead_timeout_ms > s->dead_delay_ms + PATIENCE_MIN_MS
                         ? s->dead_timeout_ms - s->dead_delay_ms
                         : PATIENCE_MIN_MS;
}

/* Reads and throws away until the gateway has closed too, so that our last words are not lost. */
static void drain(struct session *s)
{
    ssize_t n;

    do
        n = sock_read(s->fd, s->scratch, SESSION_SCRATCH);
    while (n > 0);
    if (n != UV_EAGAIN)
        session_fail(s, CAUSE_NONE, "");
    else
        session_poll(s, UV_READABLE);
}

void session_step_farewell(struct session *s)
{
    int rc = 0;

    while (s->channels != NULL)
        channel_bury(s->channels);
    if (!s->farewell_sent) {
        rc = control_write(s);
        if (rc == 0 && s->control_out.len == 0)
            rc = libssh2_session_disconnect(s->ssh, "ended by the user");
        if (rc == 0 && s->control_out.len == 0)
            s->farewell_sent = true;
    }
    if (rc == 0 || rc == LIBSSH2_ERROR_EAGAIN)
        rc = libssh2_session_flush(s->ssh);
    if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN) {
        session_fail(s, CAUSE_NONE, "");
    } else if (s->farewell_sent && libssh2_session_output_pending(s->ssh) == 0) {
        sock_shutdown_write(s->fd);
        drain(s);
    } else {
        session_wait_socket(s);
    }
}
