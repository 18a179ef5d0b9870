/* Asking pra-passkey (passkey_check.h): one line of JSON in, one line of JSON out. */
#include "server/admin/passkey_check.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "server/sandbox/spawner.h"

#define ANSWER_MAX 8192

/* ---- the program -------------------------------------------------------------------------------- */

static int send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return PRA_EIO;
        text += n;
        len -= (size_t)n;
    }
    shutdown(fd, SHUT_WR);
    return 0;
}

/* Its whole answer, until it ends or the time is over. */
static int receive_all(int fd, char *dst, size_t cap, size_t *len)
{
    uint64_t end = os_monotonic_ms() + PASSKEY_TIMEOUT_MS;

    *len = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint64_t now = os_monotonic_ms();
        ssize_t n;

        if (now >= end || poll(&p, 1, (int)(end - now)) == 0)
            return PRA_ETIMEOUT;
        n = recv(fd, dst + *len, cap - *len, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < 0)
            return PRA_EIO;
        if (n == 0)
            return 0;
        *len += (size_t)n;
        if (*len == cap)
            return PRA_ETOOBIG;
    }
}

static int talk(const char *question, char *answer, size_t cap, size_t *len)
{
    int fds[2], life, rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return PRA_EIO;
    rc = spawner_run(SPAWNER_PASSKEY, fds[1], fds[1], &life);
    close(fds[1]);
    if (rc == 0) {
        rc = send_all(fds[0], question, strlen(question));
        if (rc == 0)
            rc = receive_all(fds[0], answer, cap, len);
        close(life); /* whatever it is at */
    }
    close(fds[0]);
    return rc;
}

/* Takes over `question`. Gives the answer, which says "ok": true; or the reason why not. */
static int ask(json_t *question, int refused, json_t **out, struct fault *f)
{
    char answer[ANSWER_MAX], *text = json_dumps(question, JSON_COMPACT);
    const char *why;
    size_t len = 0;
    int rc;

    json_decref(question);
    if (text == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory");
    rc = talk(text, answer, sizeof(answer), &len);
    free(text);
    *out = rc == 0 ? json_loadb(answer, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (*out == NULL) {
        log_event(LOG_ERROR, "passkey-check-failed", "error=%s",
                  err_name(rc != 0 ? rc : PRA_EINVAL));
        return fault_set(f, rc == PRA_ETIMEOUT ? rc : PRA_EIO, "passkeys cannot be checked now");
    }
    if (json_is_true(json_object_get(*out, "ok")))
        return 0;
    why = json_string_value(json_object_get(*out, "why"));
    rc = fault_set(f, refused, "passkey: %.100s", why == NULL ? "is not good" : why);
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* ---- questions ---------------------------------------------------------------------------------- */

static json_t *hex(const uint8_t *data, size_t len)
{
    char text[2 * PASSKEY_AUTH_DATA_MAX + 1];

    if (len > PASSKEY_AUTH_DATA_MAX)
        return NULL;
    crypto_hex_encode(data, len, text);
    return json_string(text);
}

static int bytes(const json_t *answer, const char *name, uint8_t *dst, size_t cap, size_t *len)
{
    const char *text = json_string_value(json_object_get(answer, name));

    return text == NULL ? PRA_EINVAL : crypto_hex_decode(text, strlen(text), dst, cap, len);
}

int passkey_read(const char *rp, const uint8_t *auth_data, size_t len, struct store_passkey *out,
                 struct fault *f)
{
    json_t *answer;
    int rc =
        ask(json_pack("{s:s, s:s, s:o}", "do", "read", "rp", rp, "auth-data", hex(auth_data, len)),
            PRA_EINVAL, &answer, f);

    if (rc != 0)
        return rc;
    rc =
        bytes(answer, "credential", out->credential, sizeof(out->credential), &out->credential_len);
    if (rc == 0)
        rc = bytes(answer, "key", out->key, sizeof(out->key), &out->key_len);
    out->algorithm = json_integer_value(json_object_get(answer, "algorithm"));
    out->counter = json_integer_value(json_object_get(answer, "counter"));
    json_decref(answer);
    return rc == 0 ? 0 : fault_set(f, PRA_EIO, "passkeys cannot be checked now");
}

int passkey_verify(const struct store_passkey *p, const uint8_t client_hash[STORE_HASH_LEN],
                   const uint8_t *auth_data, size_t len, const uint8_t *signature,
                   size_t signature_len, int64_t *counter, struct fault *f)
{
    json_t *answer;
    int rc = ask(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I}", "do", "verify", "rp", p->rp,
                           "client-hash", hex(client_hash, STORE_HASH_LEN), "auth-data",
                           hex(auth_data, len), "signature", hex(signature, signature_len), "key",
                           hex(p->key, p->key_len), "algorithm", (json_int_t)p->algorithm),
                 PRA_EPASSPHRASE, &answer, f);

    if (rc != 0)
        return rc;
    *counter = json_integer_value(json_object_get(answer, "counter"));
    json_decref(answer);
    return 0;
}
