/* Inside of the API: one request from its first look to its answer. */
#ifndef PRA_SERVER_PORTAL_API_INTERNAL_H
#define PRA_SERVER_PORTAL_API_INTERNAL_H

#include "server/portal/portal.h"

#define COOKIE_NAME    "__Host-pra"
#define BROWSER_COOKIE "__Host-pra-browser" /* that an account was logged in here before */
#define BROWSER_DAYS   180
#define TOKEN_TEXT     64 /* hexadecimal digits */
#define BEARER_MAX     80 /* of an API token; prad knows its form */
#define BROWSERS_MAX   512
#define SOURCE_MAX     46

/* A request that is being answered. */
struct pending {
    struct portal *portal;
    struct evhttp_request *req; /* NULL: the browser has gone */
    const struct route *route;
    json_t *args; /* of the operation; no secrets that the portal keeps to itself */
    char *password, *new_password;
    char account[65];
    char token[TOKEN_TEXT + 1];  /* "" = no cookie */
    char bearer[BEARER_MAX + 1]; /* "" = no API token; with one no cookie is looked at */
    char browsers[BROWSERS_MAX + 1];
    char source[SOURCE_MAX];
    bool background; /* the page asks by itself: does not keep a log-in alive */
};

/* Reads path, query, body into q->args. Returns 0, or a PRA_E* with a sentence. */
int request_read(struct pending *q, const char *path, struct fault *f);
/* Does this path fit the route's? */
bool route_fits(const struct route *r, const char *path);
/* Is it a page of ours that asks, not another site's? Only asked of requests that change things. */
bool request_same_origin(struct evhttp_request *req);
/* Does the browser say that another site's page asks, a neighbour in our domain included? */
bool request_from_another_site(struct evhttp_request *req);
/* Does a program ask, with an API token? No page of another site can make a browser send one. */
bool request_has_bearer(struct evhttp_request *req);
/* Fills in source, and either the API token or what the cookies hold. */
void request_who(struct pending *q);

/* Runs the route; the answer comes now or later, and frees `q`. */
void api_run(struct pending *q);

/* Sends events to the browser until the log-in is over or it goes. Takes over `q`. */
void stream_start(struct pending *q);
/* Sends a file made of the parts that the route's operation gives. Takes over `q`. */
void download_start(struct pending *q);
/* Sends a file that prad says may be had. Takes over `q`. */
void file_start(struct pending *q);
/* Asks prad an operation for the browser; `args` is borrowed. Returns as links_ask(). */
int pending_ask(struct pending *q, const char *op, json_t *args, link_done done, void *arg);
void pending_free(struct pending *q);

/* Looks at the ports and answers. Takes over `q`. */
void portcheck_start(struct pending *q);

/* The two ends. */
void pending_fail(struct pending *q, int status, const char *code, const char *message);
void pending_answer(struct pending *q, json_t *answer); /* prad's; borrowed, NULL = none */
void pending_send(struct pending *q, int status, json_t *body);
/* Sets or takes away the cookie. */
void pending_cookie(struct pending *q, const char *token);

#endif
