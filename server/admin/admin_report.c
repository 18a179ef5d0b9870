/*
 * Monthly reports: gathering the numbers, the operations, and mail on the first of the month. Months are
 * those of the gateway's time zone.
 */
#include "server/admin/report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "server/admin/admin_internal.h"
#include "server/admin/mail.h"

#define USAGE_KEPT_MONTHS 25 /* this year's and last year's month can be compared */

/* ---- months ------------------------------------------------------------------------------------- */

struct month {
    char text[STORE_DAY_MAX];                                            /* "2026-10" */
    char first[STORE_DAY_MAX], last[STORE_DAY_MAX], next[STORE_DAY_MAX]; /* days */
    int64_t from, to;                                                    /* seconds: [from, to) */
};

/* Month `mon` (0 = January, any number: it runs over into other years) of a year. */
static void month_of(int year, int mon, struct month *m)
{
    struct tm from = {.tm_year = year - 1900, .tm_mon = mon, .tm_mday = 1, .tm_isdst = -1};
    struct tm to = {.tm_year = year - 1900, .tm_mon = mon + 1, .tm_mday = 1, .tm_isdst = -1};

    m->from = (int64_t)mktime(&from);
    m->to = (int64_t)mktime(&to);
    strftime(m->text, sizeof(m->text), "%Y-%m", &from);
    strftime(m->first, sizeof(m->first), "%Y-%m-%d", &from);
    strftime(m->next, sizeof(m->next), "%Y-%m-%d", &to);
    to.tm_mday = 0; /* the day before */
    to.tm_isdst = -1;
    (void)mktime(&to);
    strftime(m->last, sizeof(m->last), "%Y-%m-%d", &to);
}

/* The month so many before the one of `now`. */
static void month_before(int64_t now, int before, struct month *m)
{
    time_t t = (time_t)now;
    struct tm tm = {0};

    localtime_r(&t, &tm);
    month_of(tm.tm_year + 1900, tm.tm_mon - before, m);
}

static bool month_parse(const char *text, struct month *m)
{
    int year, mon;

    if (text == NULL || strlen(text) != REPORT_MONTH_LEN || text[4] != '-')
        return false;
    for (int i = 0; i < REPORT_MONTH_LEN; i++) {
        if (i != 4 && !isdigit((unsigned char)text[i]))
            return false;
    }
    year = (int)strtol(text, NULL, 10);
    mon = (int)strtol(text + 5, NULL, 10);
    if (year < 1970 || mon < 1 || mon > 12)
        return false;
    month_of(year, mon - 1, m);
    return true;
}

/* ---- the numbers -------------------------------------------------------------------------------- */

struct gathered {
    const struct month *m;
    const char *user; /* NULL = the organisation */
    int64_t now;
    json_t *days, *users, *rules, *counts, *alerts;
    struct store_usage total;
    int64_t open, open_seconds;
};

static json_t *usage_json(const char *name_is, const struct store_usage *u)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I}", name_is, json_text(u->name),
                     strcmp(name_is, "day") == 0 ? "users" : "days", (json_int_t)u->users,
                     "sessions", (json_int_t)u->sessions, "seconds", (json_int_t)u->seconds,
                     "bytes_in", (json_int_t)u->bytes_in, "bytes_out", (json_int_t)u->bytes_out,
                     "refused", (json_int_t)u->refused);
}

static int add_day(const struct store_usage *u, void *ctx)
{
    struct gathered *g = ctx;

    g->total.sessions += u->sessions;
    g->total.seconds += u->seconds;
    g->total.bytes_in += u->bytes_in;
    g->total.bytes_out += u->bytes_out;
    g->total.refused += u->refused;
    g->total.thinned += u->thinned;
    return json_array_append_new(g->days, usage_json("day", u)) == 0 ? 0 : PRA_ENOMEM;
}

/* Refusals of names that are nobody's have no user; they are in the sums. */
static int add_user(const struct store_usage *u, void *ctx)
{
    struct gathered *g = ctx;

    g->total.users += u->users > 0;
    if (u->name[0] == '\0')
        return 0;
    return json_array_append_new(g->users, usage_json("user", u)) == 0 ? 0 : PRA_ENOMEM;
}

