/*
 * Passkeys (WebAuthn level 2): a second step after the password, chosen by each account. What an
 * authenticator said is checked by passkey_check.h; here it is looked whose passkey it is, that it
 * answers our challenge - random, of this log-in, taken away when it is shown, right or wrong -
 * at this portal's origin, and that its counter went on: one that did not is a copy.
 *
 * A passkey is good for the host name that the portal had when it was registered ("rp"). The portal
 * tells the name and port that the browser asked for ("host"), and the browser signs those it saw.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"
#include "server/admin/passkey_check.h"

#define CHALLENGE_S  300
#define PASSKEYS_MAX 16
#define CLIENT_MAX   2048 /* bytes of clientDataJSON */
#define ORIGIN_MAX   (STORE_RP_MAX + 16)

/* ---- the place -------------------------------------------------------------------------------- */

/* Where the browser is: the argument "host" is what it asked for, name[:port]. */
struct place {
    char rp[STORE_RP_MAX + 1];
    char origin[ORIGIN_MAX + 1];
};

static int take_place(struct call *c, struct place *p)
{
    const char *host = arg_text(c, "host");
    struct addr_host h;
    uint16_t port;

    if (addr_parse_host_port(host, 443, &h, &port) != 0 || h.is_ip)
        return fault_set(&c->f, PRA_EINVAL,
                         "host: passkeys need the portal to be reached by a name, not an address");
    snprintf(p->rp, sizeof(p->rp), "%s", h.name);
    if (port == 443)
        snprintf(p->origin, sizeof(p->origin), "https://%s", p->rp);
    else
        snprintf(p->origin, sizeof(p->origin), "https://%s:%u", p->rp, port);
    return 0;
}

/* ---- challenges --------------------------------------------------------------------------------- */

/* A new one of this log-in, as text; the one before is worth nothing any more. */
static int new_challenge(struct call *c, char text[2 * STORE_HASH_LEN + 1])
{
    uint8_t challenge[STORE_HASH_LEN];

    crypto_random(challenge, sizeof(challenge));
    crypto_hex_encode(challenge, sizeof(challenge), text);
    return c->a->store->ops->challenge_set(c->a->store, c->login.id, challenge, os_time_now(),
                                           &c->f);
}

/* Takes the challenge of this log-in away, for good: in a transaction of its own. */
static int take_challenge(struct call *c, uint8_t challenge[STORE_HASH_LEN])
{
    struct store *s = c->a->store;
    int64_t made = 0, now = os_time_now();
    int rc = s->ops->begin(s, &c->f);

    if (rc != 0)
        return rc;
    rc = s->ops->challenge_take(s, c->login.id, challenge, &made, &c->f);
    if (rc != 0) {
        s->ops->rollback(s);
        return rc;
    }
    rc = s->ops->commit(s, &c->f);
    return rc == 0 && (now < made || now - made > CHALLENGE_S) ? PRA_ENOENT : rc;
}

/* base64url without padding (RFC 4648, 5), as browsers write a challenge. */
static void base64url(const uint8_t data[STORE_HASH_LEN], char text[4 * STORE_HASH_LEN])
{
    crypto_base64_encode(data, STORE_HASH_LEN, text);
    for (char *p = text; *p != '\0'; p++)
        *p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '\0' : *p);
}

static bool member_is(const json_t *object, const char *name, const char *want)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL && strcmp(text, want) == 0;
}

/*
 * The argument "client-data": made by the browser, of this kind, for this challenge, at this place?
 * (WebAuthn, 7.1 steps 6-9 and 7.2 steps 10-14.) Returns 0 with its SHA-256, PRA_EPASSPHRASE,
 * PRA_EINVAL.
 */
static int check_client_data(struct call *c, const char *type, const struct place *place,
                             const uint8_t challenge[STORE_HASH_LEN], uint8_t hash[STORE_HASH_LEN],
                             const char **why)
{
    const char *text = arg_text(c, "client-data");
    char wanted[4 * STORE_HASH_LEN];
    uint8_t raw[CLIENT_MAX];
    json_t *data = NULL;
    size_t len = 0;

    if (crypto_hex_decode(text, strlen(text), raw, sizeof(raw), &len) == 0)
        data = json_loadb((const char *)raw, len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(data)) {
        json_decref(data);
        return fault_set(&c->f, PRA_EINVAL, "client-data: is not what a browser says");
    }
    base64url(challenge, wanted);
    *why = NULL;
    if (!member_is(data, "type", type))
        *why = "passkey-type";
    else if (!member_is(data, "challenge", wanted))
        *why = "passkey-challenge";
    else if (!member_is(data, "origin", place->origin) ||
             json_is_true(json_object_get(data, "crossOrigin")))
        *why = "passkey-origin";
    json_decref(data);
    if (*why != NULL)
        return PRA_EPASSPHRASE;
    return crypto_sha256(raw, len, hash);
}

