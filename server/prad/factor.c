/* Asking for a second factor, and what answers; see factor.h. */
#include "server/prad/factor_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"
#include "keys/sshkey.h"
#include "server/admin/factor.h"
#include "server/prad/auth.h"
#include "server/prad/keeper.h"
#include "server/prad/record.h"
#include "server/prad/session.h"
#include "server/prad/tunnel.h"

/* As in auth.c: message mode. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define PROMPT "Code of your authenticator app: "
/* How the PRA client's version line begins: it says hello, and reads words instead of sentences. */
#define PRA_BANNER "SSH-2.0-PRA_"
/* What the PRA client may answer instead of a code: "lease MACHINE TOKEN", "join SESSION TOKEN". */
#define LEASE_WORD "lease "
#define JOIN_WORD  "join "
#define TOKEN_LINE 160

struct factor_visit {
    /* What was signed for. */
    char user[POLICY_NAME_MAX + 1];
    uint8_t blob[SSHKEY_BLOB_MAX];
    size_t blob_len;
    int64_t key_id;
    uint64_t since_ms;
    bool pra;         /* by its version line; nothing hangs on it that a liar would gain by */
    bool prompted;    /* one answer may come */
    bool token_tried; /* a lease or a join: once is enough */
    ssh_message kept; /* the answer, until the keeper has looked at it */
    bool answered;    /* he has */
    struct factor_result result;
    struct factor_pass pass;
};

bool factor_wanted(const struct session *s, const struct policy_user *user,
                   const struct policy_key *key)
{
    /* Who has no rights is told so without a code. */
    if (!user->enabled || key->state != POLICY_KEY_ACTIVE)
        return false;
    if (user->factor == POLICY_FACTOR_INHERIT)
        return worker_config(s->worker)->second_factor;
    return user->factor == POLICY_FACTOR_REQUIRED;
}

/* ---- refusals ------------------------------------------------------------------------------ */

/* The end, with a word that the PRA client knows, or a sentence for people. */
static bool leave(struct session *s, const char *word, const char *sentence)
{
    bool pra = s->factor->pra;
    session_end(s, word, pra ? word : sentence);
    return false;
}

static bool leave_missing(struct session *s)
{
    record_session(s, AUDIT_LOGIN_REFUSED, "factor-missing", "");
    return leave(s, "factor-missing",
                 "a second factor is needed and none is set up: ask your administrator");
}

static bool leave_paused(struct session *s, const struct factor_result *r)
{
    char word[48], sentence[80], seconds[24];
    snprintf(seconds, sizeof(seconds), "%lld", (long long)r->wait);
    if (!r->told)
        record_session(s, AUDIT_LOGIN_REFUSED, "factor-paused", seconds);
    else
        counters_note(&s->worker->gateway->counters, AUDIT_LOGIN_REFUSED, "factor-paused");
    snprintf(word, sizeof(word), "factor-paused-%s", seconds);
    snprintf(sentence, sizeof(sentence), "too many wrong codes: try again in %s s", seconds);
    session_end(s, "factor-paused", s->factor->pra ? word : sentence);
    return false;
}

/* A client for people may ask its person again on this connection; ours makes another one. */
static bool refuse_code(struct session *s, ssh_message m, const char *word)
{
    if (!s->factor->pra)
        return auth_refuse(s, m, word);
    record_session(s, AUDIT_LOGIN_REFUSED, word, "");
    return leave(s, word, word);
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool is_pra(const struct session *s)
{
    const char *banner = ssh_get_clientbanner(s->ssh);
    return banner && strncmp(banner, PRA_BANNER, strlen(PRA_BANNER)) == 0;
}

/* Whoever has shown a registered key is no stranger that holds a place and says nothing. He is counted
   until the login is over, whatever he says next: forgetting is no way out of both counts. */
static void leave_place(struct session *s)
{
    struct gateway *g = s->worker->gateway;
    if (!s->place)
        return;
    if (atomic_fetch_add(&g->factor_waiting, 1) < FACTOR_WAITING_MAX) {
        s->factor_counted = true;
        startup_give(s->place);
        s->place = NULL;
    } else {
        atomic_fetch_sub(&g->factor_waiting, 1);
    }
}

bool factor_ask(struct session *s, ssh_message m, const struct policy_user *user,
                const struct policy_key *key)
{
    /* Each signature begins the person's time anew: as often as there are tries. */
    if (++s->factor_asked > (unsigned)worker_config(s->worker)->max_auth_tries) {
        session_end(s, "too-many-tries", "too many authentication failures");
        return false;
    }
    struct factor_visit *v = calloc(1, sizeof(*v));
    if (!v) {
        session_end(s, "out-of-memory", NULL);
        return false;
    }
    s->factor = v;
    v->pra = is_pra(s);
    v->since_ms = os_monotonic_ms();
    v->key_id = key->id;
    v->blob_len = key->blob_len;
    memcpy(v->blob, key->blob, key->blob_len);
    snprintf(v->user, sizeof(v->user), "%s", user->name);
    s->probation = false;
    leave_place(s);
    if (!user->has_factor)
        return leave_missing(s);
    ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_INTERACTIVE);
    ssh_message_auth_reply_success(m, 1);
    return session_alive(s);
}

