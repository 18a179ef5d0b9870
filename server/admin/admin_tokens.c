/*
 * API tokens: a program's way to the API. A token belongs to an account and has its rights, cut to
 * the scopes that were chosen; what the account may not do any more its tokens may not either, from
 * the next request on. No scope holds anything about accounts, passwords or tokens, so a token that
 * gets lost cannot make itself at home. Only a hash is kept.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"

#define SCOPE_PREFIXES 4

/* Which changes a scope holds, by the beginning of their names; `read` holds what only reads. */
static const struct scope {
    const char *word;
    const char *prefixes[SCOPE_PREFIXES];
} scopes[] = {
    {"read", {NULL}},
    {"users", {"user.", "group.", "key.", NULL}},
    {"rules", {"rule.", NULL}},
    {"sessions", {"session.", "channel.", NULL}},
};
#define SCOPES (sizeof(scopes) / sizeof(scopes[0]))

/* Nothing for programs, not even to look at. */
static const char *const personal[] = {"login.", "passkey.", "token."};
/* Whether a user is asked for a second step is none of the changes that `users` holds: a token that
   gets lost would take away what stands behind a key. */
static const char *const steps[] = {"user.factor", "group.factor"};

/* ---- what scopes hold --------------------------------------------------------------------------- */

static bool begins(const struct operation *op, const char *prefix)
{
    return strncmp(op->name, prefix, strlen(prefix)) == 0;
}

static bool holds(const struct scope *s, const struct operation *op)
{
    for (size_t i = 0; i < sizeof(personal) / sizeof(personal[0]); i++) {
        if (begins(op, personal[i]))
            return false;
    }
    if (s->prefixes[0] == NULL)
        return op->flags == OP_READS;
    if ((op->flags & (OP_CHANGES | OP_ACTS)) == 0)
        return false;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(op->name, steps[i]) == 0)
            return false;
    }
    for (size_t i = 0; i < SCOPE_PREFIXES && s->prefixes[i] != NULL; i++) {
        if (begins(op, s->prefixes[i]))
            return true;
    }
    return false;
}

/* Is the word one of the list's? Words have blanks between them. */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (; *list != '\0'; list += strcspn(list, " "), list += strspn(list, " ")) {
        if (strcspn(list, " ") == len && strncmp(list, word, len) == 0)
            return true;
    }
    return false;
}

bool token_may(const struct store_token *t, const struct operation *op)
{
    for (size_t i = 0; i < SCOPES; i++) {
        if (holds(&scopes[i], op) && has_word(t->scopes, scopes[i].word))
            return true;
    }
    return false;
}

bool token_may_change(const struct store_token *t)
{
    for (size_t i = 0; i < SCOPES; i++) {
        if (scopes[i].prefixes[0] != NULL && has_word(t->scopes, scopes[i].word))
            return true;
    }
    return false;
}

/* May the role do anything of what the scope holds? */
static bool role_has(unsigned who, const struct scope *s)
{
    json_t *names = admin_operations(who), *name;
    bool found = false;
    size_t i;

    json_array_foreach(names, i, name) found =
        found || holds(s, admin_operation(json_string_value(name)));
    json_decref(names);
    return found;
}

/* The argument's words, each one known and within the role's rights, in the table's order. */
static int take_scopes(struct call *c, char dst[STORE_WORD_MAX + 1])
{
    const char *text = arg_text(c, "scopes");
    size_t words = 0, found = 0, len = 0;

    for (const char *p = text + strspn(text, " "); *p != '\0'; p += strspn(p, " ")) {
        p += strcspn(p, " ");
        words++;
    }
    dst[0] = '\0';
    for (size_t i = 0; i < SCOPES; i++) {
        if (!has_word(text + strspn(text, " "), scopes[i].word))
            continue;
        if (!role_has(c->who, &scopes[i]))
            return fault_set(&c->f, PRA_EINVAL, "scopes: the role %s may do nothing of '%s'",
                             c->account.role, scopes[i].word);
        len += (size_t)snprintf(dst + len, STORE_WORD_MAX + 1 - len, "%s%s", found++ > 0 ? " " : "",
                                scopes[i].word);
    }
    if (words == 0 || found != words)
        return fault_set(&c->f, PRA_EINVAL,
                         "scopes: must be words of read, users, rules, sessions, each once");
    return 0;
}

