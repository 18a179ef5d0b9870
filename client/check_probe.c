/* Questions to the gateway that need no key; see check_probe.h. Single-threaded. */
#include "client/check_probe.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <uv.h>

#include "client/proxy.h"
#include "client/session.h"
#include "common/os.h"

static bool parse_date(const char *text, size_t len, int64_t *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char copy[64], month[4], zone[4];
    const char *at;
    struct tm tm;

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    memset(&tm, 0, sizeof(tm));
    /* Numbers of at most four digits: none can be too large. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(copy, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3s", &tm.tm_mday, month,
               &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7 ||
        strlen(month) != 3 || (at = strstr(months, month)) == NULL || (at - months) % 3 != 0 ||
        strcmp(zone, "GMT") != 0)
        return false;
    tm.tm_mon = (int)(at - months) / 3;
    tm.tm_year -= 1900;
    *out = (int64_t)timegm(&tm);
    return true;
}

void probe_parse_answer(const char *text, size_t len, struct probe_answer *out)
{
    static const char ok[] = "10022 OK!", date[] = "date:";
    const char *end = text + len, *line = text;

    memset(out, 0, sizeof(*out));
    out->ok = memmem(text, len, ok, sizeof(ok) - 1) != NULL;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)((stop != NULL ? stop : end) - line);

        while (n > 0 && line[n - 1] == '\r')
            n--;
        if (n == 0)
            break; /* the end of the head */
        if (n > sizeof(date) && strncasecmp(line, date, sizeof(date) - 1) == 0 && !out->has_date) {
            size_t skip = sizeof(date) - 1;

            while (skip < n && line[skip] == ' ')
                skip++;
            out->has_date = parse_date(line + skip, n - skip, &out->date);
        }
        if (stop == NULL)
            break;
        line = stop + 1;
    }
}

int probe_browser(int fd, const char *host, int timeout_ms, struct probe_answer *out)
{
    uint64_t deadline = os_monotonic_ms() + (uint64_t)timeout_ms, now;
    char request[ADDR_HOST_MAX + 64], answer[PROBE_ANSWER_MAX];
    size_t len = 0, got;
    int64_t local = os_time_now();
    int rc, n = snprintf(request, sizeof(request), "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", host);

    rc = dial_write(fd, request, (size_t)n, timeout_ms);
    memset(out, 0, sizeof(*out));
    while (rc == 0 && len < sizeof(answer) && (now = os_monotonic_ms()) < deadline) {
        rc = dial_read(fd, answer + len, sizeof(answer) - len, (int)(deadline - now), &got);
        if (rc != 0)
            break;
        local = os_time_now();
        len += got;
        probe_parse_answer(answer, len, out);
        if (out->ok)
            break;
    }
    if (len == 0)
        return rc != 0 ? rc : PRA_ETIMEOUT;
    out->local = local;
    return 0;
}

int probe_proxy(int fd, const struct addr_host *host, uint16_t port, int timeout_ms,
                struct fault *f)
{
    uint64_t deadline = os_monotonic_ms() + (uint64_t)timeout_ms, now;
    char request[PROXY_REQUEST_MAX], head[PROXY_HEAD_MAX + 1];
    size_t len = 0, used, n = proxy_request(host, port, request);
    int rc = dial_write(fd, request, n, timeout_ms);

    /* One byte at a time: what follows the head belongs to the tunnel. */
    while (rc == 0 && (now = os_monotonic_ms()) < deadline && len < sizeof(head)) {
        size_t got;

        rc = dial_read(fd, head + len, 1, (int)(deadline - now), &got);
        if (rc != 0)
            break;
        len += got;
        rc = proxy_response(head, len, &used, f);
        if (rc != PRA_EAGAIN)
            return rc;
        rc = 0;
    }
    if (rc == PRA_ECLOSED)
        return fault_set(f, rc, "the proxy closed the connection");
    return fault_set(f, PRA_ETIMEOUT, "the proxy did not answer");
}

struct key_probe {
    uv_timer_t timer;
    struct session *session;
    enum cause cause;
    bool seen;
    char *fingerprint; /* of the caller */
    char *detail;
    size_t cap;
};

static void on_phase(void *owner, const char *what)
{
    (void)owner;
    (void)what;
}

/* The key is noted and the session stopped here, before any login. */
static enum cause on_host_key(void *owner, const struct session_host_key *key)
{
    struct key_probe *p = owner;

    p->seen = true;
    (void)snprintf(p->fingerprint, SSHKEY_FINGERPRINT_MAX, "%s", key->fingerprint);
    return CAUSE_HOSTKEY_UNKNOWN;
}

static void on_ready(void *owner)
{
    struct key_probe *p = owner;

    session_stop(p->session);
}

static void on_message(void *owner, const json_t *msg)
{
    (void)owner;
    (void)msg;
}

static void on_ended(void *owner, enum cause cause, const char *detail)
{
    struct key_probe *p = owner;

    p->session = NULL;
    p->cause = cause;
    (void)snprintf(p->detail, p->cap, "%s", detail);
    uv_close((uv_handle_t *)&p->timer, NULL);
}

static void on_late(uv_timer_t *timer)
{
    struct key_probe *p = timer->data;

    if (p->session != NULL)
        session_fail(p->session, CAUSE_TIMEOUT, "");
}

enum cause probe_host_key(const struct config *config, int timeout_ms,
                          char fingerprint[SSHKEY_FINGERPRINT_MAX], char *detail, size_t cap)
{
    static const struct session_events events = {.phase = on_phase,
                                                 .host_key = on_host_key,
                                                 .ready = on_ready,
                                                 .message = on_message,
                                                 .ended = on_ended};
    /* No login is tried, so a key of zeros stands for the user's. */
    struct keyfile_info info = {.type = CRYPTO_ED25519, .public_len = 32};
    struct session_shared shared = {0};
    struct session_options opt = {.server = config->server,
                                  .port = config->server_port,
                                  .has_proxy = config->has_proxy,
                                  .proxy = config->proxy,
                                  .proxy_port = config->proxy_port,
                                  .user = "pra",
                                  .info = &info,
                                  .dead_delay = config->dead_delay,
                                  .dead_timeout = config->dead_timeout,
                                  .shared = &shared};
    struct key_probe p = {.fingerprint = fingerprint, .detail = detail, .cap = cap};
    uv_loop_t loop;

    if (uv_loop_init(&loop) != 0)
        return CAUSE_MEMORY;
    uv_timer_init(&loop, &p.timer);
    p.timer.data = &p;
    uv_timer_start(&p.timer, on_late, (uint64_t)timeout_ms, 0);
    if (session_start(&loop, &opt, &events, &p, &p.session) != 0) {
        p.cause = CAUSE_MEMORY;
        uv_close((uv_handle_t *)&p.timer, NULL);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return p.seen ? CAUSE_NONE : p.cause;
}
