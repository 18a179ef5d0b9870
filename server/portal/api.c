/*
 * The API: finds the route, runs it in the steps that its kind needs, and turns prad's answer into
 * HTTP. Nothing is decided here about who may do what: prad is asked with the cookie's token.
 */
#include "server/portal/api_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/http.h>

#include "common/crypto.h"
#include "common/log.h"
#include "server/portal/qr.h"

/* ---- the ends of a request ---------------------------------------------------------------------- */

static void wipe_text(char *text)
{
    if (text == NULL)
        return;
    crypto_wipe(text, strlen(text));
    free(text);
}

void pending_free(struct pending *q)
{
    wipe_text(q->password);
    wipe_text(q->new_password);
    json_decref(q->args);
    crypto_wipe(q, sizeof(*q));
    free(q);
}

/*
 * The browser has gone while we were at work. evhttp has taken the request off its connection then,
 * and leaves it to us; one that it still has there it frees itself.
 */
static void on_closed(struct evhttp_connection *ec, void *arg)
{
    struct pending *q = arg;

    (void)ec;
    if (evhttp_request_get_connection(q->req) == NULL)
        evhttp_request_free(q->req);
    q->req = NULL;
}

void pending_send(struct pending *q, int status, json_t *body)
{
    if (q->req == NULL) {
        json_decref(body);
    } else {
        evhttp_connection_set_closecb(evhttp_request_get_connection(q->req), NULL, NULL);
        http_send_json(q->portal, q->req, status, body);
    }
    pending_free(q);
}

void pending_fail(struct pending *q, int status, const char *code, const char *message)
{
    pending_send(q, status, json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message));
}

static void set_cookie(struct pending *q, const char *name, const char *value, const char *more)
{
    char cookie[BROWSERS_MAX + 200];

    if (q->req == NULL)
        return;
    snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", name,
             value, more);
    evhttp_add_header(evhttp_request_get_output_headers(q->req), "Set-Cookie", cookie);
    crypto_wipe(cookie, sizeof(cookie));
}

void pending_cookie(struct pending *q, const char *token)
{
    set_cookie(q, COOKIE_NAME, token, token[0] == '\0' ? "; Max-Age=0" : "");
}

/* The browser is known from now on: it keeps that for longer than the log-in, and after it. */
static void remember_browser(struct pending *q, json_t *result)
{
    const char *browsers = json_string_value(json_object_get(result, "browsers"));
    char age[32];

    if (browsers == NULL || strlen(browsers) > BROWSERS_MAX)
        return;
    snprintf(age, sizeof(age), "; Max-Age=%d", BROWSER_DAYS * 86400);
    set_cookie(q, BROWSER_COOKIE, browsers, age);
    json_object_del(result, "browsers");
}

static int status_of(const char *code)
{
    static const struct {
        const char *code;
        int status;
    } map[] = {{"invalid", 400},         {"not-logged-in", 401},  {"not-permitted", 403},
               {"address-refused", 403}, {"would-lock-out", 409}, {"wrong", 403},
               {"not-found", 404},       {"exists", 409},         {"partly", 409},
               {"too-large", 413},       {"too-many", 429},       {"busy", 503},
               {"not-running", 503}};

    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
        if (strcmp(map[i].code, code) == 0)
            return map[i].status;
    }
    return 500;
}

/* Moves what is not the browser's script's business from the result. */
static void dress_result(struct pending *q, json_t *result)
{
    const char *token = json_string_value(json_object_get(result, "token"));
    const char *uri = json_string_value(json_object_get(result, "uri"));

    remember_browser(q, result);
    if (q->route->kind == ROUTE_LOGIN || q->route->kind == ROUTE_SETUP ||
        q->route->kind == ROUTE_CODE) {
        pending_cookie(q, token != NULL ? token : "");
        json_object_del(result, "token");
    }
    if (q->route->kind == ROUTE_LOGOUT)
        pending_cookie(q, "");
    if (uri != NULL &&
        (strcmp(q->route->op, "totp.begin") == 0 || strcmp(q->route->op, "factor.begin") == 0))
        json_object_set_new(result, "qr", qr_path(uri));
}

void pending_answer(struct pending *q, json_t *answer)
{
    json_t *error = json_object_get(answer, "error"), *body;
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));

    if (answer == NULL) {
        pending_fail(q, 503, "not-running", "the gateway (prad) does not answer");
    } else if (error != NULL) {
        pending_fail(q, code == NULL ? 500 : status_of(code), code == NULL ? "internal" : code,
                     message == NULL ? "no reason given" : message);
    } else {
        json_t *result = json_object_get(answer, "result");

        dress_result(q, result);
        body = json_pack("{s:O?}", "result", result);
        if (json_object_get(answer, "warnings") != NULL)
            json_object_set(body, "warnings", json_object_get(answer, "warnings"));
        if (json_object_get(answer, "page") != NULL)
            json_object_set(body, "page", json_object_get(answer, "page"));
        pending_send(q, 200, body);
    }
}

