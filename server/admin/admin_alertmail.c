/*
 * Mail about alerts, in Japanese and English: to each account that wants it from this severity on
 * and may look at alerts, and, about a device that has an alert address of its own, there (C2). One
 * that nobody has judged is told to all of them, as ※調査中※, and told once more when it is judged.
 */
#include "server/admin/alerts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/log.h"
#include "common/os.h"
#include "common/utf8.h"
#include "server/admin/mail.h"

#define SUBJECT_MAX 160 /* bytes of what an alert is about, in the subject of a mail */
#define TEXT_MAX    4096

static const struct {
    const char *ja, *en;
} titles[ALERT_KIND_COUNT] = {
#define X(id, word, severity, ja, en) [id] = {ja, en},
    ALERT_MAP(X)
#undef X
};

static const struct {
    const char *word, *ja;
} severities[] = {{"notice", "お知らせ"}, {"warning", "警告"}, {"critical", "重大"}};
#define SEVERITIES (sizeof(severities) / sizeof(severities[0]))

/* Its place in the table; -1 = not judged. */
static int rank_of(const char *severity)
{
    for (size_t i = 0; i < SEVERITIES; i++) {
        if (strcmp(severities[i].word, severity) == 0)
            return (int)i;
    }
    return -1;
}

static enum alert_kind kind_of(const char *word)
{
    for (int k = 0; k < ALERT_KIND_COUNT; k++) {
        if (strcmp(alert_word((enum alert_kind)k), word) == 0)
            return (enum alert_kind)k;
    }
    return ALERT_THINNED;
}

/* ---- words --------------------------------------------------------------------------------------- */

struct text {
    char s[TEXT_MAX];
    size_t len;
};

FORMAT_PRINTF(2, 3) static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->s + t->len, sizeof(t->s) - t->len, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < sizeof(t->s) - t->len)
        t->len += (size_t)n;
    else
        t->s[t->len] = '\0'; /* whole lines only */
}

static void add_if(struct text *t, const char *label, const char *value)
{
    if (value[0] != '\0')
        add(t, "%s: %s\n", label, value);
}

