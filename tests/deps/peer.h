/*
 * Peers for the tests of our library patches: an SSH server made of libssh that runs in a thread of
 * the test, and a client made of libssh2. Each test program includes this once; there is no .c file
 * because every test is one program.
 *
 * Owner: the server thread owns everything below "server thread only"; a test talks to it through
 * the atomics, and reads the rest after peer_server_stop(). cmocka's asserts run in the main thread
 * only.
 */
#ifndef TESTS_DEPS_PEER_H
#define TESTS_DEPS_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
/* The message API is the only one that can hold an open back while a name is resolved. */
#define SSH_SUPPRESS_DEPRECATED
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <libssh2.h>
#include <openssl/evp.h>

#define PEER_SESSIONS_MAX 256
#define PEER_ROUND_MS     2
#define PEER_PATIENCE_MS  10000

/* libssh2's own way to send one packet; lets a test be a peer that breaks the rules. */
int _libssh2_transport_send(LIBSSH2_SESSION *session, const unsigned char *data, size_t len,
                            const unsigned char *data2, size_t len2);

struct peer_server {
    uint16_t port;
    int listen_fd;
    pthread_t thread;
    atomic_bool stop;
    atomic_int logins;      /* sessions that logged in */
    atomic_int ended;       /* sessions that died */
    atomic_int counters[8]; /* for the test's callbacks */

    /* Set before peer_server_start(). on_message answers (or keeps) the message and returns true,
     * then it also frees it; false means the default: log in any valid signature, refuse the rest.
     * on_round runs once a round for every live session, on_end before one is freed. */
    bool (*on_message)(struct peer_server *server, ssh_session session, ssh_message msg);
    void (*on_round)(struct peer_server *server, ssh_session session);
    void (*on_end)(struct peer_server *server, ssh_session session);
    uint32_t window;      /* ssh_session_set_default_window(), 0 leaves it */
    uint64_t rekey_bytes; /* the server asks for new keys after so much, 0 leaves it */
    int sndbuf;           /* SO_SNDBUF of accepted sockets, 0 leaves it */
    int rcvbuf;           /* SO_RCVBUF, likewise */
    size_t stack_bytes;   /* of the server thread, 0 leaves it */
    bool own_loop;        /* waits by itself instead of through an ssh_event, as prad does */
    ssh_key host_key;     /* becomes the server's; NULL = a new one */
    void *arg;

    /* server thread only */
    ssh_bind bind;
    ssh_event event;
    ssh_session sessions[PEER_SESSIONS_MAX];
    bool keyed[PEER_SESSIONS_MAX];
    int session_count;
    ssh_channel channel; /* the last one that peer_accept_open() let in */
    char last_error[256];
};

static inline uint64_t peer_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static inline void peer_sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&ts, NULL);
}

/* Waits until the counter reaches `least`; false if it does not in PEER_PATIENCE_MS. */
static inline bool peer_wait(atomic_int *counter, int least)
{
    uint64_t end = peer_now_ms() + PEER_PATIENCE_MS;
    while (atomic_load(counter) < least && peer_now_ms() < end)
        peer_sleep_ms(1);
    return atomic_load(counter) >= least;
}

/* --- the server ----------------------------------------------------------------------------- */

static inline void peer_default_message(struct peer_server *server, ssh_message msg)
{
    if (ssh_message_type(msg) == SSH_REQUEST_AUTH &&
        ssh_message_subtype(msg) == SSH_AUTH_METHOD_PUBLICKEY) {
        enum ssh_publickey_state_e state = ssh_message_auth_publickey_state(msg);
        if (state == SSH_PUBLICKEY_STATE_NONE) {
            ssh_message_auth_reply_pk_ok_simple(msg);
            return;
        }
        if (state == SSH_PUBLICKEY_STATE_VALID) {
            ssh_message_auth_reply_success(msg, 0);
            atomic_fetch_add(&server->logins, 1);
            return;
        }
    }
    if (ssh_message_type(msg) == SSH_REQUEST_SERVICE)
        ssh_message_service_reply_success(msg);
    else
        ssh_message_reply_default(msg);
}

/* An on_message that accepts every channel. */
static inline bool peer_accept_open(struct peer_server *server, ssh_session session,
                                    ssh_message msg)
{
    (void)session;
    if (ssh_message_type(msg) != SSH_REQUEST_CHANNEL_OPEN)
        return false;
    server->channel = ssh_message_channel_request_open_reply_accept(msg);
    ssh_message_free(msg);
    return true;
}

static inline void peer_drop(struct peer_server *server, int i)
{
    ssh_session session = server->sessions[i];
    snprintf(server->last_error, sizeof server->last_error, "%s", ssh_get_error(session));
    if (server->on_end != NULL)
        server->on_end(server, session);
    if (!server->own_loop)
        ssh_event_remove_session(server->event, session);
    ssh_disconnect(session);
    ssh_free(session);
    server->session_count--;
    server->sessions[i] = server->sessions[server->session_count];
    server->keyed[i] = server->keyed[server->session_count];
    atomic_fetch_add(&server->ended, 1);
}

