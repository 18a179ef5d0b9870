/* How sessions end: broken, ended by policy or by an administrator, or with the gateway. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/os.h"
#include "server/prad/bounds.h"
#include "server/prad/channel.h"
#include "server/prad/clone.h"
#include "server/prad/control.h"
#include "server/prad/enroll.h"
#include "server/prad/factor.h"
#include "server/prad/record.h"
#include "server/prad/session.h"
#include "server/prad/tunnel.h"
#include "server/prad/upload.h"

static void note_reason(struct session *s, const char *reason)
{
    if (s->ended_by[0] == '\0')
        snprintf(s->ended_by, sizeof(s->ended_by), "%s", reason);
}

/* ThreadSanitizer sees who called a function of ours, and nothing of libevent: so this is one. */
__attribute__((noinline)) static void stop_event(struct event *e)
{
    if (event_initialized(e))
        event_del(e);
}

/* By this name tests/tsan.supp knows it. */
__attribute__((noinline)) static void stop_events(struct session *s)
{
    stop_event(&s->io_read);
    stop_event(&s->io_write);
}

/* What a connection that came to nothing costs its source. A port check and our own stop are free. */
static long penalty_of(const struct session *s, const struct config *c)
{
    if (s->phase == SESSION_HTTP || s->worker->draining)
        return 0;
    if (s->auth_tries > 0)
        return c->penalty_authfail;
    return strcmp(s->ended_by, "login-grace") == 0 ? c->penalty_grace_exceeded : c->penalty_noauth;
}

static void leave_startups(struct session *s)
{
    const struct config *c = worker_config(s->worker);
    const struct source_limits l = {.min = c->penalty_min, .max = c->penalty_max};
    if (!s->place)
        return;
    if (sources_penalise(s->worker->gateway->sources, &s->entry.source, penalty_of(s, c), &l,
                         os_time_now()))
        record_session(s, AUDIT_LOGIN_REFUSED, "penalty", "");
    startup_give(s->place);
    s->place = NULL;
}

void session_end(struct session *s, const char *reason, const char *text)
{
    if (s->phase == SESSION_DEAD)
        return;
    note_reason(s, reason);
    stop_events(s);
    leave_startups(s);
    bool can_speak =
        (s->phase == SESSION_LOGIN || s->phase == SESSION_OPEN) && ssh_is_connected(s->ssh);
    s->phase = SESSION_DEAD;
    if (can_speak && text)
        ssh_session_set_disconnect_message(s->ssh, text);
    factor_end(s);
    if (strcmp(s->ended_by, "client-disconnect") == 0)
        factor_bye(s); /* the last words may have come with it, and too late to be read */
    ssh_session gone = s->ssh;
    s->ssh = NULL; /* ssh_disconnect() and ssh_free() free every channel themselves */
    s->ready = s->stalled = (struct channel_queue){0};
    while (s->channels)
        channel_destroy(s->channels, !s->channels->client_eof);
    control_free(s);
    if (can_speak)
        ssh_disconnect(gone);
    ssh_free(gone);
    if (!s->fd_is_libssh)
        close(s->fd);
    record_suppressed(s);
    bounds_logout(s);
    if (s->listed) {
        live_remove(s->worker->gateway->live, &s->entry);
        record_session(s, s->entry.secondary ? AUDIT_LEAVE : AUDIT_LOGOUT, s->ended_by, "");
    }
    clone_end(s);
    enroll_end(s);
    upload_end(s);
    atomic_fetch_sub(&s->worker->gateway->sessions, 1);
    atomic_fetch_sub(&s->worker->session_count, 1);
    worker_bury(s->worker, s);
}

void session_free(struct session *s)
{
    free(s->key_blob);
    free(s->pass);
    tunnel_share_release(s->entry.share);
    free(s);
}

void session_must_end(struct session *s, const char *reason)
{
    note_reason(s, reason);
    s->must_end = true;
    worker_wake(s->worker, s);
}

void session_end_soon(struct session *s, const char *reason)
{
    if (s->phase != SESSION_OPEN || s->ending_ms != 0)
        return;
    /* Why it ends is said on the primary. Without a word before it, the orderly close of a channel
       would look like the end of its data; a connection that breaks does not. */
    if (s->entry.secondary) {
        session_must_end(s, reason);
        return;
    }
    note_reason(s, reason);
    s->ending_ms = os_monotonic_ms() + SESSION_LAST_WORDS_MS;
    tunnel_close(s->worker->gateway->live, &s->entry, "primary-ended");
    for (struct channel *ch = s->channels; ch; ch = ch->next) {
        if (ch->state < CHANNEL_OPEN && ch->opening->failure == FAILURE_NONE)
            channel_fail(ch, FAILURE_DENIED, "session-ended", "the session has been ended");
        if (ch->state != CHANNEL_OPEN || ch->cut)
            continue;
        ch->cut = true;
        ch->why = "session-ended";
        pump_close_target(ch, true);
        channel_ready(ch);
    }
    worker_wake(s->worker, s);
}

void session_obey_primary(struct session *s)
{
    const char *reason = atomic_load(&s->entry.must_end);
    if (reason && !s->must_end)
        session_must_end(s, reason);
}

bool session_is_idle(struct session *s)
{
    return !s->channels &&
           (s->entry.secondary || tunnel_connections(s->worker->gateway->live, &s->entry) == 1);
}

void session_kill(struct session *s, const char *why)
{
    if (s->phase != SESSION_OPEN)
        return;
    record_session(s, AUDIT_SESSION_CUT, "killed", why);
    control_notice(s, "killed", why, -1, 0);
    session_end_soon(s, "killed");
}

void session_drain(struct session *s)
{
    if (s->phase == SESSION_LOGIN)
        session_must_end(s, "gateway-stop");
    if (s->phase != SESSION_OPEN)
        return;
    control_notice(s, "shutdown", "", SESSION_RETRY_AFTER_SHUTDOWN_S, 0);
    if (session_is_idle(s))
        session_end_soon(s, "gateway-stop");
}

/* What is to be said about the end of a session is said once, by its primary. */
void session_cut(struct session *s, const char *kind, const char *detail)
{
    if (!s->entry.secondary)
        record_session(s, AUDIT_SESSION_CUT, kind, detail);
    control_notice(s, kind, detail, -1, 0);
    session_end_soon(s, kind);
}

void session_recheck(struct session *s, bool timed)
{
    if (s->phase != SESSION_OPEN || s->ending_ms != 0 || s->enroll)
        return;
    const struct policy *p = s->worker->policy;
    const struct policy_user *user = policy_find_user(p, s->entry.user);
    const struct policy_key *key = policy_find_key(p, s->entry.user, s->key_blob, s->key_blob_len);
    if (!user || !user->enabled) {
        if (!s->restricted)
            session_cut(s, "user-disabled", "");
        return;
    }
    if (!key || key->state == POLICY_KEY_REVOKED) {
        session_cut(s, "key-revoked", "");
        return;
    }
    if (key->state == POLICY_KEY_QUARANTINED) {
        if (!s->restricted)
            session_cut(s, "key-quarantined", "");
        return;
    }
    s->any_client = key->any_client && !session_must_say(s);
    s->key_id = key->id;
    for (struct channel *ch = s->channels; ch; ch = ch->next)
        channel_recheck(ch, timed);
    bounds_refresh(s);
    control_push_rules(s);
}
