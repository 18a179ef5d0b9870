/* What programs ask over the agent's socket; the list is in client/README.md. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/agent_internal.h"
#include "common/i18n.h"
#include "common/jsonl.h"
#include "common/timefmt.h"

/* Longest text of a `note`. */
#define NOTE_MAX 512

static void answer_ok(struct agent *a, uint64_t client)
{
    ipc_server_reply(a->ipc, client, json_pack("{s:b}", "ok", 1));
}

void agent_answer_error(struct agent *a, uint64_t client, const struct problem *p)
{
    ipc_server_reply(a->ipc, client, json_pack("{s:b, s:o}", "ok", 0, "error", problem_json(p)));
}

/* A plain "no" to a question: nothing is wrong with PRA, so it has no code. */
static void answer_no(struct agent *a, uint64_t client, const char *why)
{
    ipc_server_reply(a->ipc, client,
                     json_pack("{s:b, s:{s:s, s:s, s:s, s:s}}", "ok", 0, "error", "code", "",
                               "message", why, "cause", "", "remedy", ""));
}

static void answer_agent_error(struct agent *a, uint64_t client, const char *detail)
{
    struct problem p;

    agent_problem(a, &p, MSG_AGENT, detail);
    agent_answer_error(a, client, &p);
}

static void on_connect(struct agent *a, uint64_t client, const json_t *request)
{
    struct problem p;

    if (!agent_connect(a, client, request, &p))
        agent_answer_error(a, client, &p);
}

static void on_disconnect(struct agent *a, uint64_t client, const json_t *request)
{
    (void)request;
    if (a->state != AGENT_DISCONNECTED)
        agentlog_user(a->log, LOG_INFO, "disconnect");
    if (a->disconnect_client != 0) /* an earlier one waits for the same end */
        answer_ok(a, a->disconnect_client);
    a->disconnect_client = client;
    agent_disconnect(a, "user");
}

static void on_status(struct agent *a, uint64_t client, const json_t *request)
{
    (void)request;
    ipc_server_reply(a->ipc, client, json_pack("{s:b, s:o}", "ok", 1, "status", status_json(a)));
}

static void on_subscribe(struct agent *a, uint64_t client, const json_t *request)
{
    (void)request;
    answer_ok(a, client);
    ipc_server_subscribe(a->ipc, client);
    ipc_server_reply(a->ipc, client,
                     json_pack("{s:s, s:o}", "event", "status", "status", status_json(a)));
}

static void on_rules(struct agent *a, uint64_t client, const json_t *request)
{
    json_t *rules = json_array();

    (void)request;
    for (size_t i = 0; i < a->plan.count; i++) {
        const struct plan_rule *r = &a->plan.rules[i];
        char local[ADDR_TEXT_MAX], fallback[ADDR_TEXT_MAX], target[ADDR_TEXT_MAX];
        bool has = r->fallback.ip.family != 0;

        json_array_append_new(
            rules, json_pack("{s:I, s:s, s:s, s:s?, s:s}", "id", (json_int_t)r->id, "name", r->name,
                             "local", plan_format_local(&r->local, local), "fallback",
                             has ? plan_format_local(&r->fallback, fallback) : NULL, "target",
                             plan_format_target(r, target)));
    }
    ipc_server_reply(a->ipc, client,
                     json_pack("{s:b, s:I, s:o}", "ok", 1, "version", (json_int_t)a->plan.version,
                               "rules", rules));
}

/* --- explain -------------------------------------------------------------------------------- */

