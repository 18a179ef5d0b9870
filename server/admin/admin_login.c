/*
 * Logging in: password, second step, log-out. These operations keep what a failed attempt left
 * behind (counts, audit), so they open their transactions themselves. Whoever fails is told the
 * same whether account, password or state was wrong; the audit says which.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "common/utf8.h"
#include "server/admin/password.h"

/* ---- what is written down ----------------------------------------------------------------------- */

static void event_of(const struct call *c, const char *account, enum audit_kind kind,
                     const char *reason, struct audit_event *e)
{
    audit_of(c, 0, e);
    e->kind = kind;
    log_escape(e->user, sizeof(e->user), account, strlen(account));
    snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

/* Refused: counted, written down, and told in the same words whatever the reason. */
static int refuse(struct call *c, const struct throttle_who *who, const char *reason)
{
    struct audit_event e;

    throttle_note(c->a->throttle, who, os_time_now());
    event_of(c, who->account, AUDIT_ACCOUNT_REFUSED, reason, &e);
    admin_store_audit(c->a, &e, 1);
    return fault_set(&c->f, PRA_EPASSPHRASE,
                     strncmp(reason, "code", 4) == 0 ? "code: is wrong or was used before"
                     : strncmp(reason, "passkey", 7) == 0
                         ? "passkey: is not accepted"
                         : "the user id, the password or the code is wrong");
}

static int check_throttle(struct call *c, const struct throttle_who *who)
{
    struct audit_event e;
    bool first;
    int64_t wait = throttle_wait(c->a->throttle, who, os_time_now(), &first);

    if (wait == 0)
        return 0;
    if (first) {
        event_of(c, who->account, AUDIT_ACCOUNT_REFUSED, "too-many", &e);
        admin_store_audit(c->a, &e, 1);
    }
    return fault_set(&c->f, PRA_EAGAIN, "too many wrong attempts: try again in %lld s",
                     (long long)wait);
}

/* Ends a transaction of this file's: with the record of what was done in it. */
static int commit(struct call *c, int rc, enum audit_kind kind, const char *reason)
{
    const struct store_ops *db = c->a->store->ops;
    struct audit_event e;

    if (rc == 0) {
        event_of(c, c->account.name, kind, reason, &e);
        snprintf(e.session, sizeof(e.session), "%s", c->login.public_id);
        rc = db->audit_add(c->a->store, &e, 1, &c->f);
    }
    if (rc == 0)
        return db->commit(c->a->store, &c->f);
    db->rollback(c->a->store);
    return rc;
}

/* ---- log-ins ------------------------------------------------------------------------------------ */

/* Draws a token for c->login; `text` is what the browser gets. */
static int new_token(struct call *c, char text[2 * TOKEN_LEN + 1])
{
    uint8_t token[TOKEN_LEN];
    int rc;

    crypto_random(token, sizeof(token));
    rc = crypto_sha256(token, sizeof(token), c->login.token);
    crypto_hex_encode(token, sizeof(token), text);
    crypto_wipe(token, sizeof(token));
    return rc;
}

struct oldest {
    int64_t id;
    unsigned count;
};

static int note_oldest(const struct store_login *l, void *ctx)
{
    struct oldest *o = ctx;

    if (o->count++ == 0)
        o->id = l->id;
    return 0;
}

/* Log-ins that are over go, and the oldest one of an account that has many. */
static int tidy(struct call *c, int64_t now)
{
    struct store *s = c->a->store;
    struct oldest o = {0};
    int rc = s->ops->login_expire(s, false, now - LOGIN_PENDING_S, now - LOGIN_PENDING_S, &c->f);

    if (rc == 0)
        rc = s->ops->login_expire(s, true, now - LOGIN_IDLE_S, now - LOGIN_LONGEST_S, &c->f);
    if (rc == 0)
        rc = s->ops->login_each(s, c->account.id, note_oldest, &o, &c->f);
    if (rc == 0 && o.count >= LOGINS_MAX)
        rc = s->ops->login_delete(s, o.id, &c->f);
    return rc;
}

static void take_agent(struct call *c)
{
    const char *agent = arg_text(c, "agent");

    if (agent == NULL)
        return;
    log_escape(c->login.agent, sizeof(c->login.agent), agent, strlen(agent));
}

/* What somebody gets who is logged in: the token, and what makes his browser known from now on. */
static int give_open(struct call *c, const char *token)
{
    json_t *browsers = browser_remember(c);

    if (browsers == NULL)
        return fault_set(&c->f, PRA_ECRYPTO, "%s", err_text(PRA_ECRYPTO));
    return give(c, json_pack("{s:s, s:s, s:i, s:o}", "token", token, "step", "done", "seconds",
                             LOGIN_LONGEST_S, "browsers", browsers));
}

/* The account in c->account has shown its password: a log-in of its own, open or waiting. */
static int begin_login(struct call *c, int64_t now)
{
    struct store *s = c->a->store;
    char token[2 * TOKEN_LEN + 1];
    uint8_t id[16];
    int rc = tidy(c, now);

    if (rc != 0)
        return rc;
    crypto_random(id, sizeof(id));
    c->login = (struct store_login){.account = c->account.id, .created = now, .seen = now};
    c->login.open = !account_two_step(&c->account);
    crypto_hex_encode(id, sizeof(id), c->login.public_id);
    memcpy(c->login.source, c->source, sizeof(c->login.source));
    take_agent(c);
    rc = new_token(c, token);
    if (rc == 0)
        rc = s->ops->login_add(s, &c->login, &c->login.id, &c->f);
    if (rc == 0 && c->login.open) {
        c->account.last_login = now;
        rc = s->ops->account_set(s, &c->account, &c->f);
    }
    if (rc == 0 && c->login.open)
        rc = give_open(c, token);
    else if (rc == 0)
        rc = give(c, json_pack("{s:s, s:s, s:i, s:b, s:b}", "token", token, "step", "code",
                               "seconds", LOGIN_PENDING_S, "totp", c->account.totp_on, "passkey",
                               c->account.passkeys > 0));
    crypto_wipe(token, sizeof(token));
    return rc;
}

/* ---- operations --------------------------------------------------------------------------------- */

/*
 * The salt of an account, by default of the one that is logged in; for one that is not there always
 * the same one, so that nobody learns.
 */
int op_login_begin(struct call *c)
{
    const char *name = c->account.id != 0 ? c->account.name : arg_text(c, "account");
    uint8_t secret[STORE_HASH_LEN], salt[CRYPTO_SHA256_LEN];
    char text[2 * STORE_SALT_LEN + 1];
    struct store *s = c->a->store;
    struct throttle_who who;
    struct store_account a;
    bool there;
    int rc;

    if (name == NULL)
        return fault_set(&c->f, PRA_ECLOSED, "account: is missing, and nobody is logged in");
    rc = s->ops->account_get(s, name, &a, &c->f);
    if (rc != 0 && rc != PRA_ENOENT)
        return rc;
    there = rc == 0;
    who = access_who(c, name, there ? &a : NULL);
    rc = check_throttle(c, &who);
    if (rc == 0)
        rc = s->ops->secret(s, secret, &c->f);
    if (rc == 0)
        rc = crypto_hmac(secret, sizeof(secret), name, strlen(name), salt);
    crypto_wipe(secret, sizeof(secret));
    if (rc != 0)
        return rc;
    if (there && a.has_password)
        memcpy(salt, a.salt, sizeof(a.salt));
    crypto_hex_encode(salt, STORE_SALT_LEN, text);
    return give(c, json_pack("{s:s, s:o}", "salt", text, "account", json_text(name)));
}

/* Why a password opens nothing, for the audit; NULL: it does. */
static const char *reason_of(const struct store_account *a, const uint8_t *proof, int64_t now)
{
    if (a->id == 0)
        return "unknown";
    if (account_verify(a, proof) != 0)
        return a->has_password ? "password" : "not-activated";
    if (!account_live(a, now))
        return a->enabled ? "expired" : "disabled";
    return NULL;
}

int op_login_password(struct call *c)
{
    const char *name = arg_text(c, "account"), *reason;
    struct store *s = c->a->store;
    struct store_account a = {0};
    int64_t now = os_time_now();
    uint8_t proof[STORE_HASH_LEN];
    struct throttle_who who;
    int rc = s->ops->account_get(s, name, &a, &c->f);

    if (rc != 0 && rc != PRA_ENOENT)
        return rc;
    who = access_who(c, name, rc == 0 ? &a : NULL);
    rc = check_throttle(c, &who);
    if (rc == 0)
        rc = arg_bytes(c, "proof", proof, sizeof(proof));
    if (rc != 0)
        return rc;
    reason = reason_of(&a, proof, now);
    crypto_wipe(proof, sizeof(proof));
    if (reason != NULL)
        return refuse(c, &who, reason);
    throttle_forgive(c->a->throttle, &who);
    c->account = a;
    rc = s->ops->begin(s, &c->f);
    if (rc != 0)
        return rc;
    rc = begin_login(c, now);
    return commit(c, rc, AUDIT_ACCOUNT_LOGIN, c->login.open ? "done" : "password");
}

/*
 * A wrong second step: counted with the log-in, which ends after a few, and of a stranger with the
 * account. A known browser's are counted by the throttle alone: whoever has the password, but not
 * this browser, must not close the second step for the owner.
 */
static int wrong_second_step(struct call *c, struct store_account *kept,
                             const struct throttle_who *who, const char *why)
{
    struct store *s = c->a->store;
    int64_t now = os_time_now();
    int rc = s->ops->begin(s, &c->f);

    if (rc != 0)
        return rc;
    if (now - kept->failed_at >= CODE_FAILURES_S || now < kept->failed_at) {
        kept->failures = 0;
        kept->failed_at = now;
    }
    kept->failures += who->browser == NULL;
    c->login.tries++;
    rc = s->ops->account_set(s, kept, &c->f);
    if (rc == 0)
        rc = c->login.tries >= CODE_TRIES_MAX ? s->ops->login_delete(s, c->login.id, &c->f)
                                              : s->ops->login_set(s, &c->login, &c->f);
    rc = rc == 0 ? s->ops->commit(s, &c->f) : (s->ops->rollback(s), rc);
    return rc != 0 ? rc : refuse(c, who, why);
}

/* May the second step be tried now? */
static int check_second_step(struct call *c, const struct throttle_who *who)
{
    const struct store_account *a = &c->account;
    int64_t now = os_time_now();

    if (who->browser != NULL)
        return check_throttle(c, who);
    if (a->failures >= CODE_FAILURES_MAX && now - a->failed_at < CODE_FAILURES_S &&
        now >= a->failed_at)
        return fault_set(&c->f, PRA_EAGAIN, "too many wrong codes: try again in %lld s",
                         (long long)(a->failed_at + CODE_FAILURES_S - now));
    return 0;
}

/* The second step was right: with another token, so that nobody who knew the first is logged in. */
static int open_login(struct call *c)
{
    struct store *s = c->a->store;
    char token[2 * TOKEN_LEN + 1];
    int rc;

    c->account.failures = 0;
    c->account.last_login = c->login.seen = os_time_now();
    c->login.open = true;
    rc = new_token(c, token);
    if (rc == 0)
        rc = s->ops->account_set(s, &c->account, &c->f);
    if (rc == 0)
        rc = s->ops->login_set(s, &c->login, &c->f);
    if (rc == 0)
        rc = give_open(c, token);
    crypto_wipe(token, sizeof(token));
    return rc;
}

int login_second_step(struct call *c, second_step_fn try, void *ctx)
{
    struct store_account before = c->account;
    struct throttle_who who = access_who(c, before.name, &before);
    struct store *s = c->a->store;
    const char *why = "code";
    int rc = check_second_step(c, &who);

    if (rc == 0)
        rc = s->ops->begin(s, &c->f);
    if (rc != 0)
        return rc;
    rc = try(c, ctx, &why);
    if (rc == PRA_EPASSPHRASE) {
        s->ops->rollback(s);
        return wrong_second_step(c, &before, &who, why);
    }
    if (rc == 0 && who.browser != NULL)
        throttle_forgive(c->a->throttle, &who);
    if (rc == 0)
        rc = open_login(c);
    return commit(c, rc, AUDIT_ACCOUNT_LOGIN, "done");
}

static int try_code(struct call *c, void *ctx, const char **why)
{
    (void)ctx;
    return totp_take(c, &c->account, arg_text(c, "code"), os_time_now(), why);
}

int op_login_code(struct call *c)
{
    return login_second_step(c, try_code, NULL);
}

/* Which code lets somebody choose a password, and what that does besides. */
struct way_in {
    const char *word, *refused; /* for the audit */
    /* Is it this account's code, and good now? Returns 0, PRA_EPASSPHRASE, or the store's error. */
    int (*fits)(struct call *c, const uint8_t hash[STORE_HASH_LEN], int64_t now);
    bool end_logins;
};

static int setup_fits(struct call *c, const uint8_t hash[STORE_HASH_LEN], int64_t now)
{
    const struct store_account *a = &c->account;

    return a->has_setup && now < a->setup_expires && crypto_equal(hash, a->setup, STORE_HASH_LEN)
               ? 0
               : PRA_EPASSPHRASE;
}

static int reset_fits(struct call *c, const uint8_t hash[STORE_HASH_LEN], int64_t now)
{
    struct store_reset r;
    int rc = c->a->store->ops->reset_get(c->a->store, c->account.id, &r, &c->f);

    if (rc != 0)
        return rc == PRA_ENOENT ? PRA_EPASSPHRASE : rc;
    return c->account.has_password && now < r.expires && now >= r.expires - RESET_VALID_S &&
                   crypto_equal(hash, r.hash, STORE_HASH_LEN)
               ? 0
               : PRA_EPASSPHRASE;
}

/* In the open transaction: the password is another one, the code is used up, a log-in begins. */
static int take_password(struct call *c, const struct way_in *way, int64_t now)
{
    struct store *s = c->a->store;
    int64_t tokens = 0;
    int rc;

    c->account.has_setup = false;
    c->account.has_password = true;
    rc = s->ops->account_set(s, &c->account, &c->f);
    if (rc == 0)
        rc = s->ops->reset_delete(s, c->account.id, &c->f);
    if (rc == 0 && way->end_logins)
        rc = s->ops->login_end(s, c->account.id, 0, &c->f);
    if (rc == 0 && way->end_logins)
        rc = password_was_changed(c, &tokens);
    if (rc == 0)
        rc = begin_login(c, now);
    if (rc == 0 && way->end_logins)
        json_object_set_new(c->result, "tokens-kept", json_integer(tokens));
    return rc;
}

/* Somebody with a code chooses the password, and is logged in: but for the second step, if he has one. */
static int choose_password(struct call *c, const struct way_in *way)
{
    const char *name = arg_text(c, "account");
    struct store *s = c->a->store;
    uint8_t hash[STORE_HASH_LEN], salt[STORE_SALT_LEN], proof[STORE_HASH_LEN];
    int64_t now = os_time_now();
    struct throttle_who who = access_who(c, name, NULL);
    int rc = check_throttle(c, &who);

    if (rc == 0)
        rc = arg_bytes(c, "salt", salt, sizeof(salt));
    if (rc == 0)
        rc = arg_bytes(c, "proof", proof, sizeof(proof));
    if (rc == 0)
        rc = code_hash(arg_text(c, "code"), hash);
    if (rc == 0)
        rc = s->ops->account_get(s, name, &c->account, &c->f);
    if (rc == 0)
        rc = account_live(&c->account, now) ? way->fits(c, hash, now) : PRA_EPASSPHRASE;
    if (rc == 0) {
        memcpy(c->account.salt, salt, sizeof(salt));
        rc = crypto_sha256(proof, sizeof(proof), c->account.proof);
    }
    crypto_wipe(proof, sizeof(proof));
    if (rc == PRA_ENOENT || rc == PRA_EPASSPHRASE) {
        c->account = (struct store_account){0};
        return refuse(c, &who, way->refused);
    }
    if (rc == 0)
        rc = s->ops->begin(s, &c->f);
    if (rc != 0)
        return rc;
    return commit(c, take_password(c, way, now), AUDIT_ACCOUNT_LOGIN, way->word);
}

int op_setup(struct call *c)
{
    static const struct way_in way = {"setup", "setup-code", setup_fits, false};

    return choose_password(c, &way);
}

/* C9: all other log-ins of the account end, since somebody else may have them; the second step stays, and so do
   API tokens, unless "end-tokens" is asked for. */
int op_reset(struct call *c)
{
    static const struct way_in way = {"reset", "reset-code", reset_fits, true};

    return choose_password(c, &way);
}

/*
 * Answered before anything is looked up: whether there is such an account, with this address, can be seen
 * neither from the answer nor from the time that it takes. admin_forgotten() does the rest.
 */
int op_forgotten(struct call *c)
{
    const char *name = arg_text(c, "account"), *mail = arg_text(c, "mail");
    struct admin *a = c->a;
    struct forgotten *f = &a->forgotten[a->forgotten_count];
    struct throttle_who who = access_who(c, name, NULL);
    int rc = check_throttle(c, &who);

    if (rc != 0)
        return rc;
    throttle_note(a->throttle, &who, os_time_now());
    if (a->forgotten_count == FORGOTTEN_MAX)
        return fault_set(&c->f, PRA_EAGAIN, "too many requests at once: try again in a moment");
    if (strlen(name) < sizeof(f->account) && strlen(mail) < sizeof(f->mail)) {
        snprintf(f->account, sizeof(f->account), "%s", name);
        snprintf(f->mail, sizeof(f->mail), "%s", mail);
        memcpy(f->source, c->source, sizeof(f->source));
        a->forgotten_count++;
    }
    return give(c, json_pack("{s:b}", "mail", a->mail_from[0] != '\0'));
}

int op_logout(struct call *c)
{
    struct store *s = c->a->store;
    int rc = s->ops->login_delete(s, c->login.id, &c->f);

    return rc != 0 ? rc : give(c, json_object());
}

static int list_login(const struct store_login *l, void *ctx)
{
    json_t *one = json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "id", l->public_id, "open", l->open,
                            "since", json_when(l->created), "seen", json_when(l->seen), "source",
                            json_text_or_null(l->source), "agent", json_text_or_null(l->agent));

    return json_array_append_new(ctx, one) == 0 ? 0 : PRA_ENOMEM;
}

