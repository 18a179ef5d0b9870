/* What the gateway tells a client over the control channel; see control.h. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "server/prad/channel.h"
#include "server/prad/control_internal.h"

void control_send(struct session *s, json_t *o)
{
    struct control *c = s->control;
    bool want = c && c->started && !c->closed && !c->client_closed;
    if (want && (!o || jsonl_append(&c->out, o) != 0)) {
        log_event(LOG_WARN, "control-overflow", "session=%s queued=%zu", s->entry.id, c->out.len);
        session_must_end(s, "control-overflow");
    }
    json_decref(o);
    if (want)
        worker_wake(s->worker, s);
}

void control_refuse(struct session *s, const char *reason, const char *detail)
{
    s->restricted = true;
    control_send(
        s, json_pack("{s:s, s:s, s:s}", "type", "refused", "reason", reason, "detail", detail));
    session_end_soon(s, reason);
}

/* Which limit refused a channel. Older clients read `detail` only. */
static void add_limit(json_t *o, const struct channel_limit *l)
{
    char text[POLICY_LIMIT_TEXT];
    json_object_set_new(o, "limit", json_string(policy_limit_word(l->limit)));
    json_object_set_new(o, "of", json_string(l->of_rule ? "rule" : "user"));
    json_object_set_new(o, "value", json_string(policy_limit_format(l->limit, l->value, text)));
    if (l->retry_s >= 0)
        json_object_set_new(o, "retry_in", json_integer(l->retry_s));
}

void control_open_failed(const struct channel *ch)
{
    struct session *s = ch->session;
    const struct channel_opening *why = ch->opening;
    if (!s->hello)
        return;
    json_t *o =
        json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:s}", "type", "open-failed", "origin_port",
                  (json_int_t)ch->origin_port, "target", ch->target, "reason",
                  channel_failure_word(why->failure), "detail", why->failure_text, "rule",
                  (json_int_t)ch->rule, "name", ch->rule != 0 ? channel_rule_name(ch) : "");
    if (o && why->limit.value > 0)
        add_limit(o, &why->limit);
    control_send(s, o);
}

void control_cut(const struct channel *ch)
{
    struct session *s = ch->session;
    if (!s->hello)
        return;
    control_send(s,
                 json_pack("{s:s, s:I, s:s, s:I, s:s, s:s}", "type", "cut", "origin_port",
                           (json_int_t)ch->origin_port, "target", ch->target, "rule",
                           (json_int_t)ch->rule, "name", channel_rule_name(ch), "reason", ch->why));
}

void control_notice(struct session *s, const char *kind, const char *detail, int retry_in,
                    int64_t seconds)
{
    if (s->entry.secondary) /* news of a tunnel are the primary's to tell */
        return;
    json_t *o = json_pack("{s:s, s:s, s:s}", "type", "notice", "kind", kind, "detail", detail);
    int bad =
        json_object_set_new(o, "retry_in", retry_in < 0 ? json_null() : json_integer(retry_in));
    if (seconds != 0)
        bad |= json_object_set_new(o, "seconds", json_integer(seconds));
    if (bad) {
        json_decref(o);
        o = NULL;
    }
    control_send(s, o);
}

void control_notice_limit(struct session *s, const char *limit, const char *of)
{
    if (s->entry.secondary)
        return;
    control_send(s, json_pack("{s:s, s:s, s:s, s:s, s:s, s:n}", "type", "notice", "kind", "limit",
                              "detail", limit, "limit", limit, "of", of, "retry_in"));
}

static bool add_rule(const struct policy_rule *r, void *ctx)
{
    char local[64], fallback[64], target[ADDR_TEXT_MAX];
    policy_format_local(&r->local, local, sizeof(local));
    policy_format_local(&r->fallback, fallback, sizeof(fallback));
    policy_format_target(&r->target, target, sizeof(target));
    /* A failure leaves a shorter list: the client lacks a forward and nothing is opened. */
    return json_array_append_new(ctx, json_pack("{s:I, s:s, s:s, s:s?, s:s}", "id",
                                                (json_int_t)r->id, "name", r->name, "local", local,
                                                "fallback", r->fallback.port ? fallback : NULL,
                                                "target", target)) == 0;
}

/* Notes what is about to be sent. True if it is what was sent last. */
static bool same_as_before(struct control *c, const json_t *list)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    char *text = json_dumps(list, JSON_COMPACT);
    bool same = text && crypto_sha256(text, strlen(text), hash) == 0 && c->rules_sent &&
                memcmp(hash, c->rules_hash, sizeof(hash)) == 0;
    if (text && !same)
        memcpy(c->rules_hash, hash, sizeof(hash));
    free(text);
    return same;
}

void control_push_rules(struct session *s)
{
    struct control *c = s->control;
    if (!c || !s->hello || s->restricted || s->entry.secondary)
        return;
    const struct policy *p = s->worker->policy;
    json_t *list = json_array();
    if (list)
        policy_each_forward(p, s->entry.user, &s->entry.source, os_time_now(), add_rule, list);
    if (!list || same_as_before(c, list)) {
        json_decref(list);
        return;
    }
    bool first = !c->rules_sent;
    size_t count = json_array_size(list);
    c->rules_sent = true;
    c->rules_count = count;
    if (count > 0 || !first)
        control_send(s, json_pack("{s:s, s:I, s:O}", "type", "rules", "version",
                                  (json_int_t)policy_generation(p), "rules", list));
    if (count == 0)
        control_send(s, json_pack("{s:s, s:s, s:s}", "type", "refused", "reason", "no-rules",
                                  "detail", "no rule allows anything to this account now"));
    json_decref(list);
}
