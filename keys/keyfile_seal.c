/*
 * The cryptography of a sealed key file: one scrypt run over the passphrase gives a root, and
 * everything else comes from that root.
 *
 *   check byte       first byte of HKDF(root, salt, "pra keyfile check v1")
 *   tag of a value   first byte of HMAC(HKDF(root, salt, "pra keyfile tags v1"), id || value)
 *   key of a subset  HKDF(root || id, length, value of each member, salt, "pra keyfile wrap v1" ||
 *                    mask), which seals the secret with AES-256-GCM, the header as additional data
 *
 * A subset's key needs all of its values at once, so they cannot be guessed one by one.
 */
#include "keys/keyfile_image.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"

/* Root, and for each identifier its number, a length byte and the value. */
#define IKM_MAX (CRYPTO_KEY_LEN + MACHINE_ID_COUNT * (2 + MACHINE_VALUE_MAX))

int keyfile_derive(const struct keyfile_image *img, const char *passphrase,
                   uint8_t root[CRYPTO_KEY_LEN])
{
    return crypto_scrypt(passphrase, strlen(passphrase), img->info.salt, sizeof(img->info.salt),
                         img->log2_n, KEYFILE_SCRYPT_R, KEYFILE_SCRYPT_P, root, CRYPTO_KEY_LEN);
}

static int derive_check(const struct keyfile_image *img, const uint8_t *root, uint8_t *check)
{
    static const char label[] = "pra keyfile check v1";

    return crypto_hkdf(root, CRYPTO_KEY_LEN, img->info.salt, sizeof(img->info.salt), label,
                       sizeof(label) - 1, check, 1);
}

static bool has_value(const struct machine *m, unsigned id)
{
    return m->source[id] == MACHINE_DIRECT || m->source[id] == MACHINE_HELPER;
}

/* Tags of all bound identifiers that have a value now; 0 for the others. */
static int derive_tags(const struct keyfile_image *img, const uint8_t *root,
                       const struct machine *m, uint8_t tags[MACHINE_ID_COUNT])
{
    static const char label[] = "pra keyfile tags v1";
    uint8_t key[CRYPTO_KEY_LEN];
    int rc = crypto_hkdf(root, CRYPTO_KEY_LEN, img->info.salt, sizeof(img->info.salt), label,
                         sizeof(label) - 1, key, sizeof(key));

    memset(tags, 0, MACHINE_ID_COUNT);
    for (unsigned id = 0; id < MACHINE_ID_COUNT && rc == 0; id++) {
        char text[1 + MACHINE_VALUE_MAX];
        uint8_t mac[CRYPTO_SHA256_LEN];
        size_t len = strlen(m->value[id]);

        if (!img->info.bound[id] || !has_value(m, id)) {
            continue;
        }
        text[0] = (char)id;
        memcpy(text + 1, m->value[id], len);
        rc = crypto_hmac(key, sizeof(key), text, 1 + len, mac);
        tags[id] = mac[0];
        crypto_wipe(text, sizeof(text));
    }
    crypto_wipe(key, sizeof(key));
    return rc;
}

/* The key of the subset `mask`; all of its members have a value in `m`. */
static int derive_wrap_key(const struct keyfile_image *img, const uint8_t *root,
                           const struct machine *m, uint16_t mask, uint8_t key[CRYPTO_KEY_LEN])
{
    static const char label[] = "pra keyfile wrap v1";
    uint8_t info[sizeof(label) - 1 + 2];
    uint8_t ikm[IKM_MAX];
    size_t at = CRYPTO_KEY_LEN;
    int rc;

    memcpy(ikm, root, CRYPTO_KEY_LEN);
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        size_t len = strlen(m->value[id]);

        if ((mask >> id & 1) != 0) {
            ikm[at++] = (uint8_t)id;
            ikm[at++] = (uint8_t)len;
            memcpy(ikm + at, m->value[id], len);
            at += len;
        }
    }
    memcpy(info, label, sizeof(label) - 1);
    info[sizeof(info) - 2] = (uint8_t)(mask >> 8);
    info[sizeof(info) - 1] = (uint8_t)mask;
    rc = crypto_hkdf(ikm, at, img->info.salt, sizeof(img->info.salt), info, sizeof(info), key,
                     CRYPTO_KEY_LEN);
    crypto_wipe(ikm, sizeof(ikm));
    return rc;
}

int keyfile_seal(struct keyfile_image *img, const uint8_t root[CRYPTO_KEY_LEN],
                 const struct machine *m, const uint8_t secret[CRYPTO_SECRET_LEN])
{
    uint16_t masks[KEYFILE_WRAPS_MAX];
    uint8_t header[KEYFILE_HEADER_MAX];
    uint8_t key[CRYPTO_KEY_LEN];
    size_t header_len;
    int rc = derive_check(img, root, &img->check);

    if (rc == 0) {
        rc = derive_tags(img, root, m, img->tags);
    }
    img->wrap_count = keyfile_subsets(&img->info, masks);
    header_len = keyfile_encode_header(img, header);
    for (unsigned i = 0; i < img->wrap_count && rc == 0; i++) {
        struct keyfile_wrap *w = &img->wraps[i];

        rc = derive_wrap_key(img, root, m, masks[i], key);
        if (rc == 0) {
            crypto_random(w->iv, sizeof(w->iv));
            rc = crypto_gcm_seal(key, w->iv, header, header_len, secret, CRYPTO_SECRET_LEN,
                                 w->sealed, w->tag);
        }
    }
    crypto_wipe(key, sizeof(key));
    return rc;
}