/* ---- asking prad -------------------------------------------------------------------------------- */

int pending_ask(struct pending *q, const char *op, json_t *args, link_done done, void *arg)
{
    json_t *request = json_pack("{s:s, s:O, s:s}", "op", op, "args", args, "source", q->source);
    int rc;

    if (q->bearer[0] != '\0')
        json_object_set_new(request, "api-token", json_string(q->bearer));
    else if (q->token[0] != '\0' && !route_is_open(q->route))
        json_object_set_new(request, "token", json_string(q->token));
    if (q->browsers[0] != '\0')
        json_object_set_new(request, "browsers", json_string(q->browsers));
    if (q->background)
        json_object_set_new(request, "background", json_true());
    rc = request == NULL ? PRA_ENOMEM : links_ask(q->portal->links, request, done, arg);
    json_decref(request);
    return rc;
}

/* Asks an operation; `args` is borrowed. If prad cannot be asked the request fails now. */
static void ask(struct pending *q, const char *op, json_t *args, link_done done)
{
    int rc = pending_ask(q, op, args, done, q);

    if (rc == PRA_EBUSY)
        pending_fail(q, 503, "busy", "too many requests at once: try again");
    else if (rc != 0)
        done(NULL, q);
}

static void on_done(json_t *answer, void *arg)
{
    pending_answer(arg, answer);
}

static void set_hex(json_t *args, const char *name, const uint8_t *data, size_t len)
{
    char text[2 * PASSWORD_PROOF_LEN + 1];

    crypto_hex_encode(data, len, text);
    json_object_set_new(args, name, json_string(text));
    crypto_wipe(text, sizeof(text));
}

/* ---- passwords ---------------------------------------------------------------------------------- */

/* Makes a proof; if that cannot be begun the request fails now. */
static void prove(struct pending *q, const char *password, const uint8_t *salt, kdf_done done)
{
    int rc = kdf_prove(q->portal->kdf, q->source, password, salt, done, q);

    if (rc == PRA_EBUSY)
        pending_fail(q, 429, "too-many", "too many passwords at once: try again in a moment");
    else if (rc != 0)
        pending_fail(q, 500, "internal", "no memory");
}

static bool failed_proof(struct pending *q, const uint8_t *proof)
{
    if (proof == NULL)
        pending_fail(q, 500, "internal", "the password could not be proven");
    return proof == NULL;
}

/* The last step: everything is in the arguments. */
static void on_last_proof(const uint8_t *proof, void *arg)
{
    struct pending *q = arg;

    if (failed_proof(q, proof))
        return;
    set_hex(q->args, q->route->kind == ROUTE_CHANGE ? "new-proof" : "proof", proof,
            PASSWORD_PROOF_LEN);
    ask(q, q->route->op, q->args, on_done);
}

/* A password that somebody chose: looked at, and proven with a salt of its own. */
static void choose(struct pending *q, const char *account, const char *password)
{
    uint8_t salt[PASSWORD_SALT_LEN];
    struct fault f = {0};

    if (password_check(account, password, &f) != 0) {
        pending_fail(q, 400, "invalid", f.text);
        return;
    }
    crypto_random(salt, sizeof(salt));
    set_hex(q->args, "salt", salt, sizeof(salt));
    prove(q, password, salt, on_last_proof);
}

static void on_old_proof(const uint8_t *proof, void *arg)
{
    struct pending *q = arg;

    if (failed_proof(q, proof))
        return;
    set_hex(q->args, "proof", proof, PASSWORD_PROOF_LEN);
    choose(q, q->account, q->new_password);
}

static void on_salt(json_t *answer, void *arg)
{
    struct pending *q = arg;
    json_t *result = json_object_get(answer, "result");
    const char *text = json_string_value(json_object_get(result, "salt"));
    const char *name = json_string_value(json_object_get(result, "account"));
    uint8_t salt[PASSWORD_SALT_LEN];
    size_t len = 0;

    if (text == NULL || crypto_hex_decode(text, strlen(text), salt, sizeof(salt), &len) != 0 ||
        len != sizeof(salt)) {
        pending_answer(q,
                       answer != NULL && json_object_get(answer, "error") != NULL ? answer : NULL);
        return;
    }
    snprintf(q->account, sizeof(q->account), "%s", name != NULL ? name : "");
    if (q->route->kind == ROUTE_SETUP) /* its salt is a new one; prad let us go on, that was all */
        choose(q, q->account, q->password);
    else
        prove(q, q->password, salt, q->route->kind == ROUTE_CHANGE ? on_old_proof : on_last_proof);
}

