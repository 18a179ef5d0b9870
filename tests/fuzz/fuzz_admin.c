/*
 * Fuzz target: requests of administrators, one JSON object a line, run against a store of their
 * own in memory (host keys go to a scratch folder). Every request gets an answer of the documented shape, and the snapshot
 * can always be compiled from what was stored.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/jsonl.h"
#include "server/admin/admin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MAX_HERE 16384u
#define REQUESTS_MAX  32

static char folder[64];

static void empty_folder(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

static void remove_folder(void)
{
    empty_folder();
    (void)rmdir(folder);
}

/* In memory where the system has it: `init` makes a host key there. */
static void make_folder(void)
{
    struct stat st;

    snprintf(folder, sizeof(folder), "%s/pra-fuzz-XXXXXX",
             stat("/dev/shm", &st) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder))
        abort();
    atexit(remove_folder);
}

static int no_sessions(void *ctx, const struct listing *l, json_t **out, int64_t *total)
{
    (void)ctx;
    (void)l;
    *out = json_array();
    *total = 0;
    return *out ? 0 : PRA_ENOMEM;
}

static int no_session(void *ctx, const char *id, const char *why)
{
    (void)ctx;
    (void)id;
    (void)why;
    return PRA_ENOENT;
}

static void check_answer(const json_t *answer)
{
    const json_t *ok = json_object_get(answer, "ok");
    const json_t *error = json_object_get(answer, "error");

    if (!json_is_boolean(ok))
        abort();
    if (json_is_false(ok) && (!json_is_string(json_object_get(error, "code")) ||
                              !json_is_string(json_object_get(error, "message"))))
        abort();
}

/* What an input cannot know: it writes "T" and "S" for the last token and set-up code. */
struct known {
    json_t *token, *code;
};

static void note(json_t **kept, json_t *value)
{
    if (!json_is_string(value))
        return;
    json_decref(*kept);
    *kept = json_incref(value);
}

static void fill_in(json_t *object, const char *name, const char *sign, json_t *value)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text && strcmp(text, sign) == 0 && value)
        json_object_set(object, name, value);
}

/* From the portal if it names the browser's address, else from the console. */
static void run_one(struct admin *a, json_t *request, struct known *k)
{
    const struct admin_peer console = {.uid = 0, .pid = 1, .name = "fuzz"};
    const struct admin_peer portal = {.uid = 990, .pid = 2, .name = "portal", .portal = true};
    json_t *answer, *result;

    fill_in(request, "token", "T", k->token);
    fill_in(request, "api-token", "T", k->token);
    fill_in(json_object_get(request, "args"), "code", "S", k->code);
    answer = admin_execute(a, json_object_get(request, "source") ? &portal : &console, request);
    check_answer(answer);
    result = json_object_get(answer, "result");
    note(&k->token, json_object_get(result, "token"));
    note(&k->code, json_object_get(result, "setup-code"));
    json_decref(answer);
}

static void run_all(struct admin *a, const uint8_t *data, size_t size)
{
    struct known known = {0};
    struct buf b;

    buf_init(&b, 1u << 20);
    if (buf_append(&b, data, size) != 0)
        return;
    for (int i = 0; i < REQUESTS_MAX; i++) {
        json_t *request = NULL;
        int rc = jsonl_next(&b, LINE_MAX_HERE, &request, NULL);

        if (rc == PRA_EAGAIN)
            break;
        if (rc == 0) {
            run_one(a, request, &known);
            json_decref(request);
        }
    }
    json_decref(known.token);
    json_decref(known.code);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct admin_host host = {.session_list = no_sessions, .session_kill = no_session};
    char host_key[96];
    struct admin_options options = {.store_url = "ram:",
                                    .host_key_path = host_key,
                                    .host = &host,
                                    .create = true}; /* fuzz_passkey.c has what passkeys do */
    struct admin *a = NULL;
    struct policy *p;
    struct fault f = {0};

    if (folder[0] == '\0')
        make_folder();
    empty_folder();
    snprintf(host_key, sizeof(host_key), "%s/host_key", folder);
    if (admin_open(&options, &a, &f) != 0)
        abort();
    run_all(a, data, size);
    (void)admin_refresh(a);
    p = admin_policy(a);
    if (!p)
        abort();
    policy_unref(p);
    admin_close(a);
    return 0;
}