static int add_rule(const struct store_usage_rule *r, void *ctx)
{
    struct gathered *g = ctx;
    json_t *one =
        json_pack("{s:I, s:o, s:I, s:I, s:I}", "rule", (json_int_t)r->rule, "name",
                  json_text_or_null(r->name), "channels", (json_int_t)r->channels, "bytes_in",
                  (json_int_t)r->bytes_in, "bytes_out", (json_int_t)r->bytes_out);

    return json_array_append_new(g->rules, one) == 0 ? 0 : PRA_ENOMEM;
}

/* What a session that has not ended has of the month so far; its bytes come when it ends. */
static int add_open(const char *user, int64_t since, void *ctx)
{
    struct gathered *g = ctx;
    int64_t from = since > g->m->from ? since : g->m->from;
    int64_t to = g->now < g->m->to ? g->now : g->m->to;

    if (since >= g->m->to || g->now < g->m->from || (g->user != NULL && strcmp(g->user, user) != 0))
        return 0;
    g->open++;
    g->open_seconds += to > from ? to - from : 0;
    return 0;
}

/* The days' counts of a kind become the month's. */
static int add_count(const struct store_audit_count *n, void *ctx)
{
    struct gathered *g = ctx;
    json_t *row;
    size_t i;

    json_array_foreach(g->counts, i, row)
    {
        json_t *count = json_object_get(row, "count");

        if (strcmp(json_string_value(json_object_get(row, "kind")), n->kind) == 0)
            return json_integer_set(count, json_integer_value(count) + n->count);
    }
    return json_array_append_new(g->counts, json_pack("{s:s, s:I}", "kind", n->kind, "count",
                                                      (json_int_t)n->count)) == 0
               ? 0
               : PRA_ENOMEM;
}

static int add_severity(const char *severity, int64_t count, void *ctx)
{
    struct gathered *g = ctx;

    return json_array_append_new(g->alerts, json_pack("{s:s, s:I}", "severity", severity, "count",
                                                      (json_int_t)count)) == 0
               ? 0
               : PRA_ENOMEM;
}

/* What is not anybody's: only in the organisation's report. */
static int gather_counts(struct store *s, struct gathered *g, struct fault *f)
{
    int rc = s->ops->count_each(s, g->m->first, g->m->last, add_count, g, f);

    return rc == 0 ? s->ops->report_alerts(s, g->m->from, g->m->to, add_severity, g, f) : rc;
}

static int gather(struct store *s, struct gathered *g, struct fault *f)
{
    const struct store_ops *db = s->ops;
    int rc = db->usage_days(s, g->m->first, g->m->next, g->user, add_day, g, f);

    if (rc == 0)
        rc = db->usage_users(s, g->m->first, g->m->next, g->user, add_user, g, f);
    if (rc == 0)
        rc = db->usage_rules(s, g->m->text, g->user, add_rule, g, f);
    if (rc == 0 && g->user == NULL)
        rc = gather_counts(s, g, f);
    return rc == 0 ? db->usage_open(s, add_open, g, f) : rc;
}

static json_t *totals_json(const struct gathered *g)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "users", (json_int_t)g->total.users,
                     "sessions", (json_int_t)g->total.sessions, "seconds",
                     (json_int_t)g->total.seconds + (json_int_t)g->open_seconds, "bytes_in",
                     (json_int_t)g->total.bytes_in, "bytes_out", (json_int_t)g->total.bytes_out,
                     "refused", (json_int_t)g->total.refused, "open", (json_int_t)g->open);
}

