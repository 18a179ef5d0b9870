/*
 * Codes that go by mail: to somebody who forgot his password, and to a new account. Of both only hashes are
 * kept here; the mail holds the code until it has been sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "server/admin/admin_internal.h"
#include "server/admin/mail.h"

#define TEXT_MAX 4096
#define LINK_MAX 600

/*
 * Where the page takes name and code from: behind '#', so that no server, log or other site gets to see
 * them. "" without [portal] url. A request's own idea of our name is not asked: whoever asks could send others
 * to a place of his.
 */
static void make_link(const struct admin *a, const char *page, const char *account,
                      const char *code, char out[LINK_MAX])
{
    out[0] = '\0';
    if (a->portal_url[0] != '\0')
        snprintf(out, LINK_MAX, "%s/#/%s/%s/%s", a->portal_url, page, account, code);
}

/* ---- invitations -------------------------------------------------------------------------------- */

int mail_invitation(struct call *c, const struct store_account *a, const char *code)
{
    char text[TEXT_MAX], link[LINK_MAX], until[TIMEFMT_MAX];
    struct mail_message m = {.kind = "invitation",
                             .to = a->mail,
                             .subject = "PRA: アカウントのお知らせ / your account",
                             .text = text};
    int rc;

    if (a->mail[0] == '\0')
        return fault_set(&c->f, PRA_EINVAL, "send: the account has no mail address");
    make_link(c->a, "setup", a->name, code, link);
    timefmt_rfc3339(a->setup_expires, until);
    snprintf(text, sizeof(text),
             "PRA マネージメントツールのアカウントが発行されました。\n"
             "「はじめての方」から、次のセットアップコードでパスワードを設定してください。\n\n"
             "An account of the PRA management tool was issued to you.\n"
             "Choose your password with this set-up code (\"First time here\").\n\n"
             "  ユーザ ID / user id: %s\n"
             "  セットアップコード / set-up code: %s\n"
             "%s%s%s"
             "  有効期限 / good until: %s\n\n"
             "期限が切れた場合は、管理者に再発行を依頼してください。\n"
             "If it is over, ask an administrator to issue it again.\n",
             a->name, code, link[0] != '\0' ? "  " : "", link, link[0] != '\0' ? "\n" : "", until);
    rc = mail_queue(c->a, &m, NULL, &c->f);
    crypto_wipe(text, sizeof(text));
    crypto_wipe(link, sizeof(link));
    return rc == PRA_EUNSUPPORTED ? fault_set(&c->f, PRA_EINVAL, "send: %s", c->f.text) : rc;
}

/* ---- a password that was changed ---------------------------------------------------------------- */

static int count_token(const struct store_token *t, void *ctx)
{
    int64_t *count = ctx;

    *count += t->expires > os_time_now();
    return 0;
}

/*
 * Whoever did it, the owner of the account hears of it. Passkeys stay, as the authenticator does: a code from
 * the mailbox is no second step. A program's tokens stay unless he asks: they may be what the company's
 * machines run on; but one that somebody else has made must not go unseen.
 */
static int mail_changed(struct call *c, int64_t tokens, bool ended)
{
    const struct store_account *a = &c->account;
    char text[TEXT_MAX], when[TIMEFMT_MAX];
    struct mail_message m = {.kind = "password",
                             .to = a->mail,
                             .subject = "PRA: ログイン情報の変更 / your password was changed",
                             .text = text};
    int rc;

    if (a->mail[0] == '\0')
        return 0;
    timefmt_rfc3339(os_time_now(), when);
    snprintf(
        text, sizeof(text),
        "PRA "
        "マネージメントツールのパスワードが変更されました。ほかのログインはすべて終了しました。\n"
        "Your password of the PRA management tool was changed. All other log-ins ended.\n\n"
        "  ユーザ ID / user id: %s\n"
        "  日時 / time: %s\n"
        "  接続元 / from: %s\n"
        "  API トークン / API tokens: %lld %s\n"
        "  パスキー / passkeys: %lld (有効 / still good)\n\n"
        "心当たりがない場合は、すぐに管理者へ連絡してください。API "
        "トークンとパスキーは「アカウント」で確認できます。\n"
        "If it was not you, tell an administrator at once. See API tokens and passkeys on your "
        "account's page.\n",
        a->name, when, c->source[0] != '\0' ? c->source : "-", (long long)tokens,
        ended ? "(失効しました / revoked)" : "(有効 / still good)", (long long)a->passkeys);
    rc = mail_queue(c->a, &m, NULL, &c->f);
    if (rc == PRA_EUNSUPPORTED) /* mail is not set up */
        return 0;
    if (rc == PRA_EFULL || rc == PRA_EINVAL) { /* the password is more than its mail */
        log_event(LOG_WARN, "password-change-not-mailed", "error=\"%s\"", c->f.text);
        return 0;
    }
    return rc;
}

