/*
 * The queue of mail: what goes in, what the sender takes out, and the operations with which an
 * administrator looks at it. A mail goes from "waiting" to "sending" and back until it is "sent",
 * "failed" (the server will never take it) or "expired"; what it says is forgotten as soon as nobody
 * needs it any more, since it may hold a code.
 */
#include "server/admin/mail.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "common/utf8.h"
#include "server/admin/admin_internal.h"

#define PART_NAME_MAX 100
#define MESSAGE_ID    16 /* random bytes */

/* ---- what may be sent --------------------------------------------------------------------------- */

/*
 * Printable ASCII, one @ with something on both sides, nothing that could end a header's line, begin
 * a comment, or make two addresses of one. (Addresses in other letters need SMTPUTF8, which a mail server on
 * the way may not have.)
 */
bool mail_address_good(const char *text)
{
    const char *at = strchr(text, '@');
    size_t len = strlen(text);

    if (len == 0 || len > STORE_MAIL_MAX || text[0] == '-' || at == NULL || at == text ||
        at[1] == '\0' || strchr(at + 1, '@') != NULL || strpbrk(text, " ,;:<>()[]\\\"") != NULL)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return true;
}

/* One line that may be shown. */
static bool line_good(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len == 0 || len > max)
        return false;
    for (size_t at = 0, used; at < len; at += used) {
        uint32_t cp;

        used = utf8_decode(text + at, len - at, &cp);
        if (used == 0 || !utf8_printable(cp))
            return false;
    }
    return true;
}

static bool word_good(const char *text, const char *also)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr(also, text[i]) == NULL)
            return false;
    }
    return len > 0 && len <= PART_NAME_MAX;
}

static int check_message(const struct admin *a, const struct mail_message *m, struct fault *f)
{
    if (a->mail_from[0] == '\0')
        return fault_set(f, PRA_EUNSUPPORTED, "mail is not set up: [mail] in prad.ini");
    if (!mail_address_good(m->to))
        return fault_set(f, PRA_EINVAL, "mail: the recipient is no address");
    if (!line_good(m->subject, STORE_SUBJECT_MAX))
        return fault_set(f, PRA_EINVAL, "mail: the subject is no line of at most %d bytes",
                         STORE_SUBJECT_MAX);
    if (m->part_count > MAIL_PARTS_MAX)
        return fault_set(f, PRA_EINVAL, "mail: more than %d attachments", MAIL_PARTS_MAX);
    for (size_t i = 0; i < m->part_count; i++) {
        if (!word_good(m->parts[i].name, "._-") || !word_good(m->parts[i].type, "/.+-"))
            return fault_set(f, PRA_EINVAL, "mail: an attachment's name or type cannot be used");
    }
    return 0;
}

/* ---- into the queue ----------------------------------------------------------------------------- */

static json_t *parts_json(const struct mail_message *m)
{
    json_t *list = json_array();

    for (size_t i = 0; i < m->part_count; i++) {
        const struct mail_part *p = &m->parts[i];
        char *data = malloc(4 * ((p->len + 2) / 3) + 1);

        if (data == NULL) {
            json_decref(list);
            return NULL;
        }
        crypto_base64_encode(p->data, p->len, data);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "name", p->name, "type", p->type, "data", data));
        free(data);
    }
    return list;
}

/* What the sender gets: everything but where to send it. NULL = no memory, or not UTF-8. */
static char *content_of(const struct admin *a, const struct mail_message *m, int64_t now)
{
    uint8_t random[MESSAGE_ID];
    char id[2 * MESSAGE_ID + 1];
    json_t *content;
    char *text;

    crypto_random(random, sizeof(random));
    crypto_hex_encode(random, sizeof(random), id);
    content =
        json_pack("{s:s+, s:I, s:s, s:s, s:s, s:s, s:s?, s:o}", "id", id, strchr(a->mail_from, '@'),
                  "date", (json_int_t)now, "from", a->mail_from, "to", m->to, "subject", m->subject,
                  "text", m->text, "html", m->html, "parts", parts_json(m));
    text = content == NULL ? NULL : json_dumps(content, JSON_COMPACT);
    json_decref(content);
    return text;
}

/* Is there room? PRA_EFULL counts the mail that is not taken. */
static int make_room(struct admin *a, size_t len, int64_t now, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    struct store_mail_counts n = {0};
    int rc = db->mail_tidy(a->store, now - MAIL_KEPT_S, MAIL_KEPT_MAX, f);

    if (rc == 0)
        rc = db->mail_counts(a->store, &n, f);
    if (rc != 0 || (n.waiting < MAIL_QUEUE_MAX && n.bytes + (int64_t)len <= MAIL_BYTES_MAX))
        return rc;
    rc = db->mail_dropped(a->store, f);
    if (rc != 0)
        return rc;
    log_event(LOG_WARN, "mail-dropped", "waiting=%lld bytes=%lld", (long long)n.waiting,
              (long long)n.bytes);
    return fault_set(f, PRA_EFULL, "mail: the queue is full (%lld wait)", (long long)n.waiting);
}

