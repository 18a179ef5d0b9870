/*
 * Alerts (alerts.h): raising them, and the operations on them.
 */
#include "server/admin/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "common/utf8.h"

static const struct {
    const char *word, *severity;
} kinds[ALERT_KIND_COUNT] = {
#define X(id, word, severity, ja, en) [id] = {word, severity},
    ALERT_MAP(X)
#undef X
};

const char *alert_word(enum alert_kind k)
{
    return kinds[k].word;
}

/* Cut where it does not fit, at a whole character. */
static void copy(char *dst, size_t cap, const char *src)
{
    size_t len = src == NULL ? 0 : strlen(src);

    if (len >= cap)
        len = utf8_trim(src, cap - 1);
    if (len > 0)
        memcpy(dst, src, len);
    dst[len] = '\0';
}

/* ---- raising ------------------------------------------------------------------------------------- */

/* Beside the alert, so that the audit tells the whole story. */
static int record_raised(struct admin *a, const struct store_alert *s, struct fault *f)
{
    struct audit_event e = {.kind = AUDIT_ALERT, .time_ms = s->last * 1000};

    copy(e.reason, sizeof(e.reason), s->kind);
    copy(e.user, sizeof(e.user), s->user);
    copy(e.device, sizeof(e.device), s->device);
    addr_parse_ip(s->source, strlen(s->source), &e.source);
    snprintf(e.detail, sizeof(e.detail), "alert=%" PRId64 " severity=%s", s->id,
             s->severity[0] == '\0' ? "unjudged" : s->severity);
    return a->store->ops->audit_add(a->store, &e, 1, f);
}

/* A new record, unless there are too many of its kind: then that there was one more. */
static int add_record(struct admin *a, struct store_alert *s, bool thin, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    int64_t recent = 0;
    int rc = db->alert_recent(a->store, s->kind, s->first - ALERT_JOIN_S, &recent, f);

    if (rc == 0 && thin && recent >= ALERT_RECORDS_MAX) {
        struct store_alert more = {.first = s->first, .last = s->last, .times = s->times};

        copy(more.kind, sizeof(more.kind), kinds[ALERT_THINNED].word);
        copy(more.severity, sizeof(more.severity), kinds[ALERT_THINNED].severity);
        copy(more.subject, sizeof(more.subject), s->kind);
        rc = db->alert_open(a->store, more.kind, more.subject, s->first - ALERT_JOIN_S, s, f);
        if (rc == 0) {
            s->times++;
            s->last = more.last;
            return db->alert_set(a->store, s, f);
        }
        if (rc != PRA_ENOENT)
            return rc;
        *s = more;
        rc = 0;
    }
    if (rc == 0)
        rc = db->alert_add(a->store, s, &s->id, f);
    if (rc == 0)
        rc = record_raised(a, s, f);
    return rc == 0 ? alert_mail(a, s, false, f) : rc;
}

int alert_raise_inside(struct admin *a, const struct alert *what, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    struct store_alert s = {.first = os_time_now(), .times = 1}, open;
    const char *severity = what->severity != NULL ? what->severity : kinds[what->kind].severity;
    int rc;

    s.last = s.first;
    copy(s.kind, sizeof(s.kind), kinds[what->kind].word);
    copy(s.severity, sizeof(s.severity), severity);
    copy(s.subject, sizeof(s.subject), what->subject);
    copy(s.user, sizeof(s.user), what->user);
    copy(s.device, sizeof(s.device), what->device);
    copy(s.source, sizeof(s.source), what->source);
    copy(s.detail, sizeof(s.detail), what->detail);
    rc = db->alert_count_add(a->store, s.last * 1000, s.kind, f);
    if (rc == 0)
        rc = db->alert_open(a->store, s.kind, s.subject, s.first - ALERT_JOIN_S, &open, f);
    if (rc == PRA_ENOENT)
        return add_record(a, &s, true, f);
    if (rc != 0)
        return rc;
    /* The same again: one record, and no further mail. Worse than it was is news. */
    if (strcmp(open.severity, s.severity) != 0 && strcmp(s.severity, "critical") == 0)
        return add_record(a, &s, false, f);
    open.last = s.last;
    open.times++;
    memcpy(open.detail, s.detail, sizeof(open.detail));
    return db->alert_set(a->store, &open, f);
}

/* Ends the transaction in which alerts were raised. */
static int end_raising(struct admin *a, int rc, struct fault *f)
{
    if (rc == 0)
        rc = a->store->ops->commit(a->store, f);
    else
        a->store->ops->rollback(a->store);
    if (rc != 0)
        log_event(LOG_ERROR, "alert-not-stored", "error=\"%s\"", f->text);
    return rc;
}

int alert_raise(struct admin *a, const struct alert *what)
{
    char subject[2 * STORE_ABOUT_MAX];
    struct fault f = {0};
    int rc = a->store->ops->begin(a->store, &f);

    log_event(LOG_WARN, "alert", "kind=%s about=%s", kinds[what->kind].word,
              log_escape(subject, sizeof(subject), what->subject, strlen(what->subject)));
    if (rc == 0)
        rc = alert_raise_inside(a, what, &f);
    return end_raising(a, rc, &f);
}

