/*
 * The life of a session: its state machine, its handles, and its one end. The states themselves
 * are in session_connect.c (until the gateway answers), session_ssh.c (until the control channel
 * runs) and session_tunnel.c (while data flows).
 */
#include "client/session_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/sock.h"
#include "common/crypto.h"
#include "common/i18n.h"
#include "common/utf8.h"

static void bury(struct session *s);

/* What each state does in a turn, and what it means when its time is over (English, Japanese). */
static const struct {
    void (*step)(struct session *s);
    enum cause late;
    const char *late_en, *late_ja;
} states[S_STATE_COUNT] = {
    [S_RESOLVE] = {session_step_resolve, CAUSE_RESOLVE, "the name service does not answer",
                   "DNS サーバが応答しません"},
    [S_CONNECT] = {session_step_connect, CAUSE_TIMEOUT, "", ""}, /* session_connect_late() */
    [S_PROXY] = {session_step_proxy, CAUSE_PROXY, "the proxy does not answer",
                 "プロキシが応答しません"},
    [S_HANDSHAKE] = {session_step_handshake, CAUSE_SILENT,
                     "the connection stands, but the gateway says nothing",
                     "接続後、ゲートウェイからの応答がありません"},
    [S_LOGIN] = {session_step_login, CAUSE_CUT, "the gateway does not answer the login",
                 "ログインへの応答がありません"},
    [S_CODE] = {session_step_code, CAUSE_CUT, "the gateway does not answer the second factor",
                "2 要素認証への応答がありません"},
    [S_CONTROL_OPEN] = {session_step_control_open, CAUSE_CUT,
                        "the gateway does not open the control channel",
                        "制御チャネルを開けません"},
    [S_CONTROL_START] = {session_step_control_start, CAUSE_CUT,
                         "the gateway does not start the control channel",
                         "制御チャネルが開始されません"},
    [S_OPEN] = {session_step_open, CAUSE_DEAD, "", ""},
    [S_FAREWELL] = {session_step_farewell, CAUSE_NONE, "", ""},
    [S_DEAD] = {bury, CAUSE_NONE, "", ""},
};

void session_unref(struct session *s)
{
    if (--s->handles == 0)
        free(s);
}

static void on_handle_closed(uv_handle_t *h)
{
    session_unref(h->data);
}

static void close_handle(struct session *s, uv_handle_t *h)
{
    h->data = s;
    uv_close(h, on_handle_closed);
}

void session_close_socket(struct session *s)
{
    fdwatch_close(&s->watch);
    if (s->fd >= 0)
        sock_close(s->fd);
    s->fd = -1;
}

/* Ends the session for good: tells the owner, then lets the handles go. */
static void bury(struct session *s)
{
    if (s->buried)
        return;
    s->buried = true;
    s->closed = true; /* libssh2 must not touch the network again, only free */
    while (s->channels != NULL)
        channel_bury(s->channels);
    if (s->ssh != NULL)
        (void)libssh2_session_free(s->ssh);
    s->ssh = NULL;
    session_connect_free(s);
    session_close_socket(s);
    buf_free(&s->control_in);
    buf_free(&s->control_out);
    free(s->scratch);
    s->scratch = NULL;
    crypto_wipe(s->answer, sizeof(s->answer));
    uv_check_stop(&s->check);
    uv_idle_stop(&s->idle);
    s->events->ended(s->owner, s->cause, s->detail);
    close_handle(s, (uv_handle_t *)&s->timer);
    close_handle(s, (uv_handle_t *)&s->rest);
    close_handle(s, (uv_handle_t *)&s->check);
    close_handle(s, (uv_handle_t *)&s->idle);
}

static void turn(struct session *s)
{
    enum session_state before;

    s->budget = SESSION_READ_BUDGET;
    do {
        before = s->state;
        states[before].step(s);
    } while (s->state != before);
}

static void on_check(uv_check_t *h)
{
    struct session *s = h->data;

    if (!uv_is_active((uv_handle_t *)&s->idle))
        return;
    uv_idle_stop(&s->idle);
    turn(s);
}

