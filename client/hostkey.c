/* The pin of the gateway's host key; see hostkey.h. */
#include "client/hostkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/os.h"

const char *hostkey_server_name(const struct addr_host *host, uint16_t port,
                                char dst[ADDR_TEXT_MAX + 2])
{
    (void)snprintf(dst, ADDR_TEXT_MAX + 2, "[%s]:%u", host->name, port);
    return dst;
}

static int parse_pin(const char *text, struct hostkey_pin *out, struct fault *f)
{
    const char *space = strchr(text, ' ');
    struct sshkey_public key;
    size_t n;
    int rc;

    n = space != NULL ? (size_t)(space - text) : 0;
    if (n == 0 || n >= sizeof(out->server))
        return fault_set(f, PRA_ECORRUPT, "no server name in front of the key");
    rc = sshkey_parse_line(space + 1, strcspn(space + 1, "\r\n"), &key, f);
    if (rc != 0)
        return fault_wrap(f, PRA_ECORRUPT, "host key");
    memcpy(out->server, text, n);
    out->server[n] = '\0';
    return sshkey_fingerprint(key.blob, key.blob_len, out->fingerprint);
}

int hostkey_pin_read(const char *path, struct hostkey_pin *out, struct fault *f)
{
    char *text = NULL;
    size_t len = 0;
    int rc = os_file_read(path, SSHKEY_LINE_MAX, &text, &len, f);

    if (rc != 0)
        return rc == PRA_ETOOBIG ? PRA_ECORRUPT : rc;
    rc = parse_pin(text, out, f);
    free(text);
    return rc != 0 ? fault_wrap(f, rc, "%s", path) : 0;
}

/* The type name is the first string inside the blob (RFC 4253 6.6). */
static int type_name(const uint8_t *blob, size_t len, char *dst, size_t cap)
{
    size_t n;

    if (len < 4)
        return PRA_EINVAL;
    n = (size_t)blob[0] << 24 | (size_t)blob[1] << 16 | (size_t)blob[2] << 8 | blob[3];
    if (n == 0 || n > len - 4 || n >= cap)
        return PRA_EINVAL;
    memcpy(dst, blob + 4, n);
    dst[n] = '\0';
    return 0;
}

int hostkey_pin_write(const char *path, const char *server, const uint8_t *blob, size_t len,
                      struct fault *f)
{
    char type[SSHKEY_TYPE_MAX], key[4 * ((SSHKEY_BLOB_MAX + 2) / 3) + 1], line[SSHKEY_LINE_MAX];
    int n;

    if (len > SSHKEY_BLOB_MAX || type_name(blob, len, type, sizeof(type)) != 0)
        return fault_set(f, PRA_EINVAL, "the gateway's host key is malformed");
    crypto_base64_encode(blob, len, key);
    n = snprintf(line, sizeof(line), "%s %s %s\n", server, type, key);
    return os_file_replace(path, line, (size_t)n, 0600, f);
}

int hostkey_pin_forget(const char *path, struct fault *f)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

enum cause hostkey_judge(const char *configured, const struct hostkey_pin *pin, const char *server,
                         const char *accepted, const char *seen, bool *pin_it)
{
    bool pinned = pin != NULL && strcmp(pin->server, server) == 0;
    bool as_pinned = pinned && strcmp(pin->fingerprint, seen) == 0;

    *pin_it = false;
    if (given(configured)) {
        if (strcmp(configured, seen) != 0)
            return CAUSE_HOSTKEY_CHANGED;
        *pin_it = !as_pinned;
        return CAUSE_NONE;
    }
    if (pinned)
        return as_pinned ? CAUSE_NONE : CAUSE_HOSTKEY_CHANGED;
    if (given(accepted) && strcmp(accepted, seen) == 0) {
        *pin_it = true;
        return CAUSE_NONE;
    }
    return CAUSE_HOSTKEY_UNKNOWN;
}
