/* Life and loop of a session; see session.h. */
#include "server/prad/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "server/prad/auth.h"
#include "server/prad/bounds.h"
#include "server/prad/channel.h"
#include "server/prad/control.h"
#include "server/prad/enroll.h"
#include "server/prad/factor.h"
#include "server/prad/first_bytes.h"
#include "server/prad/record.h"
#include "server/prad/requests.h"
#include "server/prad/tunnel.h"
#include "server/prad/upload.h"

/* Per turn, so that one session cannot keep a worker to itself. */
#define MESSAGES_PER_RUN 64
#define ROUNDS_PER_RUN   4
#define RESUMES_PER_RUN  8
/* One read of the socket: before login, at first, and after one that brought as much as the first. */
#define READ_LOGIN (16u * 1024)
#define READ_SMALL (64u * 1024)
#define READ_LARGE WORKER_READ_MAX

/* ---- beginning ----------------------------------------------------------------------------- */

struct session *session_new(struct worker *w, const struct arrival *a)
{
    struct {
        uint8_t id[16];
        uint32_t jitter;
    } random;
    struct session *s = calloc(1, sizeof(*s));
    if (!s) {
        startup_give(a->place);
        close(a->fd);
        return NULL;
    }
    s->worker = w;
    s->fd = a->fd;
    s->place = a->place;
    s->probation = a->probation;
    s->started_ms = s->heard_ms = os_monotonic_ms();
    s->entry.worker = w;
    s->entry.connection = atomic_fetch_add(&w->gateway->connections, 1) + 1;
    s->entry.source = a->ip;
    s->entry.source_port = a->port;
    crypto_random(&random, sizeof(random));
    s->jitter = random.jitter;
    crypto_hex_encode(random.id, sizeof(random.id), s->entry.id);
    s->next = w->sessions;
    if (w->sessions)
        w->sessions->prev = s;
    w->sessions = s;
    atomic_fetch_add(&w->gateway->sessions, 1);
    atomic_fetch_add(&w->session_count, 1);
    first_bytes_wait(s);
    return s;
}

static void on_io(evutil_socket_t fd, short what, void *arg);

static bool set_options(struct session *s)
{
    const struct config *c = worker_config(s->worker);
    uint64_t data = (uint64_t)c->rekey_data;
    /* Up to a quarter earlier, so that sessions that began together do not rekey together. */
    uint32_t seconds = (uint32_t)c->rekey_time;
    seconds -= s->jitter % (seconds / 4 + 1);
    ssh_set_blocking(s->ssh, 0);
    ssh_session_set_external_loop(s->ssh);
    ssh_set_counters(s->ssh, &s->wire, &s->plain);
    return ssh_options_set(s->ssh, SSH_OPTIONS_REKEY_DATA, &data) == 0 &&
           ssh_options_set(s->ssh, SSH_OPTIONS_REKEY_TIME, &seconds) == 0 &&
           ssh_session_set_default_window(s->ssh, WINDOW_SMALL) == SSH_OK;
}

void session_start_ssh(struct session *s)
{
    const int low_water = 1;
    struct worker *w = s->worker;
    setsockopt(s->fd, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(low_water));
    s->ssh = ssh_new();
    if (!s->ssh || !set_options(s)) {
        session_end(s, "out-of-memory", NULL);
        return;
    }
    int rc = ssh_bind_accept_fd(w->bind, s->ssh, s->fd);
    s->fd_is_libssh = ssh_get_fd(s->ssh) == s->fd;
    if (rc != SSH_OK) {
        session_end(s, "out-of-memory", NULL);
        return;
    }
    if (w->draining) {
        session_end(s, "gateway-stop", NULL);
        return;
    }
    s->phase = SESSION_LOGIN;
    s->read_most = READ_LOGIN;
    ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_PUBLICKEY);
    event_assign(&s->io_read, w->base, s->fd, EV_READ | EV_PERSIST, on_io, s);
    event_assign(&s->io_write, w->base, s->fd, EV_WRITE | EV_PERSIST, on_io, s);
    if (event_add(&s->io_read, NULL) != 0) {
        session_end(s, "out-of-memory", NULL);
        return;
    }
    if (ssh_handle_key_exchange(s->ssh) == SSH_ERROR) {
        session_end(s, "protocol-error", NULL);
        return;
    }
    session_run(s);
}

const char *session_restriction(const struct session *s)
{
    return s->quarantined ? "quarantined" : s->restricted ? "user-disabled" : "";
}

bool session_must_say(const struct session *s)
{
    return s->pass && s->pass->proof != FACTOR_BY_CODE;
}