static void local_time(int64_t at, char dst[40])
{
    time_t t = (time_t)at;
    struct tm tm = {0};

    if (localtime_r(&t, &tm) == NULL || strftime(dst, 40, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
        dst[0] = '\0';
}

static void make_subject(const struct store_alert *a, bool judged, struct text *t)
{
    char about[SUBJECT_MAX + 1];
    size_t len = strlen(a->subject);
    int rank = rank_of(a->severity);

    len = utf8_trim(a->subject, len < SUBJECT_MAX ? len : SUBJECT_MAX);
    memcpy(about, a->subject, len);
    about[len] = '\0';
    if (rank < 0)
        add(t, "[PRA] ※調査中※ ");
    else
        add(t, "[PRA] %s【%s】", judged ? "判定 " : "", severities[rank].ja);
    add(t, "%s: %s", titles[kind_of(a->kind)].ja, about);
}

static void add_facts(const struct admin *a, const struct store_alert *s,
                      const struct store_key *device, bool ja, struct text *t)
{
    int rank = rank_of(s->severity);
    char when[40];

    local_time(s->last, when);
    add(t, "%s\n\n", ja ? titles[kind_of(s->kind)].ja : titles[kind_of(s->kind)].en);
    add_if(t, ja ? "対象" : "About", s->subject);
    if (rank < 0)
        add(t, ja ? "重要度: ※調査中※ 判定されしだい、あらためてお知らせします。\n"
                  : "Severity: not judged yet; you are told when it is.\n");
    else
        add(t, "%s: %s\n", ja ? "重要度" : "Severity",
            ja ? severities[rank].ja : severities[rank].word);
    add_if(t, ja ? "日時" : "Time", when);
    add_if(t, ja ? "ユーザ" : "User", s->user);
    add_if(t, ja ? "端末" : "Device", s->device);
    add_if(t, ja ? "端末名" : "Its name", device->name);
    add_if(t, ja ? "設置場所" : "Its place", device->place);
    add_if(t, ja ? "接続元" : "From", s->source);
    add_if(t, ja ? "詳細" : "Detail", s->detail);
    add_if(t, ja ? "判定者" : "Judged by", s->judged_by);
    add_if(t, ja ? "メモ" : "Note", s->note);
    add(t, "%s: %" PRId64 "\n", ja ? "アラート番号" : "Alert", s->id);
    if (a->portal_url[0] != '\0')
        add(t, "%s/#/alerts\n", a->portal_url);
}

/* ---- to whom ------------------------------------------------------------------------------------- */

struct mailing {
    struct admin *a;
    const struct store_alert *alert;
    struct store_key
        device;       /* that it is about; empty if none, or if it is not registered (any more) */
    bool device_told; /* its address is that of an account that was told */
    struct mail_message message;
    struct fault *f;
};

static int take_device(const struct store_key *k, void *ctx)
{
    struct mailing *m = ctx;

    m->device = *k;
    return 0;
}

static int find_device(struct mailing *m)
{
    const struct store_alert *s = m->alert;

    if (s->device[0] == '\0' || s->user[0] == '\0')
        return 0;
    return m->a->store->ops->key_each(m->a->store, s->user, s->device, take_device, m, m->f);
}

static bool may_look(const struct store_account *account)
{
    const struct operation *op = admin_operation("alert.list");
    int role = role_of(account->role);

    return op != NULL && role >= 0 && (op->who & 1u << role) != 0 &&
           account_live(account, os_time_now());
}

static int mail_to(struct mailing *m, const char *address)
{
    int rc;

    m->message.to = address;
    rc = mail_queue(m->a, &m->message, NULL, m->f);
    if (rc == PRA_EUNSUPPORTED)
        return 0;
    if (rc == PRA_EFULL || rc == PRA_EINVAL ||
        rc == PRA_ETOOBIG) { /* the alert is more than its mail */
        log_event(LOG_WARN, "alert-not-mailed", "alert=%" PRId64 " error=\"%s\"", m->alert->id,
                  m->f->text);
        return 0;
    }
    return rc;
}

static int mail_one(int64_t id, const char *minimum, void *ctx)
{
    struct mailing *m = ctx;
    struct store_account account;
    int rank = rank_of(m->alert->severity), rc;

    if (rank >= 0 && rank < rank_of(minimum) && m->alert->judged == 0)
        return 0;
    rc = m->a->store->ops->account_by_id(m->a->store, id, &account, m->f);
    if (rc != 0)
        return rc;
    if (account.mail[0] == '\0' || !may_look(&account))
        return 0;
    if (strcasecmp(account.mail, m->device.mail) == 0)
        m->device_told = true;
    return mail_to(m, account.mail);
}

int alert_mail(struct admin *a, const struct store_alert *alert, bool judged, struct fault *f)
{
    struct text subject = {.len = 0}, text = {.len = 0};
    struct mailing m = {.a = a, .alert = alert, .f = f};
    int rc;

    if (!judged && !watcher_may_mail(a->watcher, alert->last))
        return 0;
    rc = find_device(&m);
    if (rc != 0)
        return rc;
    make_subject(alert, judged, &subject);
    add_facts(a, alert, &m.device, true, &text);
    add(&text, "\n----\n\n");
    add_facts(a, alert, &m.device, false, &text);
    m.message = (struct mail_message){
        .kind = "alert", .subject = subject.s, .text = text.s, .valid_s = 86400};
    rc = a->store->ops->alert_mail_each(a->store, 0, mail_one, &m, f);
    if (rc == 0 && m.device.mail[0] != '\0' && !m.device_told)
        rc = mail_to(&m, m.device.mail);
    return rc;
}
