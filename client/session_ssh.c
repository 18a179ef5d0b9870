/*
 * From a connected socket to a running control channel: handshake, host key, login, subsystem.
 * One function per state; LIBSSH2_ERROR_EAGAIN means "call again when the socket is ready".
 */
#include "client/session_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel_internal.h"
#include "client/sock.h"
#include "common/crypto.h"
#include "common/i18n.h"

#define CONTROL_SUBSYSTEM "pra@v1"

#define GCM    "aes128-gcm@openssh.com,aes256-gcm@openssh.com"
#define CHACHA "chacha20-poly1305@openssh.com"

/*
 * Only algorithms without a known weakness. The ciphers have a MAC of their own, so that prefix
 * truncation (Terrapin) has little to work on: nothing with AES-GCM, and ChaCha20-Poly1305 is
 * refused with a server that does not know strict key exchange (libssh2 patch 21). The MACs are
 * never used with them, but the protocol wants the lists to meet (RFC 4253 7.1, RFC 5647 5.1).
 */
static const struct {
    int method;
    const char *list;
} algorithms[] = {
    {LIBSSH2_METHOD_KEX, "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
                         "ecdh-sha2-nistp384,ecdh-sha2-nistp521"},
    {LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
                             "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"},
    {LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com"},
    {LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com"},
    {LIBSSH2_METHOD_COMP_CS, "none"},
    {LIBSSH2_METHOD_COMP_SC, "none"},
};

/* The client's order decides (RFC 4253 7.1): the fastest on this machine first. */
static int prefer_ciphers(LIBSSH2_SESSION *ssh)
{
    const char *list = crypto_aes_is_fast() ? GCM "," CHACHA : CHACHA "," GCM;
    int rc = libssh2_session_method_pref(ssh, LIBSSH2_METHOD_CRYPT_CS, list);

    return rc != 0 ? rc : libssh2_session_method_pref(ssh, LIBSSH2_METHOD_CRYPT_SC, list);
}

static const char *no_gateway(void)
{
    return tr("it is an SSH server, but no PRA gateway",
              "SSH サーバですが、PRA のゲートウェイではありません");
}

/* Waits for what libssh2 waits for. Nothing named means that it wants to be called again. */
void session_wait_socket(struct session *s)
{
    int dirs = libssh2_session_block_directions(s->ssh), events = UV_READABLE;

    if (s->closed)
        return;
    if (dirs == 0 || (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0 ||
        libssh2_session_output_pending(s->ssh) > 0)
        events |= UV_WRITABLE;
    session_poll(s, events);
}

/* libssh2's words on its last error, or the gateway's when it said why it left. */
static const char *ssh_words(struct session *s, char *dst, size_t cap)
{
    char *text = NULL;
    int len = 0;

    (void)libssh2_session_last_error(s->ssh, &text, &len, 0);
    if (s->disconnect_text[0] != '\0')
        (void)snprintf(dst, cap, tr("the gateway says: %s", "ゲートウェイからの通知: %s"),
                       s->disconnect_text);
    else if (s->closed && s->io_error == 0)
        (void)snprintf(
            dst, cap, "%s",
            tr("the connection was closed on the other side", "相手側から切断されました"));
    else if (s->closed)
        (void)snprintf(dst, cap, "%s", sock_error_text(s->io_error));
    else
        (void)snprintf(dst, cap, "%s", text != NULL && len > 0 ? text : "unknown error");
    return dst;
}

static bool broke_off(const struct session *s, int rc)
{
    return s->closed || rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_SEND ||
           rc == LIBSSH2_ERROR_SOCKET_RECV;
}

void session_fail_ssh(struct session *s, int rc)
{
    char words[sizeof(s->detail)];
    enum cause cause = CAUSE_PROTOCOL;

    ssh_words(s, words, sizeof(words));
    if (rc == LIBSSH2_ERROR_ALLOC)
        cause = CAUSE_MEMORY;
    else if (broke_off(s, rc))
        cause = s->state == S_OPEN ? CAUSE_LOST : CAUSE_CUT;
    session_fail(s, cause, words);
}

static int set_up(struct session *s)
{
    int rc;

    if ((s->ssh = session_io_new(s)) == NULL)
        return LIBSSH2_ERROR_ALLOC;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        rc = libssh2_session_method_pref(s->ssh, algorithms[i].method, algorithms[i].list);
        if (rc != 0)
            return rc;
    }
    if ((rc = prefer_ciphers(s->ssh)) != 0)
        return rc;
    return libssh2_session_banner_set(s->ssh, "SSH-2.0-PRA_" PRA_VERSION);
}

static bool turned_away(const struct session *s)
{
    return s->first_len == sizeof(s->first) &&
           memcmp(s->first, SESSION_TURNED_AWAY, sizeof(s->first)) == 0;
}

/* Is what answered no SSH server at all? */
static bool not_ssh(const struct session *s)
{
    return s->first_len > 0 && memcmp(s->first, "SSH-", s->first_len) != 0;
}

/* The host key is judged before anything about this user is sent. */
static void check_host_key(struct session *s)
{
    struct session_host_key key = {0};
    enum cause cause;
    char what[80];
    int type = 0;

    key.blob = (const uint8_t *)libssh2_session_hostkey(s->ssh, &key.len, &type);
    if (key.blob == NULL || sshkey_fingerprint(key.blob, key.len, key.fingerprint) != 0) {
        session_fail(s, CAUSE_PROTOCOL,
                     tr("the gateway's host key cannot be read", "ホスト鍵を読み取れません"));
        return;
    }
    cause = s->events->host_key(s->owner, &key);
    if (cause != CAUSE_NONE) {
        session_fail(s, cause, key.fingerprint);
        return;
    }
    (void)snprintf(what, sizeof(what), "login cipher=%s",
                   libssh2_session_methods(s->ssh, LIBSSH2_METHOD_CRYPT_CS));
    s->events->phase(s->owner, what);
    session_enter(s, S_LOGIN, SESSION_LOGIN_MS);
}

void session_step_handshake(struct session *s)
{
    char words[sizeof(s->detail)];
    int rc = 0;

    if (s->ssh == NULL) {
        s->events->phase(s->owner, "handshake");
        rc = set_up(s);
        s->readable = s->writable = true; /* until the system says otherwise */
    }
    if (rc == 0)
        rc = libssh2_session_handshake(s->ssh, s->fd);
    if (turned_away(s)) {
        session_fail(s, CAUSE_TURNED_AWAY, "");
    } else if (not_ssh(s)) {
        session_fail(
            s, CAUSE_NOT_SSH,
            tr("what answers there is no SSH server", "応答したのは SSH サーバではありません"));
    } else if (rc == LIBSSH2_ERROR_EAGAIN) {
        session_wait_socket(s);
    } else if (rc == 0) {
        check_host_key(s);
    } else if (s->ssh != NULL && !broke_off(s, rc) &&
               (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE ||
                rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE)) {
        session_fail(s, CAUSE_ALGORITHMS, ssh_words(s, words, sizeof(words)));
    } else if (s->ssh == NULL) {
        session_fail(s, CAUSE_MEMORY, tr("out of memory", "メモリが足りません"));
    } else {
        session_fail_ssh(s, rc);
    }
}

/* Signs with the unsealed key; libssh2 frees the signature with the session's allocator. */
static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
    struct session *s = *abstract;
    uint8_t *made = NULL, *copy;
    size_t len = 0;

    (void)session;
    s->has_signed = true;
    if (key_sign(s->key, data, data_len, &made, &len) != 0)
        return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
    copy = session_io_alloc(s, len);
    if (copy != NULL)
        memcpy(copy, made, len);
    free(made);
    if (copy == NULL)
        return LIBSSH2_ERROR_ALLOC;
    *sig = copy;
    *sig_len = len;
    return 0;
}

/* The gateway's word when it turns away a PC that enrols (server/README.md). */
static enum cause enroll_refusal(const struct session *s)
{
    if (strcmp(s->disconnect_text, "enroll-code") == 0 ||
        strcmp(s->disconnect_text, "enroll-key") == 0)
        return CAUSE_ENROLL_CODE;
    return strcmp(s->disconnect_text, "enroll-many") == 0 ? CAUSE_ENROLL_MANY : CAUSE_NONE;
}

/* --- the second factor ------------------------------------------------------------------------ */

/* Without the number that may stand behind a last dash. */
static size_t word_length(const char *text)
{
    const char *dash = strrchr(text, '-');
    bool number =
        dash != NULL && dash[1] != '\0' && strspn(dash + 1, "0123456789") == strlen(dash + 1);

    return number ? (size_t)(dash - text) : strlen(text);
}

/* The gateway's words when it wants a code, or another one (server/README.md). */
static enum cause factor_refusal(const struct session *s)
{
    static const struct {
        const char *word;
        enum cause cause;
    } words[] = {{"factor-code", CAUSE_CODE_NEEDED},    {"factor-wrong", CAUSE_CODE_WRONG},
                 {"factor-used", CAUSE_CODE_USED},      {"factor-late", CAUSE_CODE_LATE},
                 {"factor-paused", CAUSE_CODE_PAUSED},  {"factor-failed", CAUSE_CODE_FAILED},
                 {"factor-missing", CAUSE_CODE_MISSING}};
    size_t len = word_length(s->disconnect_text);

    for (size_t i = 0; s->has_signed && i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i].word) == len && memcmp(words[i].word, s->disconnect_text, len) == 0)
            return words[i].cause;
    return CAUSE_NONE;
}