bool session_login(struct session *s, const struct policy_user *user, const struct policy_key *key)
{
    struct gateway *g = s->worker->gateway;
    snprintf(s->entry.user, sizeof(s->entry.user), "%s", user->name);
    snprintf(s->entry.device, sizeof(s->entry.device), "%s", key->fingerprint);
    s->entry.since = os_time_now();
    const char *banner = ssh_get_clientbanner(s->ssh);
    log_escape(s->entry.version, sizeof(s->entry.version), banner ? banner : "",
               banner ? strlen(banner) : 0);
    s->key_id = key->id;
    s->key_blob = malloc(key->blob_len);
    if (!s->key_blob)
        return false;
    memcpy(s->key_blob, key->blob, key->blob_len);
    s->entry.share = tunnel_share_new();
    if (!s->entry.share)
        return false;
    s->key_blob_len = key->blob_len;
    s->any_client = key->any_client && !session_must_say(s);
    s->quarantined = key->state == POLICY_KEY_QUARANTINED;
    s->restricted = !user->enabled || s->quarantined;
    s->entry.unsaid = !s->any_client;
    if (!bounds_login(s) || !live_add(g->live, &s->entry, bounds_connections(s)))
        return false;
    if (s->any_client && bounds_too_many(s)) { /* the others are told at hello */
        live_remove(g->live, &s->entry);
        return false;
    }
    s->listed = true;
    s->phase = SESSION_OPEN;
    s->login_ms = s->minute_ms = os_monotonic_ms();
    startup_give(s->place);
    s->place = NULL;
    sources_welcome(g->sources, &s->entry.source, os_time_now());
    return true;
}

/* ---- running ------------------------------------------------------------------------------- */

#define NO_MEMORY ": Out of memory" /* behind the name of the function of libssh that says it */

/* The audit's word for how the connection broke, by what libssh says about it. */
static const char *how_it_broke(const char *error)
{
    if (strstr(error, "SSH_MSG_DISCONNECT"))
        return "client-disconnect";
    if (strstr(error, NO_MEMORY))
        return "out-of-memory";
    if (strstr(error, "Socket error") || *error == '\0')
        return "connection-lost";
    return "protocol-error";
}

/* libssh drops a message for which it has no memory and goes on; whoever sent it would wait for the
   answer, or go on without what it said. */
static bool dropped_something(ssh_session ssh)
{
    return ssh_get_error_code(ssh) == SSH_FATAL && strstr(ssh_get_error(ssh), NO_MEMORY) != NULL;
}

