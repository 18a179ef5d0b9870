/*
 * Operations on accounts that administer: made by an owner or on the console with a one-time
 * set-up code, never with a password that somebody else knows. The last owner stays, unless the
 * console says otherwise.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"

/* ---- what others ask of an account -------------------------------------------------------------- */

bool account_live(const struct store_account *a, int64_t now)
{
    return a->enabled && (a->expires == 0 || now < a->expires);
}

bool account_two_step(const struct store_account *a)
{
    return a->totp_on || a->passkeys > 0;
}

int account_verify(const struct store_account *a, const uint8_t *proof)
{
    uint8_t hash[STORE_HASH_LEN];

    if (crypto_sha256(proof, STORE_HASH_LEN, hash) != 0)
        return PRA_ECRYPTO;
    return a->has_password && crypto_equal(hash, a->proof, sizeof(hash)) ? 0 : PRA_EPASSPHRASE;
}

static const char *state_of(const struct store_account *a)
{
    if (!a->enabled)
        return "disabled";
    if (a->expires != 0 && os_time_now() >= a->expires)
        return "expired";
    if (a->has_password)
        return "active";
    return a->has_setup && os_time_now() < a->setup_expires ? "invited" : "not-activated";
}

json_t *account_json(const struct store_account *a)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o}", "id", (json_int_t)a->id,
                     "name", json_text(a->name), "role", json_text(a->role), "full-name",
                     json_text_or_null(a->full_name), "mail", json_text_or_null(a->mail), "state",
                     state_of(a), "two-step", account_two_step(a), "created", json_when(a->created),
                     "expires", json_when(a->expires), "last-login", json_when(a->last_login));
}

/* ---- arguments ---------------------------------------------------------------------------------- */

int arg_bytes(struct call *c, const char *name, uint8_t *out, size_t len)
{
    const char *text = arg_text(c, name);
    size_t got = 0;

    if (text == NULL || strlen(text) != 2 * len ||
        crypto_hex_decode(text, 2 * len, out, len, &got) != 0)
        return fault_set(&c->f, PRA_EINVAL, "%s: must be %zu bytes in hexadecimal", name, len);
    return 0;
}

/* One @, something on both sides, nothing that could end a header line or an address list. */
int check_mail(struct call *c, const char *mail)
{
    return mail_address_good(mail)
               ? 0
               : fault_set(&c->f, PRA_EINVAL, "mail: is no address such as suzuki@example.com");
}

int account_meant(struct call *c, struct store_account *out)
{
    const char *name = arg_text(c, "account");
    struct store_account a = c->account;
    int rc = 0;

    if (name != NULL)
        rc = c->a->store->ops->account_get(c->a->store, name, &a, &c->f);
    else if (a.id == 0)
        rc = fault_set(&c->f, PRA_EINVAL, "account: is missing");
    if (rc == 0 && a.id != c->account.id && (c->who & (BY_CONSOLE | 1u << ROLE_OWNER)) == 0)
        rc = fault_set(&c->f, PRA_EACCES, "account: only an owner does that for others");
    if (rc == 0)
        *out = a;
    return rc;
}

/* What account.add, account.set and me.set may set; absent arguments change nothing. */
static int take_members(struct call *c, struct store_account *a)
{
    const char *full = arg_text(c, "full-name"), *mail = arg_text(c, "mail");
    const char *role = arg_text(c, "role");
    int rc = 0;

    if (full != NULL && full[0] != '\0')
        rc = check_label(c, "full-name", full);
    if (rc == 0 && mail != NULL && mail[0] != '\0')
        rc = check_mail(c, mail);
    if (rc == 0 && role != NULL && role_of(role) < 0)
        rc = fault_set(&c->f, PRA_EINVAL,
                       "role: must be owner, admin, helpdesk, engineer or auditor");
    if (rc == 0 && arg_text(c, "expires") != NULL) {
        rc = arg_text(c, "expires")[0] == '\0' ? 0 : parse_when(c, "expires", &a->expires);
        if (arg_text(c, "expires")[0] == '\0')
            a->expires = 0;
    }
    if (rc != 0)
        return rc;
    if (full != NULL)
        snprintf(a->full_name, sizeof(a->full_name), "%s", full);
    if (mail != NULL)
        snprintf(a->mail, sizeof(a->mail), "%s", mail);
    if (role != NULL)
        snprintf(a->role, sizeof(a->role), "%s", role);
    return 0;
}

/* ---- the last owner ----------------------------------------------------------------------------- */

struct owners {
    int64_t except, now;
    unsigned count;
};

static int count_owner(const struct store_account *a, void *ctx)
{
    struct owners *o = ctx;

    if (a->id != o->except && role_of(a->role) == ROLE_OWNER && a->has_password &&
        account_live(a, o->now))
        o->count++;
    return 0;
}

/* `a` is about to stop being an owner who can log in: is there another one? */
static int keep_an_owner(struct call *c, const struct store_account *a)
{
    struct owners o = {.except = a->id, .now = os_time_now()};
    int rc;

    if (role_of(a->role) != ROLE_OWNER)
        return 0;
    rc = c->a->store->ops->account_each(c->a->store, count_owner, &o, &c->f);
    if (rc != 0 || o.count > 0)
        return rc;
    if (c->who == BY_CONSOLE) {
        warn(c, "there is no other owner who can log in now");
        return 0;
    }
    return fault_set(&c->f, PRA_EINVAL,
                     "name: '%s' is the only owner who can log in: make another one first",
                     a->name);
}

/* ---- operations --------------------------------------------------------------------------------- */

