/* The session channel and its bytes; see control.h. What the lines mean is in control_in.c. */
#include "server/prad/control.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "server/prad/control_internal.h"
#include "server/prad/record.h"
#include "server/prad/requests.h"

#define SUBSYSTEM "pra@v1"
/* OpenSSH leaves without printing stderr if the refusal comes with it: let it print first. */
#define REFUSE_AFTER_MS 150

static const char HINT[] = "This gateway forwards ports only. Use for example:\r\n"
                           "  ssh -N -L 8110:mail:110 -p 10022 USER@GATEWAY\r\n";

static void wake(struct control *c)
{
    c->ready = true;
    worker_wake(c->session->worker, c->session);
}

/* ---- callbacks of libssh: they only take and mark ------------------------------------------ */

static int on_data(ssh_session ssh, ssh_channel channel, void *data, uint32_t len, int is_stderr,
                   void *arg)
{
    (void)ssh;
    (void)channel;
    struct control *c = arg;
    if (!c->started || is_stderr || c->closed)
        return (int)len;
    size_t room = c->in.cap - c->in.len, take = len < room ? len : room;
    if (buf_append(&c->in, data, take) != 0)
        take = 0;
    c->held_back = take < len; /* the window stays closed until it is read */
    wake(c);
    return (int)take;
}

static void on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
    (void)ssh;
    (void)channel;
    struct control *c = arg;
    c->client_closed = true;
    wake(c);
}

static int on_window(ssh_session ssh, ssh_channel channel, uint32_t bytes, void *arg)
{
    (void)ssh;
    (void)channel;
    (void)bytes;
    struct control *c = arg;
    if (c->out.len > 0)
        wake(c);
    return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

bool control_open(struct session *s, ssh_message m)
{
    bool welcome = !s->control && ssh_message_channel_request_open_max_packet(m) > 0;
    struct control *c = welcome ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        record_session(s, AUDIT_REQUEST_REFUSED,
                       s->control ? "second-session-channel" : "session-channel", "");
        ssh_message_channel_request_open_reply_failure(m, 1, "one session channel at a time");
        ssh_message_free(m);
        return session_alive(s);
    }
    c->session = s;
    buf_init(&c->in, CONTROL_IN_MAX);
    buf_init(&c->out, CONTROL_OUT_MAX);
    c->ssh = ssh_message_channel_request_open_reply_accept(m);
    ssh_message_free(m);
    if (!c->ssh || !session_alive(s)) {
        free(c);
        return session_alive(s);
    }
    c->callbacks =
        (struct ssh_channel_callbacks_struct){.userdata = c,
                                              .channel_data_function = on_data,
                                              .channel_close_function = on_close,
                                              .channel_write_wontblock_function = on_window};
    ssh_callbacks_init(&c->callbacks);
    ssh_set_channel_callbacks(c->ssh, &c->callbacks);
    s->control = c;
    return true;
}

bool control_owns(const struct session *s, ssh_channel channel)
{
    return s->control && s->control->ssh == channel;
}

static void on_refuse(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    wake(arg);
}

/* A shell or command: says what this gateway is for; the refusal follows a moment later. */
static bool refuse_politely(struct control *c, ssh_message *m)
{
    struct session *s = c->session;
    const struct timeval after = {.tv_usec = REFUSE_AFTER_MS * 1000};
    ssh_channel_write_stderr(c->ssh, HINT, sizeof(HINT) - 1);
    if (!session_alive(s))
        return false;
    c->refused = *m;
    *m = NULL;
    event_assign(&c->refuse_timer, s->worker->base, -1, 0, on_refuse, c);
    event_add(&c->refuse_timer, &after);
    return true;
}

bool control_request(struct session *s, ssh_message *m)
{
    struct control *c = s->control;
    int kind = ssh_message_subtype(*m);
    const char *subsystem =
        kind == SSH_CHANNEL_REQUEST_SUBSYSTEM ? ssh_message_channel_request_subsystem(*m) : NULL;
    if (subsystem && strcmp(subsystem, SUBSYSTEM) == 0 && !c->started && !c->refused) {
        c->started = true;
        ssh_message_channel_request_reply_success(*m);
        return session_alive(s);
    }
    if ((kind == SSH_CHANNEL_REQUEST_SHELL || kind == SSH_CHANNEL_REQUEST_EXEC) && !c->started &&
        !c->refused)
        return refuse_politely(c, m);
    return requests_refuse(s, *m);
}

/* ---- serving ------------------------------------------------------------------------------- */

static bool close_channel(struct control *c)
{
    if (c->closed)
        return true;
    c->closed = true;
    if (ssh_channel_close(c->ssh) == SSH_AGAIN)
        ssh_channel_close(c->ssh);
    return session_alive(c->session);
}

