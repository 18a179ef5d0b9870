/* Enrollment; see enroll.h. Single-threaded. */
#include "client/enroll.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "client/control.h"
#include "client/enroll_code.h"
#include "client/hostkey.h"
#include "client/retry.h"
#include "client/session.h"
#include "common/crypto.h"
#include "common/utf8.h"

/* The name to log in under; server/README.md. */
#define LOGIN_NAME "enroll:"

struct enroll {
    const struct enroll_options *opt;
    void (*progress)(void *ctx, const struct enroll_progress *p);
    void *ctx;
    struct enroll_outcome *out;
    uv_loop_t loop;
    uv_timer_t again;
    struct session *session;
    struct session_shared shared;
    struct retry retry;
    char name[sizeof(LOGIN_NAME) + 2 * ENROLL_CODE_LEN];
    char server[ADDR_TEXT_MAX];
    bool waited;  /* the gateway has the request: a break is only a pause */
    bool decided; /* `out` says what came of it */
};

static void attempt(struct enroll *e);

/* "abcd-efgh ..." as it is sent: letters only. */
static void set_name(struct enroll *e)
{
    size_t len = strlen(LOGIN_NAME);

    memcpy(e->name, LOGIN_NAME, len);
    for (const char *c = e->opt->code; *c != '\0' && len + 1 < sizeof(e->name); c++)
        if (isalnum((unsigned char)*c))
            e->name[len++] = (char)toupper((unsigned char)*c);
    e->name[len] = '\0';
}

static void decide(struct enroll *e, enum msg_id problem, const char *detail)
{
    if (e->decided)
        return;
    e->decided = true;
    e->out->problem = problem;
    utf8_copy(e->out->detail, sizeof(e->out->detail), detail);
}

static void show(struct enroll *e, struct enroll_progress p)
{
    p.server = e->server;
    e->progress(e->ctx, &p);
}

/* ---- the session's events ------------------------------------------------------------------ */

static void on_phase(void *owner, const char *what)
{
    (void)owner;
    (void)what;
}

static enum cause on_host_key(void *owner, const struct session_host_key *key)
{
    struct enroll *e = owner;
    const struct config *c = e->opt->config;
    char server[ADDR_TEXT_MAX + 2];
    struct hostkey_pin pin;
    bool have = hostkey_pin_read(e->opt->known_host, &pin, NULL) == 0, pin_it;
    enum cause cause;

    hostkey_server_name(&c->server, c->server_port, server);
    cause = hostkey_judge(c->fingerprint, have ? &pin : NULL, server, e->opt->accept,
                          key->fingerprint, &pin_it);
    (void)snprintf(e->out->seen, sizeof(e->out->seen), "%s", key->fingerprint);
    if (pin_it) /* without it a person is asked once more */
        (void)hostkey_pin_write(e->opt->known_host, server, key->blob, key->len, NULL);
    return cause;
}

static void on_ready(void *owner)
{
    struct enroll *e = owner;
    struct control_enroll_request r = {
        .computer = e->opt->info->computer, .machine = e->opt->machine, .weak = e->opt->info->weak};
    json_t *msg = control_enroll(&r);

    if (msg == NULL || session_send(e->session, msg) != 0)
        session_fail(e->session, CAUSE_MEMORY, "");
    json_decref(msg);
}

static void on_state(struct enroll *e, const struct control_enroll *s)
{
    static const enum msg_id problems[] = {[CONTROL_ENROLL_APPROVED] = MSG_NONE,
                                           [CONTROL_ENROLL_DENIED] = MSG_ENROLL_DENIED,
                                           [CONTROL_ENROLL_USED] = MSG_ENROLL_USED,
                                           [CONTROL_ENROLL_EXPIRED] = MSG_ENROLL_EXPIRED,
                                           [CONTROL_ENROLL_REPLACED] = MSG_NONE};

    utf8_copy(e->out->user, sizeof(e->out->user), s->user);
    if (s->state == CONTROL_ENROLL_WAITING) {
        e->waited = true;
        retry_reset(&e->retry);
        show(e, (struct enroll_progress){.step = ENROLL_WAITS,
                                         .user = s->user,
                                         .fingerprint = s->fingerprint,
                                         .expires = s->expires});
        return;
    }
    e->out->replaced = s->state == CONTROL_ENROLL_REPLACED;
    decide(e, problems[s->state], "");
    session_stop(e->session);
}

static void on_message(void *owner, const json_t *msg)
{
    struct enroll *e = owner;
    struct control_enroll s;
    struct fault f = {0};
    int rc = control_read_enroll(msg, &s, &f);

    if (rc == 0)
        on_state(e, &s);
    else if (rc != PRA_ENOENT && e->session != NULL)
        session_fail(e->session, CAUSE_PROTOCOL, f.text);
}

static void on_again(uv_timer_t *t)
{
    attempt(t->data);
}

static void on_ended(void *owner, enum cause cause, const char *detail)
{
    struct enroll *e = owner;
    uint32_t random, wait_ms;

    e->session = NULL;
    if (!e->decided && e->waited && cause_retries(cause == CAUSE_NONE ? CAUSE_LOST : cause, true)) {
        crypto_random(&random, sizeof(random));
        wait_ms = retry_next_ms(&e->retry, random, 0);
        show(e, (struct enroll_progress){
                    .step = ENROLL_LOST, .detail = detail, .seconds = (wait_ms + 999) / 1000});
        uv_timer_start(&e->again, on_again, wait_ms, 0);
        return;
    }
    /* A gateway that knows of enrollment never refuses one without a word. */
    decide(e, cause == CAUSE_UNREGISTERED ? MSG_ENROLL_OLD : cause_msg(cause), detail);
    uv_close((uv_handle_t *)&e->again, NULL);
}

static void attempt(struct enroll *e)
{
    static const struct session_events events = {.phase = on_phase,
                                                 .host_key = on_host_key,
                                                 .ready = on_ready,
                                                 .message = on_message,
                                                 .ended = on_ended};
    const struct config *c = e->opt->config;
    struct session_options o = {.server = c->server,
                                .port = c->server_port,
                                .has_proxy = c->has_proxy,
                                .proxy = c->proxy,
                                .proxy_port = c->proxy_port,
                                .user = e->name,
                                .key = e->opt->key,
                                .info = e->opt->info,
                                .dead_delay = c->dead_delay,
                                .dead_timeout = c->dead_timeout,
                                .shared = &e->shared};

    show(e, (struct enroll_progress){.step = ENROLL_CONNECTS});
    if (session_start(&e->loop, &o, &events, e, &e->session) != 0)
        on_ended(e, CAUSE_MEMORY, "");
}

int enroll_run(const struct enroll_options *opt,
               void (*progress)(void *ctx, const struct enroll_progress *p), void *ctx,
               struct enroll_outcome *out)
{
    struct enroll e = {.opt = opt, .progress = progress, .ctx = ctx, .out = out};

    memset(out, 0, sizeof(*out));
    if (uv_loop_init(&e.loop) != 0)
        return PRA_ENOMEM;
    set_name(&e);
    config_format_address(&opt->config->server, opt->config->server_port, e.server);
    uv_timer_init(&e.loop, &e.again);
    e.again.data = &e;
    attempt(&e);
    uv_run(&e.loop, UV_RUN_DEFAULT);
    uv_loop_close(&e.loop);
    crypto_wipe(e.name, sizeof(e.name));
    return 0;
}