static bool prompt(struct session *s, ssh_message m)
{
    const char *prompts[] = {PROMPT};
    char echo[] = {0};
    s->factor->prompted = true;
    ssh_message_auth_interactive_request(m, "", "", 1, prompts, echo);
    return session_alive(s);
}

/* ---- answers that need no person ------------------------------------------------------------ */

/* Cuts "WORD A B" behind the word: A to `dst`, and where B begins; NULL if it is none such. */
static const char *split(const char *text, char *dst, size_t cap)
{
    size_t len = strcspn(text, " ");
    if (text[len] == '\0' || len >= cap)
        return NULL;
    memcpy(dst, text, len);
    dst[len] = '\0';
    return text + len + 1;
}

static bool take_lease(struct session *s, const char *text)
{
    struct factor_visit *v = s->factor;
    struct factor_pass *p = &v->pass;
    const char *token = split(text, p->machine, sizeof(p->machine));
    if (!token || crypto_hash_hex(token, FACTOR_TOKEN_LEN, p->lease) != 0 ||
        factor_book_find(s->worker->gateway->leases, p->lease, v->key_id, p->machine, os_time_now(),
                         worker_config(s->worker)->second_factor_lease) == 0)
        return false;
    p->proof = FACTOR_BY_LEASE;
    p->has_lease = true;
    return true;
}

static bool take_join(struct session *s, const char *text)
{
    struct factor_pass *p = &s->factor->pass;
    const char *token = split(text, p->session, sizeof(p->session));
    if (!token ||
        !tunnel_expects(s->worker->gateway->live, &s->entry, p->session, token, os_monotonic_ms()))
        return false;
    p->proof = FACTOR_BY_JOIN;
    return true;
}

/* Lets the identity in that was signed for, if it is still good now. */
static bool let_in(struct session *s, ssh_message m, const char *how)
{
    struct factor_visit *v = s->factor;
    const struct policy *p = s->worker->policy;
    const struct policy_user *user = policy_find_user(p, v->user);
    const struct policy_key *key = policy_find_key(p, v->user, v->blob, v->blob_len);
    if (!user || !key || key->state == POLICY_KEY_REVOKED)
        return auth_refuse(s, m, !user ? "unknown-user" : !key ? "unknown-key" : "key-revoked");
    s->pass = malloc(sizeof(*s->pass));
    if (!s->pass) {
        session_end(s, "out-of-memory", NULL);
        return false;
    }
    *s->pass = v->pass;
    return auth_log_in(s, m, user, key, how);
}

/* A token that is not good is no wrong code: the person is asked, in the same exchange. */
static bool token(struct session *s, ssh_message m, const char *answer)
{
    struct factor_visit *v = s->factor;
    v->token_tried = true;
    if (strncmp(answer, JOIN_WORD, strlen(JOIN_WORD)) == 0) {
        if (take_join(s, answer + strlen(JOIN_WORD)))
            return let_in(s, m, "join");
    } else if (take_lease(s, answer + strlen(LEASE_WORD))) {
        return let_in(s, m, "lease");
    }
    v->pass = (struct factor_pass){0};
    return prompt(s, m);
}

/* ---- codes: to the keeper and back ---------------------------------------------------------- */

