/*
 * Reading the audit records: as a list for people, newest first; as a whole for an export, oldest
 * first; and the exact counts beside them. Each answer looks at a bounded number of records, so that
 * no question about a million of them holds up prad. Old records are deleted here as well.
 */
#include "server/admin/admin_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "server/audit/export.h"

#define LIST_DEFAULT 50
#define PLACE_MAX    48 /* "1764400000000.123456" */

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

    return json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "id",
        (json_int_t)r->id, "time", timefmt_rfc3339_ms(e->time_ms, when), "kind", json_text(r->kind),
        "user", json_text_or_null(e->user), "session", json_text_or_null(e->session), "device",
        json_text_or_null(e->device), "source", ip_json(&e->source), "source_port",
        number_or_null(e->source_port), "target", json_text_or_null(e->target), "target_ip",
        ip_json(&e->target_ip), "rule", number_or_null(e->rule), "reason",
        json_text_or_null(e->reason), "detail", json_text_or_null(e->detail), "bytes_in",
        (json_int_t)e->bytes_in, "bytes_out", (json_int_t)e->bytes_out, "times",
        (json_int_t)e->times);
}

static int add_event(const struct store_audit *r, void *ctx)
{
    return json_array_append_new(ctx, event_json(r)) == 0 ? 0 : PRA_ENOMEM;
}

/* ---- what is asked for --------------------------------------------------------------------------- */

static int read_times(struct call *c, int64_t *since, int64_t *until)
{
    if (arg_text(c, "since") != NULL && parse_when(c, "since", since) != 0)
        return PRA_EINVAL;
    if (arg_text(c, "until") != NULL && parse_when(c, "until", until) != 0)
        return PRA_EINVAL;
    if (*until != 0 && *until <= *since)
        return fault_set(&c->f, PRA_EINVAL, "until: lies before since");
    return 0;
}

/* A form that somebody left empty asks for nothing. */
static const char *asked(const struct call *c, const char *name)
{
    const char *text = arg_text(c, name);

    return text == NULL || text[0] == '\0' ? NULL : text;
}

/* What could not stand in a record is a mistake, and is said. */
static int check_filter(struct call *c)
{
    static const char *const names[] = {"user", "device", "target", "session", "search"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (asked(c, names[i]) != NULL && check_label(c, names[i], asked(c, names[i])) != 0)
            return PRA_EINVAL;
    }
    return 0;
}

/* The texts are borrowed from the arguments; an address is written as it is in records. */
static int read_filter(struct call *c, struct store_audit_filter *filter, char source[46])
{
    const char *from = asked(c, "source");
    int64_t since = 0, until = 0;
    struct addr_ip ip;

    if (read_times(c, &since, &until) != 0 || check_filter(c) != 0)
        return PRA_EINVAL;
    *filter = (struct store_audit_filter){.since_ms = since * 1000,
                                          .until_ms = until * 1000,
                                          .user = asked(c, "user"),
                                          .kind = asked(c, "kind"),
                                          .device = asked(c, "device"),
                                          .target = asked(c, "target"),
                                          .session = asked(c, "session"),
                                          .search = asked(c, "search")};
    if (from != NULL && addr_parse_ip(from, strlen(from), &ip) != 0)
        return fault_set(&c->f, PRA_EINVAL, "source: '%.60s' is no IP address", from);
    if (from != NULL)
        filter->source = addr_format_ip(&ip, source);
    if (filter->kind == NULL)
        return 0;
    for (unsigned k = 0; k < AUDIT_KIND_COUNT; k++) {
        if (strcmp(filter->kind, audit_kind_word((enum audit_kind)k)) == 0)
            return 0;
    }
    return fault_set(&c->f, PRA_EINVAL, "kind: '%.40s' is no kind of event", filter->kind);
}

/* ---- the list ------------------------------------------------------------------------------------ */

static int read_place(struct call *c, struct store_audit_place *place)
{
    const char *text = asked(c, "before");
    char *end = NULL;

    *place = (struct store_audit_place){0};
    if (text == NULL)
        return 0;
    place->time_ms = strtoll(text, &end, 10);
    if (end != text && *end == '.')
        place->id = strtoll(end + 1, &end, 10);
    if (*end != '\0' || place->id <= 0)
        return fault_set(&c->f, PRA_EINVAL, "before: '%.40s' is not from an answer", text);
    return 0;
}

static json_t *place_json(const struct store_audit_place *place)
{
    char text[PLACE_MAX];

    if (place->id == 0)
        return json_null();
    snprintf(text, sizeof(text), "%" PRId64 ".%" PRId64, place->time_ms, place->id);
    return json_string(text);
}

