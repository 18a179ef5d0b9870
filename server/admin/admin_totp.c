/*
 * The second step of a log-in: codes of an authenticator (TOTP, RFC 6238, by liboath) and recovery
 * codes. A code counts once: the time step of the last one that was taken is kept with the account
 * and only a later one is good, and a recovery code is removed as it is used. All of it happens on
 * one thread inside a transaction, so of a thousand that come at once one wins.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <liboath/oath.h>

#include "common/crypto.h"
#include "common/os.h"

#define TOTP_DIGITS 6
#define ISSUER      "PRA"

static int liboath_ready(struct fault *f)
{
    static bool done;

    if (!done && oath_init() != OATH_OK)
        return fault_set(f, PRA_ECRYPTO, "liboath cannot be started");
    done = true;
    return 0;
}

bool totp_is_code(const char *code)
{
    return strlen(code) == TOTP_DIGITS && strspn(code, "0123456789") == TOTP_DIGITS;
}

int totp_find(const uint8_t secret[STORE_TOTP_LEN], const char *code, int64_t now, int64_t window,
              int64_t *step, struct fault *f)
{
    uint64_t found = 0;
    int position, rc = liboath_ready(f);

    if (rc != 0)
        return rc;
    if (oath_totp_validate3((const char *)secret, STORE_TOTP_LEN, (time_t)now, TOTP_STEP_S, 0,
                            (size_t)window, &position, &found, code) < 0)
        return PRA_EPASSPHRASE;
    *step = (int64_t)found;
    return 0;
}

int totp_take(struct call *c, struct store_account *a, const char *code, int64_t now,
              const char **why)
{
    uint8_t hash[STORE_HASH_LEN];
    int64_t step = 0;
    int rc;

    *why = "code";
    if (!totp_is_code(code)) {
        rc = code_hash(code, hash);
        if (rc == 0)
            rc = c->a->store->ops->recovery_use(c->a->store, a->id, hash, &c->f);
        return rc == PRA_ENOENT ? PRA_EPASSPHRASE : rc;
    }
    rc = totp_find(a->totp, code, now, TOTP_WINDOW, &step, &c->f);
    /* Whoever logs in needs a secret that was confirmed. */
    if (rc == 0 && (!a->has_totp || (!a->totp_on && !c->login.open)))
        rc = PRA_EPASSPHRASE;
    if (rc != 0)
        return rc;
    if (step <= a->totp_step) {
        *why = "code-used";
        return PRA_EPASSPHRASE;
    }
    a->totp_step = step;
    return 0;
}

/* ---- operations of an account on itself --------------------------------------------------------- */

int account_prove(struct call *c)
{
    struct throttle_who who = access_who(c, c->account.name, &c->account);
    uint8_t proof[STORE_HASH_LEN];
    bool first;
    int rc = arg_bytes(c, "proof", proof, sizeof(proof));

    if (rc != 0)
        return rc;
    if (throttle_wait(c->a->throttle, &who, os_time_now(), &first) > 0)
        return fault_set(&c->f, PRA_EAGAIN, "too many wrong passwords: try later");
    rc = account_verify(&c->account, proof);
    crypto_wipe(proof, sizeof(proof));
    if (rc == 0)
        return 0;
    throttle_note(c->a->throttle, &who, os_time_now());
    return fault_set(&c->f, rc, "password: is wrong");
}

/* otpauth://totp/PRA:name?secret=...&issuer=PRA; bytes that a URI does not take are escaped. */
static json_t *otpauth(const char *name, const char *secret)
{
    char label[POLICY_NAME_MAX * 3 + 1];
    size_t at = 0;

    for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
            strchr("-._~", *p) != NULL)
            label[at++] = (char)*p;
        else
            at += (size_t)snprintf(label + at, sizeof(label) - at, "%%%02X", *p);
    }
    label[at] = '\0';
    return json_sprintf("otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER, label, secret);
}

int totp_give_secret(struct call *c, const char *name, const uint8_t secret[STORE_TOTP_LEN])
{
    char *text = NULL;
    int rc = liboath_ready(&c->f);

    if (rc == 0 && oath_base32_encode((const char *)secret, STORE_TOTP_LEN, &text, NULL) != OATH_OK)
        rc = fault_set(&c->f, PRA_ENOMEM, "no memory");
    if (rc == 0)
        rc = give(c, json_pack("{s:s, s:o}", "secret", text, "uri", otpauth(name, text)));
    if (text != NULL)
        crypto_wipe(text, strlen(text));
    free(text);
    return rc;
}

