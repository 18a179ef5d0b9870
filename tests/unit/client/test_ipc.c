/*
 * The agent's socket, both ends: requests and answers, pushed states, whom it refuses, and that a
 * request does not stay in memory. The server runs on a loop in a thread of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/ipc.h"
#include "client/ipc_server.h"

struct server {
    uv_loop_t loop;
    struct ipc_server *srv;
    uv_async_t stop;
    pthread_t thread;
    struct paths paths;
    char dir[64];
};

/* Owner: the server's thread. Answers what the tests ask for. */
static void on_request(void *arg, uint64_t client, json_t *request)
{
    struct server *s = arg;
    const char *op = json_string_value(json_object_get(request, "op"));

    if (op == NULL)
        return;
    if (strcmp(op, "echo") == 0)
        ipc_server_reply(s->srv, client, json_incref(request));
    if (strcmp(op, "large") == 0) {
        char *text = malloc(3000001);

        memset(text, 'x', 3000000);
        text[3000000] = '\0';
        ipc_server_reply(s->srv, client, json_pack("{s:s}", "text", text));
        free(text);
    }
    if (strcmp(op, "subscribe") == 0) {
        json_t *event = json_pack("{s:s}", "event", "status");

        ipc_server_reply(s->srv, client, json_pack("{s:b}", "ok", 1));
        ipc_server_subscribe(s->srv, client);
        ipc_server_push(s->srv, event);
        json_decref(event);
    }
}

static void on_stop(uv_async_t *h)
{
    struct server *s = h->data;

    ipc_server_close(s->srv);
    uv_close((uv_handle_t *)h, NULL);
}

static void *run(void *arg)
{
    uv_run(&((struct server *)arg)->loop, UV_RUN_DEFAULT);
    return NULL;
}

static int start(void **state)
{
    struct server *s = calloc(1, sizeof(*s));

    snprintf(s->dir, sizeof(s->dir), "/tmp/pra-ipc-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->paths.runtime_dir, OS_PATH_MAX, "%s", s->dir);
    snprintf(s->paths.agent_socket, OS_PATH_MAX, "%s/agent.sock", s->dir);
    uv_loop_init(&s->loop);
    uv_async_init(&s->loop, &s->stop, on_stop);
    s->stop.data = s;
    assert_int_equal(ipc_server_open(&s->loop, s->paths.agent_socket, on_request, s, &s->srv, NULL),
                     0);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct server *s = *state;

    uv_async_send(&s->stop);
    pthread_join(s->thread, NULL);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    unlink(s->paths.agent_socket);
    rmdir(s->dir);
    free(s);
    return 0;
}

static struct ipc *connected(struct server *s)
{
    struct ipc *ipc = NULL;
    struct fault f = {0};

    if (ipc_connect(&s->paths, &ipc, &f) != 0)
        fail_msg("%s", f.text);
    return ipc;
}

static json_t *call(struct ipc *ipc, json_t *request)
{
    json_t *reply = NULL;
    struct fault f = {0};

    if (ipc_call(ipc, request, 5000, &reply, &f) != 0)
        fail_msg("%s", f.text);
    json_decref(request);
    return reply;
}

static void request_gets_its_answer(void **state)
{
    struct ipc *ipc = connected(*state);

    for (int i = 0; i < 100; i++) {
        json_t *reply = call(ipc, json_pack("{s:s, s:i}", "op", "echo", "n", i));

        assert_int_equal(json_integer_value(json_object_get(reply, "n")), i);
        json_decref(reply);
    }
    ipc_close(ipc);
}

static void large_answer_arrives_whole(void **state)
{
    struct ipc *ipc = connected(*state);
    json_t *reply = call(ipc, json_pack("{s:s}", "op", "large"));

    assert_int_equal(json_string_length(json_object_get(reply, "text")), 3000000);
    json_decref(reply);
    ipc_close(ipc);
}

static void pushed_states_are_no_answers(void **state)
{
    struct ipc *ipc = connected(*state);
    json_t *reply = call(ipc, json_pack("{s:s}", "op", "subscribe")), *event = NULL;

    assert_true(json_is_true(json_object_get(reply, "ok")));
    json_decref(reply);
    assert_int_equal(ipc_next_event(ipc, 5000, &event, NULL), 0);
    assert_string_equal(json_string_value(json_object_get(event, "event")), "status");
    json_decref(event);
    assert_int_equal(ipc_next_event(ipc, 50, &event, NULL), PRA_ETIMEOUT);
    ipc_close(ipc);
}

static void unanswered_request_times_out(void **state)
{
    struct ipc *ipc = connected(*state);
    json_t *request = json_pack("{s:s}", "op", "silence"), *reply = NULL;

    assert_int_equal(ipc_call(ipc, request, 100, &reply, NULL), PRA_ETIMEOUT);
    json_decref(request);
    ipc_close(ipc);
}

static int raw_connect(const struct server *s)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%.100s", s->paths.agent_socket);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

/* True if the server hangs up on what was sent. */
static bool is_dropped(int fd)
{
    struct timeval limit = {.tv_sec = 5};
    char c;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return recv(fd, &c, 1, 0) == 0 || errno == ECONNRESET;
}

static void what_is_no_request_ends_the_client(void **state)
{
    static const char *const lines[] = {"hello\n", "[]\n", "{\"a\":1,\"a\":2}\n", "\n", "{\n"};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int fd = raw_connect(*state);

        assert_int_equal(send(fd, lines[i], strlen(lines[i]), 0), strlen(lines[i]));
        assert_true(is_dropped(fd));
        close(fd);
    }
}

