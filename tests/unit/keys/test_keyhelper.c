/*
 * The root helper: the same binding with and without it, and what it does with requests that are
 * none. The program itself is run on a socket pair as systemd would run it.
 */
#include "tests/unit/keys/program.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/crypto.h"
#include "keys/keyhelper.h"
#include "keys/machine_source.h"

#define NOBODY 65534

static const uint8_t salt[MACHINE_SALT_LEN] = {0xa0, 1, 2,  3,  4,  5,  6,  7,
                                               8,    9, 10, 11, 12, 13, 14, 15};

/* A host whose three serial numbers only their owner may read. */
static int host_setup(void **state)
{
    if (folder_setup(state) != 0) {
        return -1;
    }
    put_file("sys/class/dmi/id/product_uuid", office_pc[MACHINE_SMBIOS_UUID]);
    put_file("sys/class/dmi/id/board_serial", office_pc[MACHINE_BOARD_SERIAL]);
    put_file("sys/devices/vda/serial", office_pc[MACHINE_DISK_SERIAL]);
    put_link("sys/dev/block/254:0", "../../devices/vda");
    put_file("proc/self/mountinfo", "30 1 254:0 / / rw - ext4 /dev/vda rw\n");
    return 0;
}

static void set_modes(mode_t mode)
{
    assert_int_equal(chmod(in_folder("sys/class/dmi/id/product_uuid"), mode), 0);
    assert_int_equal(chmod(in_folder("sys/class/dmi/id/board_serial"), mode), 0);
    assert_int_equal(chmod(in_folder("sys/devices/vda/serial"), mode), 0);
}

/* What a process that may read everything binds to. */
static void read_directly(struct machine *m)
{
    memset(m, 0, sizeof(*m));
    machine_linux_collect_private(folder, m);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        char mac[MACHINE_VALUE_MAX];

        if (machine_id_private(id)) {
            assert_int_equal(m->source[id], MACHINE_DIRECT);
            assert_int_equal(machine_hmac(id, m->value[id], salt, mac), 0);
            memcpy(m->value[id], mac, sizeof(mac));
        }
    }
}

/* The same read without the right to: all three are hidden. */
static void read_as_nobody(struct machine *m)
{
    bool root = geteuid() == 0;

    memset(m, 0, sizeof(*m));
    memcpy(m->salt, salt, sizeof(salt));
    set_modes(root ? 0400 : 0000);
    if (root) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    machine_linux_collect_private(folder, m);
    if (root) {
        assert_int_equal(seteuid(0), 0);
    }
    set_modes(0400);
    assert_int_equal(m->source[MACHINE_SMBIOS_UUID], MACHINE_HIDDEN);
    assert_int_equal(m->source[MACHINE_BOARD_SERIAL], MACHINE_HIDDEN);
    assert_int_equal(m->source[MACHINE_DISK_SERIAL], MACHINE_HIDDEN);
}

/* Serves one request on pair[1] in a child; the caller asks on pair[0]. */
static pid_t serve_in_child(int pair[2], int expected)
{
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        _exit(keyhelper_serve(pair[1], folder) == expected ? 0 : 1);
    }
    close(pair[1]);
    return pid;
}

static void child_ends_well(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void binding_is_the_same_with_and_without_the_helper(void **state)
{
    struct machine direct;
    struct machine helped;
    int pair[2];
    pid_t pid;

    (void)state;
    read_directly(&direct);
    read_as_nobody(&helped);
    pid = serve_in_child(pair, 0);
    assert_int_equal(keyhelper_ask_fd(pair[0], &helped), 0);
    close(pair[0]);
    child_ends_well(pid);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        if (machine_id_private(id)) {
            assert_int_equal(helped.source[id], MACHINE_HELPER);
            assert_string_equal(helped.value[id], direct.value[id]);
        }
    }
}

