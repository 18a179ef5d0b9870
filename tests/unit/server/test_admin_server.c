/* The admin socket: order, garbage, limits, slow readers, stale sockets. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/jsonl.h"
#include "server/admin/admin_server.h"
#include "tests/unit/common/scratch.h"

#define LIST   "{\"op\":\"user.list\"}\n"
#define STATUS "{\"op\":\"status\"}\n"

static struct event_base *base;
static struct event *stop_event;
static int stop_pipe[2];
static struct admin *a;
static struct admin_server *server;
static struct config config;
static pthread_t loop;

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

static void *run_loop(void *arg)
{
    event_base_dispatch(arg);
    return NULL;
}

/* A server in a thread of its own, as in prad. */
static int start(void **state)
{
    const struct admin_options opt = {.store_url = "ram:"};

    if (scratch_make(state) != 0 || admin_open(&opt, &a, NULL) != 0 || pipe(stop_pipe) != 0)
        return -1;
    memset(&config, 0, sizeof(config));
    snprintf(config.admin_socket, sizeof(config.admin_socket), "%s", scratch_path("admin.sock"));
    base = event_base_new();
    stop_event = event_new(base, stop_pipe[0], EV_READ, on_stop, base);
    event_add(stop_event, NULL);
    return admin_server_new(base, a, &config, ADMIN_DOOR_CONSOLE, &server, NULL);
}

static int start_and_run(void **state)
{
    return start(state) != 0 ? -1 : pthread_create(&loop, NULL, run_loop, base);
}

static int stop(void **state)
{
    admin_server_free(server);
    event_free(stop_event);
    event_base_free(base);
    admin_close(a);
    close(stop_pipe[0]);
    close(stop_pipe[1]);
    return scratch_remove(state);
}

static int join_and_stop(void **state)
{
    if (write(stop_pipe[1], "x", 1) != 1 || pthread_join(loop, NULL) != 0)
        return -1;
    return stop(state);
}

/* ---- a client ----------------------------------------------------------------------------------- */

