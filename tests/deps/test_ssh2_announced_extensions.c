/*
 * What libssh2 announces in its list of key exchange methods without being one (RFC 8308 section 2.1,
 * strict key exchange) cannot be chosen by a server: the handshake fails, and nothing else happens.
 */
#include "tests/deps/peer.h"

struct liar {
    int listen_fd;
    uint16_t port;
    pthread_t thread;
    const char *kex; /* its key exchange methods; NULL: it echoes what it receives */
};

/* SSH_MSG_KEXINIT (RFC 4253 section 7.1) as an unencrypted packet. */
static size_t put_kexinit(unsigned char *at, const char *kex)
{
    static const char *const lists[] = {"ssh-ed25519",
                                        "aes256-gcm@openssh.com",
                                        "aes256-gcm@openssh.com",
                                        "hmac-sha2-256",
                                        "hmac-sha2-256",
                                        "none",
                                        "none",
                                        "",
                                        ""};
    size_t len = 5;
    at[len++] = 20;
    memset(at + len, 7, 16);
    len += 16;
    len += peer_put_string(at + len, kex);
    for (size_t i = 0; i < 9; i++)
        len += peer_put_string(at + len, lists[i]);
    memset(at + len, 0, 5);
    len += 5;
    unsigned char padding = (unsigned char)(8 - len % 8 + 8);
    memset(at + len, 0, padding);
    peer_put_u32(at, (uint32_t)(len + padding - 4));
    at[4] = padding;
    return len + padding;
}

static void *lie(void *arg)
{
    static const char banner[] = "SSH-2.0-liar\r\n";
    struct liar *liar = arg;
    unsigned char buf[8192];
    ssize_t n;
    int fd = accept(liar->listen_fd, NULL, NULL);

    if (write(fd, banner, sizeof banner - 1) < 0)
        return NULL;
    if (liar->kex != NULL) {
        size_t len = put_kexinit(buf, liar->kex);
        if (write(fd, buf, len) < 0)
            return NULL;
    }
    for (bool past_banner = false; (n = read(fd, buf, sizeof buf)) > 0;) {
        unsigned char *line_end = past_banner ? NULL : memchr(buf, '\n', (size_t)n);
        size_t skip = line_end != NULL ? (size_t)(line_end - buf) + 1 : 0;
        past_banner = past_banner || line_end != NULL;
        if (liar->kex == NULL && write(fd, buf + skip, (size_t)n - skip) < 0)
            break;
    }
    close(fd);
    return NULL;
}

/* The error of a handshake with a server that lies so. */
static int handshake(const char *kex, const char *prefer)
{
    struct liar liar = {.kex = kex};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct peer_client client;

    liar.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(liar.listen_fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(liar.listen_fd, 1), 0);
    assert_int_equal(getsockname(liar.listen_fd, (struct sockaddr *)&at, &len), 0);
    pthread_create(&liar.thread, NULL, lie, &liar);

    peer_client_open(&client, ntohs(at.sin_port));
    libssh2_session_set_timeout(client.session, 2000);
    if (prefer != NULL)
        assert_int_equal(libssh2_session_method_pref(client.session, LIBSSH2_METHOD_KEX, prefer),
                         0);
    int rc = libssh2_session_handshake(client.session, client.fd);
    peer_client_close(&client);
    pthread_join(liar.thread, NULL);
    close(liar.listen_fd);
    return rc;
}

static void announced_extension_is_no_method(void **state)
{
    static const char *const prefer[] = {NULL, "curve25519-sha256"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(handshake("ext-info-c", prefer[i]) < 0);
        assert_true(handshake("kex-strict-c-v00@openssh.com", prefer[i]) < 0);
        assert_true(handshake("ext-info-c,kex-strict-c-v00@openssh.com,nothing", prefer[i]) < 0);
    }
}

static void echo_is_no_server(void **state)
{
    (void)state;
    assert_true(handshake(NULL, NULL) < 0);
    assert_true(handshake(NULL, "curve25519-sha256") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announced_extension_is_no_method),
        cmocka_unit_test(echo_is_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
