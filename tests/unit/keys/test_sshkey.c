/*
 * OpenSSH's formats against OpenSSH itself (ssh-keygen) and signatures against OpenSSL called
 * directly, so that neither side of our own code confirms the other.
 */
#include "tests/unit/keys/program.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "keys/key.h"
#include "keys/sshkey.h"

static int parse(const char *line, struct sshkey_public *out, struct fault *f)
{
    memset(f, 0, sizeof(*f));
    return sshkey_parse_line(line, strlen(line), out, f);
}

/* The fingerprint that ssh-keygen prints for a file. */
static void openssh_fingerprint(const char *path, char dst[SSHKEY_FINGERPRINT_MAX])
{
    const char *const argv[] = {"ssh-keygen", "-lf", path, NULL};
    char out[1024];
    char *at;

    assert_int_equal(run_program(argv, out, sizeof(out)), 0);
    at = strstr(out, "SHA256:");
    assert_non_null(at);
    snprintf(dst, SSHKEY_FINGERPRINT_MAX, "%.*s", (int)strcspn(at, " "), at);
}

static void openssh_make(const char *type, const char *bits, const char *name)
{
    const char *const argv[] = {"ssh-keygen", "-q", "-t", type,   "-b", bits,
                                "-N",         "",   "-C", "a@bc", "-f", in_folder(name),
                                NULL};
    char out[1024];

    assert_int_equal(run_program(argv, out, sizeof(out)), 0);
}