int mail_queue(struct admin *a, const struct mail_message *m, int64_t *id, struct fault *f)
{
    int64_t now = os_time_now(), number = 0;
    struct store_mail row = {.state = "waiting", .due = now, .created = now};
    char *content, *sealed = NULL;
    int rc = check_message(a, m, f);

    if (rc != 0)
        return rc;
    content = content_of(a, m, now);
    if (content == NULL)
        return fault_set(f, PRA_EINVAL, "mail: no memory, or a text that is not UTF-8");
    row.good_until = now + (m->valid_s > 0 ? m->valid_s : MAIL_VALID_S);
    snprintf(row.kind, sizeof(row.kind), "%s", m->kind);
    snprintf(row.recipient, sizeof(row.recipient), "%s", m->to);
    snprintf(row.subject, sizeof(row.subject), "%s", m->subject);
    if (strlen(content) > MAIL_CONTENT_MAX)
        rc = fault_set(f, PRA_ETOOBIG, "mail: larger than %d bytes", MAIL_CONTENT_MAX);
    if (rc == 0)
        rc = mail_seal(a, m->to, content, &sealed, f);
    if (rc == 0)
        rc = make_room(a, strlen(sealed), now, f);
    if (rc == 0)
        rc = a->store->ops->mail_add(a->store, &row, sealed, &number, f);
    crypto_wipe(content, strlen(content));
    free(content);
    free(sealed);
    if (rc == 0 && id != NULL)
        *id = number;
    return rc;
}

/* ---- out of the queue --------------------------------------------------------------------------- */

int admin_set_mail(struct admin *a, const char *from, const char *portal_url)
{
    char *f = strdup(from != NULL ? from : ""), *u = strdup(portal_url != NULL ? portal_url : "");

    if (f == NULL || u == NULL) {
        free(f);
        free(u);
        return PRA_ENOMEM;
    }
    free(a->mail_from);
    free(a->portal_url);
    a->mail_from = f;
    a->portal_url = u;
    return 0;
}

/* Ends a transaction of the sender's; a failure is in the log. Returns 0, PRA_EIO. */
static int end(struct admin *a, int rc, struct fault *f)
{
    if (rc == 0)
        rc = a->store->ops->commit(a->store, f);
    else
        a->store->ops->rollback(a->store);
    if (rc == 0)
        return 0;
    log_event(LOG_ERROR, "mail-queue", "error=\"%s\"", f->text);
    return PRA_EIO;
}

int admin_mail_resume(struct admin *a)
{
    struct fault f = {0};
    int rc = a->store->ops->begin(a->store, &f);

    if (rc == 0)
        rc = a->store->ops->mail_resume(a->store, &f);
    return end(a, rc, &f);
}

/* The record of how a mail ended, and the end of what it said. */
static int finish_mail(struct admin *a, struct store_mail *m, const char *state, const char *why,
                       int64_t now, struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    bool sent = strcmp(state, "sent") == 0;
    struct audit_event e = {.kind = sent ? AUDIT_MAIL_SENT : AUDIT_MAIL_FAILED};
    int rc;

    snprintf(m->state, sizeof(m->state), "%s", state);
    m->finished = now;
    e.time_ms = os_time_now_ms();
    snprintf(e.reason, sizeof(e.reason), "%.63s", sent ? m->kind : state);
    snprintf(e.detail, sizeof(e.detail), "mail=%lld to=%.100s %.100s", (long long)m->id,
             m->recipient, sent ? "" : why);
    utf8_mend(e.detail);
    rc = db->mail_set(a->store, m, f);
    if (rc == 0 && strcmp(state, "failed") != 0) /* somebody may mend the server and try again */
        rc = db->mail_empty(a->store, m->id, f);
    if (rc == 0)
        rc = db->audit_add(a->store, &e, 1, f);
    log_event(sent ? LOG_INFO : LOG_WARN, audit_kind_word(e.kind), "mail=%lld kind=%s state=%s",
              (long long)m->id, m->kind, state);
    return rc;
}

/* In a transaction: what it says, and that it is being sent. One that cannot be read has failed. */
static int take_mail(struct admin *a, struct store_mail *m, int64_t now, char **text,
                     struct fault *f)
{
    const struct store_ops *db = a->store->ops;
    struct fault why = {0};
    int rc = db->mail_content(a->store, m->id, text, f);