static int dial_at(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(sa.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static int dial(void)
{
    return dial_at(config.admin_socket);
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* One line; "" at the end. The text is overwritten by the next call. */
static const char *hear(int fd)
{
    static char line[65536];
    size_t len = 0;

    while (len < sizeof(line) - 1) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        assert_int_equal(poll(&p, 1, 10000), 1);
        if (recv(fd, line + len, 1, 0) != 1 || line[len] == '\n')
            break;
        len++;
    }
    line[len] = '\0';
    return line;
}

static void expect(int fd, const char *words)
{
    const char *line = hear(fd);

    if (strstr(line, words) == NULL)
        fail_msg("wanted %s in: %s", words, line);
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void requests_are_answered_in_order(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, LIST STATUS "\n{\"op\":");
    expect(fd, "\"result\":[]");
    expect(fd, "\"generation\"");
    expect(fd, "invalid"); /* an empty line is no request */
    say(fd, "\"user.add\",\"args\":{\"name\":\"alice\"}}\n");
    expect(fd, "alice");
    close(fd);
}

static void garbage_is_answered_and_the_connection_goes_on(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, "hello\n\x80\xff\n[1,2]\n{\"op\":1}\n" LIST);
    for (int i = 0; i < 4; i++)
        expect(fd, "\"ok\":false");
    expect(fd, "\"ok\":true");
    close(fd);
}

static void client_that_stops_reading_holds_up_nobody(void **state)
{
    int stuck = dial(), fd = dial();

    (void)state;
    for (int i = 0; i < 100000; i++) {
        if (send(stuck, STATUS, strlen(STATUS), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
    }
    assert_true(errno == EAGAIN); /* its requests are not read while its answers are not */
    for (int i = 0; i < 50; i++) {
        say(fd, LIST);
        expect(fd, "\"ok\":true");
    }
    close(stuck);
    close(fd);
}

static void too_many_clients_are_told_so(void **state)
{
    int fds[ADMIN_CLIENTS_MAX], extra;

    (void)state;
    for (int i = 0; i < ADMIN_CLIENTS_MAX; i++) {
        fds[i] = dial();
        say(fds[i], LIST);
        expect(fds[i], "\"ok\":true");
    }
    extra = dial();
    expect(extra, "busy");
    assert_string_equal(hear(extra), "");
    close(extra);
    close(fds[0]);
    say(fds[1], LIST); /* by its answer the server has seen the close */
    expect(fds[1], "\"ok\":true");
    extra = dial();
    say(extra, LIST);
    expect(extra, "\"ok\":true");
    close(extra);
    for (int i = 1; i < ADMIN_CLIENTS_MAX; i++)
        close(fds[i]);
}

static void request_without_end_is_cut_off(void **state)
{
    static char block[1 << 20];
    int fd = dial();
    ssize_t n = 0;

    (void)state;
    memset(block, 'x', sizeof(block));
    for (size_t sent = 0; sent <= JSONL_LOCAL_MAX + sizeof(block) && n >= 0; sent += (size_t)n)
        n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
    /* The answer may be lost with the connection; what counts is that both end. */
    while (recv(fd, block, sizeof(block), 0) > 0)
        continue;
    close(fd);
    fd = dial();
    say(fd, LIST);
    expect(fd, "\"ok\":true");
    close(fd);
}

static void socket_is_private_and_replaces_a_stale_one(void **state)
{
    struct admin_server *second = NULL;
    struct fault f = {0};
    struct stat st;

    (void)state;
    assert_int_equal(stat(config.admin_socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* As after kill -9: the socket is there, nobody listens any more. */
    assert_int_equal(admin_server_new(base, a, &config, ADMIN_DOOR_CONSOLE, &second, &f), 0);
    admin_server_free(second);
    assert_int_equal(stat(config.admin_socket, &st), -1);
}

static void what_cannot_be_a_socket_is_refused(void **state)
{
    struct admin_server *second = NULL;
    struct config other = config;
    struct fault f = {0};

    (void)state;
    scratch_write("file", "x", 1);
    snprintf(other.admin_socket, sizeof(other.admin_socket), "%s", scratch_path("file"));
    assert_int_equal(admin_server_new(base, a, &other, ADMIN_DOOR_CONSOLE, &second, &f), PRA_EIO);
    assert_non_null(strstr(f.text, "no socket"));
    snprintf(other.admin_socket, sizeof(other.admin_socket), "/nonexistent/%0200d", 1);
    assert_int_equal(admin_server_new(base, a, &other, ADMIN_DOOR_CONSOLE, &second, &f),
                     PRA_EINVAL);
    assert_non_null(strstr(f.text, "longer"));
    snprintf(other.admin_socket, sizeof(other.admin_socket), "/nonexistent/s");
    assert_int_equal(admin_server_new(base, a, &other, ADMIN_DOOR_CONSOLE, &second, &f), PRA_EIO);
    snprintf(other.admin_socket, sizeof(other.admin_socket), "%s", scratch_path("s"));
    snprintf(other.admin_group, sizeof(other.admin_group), "no-such-group");
    assert_int_equal(admin_server_new(base, a, &other, ADMIN_DOOR_CONSOLE, &second, &f),
                     PRA_EINVAL);
    assert_non_null(strstr(f.text, "no-such-group"));
    assert_null(second);
}

/* What prad keeps for whoever has taken the portal over: few connections, short lines. */
static void the_portals_door_holds_little(void **state)
{
    static char block[64 * 1024];
    int fds[ADMIN_PORTAL_CLIENTS_MAX + 1];
    struct admin_server *door = NULL;
    size_t sent = 0;

    (void)state;
    memset(block, 'x', sizeof(block));
    snprintf(config.portal_socket, sizeof(config.portal_socket), "%s", scratch_path("portal.sock"));
    assert_int_equal(admin_server_new(base, a, &config, ADMIN_DOOR_PORTAL, &door, NULL), 0);
    assert_int_equal(pthread_create(&loop, NULL, run_loop, base), 0);
    for (int i = 0; i <= ADMIN_PORTAL_CLIENTS_MAX; i++) {
        fds[i] = dial_at(config.portal_socket);
        if (i < ADMIN_PORTAL_CLIENTS_MAX)
            say(fds[i], LIST);
        expect(fds[i], i < ADMIN_PORTAL_CLIENTS_MAX ? "not-logged-in" : "busy");
    }
    for (ssize_t n; sent < JSONL_LOCAL_MAX; sent += (size_t)n) {
        n = send(fds[0], block, sizeof(block), MSG_NOSIGNAL);
        if (n < 0)
            break;
    }
    assert_true(sent >= ADMIN_PORTAL_LINE_MAX && sent < 2 * ADMIN_PORTAL_LINE_MAX);
    for (int i = 0; i <= ADMIN_PORTAL_CLIENTS_MAX; i++)
        close(fds[i]);
    assert_int_equal(write(stop_pipe[1], "x", 1), 1);
    assert_int_equal(pthread_join(loop, NULL), 0);
    admin_server_free(door);
}

/* Whoever reaches the portal's socket, root too, has no rights of his own there. */
static void at_the_portals_door_nobody_administers_without_a_log_in(void **state)
{
    struct admin_server *door = NULL;
    int fd;

    (void)state;
    snprintf(config.portal_socket, sizeof(config.portal_socket), "%s", scratch_path("portal.sock"));
    assert_int_equal(admin_server_new(base, a, &config, ADMIN_DOOR_PORTAL, &door, NULL), 0);
    assert_int_equal(pthread_create(&loop, NULL, run_loop, base), 0);
    fd = dial_at(config.portal_socket);
    say(fd, LIST STATUS);
    expect(fd, "not-logged-in");
    expect(fd, "not-logged-in");
    say(fd, "{\"op\":\"login.begin\",\"args\":{\"account\":\"x\"},\"source\":\"::1\"}\n");
    expect(fd, "salt");
    close(fd);
    assert_int_equal(write(stop_pipe[1], "x", 1), 1);
    assert_int_equal(pthread_join(loop, NULL), 0);
    admin_server_free(door);
}

int main(void)
{
#define RUNNING(name) cmocka_unit_test_setup_teardown(name, start_and_run, join_and_stop)
    const struct CMUnitTest tests[] = {
        RUNNING(requests_are_answered_in_order),
        RUNNING(garbage_is_answered_and_the_connection_goes_on),
        RUNNING(client_that_stops_reading_holds_up_nobody),
        RUNNING(too_many_clients_are_told_so),
        RUNNING(request_without_end_is_cut_off),
        cmocka_unit_test_setup_teardown(socket_is_private_and_replaces_a_stale_one, start, stop),
        cmocka_unit_test_setup_teardown(at_the_portals_door_nobody_administers_without_a_log_in,
                                        start, stop),
        cmocka_unit_test_setup_teardown(the_portals_door_holds_little, start, stop),
        cmocka_unit_test_setup_teardown(what_cannot_be_a_socket_is_refused, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
