/*
 * Fuzz target: what a malicious gateway may say over the control channel, to the client. Strings
 * that reach a handler are bounded, a plan listens on loopback addresses only.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/control.h"
#include "common/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct plan plan; /* the one before, to be compared with */
};

static void bounded(const char *text)
{
    if (text && strlen(text) > CONTROL_TEXT_MAX)
        abort();
}

static void on_welcome(void *arg, const struct control_welcome *w)
{
    (void)arg;
    bounded(w->session);
    bounded(w->version);
    bounded(w->user);
    bounded(w->source);
    if (w->connections < 1 || w->connections > CONTROL_CONNECTIONS_MAX)
        abort();
}

static void on_joined(void *arg, const char *session)
{
    (void)arg;
    bounded(session);
}

static void on_join_token(void *arg, const struct control_join_token *t)
{
    (void)arg;
    bounded(t->reason);
    if (t->id < 0 || (t->token && strlen(t->token) > CONTROL_TOKEN_LEN))
        abort();
}

static void on_refused(void *arg, enum cause cause, const char *detail)
{
    (void)arg;
    (void)cause_word(cause);
    bounded(detail);
}

static void check_rule(const struct plan_rule *r)
{
    char text[ADDR_TEXT_MAX];

    if (r->refused[0] == '\0' && addr_classify(&r->local.ip) != ADDR_LOOPBACK)
        abort();
    if (r->refused[0] == '\0' && r->fallback.ip.family != 0 &&
        addr_classify(&r->fallback.ip) != ADDR_LOOPBACK)
        abort();
    (void)plan_format_local(&r->local, text);
    (void)plan_format_target(r, text);
}

static void on_rules(void *arg, struct plan *plan)
{
    struct seen *s = arg;
    struct plan_step *steps = calloc(s->plan.count + plan->count + 1, sizeof(*steps));
    size_t n;

    if (!steps || plan->count > PLAN_RULES_MAX)
        abort();
    for (size_t i = 0; i < plan->count; i++)
        check_rule(&plan->rules[i]);
    n = plan_diff(s->plan.rules, s->plan.count, plan->rules, plan->count, steps);
    if (n > s->plan.count + plan->count)
        abort();
    free(steps);
    plan_free(&s->plan);
    s->plan = *plan;
    *plan = (struct plan){0};
}

static void on_channel(void *arg, const struct control_channel *c)
{
    (void)arg;
    bounded(c->target);
    bounded(c->reason);
    bounded(c->detail);
    bounded(c->name);
}

static void on_notice(void *arg, const struct control_notice *n)
{
    (void)arg;
    (void)cause_msg(n->cause);
    bounded(n->kind);
    bounded(n->detail);
    if (n->retry_in < 0)
        abort();
}

static void on_explained(void *arg, int64_t id, const json_t *answer)
{
    (void)arg;
    (void)id;
    if (!json_is_object(answer))
        abort();
}

static void on_ticket(void *arg, const char *ticket)
{
    (void)arg;
    bounded(ticket);
}

static void on_log(void *arg, const struct control_log *l)
{
    (void)arg;
    bounded(l->reason);
    bounded(l->bundle);
    if (l->bytes < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct control_handler handler = {.welcome = on_welcome,
                                                   .refused = on_refused,
                                                   .joined = on_joined,
                                                   .join_token = on_join_token,
                                                   .ticket = on_ticket,
                                                   .rules = on_rules,
                                                   .open_failed = on_channel,
                                                   .cut = on_channel,
                                                   .notice = on_notice,
                                                   .explained = on_explained,
                                                   .log = on_log};
    struct seen seen = {0};
    struct buf b;

    buf_init(&b, JSONL_CLIENT_MAX);
    if (buf_append(&b, data, size) != 0)
        return 0;
    for (;;) {
        json_t *message = NULL;
        struct fault f = {0};
        int rc = jsonl_next(&b, JSONL_CLIENT_MAX, &message, &f);

        if (rc == PRA_EAGAIN)
            break;
        if (rc != 0)
            continue;
        struct control_enroll enroll;
        if (control_dispatch(message, &handler, &seen, &f) != 0 && f.text[0] == '\0')
            abort();
        if (control_read_enroll(message, &enroll, &f) == 0) {
            bounded(enroll.user);
            bounded(enroll.fingerprint);
            bounded(enroll.expires);
        }
        json_decref(message);
    }
    plan_free(&seen.plan);
    buf_free(&b);
    return 0;
}
