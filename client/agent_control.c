/* What the gateway tells the agent, and what the agent reports back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent_internal.h"
#include "client/keymake.h"
#include "common/crypto.h"
#include "common/i18n.h"
#include "common/os.h"
#include "common/utf8.h"

struct session *agent_live_session(void *arg)
{
    struct agent *a = arg;

    return a->online && !a->farewell ? a->session : NULL;
}

static void say(struct agent *a, json_t *msg)
{
    if (msg == NULL || a->session == NULL || session_send(a->session, msg) != 0)
        agentlog_system(a->log, LOG_DEBUG, "a control message could not be sent");
    json_decref(msg);
}

/* Whose ticket is shown and kept. False: the key's fingerprint cannot be made. */
static bool ticket_owner(const struct agent *a, struct ticket_owner *who)
{
    (void)snprintf(who->gateway, sizeof(who->gateway), "%s", a->seen);
    (void)snprintf(who->server, sizeof(who->server), "%s", a->server);
    (void)snprintf(who->user, sizeof(who->user), "%s", a->user);
    return keymake_fingerprint(&a->info, who->key) == 0;
}

/* Read at each hello: another program may have had a newer one since. */
static void load_ticket(struct agent *a)
{
    struct ticket_owner who = {0};
    struct fault f = {0};
    int rc;

    a->ticket[0] = '\0';
    if (!ticket_owner(a, &who))
        return;
    rc = ticket_load(a->paths->ticket_file, &who, a->ticket, &f);
    if (rc != 0 && rc != PRA_ENOENT)
        agentlog_system(a->log, LOG_ERROR, "ticket-not-read error=\"%s\"", f.text);
}

/* Once it is on the disk the gateway forgets the one before; unless it is, it must not. */
static void on_ticket(void *arg, const char *ticket)
{
    struct agent *a = arg;
    struct ticket_owner who = {0};
    struct fault f = {0};
    int rc = ticket_owner(a, &who) ? 0 : PRA_ECRYPTO;

    if (rc == 0)
        rc = ticket_store(a->paths->ticket_file, &who, a->ticket, ticket, &f);
    if (rc != 0)
        agentlog_system(a->log, LOG_WARN, "ticket-not-stored error=\"%s\": the old one stays",
                        f.text[0] != '\0' ? f.text : err_text(rc));
    else
        agentlog_system(a->log, LOG_INFO, "ticket-stored first=%s",
                        a->ticket[0] == '\0' ? "yes" : "no");
    crypto_wipe(a->ticket, sizeof(a->ticket));
    say(a, control_ticket_stored(rc == 0));
}

void agent_hello(struct agent *a)
{
    struct chainlog_head system, user;
    struct control_hello h = {
        .machine = a->machine_tag, .weak = a->info.weak, .system = &system, .user = &user};

    json_t *msg;

    load_ticket(a);
    h.ticket = a->ticket[0] != '\0' ? a->ticket : NULL;
    agentlog_heads(a->log, &system, &user);
    msg = control_hello(&h);
    /* Without it nothing comes back: no need to wait for that. */
    if (msg == NULL || session_send(a->session, msg) != 0)
        session_fail(a->session, CAUSE_MEMORY, tr("out of memory", "メモリが足りません"));
    json_decref(msg);
}

static void on_heads(uv_timer_t *t)
{
    struct agent *a = t->data;
    struct chainlog_head system, user;

    agentlog_heads(a->log, &system, &user);
    say(a, control_log_heads(&system, &user));
}

void agent_report_ports(struct agent *a)
{
    json_t *ports;

    a->ports_changed = false;
    if (!a->online || (ports = json_array()) == NULL)
        return;
    for (size_t i = 0; i < a->plan.count; i++) {
        const struct forward *fw = a->forwards[i];
        char local[ADDR_TEXT_MAX];

        json_array_append_new(
            ports, json_pack("{s:I, s:s, s:s, s:o, s:o}", "rule", (json_int_t)fw->rule.id, "local",
                             forward_local(fw, local), "state", forward_state_word(fw->state),
                             "error", forward_error_json(fw), "holder", forward_holder_json(fw)));
    }
    say(a, control_ports(a->plan.version, ports));
}

