/* Listeners and who may use them; see forward.h. */
#include "client/forward.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/sock.h"
#include "common/format.h"
#include "common/i18n.h"
#include "common/os.h"

/* Connections taken per event; the others get their turn in the next loop iteration. */
#define ACCEPTS_PER_EVENT 32

static void on_listener(uv_poll_t *h, int status, int events);

const char *forward_local(const struct forward *fw, char *dst)
{
    return plan_format_local(fw->on_fallback ? &fw->rule.fallback : &fw->rule.local, dst);
}

const char *forward_state_word(enum forward_state state)
{
    static const char *const words[] = {[FORWARD_LISTENING] = "listening",
                                        [FORWARD_CONFLICT] = "conflict",
                                        [FORWARD_DENIED] = "denied"};

    return words[state];
}

json_t *forward_holder_json(const struct forward *fw)
{
    const struct sockdiag_holder *h = &fw->holder;

    if (!fw->has_holder)
        return json_null();
    if (h->pid == 0)
        return json_pack("{s:n, s:s}", "pid", "program", h->program);
    return json_pack("{s:I, s:s}", "pid", (json_int_t)h->pid, "program", h->program);
}

json_t *forward_error_json(const struct forward *fw)
{
    char port[ADDR_TEXT_MAX], pid[24] = "?";
    struct msg_args args = {.port = plan_format_local(&fw->rule.local, port), .pid = pid};
    struct msg_text text;

    if (fw->state == FORWARD_LISTENING)
        return json_null();
    if (fw->has_holder) {
        args.program = fw->holder.program;
        if (fw->holder.pid != 0)
            (void)snprintf(pid, sizeof(pid), "%ld", fw->holder.pid);
    }
    args.detail = fw->rule.refused[0] != '\0' ? fw->rule.refused : sock_error_text(fw->error);
    msg_format(fw->problem, i18n_lang(), &args, &text);
    return json_sprintf("%s %s", text.code, text.cause);
}

/* --- the listener --------------------------------------------------------------------------- */

static void log_line(struct forward *fw, const char *fmt, ...) FORMAT_PRINTF(2, 3);

/* "forward 'POP': " and what is to be said. */
static void log_line(struct forward *fw, const char *fmt, ...)
{
    char text[MSG_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fw->events->log(fw->arg, fw, text);
}

static int listen_at(const struct plan_local *l)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&l->ip, l->port, &sa);

    return sock_listen((const struct sockaddr *)&sa, len);
}

/* What an error of bind() or listen() means for people. */
static void set_problem(struct forward *fw, int error)
{
    struct sockdiag_holder known = fw->holder, *last = fw->has_holder ? &known : NULL;

    fw->error = error;
    fw->has_holder = false;
    fw->state = FORWARD_DENIED;
    if (error == UV_EADDRINUSE) {
        fw->state = FORWARD_CONFLICT;
        fw->problem = MSG_PORT_BUSY;
        fw->has_holder =
            sockdiag_port_holder(&fw->rule.local.ip, fw->rule.local.port, last, &fw->holder) == 0;
    } else {
        fw->problem = error == UV_EACCES ? MSG_PORT_DENIED : MSG_PORT_ADDRESS;
    }
}

static void use_listener(struct forward *fw, int fd, bool fallback)
{
    fdwatch_close(&fw->watch);
    if (fw->fd >= 0)
        sock_close(fw->fd);
    fw->fd = fd;
    fw->on_fallback = fallback;
    fw->state = FORWARD_LISTENING;
    if (fdwatch_open(&fw->watch, fw->retry.loop, fd, fw) == 0)
        fdwatch_set(&fw->watch, UV_READABLE, on_listener);
}

/* Tries the rule's address, then its fallback; keeps what stands when neither is better. */
static void try_listen(struct forward *fw)
{
    int fd;

    if (fw->rule.refused[0] != '\0') {
        fw->state = FORWARD_DENIED;
        fw->problem = MSG_PORT_ADDRESS;
        return;
    }
    fd = listen_at(&fw->rule.local);
    if (fd >= 0) {
        use_listener(fw, fd, false);
        fw->problem = MSG_NONE;
        fw->error = 0;
        fw->has_holder = false;
        return;
    }
    set_problem(fw, fd);
    if (fw->fd >= 0) { /* on the fallback already */
        fw->state = FORWARD_LISTENING;
        return;
    }
    fd = fw->rule.fallback.ip.family != 0 ? listen_at(&fw->rule.fallback) : UV_EADDRINUSE;
    if (fd >= 0)
        use_listener(fw, fd, true);
}

static void describe_change(struct forward *fw)
{
    char local[ADDR_TEXT_MAX], target[ADDR_TEXT_MAX];
    json_t *error = forward_error_json(fw);

    if (json_is_string(error))
        log_line(fw, "%s", json_string_value(error));
    else
        log_line(fw, "listens on %s%s for %s", forward_local(fw, local),
                 fw->on_fallback ? " (fallback)" : "", plan_format_target(&fw->rule, target));
    json_decref(error);
}

/* (Re)opens and tells the owner if anything that can be seen has changed. */
static void refresh(struct forward *fw, bool always)
{
    enum forward_state state = fw->state;
    enum msg_id problem = fw->problem;
    bool fallback = fw->on_fallback;
    uint64_t inode = fw->has_holder ? fw->holder.inode : 0;

    try_listen(fw);
    if (fw->problem == MSG_NONE)
        uv_timer_stop(&fw->retry);
    else if (fw->rule.refused[0] == '\0')
        uv_timer_again(&fw->retry);
    if (!always && state == fw->state && problem == fw->problem && fallback == fw->on_fallback &&
        inode == (fw->has_holder ? fw->holder.inode : 0))
        return;
    describe_change(fw);
    fw->events->changed(fw->arg, fw);
}