/* The salt of the account that logs in, or of the one that is logged in. */
static void ask_salt(struct pending *q)
{
    json_t *account = json_object_get(q->args, "account");
    json_t *args = account == NULL ? json_object() : json_pack("{s:O}", "account", account);

    ask(q, "login.begin", args, on_salt);
    json_decref(args);
}

/* ---- running ------------------------------------------------------------------------------------ */

static void add_agent(struct pending *q)
{
    const char *agent = evhttp_find_header(evhttp_request_get_input_headers(q->req), "User-Agent");
    json_t *text = agent == NULL || strlen(agent) > 500 ? NULL : json_string(agent);

    if (text != NULL)
        json_object_set_new(q->args, "agent", text);
}

/* Whoever asks whether all is well shall not wait as long as for an answer that is worth something. */
struct health {
    struct pending *q; /* NULL: answered */
    struct event *late;
};

static void health_answer(struct health *h, bool gateway)
{
    struct pending *q = h->q;

    h->q = NULL;
    pending_send(q, gateway ? 200 : 503, json_pack("{s:b, s:b}", "portal", 1, "gateway", gateway));
}

static void health_free(struct health *h)
{
    if (h->late != NULL)
        event_free(h->late);
    free(h);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    health_answer(arg, false);
}

static void on_health(json_t *answer, void *arg)
{
    struct health *h = arg;

    if (h->q != NULL)
        health_answer(h, answer != NULL);
    health_free(h);
}

static void health_start(struct pending *q)
{
    const struct timeval patience = {.tv_sec = HEALTH_PATIENCE_S};
    struct health *h = calloc(1, sizeof(*h));

    if (h == NULL) {
        pending_fail(q, 503, "busy", "no memory");
        return;
    }
    h->q = q;
    h->late = event_new(q->portal->base, -1, 0, on_late, h);
    /* Any answer will do: that one has to log in first. */
    if (h->late == NULL || event_add(h->late, &patience) != 0 ||
        pending_ask(q, "me", q->args, on_health, h) != 0) {
        health_answer(h, false);
        health_free(h);
    }
}

static void on_status(json_t *answer, void *arg)
{
    if (json_is_true(json_object_get(answer, "ok")))
        portcheck_start(arg);
    else
        pending_answer(arg, answer);
}

void api_run(struct pending *q)
{
    switch (q->route->kind) {
    case ROUTE_OPENAPI:
        pending_send(q, 200, json_incref(q->portal->openapi));
        break;
    case ROUTE_STREAM:
        stream_start(q);
        break;
    case ROUTE_EXPORT:
        download_start(q);
        break;
    case ROUTE_PORTS:
        ask(q, q->route->op, q->args, on_status);
        break;
    case ROUTE_FILE:
        file_start(q);
        break;
    case ROUTE_HEALTH:
        health_start(q);
        break;
    case ROUTE_LOGIN:
    case ROUTE_SETUP:
        add_agent(q);
        ask_salt(q);
        break;
    case ROUTE_PROVE:
    case ROUTE_CHANGE:
        ask_salt(q);
        break;
    case ROUTE_LOGOUT:
    case ROUTE_CODE:
    case ROUTE_OPEN:
    case ROUTE_ASK:
        ask(q, q->route->op, q->args, on_done);
        break;
    }
}

/* The route of a request; *known: the path is one of ours, for other methods. */
static const struct route *find_route(int method, const char *path, bool *known)
{
    *known = false;
    for (const struct route *r = routes; r->path != NULL; r++) {
        if (!route_fits(r, path))
            continue;
        *known = true;
        if (r->method == method)
            return r;
    }
    return NULL;
}

void api_handle(struct portal *p, struct evhttp_request *req, const char *path)
{
    int method = (int)evhttp_request_get_command(req);
    struct pending *q;
    struct fault f = {0};
    bool known;
    const struct route *r = find_route(method, path, &known);

    if (r == NULL) {
        http_send_error(p, req, known ? 405 : 404, known ? "invalid" : "not-found",
                        known ? "this cannot be done here" : "there is no such operation");
        return;
    }
    if (request_from_another_site(req) ||
        (method != EVHTTP_REQ_GET && !request_has_bearer(req) && !request_same_origin(req))) {
        http_send_error(p, req, 403, "not-permitted", "this request does not come from this page");
        return;
    }
    q = calloc(1, sizeof(*q));
    if (q == NULL || (q->args = json_object()) == NULL) {
        free(q);
        http_send_error(p, req, 500, "internal", "no memory");
        return;
    }
    q->portal = p;
    q->req = req;
    q->route = r;
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_closed, q);
    request_who(q);
    if (request_read(q, path, &f) != 0)
        pending_fail(q, 400, "invalid", f.text[0] != '\0' ? f.text : "the request is broken");
    else
        api_run(q);
}