/* ---- from the audit -------------------------------------------------------------------------------- */

/* The alerts that a batch of events gives: at most so many, in one transaction. */
struct raising {
    struct admin *a;
    bool open;
    int rc;
    struct fault f;
};

static void raise_one(struct raising *r, const struct alert *what)
{
    if (!r->open)
        r->rc = r->a->store->ops->begin(r->a->store, &r->f);
    r->open = true;
    if (r->rc == 0)
        r->rc = alert_raise_inside(r->a, what, &r->f);
}

static void look_at_failure(struct raising *r, const struct audit_event *e)
{
    int64_t now = e->time_ms / 1000;
    uint64_t times = e->times > 0 ? e->times : 1;
    char source[46] = "", detail[AUDIT_TEXT_MAX];
    struct alert what = {.user = e->user, .source = source, .detail = detail};

    if (e->source.family != 0)
        addr_format_ip(&e->source, source);
    snprintf(detail, sizeof(detail), "reason=%s", e->reason);
    if (e->user[0] != '\0' && watcher_failed(r->a->watcher, 'u', e->user, times, now)) {
        what.kind = ALERT_FAILURES_USER;
        what.subject = e->user;
        raise_one(r, &what);
    }
    if (source[0] != '\0' && watcher_failed(r->a->watcher, 's', source, times, now)) {
        what.kind = ALERT_FAILURES_SOURCE;
        what.subject = source;
        raise_one(r, &what);
    }
}

void alerts_look(struct admin *a, const struct audit_event *events, size_t count)
{
    struct raising r = {.a = a};

    for (size_t i = 0; i < count; i++) {
        const struct audit_event *e = &events[i];
        char source[46] = "";

        if (e->kind == AUDIT_LOGIN_REFUSED || e->kind == AUDIT_ACCOUNT_REFUSED)
            look_at_failure(&r, e);
        if (e->kind == AUDIT_VIOLATION)
            raise_one(&r, &(struct alert){.kind = ALERT_VIOLATION, .subject = e->reason});
        if (e->kind != AUDIT_CLONE)
            continue;
        if (e->source.family != 0)
            addr_format_ip(&e->source, source);
        raise_one(&r, &(struct alert){.kind = ALERT_CLONE,
                                      .subject = e->device,
                                      .user = e->user,
                                      .device = e->device,
                                      .source = source,
                                      .detail = e->detail});
    }
    if (r.open)
        end_raising(a, r.rc, &r.f);
}

/* ---- operations -------------------------------------------------------------------------------------- */

static json_t *alert_json(const struct store_alert *a)
{
    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o}",
                     "id", (json_int_t)a->id, "kind", a->kind, "severity",
                     json_text_or_null(a->severity), "subject", json_text(a->subject), "first",
                     json_when(a->first), "last", json_when(a->last), "times", (json_int_t)a->times,
                     "user", json_text_or_null(a->user), "device", json_text_or_null(a->device),
                     "source", json_text_or_null(a->source), "detail", json_text_or_null(a->detail),
                     "judged", json_when(a->judged), "judged-by", json_text_or_null(a->judged_by),
                     "note", json_text_or_null(a->note), "acked", json_when(a->acked), "acked-by",
                     json_text_or_null(a->acked_by));
}

static int add_alert(const struct store_alert *a, void *ctx)
{
    return json_array_append_new(ctx, alert_json(a)) == 0 ? 0 : PRA_ENOMEM;
}

static bool is_severity(const char *word)
{
    return strcmp(word, "critical") == 0 || strcmp(word, "warning") == 0 ||
           strcmp(word, "notice") == 0;
}

int op_alert_list(struct call *c)
{
    const char *kind = arg_text(c, "kind"), *severity = arg_text(c, "severity");
    bool known = kind == NULL || kind[0] == '\0';
    struct listing l;
    int64_t total = 0;
    json_t *list;
    int rc = list_read(c, &l);

    for (int k = 0; k < ALERT_KIND_COUNT; k++)
        known = known || strcmp(kind, kinds[k].word) == 0;
    if (!known)
        return fault_set(&c->f, PRA_EINVAL, "kind: '%.40s' is no kind of alert", kind);
    if (severity != NULL && severity[0] != '\0' && strcmp(severity, "unjudged") != 0 &&
        !is_severity(severity))
        return fault_set(&c->f, PRA_EINVAL,
                         "severity: '%.16s' is none of critical, warning, notice, unjudged",
                         severity);
    if (rc != 0)
        return rc;
    l.name = kind != NULL && kind[0] != '\0' ? kind : NULL;
    l.group = severity == NULL || severity[0] == '\0' ? NULL
              : strcmp(severity, "unjudged") == 0     ? ""
                                                      : severity;
    l.state = l.state != NULL && l.state[0] != '\0' ? l.state : NULL;
    list = json_array();
    rc = c->a->store->ops->alert_list(c->a->store, &l, add_alert, list, &total, &c->f);
    return list_give(c, &l, list, total, rc);
}

