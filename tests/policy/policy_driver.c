/*
 * Answers questions to the policy for the oracle test: JSON lines in, JSON lines out.
 *
 *   {"snapshot":{"users":[[name,enabled]],"members":[[group,user]],"own":[ip],"zone":minutes,
 *    "rules":[{"id","group","owner","position","action","target","local","from","hours",
 *    "expires"}], "changed":[[group?,owner]]}}                  -> {"ok":true} or {"error":text}
 *   With "changed" all other owners' rules are taken over from the snapshot before.
 *   {"user","source","host":hex bytes,"port","ip":text or null,"now"} -> {"answer","reason","rule"}
 *                                                                  or {"invalid":what}
 *   {"forwards":user,"source","now"}                            -> {"rules":[id]}
 *   {"next":now}                                                -> {"next":time or null}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/crypto.h"
#include "server/policy/policy.h"

struct driver {
    struct policy *policy;
    int zone; /* minutes that local time is ahead of UTC */
};

static unsigned zoned_week_minute(int64_t t, void *ctx)
{
    const struct driver *d = ctx;

    /* 1970-01-01 was a Thursday: day 3 of a week that begins on Monday. */
    return (unsigned)((t / 60 + d->zone + 3 * 1440) % 10080);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "";
}

static void copy_text(char *dst, size_t cap, const char *src)
{
    snprintf(dst, cap, "%s", src);
}

static int read_rule(const json_t *in, struct policy_rule *r, struct fault *f)
{
    const char *from = text_of(in, "from"), *hours = text_of(in, "hours");
    const char *local = text_of(in, "local");

    r->id = json_integer_value(json_object_get(in, "id"));
    r->is_group = json_is_true(json_object_get(in, "group"));
    r->position = json_integer_value(json_object_get(in, "position"));
    r->expires = json_integer_value(json_object_get(in, "expires"));
    r->action =
        strcmp(text_of(in, "action"), "allow") == 0 ? POLICY_ACTION_ALLOW : POLICY_ACTION_DENY;
    copy_text(r->owner, sizeof(r->owner), text_of(in, "owner"));
    r->has_from = from[0] != '\0';
    if (r->has_from && addr_parse_cidr(from, strlen(from), &r->from) != 0)
        return fault_set(f, PRA_EINVAL, "from %s", from);
    if (hours[0] != '\0' && policy_parse_hours(hours, &r->hours, f) != 0)
        return PRA_EINVAL;
    if (local[0] != '\0' && policy_parse_local(local, &r->local, f) != 0)
        return PRA_EINVAL;
    return policy_parse_target(text_of(in, "target"), &r->target, f);
}

/* `changed` of policy_input: `ctx` lists [group?, owner]. */
static bool is_changed(bool is_group, const char *owner, void *ctx)
{
    json_t *one;
    size_t i;

    json_array_foreach((json_t *)ctx, i, one)
    {
        if (json_is_true(json_array_get(one, 0)) == is_group &&
            strcmp(json_string_value(json_array_get(one, 1)), owner) == 0)
            return true;
    }
    return false;
}

static void *array_for(const json_t *list, size_t size)
{
    void *p = calloc(json_array_size(list) + 1, size);

    if (p == NULL)
        abort();
    return p;
}

static int compile(struct driver *d, const json_t *in, struct fault *f)
{
    json_t *users = json_object_get(in, "users"), *members = json_object_get(in, "members");
    json_t *rules = json_object_get(in, "rules"), *own = json_object_get(in, "own"), *one;
    struct policy_user *u = array_for(users, sizeof(*u));
    struct policy_member *m = array_for(members, sizeof(*m));
    struct policy_rule *r = array_for(rules, sizeof(*r));
    struct addr_ip *ips = array_for(own, sizeof(*ips));
    json_t *changed = json_object_get(in, "changed");
    struct policy *next = NULL;
    size_t i, given = 0;
    int rc = 0;

    json_array_foreach(users, i, one)
    {
        copy_text(u[i].name, sizeof(u[i].name), json_string_value(json_array_get(one, 0)));
        u[i].enabled = json_is_true(json_array_get(one, 1));
    }
    json_array_foreach(members, i, one)
    {
        copy_text(m[i].group, sizeof(m[i].group), json_string_value(json_array_get(one, 0)));
        copy_text(m[i].user, sizeof(m[i].user), json_string_value(json_array_get(one, 1)));
    }
    json_array_foreach(rules, i, one)
    {
        r[given] = (struct policy_rule){0};
        if (rc == 0)
            rc = read_rule(one, &r[given], f);
        given += changed == NULL || is_changed(r[given].is_group, r[given].owner, changed);
    }
    json_array_foreach(own, i, one)
    {
        const char *s = json_string_value(one);

        if (addr_parse_ip(s, strlen(s), &ips[i]) != 0)
            abort();
    }
    d->zone = (int)json_integer_value(json_object_get(in, "zone"));
    struct policy_input input = {.generation = 1,
                                 .users = u,
                                 .user_count = json_array_size(users),
                                 .members = m,
                                 .member_count = json_array_size(members),
                                 .rules = r,
                                 .rule_count = given,
                                 .before = changed != NULL ? d->policy : NULL,
                                 .changed = is_changed,
                                 .changed_ctx = changed,
                                 .own = ips,
                                 .own_count = json_array_size(own),
                                 .week_minute = zoned_week_minute,
                                 .week_ctx = d};
    if (rc == 0)
        rc = policy_compile(&input, &next, f);
    if (rc == 0) {
        policy_unref(d->policy);
        d->policy = next;
    }
    free(u);
    free(m);
    free(r);
    free(ips);
    return rc;
}

