/* Reading and comparing rules; see plan.h. */
#include "client/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonl.h"

static bool same_local(const struct plan_local *a, const struct plan_local *b)
{
    return addr_ip_equal(&a->ip, &b->ip) && a->port == b->port;
}

/* An address to listen on. What is well formed but not for us leaves a reason in `refused`. */
static int parse_local(const char *text, struct plan_local *out, char *refused, size_t cap)
{
    struct addr_host host;
    uint16_t port;

    if (addr_parse_host_port(text, 0, &host, &port) != 0)
        return PRA_EINVAL;
    if (!host.is_ip || addr_classify(&host.ip) != ADDR_LOOPBACK) {
        (void)snprintf(refused, cap, "%.60s is not an address of this PC alone", host.name);
        return 0;
    }
    out->ip = host.ip;
    out->port = port;
    return 0;
}

static int parse_rule(const json_t *o, struct plan_rule *r, struct fault *f)
{
    const char *name, *local, *fallback = NULL, *target;
    int rc;

    if ((rc = jsonl_get_int(o, "id", 1, INT64_MAX, &r->id, f)) != 0 ||
        (rc = jsonl_get_string(o, "name", PLAN_NAME_MAX, &name, f)) != 0 ||
        (rc = jsonl_get_string(o, "local", ADDR_TEXT_MAX, &local, f)) != 0 ||
        (rc = jsonl_opt_string(o, "fallback", ADDR_TEXT_MAX, &fallback, f)) != 0 ||
        (rc = jsonl_get_string(o, "target", ADDR_TEXT_MAX, &target, f)) != 0)
        return rc;

    (void)snprintf(r->name, sizeof(r->name), "%s", name);
    if (parse_local(local, &r->local, r->refused, sizeof(r->refused)) != 0)
        return fault_set(f, PRA_EINVAL, "member 'local' is not an address with a port");
    if (fallback != NULL &&
        parse_local(fallback, &r->fallback, r->refused, sizeof(r->refused)) != 0)
        return fault_set(f, PRA_EINVAL, "member 'fallback' is not an address with a port");
    if (addr_parse_host_port(target, 0, &r->target, &r->target_port) != 0)
        return fault_set(f, PRA_EINVAL, "member 'target' is not a host with a port");
    return 0;
}

static bool id_taken(const struct plan_rule *rules, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].id == id)
            return true;
    return false;
}

int plan_parse(const json_t *message, struct plan *out, struct fault *f)
{
    const json_t *list = json_object_get(message, "rules");
    size_t count = json_array_size(list);
    struct plan p = {0};
    int rc;

    if ((rc = jsonl_get_int(message, "version", 0, INT64_MAX, &p.version, f)) != 0)
        return rc;
    if (!json_is_array(list))
        return fault_set(f, PRA_EINVAL, "member 'rules' is missing or not an array");
    if (count > PLAN_RULES_MAX)
        return fault_set(f, PRA_ETOOBIG, "more than %d rules", PLAN_RULES_MAX);

    p.rules = calloc(count > 0 ? count : 1, sizeof(*p.rules));
    if (p.rules == NULL)
        return PRA_ENOMEM;
    for (; p.count < count; p.count++) {
        rc = parse_rule(json_array_get(list, p.count), &p.rules[p.count], f);
        if (rc == 0 && id_taken(p.rules, p.count, p.rules[p.count].id))
            rc = fault_set(f, PRA_EINVAL, "its id is that of an earlier rule");
        if (rc != 0) {
            fault_wrap(f, rc, "rule %zu of the list", p.count + 1);
            free(p.rules);
            return rc;
        }
    }
    *out = p;
    return 0;
}

void plan_free(struct plan *p)
{
    free(p->rules);
    *p = (struct plan){0};
}

const char *plan_format_local(const struct plan_local *l, char *dst)
{
    char ip[46];

    (void)snprintf(dst, ADDR_TEXT_MAX, l->ip.family == 6 ? "[%s]:%u" : "%s:%u",
                   addr_format_ip(&l->ip, ip), l->port);
    return dst;
}

const char *plan_format_target(const struct plan_rule *r, char *dst)
{
    bool v6 = r->target.is_ip && r->target.ip.family == 6;

    (void)snprintf(dst, ADDR_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", r->target.name, r->target_port);
    return dst;
}

/* Do both rules ask for the same listener? */
static bool same_listener(const struct plan_rule *a, const struct plan_rule *b)
{
    return a->id == b->id && same_local(&a->local, &b->local) &&
           same_local(&a->fallback, &b->fallback) && strcmp(a->refused, b->refused) == 0;
}

static bool same_target(const struct plan_rule *a, const struct plan_rule *b)
{
    return a->target_port == b->target_port && strcmp(a->target.name, b->target.name) == 0;
}

static size_t find_listener(const struct plan_rule *r, const struct plan_rule *in, size_t count)
{
    size_t i = 0;

    while (i < count && !same_listener(r, &in[i]))
        i++;
    return i;
}

size_t plan_diff(const struct plan_rule *have, size_t have_count, const struct plan_rule *want,
                 size_t want_count, struct plan_step *steps)
{
    size_t n = 0;

    for (size_t h = 0; h < have_count; h++)
        if (find_listener(&have[h], want, want_count) == want_count)
            steps[n++] = (struct plan_step){.op = PLAN_REMOVE, .have = h};
    for (size_t w = 0; w < want_count; w++) {
        size_t h = find_listener(&want[w], have, have_count);
        enum plan_op op = PLAN_ADD;

        if (h < have_count)
            op = same_target(&have[h], &want[w]) ? PLAN_KEEP : PLAN_RETARGET;
        steps[n++] = (struct plan_step){.op = op, .have = h, .want = w};
    }
    return n;
}