static void helper_tells_absent_from_hidden_and_touches_nothing_else(void **state)
{
    struct machine m;
    int pair[2];
    pid_t pid;

    (void)state;
    put_file("sys/class/dmi/id/board_serial", "To be filled by O.E.M.\n");
    read_as_nobody(&m);
    m.source[MACHINE_SMBIOS_UUID] = MACHINE_DIRECT;
    snprintf(m.value[MACHINE_SMBIOS_UUID], MACHINE_VALUE_MAX, "kept");
    pid = serve_in_child(pair, 0);
    assert_int_equal(keyhelper_ask_fd(pair[0], &m), 0);
    close(pair[0]);
    child_ends_well(pid);
    assert_int_equal(m.source[MACHINE_BOARD_SERIAL], MACHINE_ABSENT);
    assert_int_equal(m.source[MACHINE_DISK_SERIAL], MACHINE_HELPER);
    assert_string_equal(m.value[MACHINE_SMBIOS_UUID], "kept");
}

static void helper_answers_nothing_to_what_is_no_request(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int code;
    } bad[] = {
        {"", 0, PRA_ECLOSED},
        {"PRAK\001short", 10, PRA_ECLOSED},
        {"PRAK\002................", 21, PRA_EINVAL},
        {"GET / HTTP/1.1\r\n\r\n...", 21, PRA_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int pair[2];
        char answer[8];
        pid_t pid = serve_in_child(pair, bad[i].code);

        assert_int_equal(write(pair[0], bad[i].bytes, bad[i].len), (ssize_t)bad[i].len);
        shutdown(pair[0], SHUT_WR);
        assert_int_equal(read(pair[0], answer, sizeof(answer)), 0);
        close(pair[0]);
        child_ends_well(pid);
    }
}

/* Neither end waits for ever, however slowly the other one sends. */
static void both_ends_give_up_on_a_peer_that_stops_talking(void **state)
{
    struct machine m;
    int pair[2];
    uint64_t begun = os_monotonic_ms();
    pid_t pid = serve_in_child(pair, PRA_ETIMEOUT);

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(write(pair[0], "P", 1), 1);
        usleep(KEYHELPER_SERVE_MS / 5 * 1000);
    }
    child_ends_well(pid);
    close(pair[0]);
    assert_in_range(os_monotonic_ms() - begun, KEYHELPER_SERVE_MS - 100, KEYHELPER_SERVE_MS + 2000);

    memset(&m, 0, sizeof(m));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(keyhelper_ask_fd(pair[0], &m), PRA_ETIMEOUT);
    close(pair[0]);
    close(pair[1]);
}

static int ask_and_be_answered(const void *answer, size_t len, struct machine *m)
{
    int pair[2];
    int rc;

    memset(m, 0, sizeof(*m));
    m->source[MACHINE_SMBIOS_UUID] = MACHINE_HIDDEN;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[1], answer, len), (ssize_t)len);
    shutdown(pair[1], SHUT_WR);
    rc = keyhelper_ask_fd(pair[0], m);
    close(pair[0]);
    close(pair[1]);
    return rc;
}

static void client_takes_no_answer_that_is_not_exact(void **state)
{
    uint8_t answer[KEYHELPER_ANSWER_LEN] = {'P', 'R', 'A', 'K', 1, 1};
    struct machine m;

    (void)state;
    assert_int_equal(ask_and_be_answered(answer, sizeof(answer), &m), 0);
    assert_int_equal(m.source[MACHINE_SMBIOS_UUID], MACHINE_HELPER);
    assert_int_equal(ask_and_be_answered(answer, sizeof(answer) - 1, &m), PRA_ECLOSED);
    answer[5 + 33] = 3;
    assert_int_equal(ask_and_be_answered(answer, sizeof(answer), &m), PRA_EINVAL);
    assert_int_equal(m.source[MACHINE_SMBIOS_UUID], MACHINE_HIDDEN);
    answer[5 + 33] = 0;
    answer[4] = 2;
    assert_int_equal(ask_and_be_answered(answer, sizeof(answer), &m), PRA_EINVAL);
}

