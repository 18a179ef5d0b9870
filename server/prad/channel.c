/* Life of a channel; see channel.h. */
#include "server/prad/channel.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "server/prad/bounds.h"
#include "server/prad/control.h"
#include "server/prad/record.h"

static const struct {
    const char *word;
    uint32_t code; /* RFC 4254 5.1 */
} FAILURES[] = {
#define X(id, word, code) [id] = {word, code},
    CHANNEL_FAILURE_MAP(X)
#undef X
};

const char *channel_failure_word(enum channel_failure failure)
{
    return FAILURES[failure].word;
}

void channel_ready(struct channel *ch)
{
    if (!ch->is_ready) {
        ch->is_ready = true;
        struct channel_queue *q = &ch->session->ready;
        ch->ready_next = NULL;
        if (q->head)
            q->tail->ready_next = ch;
        else
            q->head = ch;
        q->tail = ch;
    }
    worker_wake(ch->session->worker, ch->session);
}

/* ---- the answer ---------------------------------------------------------------------------- */

static void answered(struct channel *ch)
{
    channel_opening_free(ch->opening);
    ch->opening = NULL;
}

static bool answer_failure(struct channel *ch)
{
    struct session *s = ch->session;
    struct channel_opening *o = ch->opening;
    bool refused = o->failure == FAILURE_DENIED || o->failure == FAILURE_LIMIT;
    if (o->limit.value > 0)
        record_limited(ch, o->failure_text);
    else
        record_channel(ch, refused ? AUDIT_CHANNEL_REFUSED : AUDIT_CHANNEL_FAILED, ch->why,
                       o->failure_text);
    control_open_failed(ch);
    if (!control_flush(s))
        return false;
    ssh_message_channel_request_open_reply_failure(o->request, FAILURES[o->failure].code,
                                                   o->failure_text);
    answered(ch);
    ch->state = CHANNEL_GONE;
    return session_alive(s);
}

static bool answer_success(struct channel *ch)
{
    struct session *s = ch->session;
    ch->ssh = ssh_message_channel_request_open_reply_accept(ch->opening->request);
    if (!session_alive(s))
        return false;
    if (!ch->ssh) {
        channel_fail(ch, FAILURE_LIMIT, "out-of-memory", "the gateway is out of memory");
        return answer_failure(ch);
    }
    answered(ch);
    ch->state = CHANNEL_OPEN;
    ch->why = "";
    atomic_fetch_add(&s->entry.channels, 1);
    record_channel(ch, AUDIT_CHANNEL_OPEN, "rule", channel_rule_name(ch));
    pump_start(ch);
    return pump_serve(ch);
}

/* Policy is asked once more: the snapshot, or the hour, may have changed since the connect, and with it the
   rule, or its limits. */
static bool answer(struct channel *ch)
{
    struct session *s = ch->session;
    if (ch->opening->failure == FAILURE_NONE && s->ending_ms != 0)
        channel_fail(ch, FAILURE_DENIED, s->ended_by, "this session is being ended");
    if (ch->opening->failure == FAILURE_NONE &&
        channel_ask(ch, &ch->opening->host, &ch->ip) != POLICY_ALLOW)
        channel_fail(ch, FAILURE_DENIED, ch->why,
                     "the rules of the gateway do not allow this target");
    if (ch->opening->failure == FAILURE_NONE)
        bounds_enter_rule(ch);
    return ch->opening->failure == FAILURE_NONE ? answer_success(ch) : answer_failure(ch);
}

/* ---- the end ------------------------------------------------------------------------------- */

static bool begin_close(struct channel *ch)
{
    struct session *s = ch->session;
    if ((ch->target_failed || ch->cut) && !ch->client_closed)
        ssh_channel_request_send_exit_signal(ch->ssh, CHANNEL_RESET_SIGNAL, 0, "", "");
    if (!session_alive(s))
        return false;
    /* The first call may stop behind the EOF when the socket is full, and says "again". */
    if (ssh_channel_close(ch->ssh) == SSH_AGAIN)
        ssh_channel_close(ch->ssh);
    if (!session_alive(s))
        return false;
    ch->state = CHANNEL_CLOSING;
    return true;
}