/* --- forwards ------------------------------------------------------------------------------- */

static void on_forward_changed(void *arg, struct forward *fw)
{
    struct agent *a = arg;

    (void)fw;
    a->ports_changed = true;
    agent_changed(a);
}

static void on_forward_log(void *arg, const struct forward *fw, const char *text)
{
    struct agent *a = arg;

    agentlog_system(a->log, fw->state == FORWARD_LISTENING ? LOG_INFO : LOG_WARN,
                    "forward '%s': %s", fw->rule.name, text);
}

static void on_quiet(uv_timer_t *t)
{
    (void)t;
    os_memory_trim();
}

static void on_counted(uv_timer_t *t)
{
    agent_changed(t->data);
}

/* Counters alone are pushed once a second at most, and memory is given back when all is quiet. */
static void note_traffic(struct agent *a)
{
    if (a->ending)
        return;
    uv_timer_start(&a->quiet_timer, on_quiet, AGENT_QUIET_MS, 0);
    if (!uv_is_active((uv_handle_t *)&a->count_timer))
        uv_timer_start(&a->count_timer, on_counted, AGENT_COUNT_MS, 0);
}

/* Refusals are told when the gateway gives its reason; here only one that it did not explain. */
static void on_channel_ended(void *arg, struct forward *fw, enum channel_end end,
                             uint32_t ssh_reason, const char *text)
{
    struct agent *a = arg;

    if (end == CHANNEL_REFUSED)
        agentlog_system(a->log, LOG_INFO, "forward '%s': connection not opened: reason=%u %s",
                        fw->rule.name, ssh_reason, text);
    note_traffic(a);
}

static const struct forward_events forward_events = {.changed = on_forward_changed,
                                                     .session = agent_channel_session,
                                                     .log = on_forward_log,
                                                     .ended = on_channel_ended};

void agent_drop_forwards(struct agent *a)
{
    for (size_t i = 0; i < a->plan.count; i++)
        forward_free(a->forwards[i]);
    free(a->forwards);
    a->forwards = NULL;
    plan_free(&a->plan);
    agent_changed(a);
}

static struct forward *find_forward(struct agent *a, int64_t rule)
{
    for (size_t i = 0; i < a->plan.count; i++)
        if (a->plan.rules[i].id == rule)
            return a->forwards[i];
    return NULL;
}

/* One step of the plan; returns the forward that belongs to the wanted rule. */
static struct forward *follow_step(struct agent *a, const struct plan_step *step,
                                   const struct plan *want)
{
    struct forward *fw;

    if (step->op == PLAN_REMOVE) {
        fw = a->forwards[step->have];
        agentlog_system(a->log, LOG_INFO, "forward '%s' is removed", fw->rule.name);
        forward_free(fw);
        return NULL;
    }
    if (step->op == PLAN_ADD)
        return forward_new(&a->loop, &want->rules[step->want], &forward_events, a);
    fw = a->forwards[step->have];
    if (step->op == PLAN_RETARGET)
        agentlog_system(a->log, LOG_INFO, "forward '%s' has a new target", fw->rule.name);
    forward_update(fw, &want->rules[step->want]);
    return fw;
}

/*
 * Brings the listeners to the new plan. New ones are opened when the plan stands, so that what
 * their opening tells is about a whole. Returns 0, PRA_ENOMEM (nothing has changed then, except
 * that a forward may be missing).
 */
