/*
 * The agent's process: its loop, its one state, and its end. What it does is in
 * agent_requests.c (what programs ask), agent_connect.c (the wanted connection), agent_control.c
 * (what the gateway says) and agent_key.c (unsealing the key).
 */
#include "client/agent_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/os.h"

uint64_t agent_now(void)
{
    return os_monotonic_ms();
}

void agent_changed(struct agent *a)
{
    a->changed = true;
}

static void on_idle(uv_timer_t *t)
{
    struct agent *a = t->data;

    if (a->fg == NULL && a->session == NULL && ipc_server_clients(a->ipc) == 0) {
        agentlog_system(a->log, LOG_INFO, "agent ends: nobody has used it for a while");
        agent_end(a);
    }
}

void agent_set_state(struct agent *a, enum agent_state state)
{
    agent_changed(a);
    if (state == a->state)
        return;
    agentlog_system(a->log, LOG_INFO, "state %s -> %s", status_state_word(a->state),
                    status_state_word(state));
    a->state = state;
    a->since = os_time_now();
    if (a->ending)
        return;
    if (state == AGENT_DISCONNECTED || state == AGENT_ERROR)
        uv_timer_start(&a->idle, on_idle, AGENT_IDLE_EXIT_S * 1000, AGENT_IDLE_EXIT_S * 1000);
    else
        uv_timer_stop(&a->idle);
}

/* In the foreground there is one terminal and nothing else to do: the loop waits for the person. */
static void ask_for_code(struct agent *a)
{
    char code[AGENT_CODE_MAX + 1] = "";

    if (a->fg == NULL || a->state != AGENT_CODE || a->ending)
        return;
    if (a->fg->ask_code != NULL && a->fg->ask_code(a->fg->arg, code, sizeof(code))) {
        (void)agent_code(a, code);
    } else {
        a->result = PRA_ECLOSED;
        agent_end(a);
    }
    crypto_wipe(code, sizeof(code));
}

/* Once per loop iteration, however much has happened in it. */
static void tell_changes(struct agent *a)
{
    json_t *event;

    if (a->ports_changed)
        agent_report_ports(a);
    if (!a->changed)
        return;
    a->changed = false;
    if (a->ipc != NULL && ipc_server_has_subscribers(a->ipc)) {
        event = json_pack("{s:s, s:o}", "event", "status", "status", status_json(a));
        if (event != NULL)
            ipc_server_push(a->ipc, event);
        json_decref(event);
    }
    if (a->fg != NULL && a->fg->on_status != NULL) {
        event = status_json(a);
        if (event != NULL)
            a->fg->on_status(a->fg->arg, event);
        json_decref(event);
    }
    ask_for_code(a);
}

static void on_prepare(uv_prepare_t *h)
{
    tell_changes(h->data);
}