/* With the number behind the word: how long a pause is. */
static void fail_factor(struct session *s)
{
    const char *number = s->disconnect_text + word_length(s->disconnect_text);
    char detail[16];

    (void)snprintf(detail, sizeof(detail), "%.15s", number + (*number == '-'));
    session_fail(s, factor_refusal(s), detail);
}

/* One answer for each time that the gateway asks; an empty one says that nobody can be asked here. */
static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(respond)
{
    struct session *s = *abstract;
    char *given = s->answer[s->answer[0][0] != '\0' ? 0 : 1];

    (void)name;
    (void)name_len;
    (void)instruction;
    (void)instruction_len;
    (void)prompts;
    for (int i = 0; i < num_prompts; i++) {
        size_t len = i == 0 && num_prompts == 1 ? strlen(given) : 0;

        responses[i].text = session_io_alloc(s, len + 1);
        responses[i].length = 0;
        if (responses[i].text == NULL)
            continue;
        memcpy(responses[i].text, given, len);
        responses[i].length = (unsigned)len;
    }
    crypto_wipe(given, SESSION_ANSWER_MAX);
}

void session_step_code(struct session *s)
{
    int rc = libssh2_userauth_keyboard_interactive_ex(s->ssh, s->user, (unsigned)strlen(s->user),
                                                      respond);

    if (rc == LIBSSH2_ERROR_EAGAIN) {
        session_wait_socket(s);
    } else if (rc == 0) {
        s->events->phase(s->owner, "control channel");
        session_enter(s, S_CONTROL_OPEN, SESSION_CONTROL_MS);
    } else if (factor_refusal(s) != CAUSE_NONE) {
        fail_factor(s);
    } else if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED) {
        session_fail(s, CAUSE_UNREGISTERED, "");
    } else {
        session_fail_ssh(s, rc);
    }
}

