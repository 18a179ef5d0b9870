/*
 * ChaCha20-Poly1305 and strict key exchange: the client begins no key exchange when the lists lead to
 * that cipher in either direction and the server does not announce strict key exchange. AES-GCM is
 * used with such a server, and ChaCha20-Poly1305 with one that does announce it.
 */
#include "tests/deps/peer.h"

#define CHACHA "chacha20-poly1305@openssh.com"
#define GCM    "aes128-gcm@openssh.com"
#define STRICT ",kex-strict-s-v00@openssh.com"

#define MSG_KEXINIT   20
#define MSG_ECDH_INIT 30

struct server {
    int listen_fd;
    const char *kex, *cs, *sc; /* its lists */
    unsigned char seen[4];     /* types of the packets that came */
    int count;
};

/* SSH_MSG_KEXINIT (RFC 4253 section 7.1) as an unencrypted packet. */
static size_t put_kexinit(unsigned char *at, const struct server *s)
{
    const char *const lists[] = {s->kex,          "ssh-ed25519", s->cs,  s->sc, "hmac-sha2-256",
                                 "hmac-sha2-256", "none",        "none", "",    ""};
    size_t len = 5;

    at[len++] = MSG_KEXINIT;
    memset(at + len, 7, 16);
    len += 16;
    for (size_t i = 0; i < 10; i++)
        len += peer_put_string(at + len, lists[i]);
    memset(at + len, 0, 5);
    len += 5;
    unsigned char padding = (unsigned char)(8 - len % 8 + 8);
    memset(at + len, 0, padding);
    peer_put_u32(at, (uint32_t)(len + padding - 4));
    at[4] = padding;
    return len + padding;
}

static bool read_all(int fd, unsigned char *buf, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = read(fd, buf + have, len - have);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

/* Sends its lists and notes what comes, until the client leaves or has begun the key exchange. */
static void *serve(void *arg)
{
    static const char banner[] = "SSH-2.0-server\r\n";
    struct server *s = arg;
    unsigned char buf[8192];
    int fd = accept(s->listen_fd, NULL, NULL);
    bool going = write(fd, banner, sizeof banner - 1) > 0;

    going = going && write(fd, buf, put_kexinit(buf, s)) > 0;
    do /* the client's banner */
        going = going && read_all(fd, buf, 1);
    while (going && buf[0] != '\n');
    while (going && s->count < 2 && read_all(fd, buf, 5)) {
        size_t len = (size_t)buf[2] << 8 | buf[3];
        going = len > 1 && len < sizeof buf && read_all(fd, buf, len - 1);
        s->seen[s->count++] = buf[0];
    }
    close(fd);
    return NULL;
}

/* The client's error with a server of these lists; `s` tells what the client sent. */
static int handshake(struct server *s, const char *prefer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct peer_client client;
    pthread_t thread;

    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listen_fd, 1), 0);
    assert_int_equal(getsockname(s->listen_fd, (struct sockaddr *)&at, &len), 0);
    pthread_create(&thread, NULL, serve, s);
    peer_client_open(&client, ntohs(at.sin_port));
    libssh2_session_method_pref(client.session, LIBSSH2_METHOD_CRYPT_CS, prefer);
    libssh2_session_method_pref(client.session, LIBSSH2_METHOD_CRYPT_SC, prefer);
    int rc = libssh2_session_handshake(client.session, client.fd);
    peer_client_close(&client);
    pthread_join(thread, NULL);
    close(s->listen_fd);
    return rc;
}

static void expect(const char *kex, const char *cs, const char *sc, const char *prefer, bool begins)
{
    struct server s = {.kex = kex, .cs = cs, .sc = sc};
    int rc = handshake(&s, prefer);

    assert_int_equal(s.seen[0], MSG_KEXINIT);
    if (begins) {
        assert_int_equal(s.count, 2);
        assert_int_equal(s.seen[1], MSG_ECDH_INIT);
    } else {
        assert_int_equal(rc, LIBSSH2_ERROR_KEX_FAILURE);
        assert_int_equal(s.count, 1);
    }
}

static void chacha20_needs_strict_key_exchange(void **state)
{
    (void)state;
    expect("curve25519-sha256", CHACHA, CHACHA, CHACHA, false);
    expect("curve25519-sha256", CHACHA "," GCM, CHACHA "," GCM, CHACHA "," GCM, false);
    expect("curve25519-sha256", CHACHA, GCM, CHACHA "," GCM, false);
    expect("curve25519-sha256", GCM, CHACHA, CHACHA "," GCM, false);
    expect("curve25519-sha256" STRICT, CHACHA, CHACHA, CHACHA "," GCM, true);
    /* the client's own mark, sent back, is none of the server's */
    expect("curve25519-sha256,kex-strict-c-v00@openssh.com", CHACHA, CHACHA, CHACHA, false);
}

static void aes_gcm_does_not(void **state)
{
    (void)state;
    expect("curve25519-sha256", GCM, GCM, CHACHA "," GCM, true);
    expect("curve25519-sha256", CHACHA "," GCM, CHACHA "," GCM, GCM "," CHACHA, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chacha20_needs_strict_key_exchange),
        cmocka_unit_test(aes_gcm_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
