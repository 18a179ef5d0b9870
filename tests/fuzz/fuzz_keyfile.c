/*
 * Fuzz target: the sealed key file. Each input is read as it is and once more with magic, version
 * and checksum mended, since no fuzzer finds those; what is read must survive encoding and an
 * attempt to open it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "keys/keyfile_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_image(const struct keyfile_image *img, const uint8_t *data, size_t size)
{
    static const uint8_t root[CRYPTO_KEY_LEN] = {1};
    uint8_t again[KEYFILE_ENCODED_MAX];
    uint8_t secret[CRYPTO_SECRET_LEN];
    struct keyfile_report report;
    struct machine m;
    char text[256];
    size_t len;
    bool all;

    if (keyfile_encode(img, again, &len) != 0 || len != size || memcmp(again, data, size) != 0) {
        abort();
    }
    memset(&m, 0, sizeof(m));
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        m.source[id] = MACHINE_DIRECT;
        m.value[id][0] = 'x';
    }
    if (keyfile_unseal(img, root, &m, secret, &report, &all) == 0) {
        abort();
    }
    memset(&report, 0xff, sizeof(report));
    memset(report.changed, 1, sizeof(report.changed));
    keyfile_describe_changes(&report, text, sizeof(text));
}

static void read_once(const uint8_t *data, size_t size)
{
    struct keyfile_image img;
    struct fault f = {0};

    if (keyfile_parse(data, size, &img, &f) == 0) {
        check_image(&img, data, size);
    } else if (f.text[0] == '\0') {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t begin[] = {0x89, 'P', 'R', 'A', 'K', 'E', 'Y', '\n', 0, KEYFILE_VERSION};
    uint8_t mended[KEYFILE_ENCODED_MAX + 64];

    read_once(data, size);
    if (size < sizeof(begin) + CRYPTO_SHA256_LEN || size > sizeof(mended)) {
        return 0;
    }
    memcpy(mended, data, size);
    memcpy(mended, begin, sizeof(begin));
    if (crypto_sha256(mended, size - CRYPTO_SHA256_LEN, mended + size - CRYPTO_SHA256_LEN) == 0) {
        read_once(mended, size);
    }
    return 0;
}
