/*
 * The wanted connection: begun by a user, attempted, kept up by retries, and ended by a user or by
 * a cause that waiting does not mend. What a cause means is in cause.h's table.
 */
#include <stdio.h>
#include <string.h>

#include "client/agent_internal.h"
#include "common/crypto.h"
#include "common/i18n.h"
#include "common/jsonl.h"
#include "common/utf8.h"

void agent_problem(const struct agent *a, struct problem *p, enum msg_id id, const char *detail)
{
    problem_clear(p);
    p->id = id;
    utf8_copy(p->server, sizeof(p->server), a->server);
    utf8_copy(p->user, sizeof(p->user), a->user);
    utf8_copy(p->detail, sizeof(p->detail), detail);
}

static void forget_key(struct agent *a)
{
    agent_cancel_key(a);
    key_free(a->key);
    a->key = NULL;
    crypto_wipe(a->lease, sizeof(a->lease));
    crypto_wipe(a->code, sizeof(a->code));
}

static void log_problem(struct agent *a, enum log_level level, enum cause cause)
{
    char text[PROBLEM_TEXT_MAX];

    problem_text(&a->problem, text);
    agentlog_system(a->log, level, "connection cause=%s %s", cause_word(cause), text);
    /* The user is told what is new; every attempt is the helpdesk's. */
    if (a->problem.id != a->told)
        agentlog_user(a->log, level, "%s", text);
    a->told = a->problem.id;
}

void agent_stop(struct agent *a, enum cause cause, const char *detail, const char *name)
{
    uv_timer_stop(&a->retry_timer);
    agent_drop_forwards(a);
    forget_key(a);
    agent_problem(a, &a->problem, cause_msg(cause), detail);
    utf8_copy(a->problem.name, sizeof(a->problem.name), name);
    log_problem(a, LOG_ERROR, cause);
    agent_set_state(a, AGENT_ERROR);
    if (a->fg != NULL) {
        a->result = PRA_ECLOSED;
        agent_end(a);
    }
}

/* --- one session's events ------------------------------------------------------------------- */

static void on_phase(void *owner, const char *what)
{
    struct agent *a = owner;

    /* Of a long absence the first attempts tell the story; the rest would only push it out. */
    agentlog_system(a->log, a->retry.attempt <= 3 ? LOG_INFO : LOG_DEBUG, "connecting to %s: %s",
                    a->server, what);
}

/* Reads the pin and judges; a damaged pin counts as none, so that a person has to confirm anew. */
static enum cause on_host_key(void *owner, const struct session_host_key *key)
{
    struct agent *a = owner;
    char server[ADDR_TEXT_MAX + 2];
    struct hostkey_pin pin;
    struct fault f = {0};
    bool have, pin_it;
    enum cause cause;
    int rc = hostkey_pin_read(a->paths->known_host, &pin, &f);

    have = rc == 0;
    if (!have && rc != PRA_ENOENT)
        agentlog_system(a->log, LOG_ERROR, "pinned host key: %s", f.text);
    hostkey_server_name(&a->config.server, a->config.server_port, server);
    cause = hostkey_judge(a->config.fingerprint, have ? &pin : NULL, server, a->accept,
                          key->fingerprint, &pin_it);
    (void)snprintf(a->seen, sizeof(a->seen), "%s", key->fingerprint);
    agentlog_system(a->log, cause == CAUSE_NONE ? LOG_INFO : LOG_ERROR, "host key %s: %s",
                    key->fingerprint,
                    cause == CAUSE_NONE              ? "as expected"
                    : cause == CAUSE_HOSTKEY_UNKNOWN ? "unknown and not confirmed"
                                                     : "NOT the expected one");
    if (cause == CAUSE_HOSTKEY_CHANGED)
        agentlog_system(a->log, LOG_ERROR, "host key expected: %s",
                        a->config.fingerprint[0] != '\0' ? a->config.fingerprint : pin.fingerprint);
    if (pin_it && hostkey_pin_write(a->paths->known_host, server, key->blob, key->len, &f) != 0)
        agentlog_system(a->log, LOG_ERROR, "the host key cannot be pinned: %s", f.text);
    return cause;
}