/* How far back was looked. */
static json_t *until_json(const struct store_audit_found *found)
{
    char when[TIMEFMT_MAX];

    return found->complete ? json_null()
                           : json_string(timefmt_rfc3339_ms(found->next.time_ms, when));
}

struct list_part {
    json_t *list;
    struct store_audit_place last; /* of its records */
};

static int add_to_part(const struct store_audit *r, void *ctx)
{
    struct list_part *p = ctx;

    p->last = (struct store_audit_place){.time_ms = r->event.time_ms, .id = r->id};
    return add_event(r, p->list);
}

int op_audit_list(struct call *c)
{
    const struct store_ops *db = c->a->store->ops;
    int64_t limit = arg_int(c, "limit"), offset = arg_int(c, "offset");
    struct store_audit_filter filter;
    struct store_audit_found found;
    struct store_audit_place from;
    struct list_part part = {.last = {0}};
    char source[46];
    int rc = read_filter(c, &filter, source);

    if (rc == 0)
        rc = read_place(c, &from);
    if (rc != 0)
        return rc;
    if (limit == 0)
        limit = LIST_DEFAULT;
    part.list = json_array();
    rc = db->audit_find(c->a->store, &filter, &from, (size_t)offset, (size_t)limit, add_to_part,
                        &part, &found, &c->f);
    if (rc != 0) {
        json_decref(part.list);
        return rc == PRA_ENOMEM ? fault_set(&c->f, rc, "no memory for the list") : rc;
    }
    json_decref(c->page);
    c->page = json_pack("{s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "total", (json_int_t)found.total,
                        "offset", (json_int_t)offset, "limit", (json_int_t)limit, "complete",
                        (int)found.complete, "before", place_json(&found.next), "until",
                        until_json(&found), "last", place_json(&part.last));
    return give(c, part.list);
}

/* ---- the export ---------------------------------------------------------------------------------- */

/* That somebody takes the records away is itself recorded, once, when he begins. */
static int record_export(struct call *c)
{
    struct audit_event e;

    audit_of(c, 0, &e);
    return admin_store_audit(c->a, &e, 1) == 0
               ? 0
               : fault_set(&c->f, PRA_EIO, "the export could not be recorded, so there is none");
}

void admin_set_enterprise(struct admin *a, const char *enterprise)
{
    snprintf(a->enterprise, sizeof(a->enterprise), "%s", enterprise != NULL ? enterprise : "");
}

struct exporting {
    enum export_format format;
    struct export_names names;
    struct buf out;
};

static int export_event(const struct store_audit *r, void *ctx)
{
    struct exporting *e = ctx;
    json_t *event = event_json(r);
    int rc = event == NULL ? PRA_ENOMEM : export_record(e->format, event, &e->names, &e->out);

    json_decref(event);
    return rc;
}

/* A part of the file, as text: who asks only writes it down. */
static int give_part(struct call *c, const struct exporting *e, int64_t next, int64_t upto)
{
    const char *text = e->out.len == 0 ? "" : (const char *)buf_head(&e->out);

    return give(c, json_pack("{s:o, s:o, s:I, s:s, s:s}", "text", json_stringn(text, e->out.len),
                             "next", number_or_null(next), "upto", (json_int_t)upto, "type",
                             export_type(e->format), "ending", export_ending(e->format)));
}

int op_audit_export(struct call *c)
{
    const struct store_ops *db = c->a->store->ops;
    int64_t after = arg_int(c, "after"), upto = arg_int(c, "upto"), next = 0;
    const char *word = asked(c, "format") != NULL ? asked(c, "format") : "csv";
    int format = export_format_of(word);
    struct store_audit_filter filter;
    struct exporting e;
    char source[46];
    int rc = read_filter(c, &filter, source);

    if (rc == 0 && format < 0)
        rc = fault_set(&c->f, PRA_EINVAL, "format: '%.16s' is none of csv, jsonl, syslog", word);
    if (rc == 0 && (after == 0 || upto == 0))
        rc = record_export(c);
    if (rc == 0 && upto == 0)
        rc = db->audit_last(c->a->store, &upto, &c->f);
    if (rc != 0)
        return rc;
    e.format = (enum export_format)format;
    export_host(e.names.host);
    memcpy(e.names.enterprise, c->a->enterprise, sizeof(e.names.enterprise));
    buf_init(&e.out, EXPORT_PART_MAX);
    if (after == 0)
        rc = export_begin(e.format, &e.out);
    if (rc == 0)
        rc = db->audit_each(c->a->store, &filter, after, upto, ADMIN_PAGE_MAX, export_event, &e,
                            &next, &c->f);
    if (rc == 0)
        rc = give_part(c, &e, next, upto);
    else if (rc == PRA_ENOMEM || rc == PRA_EFULL)
        rc = fault_set(&c->f, PRA_ENOMEM, "no memory for the records");
    buf_free(&e.out);
    return rc;
}