static int apply_plan(struct agent *a, struct plan *want)
{
    struct plan_step *steps = calloc(a->plan.count + want->count + 1, sizeof(*steps));
    struct forward **forwards = calloc(want->count + 1, sizeof(struct forward *));
    bool *fresh = calloc(want->count + 1, sizeof(*fresh));
    int rc = PRA_ENOMEM;
    size_t n;

    if (steps == NULL || forwards == NULL || fresh == NULL)
        goto out;
    n = plan_diff(a->plan.rules, a->plan.count, want->rules, want->count, steps);
    rc = 0;
    for (size_t i = 0; i < n; i++) {
        struct forward *fw = follow_step(a, &steps[i], want);

        if (steps[i].op == PLAN_REMOVE)
            continue;
        forwards[steps[i].want] = fw;
        fresh[steps[i].want] = steps[i].op == PLAN_ADD;
        if (fw == NULL)
            rc = PRA_ENOMEM;
    }
    plan_free(&a->plan);
    free(a->forwards);
    a->plan = *want;
    *want = (struct plan){0};
    a->forwards = forwards;
    forwards = NULL;
    if (rc != 0) { /* a plan without all its forwards is no plan */
        agent_drop_forwards(a);
        goto out;
    }
    for (size_t i = 0; i < a->plan.count; i++)
        if (fresh[i])
            forward_open(a->forwards[i]);
out:
    free(steps);
    free(forwards);
    free(fresh);
    plan_free(want);
    return rc;
}

/* --- handlers ------------------------------------------------------------------------------- */

static void on_welcome(void *arg, const struct control_welcome *w)
{
    struct agent *a = arg;
    int64_t off = os_time_now() - w->clock;

    if (a->online)
        return;
    a->online = true;
    uv_timer_stop(&a->hello_timer);
    uv_timer_start(&a->heads_timer, on_heads, AGENT_HEADS_MS, AGENT_HEADS_MS);
    agent_tunnel_begin(a, w->connections);
    a->logs_max = (size_t)w->logs;
    if (w->lease[0] != '\0')
        (void)snprintf(a->lease, sizeof(a->lease), "%s", w->lease);
    (void)snprintf(a->session_id, sizeof(a->session_id), "%s", w->session);
    agentlog_system(a->log, LOG_INFO, "session %s: gateway version %s sees this PC as %s",
                    w->session, w->version, w->source);
    a->clock_off = off > AGENT_CLOCK_S || off < -AGENT_CLOCK_S ? off : 0;
    if (a->clock_off != 0)
        agentlog_system(a->log, LOG_WARN, "the clock of this PC is %lld s %s the gateway's",
                        (long long)(off < 0 ? -off : off), off < 0 ? "behind" : "ahead of");
}

/* No rule allows anything: the session waits for one, and the user is told. */
static void show_no_rules(struct agent *a, const char *detail)
{
    char text[PROBLEM_TEXT_MAX];

    if (a->state == AGENT_ERROR && a->problem.id == MSG_RULES_NONE)
        return;
    agent_problem(a, &a->problem, MSG_RULES_NONE, detail);
    agentlog_system(a->log, LOG_ERROR, "%s", problem_text(&a->problem, text));
    agentlog_user(a->log, LOG_ERROR, "%s", problem_text(&a->problem, text));
    agent_set_state(a, AGENT_ERROR);
}

static void on_refused(void *arg, enum cause cause, const char *detail)
{
    struct agent *a = arg;

    if (cause != CAUSE_NO_RULES) {
        session_fail(a->session, cause, detail);
        return;
    }
    uv_timer_stop(&a->hello_timer);
    a->online = true;
    agent_drop_forwards(a);
    show_no_rules(a, detail);
}

static void become_connected(struct agent *a)
{
    a->stood = true;
    a->away = CAUSE_NONE;
    retry_reset(&a->retry);
    problem_clear(&a->problem);
    a->told = MSG_NONE;
    if (a->state != AGENT_CONNECTED)
        agentlog_user(a->log, LOG_INFO, "connected to %s, %zu forwards", a->server, a->plan.count);
    agent_set_state(a, AGENT_CONNECTED);
    for (size_t i = 0; i < a->plan.count; i++)
        forward_release(a->forwards[i]);
}

static void on_rules(void *arg, struct plan *plan)
{
    struct agent *a = arg;
    long long version = (long long)plan->version;

    if (!a->online) {
        plan_free(plan);
        session_fail(
            a->session, CAUSE_PROTOCOL,
            tr("rules came before the welcome", "welcome より先に転送ルールを受信しました"));
        return;
    }
    if (apply_plan(a, plan) != 0) {
        session_fail(a->session, CAUSE_MEMORY, tr("out of memory", "メモリが足りません"));
        return;
    }
    agentlog_system(a->log, LOG_INFO, "rules version %lld: %zu forwards", version, a->plan.count);
    a->ports_changed = true;
    agent_changed(a);
    if (a->plan.count > 0)
        become_connected(a);
    else
        show_no_rules(a, "");
}