static void endless_line_ends_the_client(void **state)
{
    static char text[IPC_REQUEST_MAX + 1000];
    int fd = raw_connect(*state);

    memset(text, 'x', sizeof(text));
    (void)send(fd, text, sizeof(text), MSG_NOSIGNAL);
    assert_true(is_dropped(fd));
    close(fd);
    request_gets_its_answer(state);
}

static void more_clients_than_the_limit_are_turned_away(void **state)
{
    int fds[IPC_CLIENTS_MAX], extra;

    for (size_t i = 0; i < IPC_CLIENTS_MAX; i++)
        fds[i] = raw_connect(*state);
    extra = raw_connect(*state);
    assert_true(is_dropped(extra));
    close(extra);
    for (size_t i = 0; i < IPC_CLIENTS_MAX; i++)
        close(fds[i]);
    usleep(100000);
    request_gets_its_answer(state);
}

static void missing_agent_is_told(void **state)
{
    struct server *s = *state;
    struct paths elsewhere = s->paths;
    struct ipc *ipc = NULL;

    snprintf(elsewhere.agent_socket, OS_PATH_MAX, "%s/none.sock", s->dir);
    assert_int_equal(ipc_connect(&elsewhere, &ipc, NULL), PRA_ENOENT);
}

static void folder_that_others_may_enter_is_refused(void **state)
{
    struct server *s = *state;
    struct ipc *ipc = NULL;
    struct fault f = {0};

    assert_int_equal(chmod(s->dir, 0755), 0);
    assert_int_equal(ipc_connect(&s->paths, &ipc, &f), PRA_EACCES);
    assert_non_null(strstr(f.text, s->dir));
    assert_int_equal(chmod(s->dir, 0700), 0);
}

static void folder_or_socket_of_another_user_is_refused(void **state)
{
    struct server *s = *state;
    struct ipc *ipc = NULL;

    if (getuid() != 0) /* only root can give files away */
        skip();
    assert_int_equal(chown(s->dir, 65534, 65534), 0);
    assert_int_equal(ipc_connect(&s->paths, &ipc, NULL), PRA_EACCES);
    assert_int_equal(chown(s->dir, 0, 0), 0);
    assert_int_equal(chown(s->paths.agent_socket, 65534, 65534), 0);
    assert_int_equal(ipc_connect(&s->paths, &ipc, NULL), PRA_EACCES);
    assert_int_equal(chown(s->paths.agent_socket, 0, 0), 0);
}

/* Even with a way to the socket, another user's program gets no answer. */
static void program_of_another_user_is_dropped(void **state)
{
    struct server *s = *state;
    pid_t child;
    int status = -1;

    if (getuid() != 0)
        skip();
    chmod(s->dir, 0755);
    chmod(s->paths.agent_socket, 0777);
    child = fork();
    if (child == 0) {
        int fd;

        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(2);
        fd = raw_connect(s);
        (void)send(fd, "{\"op\":\"echo\"}\n", 14, MSG_NOSIGNAL);
        _exit(is_dropped(fd) ? 0 : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    chmod(s->dir, 0700);
}

int main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(request_gets_its_answer),
        WITH_SERVER(large_answer_arrives_whole),
        WITH_SERVER(pushed_states_are_no_answers),
        WITH_SERVER(unanswered_request_times_out),
        WITH_SERVER(what_is_no_request_ends_the_client),
        WITH_SERVER(endless_line_ends_the_client),
        WITH_SERVER(more_clients_than_the_limit_are_turned_away),
        WITH_SERVER(missing_agent_is_told),
        WITH_SERVER(folder_that_others_may_enter_is_refused),
        WITH_SERVER(folder_or_socket_of_another_user_is_refused),
        WITH_SERVER(program_of_another_user_is_dropped),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