static void close_handle(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

/* The loop ends by itself when the last handle has gone. */
static void close_handles(struct agent *a)
{
    tell_changes(a);
    ipc_server_close(a->ipc);
    a->ipc = NULL;
    netwatch_close(a->netwatch);
    a->netwatch = NULL;
    close_handle((uv_handle_t *)&a->sigterm);
    close_handle((uv_handle_t *)&a->sigint);
    close_handle((uv_handle_t *)&a->prepare);
    close_handle((uv_handle_t *)&a->idle);
    close_handle((uv_handle_t *)&a->retry_timer);
    close_handle((uv_handle_t *)&a->hello_timer);
    close_handle((uv_handle_t *)&a->heads_timer);
    close_handle((uv_handle_t *)&a->explain_timer);
    close_handle((uv_handle_t *)&a->quiet_timer);
    close_handle((uv_handle_t *)&a->count_timer);
    close_handle((uv_handle_t *)&a->limit_timer);
    close_handle((uv_handle_t *)&a->tunnel.timer);
}

/* May be called again and again; the session's end leads here a second time. */
void agent_end(struct agent *a)
{
    a->ending = true;
    if (a->session != NULL && !a->farewell) {
        agent_disconnect(a, "shutdown");
        return;
    }
    if (a->session != NULL)
        return;
    agent_cancel_key(a);
    agent_drop_forwards(a);
    if (a->ipc != NULL)
        close_handles(a);
}

static void on_signal(uv_signal_t *h, int signum)
{
    struct agent *a = h->data;

    agentlog_system(a->log, LOG_INFO, "agent ends: %s",
                    signum == SIGTERM ? "told to terminate" : "interrupted");
    agent_end(a);
}

static void init_handles(struct agent *a)
{
    uv_timer_t *timers[] = {&a->idle,        &a->retry_timer,   &a->hello_timer,
                            &a->heads_timer, &a->explain_timer, &a->quiet_timer,
                            &a->count_timer, &a->limit_timer,   &a->tunnel.timer};

    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        uv_timer_init(&a->loop, timers[i]);
        timers[i]->data = a;
    }
    uv_prepare_init(&a->loop, &a->prepare);
    uv_signal_init(&a->loop, &a->sigterm);
    uv_signal_init(&a->loop, &a->sigint);
    a->prepare.data = a->sigterm.data = a->sigint.data = a;
    uv_prepare_start(&a->prepare, on_prepare);
    uv_signal_start(&a->sigterm, on_signal, SIGTERM);
    uv_signal_start(&a->sigint, on_signal, SIGINT);
    uv_timer_start(&a->idle, on_idle, AGENT_IDLE_EXIT_S * 1000, AGENT_IDLE_EXIT_S * 1000);
}

/* The connection of `pra connect --foreground`, as if a program had asked for it. */
static void connect_foreground(struct agent *a)
{
    json_t *request = json_pack("{s:s?, s:s, s:s?}", "user", a->fg->user, "passphrase",
                                a->fg->passphrase, "accept_host_key", a->fg->accept_host_key);

    if (request == NULL || !agent_connect(a, 0, request, &a->problem)) {
        a->result = PRA_ECLOSED;
        agent_set_state(a, AGENT_ERROR);
        agent_end(a);
    }
    json_decref(request);
}

static int open_agent(struct agent *a, struct fault *f)
{
    struct config config;
    int rc;

    a->lock = agent_lock(a->paths->agent_lock, f);
    if (a->lock < 0)
        return a->lock;
    if ((rc = config_load(a->paths->config_file, &config, f)) != 0 ||
        (rc = agentlog_open(a->paths->log_dir, &config, &a->log, f)) != 0)
        return rc;
    if (uv_loop_init(&a->loop) != 0)
        return fault_set(f, PRA_ENOMEM, "the event loop cannot be made");
    agent_reserve_watchers(&a->loop);
    init_handles(a);
    a->netwatch = netwatch_open(&a->loop, agent_network_changed, a);
    rc = ipc_server_open(&a->loop, a->paths->agent_socket, agent_request, a, &a->ipc, f);
    if (rc != 0) {
        close_handles(a);
        (void)uv_run(&a->loop, UV_RUN_DEFAULT);
        uv_loop_close(&a->loop);
    }
    return rc;
}

int agent_run(const struct paths *paths, const struct agent_foreground *fg, struct fault *f)
{
    struct agent *a;
    int rc;

    agent_wipe_json();
    agent_tune_process();
    a = calloc(1, sizeof(*a));
    if (a == NULL)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    a->paths = paths;
    a->fg = fg;
    a->lock = -1;
    a->since = os_time_now();
    rc = open_agent(a, f);
    if (rc == 0) {
        agentlog_system(a->log, LOG_INFO, "agent %s begins, process %ld", PRA_VERSION,
                        (long)getpid());
        if (fg != NULL)
            connect_foreground(a);
        else
            agent_ready();
        (void)uv_run(&a->loop, UV_RUN_DEFAULT);
        uv_loop_close(&a->loop);
        (void)unlink(paths->agent_socket);
        agentlog_system(a->log, LOG_INFO, "agent ended");
        rc = a->result;
        if (rc == PRA_ECLOSED)
            (void)fault_set(f, rc, "the connection ended by itself");
    }
    key_free(a->key);
    agentlog_close(a->log);
    if (a->lock >= 0)
        close(a->lock);
    free(a);
    return rc;
}
