/* Login; see auth.h. */
#include "server/prad/auth.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/log.h"
#include "keys/sshkey.h"
#include "server/prad/enroll.h"
#include "server/prad/factor.h"
#include "server/prad/record.h"

/* libssh marks these accessors of message mode as deprecated in favour of callbacks, which cannot
   hold a request open; see session.h. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

bool auth_refuse(struct session *s, ssh_message m, const char *reason)
{
    record_session(s, AUDIT_LOGIN_REFUSED, reason, "");
    s->auth_tries++;
    if (s->probation || s->auth_tries >= (unsigned)worker_config(s->worker)->max_auth_tries) {
        session_end(s, "too-many-tries", "too many authentication failures");
        return false;
    }
    ssh_message_reply_default(m);
    return session_alive(s);
}

/* Who tries, for the audit of a refusal; session_login() sets the real ones. */
static void note_claim(struct session *s, const char *user, const uint8_t *blob, size_t len)
{
    log_escape(s->entry.user, sizeof(s->entry.user), user, strlen(user));
    s->entry.device[0] = '\0';
    if (len > 0 && sshkey_fingerprint(blob, len, s->entry.device) != 0)
        s->entry.device[0] = '\0';
}

/* The wire blob of a key; 0 bytes if libssh cannot give it. */
static size_t export_blob(ssh_key key, uint8_t blob[SSHKEY_BLOB_MAX])
{
    char *text = NULL;
    size_t len = SSHKEY_BLOB_MAX;
    if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
        return 0;
    if (crypto_base64_decode(text, strlen(text), blob, &len) != 0)
        len = 0;
    ssh_string_free_char(text);
    return len;
}

bool auth_log_in(struct session *s, ssh_message m, const struct policy_user *user,
                 const struct policy_key *key, const char *how)
{
    if (!session_login(s, user, key)) {
        record_session(s, AUDIT_LOGIN_REFUSED, "session-limit", "");
        session_end(s, "session-limit", "too many sessions of this user");
        return false;
    }
    record_session(s, AUDIT_LOGIN, s->restricted ? session_restriction(s) : how, s->entry.version);
    factor_end(s);
    ssh_message_auth_reply_success(m, 0);
    return session_alive(s);
}

/* Fixed words that the client knows; they stand in the disconnect message. */
static bool turn_away(struct session *s, const char *word)
{
    record_session(s, AUDIT_LOGIN_REFUSED, word, "");
    s->auth_tries++;
    session_end(s, word, word);
    return false;
}

/* A PC that wants its key to be registered; see enroll.h. The code stands in no log. */
static bool enroll(struct session *s, ssh_message m, const uint8_t *blob, size_t len)
{
    enum ssh_publickey_state_e state = ssh_message_auth_publickey_state(m);
    const char *code = ssh_message_auth_user(m) + strlen(ENROLL_NAME);
    bool signed_by_it = state == SSH_PUBLICKEY_STATE_VALID;
    struct enroll_view view;
    note_claim(s, "enroll", blob, len);
    if (!signed_by_it && state != SSH_PUBLICKEY_STATE_NONE)
        return auth_refuse(s, m, "wrong-signature");
    if (len == 0)
        return auth_refuse(s, m, "unknown-key");
    switch (enroll_check(s->worker->gateway->enroll, code, &s->entry.source, signed_by_it, &view)) {
    case ENROLL_WRONG:
        return turn_away(s, "enroll-code");
    case ENROLL_MANY:
        return turn_away(s, "enroll-many");
    default:
        break;
    }
    if (!signed_by_it) {
        ssh_message_auth_reply_pk_ok_simple(m);
        return session_alive(s);
    }
    if (!enroll_login(s, &view, blob, len))
        return turn_away(s, "enroll-key");
    factor_end(s);
    ssh_message_auth_reply_success(m, 0);
    return session_alive(s);
}

static bool publickey(struct session *s, ssh_message m)
{
    uint8_t blob[SSHKEY_BLOB_MAX];
    const char *name = ssh_message_auth_user(m);
    ssh_key offered = ssh_message_auth_pubkey(m);
    enum ssh_publickey_state_e state = ssh_message_auth_publickey_state(m);
    size_t len = offered ? export_blob(offered, blob) : 0;
    factor_forget(s);
    if (strncmp(name, ENROLL_NAME, strlen(ENROLL_NAME)) == 0)
        return enroll(s, m, blob, len);
    note_claim(s, name, blob, len);

    const struct policy *p = s->worker->policy;
    const struct policy_user *user = policy_find_user(p, name);
    const struct policy_key *key = user && len > 0 ? policy_find_key(p, name, blob, len) : NULL;
    if (state != SSH_PUBLICKEY_STATE_NONE && state != SSH_PUBLICKEY_STATE_VALID)
        return auth_refuse(s, m, "wrong-signature");
    if (!key)
        return auth_refuse(s, m, user ? "unknown-key" : "unknown-user");
    if (key->state == POLICY_KEY_REVOKED)
        return auth_refuse(s, m, "key-revoked");
    if (state == SSH_PUBLICKEY_STATE_VALID)
        return factor_wanted(s, user, key) ? factor_ask(s, m, user, key)
                                           : auth_log_in(s, m, user, key, "");
    ssh_message_auth_reply_pk_ok_simple(m);
    return session_alive(s);
}

static bool authenticate(struct session *s, ssh_message m)
{
    const char *user = ssh_message_auth_user(m);
    switch (ssh_message_subtype(m)) {
    case SSH_AUTH_METHOD_PUBLICKEY:
        if (user)
            return publickey(s, m);
        break;
    case SSH_AUTH_METHOD_INTERACTIVE:
        if (factor_expects(s, m))
            return factor_message(s, m);
        factor_forget(s);
        break;
    case SSH_AUTH_METHOD_NONE:
        if (!s->asked_methods) { /* how clients ask what is offered */
            s->asked_methods = true;
            ssh_message_reply_default(m);
            return session_alive(s);
        }
        break;
    default:
        break;
    }
    bool enrols = user && strncmp(user, ENROLL_NAME, strlen(ENROLL_NAME)) == 0;
    note_claim(s, enrols ? "enroll" : user ? user : "", NULL, 0);
    return auth_refuse(s, m, "method");
}

static bool service(struct session *s, ssh_message m)
{
    const char *name = ssh_message_service_service(m);
    if (!name || strcmp(name, "ssh-userauth") != 0) {
        session_end(s, "protocol-error", "unknown service");
        return false;
    }
    ssh_message_service_reply_success(m);
    return session_alive(s);
}

bool auth_message(struct session *s, ssh_message m)
{
    bool going_on;
    switch (ssh_message_type(m)) {
    case SSH_REQUEST_AUTH:
        going_on = authenticate(s, m);
        break;
    case SSH_REQUEST_SERVICE:
        going_on = service(s, m);
        break;
    default: /* libssh lets nothing else through before login; if it did, this is the end */
        session_end(s, "protocol-error", "not logged in");
        going_on = false;
        break;
    }
    if (!factor_keeps(s, m))
        ssh_message_free(m);
    return going_on;
}