/* ---- showing one -------------------------------------------------------------------------------- */

static int not_good(struct call *c)
{
    c->api = (struct store_token){0};
    c->account = (struct store_account){0};
    return fault_set(&c->f, PRA_ECLOSED, "the API token is not good, or not any more");
}

/* Noted now and then, as with log-ins: not each request is worth a write. */
static int note_use(struct call *c, int64_t now)
{
    const struct store_ops *db = c->a->store->ops;
    int rc;

    if (now - c->api.used < LOGIN_SEEN_S && strcmp(c->api.source, c->source) == 0)
        return 0;
    rc = db->begin(c->a->store, &c->f);
    if (rc == 0)
        rc = db->token_used(c->a->store, c->api.id, now, c->source, &c->f);
    if (rc == 0)
        return db->commit(c->a->store, &c->f);
    db->rollback(c->a->store);
    return rc;
}

/* So many requests are no program's that is well: it has to wait, and the audit says so once. */
static int check_rate(struct call *c, int64_t now)
{
    struct audit_event e;
    bool first;
    int64_t wait = throttle_request(c->a->throttle, c->api.id, now, &first);

    if (wait == 0)
        return 0;
    if (first) {
        audit_of(c, 0, &e);
        e.kind = AUDIT_ACCOUNT_REFUSED;
        snprintf(e.reason, sizeof(e.reason), "too-many");
        snprintf(e.detail, sizeof(e.detail), "token=%s", c->api.name);
        admin_store_audit(c->a, &e, 1);
    }
    return fault_set(&c->f, PRA_EAGAIN, "too many requests with this token: go on in %lld s",
                     (long long)wait);
}

int token_identify(struct call *c, const json_t *value)
{
    const struct store_ops *db = c->a->store->ops;
    const char *text = json_string_value(value);
    const size_t prefix = strlen(API_TOKEN_PREFIX);
    uint8_t token[TOKEN_LEN], hash[STORE_HASH_LEN];
    int64_t now = os_time_now();
    size_t len = 0;
    int rc;

    if (text == NULL || json_string_length(value) != prefix + 2 * TOKEN_LEN ||
        strncmp(text, API_TOKEN_PREFIX, prefix) != 0 ||
        crypto_hex_decode(text + prefix, 2 * TOKEN_LEN, token, sizeof(token), &len) != 0)
        return not_good(c);
    rc = crypto_sha256(token, sizeof(token), hash);
    crypto_wipe(token, sizeof(token));
    if (rc != 0)
        return fault_set(&c->f, rc, "%s", err_text(rc));
    rc = db->token_get(c->a->store, hash, &c->api, &c->f);
    if (rc == 0)
        rc = db->account_by_id(c->a->store, c->api.account, &c->account, &c->f);
    if (rc == PRA_ENOENT)
        return not_good(c);
    if (rc != 0)
        return rc;
    if (now >= c->api.expires || now < c->api.created || !account_live(&c->account, now))
        return not_good(c);
    rc = check_rate(c, now);
    return rc != 0 ? rc : note_use(c, now);
}

/* ---- operations --------------------------------------------------------------------------------- */

static json_t *words_json(const char *list)
{
    json_t *words = json_array();

    for (size_t len; *list != '\0'; list += len, list += strspn(list, " ")) {
        len = strcspn(list, " ");
        json_array_append_new(words, json_stringn(list, len));
    }
    return words;
}