/* Something happened to one connection: the logs tell it, and `last` until the next one. */
static void note_last(struct agent *a, struct problem *p)
{
    char text[PROBLEM_TEXT_MAX];

    a->last = *p;
    a->last_at = os_time_now();
    problem_text(p, text);
    agentlog_system(a->log, LOG_WARN, "%s", text);
    agentlog_user(a->log, LOG_WARN, "%s", text);
    agent_changed(a);
}

static void on_limit_over(uv_timer_t *t)
{
    struct agent *a = t->data;

    problem_clear(&a->limit);
    agent_changed(a);
}

/* The same of a limit of the gateway's, which for a while is what is wrong. */
static void note_limit(struct agent *a, struct problem *p)
{
    a->limit = *p;
    uv_timer_start(&a->limit_timer, on_limit_over, AGENT_LIMIT_MS, 0);
    note_last(a, p);
}

/* The message of a limit of the gateway's; MSG_NONE = of a later version, or none. */
static enum msg_id limit_msg(const char *word)
{
    static const struct {
        const char *word;
        enum msg_id msg;
    } map[] = {{"max-connections", MSG_LIMIT_CONNECTIONS},
               {"rate", MSG_LIMIT_RATE},
               {"quota-day", MSG_LIMIT_QUOTA},
               {"quota-month", MSG_LIMIT_QUOTA},
               {"idle", MSG_LIMIT_IDLE},
               {"upload", MSG_LIMIT_BANDWIDTH},
               {"download", MSG_LIMIT_BANDWIDTH}};

    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (strcmp(map[i].word, word) == 0)
            return map[i].msg;
    return MSG_NONE;
}

static const char *limit_name(const char *word)
{
    if (strcmp(word, "quota-day") == 0)
        return tr("volume of a day", "1 日の通信量");
    if (strcmp(word, "quota-month") == 0)
        return tr("volume of a month", "1 か月の通信量");
    if (strcmp(word, "upload") == 0)
        return tr("upload", "アップロード");
    if (strcmp(word, "download") == 0)
        return tr("download", "ダウンロード");
    return "";
}

/* "limit of the rule: 5": what is limited, whose limit it is, how much. */
static void limit_detail(char *dst, size_t cap, const char *limit, const char *of,
                         const char *value)
{
    const char *name = limit_name(limit);
    const char *whose = strcmp(of, "rule") == 0 ? tr("limit of the rule", "転送ルールの上限")
                        : strcmp(of, "user") == 0 ? tr("limit of the user", "ユーザの上限")
                                                  : "";

    (void)snprintf(dst, cap, "%s%s%s%s%s", name, *name && *whose ? ", " : "", whose,
                   *value ? ": " : "", value);
}

static void on_open_failed(void *arg, const struct control_channel *c)
{
    struct agent *a = arg;
    bool denied = strcmp(c->reason, "denied") == 0;
    enum msg_id limit = limit_msg(c->limit);
    char detail[CONTROL_TEXT_MAX];
    struct problem p;

    (void)snprintf(detail, sizeof(detail), "%s", c->detail[0] != '\0' ? c->detail : c->reason);
    if (limit != MSG_NONE)
        limit_detail(detail, sizeof(detail), c->limit, c->of, c->value);
    agent_problem(a, &p,
                  limit != MSG_NONE ? limit
                  : denied          ? MSG_TARGET_DENIED
                                    : MSG_TARGET_UNREACHABLE,
                  detail);
    utf8_copy(p.target, sizeof(p.target), c->target);
    (limit != MSG_NONE ? note_limit : note_last)(a, &p);
}

/* The forward that a channel of the gateway's words belongs to: by rule, else by target. */
static struct forward *forward_of(struct agent *a, const struct control_channel *c)
{
    struct forward *fw = find_forward(a, c->rule);
    char target[ADDR_TEXT_MAX];