static bool finish_refusal(struct control *c)
{
    struct session *s = c->session;
    if (!c->refused || event_pending(&c->refuse_timer, EV_TIMEOUT, NULL))
        return true;
    bool alive = requests_refuse(s, c->refused);
    if (!alive)
        return false; /* the control channel, and with it the request, is gone */
    ssh_message_free(c->refused);
    c->refused = NULL;
    return close_channel(c);
}

/* Why a client's message ends the session: told, audited, done. */
static void reject(struct session *s, int rc, const char *why)
{
    char text[AUDIT_TEXT_MAX];
    record_session(s, AUDIT_PROTOCOL_ERROR, rc == PRA_EFULL ? "control-flood" : "control-message",
                   log_escape(text, sizeof(text), why, strlen(why)));
    control_send(
        s, json_pack("{s:s, s:s, s:s}", "type", "refused", "reason", "protocol", "detail", text));
    session_end_soon(s, "protocol-error");
}

/* Acts on every whole line of the input. */
static void read_lines(struct control *c)
{
    struct session *s = c->session;
    struct fault f = {0};
    int rc = 0;
    while (rc == 0 && s->ending_ms == 0 && !s->must_end) {
        json_t *o = NULL;
        rc = jsonl_next(&c->in, JSONL_CLIENT_MAX, &o, &f);
        if (rc != 0)
            break;
        if (++c->received > CONTROL_RATE_MAX)
            rc = fault_set(&f, PRA_EFULL, "more than %d messages a minute", CONTROL_RATE_MAX);
        else
            rc = control_receive(s, o, &f);
        json_decref(o);
    }
    if (rc != 0 && rc != PRA_EAGAIN && s->ending_ms == 0)
        reject(s, rc, *f.text ? f.text : "a line is longer than 64 KiB");
}

/* Takes what libssh kept because the input was full. False: the session died. */
static bool read_held_back(struct control *c)
{
    struct worker *w = c->session->worker;
    size_t room = c->in.cap - c->in.len;
    if (!c->held_back || room == 0)
        return true;
    int n = ssh_channel_read_timeout(
        c->ssh, w->scratch, (uint32_t)(room < WORKER_SCRATCH ? room : WORKER_SCRATCH), 0, 0);
    if (!session_alive(c->session))
        return false;
    if (n <= 0)
        c->held_back = false;
    else if (buf_append(&c->in, w->scratch, (size_t)n) != 0)
        session_must_end(c->session, "out-of-memory");
    wake(c);
    return true;
}

bool control_flush(struct session *s)
{
    struct control *c = s->control;
    while (c && c->out.len > 0 && !c->closed && !c->client_closed) {
        size_t want = ssh_channel_window_size(c->ssh);
        if (want > c->out.len)
            want = c->out.len;
        if (want > WORKER_SCRATCH)
            want = WORKER_SCRATCH;
        if (want == 0 || !session_has_room(s))
            break;
        int n = ssh_channel_write(c->ssh, buf_head(&c->out), (uint32_t)want);
        if (!session_alive(s))
            return false;
        if (n <= 0)
            break;
        buf_consume(&c->out, (size_t)n);
    }
    return true;
}

bool control_serve(struct session *s)
{
    struct control *c = s->control;
    if (!c)
        return true;
    if (c->ready) {
        c->ready = false;
        if (c->started && c->in.len > 0)
            read_lines(c);
        if (!read_held_back(c))
            return false;
        if (!finish_refusal(c))
            return false;
        if (c->client_closed) {
            if (!close_channel(c))
                return false;
            s->buriable = true;
            if (c->started) /* a tunnel lives as long as its control channel */
                session_must_end(s, "control-closed");
        }
    }
    return control_flush(s);
}

bool control_has_reader(const struct session *s)
{
    const struct control *c = s->control;
    return c && c->started && !c->closed && !c->client_closed;
}

void control_bury(struct session *s)
{
    struct control *c = s->control;
    if (c && c->closed && c->client_closed && !c->ready)
        control_free(s);
}

void control_tick(struct session *s)
{
    struct control *c = s->control;
    uint64_t now = os_monotonic_ms();
    if (!c)
        return;
    if (now - c->minute_ms >= 60000) {
        c->minute_ms = now;
        c->received = 0;
    }
    if (c->out.len > 0)
        wake(c);
}

void control_free(struct session *s)
{
    struct control *c = s->control;
    if (!c)
        return;
    s->control = NULL;
    explain_cancel_all(c);
    if (event_initialized(&c->refuse_timer))
        event_del(&c->refuse_timer);
    ssh_message_free(c->refused);
    if (s->ssh)
        ssh_channel_free(c->ssh);
    buf_free(&c->in);
    buf_free(&c->out);
    free(c);
}
