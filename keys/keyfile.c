/*
 * Making, looking at and opening a sealed key file: the order of steps, and which failure is told
 * in which words. The parts are keyfile_subset.c (what is bound), keyfile_seal.c (cryptography),
 * keyfile_format.c (bytes) and keyfile_store.c (disk).
 */
#include "keys/keyfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"
#include "common/secmem.h"
#include "keys/key.h"
#include "keys/keyfile_image.h"
#include "keys/text.h"

#define NAMES_MAX 256

static int check_options(const struct keyfile_options *opt, struct fault *f)
{
    size_t user_len = strlen(opt->user);
    size_t pass_len = strlen(opt->passphrase);

    if (opt->type != CRYPTO_ED25519 && opt->type != CRYPTO_ECDSA_P256) {
        return fault_set(f, PRA_EINVAL, "the key type is not known");
    }
    if (user_len == 0 || user_len > KEYFILE_USER_MAX) {
        return fault_set(f, PRA_EINVAL, "the user name must have 1 to %d bytes", KEYFILE_USER_MAX);
    }
    if (!text_is_plain(opt->user, user_len) || strchr(opt->user, ' ') != NULL) {
        return fault_set(f, PRA_EINVAL,
                         "the user name holds a blank or a character that cannot be printed");
    }
    if (pass_len == 0 || pass_len > KEYFILE_PASS_MAX) {
        return fault_set(f, PRA_EINVAL, "the passphrase must have 1 to %d bytes", KEYFILE_PASS_MAX);
    }
    if (opt->log2_n != 0 &&
        (opt->log2_n < KEYFILE_LOG2_N_MIN || opt->log2_n > KEYFILE_LOG2_N_MAX)) {
        return fault_set(f, PRA_EINVAL, "the scrypt cost is outside the limits");
    }
    return 0;
}

/* The identifiers that a machine shows, for the sentence that says that they do not suffice. */
static void name_bound(const struct keyfile_info *info, char dst[NAMES_MAX])
{
    size_t at = 0;

    dst[0] = '\0';
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if (info->bound[id] && at < NAMES_MAX) {
            int n =
                snprintf(dst + at, NAMES_MAX - at, "%s%s", at > 0 ? ", " : "", machine_id_name(id));

            at += n > 0 ? (size_t)n : 0;
        }
    }
}

/* Reads the machine and decides what the key will be bound to. */
static int choose_binding(const struct keyfile_options *opt, struct keyfile_image *img,
                          struct machine *m, struct fault *f)
{
    struct keyfile_info *info = &img->info;
    char names[NAMES_MAX];
    int rc;

    crypto_random(info->salt, sizeof(info->salt));
    rc = machine_read(info->salt, m, f);
    if (rc != 0) {
        return rc;
    }
    info->strict = opt->strict;
    if (keyfile_choose(m, info) == 0) {
        return fault_set(f, PRA_EWEAK,
                         "this machine shows no identifier that a key could be "
                         "bound to");
    }
    if (info->weak && !opt->allow_weak) {
        name_bound(info, names);
        return fault_set(f, PRA_EWEAK,
                         "this machine shows only %s; needed are three identifiers, among them one "
                         "that names the installation and one that names the hardware",
                         names);
    }
    snprintf(info->computer, sizeof(info->computer), "%s",
             m->computer[0] != '\0' ? m->computer : "unknown");
    return 0;
}

/* Lives in pages for secrets. */
struct secrets {
    uint8_t root[CRYPTO_KEY_LEN]; /* scrypt's output */
    uint8_t secret[CRYPTO_SECRET_LEN];
};

/* A new secret in `img`, sealed. */
static int make_key(const struct keyfile_options *opt, const struct machine *m,
                    struct keyfile_image *img, struct fault *f)
{
    struct secrets *s = secmem_new(sizeof(*s));
    int rc = s == NULL ? PRA_ENOMEM : crypto_key_generate(opt->type, s->secret);

    if (rc == 0) {
        rc = crypto_key_public(opt->type, s->secret, img->info.public_key, &img->info.public_len);
    }
    if (rc == 0) {
        rc = keyfile_derive(img, opt->passphrase, s->root);
    }
    if (rc == 0) {
        rc = keyfile_seal(img, s->root, m, s->secret);
    }
    secmem_free(s);
    return rc == 0 ? 0 : fault_set(f, rc, "the key could not be made: %s", err_text(rc));
}

