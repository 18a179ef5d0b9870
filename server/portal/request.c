/*
 * Taking a request apart: path, query and body become the arguments of an operation, by the route's
 * table. What HTTP and JSON look like is evhttp's and jansson's to say.
 */
#include "server/portal/api_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "common/crypto.h"

#define PART_MAX 4096 /* bytes of one piece of a path or query */

/* ---- paths -------------------------------------------------------------------------------------- */

bool route_fits(const struct route *r, const char *path)
{
    const char *want = r->path;

    while (*want != '\0' && *path != '\0') {
        if (*want == '{') {
            size_t len = strcspn(path, "/");

            if (len == 0)
                return false;
            want = strchr(want, '}') + 1;
            path += len;
        } else if (*want++ != *path++) {
            return false;
        }
    }
    return *want == *path;
}

static const struct param *find_param(const struct route *r, const char *name, size_t len,
                                      enum param_in in)
{
    for (const struct param *p = r->params; p->name != NULL; p++) {
        if (p->in == in && strlen(p->name) == len && memcmp(p->name, name, len) == 0)
            return p;
    }
    return NULL;
}

/* A value that came as text. */
static int set_text(struct pending *q, const struct param *p, const char *text, size_t len,
                    struct fault *f)
{
    json_t *value = NULL;
    char *end;

    if (strlen(text) != len)
        return fault_set(f, PRA_EINVAL, "%s: holds a NUL character", p->name);
    if (p->type == PARAM_INT) {
        errno = 0;
        long long n = strtoll(text, &end, 10);

        if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9')
            return fault_set(f, PRA_EINVAL, "%s: must be a number", p->name);
        value = json_integer(n);
    } else if (p->type == PARAM_BOOL) {
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return fault_set(f, PRA_EINVAL, "%s: must be true or false", p->name);
        value = json_boolean(text[0] == 't');
    } else {
        value = json_stringn(text, len);
        if (value == NULL)
            return fault_set(f, PRA_EINVAL, "%s: is not UTF-8", p->name);
    }
    return json_object_set_new(q->args, p->name, value) == 0 ? 0 : PRA_ENOMEM;
}

static int set_path_part(struct pending *q, const struct param *p, const char *part, size_t len,
                         struct fault *f)
{
    char raw[PART_MAX], *text;
    size_t text_len;
    int rc;

    if (len >= sizeof(raw))
        return fault_set(f, PRA_EINVAL, "%s: is too long", p->name);
    memcpy(raw, part, len);
    raw[len] = '\0';
    text = evhttp_uridecode(raw, 0, &text_len);
    if (text == NULL)
        return PRA_ENOMEM;
    rc = set_text(q, p, text, text_len, f);
    free(text);
    return rc;
}

static int read_path(struct pending *q, const char *path, struct fault *f)
{
    const char *want = q->route->path;

    while (*want != '\0') {
        if (*want == '{') {
            const char *end = strchr(want, '}');
            size_t len = strcspn(path, "/");
            const struct param *p =
                find_param(q->route, want + 1, (size_t)(end - want - 1), IN_PATH);
            int rc = set_path_part(q, p, path, len, f);

            if (rc != 0)
                return rc;
            want = end + 1;
            path += len;
        } else {
            want++;
            path++;
        }
    }
    return 0;
}

static int read_query(struct pending *q, struct fault *f)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(q->req));
    struct evkeyvalq pairs = {0};
    struct evkeyval *pair;
    int rc = 0;

    if (query == NULL || query[0] == '\0')
        return 0;
    if (strstr(query, "%00") != NULL || evhttp_parse_query_str(query, &pairs) != 0)
        return fault_set(f, PRA_EINVAL, "the query is broken");
    for (pair = pairs.tqh_first; pair != NULL && rc == 0; pair = pair->next.tqe_next) {
        const struct param *p = find_param(q->route, pair->key, strlen(pair->key), IN_QUERY);

        if (p == NULL)
            rc = fault_set(f, PRA_EINVAL, "the query has an argument that is not known here");
        else if (json_object_get(q->args, p->name) != NULL)
            rc = fault_set(f, PRA_EINVAL, "%s: is given twice", p->name);
        else
            rc = set_text(q, p, pair->value, strlen(pair->value), f);
    }
    evhttp_clear_headers(&pairs);
    return rc;
}

/* ---- body --------------------------------------------------------------------------------------- */

