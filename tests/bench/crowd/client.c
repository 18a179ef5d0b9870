/* One client of the crowd; see client.h. */
#include "tests/bench/crowd/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/os.h"

/* An attempt that takes longer is given up and tried again. */
#define ATTEMPT_MS 30000
/* No answer of the gateway takes longer in the blocking commands. */
#define TIMEOUT_MS 20000

struct crowd crowd;

static const char RULES_WORD[] = "\"type\":\"rules\"";

_Noreturn void crowd_die(const char *what)
{
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- keys --------------------------------------------------------------------------------- */

static void secret_of(unsigned number, uint8_t secret[CRYPTO_SECRET_LEN])
{
    char text[128];
    int n = snprintf(text, sizeof(text), "%s %u", crowd.seed, number);

    if (n < 0 || (size_t)n >= sizeof(text) || crypto_sha256(text, (size_t)n, secret) != 0)
        crowd_die("key");
}

static void blob_of(unsigned number, uint8_t blob[BLOB_LEN])
{
    uint8_t secret[CRYPTO_SECRET_LEN], public[CRYPTO_PUBLIC_MAX];
    size_t len;

    secret_of(number, secret);
    if (crypto_key_public(CRYPTO_ED25519, secret, public, &len) != 0)
        crowd_die("key");
    memcpy(blob, "\0\0\0\013ssh-ed25519\0\0\0\040", 19);
    memcpy(blob + 19, public, 32);
}

static unsigned key_of(const struct client *c)
{
    return crowd.many ? crowd.first + c->index : crowd.first;
}

static int sign(LIBSSH2_SESSION *ssh, unsigned char **sig, size_t *sig_len,
                const unsigned char *data, size_t len, void **abstract)
{
    const struct client *c = *abstract;
    uint8_t secret[CRYPTO_SECRET_LEN];

    (void)ssh;
    secret_of(key_of(c), secret);
    *sig_len = 64;
    *sig = malloc(*sig_len);
    return *sig != NULL && crypto_key_sign(CRYPTO_ED25519, secret, data, len, *sig) == 0 ? 0 : -1;
}

int crowd_print_keys(unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++) {
        uint8_t blob[BLOB_LEN];
        char text[4 * ((BLOB_LEN + 2) / 3) + 1];

        blob_of(i, blob);
        crypto_base64_encode(blob, sizeof(blob), text);
        printf("ssh-ed25519 %s crowd-%u\n", text, i);
    }
    return 0;
}

/* ---- one client --------------------------------------------------------------------------- */

static const struct {
    int method;
    const char *list;
} algorithms[] = {{LIBSSH2_METHOD_KEX, "curve25519-sha256"},
                  {LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519"},
                  {LIBSSH2_METHOD_CRYPT_CS, "aes128-gcm@openssh.com"},
                  {LIBSSH2_METHOD_CRYPT_SC, "aes128-gcm@openssh.com"}};

void client_release(struct client *c)
{
    if (c->state == UP)
        crowd.up--;
    if (c->ssh != NULL) {
        /* No goodbye: the socket is closed first. */
        if (c->fd >= 0)
            shutdown(c->fd, SHUT_RDWR);
        libssh2_session_set_blocking(c->ssh, 0);
        libssh2_session_free(c->ssh);
    }
    if (c->fd >= 0)
        close(c->fd);
    c->ssh = NULL;
    c->control = NULL;
    c->fd = -1;
    c->events = 0;
}

void client_lose(struct client *c)
{
    uint32_t random;

    if (c->state == UP && crowd.lost_since_ms == 0)
        crowd.lost_since_ms = os_monotonic_ms();
    if (c->state != UP)
        crowd.attempts_lost++;
    client_release(c);
    crypto_random(&random, sizeof(random));
    c->state = WAITING;
    c->due_ms = os_monotonic_ms() + retry_next_ms(&c->retry, random, 0);
}

void client_give_up(struct client *c, const char *what)
{
    char *text = NULL;

    libssh2_session_last_error(c->ssh, &text, NULL, 0);
    fprintf(stderr, "crowd: client %u: %s: %s\n", c->index, what, text != NULL ? text : "failed");
    client_release(c);
    c->state = FAILED;
    crowd.failed++;
}

static void watch(struct client *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (events == c->events)
        return;
    if (epoll_ctl(crowd.epoll_fd, c->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &e) != 0)
        crowd_die("epoll_ctl");
    c->events = events;
}

void client_dial(struct client *c)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int on = 1;

    c->state = CONNECTING;
    c->due_ms = os_monotonic_ms() + ATTEMPT_MS;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        crowd_die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (crowd.source_count > 0) {
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        from.sin_addr.s_addr = htonl(0x7f010001u + (crowd.first + c->index) % crowd.source_count);
        if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
            crowd_die("bind");
    }
    if (connect(c->fd, (struct sockaddr *)&crowd.gateway, sizeof(crowd.gateway)) != 0 &&
        errno != EINPROGRESS) {
        client_lose(c);
        return;
    }
    watch(c, EPOLLIN | EPOLLOUT);
}

