/*
 * Reading the audit records: filtered, a page at a time so that no answer grows without limit.
 */
#include "server/admin/admin_internal.h"

#include <string.h>

#include "common/timefmt.h"

static json_t *ip_json(const struct addr_ip *ip)
{
    char text[46];

    return ip->family == 0 ? json_null() : json_string(addr_format_ip(ip, text));
}

static json_t *number_or_null(int64_t n)
{
    return n == 0 ? json_null() : json_integer(n);
}

static json_t *event_json(const struct store_audit *r)
{
    const struct audit_event *e = &r->event;
    char when[TIMEFMT_MAX];

    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}",
                     "id", (json_int_t)r->id, "time", timefmt_rfc3339_ms(e->time_ms, when), "kind",
                     json_text(r->kind), "user", json_text_or_null(e->user), "session",
                     json_text_or_null(e->session), "device", json_text_or_null(e->device),
                     "source", ip_json(&e->source), "source_port", number_or_null(e->source_port),
                     "target", json_text_or_null(e->target), "target_ip", ip_json(&e->target_ip),
                     "rule", number_or_null(e->rule), "reason", json_text_or_null(e->reason),
                     "detail", json_text_or_null(e->detail), "bytes_in", (json_int_t)e->bytes_in,
                     "bytes_out", (json_int_t)e->bytes_out);
}

struct page {
    json_t *events;
    int64_t last;
};

static int add_event(const struct store_audit *r, void *ctx)
{
    struct page *p = ctx;

    p->last = r->id;
    return json_array_append_new(p->events, event_json(r)) == 0 ? 0 : PRA_ENOMEM;
}

static int read_filter(struct call *c, struct store_audit_filter *filter)
{
    int64_t since = 0, until = 0;

    if (arg_text(c, "since") != NULL && parse_when(c, "since", &since) != 0)
        return PRA_EINVAL;
    if (arg_text(c, "until") != NULL && parse_when(c, "until", &until) != 0)
        return PRA_EINVAL;
    if (until != 0 && until <= since)
        return fault_set(&c->f, PRA_EINVAL, "until: lies before since");
    filter->since_ms = since * 1000;
    filter->until_ms = until * 1000;
    filter->user = arg_text(c, "user");
    filter->kind = arg_text(c, "kind");
    filter->after = arg_int(c, "after");
    if (filter->kind == NULL)
        return 0;
    for (unsigned k = 0; k < AUDIT_KIND_COUNT; k++) {
        if (strcmp(filter->kind, audit_kind_word((enum audit_kind)k)) == 0)
            return 0;
    }
    return fault_set(&c->f, PRA_EINVAL, "kind: '%.40s' is no kind of event", filter->kind);
}

/*
 * `limit` asks for the newest that many (without `after`); the answer holds a page of them,
 * oldest first, and `next`, which is `after` for the next page or null.
 */
int op_audit_list(struct call *c)
{
    struct store *s = c->a->store;
    struct store_audit_filter filter = {0};
    int64_t limit = arg_int(c, "limit");
    struct page page = {.events = json_array()};
    int rc = read_filter(c, &filter);

    if (rc == 0 && limit > 0 && filter.after == 0)
        rc = s->ops->audit_tail(s, &filter, (size_t)limit, &filter.after, &c->f);
    if (rc == 0)
        rc = s->ops->audit_each(s, &filter, ADMIN_PAGE_MAX, add_event, &page, &c->f);
    if (rc != 0) {
        json_decref(page.events);
        return rc;
    }
    return give(c,
                json_pack("{s:o, s:o}", "events", page.events, "next",
                          json_array_size(page.events) == ADMIN_PAGE_MAX ? json_integer(page.last)
                                                                         : json_null()));
}
