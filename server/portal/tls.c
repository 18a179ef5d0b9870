/*
 * Certificates and TLS. The only file of ours that knows libssl, and it uses the distribution's:
 * see README.md.
 */
#include "server/portal/portal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/os.h"

#define VALID_DAYS 3650

struct tls {
    SSL_CTX *ctx;
    char fingerprint[TLS_FINGERPRINT_MAX];
    bool self_signed;
    int64_t ends; /* seconds since the epoch, 0 = not known */
};

struct owner {
    void (*gone)(void *owner);
    void *owner;
};

static int owner_index = -1;

static int tls_fault(struct fault *f, int code, const char *what)
{
    unsigned long e = ERR_get_error();
    char text[256] = "";

    if (e != 0)
        ERR_error_string_n(e, text, sizeof(text));
    ERR_clear_error();
    return fault_set(f, code, "%s%s%s", what, e != 0 ? ": " : "", text);
}

/* ---- a certificate of our own ------------------------------------------------------------------- */

static int add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e;
    X509V3_CTX ctx;
    int ok;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = e != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

/* Names by which this host may be reached: its name, localhost, the address we listen at. */
static int name_host(X509 *x, const struct config *c)
{
    char host[HOST_NAME_MAX + 1] = "localhost", names[HOST_NAME_MAX + 200], ip[46];
    X509_NAME *subject = X509_get_subject_name(x);
    struct addr_host listen;
    uint16_t port;
    int len;

    if (gethostname(host, sizeof(host)) != 0 || host[0] == '\0')
        snprintf(host, sizeof(host), "localhost");
    host[sizeof(host) - 1] = '\0';
    len = snprintf(names, sizeof(names), "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:%s", host);
    if (addr_parse_host_port(c->portal_listen, CONFIG_PORTAL_PORT, &listen, &port) == 0 &&
        listen.is_ip && len > 0 && (size_t)len < sizeof(names))
        snprintf(names + len, sizeof(names) - (size_t)len, ",IP:%s",
                 addr_format_ip(&listen.ip, ip));
    host[64 < sizeof(host) ? 64 : sizeof(host) - 1] = '\0'; /* the limit of a common name */
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)host, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(x, subject) == 1 && add_extension(x, NID_subject_alt_name, names) &&
           add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, NID_ext_key_usage, "serverAuth");
}

static X509 *make_certificate(EVP_PKEY *key, const struct config *c)
{
    X509 *x = X509_new();
    unsigned char serial[16];
    BIGNUM *number = NULL;
    bool ok = x != NULL && RAND_bytes(serial, sizeof(serial)) == 1;

    if (ok) {
        serial[0] &= 0x7f;
        number = BN_bin2bn(serial, sizeof(serial), NULL);
    }
    ok = ok && number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL &&
         X509_set_version(x, X509_VERSION_3) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
         X509_time_adj_ex(X509_getm_notAfter(x), VALID_DAYS, 0, NULL) != NULL &&
         X509_set_pubkey(x, key) == 1 && name_host(x, c) && X509_sign(x, key, EVP_sha256()) > 0;
    BN_free(number);
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

static int write_bio(const char *path, BIO *bio, mode_t mode, struct fault *f)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    return os_file_replace(path, data, (size_t)len, mode, f);
}

