/*
 * The OpenAPI document of the API, made from the table of routes, so that it cannot say anything
 * else than what is answered.
 */
#include "server/portal/portal.h"

#include <ctype.h>
#include <string.h>

static json_t *schema_of(const struct param *p)
{
    switch (p->type) {
    case PARAM_INT:
        return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
    case PARAM_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case PARAM_SECRET:
        return json_pack("{s:s, s:s}", "type", "string", "format", "password");
    case PARAM_TEXT:
        break;
    }
    return json_pack("{s:s}", "type", "string");
}

static json_t *error_response(const char *what)
{
    return json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", what, "content", "application/json",
                     "schema", "$ref", "#/components/schemas/Error");
}

static void add_params(const struct route *r, json_t *operation)
{
    json_t *list = json_array(), *members = json_object(), *required = json_array();

    for (const struct param *p = r->params; p->name != NULL; p++) {
        if (p->in == IN_HOST)
            continue;
        if (p->in == IN_BODY) {
            json_object_set_new(members, p->name, schema_of(p));
            if (p->required)
                json_array_append_new(required, json_string(p->name));
        } else {
            json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "name", p->name, "in",
                                                  p->in == IN_PATH ? "path" : "query", "required",
                                                  p->required, "schema", schema_of(p)));
        }
    }
    json_object_set_new(operation, "parameters", list);
    if (json_object_size(members) > 0) {
        bool needed = json_array_size(required) > 0;

        json_object_set_new(operation, "requestBody",
                            json_pack("{s:b, s:{s:{s:{s:s, s:o, s:o, s:b}}}}", "required", needed,
                                      "content", "application/json", "schema", "type", "object",
                                      "properties", members, "required", required,
                                      "additionalProperties", 0));
    } else {
        json_decref(members);
        json_decref(required);
    }
}

static json_t *operation_of(const struct route *r)
{
    const char *id = r->op != NULL ? r->op : r->path + 1;
    bool stream = r->kind == ROUTE_STREAM, file = r->kind == ROUTE_FILE;
    json_t *o = json_pack("{s:s, s:s+}", "summary", r->summary, "operationId", id,
                          stream                   ? ".events"
                          : r->kind == ROUTE_PORTS ? ".ports"
                                                   : "");
    json_t *responses = json_pack("{s:{s:s}}", "200", "description", "Done");

    if (stream || file)
        json_object_set_new(json_object_get(responses, "200"), "content",
                            json_pack("{s:{s:{s:s}}}",
                                      stream ? "text/event-stream" : "application/octet-stream",
                                      "schema", "type", "string"));

    if (r->kind == ROUTE_EXPORT)
        json_object_set_new(json_object_get(responses, "200"), "content",
                            json_pack("{s:{s:{s:s}}, s:{s:{s:s}}, s:{s:{s:s}}}", "text/csv",
                                      "schema", "type", "string", "application/jsonl", "schema",
                                      "type", "string", "text/plain", "schema", "type", "string"));
    json_object_set_new(responses, "400", error_response("An argument is missing or wrong"));
    if (r->op != NULL) {
        json_object_set_new(responses, "401", error_response("Not logged in, or not any more"));
        json_object_set_new(responses, "403",
                            error_response("The role may not, or password or code is wrong"));
        json_object_set_new(responses, "404", error_response("There is no such thing"));
        json_object_set_new(responses, "409", error_response("It exists, or is so, already"));
        json_object_set_new(responses, "429", error_response("Too many attempts: wait"));
        json_object_set_new(responses, "503", error_response("prad does not answer"));
    }
    json_object_set_new(o, "responses", responses);
    add_params(r, o);
    if (r->op == NULL || route_is_open(r))
        json_object_set_new(o, "security", json_array());
    return o;
}

json_t *openapi_make(void)
{
    json_t *paths = json_object();

    for (const struct route *r = routes; r->path != NULL; r++) {
        json_t *path = json_object_get(paths, r->path);
        char method[8] = "";

        if (path == NULL) {
            path = json_object();
            json_object_set_new(paths, r->path, path);
        }
        for (size_t i = 0; i < sizeof(method) - 1 && route_method(r)[i] != '\0'; i++)
            method[i] = (char)tolower((unsigned char)route_method(r)[i]);
        json_object_set_new(path, method, operation_of(r));
    }
    return json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:[{s:[]}, {s:[]}], s:o, s:{s:{s:{s:s, s:s, s:s},"
        " s:{s:s, s:s, s:s}}, s:{s:{s:s, s:{s:{s:s, s:{s:{s:s}, s:{s:s}}}}}}}}",
        "openapi", "3.1.0", "info", "title", "PRA management", "version", PRA_VERSION,
        "description",
        "Answers are the results of prad's operations (operationId), described in "
        "server/README.md. "
        "Requests other than GET need an Origin of this host, or a header X-PRA, or an API token.",
        "servers", "url", API_PREFIX, "security", "cookie", "bearer", "paths", paths, "components",
        "securitySchemes", "cookie", "type", "apiKey", "in", "cookie", "name", "__Host-pra",
        "bearer", "type", "http", "scheme", "bearer", "description",
        "An API token, made by an account for itself (token.add). Its scopes (read, users, rules, "
        "sessions) hold less than the account's role; none holds accounts, passwords or tokens.",
        "schemas", "Error", "type", "object", "properties", "error", "type", "object", "properties",
        "code", "type", "string", "message", "type", "string");
}
