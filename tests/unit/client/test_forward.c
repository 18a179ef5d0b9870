/*
 * Listeners of a forward on a real loop with real sockets: states, holders, fallbacks, retries,
 * connections that wait for the tunnel, and users who are not the owner.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/forward.h"
#include "common/os.h"

struct world {
    uv_loop_t loop;
    unsigned changes, ended;
    char log[512]; /* the last line */
};

static void on_changed(void *arg, struct forward *fw)
{
    (void)fw;
    ((struct world *)arg)->changes++;
}

static struct session *no_session(void *arg)
{
    (void)arg;
    return NULL;
}

static void on_log(void *arg, const struct forward *fw, const char *text)
{
    struct world *w = arg;

    (void)fw;
    snprintf(w->log, sizeof(w->log), "%s", text);
}

static void on_ended(void *arg, struct forward *fw, enum channel_end end, uint32_t reason,
                     const char *text)
{
    (void)fw;
    (void)end;
    (void)reason;
    (void)text;
    ((struct world *)arg)->ended++;
}

static const struct forward_events events = {on_changed, no_session, on_log, on_ended};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    uv_loop_init(&w->loop);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    free(w);
    return 0;
}

static void set_local(struct plan_local *l, const char *ip, uint16_t port)
{
    assert_int_equal(addr_parse_ip(ip, strlen(ip), &l->ip), 0);
    l->port = port;
}

