/* Administration over a database in memory, as tests ask it: one struct admin for each test. */
#ifndef PRA_TESTS_ADMIN_SUPPORT_H
#define PRA_TESTS_ADMIN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "server/admin/admin_internal.h"
#include "tests/unit/common/scratch.h"

#define KEY_LINE                                                                                   \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG21BJzqz1Qs5DBhXv4rLXp9D8UiOf2DOY+Fdil12Ocn "            \
    "alice@pc"
#define KEY_PRINT "SHA256:SBsuOVvnkFscsY1HDnPglpLEgo9Us+C0s9q76IppLak"

static struct admin *a;
static const struct admin_peer peer = {.uid = 0, .pid = 1, .name = "root"};
static char killed[64];

static inline int fake_sessions(void *ctx, const struct listing *l, json_t **out, int64_t *total)
{
    (void)ctx;
    *out = NULL;
    if (l->sort != NULL && strcmp(l->sort, "user") != 0)
        return PRA_EINVAL;
    *out = json_pack("[{s:s}]", "id", "4f1c");
    *total = 1;
    return 0;
}

static inline size_t fake_session_count(void *ctx)
{
    (void)ctx;
    return 1;
}

static inline int fake_kill(void *ctx, const char *id, const char *why)
{
    (void)ctx;
    if (strcmp(id, "4f1c") != 0)
        return PRA_ENOENT;
    snprintf(killed, sizeof(killed), "%s", why);
    return 0;
}

static inline json_t *fake_live(void *ctx, const struct admin_live_query *q)
{
    (void)ctx;
    bool fits = q->id == NULL || strcmp(q->id, "4f1c") == 0;
    return json_pack("{s:o, s:s?, s:I}", "sessions",
                     fits ? json_pack("[{s:s}]", "id", "4f1c") : json_array(), "asked", q->text,
                     "limit", (json_int_t)q->limit);
}

static inline int fake_channels(void *ctx, const char *session, json_t **out)
{
    (void)ctx;
    if (strcmp(session, "4f1c") != 0)
        return PRA_ENOENT;
    *out = json_pack("[{s:s}]", "id", "1-2-3");
    return 0;
}

static inline int fake_close(void *ctx, const char *session, const char *channel)
{
    (void)ctx;
    return strcmp(session, "4f1c") == 0 && strcmp(channel, "1-2-3") == 0 ? 0 : PRA_ENOENT;
}

static const struct admin_host host = {.session_list = fake_sessions,
                                       .session_count = fake_session_count,
                                       .session_kill = fake_kill,
                                       .live_find = fake_live,
                                       .channel_list = fake_channels,
                                       .channel_close = fake_close};

static inline int open_ram(void **state)
{
    const struct admin_options opt = {
        .store_url = "ram:", .host_key_path = "/nonexistent/host_key", .host = &host};
    const struct addr_ip source = {4, {192, 0, 2, 1}};

    (void)state;
    return admin_open(&opt, &a, NULL) != 0 ? -1 : admin_set_own_addresses(a, &source, 1);
}

static inline int close_admin(void **state)
{
    (void)state;
    admin_close(a);
    a = NULL;
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------------- */

static inline json_t *ask_raw(json_t *request)
{
    json_t *answer = admin_execute(a, &peer, request);

    json_decref(request);
    assert_non_null(answer);
    return answer;
}

/* The result of an operation that works; args in json_pack() form. */
static inline json_t *ok(const char *op, json_t *args)
{
    json_t *answer = ask_raw(json_pack("{s:s, s:o}", "op", op, "args", args));
    json_t *result = json_object_get(answer, "result");

    if (!json_is_true(json_object_get(answer, "ok")))
        fail_msg("%s: %s", op, json_dumps(answer, 0));
    json_incref(result);
    json_decref(answer);
    return result;
}

static inline void done(const char *op, json_t *args)
{
    json_decref(ok(op, args));
}

/* An operation that is refused with this code and a sentence that holds `words`. */
static inline void refused(const char *op, json_t *args, const char *code, const char *words)
{
    json_t *answer = ask_raw(json_pack("{s:s, s:o}", "op", op, "args", args));
    json_t *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));

    if (error == NULL || strstr(message, words) == NULL ||
        strcmp(json_string_value(json_object_get(error, "code")), code) != 0)
        fail_msg("%s: wanted %s '%s': %s", op, code, words, json_dumps(answer, 0));
    json_decref(answer);
}

static inline int64_t id_of(json_t *result)
{
    int64_t id = json_integer_value(json_object_get(result, "id"));

    json_decref(result);
    assert_true(id > 0);
    return id;
}

static inline void add_user(const char *name)
{
    done("user.add", json_pack("{s:s}", "name", name));
}

static inline int64_t add_rule(const char *name, const char *target, const char *local)
{
    return id_of(ok("rule.add", json_pack("{s:s, s:s, s:s, s:s?}", "user", "alice", "name", name,
                                          "target", target, "local", local)));
}

static inline json_t *key_args(const char *user, const char *line)
{
    return json_pack("{s:s, s:s}", "user", user, "line", line);
}

#endif
