/* keymake.h */
#include "client/keymake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/i18n.h"
#include "common/os.h"

const char *key_type_word(enum crypto_key_type type)
{
    return type == CRYPTO_ED25519 ? "ed25519" : "ecdsa-p256";
}

const char *keymake_advice(void)
{
    return tr("Four or more words that do not belong together are easy to keep in mind and hard "
              "to guess.",
              "関連のない単語を四つ以上並べると、覚えやすく推測されにくくなります。");
}

const char *key_binding_words(const struct keyfile_info *info, char dst[KEY_BINDING_MAX])
{
    if (info->weak)
        snprintf(dst, KEY_BINDING_MAX, "%s",
                 tr("weakly bound: this PC shows too few identifiers", "結び付けが不十分です"));
    else if (info->strict)
        snprintf(dst, KEY_BINDING_MAX,
                 tr("bound strictly: all %u identifiers must match",
                    "厳密に結び付け済み (%u 個の情報すべての一致が必要)"),
                 info->n);
    else if (i18n_lang() == LANG_JA) /* not every system has %1$u */
        snprintf(dst, KEY_BINDING_MAX, "結び付け済み (%u 個の情報のうち %u 個の一致が必要)",
                 info->n, info->k);
    else
        snprintf(dst, KEY_BINDING_MAX, "bound: %u of %u identifiers must match", info->k, info->n);
    return dst;
}

const char *keymake_weak_words(void)
{
    return tr("A weakly bound key can be used on another PC by who has the file and the "
              "passphrase.\nThe administrator sees that and may refuse it.",
              "結び付けが不十分な鍵は、鍵ファイルとパスフレーズが漏洩すると別の PC で使われる"
              "おそれがあります。\nこの状態は管理者に表示され、拒否される場合があります。");
}

enum msg_id keymake_problem(int rc)
{
    switch (rc) {
    case PRA_EINVAL:
        return MSG_NONE;
    case PRA_EEXIST:
        return MSG_KEYGEN_EXISTS;
    case PRA_EWEAK:
        return MSG_KEYGEN_WEAK;
    default:
        return MSG_KEYGEN_FAILED;
    }
}

enum msg_id keymake_inspect_problem(int rc)
{
    return rc == PRA_ENOENT ? MSG_KEY_MISSING : MSG_KEY_DAMAGED;
}

int keymake_fingerprint(const struct keyfile_info *info, char dst[SSHKEY_FINGERPRINT_MAX])
{
    uint8_t blob[SSHKEY_BLOB_MAX];
    size_t len;
    int rc = sshkey_blob(info, blob, &len);

    return rc == 0 ? sshkey_fingerprint(blob, len, dst) : rc;
}

int keymake_write_public(const char *path, const char *line, struct fault *f)
{
    struct stat st;
    FILE *out;
    int rc = 0;

    if (lstat(path, &st) != 0 || S_ISREG(st.st_mode))
        return os_file_replace(path, line, strlen(line), 0644, f);
    out = fopen(path, "we");
    if (out == NULL)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (fputs(line, out) == EOF)
        rc = PRA_EIO;
    if (fclose(out) != 0)
        rc = PRA_EIO;
    return rc == 0 ? 0 : fault_set(f, rc, "%s: %s", path, strerror(errno));
}