/* A socket that listens on ip:*port; *port 0 takes any. */
static int occupy(const char *ip, uint16_t *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, ip, &sa.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

static uint16_t free_port(void)
{
    uint16_t port = 0;

    close(occupy("127.0.0.1", &port));
    return port;
}

static struct plan_rule rule_at(uint16_t port)
{
    struct plan_rule r = {.id = 1, .name = "POP", .target_port = 110};

    set_local(&r.local, "127.0.0.1", port);
    return r;
}

static void turn_until(struct world *w, const bool *done, unsigned ms)
{
    uint64_t end = os_monotonic_ms() + ms;

    while (!*done && os_monotonic_ms() < end) {
        uv_run(&w->loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
}

static void turn(struct world *w, unsigned ms)
{
    const bool never = false;

    turn_until(w, &never, ms);
}

static int dial(uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, "127.0.0.1", &sa.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static struct forward *opened(struct world *w, const struct plan_rule *r)
{
    struct forward *fw = forward_new(&w->loop, r, &events, w);

    assert_non_null(fw);
    forward_open(fw);
    assert_int_equal(w->changes, 1);
    return fw;
}

static void free_port_is_listened_on(void **state)
{
    struct world *w = *state;
    struct plan_rule r = rule_at(free_port());
    struct forward *fw = opened(w, &r);
    json_t *error = forward_error_json(fw), *holder = forward_holder_json(fw);

    assert_int_equal(fw->state, FORWARD_LISTENING);
    assert_true(json_is_null(error));
    assert_true(json_is_null(holder));
    close(dial(r.local.port));
    forward_free(fw);
    json_decref(error);
    json_decref(holder);
}

static void busy_port_names_pid_and_program(void **state)
{
    struct world *w = *state;
    uint16_t port = 0;
    int fd = occupy("0.0.0.0", &port);
    struct plan_rule r = rule_at(port);
    struct forward *fw = opened(w, &r);
    json_t *error = forward_error_json(fw);

    assert_int_equal(fw->state, FORWARD_CONFLICT);
    assert_int_equal(fw->holder.pid, getpid());
    assert_non_null(strstr(fw->holder.program, "test_forward"));
    assert_non_null(strstr(json_string_value(error), "ERR(10301)"));
    assert_non_null(strstr(w->log, "ERR(10301)"));
    json_decref(error);
    close(fd);
    forward_free(fw);
}

static void freed_port_is_taken_by_itself_and_told_once(void **state)
{
    struct world *w = *state;
    uint16_t port = 0;
    int fd = occupy("127.0.0.1", &port);
    struct plan_rule r = rule_at(port);
    struct forward *fw = opened(w, &r);

    turn(w, FORWARD_RETRY_MS + 300);
    assert_int_equal(w->changes, 1); /* still the same holder: nothing new to tell */
    close(fd);
    turn(w, FORWARD_RETRY_MS + 300);
    assert_int_equal(fw->state, FORWARD_LISTENING);
    assert_false(fw->has_holder);
    assert_int_equal(w->changes, 2);
    forward_free(fw);
}

static void fallback_is_used_until_the_wanted_port_is_free(void **state)
{
    struct world *w = *state;
    char local[ADDR_TEXT_MAX], expected[64];
    uint16_t port = 0;
    int fd = occupy("127.0.0.1", &port), conn;
    struct plan_rule r = rule_at(port);
    struct forward *fw;

    set_local(&r.fallback, "127.0.0.5", port);
    fw = opened(w, &r);
    assert_int_equal(fw->state, FORWARD_LISTENING);
    assert_true(fw->on_fallback && fw->has_holder);
    snprintf(expected, sizeof(expected), "127.0.0.5:%u", port);
    assert_string_equal(forward_local(fw, local), expected);
    close(fd);
    turn(w, FORWARD_RETRY_MS + 300);
    assert_false(fw->on_fallback);
    conn = dial(port);
    close(conn);
    forward_free(fw);
}

static void address_of_another_pc_is_denied(void **state)
{
    struct world *w = *state;
    struct plan_rule r = rule_at(free_port());
    struct forward *fw;
    json_t *error;

    set_local(&r.local, "192.0.2.1", r.local.port);
    fw = opened(w, &r);
    error = forward_error_json(fw);
    assert_int_equal(fw->state, FORWARD_DENIED);
    assert_non_null(strstr(json_string_value(error), "ERR(10303)"));
    json_decref(error);
    forward_free(fw);
}

static void refused_rule_is_denied_with_its_reason(void **state)
{
    struct world *w = *state;
    struct plan_rule r = rule_at(free_port());
    struct forward *fw;
    json_t *error;

    snprintf(r.refused, sizeof(r.refused), "not of this PC alone");
    fw = opened(w, &r);
    error = forward_error_json(fw);
    assert_int_equal(fw->state, FORWARD_DENIED);
    assert_non_null(strstr(json_string_value(error), "not of this PC alone"));
    json_decref(error);
    forward_free(fw);
}

static bool is_reset(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

static void connection_waits_for_the_tunnel_and_is_reset_when_it_does_not_come(void **state)
{
    struct world *w = *state;
    struct plan_rule r = rule_at(free_port());
    struct forward *fw = opened(w, &r);
    int fd = dial(r.local.port);
    char c;

    turn(w, 500);
    assert_int_equal(fw->owner.connections, 1);
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    turn(w, FORWARD_HOLD_MS + 1500);
    assert_int_equal(fw->owner.connections, 0);
    assert_int_equal(w->ended, 1);
    assert_true(is_reset(fd));
    close(fd);
    forward_free(fw);
}

static void no_more_connections_wait_than_the_limit(void **state)
{
    struct world *w = *state;
    struct plan_rule r = rule_at(free_port());
    struct forward *fw = opened(w, &r);
    int fds[FORWARD_HELD_MAX + 5];

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        fds[i] = dial(r.local.port);
        turn(w, 5);
    }
    turn(w, 100);
    assert_int_equal(fw->owner.connections, FORWARD_HELD_MAX);
    forward_free(fw);
    assert_int_equal(w->ended, FORWARD_HELD_MAX);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        assert_true(is_reset(fds[i]));
        close(fds[i]);
    }
}

/* Another user's program connects; the child says by its exit code that it was reset. */
static void other_users_are_refused_and_logged(void **state)
{
    struct world *w = *state;
    struct plan_rule r = rule_at(free_port());
    struct forward *fw;
    pid_t child;
    int status = -1;

    if (getuid() != 0) /* only root can be somebody else */
        skip();
    fw = opened(w, &r);
    child = fork();
    if (child == 0) {
        char c;
        int fd;

        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(2);
        fd = dial(r.local.port);
        _exit(recv(fd, &c, 1, 0) < 0 && errno == ECONNRESET ? 0 : 3);
    }
    for (int i = 0; i < 500 && waitpid(child, &status, WNOHANG) == 0; i++)
        turn(w, 10);
    assert_int_equal(status, 0);
    assert_non_null(strstr(w->log, "another user (uid 65534)"));
    assert_int_equal(fw->owner.connections, 0);
    forward_free(fw);
}

/* A program may use IPv6 sockets for IPv4 addresses: it is the same user all the same. */
static void own_program_with_a_mapped_address_is_let_in(void **state)
{
    struct world *w = *state;
    struct plan_rule r = rule_at(free_port());
    struct forward *fw = opened(w, &r);
    struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_port = htons(r.local.port)};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET6, "::ffff:127.0.0.1", &sa.sin6_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    turn(w, 200);
    assert_int_equal(fw->owner.connections, 1);
    close(fd);
    forward_free(fw);
}

int main(void)
{
#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_LOOP(free_port_is_listened_on),
        ON_LOOP(busy_port_names_pid_and_program),
        ON_LOOP(freed_port_is_taken_by_itself_and_told_once),
        ON_LOOP(fallback_is_used_until_the_wanted_port_is_free),
        ON_LOOP(address_of_another_pc_is_denied),
        ON_LOOP(refused_rule_is_denied_with_its_reason),
        ON_LOOP(connection_waits_for_the_tunnel_and_is_reset_when_it_does_not_come),
        ON_LOOP(no_more_connections_wait_than_the_limit),
        ON_LOOP(other_users_are_refused_and_logged),
        ON_LOOP(own_program_with_a_mapped_address_is_let_in),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
