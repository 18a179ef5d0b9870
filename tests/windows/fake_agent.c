/*
 * fake_agent.exe: the agent's end of its socket without a connection behind it, so that a test can show
 * a tray every state and every message. In PRA_HOME:
 *
 *   status.json      what the status is; read again whenever it changes, and pushed
 *   reply-OP.json    the answer to request OP; {"ok":true} where there is none
 *   requests.jsonl   the requests that came, a line each
 *
 * Prints "ready" once it listens, and ends when its standard input does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <uv.h>

#include "client/ipc_server.h"
#include "client/paths.h"
#include "common/os.h"

#define LOOK_MS  30
#define FILE_MAX (1024u * 1024)

struct fake {
    uv_loop_t loop;
    uv_timer_t timer;
    struct ipc_server *server;
    struct paths paths;
    char *last; /* status.json as it was pushed last */
};

static char *read_file(const char *name)
{
    const char *home = getenv("PRA_HOME");
    char path[OS_PATH_MAX], *text = NULL;
    size_t len;

    if (home == NULL || os_path_join(path, home, name) != 0 ||
        os_file_read(path, FILE_MAX, &text, &len, NULL) != 0)
        return NULL;
    return text;
}

static json_t *read_json(const char *name, const char *otherwise)
{
    char *text = read_file(name);
    json_t *doc = json_loads(text != NULL ? text : otherwise, 0, NULL);

    free(text);
    return doc;
}

static json_t *event(void)
{
    return json_pack("{s:s, s:o}", "event", "status", "status",
                     read_json("status.json", "{\"state\":\"disconnected\"}"));
}

static void keep(const json_t *request)
{
    const char *home = getenv("PRA_HOME");
    char path[OS_PATH_MAX], *text = json_dumps(request, JSON_COMPACT);
    FILE *f =
        home != NULL && os_path_join(path, home, "requests.jsonl") == 0 ? fopen(path, "ab") : NULL;

    if (f != NULL) {
        (void)fprintf(f, "%s\n", text);
        (void)fclose(f);
    }
    free(text);
}

static void on_request(void *arg, uint64_t client, json_t *request)
{
    struct fake *fake = arg;
    const char *op = json_string_value(json_object_get(request, "op"));
    char name[64];
    json_t *reply, *push;

    keep(request);
    (void)snprintf(name, sizeof(name), "reply-%.40s.json", op != NULL ? op : "");
    reply = read_json(name, "{\"ok\":true}");
    if (op != NULL && strcmp(op, "status") == 0)
        json_object_set_new(reply, "status", read_json("status.json", "{}"));
    ipc_server_reply(fake->server, client, reply);
    if (op == NULL || strcmp(op, "subscribe") != 0)
        return;
    ipc_server_subscribe(fake->server, client);
    push = event();
    ipc_server_push(fake->server, push);
    json_decref(push);
}

static void on_timer(uv_timer_t *timer)
{
    struct fake *fake = timer->data;
    char *now = read_file("status.json");
    json_t *push;

    if (now == NULL || (fake->last != NULL && strcmp(fake->last, now) == 0)) {
        free(now);
        return;
    }
    push = event();
    if (json_is_object(json_object_get(push, "status"))) { /* else it is being written */
        ipc_server_push(fake->server, push);
        free(fake->last);
        fake->last = now;
    } else {
        free(now);
    }
    json_decref(push);
}

static void wait_for_end(void *arg)
{
    (void)arg;
    while (getchar() != EOF)
        ;
    exit(0);
}

int main(void)
{
    static struct fake fake;
    struct fault f = {0};
    uv_thread_t thread;
    int rc;

    os_process_harden();
    rc = paths_init(&fake.paths, &f);
    (void)uv_loop_init(&fake.loop);
    if (rc == 0)
        rc = ipc_server_open(&fake.loop, fake.paths.agent_socket, on_request, &fake, &fake.server,
                             &f);
    if (rc != 0) {
        (void)fprintf(stderr, "fake_agent: %s\n", f.text);
        return 1;
    }
    fake.timer.data = &fake;
    (void)uv_timer_init(&fake.loop, &fake.timer);
    (void)uv_timer_start(&fake.timer, on_timer, LOOK_MS, LOOK_MS);
    (void)uv_thread_create(&thread, wait_for_end, NULL);
    (void)printf("ready\n");
    (void)fflush(stdout);
    return uv_run(&fake.loop, UV_RUN_DEFAULT);
}
