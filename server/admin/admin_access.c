/*
 * Who asks, and what he may do: the only place that decides. A request with a token has the
 * rights of its account's role and no others, whoever sent it; one without has those of its peer:
 * pra-admin on the console everything, the portal nothing but to log somebody in.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"

static const char *const role_words[ROLE_COUNT] = {
#define X(id, word) [id] = word,
    ROLE_MAP(X)
#undef X
};

int role_of(const char *word)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(role_words[i], word) == 0)
            return i;
    }
    return -1;
}

const char *role_word(int role)
{
    return role >= 0 && role < ROLE_COUNT ? role_words[role] : "none";
}

static int log_in_again(struct call *c)
{
    return fault_set(&c->f, PRA_ECLOSED, "token: the log-in is over: log in again");
}

/* Text of a browser's address; only the portal knows one. */
static int take_source(struct call *c, const json_t *value)
{
    const char *text = json_string_value(value);
    struct addr_ip ip;

    if (value == NULL || json_is_null(value))
        return 0;
    if (!c->peer->portal || text == NULL ||
        addr_parse_ip(text, json_string_length(value), &ip) != 0)
        return fault_set(&c->f, PRA_EINVAL, "source: must be the browser's address");
    addr_format_ip(&ip, c->source);
    return 0;
}

static bool login_over(const struct store_login *l, int64_t now)
{
    if (now < l->created) /* the clock was set back */
        return true;
    if (!l->open)
        return now - l->created >= LOGIN_PENDING_S;
    return now - l->created >= LOGIN_LONGEST_S || now - l->seen >= LOGIN_IDLE_S;
}

/* Notes that the log-in is in use, now and then: not each request is worth a write. */
static int note_use(struct call *c, int64_t now)
{
    const struct store_ops *db = c->a->store->ops;
    int rc;

    if (!c->login.open || c->background || now - c->login.seen < LOGIN_SEEN_S)
        return 0;
    c->login.seen = now;
    rc = db->begin(c->a->store, &c->f);
    if (rc != 0)
        return rc;
    rc = db->login_set(c->a->store, &c->login, &c->f);
    if (rc == 0)
        return db->commit(c->a->store, &c->f);
    db->rollback(c->a->store);
    return rc;
}

static int find_login(struct call *c, const json_t *value)
{
    const struct store_ops *db = c->a->store->ops;
    const char *text = json_string_value(value);
    uint8_t token[TOKEN_LEN], hash[STORE_HASH_LEN];
    int64_t now = os_time_now();
    size_t len = 0;
    int rc;

    if (text == NULL || json_string_length(value) != 2 * TOKEN_LEN ||
        crypto_hex_decode(text, 2 * TOKEN_LEN, token, sizeof(token), &len) != 0)
        return log_in_again(c);
    rc = crypto_sha256(token, sizeof(token), hash);
    crypto_wipe(token, sizeof(token));
    if (rc != 0)
        return fault_set(&c->f, rc, "%s", err_text(rc));
    rc = db->login_get(c->a->store, hash, &c->login, &c->f);
    if (rc == 0)
        rc = db->account_by_id(c->a->store, c->login.account, &c->account, &c->f);
    if (rc != 0)
        c->login = (struct store_login){0};
    if (rc != 0)
        return rc == PRA_ENOENT ? log_in_again(c) : rc;
    if (login_over(&c->login, now) || !account_live(&c->account, now)) {
        c->login = (struct store_login){0};
        c->account = (struct store_account){0};
        return log_in_again(c);
    }
    return note_use(c, now);
}

/* What the browser kept of log-ins of before; like the source only the portal knows it. */
static int take_browsers(struct call *c, const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return 0;
    if (!c->peer->portal || !json_is_string(value) || json_string_length(value) > BROWSER_TEXT_MAX)
        return fault_set(&c->f, PRA_EINVAL, "browsers: must be what the browser kept");
    c->browsers = json_string_value(value);
    return 0;
}

struct throttle_who access_who(struct call *c, const char *name, const struct store_account *a)
{
    bool known = a != NULL && browser_known(c, a, c->browser);

    return (struct throttle_who){
        .account = name, .source = c->source, .browser = known ? c->browser : NULL};
}

/* Moves a member of the request to c->shown; NULL if it is not there, or null. */
static json_t *take_member(struct call *c, json_t *request, const char *name)
{
    json_t *value = json_object_get(request, name);

    if (value == NULL)
        return NULL;
    json_object_set(c->shown, name, value);
    json_object_del(request, name);
    return json_is_null(value) ? NULL : value;
}

static int identify(struct call *c, const json_t *token, const json_t *api_token)
{
    int rc, role;

    if (token == NULL && api_token == NULL) {
        c->who = c->peer->portal ? BY_NOBODY : BY_CONSOLE;
        return 0;
    }
    rc = api_token != NULL ? token_identify(c, api_token) : find_login(c, token);
    if (rc != 0)
        return rc;
    role = role_of(c->account.role);
    /* A role that a newer program wrote has no rights here. */
    c->who = c->api.id == 0 && !c->login.open ? BY_PENDING : role < 0 ? 0 : 1u << role;
    return 0;
}

/* What the portal says of itself comes from no browser, so it has no address. */
static bool of_portal_itself(const json_t *request)
{
    const char *op = json_string_value(json_object_get(request, "op"));

    return op != NULL && strcmp(op, "portal.certificate") == 0;
}

int access_identify(struct call *c, json_t *request)
{
    const json_t *api_token, *token, *background;
    int rc;

    c->shown = json_object();
    if (c->shown == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory");
    token = take_member(c, request, "token");
    api_token = take_member(c, request, "api-token");
    background = take_member(c, request, "background");
    c->background = json_is_true(background);
    rc = take_source(c, take_member(c, request, "source"));
    if (rc == 0)
        rc = take_browsers(c, take_member(c, request, "browsers"));
    if (rc == 0)
        rc = of_portal_itself(request) ? 0 : sources_check(c);
    return rc != 0 ? rc : identify(c, token, api_token);
}

/*
 * A batch compiles all rules anew, whatever is in it, so it is for those who may change something:
 * otherwise the portal, with nobody logged in, could keep prad's keeper busy.
 */
int access_check_batch(struct call *c)
{
    if (admin_may_change(c->who) && (c->api.id == 0 || token_may_change(&c->api)))
        return 0;
    if ((c->who & (BY_NOBODY | BY_PENDING)) != 0)
        return fault_set(&c->f, PRA_ECLOSED, "batch: log in first");
    return fault_set(&c->f, PRA_EACCES, "batch: the role %s may not do this", c->account.role);
}

int access_check(struct call *c)
{
    if ((c->op->who & c->who) != 0 && (c->api.id == 0 || token_may(&c->api, c->op)))
        return 0;
    if ((c->op->who & c->who) != 0)
        return fault_set(&c->f, PRA_EACCES, "%s: the token has no scope for this", c->op->name);
    if ((c->who & (BY_NOBODY | BY_PENDING)) != 0)
        return fault_set(&c->f, PRA_ECLOSED, "%s: log in first", c->op->name);
    if (c->who == BY_CONSOLE)
        return fault_set(&c->f, PRA_EACCES, "%s: only for an account that has logged in",
                         c->op->name);
    return fault_set(&c->f, PRA_EACCES, "%s: the role %s may not do this", c->op->name,
                     c->account.role);
}
