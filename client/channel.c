/*
 * The life of a channel: held, queued, opening, open, closing, gone. Its SSH half is touched only
 * in channel_turn(); everything else notes what is wanted and kicks the session, so that a channel
 * may be cut from anywhere.
 */
#include "client/channel_internal.h"

#include <stdlib.h>
#include <string.h>

#include "client/sock.h"
#include "common/os.h"

static bool turn_queued(struct channel *ch);
static bool turn_opening(struct channel *ch);
static bool turn_closing(struct channel *ch);
static bool turn_gone(struct channel *ch);

static bool (*const turns[CH_STATE_COUNT])(struct channel *ch) = {
    [CH_QUEUED] = turn_queued,   [CH_OPENING] = turn_opening, [CH_OPEN] = channel_pump,
    [CH_CLOSING] = turn_closing, [CH_GONE] = turn_gone,
};

bool channel_turn(struct channel *ch)
{
    return turns[ch->state](ch);
}

struct channel *channel_new(uv_loop_t *loop, struct channel_owner *owner, int fd,
                            const struct addr_ip *peer, uint16_t peer_port)
{
    struct channel *ch = calloc(1, sizeof(*ch));

    if (ch == NULL) {
        sock_reset(fd);
        return NULL;
    }
    ch->loop = loop;
    ch->state = CH_HELD;
    ch->owner = owner;
    ch->fd = fd;
    ch->readable = ch->writable = true; /* until the system says otherwise */
    ch->busy = true;
    ch->origin = *peer;
    ch->origin_port = peer_port;
    ch->window = ch->window_before = CHANNEL_WINDOW_FIRST;
    owner->connections++;
    ch->held_since = os_monotonic_ms();
    ch->owned_next = owner->channels;
    if (ch->owned_next != NULL)
        ch->owned_next->owned_prev = ch;
    owner->channels = ch;
    return ch;
}

/* Takes the channel off its owner's list; the owner hears no more of it. */
static void leave_owner(struct channel *ch)
{
    if (ch->owned_prev != NULL)
        ch->owned_prev->owned_next = ch->owned_next;
    else
        ch->owner->channels = ch->owned_next;
    if (ch->owned_next != NULL)
        ch->owned_next->owned_prev = ch->owned_prev;
    ch->owned_prev = ch->owned_next = NULL;
    ch->owner->connections--;
    ch->owner = NULL;
}

void channel_owner_cut(struct channel_owner *owner, enum channel_end how)
{
    /* Cutting takes the first one off the list; clang's analyzer loses sight of that. */
    while (owner->channels != NULL)
        channel_cut(owner->channels, how); /* NOLINT(clang-analyzer-unix.Malloc) */
}

struct channel *channel_owner_find(struct channel_owner *owner, const struct session *s,
                                   uint16_t origin_port)
{
    struct channel *ch = owner->channels;

    while (ch != NULL && (ch->session != s || ch->origin_port != origin_port))
        ch = ch->owned_next;
    return ch;
}

struct channel *channel_owner_held(struct channel_owner *owner, uint64_t before)
{
    struct channel *ch = owner->channels, *oldest = NULL;

    for (; ch != NULL; ch = ch->owned_next)
        if (ch->state == CH_HELD && ch->held_since <= before)
            oldest = ch; /* new ones are put in front: the last one is the oldest */
    return oldest;
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct channel *ch = h->data;

    if (status < 0 || (events & UV_READABLE) != 0)
        ch->readable = true;
    if (status < 0 || (events & UV_WRITABLE) != 0)
        ch->writable = true;
    if (status < 0)
        fdwatch_stopped(&ch->watch);
    session_kick(ch->session);
}

void channel_watch(struct channel *ch, int events)
{
    /* Made when first needed: until then it would only be in the way of the open. */
    if (events != 0 && ch->watch.poll == NULL &&
        fdwatch_open(&ch->watch, ch->loop, ch->fd, ch) != 0)
        channel_cut(ch, CHANNEL_RESET);
    else if (ch->watch.poll != NULL)
        fdwatch_set(&ch->watch, events, on_poll);
}

/* Takes the channel out of its session. */
static void discard(struct channel *ch)
{
    struct session *s = ch->session;

    if (s != NULL) {
        if (s->cursor == ch)
            s->cursor = ch->next;
        if (ch->prev != NULL)
            ch->prev->next = ch->next;
        else
            s->channels = ch->next;
        if (ch->next != NULL)
            ch->next->prev = ch->prev;
        else
            s->last_channel = ch->prev;
        s->channel_count--;
        s->shared->window -= ch->window - CHANNEL_WINDOW_FIRST;
        s->shared->granted -= ch->granted;
        s->shared->bulk_channels -= ch->window > CHANNEL_WINDOW_FIRST;
    }
    free(ch->open_msg);
    free(ch);
}

