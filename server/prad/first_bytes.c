/* SSH or HTTP; see first_bytes.h. */
#include "server/prad/first_bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/os.h"

/* How long an HTTP peer may take to read its answer and go. */
#define HTTP_LINGER_S 2
/* As many bytes as tell the two apart; fewer do not wake us. */
#define TELLING_BYTES 4

size_t first_bytes_http_answer(char *dst, size_t cap, int64_t now, bool head_only)
{
    static const char *const DAY[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTH[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)now;
    struct tm tm;
    gmtime_r(&t, &tm);
    int n = snprintf(dst, cap,
                     "HTTP/1.1 200 OK\r\n"
                     "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Length: 9\r\n"
                     "Connection: close\r\n\r\n%s",
                     DAY[tm.tm_wday], tm.tm_mday, MONTH[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
                     tm.tm_min, tm.tm_sec, head_only ? "" : "10022 OK!");
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

/* The request is read and thrown away until the peer closes, so that our close is no reset. */
static void on_http_peer(evutil_socket_t fd, short what, void *arg)
{
    struct session *s = arg;
    char sink[1024];
    if ((what & EV_TIMEOUT) || recv(fd, sink, sizeof(sink), 0) <= 0)
        session_end(s, "http", NULL);
}

static void answer_http(struct session *s, bool head_only)
{
    struct timeval linger = {.tv_sec = HTTP_LINGER_S};
    char text[256];
    size_t len = first_bytes_http_answer(text, sizeof(text), os_time_now(), head_only);
    if (send(s->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len || shutdown(s->fd, SHUT_WR) != 0) {
        session_end(s, "http", NULL);
        return;
    }
    s->phase = SESSION_HTTP;
    event_assign(&s->io_read, s->worker->base, s->fd, EV_READ | EV_PERSIST, on_http_peer, s);
    event_add(&s->io_read, &linger);
    event_assign(&s->io_write, s->worker->base, -1, 0, on_http_peer, s);
    event_add(&s->io_write, &linger); /* however busily it sends */
}

static void on_first_bytes(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct session *s = arg;
    s->first_event = what;
    worker_wake(s->worker, s);
}

void first_bytes_tell(struct session *s)
{
    char head[TELLING_BYTES + 1] = "";
    if (s->first_event == 0)
        return;
    ssize_t n = s->first_event & EV_READ ? recv(s->fd, head, TELLING_BYTES, MSG_PEEK) : -1;
    if (n == 0)
        session_end(s, "closed", NULL);
    else if (n == TELLING_BYTES && strcmp(head, "GET ") == 0)
        answer_http(s, false);
    else if (n == TELLING_BYTES && strcmp(head, "HEAD") == 0)
        answer_http(s, true);
    else
        session_start_ssh(s);
}

void first_bytes_wait(struct session *s)
{
    struct timeval wait = {.tv_usec = FIRST_BYTES_WAIT_MS * 1000};
    const int low_water = TELLING_BYTES;
    setsockopt(s->fd, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(low_water));
    event_assign(&s->io_read, s->worker->base, s->fd, EV_READ, on_first_bytes, s);
    event_add(&s->io_read, &wait);
}
