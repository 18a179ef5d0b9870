/*
 * Fuzz target: OpenSSH public key lines, as an administrator is handed them. A line that is taken
 * must be taken again when written from what was read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "keys/sshkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char line[SSHKEY_LINE_MAX];
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
    struct sshkey_public key;
    struct sshkey_public again;
    struct fault f = {0};
    int n;

    if (sshkey_parse_line((const char *)data, size, &key, &f) != 0) {
        if (f.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    if (sshkey_fingerprint(key.blob, key.blob_len, fingerprint) != 0 ||
        strlen(fingerprint) != strlen("SHA256:") + 43) {
        abort();
    }
    n = snprintf(line, sizeof(line), "%s ", key.type);
    crypto_base64_encode(key.blob, key.blob_len, line + n);
    n = (int)strlen(line);
    n += snprintf(line + n, sizeof(line) - (size_t)n, " %s\n", key.comment);
    if (sshkey_parse_line(line, (size_t)n, &again, &f) != 0 ||
        strcmp(again.comment, key.comment) != 0 || again.blob_len != key.blob_len ||
        memcmp(again.blob, key.blob, key.blob_len) != 0) {
        abort();
    }
    return 0;
}
