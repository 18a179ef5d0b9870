/* log_send.h */
#include "client/log_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/collect.h"
#include "common/crypto.h"
#include "common/i18n.h"

/* The gateway's limit, and how much of logs is tried first: they become a third or less. */
#define SEND_SIZE_MAX (8u * 1024 * 1024)
#define SEND_LOGS_MAX (24u * 1024 * 1024)
#define SEND_TRIES    6

/* A private file beside the key. */
static bool temp_path(const struct paths *paths, char dst[OS_PATH_MAX])
{
    uint8_t random[8];
    char hex[2 * sizeof(random) + 1];

    crypto_random(random, sizeof(random));
    crypto_hex_encode(random, sizeof(random), hex);
    return snprintf(dst, OS_PATH_MAX, "%s.log-%s", paths->key_file, hex) < OS_PATH_MAX;
}

int log_send_pack(const struct paths *paths, json_t *check, char path[OS_PATH_MAX], struct fault *f)
{
    struct collect *c = calloc(1, sizeof(*c));
    size_t limit = SEND_LOGS_MAX;
    int rc = PRA_ETOOBIG;

    if (c == NULL)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    if (!temp_path(paths, path)) {
        free(c);
        return fault_set(f, PRA_EIO, "%.64s...: the path is too long", paths->key_file);
    }
    for (int i = 0; i < SEND_TRIES && rc == PRA_ETOOBIG; i++, limit /= 2) {
        struct stat st;

        collect_free(c);
        rc = collect_gather(paths, check, limit, c, f);
        if (rc == 0)
            rc = collect_write(c, path, f);
        if (rc == 0 && (stat(path, &st) != 0 || st.st_size > SEND_SIZE_MAX)) {
            unlink(path);
            rc = PRA_ETOOBIG;
        }
    }
    collect_free(c);
    free(c);
    return rc;
}

json_t *log_send_request(const char *path)
{
    return json_pack("{s:s, s:s}", "op", "log_send", "path", path);
}

const char *log_send_refusal(const char *reason, bool *hand_over)
{
    static const struct {
        const char *reason, *text[2];
        bool hand_over;
    } texts[] = {
        {"offline", {"not connected", "接続していません"}, true},
        {"old",
         {"this gateway takes no logs", "このゲートウェイはログの受信に対応していません"},
         true},
        {"often",
         {"too many bundles were sent within an hour: try again later",
          "1 時間に送信できる回数を超えました。時間をおいて再度お試しください"},
         false},
        {"busy",
         {"the gateway is busy, or another bundle is on its way: try again in a minute",
          "ゲートウェイまたは別の送信が処理中です。1 分ほど待って再度お試しください"},
         false},
        {"size", {"the bundle is too large", "ログが大きすぎます"}, true},
        {"slow", {"the connection is too slow", "通信が遅いため送信できませんでした"}, true},
        {"damaged",
         {"it did not arrive whole: try again", "正しく届きませんでした。もう一度お試しください"},
         false},
        {"store",
         {"the gateway cannot keep it: tell your administrator",
          "ゲートウェイに保存できませんでした。管理者に連絡してください"},
         true},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(reason, texts[i].reason) == 0) {
            *hand_over = texts[i].hand_over;
            return texts[i].text[i18n_lang()];
        }
    *hand_over = false;
    return tr("the connection was lost while it was sent: try again",
              "送信中に接続が切れました。もう一度お試しください");
}