json_t *alert_sums_json(struct admin *a)
{
    struct store_alert_sums n;
    struct fault f = {0};

    if (a->store->ops->alert_sums(a->store, &n, &f) != 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "open", (json_int_t)n.open, "critical",
                     (json_int_t)n.critical, "warning", (json_int_t)n.warning, "notice",
                     (json_int_t)n.notice, "unjudged", (json_int_t)n.unjudged);
}

int op_alert_sums(struct call *c)
{
    return give(c, alert_sums_json(c->a));
}

int op_alert_counts(struct call *c)
{
    return give_counts(c, c->a->store->ops->alert_count_each);
}

static int find_alert(struct call *c, struct store_alert *a)
{
    const char *note = arg_text(c, "note");
    int rc = c->a->store->ops->alert_get(c->a->store, arg_int(c, "id"), a, &c->f);

    if (rc == PRA_ENOENT)
        return fault_set(&c->f, rc, "id: there is no alert %lld", (long long)arg_int(c, "id"));
    if (rc == 0 && note != NULL && note[0] != '\0') {
        rc = check_label(c, "note", note);
        copy(a->note, sizeof(a->note), note);
    }
    return rc;
}

static const char *who(const struct call *c)
{
    return c->account.id != 0 ? c->account.name : c->peer->name;
}

int op_alert_judge(struct call *c)
{
    const char *severity = arg_text(c, "severity");
    struct store_alert a;
    int rc = find_alert(c, &a);

    if (rc == 0 && !is_severity(severity))
        rc = fault_set(&c->f, PRA_EINVAL, "severity: '%.16s' is none of critical, warning, notice",
                       severity);
    if (rc != 0)
        return rc;
    copy(a.severity, sizeof(a.severity), severity);
    a.judged = os_time_now();
    copy(a.judged_by, sizeof(a.judged_by), who(c));
    rc = c->a->store->ops->alert_set(c->a->store, &a, &c->f);
    if (rc == 0)
        rc = alert_mail(c->a, &a, true, &c->f);
    return rc != 0 ? rc : give(c, alert_json(&a));
}

int op_alert_ack(struct call *c)
{
    struct store_alert a;
    int rc = find_alert(c, &a);

    if (rc == 0 && a.acked != 0)
        rc = fault_set(&c->f, PRA_EEXIST, "id: alert %lld was acknowledged already",
                       (long long)a.id);
    if (rc == 0 && a.severity[0] == '\0')
        rc = fault_set(&c->f, PRA_EINVAL, "id: alert %lld has to be judged first", (long long)a.id);
    if (rc != 0)
        return rc;
    a.acked = os_time_now();
    copy(a.acked_by, sizeof(a.acked_by), who(c));
    rc = c->a->store->ops->alert_set(c->a->store, &a, &c->f);
    return rc != 0 ? rc : give(c, alert_json(&a));
}

/* ---- from which severity on an account gets mail ------------------------------------------------------ */

static int take_minimum(int64_t account, const char *minimum, void *ctx)
{
    (void)account;
    copy(ctx, STORE_WORD_MAX, minimum);
    return 0;
}

static int give_minimum(struct call *c, const struct store_account *a)
{
    char minimum[STORE_WORD_MAX] = "";
    int rc = c->a->store->ops->alert_mail_each(c->a->store, a->id, take_minimum, minimum, &c->f);

    return rc != 0 ? rc
                   : give(c, json_pack("{s:o, s:s, s:o}", "account", json_text(a->name), "minimum",
                                       minimum[0] != '\0' ? minimum : "none", "mail",
                                       json_text_or_null(a->mail)));
}

int op_alert_mail(struct call *c)
{
    struct store_account a;
    int rc = account_meant(c, &a);

    return rc != 0 ? rc : give_minimum(c, &a);
}

int op_alert_mail_set(struct call *c)
{
    const char *minimum = arg_text(c, "minimum");
    bool none = strcmp(minimum, "none") == 0;
    struct store_account a;
    int rc;

    if (!none && !is_severity(minimum))
        return fault_set(&c->f, PRA_EINVAL,
                         "minimum: '%.16s' is none of critical, warning, notice, none", minimum);
    rc = account_meant(c, &a);
    if (rc == 0 && !none && role_of(a.role) == ROLE_ENGINEER)
        rc = fault_set(&c->f, PRA_EINVAL, "account: an engineer does not see alerts");
    if (rc == 0 && !none && a.mail[0] == '\0' && a.id == c->account.id)
        warn(c, "your account has no mail address yet: enter one in your profile");
    else if (rc == 0 && !none && a.mail[0] == '\0')
        warn(c, "account '%s' has no mail address yet", a.name);
    if (rc == 0)
        rc = c->a->store->ops->alert_mail_set(c->a->store, a.id, none ? "" : minimum, &c->f);
    return rc != 0 ? rc : give_minimum(c, &a);
}