    if (rc == 0)
        rc = mail_unseal(a, m->recipient, text, &why);
    if (rc == PRA_ECORRUPT) {
        free(*text);
        *text = NULL;
        snprintf(m->error, sizeof(m->error), "%.200s", why.text);
        return finish_mail(a, m, "failed", m->error, now, f);
    }
    snprintf(m->state, sizeof(m->state), "sending");
    return rc == 0 ? db->mail_set(a->store, m, f) : rc;
}

int admin_mail_next(struct admin *a, int64_t now, int64_t *id, char **content)
{
    const struct store_ops *db = a->store->ops;
    struct store_mail m = {0};
    struct fault f = {0};
    char *text = NULL;
    int rc;

    while ((rc = db->mail_next(a->store, now, &m, &f)) == 0) {
        rc = db->begin(a->store, &f);
        if (rc != 0)
            return end(a, rc, &f);
        if (now >= m.good_until)
            rc = finish_mail(a, &m, "expired", m.error, now, &f);
        else
            rc = take_mail(a, &m, now, &text, &f);
        rc = end(a, rc, &f);
        if (rc != 0 || text != NULL)
            break;
    }
    if (rc == 0) {
        *id = m.id;
        *content = text;
    } else if (text != NULL) {
        crypto_wipe(text, strlen(text));
        free(text);
    }
    return rc == 0 || rc == PRA_ENOENT ? rc : PRA_EIO;
}

/* Twice the time since it was queued, within limits: 5 s, 10 s, 20 s ... an hour. */
static int64_t next_wait(const struct store_mail *m, int64_t wait)
{
    for (int64_t i = 1; i < m->tries && wait < MAIL_WAIT_MAX_S; i++)
        wait *= 2;
    return wait > MAIL_WAIT_MAX_S ? MAIL_WAIT_MAX_S : wait;
}

/* What a mail server said, as one line. */
static void take_words(char *dst, size_t cap, const char *words)
{
    snprintf(dst, cap, "%s", words);
    utf8_mend(dst);
    for (; *dst != '\0'; dst++) {
        if ((unsigned char)*dst < ' ' || *dst == 0x7f)
            *dst = ' ';
    }
}

int admin_mail_done(struct admin *a, int64_t id, enum admin_mail_outcome outcome, const char *why,
                    int64_t now, int64_t wait)
{
    const struct store_ops *db = a->store->ops;
    char shown[2 * AUDIT_TEXT_MAX];
    struct store_mail m;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc == 0)
        rc = db->mail_get(a->store, id, &m, &f);
    if (rc == PRA_ENOENT) { /* an administrator has dropped it meanwhile */
        db->rollback(a->store);
        return 0;
    }
    if (rc != 0)
        return end(a, rc, &f);
    m.tries++;
    m.tried = now;
    take_words(m.error, sizeof(m.error), why);
    if (outcome == ADMIN_MAIL_SENT) {
        m.error[0] = '\0';
        rc = finish_mail(a, &m, "sent", "", now, &f);
    } else if (outcome == ADMIN_MAIL_NEVER) {
        rc = finish_mail(a, &m, "failed", m.error, now, &f);
    } else {
        snprintf(m.state, sizeof(m.state), "waiting");
        m.due = now + next_wait(&m, wait);
        if (m.due > m.good_until)
            m.due = m.good_until;
        rc = db->mail_set(a->store, &m, &f);
        log_event(LOG_WARN, "mail-later", "mail=%lld tries=%lld error=%s", (long long)m.id,
                  (long long)m.tries, log_escape(shown, sizeof(shown), m.error, strlen(m.error)));
    }
    return end(a, rc, &f);
}

/* ---- operations --------------------------------------------------------------------------------- */

static json_t *mail_json(const struct store_mail *m)
{
    return json_pack(
        "{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)m->id,
        "state", m->state, "kind", m->kind, "to", json_text(m->recipient), "subject",
        json_text(m->subject), "created", json_when(m->created), "next-try",
        strcmp(m->state, "waiting") == 0 ? json_when(m->due) : json_null(), "tries",
        (json_int_t)m->tries, "last-try", json_when(m->tried), "finished", json_when(m->finished),
        "valid-until", json_when(m->good_until), "error", json_text_or_null(m->error));
}

static int add_mail(const struct store_mail *m, void *ctx)
{
    return json_array_append_new(ctx, mail_json(m)) == 0 ? 0 : PRA_ENOMEM;
}