int password_was_changed(struct call *c, int64_t *kept)
{
    struct store *s = c->a->store;
    bool ended = arg_bool(c, "end-tokens");
    int64_t tokens = 0;
    int rc = s->ops->token_each(s, c->account.id, count_token, &tokens, &c->f);

    if (rc == 0 && ended)
        rc = s->ops->token_clear(s, c->account.id, &c->f);
    if (rc == 0)
        rc = mail_changed(c, tokens, ended);
    snprintf(c->note, sizeof(c->note), "tokens=%lld %s", (long long)tokens,
             ended ? "revoked" : "kept");
    *kept = ended ? 0 : tokens;
    return rc;
}

/* ---- forgotten passwords ------------------------------------------------------------------------ */

static int mail_code(struct admin *a, const struct store_account *account, const char *code,
                     struct fault *f)
{
    char text[TEXT_MAX], link[LINK_MAX];
    struct mail_message m = {.kind = "reset",
                             .to = account->mail,
                             .subject = "PRA: パスワードの再設定 / reset your password",
                             .text = text,
                             .valid_s = RESET_VALID_S};
    int rc;

    make_link(a, "reset", account->name, code, link);
    snprintf(
        text, sizeof(text),
        "パスワードの再設定が依頼されました。30 "
        "分以内に、次のコードで新しいパスワードを設定してください。\n"
        "コードは 1 回だけ使えます。\n\n"
        "Somebody asked for a new password of your account. Choose it within 30 minutes with this "
        "code,\nwhich works once.\n\n"
        "  ユーザ ID / user id: %s\n"
        "  コード / code: %s\n"
        "%s%s%s\n"
        "心当たりがない場合は、このメールを無視してください。パスワードは変更されていません。\n"
        "If it was not you, do nothing: your password is as it was.\n",
        account->name, code, link[0] != '\0' ? "  " : "", link, link[0] != '\0' ? "\n" : "");
    rc = mail_queue(a, &m, NULL, f);
    crypto_wipe(text, sizeof(text));
    crypto_wipe(link, sizeof(link));
    return rc;
}

/* Why this request is for nobody; NULL if it is good. */
static const char *reason_against(const struct store_account *account, const char *mail,
                                  int64_t now)
{
    if (!account_live(account, now))
        return account->enabled ? "expired" : "disabled";
    if (!account->has_password)
        return "not-activated";
    return account->mail[0] == '\0'               ? "no-mail"
           : strcasecmp(account->mail, mail) != 0 ? "other-mail"
                                                  : NULL;
}

/* A new code instead of one before. A transaction is open. `*reason` is what the audit says of it. */
static int send_code(struct admin *a, const struct store_account *account, int64_t now,
                     const char **reason, struct fault *f)
{
    struct store_reset r = {.account = account->id, .since = now};
    char code[CODE_TEXT_MAX];
    int rc = a->store->ops->reset_get(a->store, account->id, &r, f);

    if (rc != 0 && rc != PRA_ENOENT)
        return rc;
    if (now - r.since >= RESET_ASKED_S || now < r.since) {
        r.since = now;
        r.asked = 0;
    }
    if (r.asked >= RESET_ASKED_MAX) {
        *reason = "too-many";
        return 0;
    }
    r.asked++;
    r.expires = now + RESET_VALID_S;
    rc = code_make(SETUP_CODE_CHARS, code, r.hash);
    if (rc == 0)
        rc = a->store->ops->reset_put(a->store, &r, f);
    if (rc == 0)
        rc = mail_code(a, account, code, f);
    crypto_wipe(code, sizeof(code));
    *reason = "mailed";
    return rc;
}

static void handle(struct admin *a, const struct forgotten *who, int64_t now)
{
    const struct store_ops *db = a->store->ops;
    struct audit_event e = {.kind = AUDIT_ACCOUNT_RESET, .time_ms = os_time_now_ms()};
    struct store_account account;
    const char *reason = "unknown";
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc != 0)
        return;
    rc = db->account_get(a->store, who->account, &account, &f);
    if (rc == 0)
        reason = reason_against(&account, who->mail, now);
    if (rc == 0 && reason == NULL)
        rc = send_code(a, &account, now, &reason, &f);
    if (rc != 0 && rc != PRA_ENOENT) { /* mail is not set up, or the queue is full */
        log_event(LOG_WARN, "reset-not-sent", "error=\"%s\"", f.text);
        reason = rc == PRA_EFULL || rc == PRA_EUNSUPPORTED ? "no-mail-queue" : "store";
        db->rollback(a->store);
        rc = db->begin(a->store, &f);
    } else {
        rc = 0;
    }
    log_escape(e.user, sizeof(e.user), who->account, strlen(who->account));
    addr_parse_ip(who->source, strlen(who->source), &e.source);
    snprintf(e.reason, sizeof(e.reason), "%s", reason);
    if (rc == 0)
        rc = db->audit_add(a->store, &e, 1, &f);
    if (rc == 0)
        rc = db->commit(a->store, &f);
    else
        db->rollback(a->store);
    if (rc != 0)
        log_event(LOG_ERROR, "reset-not-stored", "error=\"%s\"", f.text);
}

void admin_forgotten(struct admin *a, int64_t now)
{
    for (size_t i = 0; i < a->forgotten_count; i++)
        handle(a, &a->forgotten[i], now);
    a->forgotten_count = 0;
}