static void on_hello_late(uv_timer_t *t)
{
    struct agent *a = t->data;

    if (a->session != NULL)
        session_fail(a->session, CAUSE_CUT,
                     tr("the gateway does not answer on the control channel",
                        "制御チャネルで応答がありません"));
}

static bool has_connections(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.count; i++)
        if (a->forwards[i]->owner.connections > 0)
            return true;
    return false;
}

/*
 * The name leads elsewhere. Who is idle goes there once somebody answers; a transfer is not cut for
 * it, but the old address is asked for a sign of life: if it is dead the session ends by that.
 */
static void on_moved(void *arg, const char *addresses, bool answers)
{
    struct agent *a = arg;

    if (!a->moved_told)
        agentlog_system(a->log, LOG_WARN, "gateway-moved name=%s addresses=\"%s\" answers=%s",
                        a->config.server.name, addresses, answers ? "yes" : "no");
    a->moved_told = true;
    if (a->session == NULL)
        return;
    if (answers && !has_connections(a))
        session_fail(a->session, CAUSE_MOVED,
                     tr("the gateway has moved to another address",
                        "ゲートウェイのアドレスが変更されました"));
    else
        session_probe(a->session);
}

static void watch_name(struct agent *a)
{
    struct addr_ip peer;

    a->moved_told = false;
    if (a->config.server.is_ip || a->config.lookup_interval == 0 ||
        !session_peer(a->session, &peer))
        return;
    a->namewatch = namewatch_start(&a->loop, a->config.server.name, a->config.server_port, &peer,
                                   a->config.lookup_interval, on_moved, a);
}

static void on_ready(void *owner)
{
    struct agent *a = owner;

    watch_name(a);
    agentlog_system(a->log, LOG_INFO, "logged in as %s", a->user);
    uv_timer_start(&a->hello_timer, on_hello_late, AGENT_HELLO_MS, 0);
    agent_hello(a);
}

static void on_message(void *owner, const json_t *msg)
{
    struct agent *a = owner;
    struct fault f = {0};
    int rc = control_dispatch(msg, &agent_control, a, &f);

    if (rc != 0 && a->session != NULL)
        session_fail(a->session, CAUSE_PROTOCOL, f.text[0] != '\0' ? f.text : err_text(rc));
}

static void on_retry(uv_timer_t *t)
{
    agent_attempt(t->data);
}

/* Away from the gateway: listeners stay and the next attempt is set. */
static void wait_and_retry(struct agent *a, enum cause cause, const char *detail)
{
    enum msg_id id = cause_msg(cause);
    uint32_t random, wait_ms;

    if (a->stood && a->away == CAUSE_NONE)
        a->away = cause == CAUSE_SHUTDOWN ? CAUSE_SHUTDOWN : CAUSE_LOST;
    if (a->away != CAUSE_NONE && cause_is_absence(cause))
        id = cause_msg(a->away);

    crypto_random(&random, sizeof(random));
    wait_ms = retry_next_ms(&a->retry, random, a->asked_retry_ms);
    a->asked_retry_ms = 0;
    a->retry_at = agent_now() + wait_ms;
    uv_timer_start(&a->retry_timer, on_retry, wait_ms, 0);

    agent_problem(a, &a->problem, id, detail);
    (void)snprintf(a->problem.seconds, sizeof(a->problem.seconds), "%u", (wait_ms + 999) / 1000);
    log_problem(a, LOG_WARN, cause);
    agent_set_state(a, AGENT_WAITING);
}