static json_t *token_json(const struct store_token *t)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "id", (json_int_t)t->id,
                     "account", json_text(t->account_name), "name", json_text(t->name), "scopes",
                     words_json(t->scopes), "state",
                     os_time_now() < t->expires ? "active" : "expired", "created",
                     json_when(t->created), "expires", json_when(t->expires), "used",
                     json_when(t->used), "source", json_text_or_null(t->source));
}

static int count_token(const struct store_token *t, void *ctx)
{
    (void)t;
    ++*(unsigned *)ctx;
    return 0;
}

/* Shown this once: "pra_" and 256 random bits. */
static int give_token(struct call *c, struct store_token *t)
{
    char text[sizeof(API_TOKEN_PREFIX) + 2 * TOKEN_LEN] = API_TOKEN_PREFIX;
    uint8_t token[TOKEN_LEN];
    json_t *result;
    int rc;

    crypto_random(token, sizeof(token));
    crypto_hex_encode(token, sizeof(token), text + strlen(API_TOKEN_PREFIX));
    rc = crypto_sha256(token, sizeof(token), t->hash);
    if (rc == 0)
        rc = c->a->store->ops->token_add(c->a->store, t, &t->id, &c->f);
    if (rc == PRA_EEXIST)
        rc = fault_set(&c->f, rc, "name: you have a token '%s' already", t->name);
    if (rc == 0) {
        result = token_json(t);
        json_object_set_new(result, "token", json_string(text));
        rc = give(c, result);
    }
    crypto_wipe(token, sizeof(token));
    crypto_wipe(text, sizeof(text));
    return rc;
}

int op_token_add(struct call *c)
{
    struct store_token t = {.account = c->account.id, .created = os_time_now()};
    int64_t days = arg_int(c, "days");
    const char *name = arg_text(c, "name");
    struct store *s = c->a->store;
    unsigned count = 0;
    int rc = check_name(c, "name", name);

    if (rc == 0)
        rc = take_scopes(c, t.scopes);
    if (rc == 0 && days < 1)
        rc =
            fault_set(&c->f, PRA_EINVAL, "days: must be a number from 1 to %d", API_TOKEN_DAYS_MAX);
    if (rc == 0)
        rc = account_prove(c);
    if (rc == 0)
        rc = s->ops->token_each(s, c->account.id, count_token, &count, &c->f);
    if (rc == 0 && count >= API_TOKENS_MAX)
        rc = fault_set(&c->f, PRA_EINVAL, "name: you have %d tokens: revoke one first",
                       API_TOKENS_MAX);
    if (rc != 0)
        return rc;
    t.expires = t.created + days * 86400;
    snprintf(t.name, sizeof(t.name), "%s", name);
    snprintf(t.account_name, sizeof(t.account_name), "%s", c->account.name);
    return give_token(c, &t);
}

static int list_token(const struct store_token *t, void *ctx)
{
    return json_array_append_new(ctx, token_json(t)) == 0 ? 0 : PRA_ENOMEM;
}

/* One's own; the console sees everybody's. */
int op_token_list(struct call *c)
{
    json_t *list = json_array();
    int rc = c->a->store->ops->token_each(c->a->store, c->account.id, list_token, list, &c->f);

    if (rc == 0)
        return give(c, list);
    json_decref(list);
    return rc;
}

struct wanted {
    int64_t id;
    struct store_token found;
};

static int find_token(const struct store_token *t, void *ctx)
{
    struct wanted *w = ctx;

    if (t->id == w->id)
        w->found = *t;
    return 0;
}

int op_token_revoke(struct call *c)
{
    struct wanted w = {.id = arg_int(c, "id")};
    struct store *s = c->a->store;
    int rc = s->ops->token_each(s, c->account.id, find_token, &w, &c->f);

    if (rc == 0 && w.found.id == 0)
        rc = fault_set(&c->f, PRA_ENOENT, "id: there is no such token");
    if (rc == 0)
        rc = s->ops->token_delete(s, w.id, &c->f);
    return rc != 0 ? rc : give(c, token_json(&w.found));
}