static void reads_what_openssh_makes_and_agrees_on_fingerprints(void **state)
{
    static const char *const made[][3] = {
        {"ed25519", "256", "ssh-ed25519"},
        {"ecdsa", "256", "ecdsa-sha2-nistp256"},
        {"ecdsa", "384", "ecdsa-sha2-nistp384"},
        {"ecdsa", "521", "ecdsa-sha2-nistp521"},
        {"rsa", "2048", "ssh-rsa"},
        {"rsa", "3072", "ssh-rsa"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        struct sshkey_public key;
        struct fault f = {0};
        char name[32];
        char ours[SSHKEY_FINGERPRINT_MAX];
        char theirs[SSHKEY_FINGERPRINT_MAX];

        snprintf(name, sizeof(name), "key%zu", i);
        openssh_make(made[i][0], made[i][1], name);
        snprintf(name, sizeof(name), "key%zu.pub", i);
        assert_int_equal(sshkey_parse_file(in_folder(name), &key, &f), 0);
        assert_string_equal(key.type, made[i][2]);
        assert_string_equal(key.comment, "a@bc");
        assert_int_equal(sshkey_fingerprint(key.blob, key.blob_len, ours), 0);
        openssh_fingerprint(in_folder(name), theirs);
        assert_string_equal(ours, theirs);
    }
}

static void refuses_an_rsa_key_of_1024_bits_as_weak(void **state)
{
    struct sshkey_public key;
    struct fault f = {0};

    (void)state;
    openssh_make("rsa", "1024", "small");
    assert_int_equal(sshkey_parse_file(in_folder("small.pub"), &key, &f), PRA_EWEAK);
    assert_non_null(strstr(f.text, "1024 bits"));
}

static void says_that_a_private_key_is_one(void **state)
{
    struct sshkey_public key;
    struct fault f = {0};

    (void)state;
    openssh_make("ed25519", "256", "id");
    assert_int_equal(sshkey_parse_file(in_folder("id"), &key, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "private key"));
    assert_non_null(strstr(f.text, "/id:1: "));
}

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIGEk9y/fVkS9BrEMTOStbre9yMV/KRPbAitNWPiQddJA"

static void takes_lines_as_people_hand_them_in(void **state)
{
    static const char *const good[][2] = {
        {"ssh-ed25519 " ED25519, ""},
        {"ssh-ed25519 " ED25519 "\n", ""},
        {"  ssh-ed25519\t" ED25519 "  suzuki@pc \r\n", "suzuki@pc"},
        {"ssh-ed25519 " ED25519 " several words", "several words"},
        {"ssh-ed25519 " ED25519 " 鈴木@営業", "鈴木@営業"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct sshkey_public key;
        struct fault f;

        assert_int_equal(parse(good[i][0], &key, &f), 0);
        assert_string_equal(key.comment, good[i][1]);
        assert_int_equal(key.blob_len, 51);
    }
}

static void refuses_bad_lines_and_says_what_is_wrong(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } bad[] = {
        {"", PRA_EINVAL, "not a public key"},
        {"hello", PRA_EUNSUPPORTED, "'hello'"},
        {"ssh-ed25519", PRA_EINVAL, "missing"},
        {"ssh-ed25519 " ED25519 "x", PRA_EINVAL, "base64"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGEk9y/fVkS9BrEM", PRA_EINVAL, "damaged"},
        {"ssh-rsa " ED25519, PRA_EINVAL, "does not belong"},
        {"ecdsa-sha2-nistp256 " ED25519, PRA_EINVAL, "does not belong"},
        {"restrict,command=\"x\" ssh-ed25519 " ED25519, PRA_EINVAL, "options"},
        {"ssh-dss AAAAB3NzaC1kc3M=", PRA_EUNSUPPORTED, "ssh-dss"},
        {"ssh-ed25519-cert-v01@openssh.com " ED25519, PRA_EUNSUPPORTED, "cert"},
        {"---- BEGIN SSH2 PUBLIC KEY ----", PRA_EINVAL, "OpenSSH public key line"},
        {"ssh-ed25519 " ED25519 " esc\033[2J", PRA_EINVAL, "comment"},
        {"ssh-ed25519 " ED25519 " bad\xff", PRA_EINVAL, "comment"},
        {"ssh-ed25519 " ED25519 " rtl\xe2\x80\xae", PRA_EINVAL, "comment"},
        {"ssh-ed25519 " ED25519 "\nssh-ed25519 " ED25519, PRA_EINVAL, "one line"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sshkey_public key;
        struct fault f;

        assert_int_equal(parse(bad[i].line, &key, &f), bad[i].code);
        if (strstr(f.text, bad[i].says) == NULL) {
            fail_msg("'%s': '%s' does not say '%s'", bad[i].line, f.text, bad[i].says);
        }
    }
}

static void refuses_an_embedded_nul_and_what_is_too_long(void **state)
{
    static char line[SSHKEY_LINE_MAX + 64];
    struct sshkey_public key;
    struct fault f = {0};
    int n = snprintf(line, sizeof(line), "ssh-ed25519 " ED25519 " x");

    (void)state;
    line[n - 1] = '\0';
    assert_int_equal(sshkey_parse_line(line, (size_t)n, &key, &f), PRA_EINVAL);
    memset(line + n - 1, 'c', SSHKEY_COMMENT_MAX - 1);
    assert_int_equal(sshkey_parse_line(line, (size_t)n - 1 + SSHKEY_COMMENT_MAX - 1, &key, &f), 0);
    memset(line + n - 1, 'c', SSHKEY_COMMENT_MAX);
    assert_int_equal(sshkey_parse_line(line, (size_t)n - 1 + SSHKEY_COMMENT_MAX, &key, &f),
                     PRA_ETOOBIG);
    memset(line + n, 'c', sizeof(line) - (size_t)n);
    assert_int_equal(sshkey_parse_line(line, sizeof(line), &key, &f), PRA_ETOOBIG);
    memset(line + 12, 'A', 4 * (SSHKEY_BLOB_MAX / 3 + 2));
    assert_int_equal(sshkey_parse_line(line, 12 + 4 * (SSHKEY_BLOB_MAX / 3 + 2), &key, &f),
                     PRA_ETOOBIG);
}

/* Builds a blob of counted strings and parses the line that carries it. */
static int parse_blob(const char *type, const char *const *parts, const size_t *lens, size_t count,
                      const char *tail, struct fault *f)
{
    uint8_t blob[1024];
    char line[2048];
    struct sshkey_public key;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        memset(blob + at, 0, 4);
        blob[at + 2] = (uint8_t)(lens[i] >> 8);
        blob[at + 3] = (uint8_t)lens[i];
        memcpy(blob + at + 4, parts[i], lens[i]);
        at += 4 + lens[i];
    }
    for (; *tail != '\0'; tail++) {
        blob[at++] = (uint8_t)*tail;
    }
    snprintf(line, sizeof(line), "%s ", type);
    crypto_base64_encode(blob, at, line + strlen(line));
    memset(f, 0, sizeof(*f));
    return sshkey_parse_line(line, strlen(line), &key, f);
}

static void takes_keys_of_hardware_tokens(void **state)
{
    static const char point[65] = {4, 1, 2, 3};
    const char *const ed[] = {"sk-ssh-ed25519@openssh.com", point, "ssh:"};
    const char *const ec[] = {"sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", point, "ssh:"};
    struct fault f;

    (void)state;
    assert_int_equal(parse_blob(ed[0], ed, (size_t[]){26, 32, 4}, 3, "", &f), 0);
    assert_int_equal(parse_blob(ec[0], ec, (size_t[]){34, 8, 65, 4}, 4, "", &f), 0);
    assert_int_equal(parse_blob(ed[0], ed, (size_t[]){26, 32}, 2, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(ed[0], ed, (size_t[]){26, 32, 0}, 3, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(ec[0], ec, (size_t[]){34, 8, 64, 4}, 4, "", &f), PRA_EINVAL);
}

static void refuses_blobs_that_are_not_whole_or_not_exact(void **state)
{
    static const char point[65] = {4, 1, 2, 3};
    static const char compressed[65] = {2, 1, 2, 3};
    static const char zeros[256] = {0};
    char n2048[257] = {0};
    const char *const ed[] = {"ssh-ed25519", point};
    const char *const curve[] = {"ecdsa-sha2-nistp256", "nistp384", point};
    const char *const packed[] = {"ecdsa-sha2-nistp256", "nistp256", compressed};
    const char *const rsa[] = {"ssh-rsa", "\001\000\001", n2048};
    const char *const one[] = {"ssh-rsa", "\001", n2048};
    const char *const negative[] = {"ssh-rsa", "\001\000\001", n2048 + 1};
    const char *const padded[] = {"ssh-rsa", "\001\000\001", zeros};
    struct fault f;

    (void)state;
    memset(n2048 + 1, 0xff, 256);
    assert_int_equal(parse_blob(ed[0], ed, (size_t[]){11, 32}, 2, "", &f), 0);
    assert_int_equal(parse_blob(ed[0], ed, (size_t[]){11, 32}, 2, "x", &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "1 bytes too many"));
    assert_int_equal(parse_blob(ed[0], ed, (size_t[]){11, 31}, 2, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(curve[0], curve, (size_t[]){19, 8, 65}, 3, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(packed[0], packed, (size_t[]){19, 8, 65}, 3, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(rsa[0], rsa, (size_t[]){7, 3, 257}, 3, "", &f), 0);
    assert_int_equal(parse_blob(one[0], one, (size_t[]){7, 1, 257}, 3, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(rsa[0], negative, (size_t[]){7, 3, 256}, 3, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(rsa[0], padded, (size_t[]){7, 3, 256}, 3, "", &f), PRA_EINVAL);
    assert_int_equal(parse_blob(rsa[0], padded, (size_t[]){7, 0, 0}, 3, "", &f), PRA_EINVAL);
}

static void a_file_holds_exactly_one_key(void **state)
{
    struct sshkey_public key;
    struct fault f = {0};

    (void)state;
    put_file("one", "# for suzuki\r\n\n   \nssh-ed25519 " ED25519 " x\n\n# end\n");
    assert_int_equal(sshkey_parse_file(in_folder("one"), &key, &f), 0);
    put_file("two", "ssh-ed25519 " ED25519 "\n\nssh-ed25519 " ED25519 "\n");
    assert_int_equal(sshkey_parse_file(in_folder("two"), &key, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "/two:3: "));
    put_file("none", "\n# nothing\n");
    assert_int_equal(sshkey_parse_file(in_folder("none"), &key, &f), PRA_EINVAL);
    put_file("third", "#\n#\nssh-ed25519 AAAA\n");
    assert_int_equal(sshkey_parse_file(in_folder("third"), &key, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "/third:3: "));
    assert_int_equal(sshkey_parse_file(in_folder("missing"), &key, &f), PRA_ENOENT);
}

static void make_own(enum crypto_key_type type, struct key *key, struct keyfile_info *info)
{
    memset(info, 0, sizeof(*info));
    key->type = info->type = type;
    snprintf(info->user, sizeof(info->user), "suzuki");
    snprintf(info->computer, sizeof(info->computer), "Sales-PC-07");
    assert_int_equal(crypto_key_generate(type, key->secret), 0);
    assert_int_equal(crypto_key_public(type, key->secret, info->public_key, &info->public_len), 0);
}

static void openssh_reads_our_lines(void **state)
{
    static const enum crypto_key_type types[] = {CRYPTO_ED25519, CRYPTO_ECDSA_P256};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct keyfile_info info;
        struct sshkey_public back;
        struct fault f = {0};
        struct key key;
        char line[SSHKEY_LINE_MAX];
        char ours[SSHKEY_FINGERPRINT_MAX];
        char theirs[SSHKEY_FINGERPRINT_MAX];

        make_own(types[i], &key, &info);
        assert_int_equal(sshkey_format_line(&info, line, sizeof(line)), 0);
        assert_int_equal(parse(line, &back, &f), 0);
        assert_string_equal(back.comment, "suzuki@Sales-PC-07");
        assert_int_equal(sshkey_fingerprint(back.blob, back.blob_len, ours), 0);
        put_file("own.pub", line);
        openssh_fingerprint(in_folder("own.pub"), theirs);
        assert_string_equal(ours, theirs);
        assert_int_equal(sshkey_format_line(&info, line, 40), PRA_ETOOBIG);
    }
}

static void ed25519_signatures_verify_elsewhere(void **state)
{
    static const uint8_t data[] = "what the server asked to be signed";
    struct keyfile_info info;
    struct key key;
    uint8_t *sig;
    size_t len;
    EVP_PKEY *pub;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)state;
    make_own(CRYPTO_ED25519, &key, &info);
    assert_int_equal(key_sign(&key, data, sizeof(data), &sig, &len), 0);
    assert_int_equal(len, 64);
    pub = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, info.public_key, info.public_len);
    assert_non_null(pub);
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pub), 1);
    assert_int_equal(EVP_DigestVerify(ctx, sig, len, data, sizeof(data)), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pub);
    free(sig);
}

static EVP_PKEY *p256_public(const struct keyfile_info *info)
{
    char group[] = "P-256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                          (void *)(uintptr_t)info->public_key, info->public_len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* Takes an mpint off the front; checks that it is in shortest form. */
static BIGNUM *take_mpint(const uint8_t **at, size_t *left)
{
    size_t n;
    BIGNUM *out;

    assert_true(*left >= 4);
    n = (size_t)(*at)[2] << 8 | (*at)[3];
    assert_int_equal((*at)[0] | (*at)[1], 0);
    assert_true(n > 0 && n <= 33 && n <= *left - 4);
    assert_int_equal((*at)[4] & 0x80, 0);
    assert_true((*at)[4] != 0 || ((*at)[5] & 0x80) != 0);
    out = BN_bin2bn(*at + 4, (int)n, NULL);
    *at += 4 + n;
    *left -= 4 + n;
    return out;
}

/* Often enough that both lengths of r and s, and short ones, come up. */
static void ecdsa_signatures_verify_elsewhere(void **state)
{
    struct keyfile_info info;
    struct key key;
    EVP_PKEY *pub;

    (void)state;
    make_own(CRYPTO_ECDSA_P256, &key, &info);
    pub = p256_public(&info);
    for (unsigned i = 0; i < 300; i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        ECDSA_SIG *pair = ECDSA_SIG_new();
        unsigned char *der = NULL;
        const uint8_t *at;
        uint8_t *sig;
        size_t left;
        BIGNUM *r;
        int der_len;

        assert_int_equal(key_sign(&key, (const uint8_t *)&i, sizeof(i), &sig, &left), 0);
        at = sig;
        r = take_mpint(&at, &left);
        assert_int_equal(ECDSA_SIG_set0(pair, r, take_mpint(&at, &left)), 1);
        assert_int_equal(left, 0);
        der_len = i2d_ECDSA_SIG(pair, &der);
        assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pub), 1);
        assert_int_equal(
            EVP_DigestVerify(ctx, der, (size_t)der_len, (const uint8_t *)&i, sizeof(i)), 1);
        OPENSSL_free(der);
        ECDSA_SIG_free(pair);
        EVP_MD_CTX_free(ctx);
        free(sig);
    }
    EVP_PKEY_free(pub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_openssh_makes_and_agrees_on_fingerprints),
        cmocka_unit_test(refuses_an_rsa_key_of_1024_bits_as_weak),
        cmocka_unit_test(says_that_a_private_key_is_one),
        cmocka_unit_test(takes_lines_as_people_hand_them_in),
        cmocka_unit_test(refuses_bad_lines_and_says_what_is_wrong),
        cmocka_unit_test(refuses_an_embedded_nul_and_what_is_too_long),
        cmocka_unit_test(takes_keys_of_hardware_tokens),
        cmocka_unit_test(refuses_blobs_that_are_not_whole_or_not_exact),
        cmocka_unit_test(a_file_holds_exactly_one_key),
        cmocka_unit_test(openssh_reads_our_lines),
        cmocka_unit_test(ed25519_signatures_verify_elsewhere),
        cmocka_unit_test(ecdsa_signatures_verify_elsewhere),
    };

    return cmocka_run_group_tests_name("sshkey", tests, folder_setup, folder_teardown);
}
