/* The HTTP CONNECT handshake of proxy.h. */
#include "client/proxy.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"

size_t proxy_request(const struct addr_host *host, uint16_t port, char dst[PROXY_REQUEST_MAX])
{
    bool v6 = host->is_ip && host->ip.family == 6;
    const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";
    int n =
        snprintf(dst, PROXY_REQUEST_MAX, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n\r\n",
                 open, host->name, close, port, open, host->name, close, port);

    return (size_t)n; /* fits: both names are at most ADDR_HOST_MAX */
}

/* Length of the head with its empty line, 0 if the empty line is not there. Bare LF is accepted. */
static size_t head_length(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n')
            continue;
        if (i + 1 < len && data[i + 1] == '\n')
            return i + 2;
        if (i + 2 < len && data[i + 1] == '\r' && data[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.x NNN reason". Returns the status, 0 if the line is not one; reason is cut to `cap`. */
static int status_line(const char *data, size_t len, char *reason, size_t cap)
{
    const char *end = memchr(data, '\n', len);
    size_t n, start = 12;

    if (end == NULL)
        return 0;
    n = (size_t)(end - data);
    if (n > 0 && data[n - 1] == '\r')
        n--;
    if (n < start || memcmp(data, "HTTP/1.", 7) != 0 || !digit(data[7]) || data[8] != ' ' ||
        !digit(data[9]) || !digit(data[10]) || !digit(data[11]) || (n > start && data[12] != ' '))
        return 0;
    if (n > start)
        start++;
    if (n - start >= cap)
        n = start + cap - 1;
    for (size_t i = start; i < n; i++) /* the proxy's words go to a log and a screen */
        reason[i - start] = data[i] >= ' ' && data[i] <= '~' ? data[i] : '?';
    reason[n - start] = '\0';
    return (data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0');
}

int proxy_response(const char *data, size_t len, size_t *used, struct fault *f)
{
    static const char start[] = "HTTP/1.";
    size_t seen = len < sizeof(start) - 1 ? len : sizeof(start) - 1, head;
    char reason[128] = "";
    int status;

    if (memcmp(data, start, seen) != 0)
        return fault_set(
            f, PRA_EINVAL,
            tr("the proxy's answer is not HTTP", "プロキシの応答が HTTP ではありません"));
    head = head_length(data, len < PROXY_HEAD_MAX ? len : PROXY_HEAD_MAX);
    if (head == 0 && len >= PROXY_HEAD_MAX)
        return fault_set(f, PRA_ETOOBIG,
                         tr("the proxy's answer is longer than %d bytes",
                            "プロキシの応答が %d バイトを超えています"),
                         PROXY_HEAD_MAX);
    if (head == 0)
        return PRA_EAGAIN;

    status = status_line(data, head, reason, sizeof(reason));
    if (status == 0)
        return fault_set(
            f, PRA_EINVAL,
            tr("the proxy's answer is not HTTP", "プロキシの応答が HTTP ではありません"));
    if (status == 407)
        return fault_set(
            f, PRA_EACCES,
            tr("the proxy asks for a login (407 %s)", "プロキシが認証を要求しています (407 %s)"),
            reason);
    if (status < 200 || status > 299)
        return fault_set(f, PRA_ECLOSED, tr("the proxy answers %d %s", "プロキシの応答: %d %s"),
                         status, reason);
    *used = head;
    return 0;
}