/* By port alone (on whatever address) or by "address:port"; the rule's own or where it is now. */
static const struct forward *find_forward(const struct agent *a, const json_t *request)
{
    const char *local = NULL;
    int64_t port = 0;
    struct addr_host host;
    uint16_t local_port = 0;
    bool by_address;

    if (jsonl_opt_int(request, "port", 1, UINT16_MAX, &port, NULL) != 0 ||
        jsonl_opt_string(request, "local", ADDR_TEXT_MAX, &local, NULL) != 0)
        return NULL;
    by_address = local != NULL && addr_parse_host_port(local, 0, &host, &local_port) == 0;
    for (size_t i = 0; i < a->plan.count; i++) {
        const struct plan_rule *r = &a->plan.rules[i];
        const struct plan_local *at[] = {&r->local, &r->fallback};

        for (size_t k = 0; k < 2; k++)
            if (at[k]->ip.family != 0 &&
                (by_address ? host.is_ip && addr_ip_equal(&host.ip, &at[k]->ip) &&
                                  local_port == at[k]->port
                            : port == at[k]->port))
                return a->forwards[i];
    }
    return NULL;
}

static void start_explain_timer(struct agent *a);

static void on_explain_timer(uv_timer_t *t)
{
    struct agent *a = t->data;
    uint64_t now = agent_now();

    for (size_t i = 0; i < AGENT_EXPLAIN_MAX; i++) {
        struct explain *e = &a->explains[i];

        if (e->client == 0 || e->deadline > now)
            continue;
        agent_explained(a, e, NULL);
        e->client = 0;
    }
    start_explain_timer(a);
}

/* Runs only while somebody waits. */
static void start_explain_timer(struct agent *a)
{
    for (size_t i = 0; i < AGENT_EXPLAIN_MAX; i++)
        if (a->explains[i].client != 0) {
            uv_timer_start(&a->explain_timer, on_explain_timer, 1000, 0);
            return;
        }
}

static void on_explain(struct agent *a, uint64_t client, const json_t *request)
{
    const struct forward *fw = find_forward(a, request);
    struct explain *e = NULL;
    struct problem p;
    json_t *msg;

    for (size_t i = 0; i < AGENT_EXPLAIN_MAX && e == NULL; i++)
        if (a->explains[i].client == 0)
            e = &a->explains[i];
    if (agent_live_session(a) == NULL) {
        status_problem(a, &p);
        if (p.id == MSG_NONE)
            answer_no(a, client, tr("not connected", "接続されていません"));
        else
            agent_answer_error(a, client, &p);
    } else if (fw == NULL) {
        answer_no(a, client,
                  tr("no rule has this local port", "このローカルポートの転送ルールはありません"));
    } else if (e == NULL || (msg = control_explain(a->last_explain + 1, fw->rule.id)) == NULL) {
        answer_no(a, client, tr("too many questions at once", "同時の問い合わせが多すぎます"));
    } else {
        *e = (struct explain){.client = client,
                              .id = ++a->last_explain,
                              .rule = fw->rule.id,
                              .deadline = agent_now() + AGENT_EXPLAIN_MS};
        (void)session_send(a->session, msg);
        json_decref(msg);
        start_explain_timer(a);
    }
}

void agent_explained(struct agent *a, const struct explain *e, const json_t *answer)
{
    json_t *shown;

    if (answer == NULL) {
        answer_no(a, e->client,
                  tr("the gateway does not answer the question",
                     "ゲートウェイが問い合わせに応答しません"));
        return;
    }
    shown = json_copy((json_t *)(uintptr_t)answer);
    for (size_t i = 0; i < a->plan.count; i++) {
        const struct forward *fw = a->forwards[i];
        char local[ADDR_TEXT_MAX];

        if (fw->rule.id != e->rule)
            continue;
        json_object_set_new(shown, "local", json_string(forward_local(fw, local)));
        json_object_set_new(shown, "state", json_string(forward_state_word(fw->state)));
        json_object_set_new(shown, "holder", forward_holder_json(fw));
    }
    json_object_del(shown, "type");
    ipc_server_reply(a->ipc, e->client, json_pack("{s:b, s:o}", "ok", 1, "explained", shown));
}

/* --- the small ones ------------------------------------------------------------------------- */