/* Puts a new key in place, under the lock. */
static int store_new(const char *path, const struct keyfile_image *img, bool force, struct fault *f)
{
    uint8_t data[KEYFILE_ENCODED_MAX];
    size_t len;
    int lock;
    int rc = keyfile_encode(img, data, &len);

    if (rc != 0) {
        return fault_set(f, rc, "the key could not be made: %s", err_text(rc));
    }
    rc = keyfile_lock(path, &lock, f);
    if (rc != 0) {
        return rc;
    }
    if (keyfile_exists(path)) {
        rc = force ? keyfile_backup(path, f) : fault_set(f, PRA_EEXIST, "%s: exists already", path);
    }
    if (rc == 0) {
        rc = os_file_replace(path, data, len, 0600, f);
    }
    keyfile_unlock(lock);
    return rc;
}

/* The design's cost. Tests of other things may ask their build for a lower one. */
static unsigned usual_cost(void)
{
#ifdef PRA_TEST_PROVIDER
    const char *asked = getenv("PRA_TEST_LOG2_N");
    unsigned long cost = asked != NULL ? strtoul(asked, NULL, 10) : 0;

    if (cost >= KEYFILE_LOG2_N_MIN && cost < KEYFILE_LOG2_N) {
        return (unsigned)cost;
    }
#endif
    return KEYFILE_LOG2_N;
}

int keyfile_create(const char *path, const struct keyfile_options *opt, struct keyfile_info *info,
                   struct fault *f)
{
    struct keyfile_image img;
    struct machine m;
    int rc = check_options(opt, f);

    if (rc != 0) {
        return rc;
    }
    if (!opt->force && keyfile_exists(path)) { /* told before the long wait, decided after it */
        return fault_set(f, PRA_EEXIST, "%s: exists already", path);
    }
    memset(&img, 0, sizeof(img));
    memset(&m, 0, sizeof(m));
    img.info.type = opt->type;
    img.info.created = os_time_now();
    img.log2_n = opt->log2_n != 0 ? opt->log2_n : usual_cost();
    snprintf(img.info.user, sizeof(img.info.user), "%s", opt->user);
    rc = choose_binding(opt, &img, &m, f);
    if (rc == 0) {
        rc = make_key(opt, &m, &img, f);
    }
    machine_wipe(&m);
    if (rc == 0) {
        rc = store_new(path, &img, opt->force, f);
    }
    if (rc == 0 && info != NULL) {
        *info = img.info;
    }
    return rc;
}

static int load_image(const char *path, struct keyfile_image *img, char **data, size_t *len,
                      struct fault *f)
{
    int rc = keyfile_load(path, data, len, f);

    if (rc != 0) {
        return rc;
    }
    rc = keyfile_parse((const uint8_t *)*data, *len, img, f);
    if (rc != 0) {
        free(*data);
        fault_wrap(f, rc, "%s", path);
    }
    return rc;
}

int keyfile_inspect(const char *path, struct keyfile_info *out, struct fault *f)
{
    struct keyfile_image img;
    char *data;
    size_t len;
    int rc = load_image(path, &img, &data, &len, f);

    if (rc == 0) {
        free(data);
        *out = img.info;
    }
    return rc;
}

/* Whether a key that opened may be bound anew to the machine as it is. */
static bool may_reseal(const struct keyfile_image *old, const struct keyfile_image *new,
                       const struct keyfile_report *report)
{
    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if (machine_id_strong(id) && old->info.bound[id] && !report->changed[id] &&
            !report->missing[id] && !report->hidden[id]) {
            return old->info.weak || !new->info.weak;
        }
    }
    return false;
}

/* Replaces the file by `img` if it still holds the `len` bytes that were opened. */
static int store_resealed(const char *path, const struct keyfile_image *img, const char *data,
                          size_t len, struct fault *f)
{
    uint8_t fresh[KEYFILE_ENCODED_MAX];
    size_t fresh_len;
    char *now;
    size_t now_len;
    int lock;
    int rc = keyfile_encode(img, fresh, &fresh_len);

    if (rc == 0) {
        rc = keyfile_lock(path, &lock, f);
    }
    if (rc != 0) {
        return rc;
    }
    rc = keyfile_load(path, &now, &now_len, f);
    if (rc == 0) {
        bool same = now_len == len && memcmp(now, data, len) == 0;

        free(now);
        rc = same ? os_file_replace(path, fresh, fresh_len, 0600, f)
                  : fault_set(f, PRA_EBUSY, "%s: another program has just replaced the key", path);
    }
    keyfile_unlock(lock);
    return rc;
}

