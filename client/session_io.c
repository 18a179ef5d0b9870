/*
 * What libssh2 asks of us: memory with a ceiling, and bytes of the socket with a budget per turn.
 * The callbacks also notice what libssh2 does not tell: when the gateway was last heard, and
 * whether a failure was the end of the connection.
 */
#include "client/session_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/sock.h"
#include "common/log.h"
#include "common/os.h"

/* In front of each block, so that its length is known when it is given back. */
union block {
    size_t len;
    max_align_t align;
};

static void *take(struct session *s, union block *old, size_t len)
{
    size_t before = old != NULL ? old->len : 0;
    union block *b;

    if (len > SESSION_MEMORY_MAX || s->shared->memory - before > SESSION_MEMORY_MAX - len)
        return NULL;
    b = realloc(old, sizeof(*b) + len);
    if (b == NULL)
        return NULL;
    b->len = len;
    s->shared->memory += len;
    s->shared->memory -= before;
    return b + 1;
}

void *session_io_alloc(struct session *s, size_t len)
{
    return take(s, NULL, len);
}

static LIBSSH2_ALLOC_FUNC(on_alloc)
{
    return take(*abstract, NULL, count);
}

static LIBSSH2_REALLOC_FUNC(on_realloc)
{
    return take(*abstract, ptr != NULL ? (union block *)ptr - 1 : NULL, count);
}

static LIBSSH2_FREE_FUNC(on_free)
{
    struct session *s = *abstract;
    union block *b = ptr;

    if (b == NULL)
        return;
    b--;
    s->shared->memory -= b->len;
    free(b);
}

/*
 * Keeps the first bytes and says whether to go on: while they may be an SSH version line, or until
 * it is known that they say SESSION_TURNED_AWAY. Other lines in front of the version are allowed
 * (RFC 4253 4.2), but a gateway sends none: libssh2 need not look at anything else.
 */
static bool note_first_bytes(struct session *s, const void *data, size_t len)
{
    size_t n = sizeof(s->first) - s->first_len;

    if (n > len)
        n = len;
    memcpy(s->first + s->first_len, data, n);
    s->first_len += n;
    return memcmp(s->first, "SSH-", s->first_len) == 0 ||
           (s->first_len < sizeof(s->first) &&
            memcmp(s->first, SESSION_TURNED_AWAY, s->first_len) == 0);
}

/* Takes what came with the proxy's answer before the socket is asked. */
static size_t take_early(struct session *s, void *dst, size_t len)
{
    size_t n = len < s->early.len ? len : s->early.len;

    if (n > 0) {
        memcpy(dst, buf_head(&s->early), n);
        buf_consume(&s->early, n);
    }
    return n;
}

/* Once a second as long as a burst goes on, and once behind it. */
static void on_rest(uv_timer_t *t)
{
    struct session *s = t->data;

    if (s->moved < SESSION_BURST) {
        uv_timer_stop(t);
        if (s->ssh != NULL)
            libssh2_session_trim(s->ssh);
        os_memory_trim();
    }
    s->moved = 0;
}

static void note_moved(struct session *s, ssize_t n)
{
    s->moved += (size_t)n;
    if (s->moved >= SESSION_BURST && !uv_is_active((uv_handle_t *)&s->rest))
        uv_timer_start(&s->rest, on_rest, SESSION_REST_MS, SESSION_REST_MS);
}

static LIBSSH2_RECV_FUNC(on_recv)
{
    struct session *s = *abstract;
    ssize_t n;

    (void)flags;
    if (s->closed)
        return -ECONNRESET;
    n = (ssize_t)take_early(s, buffer, length);
    if (n == 0) {
        if (!s->readable || s->budget == 0)
            return -EAGAIN;
        n = sock_read((int)socket, buffer, length);
        /* A short read has emptied the socket: the next question need not reach the system. */
        if (n == UV_EAGAIN || (n > 0 && (size_t)n < length))
            s->readable = false;
        if (n == UV_EAGAIN)
            return -EAGAIN;
        if (n <= 0) {
            s->closed = true;
            s->io_error = (int)n;
            return n == 0 ? 0 : -ECONNRESET;
        }
    }
    note_moved(s, n);
    s->budget -= (size_t)n < s->budget ? (size_t)n : s->budget;
    session_heard(s);
    if (s->first_len < sizeof(s->first) && !note_first_bytes(s, buffer, (size_t)n)) {
        s->closed = true;
        return -ECONNRESET;
    }
    return n;
}

static LIBSSH2_SEND_FUNC(on_send)
{
    struct session *s = *abstract;
    ssize_t n;

    (void)flags;
    if (s->closed)
        return -EPIPE;
    if (!s->writable)
        return -EAGAIN;
    n = sock_write((int)socket, buffer, length);
    if (n == UV_EAGAIN || (n > 0 && (size_t)n < length))
        s->writable = false;
    if (n == UV_EAGAIN)
        return -EAGAIN;
    if (n < 0) {
        s->closed = true;
        s->io_error = (int)n;
        return -EPIPE;
    }
    note_moved(s, n);
    return n;
}

static LIBSSH2_DISCONNECT_FUNC(on_disconnect)
{
    struct session *s = *abstract;

    (void)session;
    (void)reason;
    (void)language;
    (void)language_len;
    if (message_len > 0)
        log_escape(s->disconnect_text, sizeof(s->disconnect_text), message, (size_t)message_len);
}

/* libssh2 keeps callbacks as one untyped function pointer. */
static void set_callback(LIBSSH2_SESSION *ssh, int type, libssh2_cb_generic *fn)
{
    (void)libssh2_session_callback_set2(ssh, type, fn);
}

LIBSSH2_SESSION *session_io_new(struct session *s)
{
    LIBSSH2_SESSION *ssh = libssh2_session_init_ex(on_alloc, on_free, on_realloc, s);

    if (ssh == NULL)
        return NULL;
    set_callback(ssh, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)on_recv);
    set_callback(ssh, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)on_send);
    set_callback(ssh, LIBSSH2_CALLBACK_DISCONNECT, (libssh2_cb_generic *)on_disconnect);
    libssh2_session_set_blocking(ssh, 0);
    return ssh;
}