/* All counts go with the list, so that a page shows at once how the queue stands. */
int op_mail_list(struct call *c)
{
    const struct store_ops *db = c->a->store->ops;
    struct store_mail_counts n = {0};
    json_t *list = json_array();
    struct store_mail m;
    struct listing l;
    int64_t total = 1;
    int rc = list_read(c, &l);

    if (rc == 0 && arg_int(c, "id") != 0) {
        rc = db->mail_get(c->a->store, arg_int(c, "id"), &m, &c->f);
        if (rc == 0)
            rc = add_mail(&m, list);
    } else if (rc == 0) {
        rc = db->mail_each(c->a->store, l.limit, l.offset, add_mail, list, &c->f);
    }
    if (rc == 0)
        rc = db->mail_counts(c->a->store, &n, &c->f);
    if (rc == 0 && arg_int(c, "id") == 0)
        total = n.all;
    rc = list_give(c, &l, list, total, rc);
    if (rc == 0)
        json_object_set_new(c->page, "mail",
                            json_pack("{s:b, s:I, s:I, s:I}", "set-up", c->a->mail_from[0] != '\0',
                                      "waiting", (json_int_t)n.waiting, "failed",
                                      (json_int_t)n.failed, "dropped", (json_int_t)n.dropped));
    return rc;
}

/* Gives one mail as the result. */
static int give_mail(struct call *c, int64_t id)
{
    struct store_mail m;
    int rc = c->a->store->ops->mail_get(c->a->store, id, &m, &c->f);

    return rc != 0 ? rc : give(c, mail_json(&m));
}

int op_mail_test(struct call *c)
{
    struct mail_message m = {
        .kind = "test",
        .to = arg_text(c, "address"),
        .subject = "PRA: テストメール / test mail",
        .text = "このメールは、PRA のメール設定を確認するために送信されました。\n"
                "This mail was sent to see whether PRA's mail settings work.\n",
    };
    int64_t id = 0;
    int rc;

    if (!mail_address_good(m.to))
        return fault_set(&c->f, PRA_EINVAL, "address: is no address such as suzuki@example.com");
    rc = mail_queue(c->a, &m, &id, &c->f);
    if (rc == PRA_EUNSUPPORTED) /* which is the word for a prad that does not run */
        return fault_set(&c->f, PRA_EINVAL, "address: %s", c->f.text);
    return rc != 0 ? rc : give_mail(c, id);
}

/* A mail that waits, or was given up and still says something, is tried now. */
static int retry(struct call *c, struct store_mail *m, int64_t now)
{
    bool failed = strcmp(m->state, "failed") == 0;

    if (!failed && strcmp(m->state, "waiting") != 0)
        return fault_set(&c->f, PRA_EINVAL, "id: mail %lld is %s: there is nothing to try",
                         (long long)m->id, m->state);
    if (now >= m->good_until)
        return fault_set(&c->f, PRA_EINVAL, "id: the time of mail %lld is over", (long long)m->id);
    snprintf(m->state, sizeof(m->state), "waiting");
    m->due = now;
    m->finished = 0;
    return c->a->store->ops->mail_set(c->a->store, m, &c->f);
}

struct waiting {
    struct store_mail list[MAIL_QUEUE_MAX];
    size_t count;
};

static int note_waiting(const struct store_mail *m, void *ctx)
{
    struct waiting *w = ctx;

    if (strcmp(m->state, "waiting") == 0 && w->count < MAIL_QUEUE_MAX)
        w->list[w->count++] = *m;
    return 0;
}

/* One mail, or all that wait. */
int op_mail_retry(struct call *c)
{
    struct store *s = c->a->store;
    int64_t id = arg_int(c, "id"), now = os_time_now();
    struct waiting *w = calloc(1, sizeof(*w));
    struct store_mail m;
    json_t *list;
    int rc;

    if (w == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory");
    if (id != 0) {
        rc = s->ops->mail_get(s, id, &m, &c->f);
        w->list[w->count++] = m;
    } else {
        rc = s->ops->mail_each(s, 0, 0, note_waiting, w, &c->f);
    }
    list = json_array();
    for (size_t i = 0; i < w->count && rc == 0; i++) {
        rc = retry(c, &w->list[i], now);
        if (rc == 0)
            json_array_append_new(list, mail_json(&w->list[i]));
    }
    free(w);
    if (rc == 0)
        return give(c, list);
    json_decref(list);
    return rc;
}

int op_mail_drop(struct call *c)
{
    struct store *s = c->a->store;
    struct store_mail m;
    int rc = s->ops->mail_get(s, arg_int(c, "id"), &m, &c->f);

    if (rc == 0)
        rc = s->ops->mail_delete(s, m.id, &c->f);
    return rc != 0 ? rc : give(c, mail_json(&m));
}