/* The tunnel's listeners stay as they do while it waits for the network; no time limit runs. */
static void wait_for_code(struct agent *a, enum cause cause, const char *detail)
{
    crypto_wipe(a->lease, sizeof(a->lease)); /* it would have been taken */
    agent_problem(a, &a->problem, cause_msg(cause), detail);
    log_problem(a, LOG_WARN, cause);
    agent_set_state(a, AGENT_CODE);
}

static void finish_disconnect(struct agent *a)
{
    a->farewell = false;
    forget_key(a);
    problem_clear(&a->problem);
    if (a->state != AGENT_DISCONNECTED)
        agentlog_system(a->log, LOG_INFO, "disconnected from %s", a->server);
    agent_set_state(a, AGENT_DISCONNECTED);
    if (a->disconnect_client != 0)
        ipc_server_reply(a->ipc, a->disconnect_client, json_pack("{s:b}", "ok", 1));
    a->disconnect_client = 0;
    if (a->fg != NULL || a->ending)
        agent_end(a);
}

static void on_ended(void *owner, enum cause cause, const char *detail)
{
    struct agent *a = owner;

    a->session = NULL;
    a->online = false;
    namewatch_stop(a->namewatch);
    a->namewatch = NULL;
    agent_tunnel_end(a);
    uv_timer_stop(&a->hello_timer);
    uv_timer_stop(&a->heads_timer);
    agent_fail_explains(a);
    agent_log_lost(a);
    if (a->farewell) {
        finish_disconnect(a);
        return;
    }
    /* The gateway's own words on the end are better than "the connection was closed". */
    if (a->announced != CAUSE_NONE && cause_is_absence(cause))
        cause = a->announced;
    a->announced = CAUSE_NONE;
    /* A gateway that fell silent is not waited for where the user wants it so (D4). */
    if (cause == CAUSE_DEAD && a->stood && a->config.dead_action == CONFIG_DEAD_CLEAR)
        cause = CAUSE_DEAD_CLEARED;
    if (a->key != NULL && cause_asks(cause))
        wait_for_code(a, cause, detail);
    else if (a->key != NULL && cause_retries(cause, a->stood))
        wait_and_retry(a, cause, detail);
    else
        agent_stop(a, cause, detail, "");
}

static const struct session_events events = {.phase = on_phase,
                                             .host_key = on_host_key,
                                             .ready = on_ready,
                                             .message = on_message,
                                             .ended = on_ended};

void agent_session_options(struct agent *a, struct session_options *opt)
{
    *opt = (struct session_options){.server = a->config.server,
                                    .port = a->config.server_port,
                                    .has_proxy = a->config.has_proxy,
                                    .proxy = a->config.proxy,
                                    .proxy_port = a->config.proxy_port,
                                    .user = a->user,
                                    .key = a->key,
                                    .info = &a->info,
                                    .dead_delay = a->config.dead_delay,
                                    .dead_timeout = a->config.dead_timeout,
                                    .shared = &a->tunnel.shared};
}

void agent_attempt(struct agent *a)
{
    struct session_options opt;
    char lease[SESSION_ANSWER_MAX] = "";
    int rc;

    agent_session_options(a, &opt);
    if (a->lease[0] != '\0')
        (void)snprintf(lease, sizeof(lease), "lease %s %s", a->machine_tag, a->lease);
    opt.token = lease;
    opt.code = a->code;
    uv_timer_stop(&a->retry_timer);
    a->announced = CAUSE_NONE;
    agent_set_state(a, AGENT_CONNECTING);
    rc = session_start(&a->loop, &opt, &events, a, &a->session);
    crypto_wipe(lease, sizeof(lease));
    crypto_wipe(a->code, sizeof(a->code));
    if (rc != 0)
        agent_stop(a, CAUSE_MEMORY, tr("out of memory", "メモリが足りません"), "");
}

bool agent_code(struct agent *a, const char *code)
{
    if (a->state != AGENT_CODE || a->session != NULL)
        return false;
    (void)snprintf(a->code, sizeof(a->code), "%s", code);
    agentlog_user(a->log, LOG_INFO, "a code was typed");
    agent_attempt(a);
    return true;
}