/* Makes key and certificate. The key comes first: without it the certificate is of no use. */
static int make_pair(const struct config *c, struct fault *f)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = key == NULL ? NULL : make_certificate(key, c);
    BIO *pem_key = BIO_new(BIO_s_secmem()), *pem = BIO_new(BIO_s_mem());
    int rc;

    if (x == NULL || pem_key == NULL || pem == NULL ||
        PEM_write_bio_PrivateKey(pem_key, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_X509(pem, x) != 1)
        rc = tls_fault(f, PRA_ECRYPTO, "no certificate could be made");
    else
        rc = write_bio(c->portal_key, pem_key, 0600, f);
    if (rc == 0)
        rc = write_bio(c->portal_certificate, pem, 0644, f);
    BIO_free(pem_key);
    BIO_free(pem);
    X509_free(x);
    EVP_PKEY_free(key);
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------------ */

static void describe(struct tls *t)
{
    X509 *x = SSL_CTX_get0_certificate(t->ctx);
    struct tm ends = {0};
    unsigned char digest[32];
    unsigned len = 0;

    if (x == NULL || X509_digest(x, EVP_sha256(), digest, &len) != 1 || len != sizeof(digest))
        return;
    for (unsigned i = 0; i < len; i++)
        snprintf(t->fingerprint + 3 * (size_t)i, sizeof(t->fingerprint) - 3 * (size_t)i, "%02X%s",
                 digest[i], i + 1 < len ? ":" : "");
    if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &ends) == 1)
        t->ends = timegm(&ends);
    t->self_signed = X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL)
        return NULL;
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    /* Every page of one browser makes a few connections: let them resume, for an hour. */
    SSL_CTX_set_timeout(ctx, 3600);
    return ctx;
}

static void owner_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    struct owner *o = ptr;

    (void)parent;
    (void)ad;
    (void)idx;
    (void)argl;
    (void)argp;
    if (o == NULL)
        return;
    o->gone(o->owner);
    free(o);
}

int tls_load(const struct config *c, struct tls **out, bool *made, struct fault *f)
{
    bool no_cert = access(c->portal_certificate, F_OK) != 0 && errno == ENOENT;
    bool no_key = access(c->portal_key, F_OK) != 0 && errno == ENOENT;
    struct tls *t;
    int rc = 0;

    *made = false;
    if (no_cert != no_key)
        return fault_set(f, PRA_ENOENT, "[portal] %s: %s is not there, but the other one is",
                         no_cert ? "certificate" : "key",
                         no_cert ? c->portal_certificate : c->portal_key);
    if (no_cert) {
        rc = make_pair(c, f);
        if (rc != 0)
            return rc;
        *made = true;
    }
    if (owner_index < 0)
        owner_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, owner_free);
    t = calloc(1, sizeof(*t));
    if (t == NULL || owner_index < 0) {
        free(t);
        return fault_set(f, PRA_ENOMEM, "no memory");
    }
    t->ctx = make_context();
    if (t->ctx == NULL)
        rc = tls_fault(f, PRA_ECRYPTO, "TLS cannot be set up");
    else if (SSL_CTX_use_certificate_chain_file(t->ctx, c->portal_certificate) != 1)
        rc = tls_fault(f, PRA_EINVAL, "[portal] certificate: cannot be read");
    else if (SSL_CTX_use_PrivateKey_file(t->ctx, c->portal_key, SSL_FILETYPE_PEM) != 1)
        rc = tls_fault(f, PRA_EINVAL, "[portal] key: cannot be read, or is not the certificate's");
    if (rc != 0) {
        tls_free(t);
        return rc;
    }
    describe(t);
    *out = t;
    return 0;
}

void tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx); /* connections that are open keep it */
    free(t);
}

const char *tls_fingerprint(const struct tls *t)
{
    return t->fingerprint;
}

bool tls_self_signed(const struct tls *t)
{
    return t->self_signed;
}

int64_t tls_ends(const struct tls *t)
{
    return t->ends;
}

/* ---- connections -------------------------------------------------------------------------------- */

struct bufferevent *tls_accept(struct tls *t, struct event_base *base, void (*gone)(void *owner),
                               void *owner)
{
    struct owner *o = calloc(1, sizeof(*o));
    struct bufferevent *bev;
    SSL *ssl = o == NULL ? NULL : SSL_new(t->ctx);

    if (ssl == NULL || SSL_set_ex_data(ssl, owner_index, o) != 1) {
        SSL_free(ssl);
        free(o);
        gone(owner);
        return NULL;
    }
    *o = (struct owner){.gone = gone, .owner = owner};
    bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                         BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL)
        SSL_free(ssl); /* calls gone */
    else
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

void *tls_owner(struct bufferevent *bev)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);
    struct owner *o = ssl == NULL ? NULL : SSL_get_ex_data(ssl, owner_index);

    return o == NULL ? NULL : o->owner;
}