/* An argument in hexadecimal of up to `cap` bytes. */
static int take_bytes(struct call *c, const char *name, uint8_t *dst, size_t cap, size_t *len)
{
    const char *text = arg_text(c, name);

    if (crypto_hex_decode(text, strlen(text), dst, cap, len) != 0 || *len == 0)
        return fault_set(&c->f, PRA_EINVAL, "%s: must be at most %zu bytes in hexadecimal", name,
                         cap);
    return 0;
}

/* ---- registering -------------------------------------------------------------------------------- */

static json_t *hex_json(const uint8_t *data, size_t len)
{
    char text[2 * STORE_CREDENTIAL_MAX + 1];

    crypto_hex_encode(data, len, text);
    return json_string(text);
}

/* Credentials of an account at a host name. */
struct known {
    const char *rp; /* NULL = all of them, counted only */
    json_t *ids;
    unsigned count;
};

static int note_known(const struct store_passkey *p, void *ctx)
{
    struct known *k = ctx;

    k->count++;
    if (k->rp == NULL || strcmp(p->rp, k->rp) != 0)
        return 0;
    return json_array_append_new(k->ids, hex_json(p->credential, p->credential_len)) == 0
               ? 0
               : PRA_ENOMEM;
}

/* What names the account to its authenticators; says nothing to others (WebAuthn, 14.6.1). */
static int user_handle(struct call *c, char text[2 * STORE_HASH_LEN + 1])
{
    uint8_t secret[STORE_HASH_LEN], handle[CRYPTO_SHA256_LEN];
    char name[64];
    int n = snprintf(name, sizeof(name), "passkey %lld", (long long)c->account.id);
    int rc = c->a->store->ops->secret(c->a->store, secret, &c->f);

    if (rc == 0)
        rc = crypto_hmac(secret, sizeof(secret), name, (size_t)n, handle);
    crypto_wipe(secret, sizeof(secret));
    if (rc == 0)
        crypto_hex_encode(handle, sizeof(handle), text);
    return rc;
}

int op_passkey_begin(struct call *c)
{
    char challenge[2 * STORE_HASH_LEN + 1], user[2 * STORE_HASH_LEN + 1];
    struct known known = {.ids = json_array()};
    struct store *s = c->a->store;
    struct place place;
    int rc = take_place(c, &place);

    known.rp = place.rp;
    if (rc == 0)
        rc = account_prove(c);
    if (rc == 0)
        rc = s->ops->passkey_each(s, c->account.id, note_known, &known, &c->f);
    if (rc == 0 && known.count >= PASSKEYS_MAX)
        rc = fault_set(&c->f, PRA_EINVAL, "you have %d passkeys: remove one first", PASSKEYS_MAX);
    if (rc == 0)
        rc = user_handle(c, user);
    if (rc == 0)
        rc = new_challenge(c, challenge);
    if (rc == 0)
        return give(c, json_pack("{s:s, s:s, s:s, s:o, s:o}", "challenge", challenge, "rp",
                                 place.rp, "user", user, "account", json_text(c->account.name),
                                 "known", known.ids));
    json_decref(known.ids);
    return rc;
}

static json_t *passkey_json(const struct store_passkey *p)
{
    return json_pack("{s:I, s:o, s:s, s:o, s:o}", "id", (json_int_t)p->id, "name",
                     json_text(p->name), "host", p->rp, "created", json_when(p->created), "used",
                     json_when(p->used));
}