void channel_finish(struct channel *ch, enum channel_end how, uint32_t reason, const char *text)
{
    struct channel_owner *owner = ch->owner;

    if (ch->fd >= 0) {
        fdwatch_close(&ch->watch);
        if (how == CHANNEL_DONE)
            sock_close(ch->fd);
        else
            sock_reset(ch->fd);
        ch->fd = -1;
    }
    if (owner != NULL) {
        leave_owner(ch);
        owner->closed(owner, how, reason, text);
    }
}

/* Writes an RFC 4251 string or uint32 and returns what is behind it. */
static char *put_u32(char *p, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (char)(v >> shift);
    return p;
}

static char *put_string(char *p, const char *text, size_t len)
{
    p = put_u32(p, (uint32_t)len);
    memcpy(p, text, len);
    return p + len;
}

/* What RFC 4254 7.2 puts behind the channel type: target, then originator. */
static int build_open(struct channel *ch, const struct channel_target *target)
{
    char origin[46], *p;
    size_t host_len = strlen(target->host.name), origin_len;

    origin_len = strlen(addr_format_ip(&ch->origin, origin));
    ch->open_len = 4 + host_len + 4 + 4 + origin_len + 4;
    ch->open_msg = p = malloc(ch->open_len);
    if (p == NULL)
        return PRA_ENOMEM;
    p = put_string(p, target->host.name, host_len);
    p = put_u32(p, target->port);
    p = put_string(p, origin, origin_len);
    put_u32(p, ch->origin_port);
    return 0;
}

int session_adopt(struct session *s, struct channel *ch, const struct channel_target *target)
{
    if (s->state != S_OPEN || s->channel_count >= SESSION_CHANNELS_MAX ||
        build_open(ch, target) != 0)
        return PRA_EFULL;
    ch->session = s;
    ch->state = CH_QUEUED;
    ch->prev = s->last_channel;
    if (ch->prev != NULL)
        ch->prev->next = ch;
    else
        s->channels = ch;
    s->last_channel = ch;
    s->channel_count++;
    session_kick(s);
    return 0;
}

static bool turn_queued(struct channel *ch)
{
    struct session *s = ch->session;

    ch->ssh = libssh2_channel_open_begin(s->ssh, "direct-tcpip", sizeof("direct-tcpip") - 1,
                                         CHANNEL_WINDOW_FIRST, CHANNEL_PACKET_MAX, ch->open_msg,
                                         (unsigned)ch->open_len);
    if (ch->ssh == NULL) {
        int rc = libssh2_session_last_errno(s->ssh);

        /* Out of boundary: enough opens are unanswered for now. */
        if (rc != LIBSSH2_ERROR_EAGAIN && rc != LIBSSH2_ERROR_OUT_OF_BOUNDARY)
            session_fail_ssh(s, rc);
        return false;
    }
    free(ch->open_msg);
    ch->open_msg = NULL;
    ch->state = CH_OPENING;
    return true;
}

static bool turn_opening(struct channel *ch)
{
    char text[256] = "";
    uint32_t reason = 0;
    int rc = libssh2_channel_open_finish(ch->ssh, &reason, text, sizeof(text));

    if (rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    ch->state = rc == 0 ? CH_OPEN : CH_CLOSING;
    ch->period_began = uv_hrtime() / 1000;
    if (rc == 0)
        return true;
    if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE)
        channel_finish(ch, CHANNEL_REFUSED, reason, text);
    else
        session_fail_ssh(ch->session, rc);
    return true;
}

static bool turn_closing(struct channel *ch)
{
    if (ch->tell_reset &&
        libssh2_channel_signal_ex(ch->ssh, CHANNEL_RESET_SIGNAL,
                                  sizeof(CHANNEL_RESET_SIGNAL) - 1) == LIBSSH2_ERROR_EAGAIN)
        return false;
    ch->tell_reset = false; /* if it failed, closing will, too */
    if (libssh2_channel_free(ch->ssh) == LIBSSH2_ERROR_EAGAIN)
        return false;
    ch->ssh = NULL;
    discard(ch);
    return true;
}

static bool turn_gone(struct channel *ch)
{
    discard(ch);
    return true;
}

void channel_cut(struct channel *ch, enum channel_end how)
{
    if (ch->state == CH_HELD) {
        channel_finish(ch, how, 0, "");
        discard(ch);
        return;
    }
    ch->tell_reset = ch->state == CH_OPEN && !ch->remote_closed && how != CHANNEL_DONE;
    if (ch->state == CH_QUEUED)
        ch->state = CH_GONE;
    else if (ch->state == CH_OPENING || ch->state == CH_OPEN)
        ch->state = CH_CLOSING;
    session_kick(ch->session);
    channel_finish(ch, how, 0, "");
}

void channel_bury(struct channel *ch)
{
    /* The SSH half belongs to the session's own end, which frees all of them. */
    channel_finish(ch, CHANNEL_RESET, 0, "");
    discard(ch);
}