struct code_mail {
    struct mail mail;
    struct worker *worker;
    uint64_t connection;
    char user[POLICY_NAME_MAX + 1];
    char answer[FACTOR_ANSWER_MAX + 1];
    struct factor_result result;
};

/* On the session's worker. Only marks: session_run() calls libssh. */
static void on_checked(struct session *s, void *arg)
{
    struct code_mail *c = arg;
    if (s && s->phase == SESSION_LOGIN && s->factor && s->factor->kept) {
        s->factor->result = c->result;
        s->factor->answered = true;
        worker_wake(s->worker, s);
    }
    free(c);
}

static void on_code(struct mail *m, void *owner)
{
    struct code_mail *c = (struct code_mail *)m;
    if (owner)
        admin_factor_try(keeper_admin(owner), c->user, c->answer, os_time_now(), &c->result);
    crypto_wipe(c->answer, sizeof(c->answer));
    /* A session that hears nothing ends when its time is over. */
    if (!owner || worker_with_session(c->worker, c->connection, on_checked, c) != 0)
        free(c);
}

/* `answer` has at most FACTOR_ANSWER_MAX characters. */
static bool ask_keeper(struct session *s, ssh_message m, const char *answer)
{
    struct factor_visit *v = s->factor;
    struct code_mail *c = malloc(sizeof(*c));
    if (!c) {
        session_end(s, "out-of-memory", NULL);
        return false;
    }
    *c = (struct code_mail){.mail.deliver = on_code,
                            .worker = s->worker,
                            .connection = s->entry.connection,
                            .result.answer = FACTOR_FAILED};
    snprintf(c->user, sizeof(c->user), "%s", v->user);
    memcpy(c->answer, answer, strnlen(answer, FACTOR_ANSWER_MAX));
    v->kept = m;
    event_del(&s->io_read);
    keeper_post(s->worker->gateway->keeper, &c->mail);
    return true;
}

static bool judged(struct session *s, ssh_message m)
{
    const struct factor_result *r = &s->factor->result;
    s->factor->pass.changes = r->changes;
    switch (r->answer) {
    case FACTOR_CODE:
        return let_in(s, m, "code");
    case FACTOR_RECOVERY:
        return let_in(s, m, "recovery-code");
    case FACTOR_WRONG:
        return refuse_code(s, m, "factor-wrong");
    case FACTOR_USED:
        return refuse_code(s, m, "factor-used");
    case FACTOR_LATE:
        return refuse_code(s, m, "factor-late");
    case FACTOR_PAUSED:
        return leave_paused(s, r);
    case FACTOR_MISSING:
        return leave_missing(s);
    default:
        record_session(s, AUDIT_LOGIN_REFUSED, "factor-failed", "");
        return leave(s, "factor-failed", "the gateway cannot check codes now: try again later");
    }
}

bool factor_waits(const struct session *s)
{
    return s->factor && s->factor->kept && !s->factor->answered;
}

bool factor_keeps(const struct session *s, ssh_message m)
{
    return s->factor && s->factor->kept == m;
}

bool factor_go_on(struct session *s)
{
    struct factor_visit *v = s->factor;
    if (!v->answered)
        return true;
    ssh_message m = v->kept;
    v->kept = NULL;
    v->answered = false;
    bool alive = false;
    if (event_add(&s->io_read, NULL) != 0)
        session_end(s, "out-of-memory", NULL);
    else
        alive = judged(s, m);
    ssh_message_free(m);
    return alive;
}

/* ---- the exchange --------------------------------------------------------------------------- */

/* Moves the one answer out of libssh, which would keep it as long as the session lasts: a lease is good
   for hours. False: there is none, or more, or it is too long for anything. */
static bool take_answer(struct session *s, char text[TOKEN_LINE])
{
    const char *given = ssh_userauth_kbdint_getnanswers(s->ssh) == 1
                            ? ssh_userauth_kbdint_getanswer(s->ssh, 0)
                            : NULL;
    size_t len = given ? strlen(given) : TOKEN_LINE;
    if (len < TOKEN_LINE)
        memcpy(text, given, len + 1);
    if (given)
        crypto_wipe((void *)(uintptr_t)given, len);
    return len < TOKEN_LINE;
}