/* Stores an account that waits for somebody with the code; gives it, with the code, as the result. */
static int invite(struct call *c, struct store_account *a, bool add)
{
    struct store *s = c->a->store;
    char code[CODE_TEXT_MAX];
    json_t *result;
    int rc = code_make(SETUP_CODE_CHARS, code, a->setup);

    if (rc != 0)
        return fault_set(&c->f, rc, "%s", err_text(rc));
    a->has_setup = true;
    a->setup_expires = os_time_now() + SETUP_VALID_S;
    rc = add ? s->ops->account_add(s, a, &a->id, &c->f) : s->ops->account_set(s, a, &c->f);
    if (rc == PRA_EEXIST)
        return fault_set(&c->f, rc, "name: account '%s' exists already", a->name);
    if (rc == 0) {
        bool send = arg_bool(c, "send");

        if (send)
            rc = mail_invitation(c, a, code);
        result = account_json(a);
        json_object_set_new(result, "setup-code", send ? json_null() : json_string(code));
        json_object_set_new(result, "setup-expires", json_when(a->setup_expires));
        json_object_set_new(result, "setup-mailed", send ? json_text(a->mail) : json_null());
        if (rc == 0)
            rc = give(c, result);
        else
            json_decref(result);
    }
    crypto_wipe(code, sizeof(code));
    return rc;
}

int op_account_add(struct call *c)
{
    struct store_account a = {.enabled = true, .created = os_time_now()};
    const char *name = arg_text(c, "name");
    int rc = check_name(c, "name", name);

    if (rc == 0)
        rc = take_members(c, &a);
    if (rc != 0)
        return rc;
    snprintf(a.name, sizeof(a.name), "%s", name);
    return invite(c, &a, true);
}

static int list_account(const struct store_account *a, void *ctx)
{
    return json_array_append_new(ctx, account_json(a)) == 0 ? 0 : PRA_ENOMEM;
}

int op_account_list(struct call *c)
{
    struct store *s = c->a->store;
    json_t *list = json_array();
    struct listing l;
    int64_t total = 0;
    int rc = list_read(c, &l);

    if (rc == 0)
        rc = s->ops->account_list(s, &l, list_account, list, &total, &c->f);
    return list_give(c, &l, list, total, rc);
}

static int get_named(struct call *c, struct store_account *a)
{
    return c->a->store->ops->account_get(c->a->store, arg_text(c, "name"), a, &c->f);
}

/* Writes what was changed; what the account may not do any more ends with its log-ins. */
static int put(struct call *c, const struct store_account *a, bool end_logins)
{
    struct store *s = c->a->store;
    int rc = s->ops->account_set(s, a, &c->f);

    if (rc == 0 && end_logins)
        rc = s->ops->login_end(s, a->id, 0, &c->f);
    return rc != 0 ? rc : give(c, account_json(a));
}

int op_account_set(struct call *c)
{
    struct store_account a, before;
    int rc = get_named(c, &a);

    before = a;
    if (rc == 0)
        rc = take_members(c, &a);
    if (rc == 0 && (role_of(a.role) != ROLE_OWNER || !account_live(&a, os_time_now())))
        rc = keep_an_owner(c, &before);
    return rc != 0 ? rc : put(c, &a, strcmp(a.role, before.role) != 0);
}

static int set_enabled(struct call *c, bool enabled)
{
    struct store_account a;
    int rc = get_named(c, &a);

    if (rc == 0 && !enabled)
        rc = keep_an_owner(c, &a);
    if (rc != 0)
        return rc;
    if (a.enabled == enabled)
        warn(c, "account '%s' was %s already", a.name, enabled ? "enabled" : "disabled");
    a.enabled = enabled;
    return put(c, &a, !enabled);
}

int op_account_enable(struct call *c)
{
    return set_enabled(c, true);
}

int op_account_disable(struct call *c)
{
    return set_enabled(c, false);
}

int op_account_delete(struct call *c)
{
    struct store_account a;
    int rc = get_named(c, &a);

    if (rc == 0)
        rc = keep_an_owner(c, &a);
    if (rc == 0)
        rc = c->a->store->ops->account_delete(c->a->store, a.id, &c->f);
    return rc != 0 ? rc : give(c, account_json(&a));
}

/* Authenticator, passkeys and recovery codes go; `a` is not stored yet. */
static int drop_second_step(struct call *c, struct store_account *a)
{
    struct store *s = c->a->store;
    int rc = s->ops->recovery_set(s, a->id, NULL, 0, &c->f);

    a->has_totp = a->totp_on = false;
    a->failures = a->failed_at = 0;
    a->passkeys = 0;
    return rc == 0 ? s->ops->passkey_clear(s, a->id, &c->f) : rc;
}

/* C3, C9, D7: password and second step are taken away, and a new set-up code is given. */
int op_account_reissue(struct call *c)
{
    struct store *s = c->a->store;
    struct store_account a;
    int rc = get_named(c, &a);

    if (rc == 0)
        rc = keep_an_owner(c, &a);
    if (rc == 0)
        rc = s->ops->login_end(s, a.id, 0, &c->f);
    if (rc == 0)
        rc = s->ops->token_clear(s, a.id, &c->f);
    if (rc == 0)
        rc = drop_second_step(c, &a);
    if (rc != 0)
        return rc;
    a.has_password = false;
    return invite(c, &a, false);
}

/* A lost phone: the second step goes, the password stays. */
int op_account_reset(struct call *c)
{
    struct store_account a;
    int rc = get_named(c, &a);

    if (rc == 0 && !account_two_step(&a))
        return fault_set(&c->f, PRA_EINVAL, "name: '%s' has no second step", a.name);
    if (rc == 0)
        rc = drop_second_step(c, &a);
    return rc != 0 ? rc : put(c, &a, true);
}

int op_me_set(struct call *c)
{
    int rc = take_members(c, &c->account);

    return rc != 0 ? rc : put(c, &c->account, false);
}