bool session_alive(struct session *s)
{
    if (s->phase != SESSION_LOGIN && s->phase != SESSION_OPEN)
        return false;
    if (ssh_is_connected(s->ssh) &&
        (ssh_get_status(s->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0 &&
        !dropped_something(s->ssh))
        return true;
    const char *error = ssh_get_error(s->ssh);
    const char *reason = how_it_broke(error);
    if (strcmp(reason, "protocol-error") == 0) {
        char text[AUDIT_TEXT_MAX];
        record_session(s, AUDIT_PROTOCOL_ERROR, "libssh",
                       log_escape(text, sizeof(text), error, strlen(error)));
    }
    session_end(s, reason, NULL);
    return false;
}

static size_t output_soft_max(const struct session *s)
{
    size_t cap = (size_t)worker_config(s->worker)->session_buffer / 4;
    return cap < OUTPUT_SOFT_MAX ? cap : OUTPUT_SOFT_MAX;
}

bool session_has_room(struct session *s)
{
    return ssh_session_output_pending(s->ssh) < output_soft_max(s) && !ssh_session_in_rekey(s->ssh);
}

static void note_heard(struct session *s)
{
    if (s->wire.in_bytes == s->wire_seen)
        return;
    s->wire_seen = s->wire.in_bytes;
    s->heard_ms = os_monotonic_ms();
    s->probed_ms = 0;
}

enum queue { QUEUE_EMPTY, QUEUE_MORE, QUEUE_DEAD };

/* Reads the socket, unless messages of the last read are still to be answered: so no more of them
   are kept than one read can hold. False: the session died. */
static bool read_socket(struct session *s)
{
    if (!s->readable || s->has_messages)
        return true;
    s->readable = false;
    ssh_session_input(s->ssh, s->worker->input, sizeof(s->worker->input), s->read_most);
    pump_flush(s->worker);
    bool more = s->wire.in_bytes - s->wire_seen >= READ_SMALL;
    note_heard(s);
    if (s->phase == SESSION_OPEN)
        s->read_most = more ? READ_LARGE : READ_SMALL;
    return session_alive(s);
}

/* Takes the messages out that libssh has. */
static enum queue take_messages(struct session *s)
{
    for (unsigned i = 0; i < MESSAGES_PER_RUN; i++) {
        if (s->factor && factor_waits(s))
            return QUEUE_EMPTY; /* what is there is taken when the answer has come */
        ssh_message m = ssh_message_get(s->ssh);
        if (!session_alive(s)) {
            ssh_message_free(m);
            return QUEUE_DEAD;
        }
        if (!m)
            return QUEUE_EMPTY;
        bool going_on = s->phase == SESSION_LOGIN ? auth_message(s, m) : requests_message(s, m);
        if (!going_on)
            return QUEUE_DEAD;
    }
    return QUEUE_MORE;
}

/* With the message queue empty nothing in libssh points at a channel whose closes are done. What
   was refused never had one: it goes at once, however fast a client keeps asking. */
static void bury_channels(struct session *s, bool queue_empty)
{
    for (struct channel *ch = s->channels, *next; ch; ch = next) {
        next = ch->next;
        if (ch->state == CHANNEL_GONE && !ch->is_ready && !ch->is_stalled &&
            (queue_empty || !ch->ssh))
            channel_destroy(ch, false);
    }
    if (!queue_empty)
        return;
    s->buriable = false;
    control_bury(s);
}

/* Lets the channels go on that have waited longest. True if there are more for whom there is room:
   nothing but the next turn will remember them. */
static bool resume_stalled(struct session *s)
{
    if (!s->stalled.head || !session_has_room(s) ||
        ssh_session_output_pending(s->ssh) > OUTPUT_LOW(output_soft_max(s)))
        return false;
    for (unsigned i = 0; s->stalled.head && i < RESUMES_PER_RUN; i++) {
        struct channel *ch = s->stalled.head;
        s->stalled.head = ch->stalled_next;
        ch->is_stalled = false;
        if (ch->state == CHANNEL_OPEN)
            pump_resume(ch);
        else
            s->buriable = true;
    }
    return s->stalled.head != NULL;
}

static bool serve_ready(struct session *s)
{
    struct channel *ch = s->ready.head;
    s->ready = (struct channel_queue){0};
    while (ch) {
        struct channel *next = ch->ready_next;
        ch->is_ready = false;
        if (!channel_serve(ch))
            return false;
        s->buriable |= ch->state == CHANNEL_GONE;
        ch = next;
    }
    return control_serve(s);
}

/* What a rekey holds back is not for the socket yet, so `write` is not the same as pending. */
static void wait_for_socket(struct session *s, bool write)
{
    if (write == s->writing)
        return;
    s->writing = write;
    if (write)
        event_add(&s->io_write, NULL);
    else
        event_del(&s->io_write);
}

/* Whether the session has to end although libssh is content. */
static bool overdue(struct session *s)
{
    if (s->must_end) {
        session_end(s, s->ended_by, NULL);
        return true;
    }
    size_t pending = ssh_session_output_pending(s->ssh);
    size_t cap = s->phase == SESSION_LOGIN ? OUTPUT_LOGIN_MAX
                                           : (size_t)worker_config(s->worker)->session_buffer;
    if (pending > cap) {
        session_end(s, "output-overflow", NULL);
        return true;
    }
    if (s->worker->draining && s->phase == SESSION_OPEN && session_is_idle(s))
        session_end_soon(s, "gateway-stop");
    if (s->ending_ms != 0 && pending == 0 && !control_has_reader(s)) {
        session_end(s, s->ended_by, s->ended_by);
        return true;
    }
    return false;
}

/* One turn with the worker's memory lent to libssh. False: the session died. `unsent`: the socket
   takes no more; `again`: there is work that no event will announce. */
static bool run_lent(struct session *s, bool *unsent, bool *again)
{
    if (s->factor && !factor_go_on(s))
        return false;
    if (!read_socket(s))
        return false;
    *again = true;
    for (unsigned round = 0; *again && round < ROUNDS_PER_RUN; round++) {
        enum queue queue = take_messages(s);
        if (queue == QUEUE_DEAD)
            return false;
        if (s->buriable)
            bury_channels(s, queue == QUEUE_EMPTY);
        if (!serve_ready(s))
            return false;
        *unsent = ssh_session_output(s->ssh) == SSH_AGAIN;
        if (!session_alive(s))
            return false;
        s->has_messages = queue == QUEUE_MORE;
        *again = resume_stalled(s) || s->has_messages || s->ready.head != NULL || s->buriable;
    }
    return true;
}

void session_run(struct session *s)
{
    if (s->phase != SESSION_LOGIN && s->phase != SESSION_OPEN)
        return;
    struct worker *w = s->worker;
    bool unsent = false, again = false;
    ssh_session_lend_output(s->ssh, w->output, sizeof(w->output));
    if (!run_lent(s, &unsent, &again))
        return; /* the loan ended with the session */
    ssh_session_lend_output(s->ssh, NULL, 0);
    if (!session_alive(s) || overdue(s))
        return;
    wait_for_socket(s, unsent);
    if (again)
        worker_wake(w, s);
}

enum run_class session_run_class(const struct session *s)
{
    if (s->phase != SESSION_OPEN)
        return RUN_LOGIN;
    return s->channels ? RUN_LIVE : RUN_IDLE;
}

/* Its socket is heard of in each turn of the loop as long as it is not read: once is enough. */
static void park(struct session *s)
{
    s->parked = true;
    event_del(&s->io_read);
    wait_for_socket(s, false);
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct session *s = arg;
    if (what & EV_READ)
        s->readable = true;
    if (session_run_class(s) == RUN_LIVE)
        session_run(s);
    else if (s->in_run_queue)
        park(s);
    else
        worker_wake(s->worker, s);
}

void session_step(struct session *s)
{
    if (s->parked && !factor_waits(s) && event_add(&s->io_read, NULL) != 0) {
        session_end(s, "out-of-memory", NULL);
        return;
    }
    s->parked = false;
    if (s->phase == SESSION_FIRST_BYTES)
        first_bytes_tell(s);
    else
        session_run(s);
}

/* ---- time ---------------------------------------------------------------------------------- */

/* Waiting: for the first bytes, or for the login. */
static void tick_waiting(struct session *s, uint64_t now)
{
    if (startup_evicted(s->place)) {
        record_session(s, AUDIT_LOGIN_REFUSED, "made-room", "");
        session_end(s, "made-room", "others are waiting");
        return;
    }
    if (!s->spoke && s->place && s->wire.in_bytes > 0) {
        s->spoke = true;
        startup_spoke(s->place);
    }
    const struct config *c = worker_config(s->worker);
    uint64_t since = s->factor ? factor_since(s) : s->started_ms;
    if (now - since > (uint64_t)(s->factor ? c->second_factor_time : c->login_grace) * 1000) {
        record_session(s, AUDIT_LOGIN_REFUSED, "login-grace", "");
        session_end(s, "login-grace", "too slow");
    }
}

/* A client that is silent is asked; one that stays silent is dead. Each is asked in a rhythm of its
   own, up to a quarter earlier, so that clients that came together are not asked together. */
static void tick_keepalive(struct session *s, uint64_t now)
{
    const struct config *c = worker_config(s->worker);
    uint64_t delay = (uint64_t)c->keepalive_delay * 1000;
    delay -= s->jitter % (delay / 4 + 1);
    if (now - s->heard_ms >= (uint64_t)c->keepalive_timeout * 1000) {
        session_end(s, "dead-peer", NULL);
        return;
    }
    if (now - s->heard_ms < delay || now - s->probed_ms < delay)
        return;
    s->probed_ms = now;
    ssh_send_keepalive(s->ssh); /* takes notice of the answer to the one before, if any */
    ssh_send_keepalive(s->ssh);
    if (session_alive(s))
        worker_wake(s->worker, s);
}

static void tick_open(struct session *s, uint64_t now)
{
    const struct config *c = worker_config(s->worker);
    session_obey_primary(s);
    if (s->worker->draining) /* the other connections of a tunnel end without telling this one */
        worker_wake(s->worker, s);
    if (s->ending_ms != 0 && now >= s->ending_ms) {
        session_end(s, s->ended_by, s->ended_by);
        return;
    }
    if (!s->hello && !s->any_client && !enroll_has_asked(s) &&
        now - s->login_ms > (uint64_t)c->hello_timeout * 1000) {
        record_session(s, AUDIT_REQUEST_REFUSED, "no-hello", "");
        session_end(s, "no-hello", "this key works with the PRA client only");
        return;
    }
    for (struct channel *ch = s->channels; ch; ch = ch->next)
        pump_tick(ch, now);
    if (s->enroll)
        enroll_tick(s);
    bounds_tick(s, now);
    upload_tick(s, now);
    control_tick(s);
    if (now - s->minute_ms >= 60000) {
        record_suppressed(s);
        s->minute_ms = now;
    }
    tick_keepalive(s, now);
}

void session_tick(struct session *s, uint64_t now_ms)
{
    if (s->phase == SESSION_LOGIN)
        tick_waiting(s, now_ms);
    else if (s->phase == SESSION_OPEN)
        tick_open(s, now_ms);
}