void agent_network_changed(void *arg)
{
    struct agent *a = arg;

    if (a->state == AGENT_WAITING) {
        agentlog_system(a->log, LOG_INFO, "the network has changed: trying again now");
        agent_attempt(a);
    } else if (a->state == AGENT_CONNECTED && a->session != NULL) {
        agentlog_system(a->log, LOG_INFO, "the network has changed: is the gateway still there?");
        session_probe(a->session);
        agent_tunnel_probe(a);
    }
}

/* --- what a user wants ---------------------------------------------------------------------- */

static bool load_settings(struct agent *a, const char *user, const char *accept, struct problem *p)
{
    struct keyfile_info info;
    struct config config;
    struct fault f = {0};

    if (config_load(a->paths->config_file, &config, &f) != 0) {
        agent_problem(a, p, MSG_RULES_ADDRESS, f.text);
        return false;
    }
    a->config = config;
    a->server[0] = '\0';
    if (!config.has_server) {
        agent_problem(a, p, MSG_RULES_ADDRESS,
                      tr("no server address is set", "サーバアドレスが設定されていません"));
        return false;
    }
    config_format_address(&config.server, config.server_port, a->server);
    agentlog_set_level(a->log, config.log_level);
    if (user == NULL && config.user[0] != '\0')
        user = config.user;
    if (user == NULL && keyfile_inspect(a->paths->key_file, &info, NULL) == 0)
        user = info.user;
    (void)snprintf(a->user, sizeof(a->user), "%s", user != NULL ? user : "");
    (void)snprintf(a->accept, sizeof(a->accept), "%s", accept != NULL ? accept : "");
    return true;
}

bool agent_connect(struct agent *a, uint64_t client, const json_t *request, struct problem *p)
{
    const char *user = NULL, *accept = NULL, *passphrase;
    struct fault f = {0};

    if (a->state == AGENT_WAITING) /* a person says: now */
        agent_attempt(a);
    if (a->session != NULL || a->opening != NULL || a->state == AGENT_CODE) {
        ipc_server_reply(a->ipc, client, json_pack("{s:b}", "ok", 1));
        return true;
    }
    if (jsonl_opt_string(request, "user", KEYFILE_USER_MAX, &user, &f) != 0 ||
        jsonl_opt_string(request, "accept_host_key", SSHKEY_FINGERPRINT_MAX - 1, &accept, &f) !=
            0 ||
        jsonl_get_string(request, "passphrase", KEYFILE_PASS_MAX, &passphrase, &f) != 0) {
        agent_problem(a, p, MSG_AGENT, f.text);
        return false;
    }
    if (!load_settings(a, user, accept, p))
        return false;
    agentlog_user(a->log, LOG_INFO, "connect to %s", a->server);
    problem_clear(&a->problem);
    a->stood = false;
    a->told = MSG_NONE;
    a->away = CAUSE_NONE;
    a->asked_retry_ms = 0;
    retry_reset(&a->retry);
    if (agent_open_key(a, client, passphrase) != 0) {
        agent_problem(a, p, MSG_KEY_DAMAGED, tr("out of memory", "メモリが足りません"));
        return false;
    }
    agent_set_state(a, AGENT_CONNECTING);
    return true;
}

void agent_disconnect(struct agent *a, const char *reason)
{
    json_t *bye;

    uv_timer_stop(&a->retry_timer);
    agent_drop_forwards(a);
    if (a->session == NULL) {
        finish_disconnect(a);
        return;
    }
    if (!a->farewell && (bye = control_bye(reason)) != NULL) {
        (void)session_send(a->session, bye); /* before the control channel runs there is no one */
        json_decref(bye);
    }
    a->farewell = true;
    agent_tunnel_end(a);
    session_stop(a->session);
}
