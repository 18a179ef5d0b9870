/*
 * Fuzz target: the portal from the first byte of a connection on. HTTP as it comes off TLS goes
 * through everything that the portal has - evhttp with our limits, paths, queries, bodies, cookies,
 * tokens, routes, steps, streams - over a socket; in the places of TLS, the password's KDF and prad
 * stand ones that answer at once. prad's answers differ by what was asked before. Whatever is sent,
 * an answer has our headers, and a password goes to nobody.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "common/crypto.h"
#include "common/log.h"
#include "server/portal/portal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX  (64u * 1024)
#define ANSWER_MAX (256u * 1024)
#define ACCEPTING  6  /* turns until a connection is accepted and looked at */
#define QUIET      24 /* turns of the loop in which nothing comes: it is over */

static struct portal portal;
static struct config config;
static unsigned asked; /* questions to prad during this input */

/* ---- in the place of TLS ------------------------------------------------------------------------ */

struct plain {
    struct plain *next;
    struct bufferevent *bev;
    void (*gone)(void *owner);
    void *owner;
};
static struct plain *plains;

static void plain_gone(void *arg)
{
    struct plain *p = arg, **at = &plains;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->gone(p->owner);
    free(p);
}

struct bufferevent *tls_accept(struct tls *t, struct event_base *base, void (*gone)(void *owner),
                               void *owner)
{
    struct bufferevent *under = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct plain *p = calloc(1, sizeof(*p));

    (void)t;
    if (!under || !p)
        abort();
    *p = (struct plain){.next = plains, .gone = gone, .owner = owner};
    plains = p;
    p->bev = bufferevent_filter_new(under, NULL, NULL, BEV_OPT_CLOSE_ON_FREE, plain_gone, p);
    if (!p->bev)
        abort();
    return p->bev;
}

void *tls_owner(struct bufferevent *bev)
{
    for (struct plain *p = plains; p; p = p->next) {
        if (p->bev == bev)
            return p->owner;
    }
    return NULL;
}

bool tls_self_signed(const struct tls *t)
{
    (void)t;
    return false;
}

/* ---- in the place of prad and the KDF ----------------------------------------------------------- */

struct later {
    link_done done;
    kdf_done proven;
    void *arg;
    json_t *answer;
};

static void on_later(evutil_socket_t fd, short what, void *arg)
{
    static const uint8_t proof[PASSWORD_PROOF_LEN];
    struct later *l = arg;

    (void)fd;
    (void)what;
    if (l->done)
        l->done(l->answer, l->arg);
    else
        l->proven(proof, l->arg);
    json_decref(l->answer);
    free(l);
}

static int answer_later(struct later l)
{
    const struct timeval now = {0};
    struct later *copy = malloc(sizeof(*copy));

    if (!copy)
        abort();
    *copy = l;
    return event_base_once(portal.base, -1, EV_TIMEOUT, on_later, copy, &now) == 0 ? 0 : PRA_ENOMEM;
}

static json_t *made_up(const char *op)
{
    static const char token[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    if (strcmp(op, "login.begin") == 0)
        return json_pack("{s:b, s:{s:s, s:s}}", "ok", 1, "result", "salt",
                         "000102030405060708090a0b0c0d0e0f", "account", "tanaka");
    switch (asked % 4) {
    case 0:
        return json_pack("{s:b, s:{s:s, s:s, s:s, s:s}, s:[s]}", "ok", 1, "result", "token", token,
                         "browsers", token, "step", "done", "uri", "otpauth://totp/x?secret=A",
                         "warnings", "w");
    case 1:
        return json_pack("{s:b, s:[], s:{s:i}}", "ok", 1, "result", "page", "total", 0);
    case 2:
        return json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code", "not-logged-in",
                         "message", "no");
    default:
        return NULL;
    }
}

int links_ask(struct links *l, json_t *request, link_done done, void *arg)
{
    const char *op = json_string_value(json_object_get(request, "op"));
    json_t *args = json_object_get(request, "args");
    const char *source = json_string_value(json_object_get(request, "source"));

    (void)l;
    if (!op || !json_is_object(args) || !source || strcmp(source, "127.0.0.1") != 0)
        abort();
    if (json_object_get(args, "password") || json_object_get(args, "new-password"))
        abort();
    asked++;
    return answer_later((struct later){.done = done, .arg = arg, .answer = made_up(op)});
}

int kdf_prove(struct kdf *k, const char *source, const char *password,
              const uint8_t salt[PASSWORD_SALT_LEN], kdf_done done, void *arg)
{
    (void)k;
    (void)source;
    (void)salt;
    if (strlen(password) > PASSWORD_MAX)
        abort();
    return answer_later((struct later){.proven = done, .arg = arg});
}

const struct asset assets[] = {{"/", "text/html", (const unsigned char *)"x", 1},
                               {NULL, NULL, NULL, 0}};

/* ---- a connection ------------------------------------------------------------------------------- */

static uint16_t port_of_a_listener(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        abort();
    close(fd);
    return ntohs(sa.sin_port);
}

static uint16_t port;

static void start(void)
{
    struct fault f = {0};

    log_open("/dev/null", LOG_ERROR, &f);
    port = port_of_a_listener();
    snprintf(config.portal_listen, sizeof(config.portal_listen), "127.0.0.1:%u", port);
    portal.config = &config;
    portal.base = event_base_new();
    portal.openapi = openapi_make();
    if (!portal.base || !portal.openapi || http_new(&portal, &portal.http, &f) != 0)
        abort();
}

static int dial(void)
{
    const struct sockaddr_in sa = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger reset = {.l_onoff = 1}; /* no TIME_WAIT: there are thousands a second */
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0)
        abort();
    evutil_make_socket_nonblocking(fd);
    return fd;
}

/* Every answer is ours, but for the one to "Expect: 100-continue". */
static void check_answer(const char *text, size_t len)
{
    static const char begin[] = "HTTP/", go_on[] = "HTTP/1.1 100 ";

    if (len < sizeof(go_on) || memcmp(text, go_on, sizeof(go_on) - 1) == 0)
        return;
    if (memcmp(text, begin, sizeof(begin) - 1) != 0 ||
        !memmem(text, len, "Content-Security-Policy: default-src 'none'", 43))
        abort();
}

static void talk(int fd, const uint8_t *data, size_t size)
{
    static char answer[ANSWER_MAX];
    size_t sent = 0, got = 0;

    for (unsigned quiet = 0; quiet < QUIET; quiet++) {
        ssize_t n = sent < size ? send(fd, data + sent, size - sent, MSG_NOSIGNAL) : 0;

        if (n > 0) {
            sent += (size_t)n;
            quiet = 0;
        }
        event_base_loop(portal.base, EVLOOP_NONBLOCK);
        n = recv(fd, answer + got, sizeof(answer) - got, 0);
        if (n > 0) {
            got += (size_t)n;
            quiet = 0;
        } else if (n == 0) {
            break;
        }
        if (got == sizeof(answer))
            break;
    }
    check_answer(answer, got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd;

    if (!portal.base)
        start();
    if (size > INPUT_MAX)
        return 0;
    asked = 0;
    fd = dial();
    for (int i = 0; i < ACCEPTING;
         i++) /* as long as TLS would take at least: the source is known then */
        event_base_loop(portal.base, EVLOOP_NONBLOCK);
    talk(fd, data, size);
    close(fd);
    /* Until the portal has seen that, too: nothing is left of one input for the next. */
    for (unsigned i = 0; plains && i < 1000; i++)
        event_base_loop(portal.base, EVLOOP_NONBLOCK);
    if (plains)
        abort();
    return 0;
}