    for (size_t i = 0; fw == NULL && i < a->plan.count; i++)
        if (strcmp(plan_format_target(&a->plan.rules[i], target), c->target) == 0)
            fw = a->forwards[i];
    return fw;
}

void agent_cut_channel(struct agent *a, const struct session *s, const struct control_channel *c)
{
    struct forward *fw = forward_of(a, c);
    struct channel *ch = NULL;
    struct problem p;

    enum msg_id limit = limit_msg(c->reason);
    const char *quota = limit_name(c->reason);

    agent_problem(a, &p,
                  limit != MSG_NONE                  ? limit
                  : strcmp(c->reason, "closed") == 0 ? MSG_CUT_CHANNEL
                                                     : MSG_CUT_RULE,
                  quota[0] != '\0' ? quota : c->reason);
    utf8_copy(p.name, sizeof(p.name),
              c->name[0] != '\0' ? c->name
              : fw != NULL       ? fw->rule.name
                                 : c->target);
    utf8_copy(p.target, sizeof(p.target), c->target);
    (limit != MSG_NONE ? note_limit : note_last)(a, &p);
    /* A rule may be gone already; its connections went with its listener then. */
    for (size_t i = 0; ch == NULL && i < a->plan.count; i++)
        if (fw == NULL || fw == a->forwards[i])
            ch = channel_owner_find(&a->forwards[i]->owner, s, c->origin_port);
    if (ch != NULL)
        channel_cut(ch, CHANNEL_CUT);
}

static void on_cut(void *arg, const struct control_channel *c)
{
    struct agent *a = arg;

    agent_cut_channel(a, a->session, c);
}

static void on_join_token(void *arg, const struct control_join_token *t)
{
    agent_tunnel_token(arg, t);
}

/* The primary has asked for no such thing. */
static void on_joined(void *arg, const char *session)
{
    struct agent *a = arg;

    (void)session;
    session_fail(a->session, CAUSE_PROTOCOL,
                 tr("the gateway takes this connection for a secondary one",
                    "主接続に対して不正なメッセージを受信しました"));
}

static void on_notice(void *arg, const struct control_notice *n)
{
    struct agent *a = arg;

    agentlog_system(a->log, LOG_WARN, "the gateway says %s: %s", n->kind, n->detail);
    if (n->clock) {
        a->clock_off = n->seconds;
        agent_changed(a);
    } else if (limit_msg(n->limit) != MSG_NONE) {
        struct problem p;
        char detail[CONTROL_TEXT_MAX];

        limit_detail(detail, sizeof(detail), n->limit, n->of, "");
        agent_problem(a, &p, limit_msg(n->limit), detail);
        note_limit(a, &p);
    } else if (n->cause == CAUSE_SHUTDOWN) {
        /* It lets what runs come to its end; the session ends when the gateway closes. */
        a->announced = n->cause;
        a->asked_retry_ms =
            (uint32_t)(n->retry_in < RETRY_ASKED_MAX_MS / 1000 ? n->retry_in * 1000
                                                               : RETRY_ASKED_MAX_MS);
    } else if (n->cause != CAUSE_NONE) {
        session_fail(a->session, n->cause, n->detail);
    }
}

static void on_explained(void *arg, int64_t id, const json_t *answer)
{
    struct agent *a = arg;

    for (size_t i = 0; i < AGENT_EXPLAIN_MAX; i++) {
        struct explain *e = &a->explains[i];

        if (e->client == 0 || e->id != id)
            continue;
        agent_explained(a, e, answer);
        e->client = 0;
    }
}

static void on_log(void *arg, const struct control_log *answer)
{
    agent_log_answer(arg, answer);
}

void agent_fail_explains(struct agent *a)
{
    for (size_t i = 0; i < AGENT_EXPLAIN_MAX; i++) {
        if (a->explains[i].client != 0)
            agent_explained(a, &a->explains[i], NULL);
        a->explains[i].client = 0;
    }
}

const struct control_handler agent_control = {.welcome = on_welcome,
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