static inline void peer_accept(struct peer_server *server)
{
    int fd = accept(server->listen_fd, NULL, NULL);
    if (fd < 0)
        return;
    ssh_session session = ssh_new();
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (server->own_loop)
        ssh_session_set_external_loop(session);
    if (server->session_count == PEER_SESSIONS_MAX ||
        ssh_bind_accept_fd(server->bind, session, fd) != SSH_OK) {
        ssh_free(session);
        return;
    }
    if (server->sndbuf != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &server->sndbuf, sizeof server->sndbuf);
    if (server->rcvbuf != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &server->rcvbuf, sizeof server->rcvbuf);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ssh_set_blocking(session, 0);
    ssh_set_auth_methods(session, SSH_AUTH_METHOD_PUBLICKEY);
    if (server->window != 0)
        ssh_session_set_default_window(session, server->window);
    if (server->rekey_bytes != 0)
        ssh_options_set(session, SSH_OPTIONS_REKEY_DATA, &server->rekey_bytes);
    if (server->own_loop)
        ssh_handle_key_exchange(session); /* before anything is read */
    server->sessions[server->session_count] = session;
    server->keyed[server->session_count] = false;
    server->session_count++;
    if (!server->own_loop)
        ssh_event_add_session(server->event, session);
}

/* One turn of a loop of our own: waits, reads what came, serves, and sends what was made. */
static inline bool peer_serve(struct peer_server *server, int i);

static unsigned char peer_input[640 * 1024];

static inline void peer_own_turn(struct peer_server *server)
{
    static unsigned char output[300 * 1024];
    struct pollfd p[PEER_SESSIONS_MAX];
    for (int i = 0; i < server->session_count; i++) {
        ssh_session session = server->sessions[i];
        p[i] = (struct pollfd){.fd = ssh_get_fd(session), .events = POLLIN};
        if (ssh_session_output_pending(session) > 0 && !ssh_session_in_rekey(session))
            p[i].events |= POLLOUT;
    }
    poll(p, (nfds_t)server->session_count, PEER_ROUND_MS);
    for (int i = server->session_count - 1; i >= 0; i--) {
        ssh_session session = server->sessions[i];
        ssh_session_lend_output(session, output, sizeof output);
        if (p[i].revents & (POLLIN | POLLHUP | POLLERR))
            ssh_session_input(session, peer_input, sizeof peer_input, 256 * 1024);
        bool alive = peer_serve(server, i);
        ssh_session_output(session);
        ssh_session_lend_output(session, NULL, 0);
        if (!alive)
            peer_drop(server, i);
    }
}