static uint16_t known_mask(const struct machine *m)
{
    unsigned mask = 0;

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        mask |= has_value(m, id) ? 1u << id : 0;
    }
    return (uint16_t)mask;
}

/*
 * Tries every subset whose members all have a value. Sets *matched to the identifiers that are in
 * one that opened, and *opened to the number of those.
 */
static int open_wraps(const struct keyfile_image *img, const uint8_t *root, const struct machine *m,
                      uint8_t secret[CRYPTO_SECRET_LEN], uint16_t *matched, unsigned *opened)
{
    uint16_t masks[KEYFILE_WRAPS_MAX];
    uint8_t header[KEYFILE_HEADER_MAX];
    uint8_t key[CRYPTO_KEY_LEN];
    uint8_t plain[CRYPTO_SECRET_LEN];
    unsigned known = known_mask(m);
    size_t header_len = keyfile_encode_header(img, header);
    int rc = 0;

    *matched = 0;
    *opened = 0;
    keyfile_subsets(&img->info, masks);
    for (unsigned i = 0; i < img->wrap_count && rc == 0; i++) {
        const struct keyfile_wrap *w = &img->wraps[i];

        if ((masks[i] & ~known) != 0) {
            continue;
        }
        rc = derive_wrap_key(img, root, m, masks[i], key);
        if (rc == 0) {
            rc = crypto_gcm_open(key, w->iv, header, header_len, w->sealed, sizeof(w->sealed),
                                 w->tag, plain);
        }
        if (rc == 0) {
            memcpy(secret, plain, sizeof(plain));
            *matched = (uint16_t)(*matched | masks[i]);
            (*opened)++;
        }
        rc = rc == PRA_ECORRUPT ? 0 : rc; /* another value than at sealing: not this subset */
    }
    crypto_wipe(key, sizeof(key));
    crypto_wipe(plain, sizeof(plain));
    return rc;
}

/*
 * Names what differs. After success `matched` is exact: any identifier that still has its value is in
 * some subset that opened, because k >= 3 leaves room for it beside the two that the rule asks
 * for. Without success only the tags tell, each wrong once in 256 times.
 */
static void fill_report(const struct keyfile_image *img, const struct machine *m, bool success,
                        uint16_t matched, const uint8_t tags[MACHINE_ID_COUNT],
                        struct keyfile_report *report)
{
    unsigned same = 0;
    unsigned differs = 0;

    memset(report, 0, sizeof(*report));
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if (!img->info.bound[id]) {
            continue;
        }
        if (m->source[id] == MACHINE_ABSENT) {
            report->missing[id] = true;
        } else if (m->source[id] == MACHINE_HIDDEN) {
            report->hidden[id] = true;
        } else {
            report->changed[id] = success ? (matched >> id & 1) == 0 : tags[id] != img->tags[id];
            differs += report->changed[id];
            same += !report->changed[id];
        }
    }
    report->maybe_passphrase = !success && same == 0 && differs > 0;
}

static int check_secret(const struct keyfile_image *img, const uint8_t secret[CRYPTO_SECRET_LEN])
{
    uint8_t public_key[CRYPTO_PUBLIC_MAX];
    size_t len;
    int rc = crypto_key_public(img->info.type, secret, public_key, &len);

    if (rc != 0) {
        return rc;
    }
    return len == img->info.public_len && crypto_equal(public_key, img->info.public_key, len)
               ? 0
               : PRA_ECORRUPT;
}

int keyfile_unseal(const struct keyfile_image *img, const uint8_t root[CRYPTO_KEY_LEN],
                   const struct machine *m, uint8_t secret[CRYPTO_SECRET_LEN],
                   struct keyfile_report *report, bool *all)
{
    uint8_t tags[MACHINE_ID_COUNT];
    uint8_t plain[CRYPTO_SECRET_LEN];
    uint16_t matched;
    unsigned opened;
    uint8_t check;
    int rc = derive_check(img, root, &check);

    if (rc != 0) {
        return rc;
    }
    if (check != img->check) {
        return PRA_EPASSPHRASE;
    }
    rc = derive_tags(img, root, m, tags);
    if (rc == 0) {
        rc = open_wraps(img, root, m, plain, &matched, &opened);
    }
    if (rc == 0) {
        fill_report(img, m, opened > 0, matched, tags, report);
        rc = opened == 0 ? PRA_EMACHINE : check_secret(img, plain);
    }
    if (rc == 0) {
        memcpy(secret, plain, sizeof(plain));
        *all = opened == img->wrap_count;
    }
    crypto_wipe(plain, sizeof(plain));
    return rc;
}

void keyfile_describe_changes(const struct keyfile_report *report, char *dst, size_t cap)
{
    size_t at = 0;

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        const char *how = report->changed[id]   ? ""
                          : report->missing[id] ? tr(" (missing)", "（なし）")
                          : report->hidden[id]  ? tr(" (not readable)", "（読み取り不可）")
                                                : NULL;
        int n;

        if (how == NULL) {
            continue;
        }
        n = snprintf(dst + at, cap - at, "%s%s%s", at > 0 ? tr(", ", "、") : "",
                     machine_id_label(id), how);
        if (n < 0 || (size_t)n >= cap - at) {
            dst[at] = '\0';
            return;
        }
        at += (size_t)n;
    }
    if (at == 0) {
        snprintf(dst, cap, "%s", tr("one of the identifiers", "識別情報のいずれか"));
    }
}