/* Secrets that the portal turns into proofs do not go to prad. */
static int keep_secret(struct pending *q, const struct param *p, json_t *value, struct fault *f)
{
    bool fresh = strcmp(p->name, "new-password") == 0;
    char **dst = fresh ? &q->new_password : &q->password;

    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return fault_set(f, PRA_EINVAL, "%s: must be text", p->name);
    if (json_string_length(value) > PASSWORD_MAX)
        return fault_set(f, PRA_EINVAL, "%s: longer than %d bytes", p->name, PASSWORD_MAX);
    *dst = strdup(json_string_value(value));
    return *dst == NULL ? PRA_ENOMEM : 0;
}

static bool body_is_json(struct evhttp_request *req)
{
    const char *type = evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
    size_t len = type == NULL ? 0 : strcspn(type, "; ");

    return len == strlen("application/json") && strncasecmp(type, "application/json", len) == 0;
}

/* A list or an object where a text belongs would be built twice in prad before it is refused. */
static int check_type(const struct param *p, const json_t *value, struct fault *f)
{
    if (json_is_null(value))
        return 0;
    switch (p->type) {
    case PARAM_INT:
        return json_is_integer(value) ? 0
                                      : fault_set(f, PRA_EINVAL, "%s: must be a number", p->name);
    case PARAM_BOOL:
        return json_is_boolean(value)
                   ? 0
                   : fault_set(f, PRA_EINVAL, "%s: must be true or false", p->name);
    case PARAM_TEXT:
    case PARAM_SECRET:
        break;
    }
    return json_is_string(value) ? 0 : fault_set(f, PRA_EINVAL, "%s: must be text", p->name);
}

static int take_members(struct pending *q, json_t *body, struct fault *f)
{
    const char *name;
    json_t *value;
    int rc = 0;

    json_object_foreach(body, name, value)
    {
        const struct param *p = find_param(q->route, name, strlen(name), IN_BODY);

        if (p == NULL)
            return fault_set(f, PRA_EINVAL, "the body has a member that is not known here");
        if (p->type == PARAM_SECRET && strstr(p->name, "password") != NULL)
            rc = keep_secret(q, p, value, f);
        else if ((rc = check_type(p, value, f)) == 0)
            rc = json_object_set(q->args, p->name, value) == 0 ? 0 : PRA_ENOMEM;
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int read_body(struct pending *q, struct fault *f)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(q->req);
    size_t len = evbuffer_get_length(in);
    json_error_t error;
    const char *text;
    json_t *body;
    int rc;

    if (len == 0)
        return 0;
    if (!body_is_json(q->req))
        return fault_set(f, PRA_EINVAL, "Content-Type: must be application/json");
    text = (const char *)evbuffer_pullup(in, -1);
    body = text == NULL ? NULL : json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(body)) {
        json_decref(body);
        return fault_set(f, PRA_EINVAL, "the body is no JSON object");
    }
    rc = take_members(q, body, f);
    json_decref(body);
    crypto_wipe(evbuffer_pullup(in, -1), len); /* it may hold a password */
    return rc;
}

/* The host that the browser asked for, for operations that depend on it. */
static int read_host(struct pending *q, struct fault *f)
{
    const char *host = evhttp_find_header(evhttp_request_get_input_headers(q->req), "Host");

    for (const struct param *p = q->route->params; p->name != NULL; p++) {
        if (p->in == IN_HOST && host != NULL)
            return set_text(q, p, host, strlen(host), f);
    }
    return 0;
}

int request_read(struct pending *q, const char *path, struct fault *f)
{
    int rc = read_path(q, path, f);

    if (rc == 0)
        rc = read_query(q, f);
    if (rc == 0)
        rc = read_host(q, f);
    if (rc == 0)
        rc = read_body(q, f);
    if (rc != 0)
        return rc;
    for (const struct param *p = q->route->params; p->name != NULL; p++) {
        bool there = strcmp(p->name, "password") == 0 ? q->password != NULL
                     : strcmp(p->name, "new-password") == 0
                         ? q->new_password != NULL
                         : json_object_get(q->args, p->name) != NULL;

        if (p->required && !there)
            return fault_set(f, PRA_EINVAL, "%s: is missing", p->name);
    }
    return 0;
}

/* ---- its form ----------------------------------------------------------------------------------- */