/* One round of session i; false when it has ended. */
static inline bool peer_serve(struct peer_server *server, int i)
{
    ssh_session session = server->sessions[i];

    if (!server->keyed[i]) {
        int rc = ssh_handle_key_exchange(session);
        if (rc == SSH_ERROR)
            return false;
        server->keyed[i] = rc == SSH_OK;
    }
    while (server->keyed[i]) {
        ssh_message msg = ssh_message_get(session);
        if (msg == NULL)
            break;
        if (server->on_message == NULL || !server->on_message(server, session, msg)) {
            peer_default_message(server, msg);
            ssh_message_free(msg);
        }
    }
    if (server->keyed[i] && server->on_round != NULL)
        server->on_round(server, session);
    return ssh_is_connected(session) &&
           (ssh_get_status(session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0;
}

static inline void *peer_server_main(void *arg)
{
    struct peer_server *server = arg;

    while (!atomic_load(&server->stop)) {
        peer_accept(server);
        if (server->session_count == 0)
            peer_sleep_ms(PEER_ROUND_MS);
        else if (server->own_loop)
            peer_own_turn(server);
        else
            ssh_event_dopoll(server->event, PEER_ROUND_MS);
        for (int i = server->session_count - 1; !server->own_loop && i >= 0; i--) {
            if (!peer_serve(server, i))
                peer_drop(server, i);
        }
    }
    while (server->session_count > 0)
        peer_drop(server, server->session_count - 1);
    return NULL;
}

/* Starts the thread; it listens on 127.0.0.1:server->port. */
static inline void peer_server_start(struct peer_server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    ssh_key key = server->host_key;

    ssh_init();
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listen_fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server->listen_fd, 128), 0);
    assert_int_equal(getsockname(server->listen_fd, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(at.sin_port);

    bool no = false;
    server->bind = ssh_bind_new();
    ssh_bind_options_set(server->bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
    if (key == NULL)
        assert_int_equal(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key), SSH_OK);
    ssh_bind_options_set(server->bind, SSH_BIND_OPTIONS_IMPORT_KEY, key);
    server->event = ssh_event_new();
    atomic_store(&server->stop, false);

    pthread_attr_t attr;
    pthread_attr_init(&attr);
    if (server->stack_bytes != 0)
        pthread_attr_setstacksize(&attr, server->stack_bytes);
    assert_int_equal(pthread_create(&server->thread, &attr, peer_server_main, server), 0);
    pthread_attr_destroy(&attr);
}

static inline void peer_server_stop(struct peer_server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    ssh_event_free(server->event);
    ssh_bind_free(server->bind);
    close(server->listen_fd);
}

/* --- the client ----------------------------------------------------------------------------- */

/* The byte to damage, counted in bytes received since it was armed; below 0 nothing happens. */
static long peer_flip_at = -1;
static unsigned char peer_flip_mask;

/* LIBSSH2_RECV_FUNC */
static inline ssize_t peer_recv_flipped(libssh2_socket_t fd, void *data, size_t len, int flags,
                                        void **abstract)
{
    (void)abstract;
    ssize_t n = recv(fd, data, len, flags);
    if (n < 0)
        return -errno;
    if (peer_flip_at >= 0 && peer_flip_at < n)
        ((unsigned char *)data)[peer_flip_at] ^= peer_flip_mask;
    peer_flip_at -= n;
    return n;
}

struct peer_client {
    int fd;
    LIBSSH2_SESSION *session;
    EVP_PKEY *key;
    bool break_signature;
};

static inline int peer_connect(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC; *abstract is the struct peer_client. */
static inline int peer_sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
                            const unsigned char *data, size_t data_len, void **abstract)
{
    struct peer_client *client = *abstract;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;
    (void)session;

    *sig = malloc(len);
    EVP_DigestSignInit(ctx, NULL, NULL, NULL, client->key);
    int ok = EVP_DigestSign(ctx, *sig, &len, data, data_len);
    EVP_MD_CTX_free(ctx);
    if (client->break_signature)
        (*sig)[7] ^= 1;
    *sig_len = len;
    return ok == 1 ? 0 : -1;
}

/* The key as an SSH blob: string "ssh-ed25519", string key (RFC 8709). */
static inline size_t peer_key_blob(EVP_PKEY *key, unsigned char blob[51])
{
    static const unsigned char head[] = "\0\0\0\013ssh-ed25519\0\0\0 ";
    size_t len = 32;
    memcpy(blob, head, 19);
    EVP_PKEY_get_raw_public_key(key, blob + 19, &len);
    return 19 + len;
}

/* Connects and exchanges keys; blocking until peer_login() is done. */
static inline void peer_client_open(struct peer_client *client, uint16_t port)
{
    *client = (struct peer_client){.fd = peer_connect(port)};
    libssh2_init(0);
    client->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    client->session = libssh2_session_init();
    libssh2_session_set_timeout(client->session, PEER_PATIENCE_MS);
}

static inline int peer_try_login(struct peer_client *client)
{
    unsigned char blob[51];
    size_t len = peer_key_blob(client->key, blob);
    void *self = client;
    return libssh2_userauth_publickey(client->session, "user", blob, len, peer_sign, &self);
}

static inline void peer_login(struct peer_client *client, uint16_t port)
{
    peer_client_open(client, port);
    assert_int_equal(libssh2_session_handshake(client->session, client->fd), 0);
    assert_int_equal(peer_try_login(client), 0);
}

/* Waits for the socket in the directions libssh2 asks for, at most ms. */
static inline void peer_client_wait(struct peer_client *client, int ms)
{
    int dir = libssh2_session_block_directions(client->session);
    struct pollfd p = {.fd = client->fd, .events = POLLIN};
    if (dir & LIBSSH2_SESSION_BLOCK_OUTBOUND)
        p.events |= POLLOUT;
    poll(&p, 1, ms);
}

/* A direct-tcpip open to `port`, blocking. */
static inline LIBSSH2_CHANNEL *peer_open(struct peer_client *client, int port)
{
    return libssh2_channel_direct_tcpip_ex(client->session, "target", port, "127.0.0.1", 1);
}

static inline void peer_client_close(struct peer_client *client)
{
    /* Freeing waits for the peer to close each channel, unless the connection is gone. */
    shutdown(client->fd, SHUT_RDWR);
    libssh2_session_set_blocking(client->session, 0);
    for (int i = 0; i < 1000; i++) {
        if (libssh2_session_free(client->session) != LIBSSH2_ERROR_EAGAIN)
            break;
    }
    close(client->fd);
    EVP_PKEY_free(client->key);
}

/* --- wire helpers --------------------------------------------------------------------------- */

static inline size_t peer_put_u32(unsigned char *at, uint32_t v)
{
    at[0] = (unsigned char)(v >> 24);
    at[1] = (unsigned char)(v >> 16);
    at[2] = (unsigned char)(v >> 8);
    at[3] = (unsigned char)v;
    return 4;
}

static inline size_t peer_put_string(unsigned char *at, const char *s)
{
    size_t len = strlen(s);
    peer_put_u32(at, (uint32_t)len);
    memcpy(at + 4, s, len);
    return 4 + len;
}

#endif