/* Everything about the new one that is in the arguments. */
static int read_new(struct call *c, struct store_passkey *p)
{
    uint8_t challenge[STORE_HASH_LEN], hash[STORE_HASH_LEN], data[PASSKEY_AUTH_DATA_MAX];
    const char *name = arg_text(c, "name"), *why = "";
    struct place place;
    size_t len = 0;
    int rc = strlen(name) > POLICY_NAME_MAX
                 ? fault_set(&c->f, PRA_EINVAL, "name: longer than %d bytes", POLICY_NAME_MAX)
                 : check_label(c, "name", name);

    if (rc == 0)
        rc = take_place(c, &place);
    if (rc == 0)
        rc = take_bytes(c, "auth-data", data, sizeof(data), &len);
    if (rc == 0)
        rc = take_challenge(c, challenge);
    if (rc == PRA_ENOENT)
        return fault_set(&c->f, PRA_EPASSPHRASE, "passkey: the time is over: begin again");
    if (rc == 0)
        rc = check_client_data(c, "webauthn.create", &place, challenge, hash, &why);
    if (rc == PRA_EPASSPHRASE)
        return fault_set(&c->f, rc, "passkey: is not made for this question (%s)", why);
    if (rc == 0)
        rc = passkey_read(place.rp, data, len, p, &c->f);
    if (rc != 0)
        return rc;
    p->account = c->account.id;
    p->created = os_time_now();
    snprintf(p->name, sizeof(p->name), "%s", name);
    snprintf(p->rp, sizeof(p->rp), "%s", place.rp);
    return 0;
}

/* Stores it; the first second step of an account brings recovery codes, and ends other log-ins. */
static int store_new(struct call *c, struct store_passkey *p)
{
    struct store *s = c->a->store;
    bool first = !account_two_step(&c->account);
    int rc = s->ops->passkey_add(s, p, &p->id, &c->f);

    if (rc == PRA_EEXIST)
        return fault_set(&c->f, rc, "name: you have a passkey '%s', or this very one, already",
                         p->name);
    if (rc == 0 && first)
        rc = s->ops->login_end(s, c->account.id, c->login.id, &c->f);
    if (rc == 0)
        rc = first ? recovery_give(c) : give(c, json_object());
    if (rc == 0)
        json_object_set_new(c->result, "passkey", passkey_json(p));
    return rc;
}

/* OP_OWN: the challenge is gone whatever becomes of the rest. */
int op_passkey_add(struct call *c)
{
    struct store *s = c->a->store;
    struct store_passkey p = {0};
    struct audit_event e;
    int rc = read_new(c, &p);

    if (rc == 0)
        rc = s->ops->begin(s, &c->f);
    if (rc != 0) {
        audit_of(c, rc, &e);
        admin_store_audit(c->a, &e, 1);
        return rc;
    }
    rc = store_new(c, &p);
    audit_of(c, rc, &e);
    if (rc == 0)
        rc = s->ops->audit_add(s, &e, 1, &c->f);
    if (rc == 0)
        return s->ops->commit(s, &c->f);
    s->ops->rollback(s);
    return rc;
}

/* ---- one's own passkeys ------------------------------------------------------------------------- */

static int list_passkey(const struct store_passkey *p, void *ctx)
{
    return json_array_append_new(ctx, passkey_json(p)) == 0 ? 0 : PRA_ENOMEM;
}

int op_passkey_list(struct call *c)
{
    json_t *list = json_array();
    int rc = c->a->store->ops->passkey_each(c->a->store, c->account.id, list_passkey, list, &c->f);

    if (rc == 0)
        return give(c, list);
    json_decref(list);
    return rc;
}

/* By its id, or by what the authenticator calls it. */
struct wanted {
    int64_t id;
    const uint8_t *credential;
    size_t len;
    struct store_passkey found;
};

static int find_passkey(const struct store_passkey *p, void *ctx)
{
    struct wanted *w = ctx;

    if (w->credential == NULL
            ? p->id == w->id
            : p->credential_len == w->len && memcmp(p->credential, w->credential, w->len) == 0)
        w->found = *p;
    return 0;
}

static int own_passkey(struct call *c, struct wanted *w)
{
    int rc = c->a->store->ops->passkey_each(c->a->store, c->account.id, find_passkey, w, &c->f);

    return rc == 0 && w->found.id == 0
               ? fault_set(&c->f, PRA_ENOENT, "id: you have no such passkey")
               : rc;
}

int op_passkey_rename(struct call *c)
{
    struct wanted w = {.id = arg_int(c, "id")};
    const char *name = arg_text(c, "name");
    int rc = own_passkey(c, &w);

    if (rc == 0)
        rc = strlen(name) > POLICY_NAME_MAX
                 ? fault_set(&c->f, PRA_EINVAL, "name: longer than %d bytes", POLICY_NAME_MAX)
                 : check_label(c, "name", name);
    if (rc != 0)
        return rc;
    snprintf(w.found.name, sizeof(w.found.name), "%s", name);
    rc = c->a->store->ops->passkey_set(c->a->store, &w.found, &c->f);
    if (rc == PRA_EEXIST)
        return fault_set(&c->f, rc, "name: you have a passkey '%s' already", name);
    return rc != 0 ? rc : give(c, passkey_json(&w.found));
}