/* The whole report as JSON, a new reference in *out. */
static int make_report(struct admin *a, const struct month *m, const char *user, int64_t now,
                       json_t **out, struct fault *f)
{
    struct gathered g = {.m = m,
                         .user = user,
                         .now = now,
                         .days = json_array(),
                         .users = json_array(),
                         .rules = json_array(),
                         .counts = json_array(),
                         .alerts = json_array()};
    char zone[16] = "", from[TIMEFMT_MAX], to[TIMEFMT_MAX], made[TIMEFMT_MAX];
    time_t start = (time_t)m->from;
    struct tm tm;
    int rc = gather(a->store, &g, f);

    if (localtime_r(&start, &tm) != NULL)
        strftime(zone, sizeof(zone), "%z", &tm);
    *out =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "month",
                  m->text, "from", timefmt_rfc3339(m->from, from), "to", timefmt_rfc3339(m->to, to),
                  "zone", zone, "made", timefmt_rfc3339(now, made), "complete", now >= m->to,
                  "user", user != NULL ? json_text(user) : json_null(), "totals", totals_json(&g),
                  "days", g.days, "users", g.users, "rules", g.rules, "counts", g.counts, "alerts",
                  g.alerts, "thinned", (json_int_t)g.total.thinned);
    if (rc == 0 && *out == NULL)
        rc = fault_set(f, PRA_ENOMEM, "no memory for the report");
    if (rc != 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

/* ---- operations --------------------------------------------------------------------------------- */

static int read_arguments(struct call *c, struct month *m, const char **user)
{
    const char *month = arg_text(c, "month"), *format = arg_text(c, "format");
    struct store_user u;

    if (month == NULL)
        month_before(os_time_now(), 1, m);
    else if (!month_parse(month, m))
        return fault_set(&c->f, PRA_EINVAL, "month: must be a month such as 2026-10");
    if (format != NULL && strcmp(format, "json") != 0 && strcmp(format, "html") != 0 &&
        strcmp(format, "csv") != 0)
        return fault_set(&c->f, PRA_EINVAL, "format: must be html, csv or json");
    *user = arg_text(c, "user");
    return *user != NULL ? c->a->store->ops->user_get(c->a->store, *user, &u, &c->f) : 0;
}

static int check_lang(struct call *c)
{
    const char *lang = arg_text(c, "lang");

    return lang == NULL || strcmp(lang, "ja") == 0 || strcmp(lang, "en") == 0
               ? 0
               : fault_set(&c->f, PRA_EINVAL, "lang: must be ja or en");
}

static bool is_japanese(const char *lang)
{
    return lang == NULL || strcmp(lang, "ja") == 0;
}

/* The report as JSON, or as {"text"} in another format. */
int op_report(struct call *c)
{
    const char *user = NULL, *format = arg_text(c, "format");
    json_t *report = NULL, *result;
    struct month m = {0};
    char *text;
    int rc = read_arguments(c, &m, &user);

    if (rc == 0)
        rc = check_lang(c);
    if (rc == 0)
        rc = make_report(c->a, &m, user, os_time_now(), &report, &c->f);
    if (rc != 0)
        return rc;
    if (format == NULL || strcmp(format, "json") == 0)
        return give(c, report);
    text = strcmp(format, "csv") == 0 ? report_csv(report)
                                      : report_html(report, is_japanese(arg_text(c, "lang")));
    result = text == NULL ? NULL : json_pack("{s:s, s:s}", "month", m.text, "text", text);
    free(text);
    json_decref(report);
    return give(c, result);
}

static int add_reader(int64_t account, const char *lang, void *ctx)
{
    struct call *c = ctx;
    struct store_account a;
    int rc = c->a->store->ops->account_by_id(c->a->store, account, &a, &c->f);

    if (rc != 0)
        return rc;
    return json_array_append_new(c->result,
                                 json_pack("{s:o, s:o, s:s}", "account", json_text(a.name), "mail",
                                           json_text_or_null(a.mail), "lang", lang)) == 0
               ? 0
               : PRA_ENOMEM;
}

int op_report_readers(struct call *c)
{
    c->result = json_array();
    return c->a->store->ops->reader_each(c->a->store, add_reader, c, &c->f);
}

/* One's own account, or for an owner any that may see reports. */
int op_report_subscribe(struct call *c)
{
    struct store *s = c->a->store;
    const char *lang = arg_text(c, "lang");
    bool off = arg_bool(c, "off");
    struct store_account a;
    int rc = check_lang(c);

    if (rc == 0)
        rc = account_meant(c, &a);
    if (rc == 0 && !off && role_of(a.role) == ROLE_ENGINEER)
        rc = fault_set(&c->f, PRA_EINVAL, "account: an engineer does not see reports");
    if (rc == 0 && !off && a.mail[0] == '\0')
        rc = fault_set(&c->f, PRA_EINVAL, "account: '%s' has no mail address", a.name);
    if (rc == 0)
        rc = s->ops->reader_set(s, a.id, off ? NULL : lang != NULL ? lang : "ja", &c->f);
    return rc != 0 ? rc
                   : give(c, json_pack("{s:o, s:b}", "account", json_text(a.name), "on", !off));
}

/* ---- on the first of the month ------------------------------------------------------------------ */

struct mailing {
    struct admin *a;
    const struct month *m;
    const json_t *report;
    char *csv;
    struct fault f;
};

static int mail_reader(int64_t account, const char *lang, void *ctx)
{
    struct mailing *g = ctx;
    bool ja = is_japanese(lang);
    char subject[STORE_SUBJECT_MAX], text[600], name[64];
    struct store_account a;
    struct mail_part part = {name, "text/csv", g->csv, strlen(g->csv)};
    struct mail_message m = {.kind = "report", .subject = subject, .text = text, .parts = &part};
    char *html;
    int rc = g->a->store->ops->account_by_id(g->a->store, account, &a, &g->f);

    if (rc != 0 || !account_live(&a, os_time_now()) || a.mail[0] == '\0')
        return rc == PRA_ENOENT ? 0 : rc;
    html = report_html(g->report, ja);
    if (html == NULL)
        return PRA_ENOMEM;
    m.to = a.mail;
    m.html = html;
    m.part_count = 1;
    snprintf(name, sizeof(name), "pra-report-%s.csv", g->m->text);
    snprintf(subject, sizeof(subject), ja ? "PRA 月次レポート %s" : "PRA monthly report %s",
             g->m->text);
    snprintf(text, sizeof(text),
             ja ? "%s の PRA 月次レポートです。表は添付の CSV にもあります。\n%s%s\n"
                : "This is PRA's report of %s. Its tables are attached as CSV, too.\n%s%s\n",
             g->m->text, g->a->portal_url, g->a->portal_url[0] != '\0' ? "/#/reports" : "");
    rc = mail_queue(g->a, &m, NULL, &g->f);
    free(html);
    if (rc != 0) { /* one that cannot be queued is no reason for the others to wait */
        log_event(LOG_WARN, "report-not-mailed", "account=%s error=\"%s\"", a.name, g->f.text);
        return rc == PRA_EINVAL || rc == PRA_EFULL || rc == PRA_ETOOBIG ? 0 : rc;
    }
    return 0;
}

/* A report and the note that it was made, in one transaction: no reader gets it twice, or not at all. */
static int mail_month(struct admin *a, const struct month *m, bool first, int64_t now)
{
    const struct store_ops *db = a->store->ops;
    struct mailing g = {.a = a, .m = m};
    struct month oldest;
    json_t *report = NULL;
    int rc = make_report(a, m, NULL, now, &report, &g.f);

    g.report = report;
    g.csv = rc == 0 ? report_csv(report) : NULL;
    if (rc == 0 && g.csv == NULL)
        rc = PRA_ENOMEM;
    month_before(now, USAGE_KEPT_MONTHS, &oldest);
    if (rc == 0)
        rc = db->begin(a->store, &g.f);
    if (rc == 0) {
        /* Of the month before a gateway was there nothing is to be said. */
        if (!first || json_array_size(json_object_get(report, "days")) > 0)
            rc = db->reader_each(a->store, mail_reader, &g, &g.f);
        if (rc == 0)
            rc = db->report_made(a->store, m->text, now, &g.f);
        if (rc == 0)
            rc = db->usage_tidy(a->store, oldest.first, &g.f);
        rc = rc == 0 ? db->commit(a->store, &g.f) : (db->rollback(a->store), rc);
    }
    log_event(rc == 0 ? LOG_INFO : LOG_ERROR, rc == 0 ? "report-made" : "report-failed",
              "month=%s error=\"%s\"", m->text, rc == 0 ? "" : g.f.text);
    json_decref(report);
    free(g.csv);
    return rc;
}

void admin_report_look(struct admin *a, int64_t now)
{
    char last[STORE_DAY_MAX];
    struct fault f = {0};
    struct month m;

    month_before(now, 1, &m);
    if (a->mail_from[0] == '\0' || strcmp(a->report_month, m.text) == 0)
        return;
    if (a->store->ops->report_last(a->store, last, &f) != 0)
        return;
    /* The gateway was away over more than one first of a month: the last three are caught up with. */
    for (int before = 3; before >= 1; before--) {
        month_before(now, before, &m);
        if (strcmp(last, m.text) < 0 && (last[0] != '\0' || before == 1) &&
            mail_month(a, &m, last[0] == '\0', now) != 0)
            return;
    }
    snprintf(a->report_month, sizeof(a->report_month), "%s", m.text);
}
