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

int access_identify(struct call *c, json_t *request)
{
    json_t *token = json_object_get(request, "token");
    int rc = take_source(c, json_object_get(request, "source"));

    if (rc != 0)
        return rc;
    c->background = json_is_true(json_object_get(request, "background"));
    json_object_del(request, "background");
    if (token == NULL || json_is_null(token)) {
        c->who = c->peer->portal ? BY_NOBODY : BY_CONSOLE;
    } else {
        int role;

        rc = find_login(c, token);
        if (rc != 0)
            return rc;
        role = role_of(c->account.role);
        /* A role that a newer program wrote has no rights here. */
        c->who = !c->login.open ? BY_PENDING : role < 0 ? 0 : 1u << role;
    }
    json_object_del(request, "token");
    json_object_del(request, "source");
    return 0;
}

/*
 * A batch compiles all rules anew, whatever is in it, so it is for those who may change something:
 * otherwise the portal, with nobody logged in, could keep prad's keeper busy.
 */
int access_check_batch(struct call *c)
{
    if (admin_may_change(c->who))
        return 0;
    if ((c->who & (BY_NOBODY | BY_PENDING)) != 0)
        return fault_set(&c->f, PRA_ECLOSED, "batch: log in first");
    return fault_set(&c->f, PRA_EACCES, "batch: the role %s may not do this", c->account.role);
}

int access_check(struct call *c)
{
    if ((c->op->who & c->who) != 0)
        return 0;
    if ((c->who & (BY_NOBODY | BY_PENDING)) != 0)
        return fault_set(&c->f, PRA_ECLOSED, "%s: log in first", c->op->name);
    if (c->who == BY_CONSOLE)
        return fault_set(&c->f, PRA_EACCES, "%s: only for an account that has logged in",
                         c->op->name);
    return fault_set(&c->f, PRA_EACCES, "%s: the role %s may not do this", c->op->name,
                     c->account.role);
}
