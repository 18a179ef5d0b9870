/*
 * Secondary connections of the tunnel (server/README.md, "One tunnel, several connections"): asked
 * for when load asks for it, given new channels, closed when idle. A secondary is a session whose
 * owner is its struct secondary; whatever happens to it, the primary stays as it is. After a
 * reconnect there is one connection again.
 */
#include <stdio.h>
#include <string.h>

#include "client/agent_internal.h"
#include "common/crypto.h"
#include "common/i18n.h"

/* How often connections are looked at while anything runs over them. */
#define SAMPLE_MS 250
/* Samples in a row that ask for one more before it is asked for. */
#define EAGER_SAMPLES 2
/* A connection is asked for a sign of life after so long, as long as there are several; after so
   long without one, and some round trips more, it gets no new channel while another answers. */
#define ASK_MS    1500
#define SILENT_MS 4000
/* How long the gateway may take for its answer to join-token, and a connection to join. */
#define ANSWER_MS 10000
#define JOIN_MS   30000
/* Pause after a failure or a "no": doubled each time, and forgotten with the session. */
#define PAUSE_MIN_MS 5000
#define PAUSE_MAX_MS (10u * 60 * 1000)

static void on_sample(uv_timer_t *t);

static bool stands(const struct secondary *s)
{
    return s->session != NULL && s->joined && !s->ending;
}

/* --- choosing ------------------------------------------------------------------------------- */

static struct spread_connection look(struct session *session)
{
    struct session_load load;

    session_look(session, &load);
    return (struct spread_connection){.usable = load.silence_ms <
                                                SILENT_MS + 4 * load.round_trip_us / 1000,
                                      .channels = load.channels,
                                      .busy = load.busy,
                                      .rate = load.rate};
}

/* The primary and the secondaries that stand; returns how many. */
static size_t look_at_all(struct agent *a, struct spread_connection c[SPREAD_MAX],
                          struct session *sessions[SPREAD_MAX])
{
    size_t n = 1;

    sessions[0] = a->session;
    c[0] = look(a->session);
    for (size_t i = 0; i < AGENT_SECONDARIES; i++) {
        struct secondary *s = &a->tunnel.secondary[i];

        if (!stands(s))
            continue;
        sessions[n] = s->session;
        c[n++] = look(s->session);
    }
    return n;
}

/*
 * The loop's thread is the only one that works while data flows. libuv could count how long the loop
 * waits, but then asks the kernel twice for each wait (UV_METRICS_IDLE_TIME).
 */