static void on_idle(uv_idle_t *h)
{
    (void)h; /* its being active is all that is needed: the loop does not wait */
}

void session_kick(struct session *s)
{
    if (!s->buried)
        uv_idle_start(&s->idle, on_idle);
}

static void on_timer(uv_timer_t *h)
{
    struct session *s = h->data;

    if (s->state == S_OPEN)
        session_watchdog(s);
    else if (s->state == S_CONNECT)
        session_connect_late(s);
    else if (s->state == S_HANDSHAKE && s->first_len > 0)
        session_fail(s, CAUSE_CUT,
                     tr("the gateway stopped in the middle of the handshake",
                        "ハンドシェイクの途中で応答がなくなりました"));
    else
        session_fail(s, states[s->state].late,
                     tr(states[s->state].late_en, states[s->state].late_ja));
}

void session_enter(struct session *s, enum session_state state, uint64_t limit_ms)
{
    s->state = state;
    uv_timer_start(&s->timer, on_timer, limit_ms, 0);
}

void session_fail(struct session *s, enum cause cause, const char *detail)
{
    if (s->state == S_DEAD)
        return;
    s->state = S_DEAD;
    s->cause = cause;
    utf8_copy(s->detail, sizeof(s->detail), detail);
    session_kick(s);
}

void session_stop(struct session *s)
{
    if (s->state == S_OPEN) {
        session_enter(s, S_FAREWELL, SESSION_FAREWELL_MS);
        session_kick(s);
    } else if (s->state != S_FAREWELL) {
        session_fail(s, CAUSE_NONE, "");
    }
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct session *s = h->data;

    /* An error is read from the socket like anything else, so that its reason is known. */
    if (status < 0 || (events & (UV_READABLE | UV_DISCONNECT)) != 0)
        s->readable = true;
    if (status < 0 || (events & UV_WRITABLE) != 0)
        s->writable = true;
    if (status < 0)
        fdwatch_stopped(&s->watch);
    session_kick(s);
}

void session_poll(struct session *s, int events)
{
    if (s->watch.poll == NULL && fdwatch_open(&s->watch, s->loop, s->fd, s) != 0)
        session_fail(s, CAUSE_MEMORY, tr("out of memory", "メモリが足りません"));
    else
        fdwatch_set(&s->watch, events, on_poll);
}

int session_start(uv_loop_t *loop, const struct session_options *opt,
                  const struct session_events *events, void *owner, struct session **out)
{
    struct session *s = calloc(1, sizeof(*s));
    int rc;

    if (s == NULL)
        return PRA_ENOMEM;
    if ((rc = sshkey_blob(opt->info, s->blob, &s->blob_len)) != 0) {
        free(s);
        return rc;
    }
    s->loop = loop;
    s->events = events;
    s->owner = owner;
    s->fd = -1;
    s->server = opt->server;
    s->port = opt->port;
    s->has_proxy = opt->has_proxy;
    s->proxy = opt->proxy;
    s->proxy_port = opt->proxy_port;
    (void)snprintf(s->user, sizeof(s->user), "%s", opt->user);
    s->key = opt->key;
    s->shared = opt->shared;
    if (opt->token != NULL)
        (void)snprintf(s->answer[0], sizeof(s->answer[0]), "%s", opt->token);
    if (opt->code != NULL)
        (void)snprintf(s->answer[1], sizeof(s->answer[1]), "%s", opt->code);
    s->dead_delay_ms = (uint64_t)opt->dead_delay * 1000;
    s->dead_timeout_ms = (uint64_t)opt->dead_timeout * 1000;
    buf_init(&s->early, 64u * 1024);
    buf_init(&s->control_in, SESSION_CONTROL_IN_MAX);
    buf_init(&s->control_out, SESSION_CONTROL_OUT_MAX);

    uv_timer_init(loop, &s->timer);
    uv_timer_init(loop, &s->rest);
    uv_check_init(loop, &s->check);
    uv_idle_init(loop, &s->idle);
    s->timer.data = s->rest.data = s->check.data = s->idle.data = s;
    s->handles = 4;
    uv_check_start(&s->check, on_check);
    *out = s;
    session_begin_resolve(s);
    return 0;
}