/* Like turning the authenticator's codes off: with the last second step its recovery codes go. */
int op_passkey_remove(struct call *c)
{
    struct wanted w = {.id = arg_int(c, "id")};
    struct store *s = c->a->store;
    int rc = account_prove(c);

    if (rc == 0)
        rc = own_passkey(c, &w);
    if (rc == 0)
        rc = s->ops->passkey_delete(s, w.found.id, &c->f);
    c->account.passkeys--;
    if (rc == 0 && !account_two_step(&c->account))
        rc = s->ops->recovery_set(s, c->account.id, NULL, 0, &c->f);
    if (rc == 0)
        rc = s->ops->login_end(s, c->account.id, c->login.id, &c->f);
    return rc != 0 ? rc : give(c, passkey_json(&w.found));
}

/* ---- the second step of a log-in ---------------------------------------------------------------- */

/* OP_OWN: a question, not worth an audit record. */
int op_login_passkey_begin(struct call *c)
{
    char challenge[2 * STORE_HASH_LEN + 1];
    struct known known = {.ids = json_array()};
    struct store *s = c->a->store;
    struct place place;
    int rc = take_place(c, &place);

    known.rp = place.rp;
    if (rc == 0)
        rc = s->ops->passkey_each(s, c->account.id, note_known, &known, &c->f);
    if (rc == 0 && json_array_size(known.ids) == 0)
        rc = fault_set(&c->f, PRA_ENOENT, "you have no passkey for %s", place.rp);
    if (rc == 0)
        rc = s->ops->begin(s, &c->f);
    if (rc == 0) {
        rc = new_challenge(c, challenge);
        rc = rc == 0 ? s->ops->commit(s, &c->f) : (s->ops->rollback(s), rc);
    }
    if (rc == 0)
        return give(c, json_pack("{s:s, s:s, s:o}", "challenge", challenge, "rp", place.rp, "known",
                                 known.ids));
    json_decref(known.ids);
    return rc;
}

/* What is shown for a log-in, with its limits checked. */
struct shown {
    uint8_t credential[STORE_CREDENTIAL_MAX];
    uint8_t auth_data[PASSKEY_AUTH_DATA_MAX];
    uint8_t signature[PASSKEY_SIGNATURE_MAX];
    size_t credential_len, auth_data_len, signature_len;
    uint8_t challenge[STORE_HASH_LEN];
    struct place place;
};

static int try_passkey(struct call *c, void *ctx, const char **why)
{
    const struct shown *s = ctx;
    struct wanted w = {.credential = s->credential, .len = s->credential_len};
    uint8_t hash[STORE_HASH_LEN];
    int64_t counter = 0;
    int rc = own_passkey(c, &w);

    if (rc == PRA_ENOENT || (rc == 0 && strcmp(w.found.rp, s->place.rp) != 0)) {
        *why = "passkey-unknown";
        return PRA_EPASSPHRASE;
    }
    if (rc == 0)
        rc = check_client_data(c, "webauthn.get", &s->place, s->challenge, hash, why);
    if (rc != 0)
        return rc;
    *why = "passkey";
    rc = passkey_verify(&w.found, hash, s->auth_data, s->auth_data_len, s->signature,
                        s->signature_len, &counter, &c->f);
    if (rc != 0)
        return rc;
    /* Authenticators without a counter say 0 for ever (WebAuthn, 7.2 step 21). */
    if ((counter != 0 || w.found.counter != 0) && counter <= w.found.counter) {
        *why = "passkey-counter";
        return PRA_EPASSPHRASE;
    }
    w.found.counter = counter;
    w.found.used = os_time_now();
    return c->a->store->ops->passkey_set(c->a->store, &w.found, &c->f);
}

int op_login_passkey(struct call *c)
{
    struct shown s = {0};
    int rc = take_place(c, &s.place);

    if (rc == 0)
        rc = take_bytes(c, "credential", s.credential, sizeof(s.credential), &s.credential_len);
    if (rc == 0)
        rc = take_bytes(c, "auth-data", s.auth_data, sizeof(s.auth_data), &s.auth_data_len);
    if (rc == 0)
        rc = take_bytes(c, "signature", s.signature, sizeof(s.signature), &s.signature_len);
    if (rc != 0)
        return rc;
    rc = take_challenge(c, s.challenge);
    if (rc != 0 && rc != PRA_ENOENT)
        return rc;
    if (rc == PRA_ENOENT) /* none that anybody could answer */
        crypto_random(s.challenge, sizeof(s.challenge));
    return login_second_step(c, try_passkey, &s);
}