static void on_host_key(struct agent *a, uint64_t client, const json_t *request)
{
    struct hostkey_pin pin;
    bool pinned = hostkey_pin_read(a->paths->known_host, &pin, NULL) == 0;

    (void)request;
    ipc_server_reply(a->ipc, client,
                     json_pack("{s:b, s:s?, s:s?}", "ok", 1, "pinned",
                               pinned ? pin.fingerprint : NULL, "seen",
                               a->seen[0] != '\0' ? a->seen : NULL));
}

static void on_info(struct agent *a, uint64_t client, const json_t *request)
{
    char since[TIMEFMT_MAX], last_at[TIMEFMT_MAX];
    json_t *last = problem_json(&a->last);

    (void)request;
    if (a->last.id != MSG_NONE)
        json_object_set_new(last, "at", json_string(timefmt_rfc3339(a->last_at, last_at)));
    ipc_server_reply(
        a->ipc, client,
        json_pack("{s:b, s:i, s:s, s:b, s:s?, s:I, s:s, s:s, s:b, s:o}", "ok", 1, "pid",
                  (int)getpid(), "version", PRA_VERSION, "replaced", agent_program_replaced(),
                  "session", a->session_id[0] != '\0' ? a->session_id : NULL, "connections",
                  (json_int_t)agent_tunnel_connections(a), "log_dir", a->paths->log_dir, "since",
                  timefmt_rfc3339(a->since, since), "helper", a->helped, "last", last));
}

static void on_note(struct agent *a, uint64_t client, const json_t *request)
{
    const char *log, *text;
    struct fault f = {0};

    if (jsonl_get_string(request, "log", 16, &log, &f) != 0 ||
        jsonl_get_string(request, "text", NOTE_MAX, &text, &f) != 0) {
        answer_agent_error(a, client, f.text);
        return;
    }
    if (strcmp(log, "user") != 0) {
        answer_agent_error(a, client, "only the user's log takes notes");
        return;
    }
    agentlog_user(a->log, LOG_INFO, "%s", text);
    answer_ok(a, client);
}

static void on_log_send(struct agent *a, uint64_t client, const json_t *request)
{
    const char *path;
    struct fault f = {0};

    if (jsonl_get_string(request, "path", OS_PATH_MAX - 1, &path, &f) != 0)
        answer_agent_error(a, client, f.text);
    else
        agent_send_log(a, client, path);
}

static void on_code(struct agent *a, uint64_t client, const json_t *request)
{
    const char *code;
    struct fault f = {0};

    if (jsonl_get_string(request, "code", AGENT_CODE_MAX, &code, &f) != 0 || code[0] == '\0')
        answer_agent_error(a, client, f.text[0] != '\0' ? f.text : "the code is empty");
    else if (agent_code(a, code))
        answer_ok(a, client);
    else
        answer_no(a, client, tr("no code is asked for now", "コードの入力待ちではありません"));
}

static void on_shutdown(struct agent *a, uint64_t client, const json_t *request)
{
    (void)request;
    answer_ok(a, client);
    agent_end(a);
}

static const struct {
    const char *op;
    void (*run)(struct agent *a, uint64_t client, const json_t *request);
} ops[] = {
    {"connect", on_connect},   {"disconnect", on_disconnect},
    {"status", on_status},     {"subscribe", on_subscribe},
    {"rules", on_rules},       {"explain", on_explain},
    {"host_key", on_host_key}, {"info", on_info},
    {"note", on_note},         {"shutdown", on_shutdown},
    {"log_send", on_log_send}, {"code", on_code},
};

void agent_request(void *arg, uint64_t client, json_t *request)
{
    const char *op = json_string_value(json_object_get(request, "op"));
    struct agent *a = arg;

    for (size_t i = 0; op != NULL && i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strcmp(op, ops[i].op) != 0)
            continue;
        ops[i].run(a, client, request);
        return;
    }
    answer_agent_error(a, client, "the request is not one of this agent's");
}