static bool serve_answer(struct session *s, ssh_message m, const char *text)
{
    struct factor_visit *v = s->factor;
    size_t len = strlen(text);
    bool is_token = strncmp(text, LEASE_WORD, strlen(LEASE_WORD)) == 0 ||
                    strncmp(text, JOIN_WORD, strlen(JOIN_WORD)) == 0;
    if (is_token && !v->token_tried)
        return token(s, m, text);
    if (len == 0 && v->pra) /* has nobody to ask just now: no try, and no record */
        return leave(s, "factor-code", "a code is needed");
    if (len == 0 || len > FACTOR_ANSWER_MAX || is_token)
        return refuse_code(s, m, "factor-wrong");
    return ask_keeper(s, m, text);
}

static bool answer(struct session *s, ssh_message m)
{
    char text[TOKEN_LINE];
    s->factor->prompted = false;
    if (!take_answer(s, text))
        return refuse_code(s, m, "factor-wrong");
    bool alive = serve_answer(s, m, text);
    crypto_wipe(text, sizeof(text));
    return alive;
}

bool factor_expects(const struct session *s, ssh_message m)
{
    const char *user = ssh_message_auth_user(m);
    if (!s->factor)
        return false;
    if (ssh_message_auth_kbdint_is_response(m))
        return s->factor->prompted;
    return user && strcmp(user, s->factor->user) == 0;
}

bool factor_message(struct session *s, ssh_message m)
{
    return ssh_message_auth_kbdint_is_response(m) ? answer(s, m) : prompt(s, m);
}

static void drop_visit(struct session *s)
{
    struct factor_visit *v = s->factor;
    s->factor = NULL;
    ssh_message_free(v->kept);
    crypto_wipe(v, sizeof(*v));
    free(v);
}

void factor_forget(struct session *s)
{
    if (!s->factor)
        return;
    drop_visit(s);
    ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_PUBLICKEY);
}

uint64_t factor_since(const struct session *s)
{
    return s->factor->since_ms;
}

void factor_end(struct session *s)
{
    if (s->factor)
        drop_visit(s);
    if (s->factor_counted)
        atomic_fetch_sub(&s->worker->gateway->factor_waiting, 1);
    s->factor_counted = false;
}

/* ---- afterwards ----------------------------------------------------------------------------- */

bool factor_allows_hello(struct session *s, const char *machine)
{
    const struct factor_pass *p = s->pass;
    if (!p || p->proof == FACTOR_BY_CODE)
        return true;
    if (p->proof == FACTOR_BY_LEASE && strcmp(p->machine, machine) == 0)
        return true;
    if (p->has_lease)
        factor_book_drop(s->worker->gateway, p->lease);
    return false;
}

bool factor_allows_join(const struct session *s, const char *session)
{
    const struct factor_pass *p = s->pass;
    return !p || p->proof != FACTOR_BY_JOIN || strcmp(p->session, session) == 0;
}

bool factor_give_lease(struct session *s, const char *machine, char token[FACTOR_TOKEN_TEXT])
{
    long seconds = worker_config(s->worker)->second_factor_lease;
    struct factor_pass *p = s->pass;
    uint8_t secret[FACTOR_TOKEN_LEN];
    if (!p || p->proof != FACTOR_BY_CODE || p->has_lease || seconds == 0 || s->restricted)
        return false;
    struct store_lease l = {
        .key_id = s->key_id, .made = os_time_now(), .expires = os_time_now() + seconds};
    crypto_random(secret, sizeof(secret));
    p->has_lease = crypto_sha256(secret, sizeof(secret), l.hash) == 0;
    if (p->has_lease) {
        snprintf(l.machine, sizeof(l.machine), "%s", machine);
        memcpy(p->lease, l.hash, sizeof(p->lease));
        crypto_hex_encode(secret, sizeof(secret), token);
        factor_book_keep(s->worker->gateway, s->entry.user, &l, p->changes);
    }
    crypto_wipe(secret, sizeof(secret));
    return p->has_lease;
}

void factor_bye(struct session *s)
{
    if (s->pass && s->pass->has_lease && !s->entry.secondary)
        factor_book_drop(s->worker->gateway, s->pass->lease);
}
