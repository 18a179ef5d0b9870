/* Network errors in people's words; see sock.h. */
#include <uv.h>

#include "client/sock.h"
#include "common/i18n.h"

static const struct {
    int error;
    const char *en, *ja;
} words[] = {
    {UV_ECONNREFUSED, "connection refused", "接続が拒否されました"},
    {UV_ECONNRESET, "connection reset", "接続がリセットされました"},
    {UV_ETIMEDOUT, "no answer", "応答がありません"},
    {UV_EHOSTUNREACH, "host not reachable", "ホストに到達できません"},
    {UV_ENETUNREACH, "network not reachable", "ネットワークに到達できません"},
    {UV_ENETDOWN, "network is down", "ネットワークが停止しています"},
    {UV_EPIPE, "closed on the other side", "相手側で閉じられました"},
    {UV_EADDRINUSE, "address in use", "アドレスは使用中です"},
    {UV_EADDRNOTAVAIL, "no address of this PC", "この PC のアドレスではありません"},
    {UV_EACCES, "not permitted", "許可されていません"},
    {UV_EPERM, "not permitted", "許可されていません"},
    {UV_EMFILE, "too many open files", "開いているファイルが多すぎます"},
    {UV_EAI_NONAME, "name not known", "名前を解決できません"},
    {UV_EAI_NODATA, "name has no address", "名前にアドレスがありません"},
    {UV_EAI_AGAIN, "the name service does not answer", "DNS サーバが応答しません"},
    {UV_EAI_FAIL, "the name service failed", "DNS サーバでエラーが発生しました"},
};

const char *sock_error_text(int error)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].error == error)
            return tr(words[i].en, words[i].ja);
    return uv_strerror(error);
}