static json_t *invalid(const char *what)
{
    return json_pack("{s:s}", "invalid", what);
}

/* As the gateway does with what a peer sends: bytes to a host, a 32-bit number to a port. */
static json_t *evaluate(struct driver *d, const json_t *in)
{
    json_int_t port = json_integer_value(json_object_get(in, "port"));
    const char *hex = text_of(in, "host"), *ip_text = text_of(in, "ip");
    const char *source = text_of(in, "source");
    struct policy_query q = {.user = text_of(in, "user"),
                             .now = json_integer_value(json_object_get(in, "now"))};
    struct policy_verdict v;
    struct addr_host host;
    struct addr_ip ip;
    char bytes[1024];
    size_t len;

    if (crypto_hex_decode(hex, strlen(hex), bytes, sizeof(bytes), &len) != 0)
        abort();
    if (addr_parse_host(bytes, len, &host) != 0)
        return invalid("host");
    if (port < 1 || port > 65535)
        return invalid("port");
    if (addr_parse_ip(source, strlen(source), &q.source) != 0)
        abort();
    if (ip_text[0] != '\0') {
        if (addr_parse_ip(ip_text, strlen(ip_text), &ip) != 0)
            abort();
        q.ip = &ip;
    }
    q.host = &host;
    q.port = (uint16_t)port;
    policy_evaluate(d->policy, &q, &v);
    return json_pack("{s:s, s:s, s:o}", "answer",
                     v.answer == POLICY_ALLOW  ? "allow"
                     : v.answer == POLICY_DENY ? "deny"
                                               : "needs",
                     "reason", policy_reason_word(v.reason), "rule",
                     v.rule != NULL ? json_integer(v.rule->id) : json_null());
}

static bool note_forward(const struct policy_rule *rule, void *ctx)
{
    json_array_append_new(ctx, json_integer(rule->id));
    return true;
}

static json_t *forwards(struct driver *d, const json_t *in)
{
    const char *source = text_of(in, "source");
    json_t *list = json_array();
    struct addr_ip ip;

    if (addr_parse_ip(source, strlen(source), &ip) != 0)
        abort();
    policy_each_forward(d->policy, text_of(in, "forwards"), &ip,
                        json_integer_value(json_object_get(in, "now")), note_forward, list);
    return json_pack("{s:o}", "rules", list);
}

static json_t *answer(struct driver *d, const json_t *in)
{
    const json_t *snapshot = json_object_get(in, "snapshot"), *next = json_object_get(in, "next");
    struct fault f = {0};
    int64_t when;

    if (snapshot != NULL)
        return compile(d, snapshot, &f) == 0 ? json_pack("{s:b}", "ok", 1)
                                             : json_pack("{s:s}", "error", f.text);
    if (next != NULL) {
        when = policy_next_change(d->policy, json_integer_value(next));
        return json_pack("{s:o}", "next", when == INT64_MAX ? json_null() : json_integer(when));
    }
    return json_object_get(in, "forwards") != NULL ? forwards(d, in) : evaluate(d, in);
}

int main(void)
{
    struct driver d = {0};
    char *line = NULL;
    size_t cap = 0;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    while (getline(&line, &cap, stdin) > 0) {
        json_t *in = json_loads(line, 0, NULL);
        json_t *out = in == NULL ? NULL : answer(&d, in);

        if (out == NULL)
            abort();
        json_dumpf(out, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(out);
        json_decref(in);
    }
    free(line);
    policy_unref(d.policy);
    return 0;
}