int op_login_list(struct call *c)
{
    json_t *list = json_array();
    int rc = c->a->store->ops->login_each(c->a->store, c->account.id, list_login, list, &c->f);

    if (rc == 0)
        return give(c, list);
    json_decref(list);
    return rc;
}

struct wanted {
    const char *public_id;
    int64_t id;
};

static int find_public(const struct store_login *l, void *ctx)
{
    struct wanted *w = ctx;

    if (strcmp(l->public_id, w->public_id) == 0)
        w->id = l->id;
    return 0;
}

int op_login_end(struct call *c)
{
    struct wanted w = {.public_id = arg_text(c, "id")};
    struct store *s = c->a->store;
    int rc = s->ops->login_each(s, c->account.id, find_public, &w, &c->f);

    if (rc == 0 && w.id == 0)
        return fault_set(&c->f, PRA_ENOENT, "id: there is no such log-in of yours");
    if (rc == 0)
        rc = s->ops->login_delete(s, w.id, &c->f);
    return rc != 0 ? rc : give(c, json_pack("{s:s}", "id", w.public_id));
}

/* What may be done with what was shown: of a token less than its account may. */
static json_t *may_list(const struct call *c)
{
    json_t *all = admin_operations(c->who), *list = json_array(), *name;
    size_t i;

    json_array_foreach(all, i, name)
    {
        if (c->api.id == 0 || token_may(&c->api, admin_operation(json_string_value(name))))
            json_array_append(list, name);
    }
    json_decref(all);
    return list;
}

int op_me(struct call *c)
{
    json_t *me;
    int64_t codes = 0;
    int rc = c->a->store->ops->recovery_count(c->a->store, c->account.id, &codes, &c->f);

    if (rc != 0)
        return rc;
    me = account_json(&c->account);
    json_object_set_new(me, "login", json_string(c->login.public_id));
    json_object_set_new(me, "recovery-codes", json_integer(codes));
    json_object_set_new(me, "totp", json_boolean(c->account.totp_on));
    json_object_set_new(me, "passkeys", json_integer(c->account.passkeys));
    json_object_set_new(me, "token", json_text_or_null(c->api.name));
    json_object_set_new(me, "may", may_list(c));
    return give(c, me);
}