void session_step_login(struct session *s)
{
    void *abstract = s;
    int rc = libssh2_userauth_publickey(s->ssh, s->user, s->blob, s->blob_len, sign, &abstract);

    if (rc == LIBSSH2_ERROR_EAGAIN) {
        session_wait_socket(s);
    } else if (rc == 0) {
        s->events->phase(s->owner, "control channel");
        session_enter(s, S_CONTROL_OPEN, SESSION_CONTROL_MS);
    } else if (enroll_refusal(s) != CAUSE_NONE) {
        session_fail(s, enroll_refusal(s), "");
    } else if (factor_refusal(s) != CAUSE_NONE) {
        fail_factor(s);
    } else if (rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED && s->has_signed && !s->closed) {
        /* The signature was good, or else the next step is refused as this one would have been:
           libssh2 does not tell a partial success from a refusal. */
        s->events->phase(s->owner, "second factor");
        session_enter(s, S_CODE, SESSION_CODE_MS);
    } else if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED ||
               (rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED && !s->closed &&
                s->disconnect_text[0] == '\0')) {
        session_fail(s, CAUSE_UNREGISTERED, "");
    } else {
        session_fail_ssh(s, rc);
    }
}

/* How long an answer takes when the gateway has nothing to think about: the control channel's. */
static void measure_round_trip(struct session *s)
{
    uint64_t took = uv_hrtime() / 1000 - s->asked_us;

    if (took < SESSION_ROUND_TRIP_MIN_US)
        took = SESSION_ROUND_TRIP_MIN_US;
    if (s->round_trip_us == 0 || took < s->round_trip_us)
        s->round_trip_us = took;
    s->asked_us = uv_hrtime() / 1000;
}

void session_step_control_open(struct session *s)
{
    char text[128] = "";
    uint32_t reason = 0;
    int rc = 0;

    if (s->control == NULL) {
        s->asked_us = uv_hrtime() / 1000;
        s->control = libssh2_channel_open_begin(s->ssh, "session", sizeof("session") - 1,
                                                CHANNEL_WINDOW_FIRST, CHANNEL_PACKET_MAX, NULL, 0);
        if (s->control == NULL)
            rc = libssh2_session_last_errno(s->ssh);
    }
    if (rc == 0)
        rc = libssh2_channel_open_finish(s->control, &reason, text, sizeof(text));
    if (rc == LIBSSH2_ERROR_EAGAIN) {
        session_wait_socket(s);
        return;
    }
    if (rc == 0) {
        measure_round_trip(s);
        session_enter(s, S_CONTROL_START, SESSION_CONTROL_MS);
        return;
    }
    if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE)
        session_fail(s, CAUSE_NO_CONTROL, no_gateway());
    else
        session_fail_ssh(s, rc);
}

void session_step_control_start(struct session *s)
{
    int rc = libssh2_channel_subsystem(s->control, CONTROL_SUBSYSTEM);

    if (rc == 0) {
        measure_round_trip(s);
        session_begin_open(s);
    } else if (rc == LIBSSH2_ERROR_EAGAIN) {
        session_wait_socket(s);
    } else if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
        session_fail(s, CAUSE_NO_CONTROL, no_gateway());
    } else {
        session_fail_ssh(s, rc);
    }
}
