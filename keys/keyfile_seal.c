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
#include "common/secmem.h"

/* Root, and for each identifier its number, a length byte and the value. */
#define IKM_MAX (CRYPTO_KEY_LEN + MACHINE_ID_COUNT * (2 + MACHINE_VALUE_MAX))

/* What comes of root and secret on the way; in pages for secrets. */
struct scratch {
    uint8_t key[CRYPTO_KEY_LEN]; /* of the tags, then of one subset after the other */
    uint8_t plain[CRYPTO_SECRET_LEN];
    uint8_t found[CRYPTO_SECRET_LEN];
    uint8_t ikm[IKM_MAX];
};

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
                       const struct machine *m, struct scratch *s, uint8_t tags[MACHINE_ID_COUNT])
{
    static const char label[] = "pra keyfile tags v1";
    int rc = crypto_hkdf(root, CRYPTO_KEY_LEN, img->info.salt, sizeof(img->info.salt), label,
                         sizeof(label) - 1, s->key, sizeof(s->key));

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
        rc = crypto_hmac(s->key, sizeof(s->key), text, 1 + len, mac);
        tags[id] = mac[0];
        crypto_wipe(text, sizeof(text));
    }
    return rc;
}

/* Puts the key of the subset `mask` into the scratch; all of its members have a value in `m`. */
static int derive_wrap_key(const struct keyfile_image *img, const uint8_t *root,
                           const struct machine *m, uint16_t mask, struct scratch *s)
{
    static const char label[] = "pra keyfile wrap v1";
    uint8_t info[sizeof(label) - 1 + 2];
    size_t at = CRYPTO_KEY_LEN;

    memcpy(s->ikm, root, CRYPTO_KEY_LEN);
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        size_t len = strlen(m->value[id]);

        if ((mask >> id & 1) != 0) {
            s->ikm[at++] = (uint8_t)id;
            s->ikm[at++] = (uint8_t)len;
            memcpy(s->ikm + at, m->value[id], len);
            at += len;
        }
    }
    memcpy(info, label, sizeof(label) - 1);
    info[sizeof(info) - 2] = (uint8_t)(mask >> 8);
    info[sizeof(info) - 1] = (uint8_t)mask;
    return crypto_hkdf(s->ikm, at, img->info.salt, sizeof(img->info.salt), info, sizeof(info),
                       s->key, sizeof(s->key));
}

int keyfile_seal(struct keyfile_image *img, const uint8_t root[CRYPTO_KEY_LEN],
                 const struct machine *m, const uint8_t secret[CRYPTO_SECRET_LEN])
{
    uint16_t masks[KEYFILE_WRAPS_MAX];
    uint8_t header[KEYFILE_HEADER_MAX];
    struct scratch *s = secmem_new(sizeof(*s));
    size_t header_len;
    int rc = s == NULL ? PRA_ENOMEM : derive_check(img, root, &img->check);

    if (rc == 0) {
        rc = derive_tags(img, root, m, s, img->tags);
    }
    img->wrap_count = keyfile_subsets(&img->info, masks);
    header_len = keyfile_encode_header(img, header);
    for (unsigned i = 0; i < img->wrap_count && rc == 0; i++) {
        struct keyfile_wrap *w = &img->wraps[i];

        rc = derive_wrap_key(img, root, m, masks[i], s);
        if (rc == 0) {
            crypto_random(w->iv, sizeof(w->iv));
            rc = crypto_gcm_seal(s->key, w->iv, header, header_len, secret, CRYPTO_SECRET_LEN,
                                 w->sealed, w->tag);
        }
    }
    secmem_free(s);
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
 * Tries every subset whose members all have a value. Leaves the secret in s->found and sets
 * *matched to the identifiers that are in one that opened, *opened to the number of those.
 */
static int open_wraps(const struct keyfile_image *img, const uint8_t *root, const struct machine *m,
                      struct scratch *s, uint16_t *matched, unsigned *opened)
{
    uint16_t masks[KEYFILE_WRAPS_MAX];
    uint8_t header[KEYFILE_HEADER_MAX];
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
        rc = derive_wrap_key(img, root, m, masks[i], s);
        if (rc == 0) {
            rc = crypto_gcm_open(s->key, w->iv, header, header_len, w->sealed, sizeof(w->sealed),
                                 w->tag, s->plain);
        }
        if (rc == 0) {
            memcpy(s->found, s->plain, sizeof(s->found));
            *matched = (uint16_t)(*matched | masks[i]);
            (*opened)++;
        }
        rc = rc == PRA_ECORRUPT ? 0 : rc; /* another value than at sealing: not this subset */
    }
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
    struct scratch *s;
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
    s = secmem_new(sizeof(*s));
    rc = s == NULL ? PRA_ENOMEM : derive_tags(img, root, m, s, tags);
    if (rc == 0) {
        rc = open_wraps(img, root, m, s, &matched, &opened);
    }
    if (rc == 0) {
        fill_report(img, m, opened > 0, matched, tags, report);
        rc = opened == 0 ? PRA_EMACHINE : check_secret(img, s->found);
    }
    if (rc == 0) {
        memcpy(secret, s->found, sizeof(s->found));
        *all = opened == img->wrap_count;
    }
    secmem_free(s);
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