static bool is_token(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

/* A host of a request of our own: no path, no blank, nothing that a list is made of. */
static bool is_host(const char *host)
{
    return host[0] != '\0' && strpbrk(host, " \t,/\\@?#") == NULL;
}

bool request_is_clear(struct evhttp_request *req)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(req);
    unsigned hosts = 0, lengths = 0, codings = 0;
    bool body = false;

    for (struct evkeyval *h = evhttp_request_get_input_headers(req)->tqh_first; h != NULL;
         h = h->next.tqe_next) {
        if (!is_token(h->key))
            return false;
        if (strcasecmp(h->key, "Host") == 0) {
            hosts++;
            if (!is_host(h->value))
                return false;
        } else if (strcasecmp(h->key, "Content-Length") == 0) {
            lengths++;
            body = body || strcmp(h->value, "0") != 0;
            if (h->value[0] == '\0' || strspn(h->value, "0123456789") != strlen(h->value))
                return false;
        } else if (strcasecmp(h->key, "Transfer-Encoding") == 0) {
            codings++;
            body = true;
            if (strcasecmp(h->value, "chunked") != 0)
                return false;
        }
    }
    /* Of another HTTP nobody knows what it means. */
    if (req->major != 1)
        return false;
    /* evhttp reads no body after these. */
    if (body && (method == EVHTTP_REQ_HEAD || method == EVHTTP_REQ_TRACE))
        return false;
    return (hosts == 1 || (hosts == 0 && req->major == 1 && req->minor == 0)) &&
           lengths + codings <= 1;
}

/* ---- who asks ----------------------------------------------------------------------------------- */

bool request_from_another_site(struct evhttp_request *req)
{
    const char *site = evhttp_find_header(evhttp_request_get_input_headers(req), "Sec-Fetch-Site");

    return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

bool request_same_origin(struct evhttp_request *req)
{
    struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    const char *origin = evhttp_find_header(in, "Origin"), *host = evhttp_find_header(in, "Host");
    const size_t scheme = strlen("https://");

    /* A browser says where a request comes from. Without that it is a program, which can set a
       header that no other site can make a browser send. */
    if (origin == NULL)
        return evhttp_find_header(in, "X-PRA") != NULL;
    return host != NULL && strncmp(origin, "https://", scheme) == 0 &&
           strcasecmp(origin + scheme, host) == 0;
}

/* The value of a cookie of at most `cap` - 1 bytes; "" if there is none, or a longer one. */
static void take_cookie(struct evhttp_request *req, const char *name, char *dst, size_t cap)
{
    const char *at = evhttp_find_header(evhttp_request_get_input_headers(req), "Cookie");
    size_t len = strlen(name);

    dst[0] = '\0';
    while (at != NULL && *at != '\0') {
        at += strspn(at, "; ");
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            size_t value = strcspn(at + len + 1, "; ");

            if (value < cap) {
                memcpy(dst, at + len + 1, value);
                dst[value] = '\0';
                return;
            }
        }
        at += strcspn(at, ";");
    }
}

/* What follows "Authorization: Bearer "; NULL if that is not there. */
static const char *bearer_of(struct evhttp_request *req)
{
    const char *text = evhttp_find_header(evhttp_request_get_input_headers(req), "Authorization");
    const size_t len = strlen("Bearer ");

    return text != NULL && strncasecmp(text, "Bearer ", len) == 0 ? text + len : NULL;
}

bool request_has_bearer(struct evhttp_request *req)
{
    return bearer_of(req) != NULL;
}

void request_who(struct pending *q)
{
    const char *bearer = bearer_of(q->req);

    http_source(q->req, q->source);
    q->background =
        evhttp_find_header(evhttp_request_get_input_headers(q->req), "X-PRA-Background") != NULL;
    if (bearer != NULL) {
        size_t len = strlen(bearer);

        /* One that cannot be any is still one: it is not made up for by a cookie. */
        memcpy(q->bearer, len <= BEARER_MAX && len > 0 ? bearer : "?",
               len <= BEARER_MAX && len > 0 ? len : 1);
        return;
    }
    take_cookie(q->req, COOKIE_NAME, q->token, sizeof(q->token));
    if (strlen(q->token) != TOKEN_TEXT)
        q->token[0] = '\0';
    take_cookie(q->req, BROWSER_COOKIE, q->browsers, sizeof(q->browsers));
}
