/* Accounts as tests use them: requests of the portal for somebody. */
#ifndef PRA_TESTS_ACCOUNT_SUPPORT_H
#define PRA_TESTS_ACCOUNT_SUPPORT_H

#include <stdlib.h>

#include "tests/unit/server/admin_support.h"

#define PROOF  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER  "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SALT   "000102030405060708090a0b0c0d0e0f"
#define SOURCE "192.0.2.77"

static const struct admin_peer portal = {
    .uid = 990, .pid = 2, .name = "pra-portal", .portal = true};

/* ---- asking as somebody ------------------------------------------------------------------------- */

static inline json_t *ask_from(const char *source, const char *token, const char *op, json_t *args)
{
    json_t *request = json_pack("{s:s, s:o, s:s?, s:s?}", "op", op, "args", args, "token", token,
                                "source", source);
    json_t *answer = admin_execute(a, &portal, request);

    json_decref(request);
    assert_non_null(answer);
    return answer;
}

/* The code of the answer's error, "" if it is none. */
static inline const char *code_of(json_t *answer)
{
    static char code[32];
    json_t *error = json_object_get(answer, "error");

    snprintf(code, sizeof(code), "%s",
             error == NULL ? "" : json_string_value(json_object_get(error, "code")));
    json_decref(answer);
    return code;
}

static inline const char *try_as(const char *token, const char *op, json_t *args)
{
    return code_of(ask_from(SOURCE, token, op, args));
}

static inline json_t *ok_as(const char *token, const char *op, json_t *args)
{
    json_t *answer = ask_from(SOURCE, token, op, args);
    json_t *result = json_object_get(answer, "result");

    if (!json_is_true(json_object_get(answer, "ok")))
        fail_msg("%s: %s", op, json_dumps(answer, 0));
    json_incref(result);
    json_decref(answer);
    return result;
}

static inline char *text_of(json_t *result, const char *member)
{
    char *text = strdup(json_string_value(json_object_get(result, member)));

    json_decref(result);
    return text;
}

static inline char *setup_code_of(const char *name, const char *role)
{
    return text_of(ok("account.add", json_pack("{s:s, s:s}", "name", name, "role", role)),
                   "setup-code");
}

static inline json_t *setup_args(const char *name, const char *code)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "account", name, "code", code, "salt", SALT, "proof",
                     PROOF);
}

static inline json_t *login_args(const char *name, const char *proof)
{
    return json_pack("{s:s, s:s, s:s}", "account", name, "proof", proof, "agent", "browser");
}

/* An account that is set up; its token. */
static inline char *account_with_token(const char *name, const char *role)
{
    char *code = setup_code_of(name, role);
    char *token = text_of(ok_as(NULL, "setup", setup_args(name, code)), "token");

    free(code);
    return token;
}

static inline char *log_in(const char *name)
{
    return text_of(ok_as(NULL, "login.password", login_args(name, PROOF)), "token");
}

static inline bool found_in_audit(const char *words)
{
    json_t *list = ok("audit.list", json_object());
    char *text = json_dumps(list, 0);
    bool found = strstr(text, words) != NULL;

    free(text);
    json_decref(list);
    return found;
}

#endif