static void on_retry(uv_timer_t *t)
{
    struct forward *fw = t->data;

    if (fw->problem != MSG_NONE) {
        refresh(fw, false);
    } else { /* accepting had to pause */
        uv_timer_stop(t);
        fdwatch_set(&fw->watch, UV_READABLE, on_listener);
    }
}

/* --- connections ---------------------------------------------------------------------------- */

/* Is the program at the other end one of this user's? */
static bool may_use(struct forward *fw, const struct sockaddr_storage *peer,
                    const struct sockaddr_storage *local)
{
    struct fault f = {0};
    uid_t uid;

    if (sockdiag_peer_uid(peer, local, &uid, &f) != 0) {
        log_line(fw, "connection refused: %s", f.text);
        return false;
    }
    if (uid == getuid())
        return true;
    log_line(fw, "connection of another user (uid %lu) refused", (unsigned long)uid);
    return false;
}

static void open_channel(struct forward *fw, struct session *s, struct channel *ch)
{
    struct channel_target target = {.host = fw->rule.target, .port = fw->rule.target_port};

    if (session_adopt(s, ch, &target) == 0)
        return;
    log_line(fw, "too many connections, one was refused");
    channel_cut(ch, CHANNEL_RESET);
}

static void on_hold(uv_timer_t *t)
{
    struct forward *fw = t->data;
    uint64_t before = os_monotonic_ms() - FORWARD_HOLD_MS;
    struct channel *ch;

    while ((ch = channel_owner_held(&fw->owner, before)) != NULL)
        channel_cut(ch, CHANNEL_RESET);
    if (channel_owner_held(&fw->owner, UINT64_MAX) == NULL)
        uv_timer_stop(t);
}

static void take_connection(struct forward *fw, int fd, const struct sockaddr_storage *peer,
                            const struct sockaddr_storage *local)
{
    struct session *s = fw->events->session(fw->arg);
    struct addr_ip ip;
    struct channel *ch;
    uint16_t port;

    if (addr_from_sockaddr((const struct sockaddr *)peer, &ip, &port) != 0 ||
        !may_use(fw, peer, local) || (s == NULL && fw->owner.connections >= FORWARD_HELD_MAX)) {
        sock_reset(fd);
        return;
    }
    ch = channel_new(fw->retry.loop, &fw->owner, fd, &ip, port);
    if (ch != NULL && s != NULL)
        open_channel(fw, s, ch);
    else if (ch != NULL && !uv_is_active((uv_handle_t *)&fw->hold))
        uv_timer_start(&fw->hold, on_hold, FORWARD_HOLD_MS, 1000);
}

static void on_listener(uv_poll_t *h, int status, int events)
{
    struct forward *fw = h->data;
    struct sockaddr_storage local, peer;
    int fd = 0;

    (void)events;
    if (status < 0) {
        fdwatch_stopped(&fw->watch);
        uv_timer_again(&fw->retry);
        return;
    }
    for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
        fd = sock_accept(fw->fd, &local, &peer);
        if (fd < 0)
            break;
        take_connection(fw, fd, &peer, &local);
    }
    if (fd < 0 && fd != UV_EAGAIN) {
        /* Out of descriptors: the connection still waits, so pause instead of spinning on it. */
        log_line(fw, "a connection cannot be taken: %s", sock_error_text(fd));
        fdwatch_set(&fw->watch, 0, on_listener);
        uv_timer_again(&fw->retry);
    }
}

/* --- life ----------------------------------------------------------------------------------- */

static void on_channel_closed(struct channel_owner *owner, enum channel_end end,
                              uint32_t ssh_reason, const char *text)
{
    struct forward *fw = (struct forward *)owner;

    fw->events->ended(fw->arg, fw, end, ssh_reason, text);
}

struct forward *forward_new(uv_loop_t *loop, const struct plan_rule *rule,
                            const struct forward_events *events, void *arg)
{
    struct forward *fw = calloc(1, sizeof(*fw));

    if (fw == NULL)
        return NULL;
    fw->owner.closed = on_channel_closed;
    fw->rule = *rule;
    fw->events = events;
    fw->arg = arg;
    fw->fd = -1;
    fw->state = FORWARD_CONFLICT;
    uv_timer_init(loop, &fw->retry);
    uv_timer_init(loop, &fw->hold);
    fw->retry.data = fw->hold.data = fw;
    fw->handles = 2;
    /* So that uv_timer_again() works from the start. */
    uv_timer_start(&fw->retry, on_retry, FORWARD_RETRY_MS, FORWARD_RETRY_MS);
    return fw;
}

void forward_open(struct forward *fw)
{
    refresh(fw, true);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct forward *fw = h->data;

    if (--fw->handles == 0)
        free(fw);
}

void forward_free(struct forward *fw)
{
    if (fw == NULL)
        return;
    channel_owner_cut(&fw->owner, CHANNEL_CUT);
    fdwatch_close(&fw->watch);
    if (fw->fd >= 0)
        sock_close(fw->fd);
    fw->fd = -1;
    uv_close((uv_handle_t *)&fw->retry, on_handle_closed);
    uv_close((uv_handle_t *)&fw->hold, on_handle_closed);
}

void forward_update(struct forward *fw, const struct plan_rule *rule)
{
    fw->rule = *rule;
}

void forward_release(struct forward *fw)
{
    struct session *s = fw->events->session(fw->arg);
    struct channel *ch;

    while (s != NULL && (ch = channel_owner_held(&fw->owner, UINT64_MAX)) != NULL)
        open_channel(fw, s, ch);
    uv_timer_stop(&fw->hold);
}