int op_totp_begin(struct call *c)
{
    struct store *s = c->a->store;
    int rc = account_prove(c);

    if (rc == 0 && c->account.totp_on)
        rc = fault_set(&c->f, PRA_EEXIST, "two-step log-in is on already: turn it off first");
    if (rc != 0)
        return rc;
    crypto_random(c->account.totp, sizeof(c->account.totp));
    c->account.has_totp = true;
    c->account.totp_step = 0;
    rc = s->ops->account_set(s, &c->account, &c->f);
    return rc == 0 ? totp_give_secret(c, c->account.name, c->account.totp) : rc;
}

int recovery_make(uint8_t hashes[RECOVERY_COUNT][STORE_HASH_LEN], json_t *list)
{
    int rc = 0;

    for (int i = 0; i < RECOVERY_COUNT && rc == 0; i++) {
        char text[CODE_TEXT_MAX];

        rc = code_make(RECOVERY_CHARS, text, hashes[i]);
        json_array_append_new(list, json_string(text));
        crypto_wipe(text, sizeof(text));
    }
    return rc;
}

int recovery_give(struct call *c)
{
    uint8_t hashes[RECOVERY_COUNT][STORE_HASH_LEN];
    json_t *list = json_array();
    int rc = recovery_make(hashes, list);

    if (rc == 0)
        rc = c->a->store->ops->recovery_set(c->a->store, c->account.id, hashes, RECOVERY_COUNT,
                                            &c->f);
    if (rc == 0)
        return give(c, json_pack("{s:o}", "recovery-codes", list));
    json_decref(list);
    return rc;
}

int op_totp_confirm(struct call *c)
{
    struct store *s = c->a->store;
    const char *code = arg_text(c, "code"), *why;
    int rc;

    if (c->account.totp_on || !c->account.has_totp)
        return fault_set(&c->f, PRA_EEXIST, "there is no two-step log-in to confirm");
    rc =
        totp_is_code(code) ? totp_take(c, &c->account, code, os_time_now(), &why) : PRA_EPASSPHRASE;
    if (rc == PRA_EPASSPHRASE)
        return fault_set(&c->f, rc, "code: is not what the authenticator should show now");
    c->account.totp_on = true;
    if (rc == 0)
        rc = s->ops->account_set(s, &c->account, &c->f);
    if (rc == 0)
        rc = s->ops->login_end(s, c->account.id, c->login.id, &c->f);
    return rc != 0 ? rc : recovery_give(c);
}

int op_totp_disable(struct call *c)
{
    struct store *s = c->a->store;
    int rc = account_prove(c);

    if (rc != 0)
        return rc;
    c->account.has_totp = c->account.totp_on = false;
    rc = s->ops->account_set(s, &c->account, &c->f);
    if (rc == 0 && !account_two_step(&c->account))
        rc = s->ops->recovery_set(s, c->account.id, NULL, 0, &c->f);
    if (rc == 0)
        rc = s->ops->login_end(s, c->account.id, c->login.id, &c->f);
    return rc != 0 ? rc : give(c, account_json(&c->account));
}

int op_recovery_renew(struct call *c)
{
    int rc = account_prove(c);

    if (rc == 0 && !account_two_step(&c->account))
        rc = fault_set(&c->f, PRA_ENOENT, "two-step log-in is off: there are no recovery codes");
    return rc != 0 ? rc : recovery_give(c);
}

int op_password_change(struct call *c)
{
    struct store *s = c->a->store;
    uint8_t proof[STORE_HASH_LEN];
    int64_t tokens = 0;
    json_t *result;
    int rc = account_prove(c);

    if (rc == 0)
        rc = arg_bytes(c, "salt", c->account.salt, sizeof(c->account.salt));
    if (rc == 0)
        rc = arg_bytes(c, "new-proof", proof, sizeof(proof));
    if (rc != 0)
        return rc;
    rc = crypto_sha256(proof, sizeof(proof), c->account.proof);
    crypto_wipe(proof, sizeof(proof));
    if (rc == 0)
        rc = s->ops->account_set(s, &c->account, &c->f);
    if (rc == 0)
        rc = s->ops->login_end(s, c->account.id, c->login.id, &c->f);
    if (rc == 0)
        rc = password_was_changed(c, &tokens);
    if (rc != 0)
        return rc;
    /* What the browser kept belongs to the password of before. */
    result = account_json(&c->account);
    json_object_set_new(result, "browsers", browser_remember(c));
    json_object_set_new(result, "tokens-kept", json_integer(tokens));
    return give(c, result);
}
