/*
 * Fuzz target: what pra-passkey is asked - authenticator data of a new credential (CBOR), an
 * assertion with a key of each kind, and questions that are any JSON. Every answer says yes or no;
 * a yes to a new credential names it and its key, and an assertion that nobody signed is never good.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "server/passkey/passkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RP        "localhost"
#define BYTES_MAX 2048

static json_t *hex(const uint8_t *data, size_t len)
{
    char text[2 * BYTES_MAX + 1];

    crypto_hex_encode(data, len < BYTES_MAX ? len : BYTES_MAX, text);
    return json_string(text);
}

/* Authenticator data for our host name, so that it is read on. */
static json_t *for_us(const uint8_t *data, size_t size)
{
    uint8_t text[BYTES_MAX];
    size_t room = sizeof(text) - CRYPTO_SHA256_LEN, len = size < room ? size : room;

    if (crypto_sha256(RP, strlen(RP), text) != 0)
        abort();
    memcpy(text + CRYPTO_SHA256_LEN, data, len);
    return hex(text, CRYPTO_SHA256_LEN + len);
}

/* Base point of P-256, an Ed25519 point, and an odd number for RSA: keys that can be read. */
static json_t *key_of(int algorithm)
{
    static const char p256[] = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                               "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    uint8_t rsa[259];

    if (algorithm == -7)
        return json_string(p256);
    if (algorithm == -8)
        return json_string("5866666666666666666666666666666666666666666666666666666666666666");
    memset(rsa, 0xc5, sizeof(rsa));
    memcpy(rsa + 256, "\x01\x00\x01", 3);
    return hex(rsa, sizeof(rsa));
}

static json_t *assertion(const uint8_t *data, size_t size)
{
    static const int algorithms[] = {-7, -8, -257};
    int algorithm = algorithms[data[0] % 3];
    size_t auth = 1 + data[1] % size, signature = size - auth;

    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:i}", "do", "verify", "rp", RP, "client-hash",
                     hex((const uint8_t *)"01234567890123456789012345678901", 32), "auth-data",
                     for_us(data, auth), "signature", hex(data + auth, signature), "key",
                     key_of(algorithm), "algorithm", algorithm);
}

static void check(const json_t *answer, bool may_be_good)
{
    const json_t *ok = json_object_get(answer, "ok");

    if (!json_is_boolean(ok))
        abort();
    if (json_is_false(ok) && !json_is_string(json_object_get(answer, "why")))
        abort();
    if (json_is_true(ok) && (!may_be_good || !json_is_string(json_object_get(answer, "key")) ||
                             !json_is_string(json_object_get(answer, "credential"))))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *question, *answer;

    if (size < 4)
        return 0;
    switch (data[0] % 4) {
    case 0:
        question = json_pack("{s:s, s:s, s:o}", "do", "read", "rp", RP, "auth-data",
                             for_us(data + 1, size - 1));
        break;
    case 1:
        question = assertion(data + 1, size - 1);
        break;
    default:
        question = json_loadb((const char *)data + 1, size - 1, 0, NULL);
        break;
    }
    answer = passkey_answer(question);
    check(answer, data[0] % 4 != 1);
    json_decref(answer);
    json_decref(question);
    return 0;
}
