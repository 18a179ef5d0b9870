/*
 * Inside of pra-portal: what its files share. One thread runs the loop and owns everything but the
 * queue of kdf.c. README.md tells the way of a request.
 */
#ifndef PRA_SERVER_PORTAL_PORTAL_H
#define PRA_SERVER_PORTAL_PORTAL_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <jansson.h>

#include "common/err.h"
#include "server/admin/password.h"
#include "server/config.h"

/* ---- the way to prad (link.c) ------------------------------------------------------------------ */

#define LINKS_MAX         4  /* connections to prad */
#define LINK_QUEUE_MAX    64 /* requests that wait for their answers, on each */
#define LINK_TIMEOUT_S    30
#define HEALTH_PATIENCE_S 3

struct links;

/* `answer` is borrowed; NULL: prad does not answer. Called once, never from within link_ask(). */
typedef void (*link_done)(json_t *answer, void *arg);

struct links *links_new(struct event_base *base, const struct config *c); /* NULL = no memory */
void links_free(struct links *l); /* whoever waits is told that prad does not answer */
/*
 * Sends a request {"op","args","token","source"}; takes over nothing. Returns 0, PRA_EBUSY (too
 * many wait), PRA_ECLOSED (prad does not listen), PRA_ENOMEM; then `done` is not called.
 */
int links_ask(struct links *l, json_t *request, link_done done, void *arg);

/* ---- passwords (kdf.c) -------------------------------------------------------------------------- */

#define KDF_THREADS       2
#define KDF_QUEUE_MAX     64
#define KDF_OF_SOURCE_MAX 4

struct kdf;

/* `proof` NULL: failed. Called once, by the loop. */
typedef void (*kdf_done)(const uint8_t *proof, void *arg);

int kdf_new(struct event_base *base, struct kdf **out);
void kdf_free(struct kdf *k); /* what waits has failed */
/* Makes a proof off the loop. `source` is an address as text; a /64 of IPv6 is one source. Returns 0, PRA_EBUSY (too many wait, in all or of this source),
   PRA_ENOMEM. */
int kdf_prove(struct kdf *k, const char *source, const char *password,
              const uint8_t salt[PASSWORD_SALT_LEN], kdf_done done, void *arg);

/* ---- certificates (tls.c) ----------------------------------------------------------------------- */

struct tls; /* opaque: SSL_CTX */

#define TLS_FINGERPRINT_MAX (3 * 32 + 1)

/*
 * Reads certificate (with its chain) and key; where neither file is there a self-signed one is made
 * (*made). Returns 0, PRA_ENOENT (one of the two is missing), PRA_EINVAL, PRA_EIO, PRA_ECRYPTO.
 */
int tls_load(const struct config *c, struct tls **out, bool *made, struct fault *f);
void tls_free(struct tls *t);
/* SHA-256 of the certificate as browsers show it, AB:CD:... */
const char *tls_fingerprint(const struct tls *t);
bool tls_self_signed(const struct tls *t);
/* When the certificate ends, in seconds since the epoch; 0 = not known. */
int64_t tls_ends(const struct tls *t);

struct bufferevent;

/* A server's side of a connection to be; `owner` is given to `gone` when it is freed. NULL = no
   memory, `gone` was called. */
struct bufferevent *tls_accept(struct tls *t, struct event_base *base, void (*gone)(void *owner),
                               void *owner);
/* The owner given to tls_accept(). */
void *tls_owner(struct bufferevent *bev);

/* ---- HTTP (http.c) ------------------------------------------------------------------------------ */

#define HTTP_BODY_MAX    (1024 * 1024)
#define HTTP_HEADERS_MAX (16 * 1024)
#define HTTP_REQUEST_S   20 /* from the first byte to the last one of a request, TLS included */
#define HTTP_IDLE_S      75 /* between two requests */
#define HTTP_CONNECTIONS 512
#define HTTP_OF_SOURCE   64
/* A request as it comes, with what chunks add to it; and all that are being read together. */
#define HTTP_WIRE_MAX      (HTTP_HEADERS_MAX + HTTP_BODY_MAX + HTTP_BODY_MAX / 2)
#define HTTP_HELD_MAX      (64u * 1024 * 1024)
#define HTTP_SLOWEST       (16u * 1024) /* bytes a second, as an answer is to be taken */
#define HTTP_SOCKET_BUFFER (128 * 1024)

#define FILE_PIECE      65536 /* bytes that are read at once */
#define FILES_MAX       32    /* being sent, in all ... */
#define FILES_OF_SOURCE 4     /* ... and to one source */

#define STREAMS_MAX       64 /* pages that watch, in all ... */
#define STREAMS_OF_SOURCE 8  /* ... and of one source */
#define STREAM_EVERY_S    2
#define STREAM_UNREAD_MAX (256u * 1024) /* more that a browser has not taken: it is left out */

