/* The door to OpenSSL against the test vectors of the RFCs and of NIST. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Hexadecimal to bytes; two buffers of a test never hold more. */
static size_t bytes(const char *hex, uint8_t *dst, size_t cap)
{
    size_t len;

    assert_int_equal(crypto_hex_decode(hex, strlen(hex), dst, cap, &len), 0);
    return len;
}

static void assert_hex(const void *data, size_t len, const char *hex)
{
    char text[600];

    assert_true(len * 2 < sizeof(text));
    crypto_hex_encode(data, len, text);
    assert_string_equal(text, hex);
}

static void sha256_of_fips_180(void **state)
{
    uint8_t out[32];

    (void)state;
    assert_int_equal(crypto_sha256("", 0, out), 0);
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(crypto_sha256("abc", 3, out), 0);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hmac_of_rfc_4231(void **state)
{
    uint8_t key[131];
    uint8_t data[50];
    uint8_t out[32];
    const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";

    (void)state;
    memset(key, 0x0b, 20);
    assert_int_equal(crypto_hmac(key, 20, "Hi There", 8, out), 0);
    assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_int_equal(crypto_hmac("Jefe", 4, "what do ya want for nothing?", 28, out), 0);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    memset(data, 0xdd, sizeof(data));
    assert_int_equal(crypto_hmac(key, 20, data, 50, out), 0);
    assert_hex(out, 32, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    assert_int_equal(crypto_hmac(key, 131, text, strlen(text), out), 0);
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_int_equal(crypto_hmac(NULL, 0, "", 0, out), 0);
    assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hkdf_of_rfc_5869(void **state)
{
    uint8_t ikm[80];
    uint8_t salt[80];
    uint8_t info[80];
    uint8_t out[82];

    (void)state;
    memset(ikm, 0x0b, 22);
    bytes("000102030405060708090a0b0c", salt, sizeof(salt));
    bytes("f0f1f2f3f4f5f6f7f8f9", info, sizeof(info));
    assert_int_equal(crypto_hkdf(ikm, 22, salt, 13, info, 10, out, 42), 0);
    assert_hex(out, 42,
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
               "34007208d5b887185865");
    assert_int_equal(crypto_hkdf(ikm, 22, NULL, 0, NULL, 0, out, 42), 0);
    assert_hex(out, 42,
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
               "9d201395faa4b61a96c8");
    for (uint8_t i = 0; i < 80; i++) {
        ikm[i] = i;
        salt[i] = (uint8_t)(0x60 + i);
        info[i] = (uint8_t)(0xb0 + i);
    }
    assert_int_equal(crypto_hkdf(ikm, 80, salt, 80, info, 80, out, 82), 0);
    assert_hex(out, 82,
               "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
               "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
               "cc30c58179ec3e87c14c01d5c1f3434f1d87");
    assert_int_equal(crypto_hkdf(ikm, 80, NULL, 0, NULL, 0, out, 0), PRA_ECRYPTO);
}

static void hkdf_gives_no_more_than_255_blocks(void **state)
{
    uint8_t *out = malloc(255 * 32 + 1);

    (void)state;
    assert_non_null(out);
    assert_int_equal(crypto_hkdf("k", 1, NULL, 0, NULL, 0, out, 255 * 32), 0);
    assert_int_equal(crypto_hkdf("k", 1, NULL, 0, NULL, 0, out, 255 * 32 + 1), PRA_ECRYPTO);
    free(out);
}

static void scrypt_of_rfc_7914(void **state)
{
    uint8_t out[64];

    (void)state;
    assert_int_equal(crypto_scrypt("", 0, "", 0, 4, 1, 1, out, 64), 0);
    assert_hex(out, 64,
               "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
               "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
    assert_int_equal(crypto_scrypt("password", 8, "NaCl", 4, 10, 8, 16, out, 64), 0);
    assert_hex(out, 64,
               "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
               "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
    assert_int_equal(crypto_scrypt("pleaseletmein", 13, "SodiumChloride", 14, 14, 8, 1, out, 64),
                     0);
    assert_hex(out, 64,
               "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
               "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
}

static void scrypt_refuses_costs_out_of_bounds(void **state)
{
    static const unsigned bad[][3] = {{0, 8, 1},   {25, 8, 1}, {64, 8, 1}, {14, 0, 1},
                                      {14, 65, 1}, {14, 8, 0}, {14, 8, 65}};
    uint8_t out[32] = {0};
    const uint8_t zero[32] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(crypto_scrypt("x", 1, "y", 1, bad[i][0], bad[i][1], bad[i][2], out, 32),
                         PRA_ECRYPTO);
    assert_memory_equal(out, zero, 32);
}

struct gcm_vector {
    const char *key, *iv, *aad, *plain, *cipher, *tag;
};

/* Test cases 13, 14 and 16 of the GCM specification that NIST took over. */
static const struct gcm_vector gcm_vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void gcm_of_nist(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(gcm_vectors); i++) {
        const struct gcm_vector *v = &gcm_vectors[i];
        uint8_t key[32], iv[12], aad[20], text[60], tag[16];
        size_t aad_len, len;

        bytes(v->key, key, sizeof(key));
        bytes(v->iv, iv, sizeof(iv));
        aad_len = bytes(v->aad, aad, sizeof(aad));
        len = bytes(v->plain, text, sizeof(text));
        assert_int_equal(crypto_gcm_seal(key, iv, aad, aad_len, text, len, text, tag), 0);
        assert_hex(text, len, v->cipher);
        assert_hex(tag, 16, v->tag);
        assert_int_equal(crypto_gcm_open(key, iv, aad, aad_len, text, len, tag, text), 0);
        assert_hex(text, len, v->plain);
    }
}

static void gcm_open_detects_every_flipped_bit(void **state)
{
    uint8_t key[32] = {1}, iv[12] = {2}, tag[16], cipher[24], out[24];
    const uint8_t zero[24] = {0};

    (void)state;
    assert_int_equal(
        crypto_gcm_seal(key, iv, "aad", 3, "twenty-four bytes of it!", 24, cipher, tag), 0);
    for (size_t bit = 0; bit < (24 + 16) * 8; bit++) {
        uint8_t *byte = bit < 24 * 8 ? &cipher[bit / 8] : &tag[bit / 8 - 24];

        *byte ^= (uint8_t)(1u << bit % 8);
        memset(out, 0x77, sizeof(out));
        assert_int_equal(crypto_gcm_open(key, iv, "aad", 3, cipher, 24, tag, out), PRA_ECORRUPT);
        assert_memory_equal(out, zero, sizeof(out));
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(crypto_gcm_open(key, iv, "aae", 3, cipher, 24, tag, out), PRA_ECORRUPT);
    assert_int_equal(crypto_gcm_open(key, iv, "aad", 3, cipher, 24, tag, out), 0);
    assert_memory_equal(out, "twenty-four bytes of it!", 24);
}

static void ed25519_of_rfc_8032(void **state)
{
    static const struct {
        const char *secret, *pub, *message, *signature;
    } v[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
         "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
         "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(v); i++) {
        uint8_t secret[32], pub[CRYPTO_PUBLIC_MAX], message[4], sig[CRYPTO_SIGNATURE_MAX];
        size_t pub_len, len = bytes(v[i].message, message, sizeof(message));

        bytes(v[i].secret, secret, sizeof(secret));
        assert_int_equal(crypto_key_public(CRYPTO_ED25519, secret, pub, &pub_len), 0);
        assert_int_equal(pub_len, 32);
        assert_hex(pub, 32, v[i].pub);
        assert_int_equal(crypto_key_sign(CRYPTO_ED25519, secret, message, len, sig), 0);
        assert_hex(sig, 64, v[i].signature);
        assert_int_equal(crypto_key_verify(CRYPTO_ED25519, pub, 32, message, len, sig), 0);
    }
}

static void p256_of_rfc_6979(void **state)
{
    uint8_t secret[32], pub[CRYPTO_PUBLIC_MAX], sig[CRYPTO_SIGNATURE_MAX];
    size_t pub_len;

    (void)state;
    bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", secret, 32);
    assert_int_equal(crypto_key_public(CRYPTO_ECDSA_P256, secret, pub, &pub_len), 0);
    assert_int_equal(pub_len, 65);
    assert_hex(pub, 65,
               "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
               "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
    bytes("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
          "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
          sig, sizeof(sig));
    assert_int_equal(crypto_key_verify(CRYPTO_ECDSA_P256, pub, 65, "sample", 6, sig), 0);
    assert_int_equal(crypto_key_verify(CRYPTO_ECDSA_P256, pub, 65, "simple", 6, sig), PRA_ECORRUPT);
}

static void new_keys_sign_and_only_they_verify(void **state)
{
    static const enum crypto_key_type types[] = {CRYPTO_ED25519, CRYPTO_ECDSA_P256};

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        uint8_t secret[32], other[32], pub[CRYPTO_PUBLIC_MAX], other_pub[CRYPTO_PUBLIC_MAX];
        uint8_t sig[CRYPTO_SIGNATURE_MAX];
        size_t len;

        assert_int_equal(crypto_key_generate(types[i], secret), 0);
        assert_int_equal(crypto_key_generate(types[i], other), 0);
        assert_memory_not_equal(secret, other, 32);
        assert_int_equal(crypto_key_public(types[i], secret, pub, &len), 0);
        assert_int_equal(crypto_key_public(types[i], other, other_pub, &len), 0);
        assert_int_equal(crypto_key_sign(types[i], secret, "text", 4, sig), 0);
        assert_int_equal(crypto_key_verify(types[i], pub, len, "text", 4, sig), 0);
        assert_int_equal(crypto_key_verify(types[i], other_pub, len, "text", 4, sig), PRA_ECORRUPT);
        for (size_t bit = 0; bit < sizeof(sig) * 8; bit++) {
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(crypto_key_verify(types[i], pub, len, "text", 4, sig), PRA_ECORRUPT);
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void keys_that_are_none_are_refused(void **state)
{
    uint8_t secret[32] = {0}, pub[CRYPTO_PUBLIC_MAX] = {4}, sig[CRYPTO_SIGNATURE_MAX] = {0};
    size_t len = 7;

    (void)state;
    /* Zero, the order of the group and what lies above are no scalars. */
    assert_int_equal(crypto_key_public(CRYPTO_ECDSA_P256, secret, pub, &len), PRA_ECRYPTO);
    bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", secret, 32);
    assert_int_equal(crypto_key_public(CRYPTO_ECDSA_P256, secret, pub, &len), PRA_ECRYPTO);
    assert_int_equal(crypto_key_sign(CRYPTO_ECDSA_P256, secret, "x", 1, sig), PRA_ECRYPTO);
    memset(secret, 0xff, sizeof(secret));
    assert_int_equal(crypto_key_public(CRYPTO_ECDSA_P256, secret, pub, &len), PRA_ECRYPTO);
    assert_int_equal(len, 7);
    /* A point that is not on the curve, lengths and types that do not exist. */
    memset(pub, 1, sizeof(pub));
    pub[0] = 4;
    assert_int_equal(crypto_key_verify(CRYPTO_ECDSA_P256, pub, 65, "x", 1, sig), PRA_ECORRUPT);
    assert_int_equal(crypto_key_verify(CRYPTO_ECDSA_P256, pub, 33, "x", 1, sig), PRA_ECORRUPT);
    assert_int_equal(crypto_key_verify(CRYPTO_ED25519, pub, 31, "x", 1, sig), PRA_ECORRUPT);
    assert_int_equal(crypto_key_generate((enum crypto_key_type)9, secret), PRA_ECRYPTO);
    assert_int_equal(crypto_key_public((enum crypto_key_type)9, secret, pub, &len), PRA_ECRYPTO);
    assert_int_equal(crypto_key_sign((enum crypto_key_type)9, secret, "x", 1, sig), PRA_ECRYPTO);
}

static void base64_of_rfc_4648(void **state)
{
    static const char *const v[][2] = {{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="},
                                       {"fooba", "Zm9vYmE="},
                                       {"foobar", "Zm9vYmFy"}};

    (void)state;
    for (size_t i = 0; i < COUNT(v); i++) {
        char text[16];
        uint8_t back[8];
        size_t len = sizeof(back);

        crypto_base64_encode(v[i][0], strlen(v[i][0]), text);
        assert_string_equal(text, v[i][1]);
        assert_int_equal(crypto_base64_decode(text, strlen(text), back, &len), 0);
        assert_int_equal(len, strlen(v[i][0]));
        assert_memory_equal(back, v[i][0], len);
    }
}

static void base64_has_one_spelling(void **state)
{
    static const char *const bad[] = {"Zg=",  "Zg",    "Z",     "Zh==",     "Zm9=", "Zg==Zg==",
                                      "=Zg=", "Zg= =", "Zm 9v", "Zm9v\n",   "Zm9-", "Zm9_",
                                      "====", "Z===",  "Zm9v=", "Zm9vZg=\n"};
    uint8_t out[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        len = sizeof(out);
        if (crypto_base64_decode(bad[i], strlen(bad[i]), out, &len) != PRA_EINVAL)
            fail_msg("'%s' was decoded", bad[i]);
    }
    len = 2;
    assert_int_equal(crypto_base64_decode("Zm9v", 4, out, &len), PRA_ETOOBIG);
    len = 3;
    assert_int_equal(crypto_base64_decode("////", 4, out, &len), 0);
    assert_hex(out, 3, "ffffff");
}

static void hex_round_trip(void **state)
{
    uint8_t out[4];
    size_t len;

    (void)state;
    assert_int_equal(crypto_hex_decode("00fFaB7e", 8, out, 4, &len), 0);
    assert_int_equal(len, 4);
    assert_hex(out, 4, "00ffab7e");
    assert_int_equal(crypto_hex_decode("0", 1, out, 4, &len), PRA_EINVAL);
    assert_int_equal(crypto_hex_decode("0g", 2, out, 4, &len), PRA_EINVAL);
    assert_int_equal(crypto_hex_decode("0011223344", 10, out, 4, &len), PRA_ETOOBIG);
}

static void random_bytes_differ(void **state)
{
    uint8_t a[32], b[32];

    (void)state;
    crypto_random(a, sizeof(a));
    crypto_random(b, sizeof(b));
    assert_false(crypto_equal(a, b, sizeof(a)));
    memcpy(b, a, sizeof(a));
    assert_true(crypto_equal(a, b, sizeof(a)));
    b[31] ^= 1;
    assert_false(crypto_equal(a, b, sizeof(a)));
    crypto_wipe(a, sizeof(a));
    memset(b, 0, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
    crypto_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_fips_180),
        cmocka_unit_test(hmac_of_rfc_4231),
        cmocka_unit_test(hkdf_of_rfc_5869),
        cmocka_unit_test(hkdf_gives_no_more_than_255_blocks),
        cmocka_unit_test(scrypt_of_rfc_7914),
        cmocka_unit_test(scrypt_refuses_costs_out_of_bounds),
        cmocka_unit_test(gcm_of_nist),
        cmocka_unit_test(gcm_open_detects_every_flipped_bit),
        cmocka_unit_test(ed25519_of_rfc_8032),
        cmocka_unit_test(p256_of_rfc_6979),
        cmocka_unit_test(new_keys_sign_and_only_they_verify),
        cmocka_unit_test(keys_that_are_none_are_refused),
        cmocka_unit_test(base64_of_rfc_4648),
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(hex_round_trip),
        cmocka_unit_test(random_bytes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