static void client_asks_only_a_listener_of_the_right_owner_and_asks_again(void **state)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct machine m;
    int status;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t pid;

    (void)state;
    read_as_nobody(&m);
    assert_int_equal(keyhelper_ask_socket(in_folder("none.sock"), geteuid(), &m), PRA_ENOENT);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", in_folder("helper.sock"));
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(keyhelper_ask_socket(sa.sun_path, geteuid() + 1, &m), PRA_EACCES);
    assert_int_equal(m.source[MACHINE_SMBIOS_UUID], MACHINE_HIDDEN);
    pid = fork();
    if (pid == 0) {
        close(accept(fd, NULL, NULL)); /* the refused one above */
        close(accept(fd, NULL, NULL)); /* too busy twice */
        close(accept(fd, NULL, NULL));
        _exit(keyhelper_serve(accept(fd, NULL, NULL), folder) == 0 ? 0 : 1);
    }
    assert_int_equal(keyhelper_ask_socket(sa.sun_path, geteuid(), &m), 0);
    assert_int_equal(m.source[MACHINE_SMBIOS_UUID], MACHINE_HELPER);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(fd);
}

/* Runs the helper program with `fd` as its standard input. Returns its exit code. */
static int run_helper(int fd, const char *argument)
{
    const char *path = built("pra-keyhelper");
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(fd, 0);
        dup2(null, 1);
        dup2(null, 2);
        execl(path, path, argument, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void helper_program_answers_for_this_host(void **state)
{
    uint8_t request[KEYHELPER_REQUEST_LEN] = {'P', 'R', 'A', 'K', 1};
    uint8_t answer[KEYHELPER_ANSWER_LEN + 1];
    struct machine m;
    size_t at = 5;
    int pair[2];

    (void)state;
    memcpy(request + 5, salt, sizeof(salt));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(write(pair[0], request, sizeof(request)), sizeof(request));
    assert_int_equal(run_helper(pair[1], NULL), 0);
    close(pair[1]);
    assert_int_equal(recv(pair[0], answer, sizeof(answer), MSG_WAITALL), KEYHELPER_ANSWER_LEN);
    close(pair[0]);

    memset(&m, 0, sizeof(m));
    machine_linux_collect_private("", &m);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        char mac[MACHINE_VALUE_MAX];
        char hex[65];

        if (!machine_id_private(id)) {
            continue;
        }
        assert_int_equal(answer[at] == 1, m.source[id] == MACHINE_DIRECT);
        if (m.source[id] == MACHINE_DIRECT) {
            assert_int_equal(machine_hmac(id, m.value[id], salt, mac), 0);
            crypto_hex_encode(answer + at + 1, 32, hex);
            assert_string_equal(hex, mac);
        }
        at += 33;
    }
}

static void helper_program_wants_a_socket_and_no_arguments(void **state)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int pair[2];

    (void)state;
    assert_int_equal(run_helper(null, NULL), 2);
    assert_int_equal(run_helper(null, "/etc/shadow"), 2);
    assert_int_equal(run_helper(null, "--help"), 0);
    assert_int_equal(run_helper(null, "--version"), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    shutdown(pair[0], SHUT_WR);
    assert_int_equal(run_helper(pair[1], NULL), 1);
    close(pair[0]);
    close(pair[1]);
    close(null);
}

#define ON_HOST(f) cmocka_unit_test_setup_teardown(f, host_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_HOST(binding_is_the_same_with_and_without_the_helper),
        ON_HOST(helper_tells_absent_from_hidden_and_touches_nothing_else),
        ON_HOST(helper_answers_nothing_to_what_is_no_request),
        ON_HOST(both_ends_give_up_on_a_peer_that_stops_talking),
        cmocka_unit_test(client_takes_no_answer_that_is_not_exact),
        ON_HOST(client_asks_only_a_listener_of_the_right_owner_and_asks_again),
        cmocka_unit_test(helper_program_answers_for_this_host),
        cmocka_unit_test(helper_program_wants_a_socket_and_no_arguments),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("keyhelper", tests, NULL, NULL);
}