/* Whether this side has nothing more to do but to close. */
static bool finished(const struct channel *ch)
{
    if (ch->cut || ch->target_failed || ch->client_reset)
        return true;
    if (ch->client_closed)
        return ch->shut || ch->fd < 0;
    return ch->eof_sent && ch->shut;
}

bool channel_serve(struct channel *ch)
{
    if (ch->state == CHANNEL_ANSWERING && !answer(ch))
        return false;
    if (ch->state == CHANNEL_OPEN) {
        if (!ch->cut && !pump_serve(ch))
            return false;
        if (finished(ch)) {
            if (ch->cut && !control_flush(ch->session))
                return false;
            if (!pump_discard(ch) || !begin_close(ch))
                return false;
            const char *why = ch->target_failed  ? "target-reset"
                              : ch->client_reset ? "client-reset"
                                                 : "";
            record_channel(ch, ch->cut ? AUDIT_CHANNEL_CUT : AUDIT_CHANNEL_CLOSE,
                           *ch->why ? ch->why : why, "");
            pump_close_target(ch, ch->cut || ch->target_failed || ch->client_reset);
            bounds_leave_rule(ch); /* whether or not the client ever closes its end */
            atomic_fetch_sub(&ch->session->entry.channels, 1);
        }
    }
    if (ch->state == CHANNEL_CLOSING && ch->client_closed)
        ch->state = CHANNEL_GONE;
    return true;
}

void channel_destroy(struct channel *ch, bool reset)
{
    struct session *s = ch->session;
    channel_opening_free(ch->opening);
    pump_close_target(ch, reset);
    bounds_leave(ch);
    if (ch->state == CHANNEL_OPEN) {
        record_channel(ch, AUDIT_CHANNEL_CLOSE, s->ended_by, "");
        atomic_fetch_sub(&s->entry.channels, 1);
    }
    if (ch->ssh && s->ssh)
        ssh_channel_free(ch->ssh);
    if (ch->prev)
        ch->prev->next = ch->next;
    else
        s->channels = ch->next;
    if (ch->next)
        ch->next->prev = ch->prev;
    s->channel_count--;
    buf_free(&ch->to_target);
    free(ch);
}

/* ---- revocation ---------------------------------------------------------------------------- */

/* Why policy's answer changed, in the words of `cut`. `id` is the rule that had allowed it. */
static const char *cut_reason(const struct session *s, int64_t id, bool timed)
{
    const struct policy_rule *r = policy_find_rule(s->worker->policy, s->entry.user, id);
    if (!r)
        return "rule-removed";
    if (r->expires != 0 && r->expires <= os_time_now())
        return "expired";
    return timed ? "hours" : "rule-changed";
}

static void cut(struct channel *ch, const char *why)
{
    ch->why = why;
    ch->cut = true;
    pump_close_target(ch, true);
    control_cut(ch);
    channel_ready(ch);
}

void channel_recheck(struct channel *ch, bool timed)
{
    if (ch->state != CHANNEL_OPEN || ch->cut)
        return; /* an open that waits is asked again before it is answered */
    int64_t rule = ch->rule;
    struct addr_host host;
    /* It was read once: normalised text is read as what it was made from. */
    if (addr_parse_host(ch->host, strlen(ch->host), &host) == 0 &&
        channel_ask(ch, &host, &ch->ip) == POLICY_ALLOW)
        return;
    ch->rule = rule; /* the audit and the user are told which rule had allowed it */
    cut(ch, cut_reason(ch->session, rule, timed));
}

void channel_close_by_admin(struct channel *ch)
{
    if (ch->state == CHANNEL_OPEN && !ch->cut)
        cut(ch, "closed");
}

void channel_cut_by_limit(struct channel *ch, const char *why)
{
    cut(ch, why);
}