#define DOWNLOADS_MAX       8 /* files that are being sent in parts, in all ... */
#define DOWNLOADS_OF_SOURCE 2 /* ... and to one source */

struct stream;
struct download;
struct transfer;

struct portal {
    struct stream *streams;
    struct download *downloads;
    struct transfer *files; /* that are being sent */
    bool closing;           /* no stream waits for prad to come back */
    struct event_base *base;
    struct event *tell; /* when prad is told of the certificate again */
    const struct config *config;
    struct links *links;
    struct kdf *kdf;
    struct tls *tls;
    struct http *http;
    json_t *openapi;
};

int http_new(struct portal *p, struct http **out, struct fault *f);
/* Closes all connections. They are gone only when the loop is freed, so http_free() comes after that. */
void http_close(struct http *h);
void http_free(struct http *h);

struct evhttp_request;

/* A file of the page, or 404. */
struct asset {
    const char *path, *type;
    const unsigned char *data;
    size_t len;
};
extern const struct asset assets[]; /* ends with a NULL path; made at build */

/*
 * Can it be read in one way only (request.c)? One Host, one length of the body, in decimal or in
 * plain chunks, no body where it would be left unread, names of headers without blanks (RFC 9112,
 * sections 3.2, 5.1, 6.3). A program in front of us may have seen another end of it.
 */
bool request_is_clear(struct evhttp_request *req);
/* Who asks: the address as text, IPv4 inside IPv6 as IPv4. */
void http_source(struct evhttp_request *req, char dst[46]);
/* One IPv4 address, or one /64 of IPv6: what limits count. */
bool http_same_source(const struct addr_ip *a, const struct addr_ip *b);
/* The headers that every answer has. */
void http_headers(struct portal *p, struct evhttp_request *req, const char *type);
/* For an answer that goes on: the browser may be silent meanwhile, and what it says is not kept. */
void http_prepare_stream(struct evhttp_request *req);
/* Ends the connection as if it had broken: what was sent is not the whole. */
void http_cut(struct evhttp_request *req);
/* From now on the answer has so many seconds to be taken. */
void http_limit(struct evhttp_request *req, int seconds);
/* Ends all streams, with no more words. */
void streams_close(struct portal *p);
/* Sends an answer with a body of JSON (taken over; NULL = none). */
void http_send_json(struct portal *p, struct evhttp_request *req, int status, json_t *body);
void http_send_error(struct portal *p, struct evhttp_request *req, int status, const char *code,
                     const char *message);

/* ---- the API (api.c, routes.c, openapi.c) ------------------------------------------------------- */

enum route_kind {
    ROUTE_ASK,     /* arguments go to prad as they are */
    ROUTE_LOGIN,   /* password: salt, proof, then the operation; the answer has a token */
    ROUTE_SETUP,   /* a new password; the answer has a token */
    ROUTE_OPEN,    /* like ROUTE_ASK, for whoever is not logged in */
    ROUTE_CODE,    /* the answer has a token */
    ROUTE_LOGOUT,  /* the cookie goes */
    ROUTE_PROVE,   /* the account's own password becomes a proof */
    ROUTE_CHANGE,  /* the same, and a new one */
    ROUTE_EXPORT,  /* asked for one part after the other, which make a file (download.c) */
    ROUTE_STREAM,  /* asked again and again, each answer an event (stream.c) */
    ROUTE_PORTS,   /* prad says who may; then the gateway's port is looked at (portcheck.c) */
    ROUTE_FILE,    /* prad says that it may be had, then the file is sent (file.c) */
    ROUTE_OPENAPI, /* answered here */
    ROUTE_HEALTH
};

enum param_in { IN_PATH, IN_QUERY, IN_BODY, IN_HOST /* the header: where the browser is */ };
enum param_type { PARAM_TEXT, PARAM_INT, PARAM_BOOL, PARAM_SECRET };

struct param {
    const char *name;
    enum param_in in;
    enum param_type type;
    bool required;
};

#define ROUTE_PARAMS_MAX 24

struct route {
    int method;       /* EVHTTP_REQ_* */
    const char *path; /* "/users/{name}/enable", below /api/v1 */
    const char *op;   /* prad's; NULL: answered here */
    enum route_kind kind;
    const char *summary;
    struct param params[ROUTE_PARAMS_MAX]; /* end with a NULL name */
};
extern const struct route routes[]; /* ends with a NULL path */

#define API_PREFIX "/api/v1"

const char *route_method(const struct route *r); /* "GET" */
/* Is it for those who are not logged in? Then no token goes along. */
bool route_is_open(const struct route *r);
/* The description of all of it: OpenAPI 3.1. New reference. */
json_t *openapi_make(void);

/* Answers a request below API_PREFIX, now or later. */
void api_handle(struct portal *p, struct evhttp_request *req, const char *path);

#endif