/* Seals again after a tolerated change; says in the report what became of it. */
static void reseal(const char *path, const struct keyfile_image *old, const char *data, size_t len,
                   const uint8_t root[CRYPTO_KEY_LEN], const struct machine *m,
                   const uint8_t secret[CRYPTO_SECRET_LEN], struct keyfile_report *report,
                   struct fault *f)
{
    struct keyfile_image img = *old;
    int rc;

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        if (report->hidden[id]) {
            return;
        }
    }
    keyfile_choose(m, &img.info);
    if (!may_reseal(old, &img, report)) {
        report->reseal_refused = true;
        return;
    }
    memset(img.tags, 0, sizeof(img.tags));
    rc = keyfile_seal(&img, root, m, secret);
    if (rc == 0) {
        rc = store_resealed(path, &img, data, len, f);
    }
    report->resealed = rc == 0;
    report->reseal_failed = rc != 0;
}

/* The identifiers that differ by their English names, as befits a fault's sentence. */
static void name_changed(const struct keyfile_report *report, char dst[NAMES_MAX])
{
    struct keyfile_info differing = {0};

    for (unsigned id = 0; id < MACHINE_ID_COUNT; id++) {
        differing.bound[id] = report->changed[id] || report->missing[id] || report->hidden[id];
    }
    name_bound(&differing, dst);
}

/* The sentence for a key that did not open. */
static int explain(const char *path, int rc, const struct keyfile_report *report, struct fault *f)
{
    char names[NAMES_MAX];

    switch (rc) {
    case PRA_EPASSPHRASE:
        return fault_set(f, rc, "the passphrase is wrong");
    case PRA_EMACHINE:
        name_changed(report, names);
        return fault_set(
            f, rc, "this is not the machine that the key was made on; different: %s%s", names,
            report->maybe_passphrase ? " (or the passphrase is wrong: try again)" : "");
    case PRA_ECORRUPT:
        return fault_set(f, rc, "%s: the key file is damaged (sealed part)", path);
    default:
        return fault_set(f, rc, "%s: the key could not be opened: %s", path, err_text(rc));
    }
}

int keyfile_open(const char *path, const char *passphrase, struct key **out,
                 struct keyfile_info *info, struct keyfile_report *report, struct fault *f)
{
    struct keyfile_image img;
    struct keyfile_report found;
    struct machine m;
    struct key *key = NULL;
    struct secrets *s = NULL;
    char *data;
    size_t len;
    bool all = false;
    int rc = load_image(path, &img, &data, &len, f);

    if (rc != 0) {
        return rc;
    }
    memset(&found, 0, sizeof(found));
    memset(&m, 0, sizeof(m));
    rc = machine_read(img.info.salt, &m, f);
    if (rc != 0) {
        goto out;
    }
    key = secmem_new(sizeof(*key));
    s = secmem_new(sizeof(*s));
    rc = key == NULL || s == NULL ? PRA_ENOMEM : keyfile_derive(&img, passphrase, s->root);
    if (rc == 0) {
        key->type = img.info.type;
        rc = keyfile_unseal(&img, s->root, &m, key->secret, &found, &all);
    }
    if (rc != 0) {
        rc = explain(path, rc, &found, f);
        goto out;
    }
    if (!all) {
        reseal(path, &img, data, len, s->root, &m, key->secret, &found, f);
    }
    *out = key;
    key = NULL;
out:
    if (info != NULL && (rc == 0 || rc == PRA_EMACHINE)) {
        *info = img.info;
    }
    if (report != NULL && (rc == 0 || rc == PRA_EMACHINE)) {
        *report = found;
    }
    key_free(key);
    machine_wipe(&m);
    secmem_free(s);
    free(data);
    return rc;
}

void key_free(struct key *k)
{
    secmem_free(k);
}