static uint64_t used_cpu_us(void)
{
    uv_rusage_t r;

    if (uv_getrusage(&r) != 0)
        return 0;
    return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

struct session *agent_channel_session(void *arg)
{
    struct agent *a = arg;
    struct spread_connection c[SPREAD_MAX];
    struct session *sessions[SPREAD_MAX];
    size_t n;

    if (agent_live_session(a) == NULL)
        return NULL;
    n = look_at_all(a, c, sessions);
    a->tunnel.fresh = true;
    if (a->tunnel.allowed > 1 && !uv_is_active((uv_handle_t *)&a->tunnel.timer)) {
        a->tunnel.sampled = uv_hrtime();
        a->tunnel.cpu_us = used_cpu_us();
        uv_timer_start(&a->tunnel.timer, on_sample, SAMPLE_MS, SAMPLE_MS);
    }
    return sessions[spread_choose(c, n)];
}

/* --- one secondary's life ------------------------------------------------------------------- */

/* No further one for a while. Said once: it costs the user nothing but speed. */
static void pause_opening(struct agent *a, const char *why)
{
    struct tunnel *t = &a->tunnel;

    t->pause_ms = t->pause_ms == 0 ? PAUSE_MIN_MS : 2 * t->pause_ms;
    if (t->pause_ms > PAUSE_MAX_MS)
        t->pause_ms = PAUSE_MAX_MS;
    t->not_before = agent_now() + t->pause_ms;
    agentlog_system(a->log, t->told ? LOG_DEBUG : LOG_INFO, "another connection: %s", why);
    t->told = true;
}

static void end_secondary(struct secondary *s)
{
    json_t *bye;

    if (s->session == NULL || s->ending)
        return;
    s->ending = true;
    if (s->joined && (bye = control_bye("user")) != NULL) {
        (void)session_send(s->session, bye);
        json_decref(bye);
    }
    session_stop(s->session);
}

static void on_phase(void *owner, const char *what)
{
    struct secondary *s = owner;

    agentlog_system(s->agent->log, LOG_DEBUG, "another connection: %s", what);
}

/* The key that the primary was judged by, and no other. */
static enum cause on_host_key(void *owner, const struct session_host_key *key)
{
    struct secondary *s = owner;

    return strcmp(key->fingerprint, s->agent->seen) == 0 ? CAUSE_NONE : CAUSE_HOSTKEY_CHANGED;
}

static void on_ready(void *owner)
{
    struct secondary *s = owner;
    json_t *join = control_join(s->agent->session_id, s->token);

    crypto_wipe(s->token, sizeof(s->token));
    if (join == NULL || session_send(s->session, join) != 0)
        session_fail(s->session, CAUSE_MEMORY, tr("out of memory", "メモリが足りません"));
    json_decref(join);
}

static void on_joined(void *arg, const char *session)
{
    struct secondary *s = arg;
    struct agent *a = s->agent;

    (void)session;
    if (s->ending || s->joined)
        return;
    s->joined = true;
    s->idle_since = agent_now();
    a->tunnel.pause_ms = 0;
    agentlog_system(a->log, LOG_INFO, "another connection has joined the session");
}

static void on_refused(void *arg, enum cause cause, const char *detail)
{
    struct secondary *s = arg;

    (void)cause; /* of the primary it would be the tunnel's end */
    session_fail(s->session, CAUSE_CUT, detail);
}

static void on_open_failed(void *arg, const struct control_channel *c)
{
    struct secondary *s = arg;

    agent_control.open_failed(s->agent, c);
}

static void on_cut(void *arg, const struct control_channel *c)
{
    struct secondary *s = arg;

    agent_cut_channel(s->agent, s->session, c);
}

static void unasked(struct secondary *s)
{
    session_fail(s->session, CAUSE_PROTOCOL,
                 tr("the gateway said to a secondary connection what belongs to the primary",
                    "副接続に対して不正なメッセージを受信しました"));
}

static void on_welcome(void *arg, const struct control_welcome *w)
{
    (void)w;
    unasked(arg);
}

static void on_rules(void *arg, struct plan *plan)
{
    plan_free(plan);
    unasked(arg);
}

static void on_notice(void *arg, const struct control_notice *n)
{
    (void)n; /* what concerns the tunnel comes over the primary */
    unasked(arg);
}

static void on_join_token(void *arg, const struct control_join_token *t)
{
    (void)t;
    unasked(arg);
}

static void on_ticket(void *arg, const char *ticket)
{
    (void)ticket; /* a device's, of which the primary showed the one before */
    unasked(arg);
}

static void on_explained(void *arg, int64_t id, const json_t *answer)
{
    (void)id;
    (void)answer;
    unasked(arg);
}

static void on_log(void *arg, const struct control_log *answer)
{
    (void)arg;
    (void)answer;
}

static const struct control_handler handler = {.welcome = on_welcome,
                                               .refused = on_refused,
                                               .joined = on_joined,
                                               .join_token = on_join_token,
                                               .ticket = on_ticket,
                                               .rules = on_rules,
                                               .open_failed = on_open_failed,
                                               .cut = on_cut,
                                               .notice = on_notice,
                                               .explained = on_explained,
                                               .log = on_log};

static void on_message(void *owner, const json_t *msg)
{
    struct secondary *s = owner;
    struct fault f = {0};
    int rc = control_dispatch(msg, &handler, s, &f);

    if (rc != 0 && s->session != NULL)
        session_fail(s->session, CAUSE_PROTOCOL, f.text[0] != '\0' ? f.text : err_text(rc));
}

static void on_ended(void *owner, enum cause cause, const char *detail)
{
    struct secondary *s = owner;
    struct agent *a = s->agent;
    char why[160];

    if (!s->ending && agent_live_session(a) != NULL) {
        (void)snprintf(why, sizeof(why), "%s: %s %.100s", s->joined ? "lost" : "not opened",
                       cause_word(cause), detail);
        pause_opening(a, why);
    }
    crypto_wipe(s->token, sizeof(s->token));
    *s = (struct secondary){.agent = a};
}

static const struct session_events events = {.phase = on_phase,
                                             .host_key = on_host_key,
                                             .ready = on_ready,
                                             .message = on_message,
                                             .ended = on_ended};

/* --- opening -------------------------------------------------------------------------------- */

static struct secondary *free_place(struct agent *a)
{
    for (size_t i = 0; i < AGENT_SECONDARIES; i++)
        if (a->tunnel.secondary[i].session == NULL)
            return &a->tunnel.secondary[i];
    return NULL;
}

static unsigned connections(const struct agent *a)
{
    unsigned count = 1;

    for (size_t i = 0; i < AGENT_SECONDARIES; i++)
        count += a->tunnel.secondary[i].session != NULL;
    return count;
}

unsigned agent_tunnel_connections(const struct agent *a)
{
    unsigned count = a->online && a->session != NULL;

    for (size_t i = 0; i < AGENT_SECONDARIES; i++)
        count += stands(&a->tunnel.secondary[i]);
    return count;
}

void agent_tunnel_token(struct agent *a, const struct control_join_token *token)
{
    struct tunnel *t = &a->tunnel;
    struct secondary *s = free_place(a);
    struct session_options opt;
    struct addr_ip peer;
    char why[64], answer[SESSION_ANSWER_MAX];
    int rc;

    if (!t->asked || token->id != t->asked_id)
        return; /* not ours, or too late */
    t->asked = false;
    if (token->token == NULL) {
        (void)snprintf(why, sizeof(why), "the gateway says %.32s", token->reason);
        pause_opening(a, why);
        return;
    }
    if (s == NULL || agent_live_session(a) == NULL)
        return;
    *s = (struct secondary){.agent = a, .started = agent_now()};
    (void)snprintf(s->token, sizeof(s->token), "%s", token->token);
    agent_session_options(a, &opt);
    /* Where the primary is: a name may stand for several gateways, and each knows its own tokens. */
    if (session_peer(a->session, &peer)) {
        opt.server = (struct addr_host){.is_ip = true, .ip = peer};
        addr_format_ip(&peer, opt.server.name);
    }
    (void)snprintf(answer, sizeof(answer), "join %s %s", a->session_id, s->token);
    opt.token = answer;
    rc = session_start(&a->loop, &opt, &events, s, &s->session);
    crypto_wipe(answer, sizeof(answer));
    if (rc != 0) {
        crypto_wipe(s->token, sizeof(s->token));
        s->session = NULL;
        pause_opening(a, "out of memory");
    }
}

static void ask_for_one(struct agent *a, enum spread_want want)
{
    struct tunnel *t = &a->tunnel;
    json_t *msg = control_join_token(t->asked_id + 1, want == SPREAD_LOAD ? "load" : "distance");

    t->eager = 0;
    t->fresh = false;
    if (msg == NULL || session_send(a->session, msg) != 0)
        pause_opening(a, "out of memory");
    else
        t->asked = true;
    t->asked_id++;
    t->asked_at = agent_now();
    json_decref(msg);
}

/* --- the regular look ----------------------------------------------------------------------- */

/* How much of a core was used since the last look, in thousandths. */
static unsigned loop_busy(struct agent *a, uint64_t *elapsed_ms)
{
    struct tunnel *t = &a->tunnel;
    uint64_t now = uv_hrtime(), cpu = used_cpu_us();
    uint64_t passed = (now - t->sampled) / 1000 + 1, used = cpu - t->cpu_us;

    t->sampled = now;
    t->cpu_us = cpu;
    *elapsed_ms = passed / 1000 + 1;
    return used >= passed ? 1000 : (unsigned)(used * 1000 / passed);
}

/* Closes what was idle for long, gives up what does not come to join. */
static void look_after(struct agent *a, struct secondary *s, uint64_t elapsed_ms)
{
    uint64_t now = agent_now();
    struct session_load load;

    if (s->session == NULL || s->ending)
        return;
    session_sample(s->session, elapsed_ms);
    session_look(s->session, &load);
    if (load.channels > 0)
        s->idle_since = now;
    if (load.silence_ms >= ASK_MS)
        session_ask(s->session);
    if (!s->joined && now - s->started > JOIN_MS)
        session_fail(s->session, CAUSE_TIMEOUT, "");
    else if (s->joined && now - s->idle_since >= (uint64_t)a->config.tunnel_idle * 1000)
        end_secondary(s);
}

static void on_sample(uv_timer_t *timer)
{
    struct agent *a = timer->data;
    struct tunnel *t = &a->tunnel;
    struct spread_connection c[SPREAD_MAX];
    struct session *sessions[SPREAD_MAX];
    struct spread_way way = {.cores = uv_available_parallelism()};
    struct session_load primary;
    enum spread_want want;
    uint64_t elapsed_ms;

    way.loop_busy = loop_busy(a, &elapsed_ms);
    for (size_t i = 0; i < AGENT_SECONDARIES; i++)
        look_after(a, &t->secondary[i], elapsed_ms);
    if (agent_live_session(a) == NULL) {
        uv_timer_stop(timer);
        return;
    }
    session_sample(a->session, elapsed_ms);
    session_look(a->session, &primary);
    if (connections(a) > 1 && primary.silence_ms >= ASK_MS)
        session_ask(a->session);
    if (primary.channels == 0 && connections(a) == 1)
        uv_timer_stop(timer);
    if (t->asked && agent_now() - t->asked_at > ANSWER_MS) {
        t->asked = false;
        pause_opening(a, "the gateway does not answer");
    }
    way.round_trip_us = primary.round_trip_us;
    want = spread_wants(c, look_at_all(a, c, sessions), &way);
    t->eager = want == SPREAD_ENOUGH ? 0 : t->eager + 1;
    /*
     * One at a time. Only new channels can use it: where none are opened, a connection that was
     * closed because nothing came would only be opened again, for nothing.
     */
    if (t->eager >= EAGER_SAMPLES && t->fresh && !t->asked && agent_now() >= t->not_before &&
        connections(a) < t->allowed && agent_tunnel_connections(a) == connections(a))
        ask_for_one(a, want);
}

/* --- with the primary ----------------------------------------------------------------------- */

void agent_tunnel_begin(struct agent *a, unsigned gateway_allows)
{
    struct tunnel *t = &a->tunnel;
    unsigned wanted = (unsigned)a->config.tunnel_connections;

    t->allowed = gateway_allows < wanted ? gateway_allows : wanted;
    t->asked = t->told = false;
    t->eager = 0;
    t->pause_ms = 0;
    t->not_before = 0;
}

void agent_tunnel_end(struct agent *a)
{
    uv_timer_stop(&a->tunnel.timer);
    a->tunnel.allowed = 1;
    a->tunnel.asked = false;
    for (size_t i = 0; i < AGENT_SECONDARIES; i++)
        end_secondary(&a->tunnel.secondary[i]);
}

void agent_tunnel_probe(struct agent *a)
{
    for (size_t i = 0; i < AGENT_SECONDARIES; i++)
        if (stands(&a->tunnel.secondary[i]))
            session_probe(a->tunnel.secondary[i].session);
}