static int start_ssh(struct client *c)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
        return LIBSSH2_ERROR_SOCKET_DISCONNECT;
    c->ssh = libssh2_session_init_ex(NULL, NULL, NULL, c);
    if (c->ssh == NULL)
        crowd_die("memory");
    libssh2_session_set_timeout(c->ssh, TIMEOUT_MS);
    libssh2_session_set_blocking(c->ssh, 0);
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        libssh2_session_method_pref(c->ssh, algorithms[i].method, algorithms[i].list);
    return 0;
}

static int authenticate(struct client *c)
{
    char name[64];
    void *self = c;

    snprintf(name, sizeof(name), crowd.many ? "%s%u" : "%s", crowd.user, crowd.first + c->index);
    if (!c->has_blob) { /* it costs as much as a signature, and this is called three times */
        blob_of(key_of(c), c->blob);
        c->has_blob = true;
    }
    return libssh2_userauth_publickey(c->ssh, name, c->blob, sizeof(c->blob), sign, &self);
}

static int open_control(struct client *c)
{
    c->control = libssh2_channel_open_session(c->ssh);
    return c->control != NULL ? 0 : libssh2_session_last_errno(c->ssh);
}

/* Reads what has come; 1 once the line of the rules is complete. */
static int read_control(struct client *c)
{
    char text[BLOCK];
    int seen = 0;
    ssize_t n;

    while ((n = libssh2_channel_read(c->control, text, sizeof(text))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (RULES_WORD[c->matched] == '\0')
                seen |= text[i] == '\n';
            else
                c->matched = text[i] == RULES_WORD[c->matched] ? (uint8_t)(c->matched + 1)
                                                               : (uint8_t)(text[i] == '"');
        }
    }
    if (n == 0 || libssh2_channel_eof(c->control))
        return LIBSSH2_ERROR_SOCKET_DISCONNECT;
    return seen ? 1 : (int)n;
}

static void arrived(struct client *c)
{
    c->state = UP;
    crowd.up++;
    crowd.last_up_ms = os_monotonic_ms();
    retry_reset(&c->retry);
}

/* One step of the state it is in: 0 = next state, EAGAIN = wait, else lost. */
static int step(struct client *c)
{
    int rc = 0;

    switch (c->state) {
    case CONNECTING:
        return start_ssh(c);
    case HANDSHAKE:
        return libssh2_session_handshake(c->ssh, c->fd);
    case AUTH:
        return authenticate(c);
    case OPEN:
        return open_control(c);
    case SUBSYSTEM:
        return libssh2_channel_subsystem(c->control, "pra@v1");
    case HELLO:
        rc = (int)libssh2_channel_write(c->control, crowd.hello, strlen(crowd.hello));
        return rc < 0 ? rc : rc == (int)strlen(crowd.hello) ? 0 : LIBSSH2_ERROR_SOCKET_SEND;
    case RULES:
        rc = read_control(c);
        return rc == 1 ? 0 : rc;
    case UP: /* reading lets libssh2 answer keepalives; a plain client has no channel to read from */
        if (c->control == NULL)
            return c->events == EPOLLRDHUP ? LIBSSH2_ERROR_SOCKET_DISCONNECT : LIBSSH2_ERROR_EAGAIN;
        rc = read_control(c);
        return rc == 1 ? LIBSSH2_ERROR_EAGAIN : rc;
    default:
        return LIBSSH2_ERROR_EAGAIN;
    }
}

void client_run(struct client *c)
{
    int rc;

    while ((rc = step(c)) == 0) {
        if ((crowd.plain && c->state == AUTH) || c->state == RULES)
            arrived(c);
        else
            c->state++;
    }
    if (rc == LIBSSH2_ERROR_EAGAIN) {
        int dirs = c->ssh != NULL ? libssh2_session_block_directions(c->ssh) : 0;

        if (crowd.plain && c->state == UP) /* what sshd says now, nobody reads */
            watch(c, EPOLLRDHUP);
        else
            watch(c, EPOLLIN | (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND ? EPOLLOUT : 0));
    } else if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED ||
               rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
        client_give_up(c, "login");
    } else {
        client_lose(c);
    }
}