/* ---- counts -------------------------------------------------------------------------------------- */

static int add_count(const struct store_audit_count *n, void *ctx)
{
    json_t *one =
        json_pack("{s:s, s:s, s:I}", "day", n->day, "kind", n->kind, "count", (json_int_t)n->count);

    return json_array_append_new(ctx, one) == 0 ? 0 : PRA_ENOMEM;
}

/* "2026-11-29": counts are by the gateway's days, not by moments. */
static int read_day(struct call *c, const char *name, const char *otherwise, const char **out)
{
    const char *text = asked(c, name);
    int64_t t;

    *out = text == NULL ? otherwise : text;
    if (text != NULL && (strlen(text) != 10 || timefmt_parse(text, &t) != 0))
        return fault_set(&c->f, PRA_EINVAL, "%s: '%.40s' is no date such as 2026-11-22", name,
                         text);
    return 0;
}

int give_counts(struct call *c, store_count_each_fn each)
{
    const char *since, *until;
    json_t *list;
    int rc = read_day(c, "since", "", &since);

    if (rc == 0)
        rc = read_day(c, "until", "9999-12-31", &until);
    if (rc != 0)
        return rc;
    list = json_array();
    rc = each(c->a->store, since, until, add_count, list, &c->f);
    if (rc != 0) {
        json_decref(list);
        return rc == PRA_ENOMEM ? fault_set(&c->f, rc, "no memory for the counts") : rc;
    }
    return give(c, list);
}

int op_audit_counts(struct call *c)
{
    return give_counts(c, c->a->store->ops->count_each);
}

/* ---- growing old --------------------------------------------------------------------------------- */

#define EXPIRE_BATCH 500
/* Records that were deleted and are not in the audit yet; kept in the store, so that a prad that
   ends halfway says it later. */
#define EXPIRED "audit-expired"

/* One batch, in one transaction with its number. */
static int expire_batch(struct admin *a, int64_t before_ms, size_t *deleted, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    int64_t number = 0;
    int rc = db->begin(a->store, f);

    if (rc != 0)
        return rc;
    rc = db->audit_expire(a->store, before_ms, EXPIRE_BATCH, deleted, f);
    if (rc == 0)
        rc = db->number_get(a->store, EXPIRED, &number, f);
    if (rc == 0 && *deleted > 0)
        rc = db->number_set(a->store, EXPIRED, number + (int64_t)*deleted, f);
    if (rc == 0)
        return db->commit(a->store, f);
    db->rollback(a->store);
    return rc;
}

/* The end of a run: what it deleted becomes a record, and the number starts again. */
static int expire_record(struct admin *a, int64_t before_ms, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    struct audit_event e = {.kind = AUDIT_EXPIRED, .time_ms = os_time_now_ms()};
    char when[TIMEFMT_MAX];
    int64_t number = 0;
    int rc = db->begin(a->store, f);

    if (rc != 0)
        return rc;
    rc = db->number_get(a->store, EXPIRED, &number, f);
    if (rc == 0 && number > 0) {
        snprintf(e.reason, sizeof(e.reason), "keep-days");
        snprintf(e.detail, sizeof(e.detail), "records=%" PRId64 " before=%s", number,
                 timefmt_rfc3339(before_ms / 1000, when));
        rc = db->audit_add(a->store, &e, 1, f);
        if (rc == 0)
            rc = db->number_set(a->store, EXPIRED, 0, f);
    }
    if (rc == 0)
        return db->commit(a->store, f);
    db->rollback(a->store);
    return rc;
}

bool admin_expire_audit(struct admin *a, long keep_days)
{
    int64_t before_ms = os_time_now_ms() - (int64_t)keep_days * 86400 * 1000;
    struct fault f = {0};
    size_t deleted = 0;
    int rc = expire_batch(a, before_ms, &deleted, &f);

    if (rc == 0 && deleted < EXPIRE_BATCH)
        rc = expire_record(a, before_ms, &f);
    if (rc != 0)
        log_event(LOG_ERROR, "audit-not-expired", "error=\"%s\"", f.text);
    return rc == 0 && deleted == EXPIRE_BATCH;
}
