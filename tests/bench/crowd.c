/*
 * A crowd of real protocol clients in one process: each logs in with a key, opens the control
 * channel, says hello, waits for its rules, answers the gateway's keepalives, and comes back after
 * a loss by the agent's own back-off (client/retry.h).
 *
 *   crowd keys SEED FIRST COUNT                     public key lines of clients FIRST, FIRST+1 ...
 *   crowd one|many|plain HOST PORT SEED USER FIRST  one: all are USER with key FIRST
 *                                                   many: client i is USERi with key i, from FIRST
 *                                                   plain: as one, SSH login only (for sshd)
 *
 * Commands on standard input are answered by one line each; meanwhile everybody lives on:
 *
 *   sources N            clients dial from N addresses of 127.1.0.0/16 (0: 127.0.0.1)
 *   login N [PARALLEL]   N more clients, PARALLEL (64) at a time   -> "sessions TOTAL SECONDS"
 *   wait SECONDS         until all are logged in                   -> "up N SECONDS LOST"
 *                        SECONDS: from the first loss; LOST: attempts that failed meanwhile
 *   stats                                                          -> "up N of TOTAL, failed F"
 *   lose                 everybody's connection is reset, and everybody comes back -> "lost N"
 *   drop                 everybody leaves                          -> "dropped N"
 *   echo HOST PORT BYTES one channel to an echo target each        -> "echoed TOTAL"
 *   open HOST PORT       one direct-tcpip on the first session     -> "opened" | "refused TEXT"
 *
 * PORT of `open` may be any 32-bit number. "failed for good" is what the agent would not retry: the
 * key was refused, or the rules. Ends at the end of its input. One thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libssh2.h>

#include "common/os.h"
#include "tests/bench/crowd/client.h"

#define CLIENTS_MAX 20000
#define EVENTS_MAX  256
/* Due times are looked at so often. */
#define TICK_MS          20
#define LOGIN_MS         120000
#define PARALLEL_DEFAULT 64

static struct client clients[CLIENTS_MAX];
static unsigned client_count, started, parallel;

/* ---- everybody ---------------------------------------------------------------------------- */

static void look_at_clock(void)
{
    uint64_t now = os_monotonic_ms();
    unsigned under_way = 0;

    for (unsigned i = 0; i < started; i++) {
        struct client *c = &clients[i];

        if (c->state == WAITING && now >= c->due_ms)
            client_dial(c);
        else if (c->state > WAITING && c->state < UP && now >= c->due_ms)
            client_lose(c);
        under_way += c->state < UP;
    }
    for (; started < client_count && under_way < parallel; under_way++) {
        clients[started].fd = -1;
        clients[started].index = started;
        client_dial(&clients[started++]);
    }
}

/* Serves sockets for one tick; true when a command can be read. */
static bool turn(void)
{
    static uint64_t looked_ms;
    struct epoll_event seen[EVENTS_MAX];
    int n = epoll_wait(crowd.epoll_fd, seen, EVENTS_MAX, TICK_MS);
    bool readable = false;

    if (n < 0 && errno != EINTR)
        crowd_die("epoll_wait");
    for (int i = 0; i < n; i++) {
        struct client *c = seen[i].data.ptr;

        if (c == NULL)
            readable = true;
        else if (c->state > WAITING && c->state < FAILED)
            client_run(c);
    }
    if (os_monotonic_ms() - looked_ms >= TICK_MS || started < client_count) {
        look_at_clock();
        looked_ms = os_monotonic_ms();
    }
    return readable;
}

/* Until everybody is up or has failed for good. */
static bool all_arrive(uint64_t limit_ms)
{
    uint64_t end = os_monotonic_ms() + limit_ms;

    while (crowd.up + crowd.failed < client_count && os_monotonic_ms() < end)
        turn();
    return crowd.up + crowd.failed == client_count;
}

static void log_in(unsigned count, unsigned at_once)
{
    uint64_t begun = os_monotonic_ms();

    if (count > CLIENTS_MAX - client_count)
        count = CLIENTS_MAX - client_count;
    parallel = at_once;
    client_count += count;
    bool all = all_arrive(LOGIN_MS);
    parallel = UINT32_MAX; /* who has been in comes back when he likes */
    if (!all || crowd.failed > 0)
        printf("failed: %u of %u logged in, %u refused\n", crowd.up, client_count, crowd.failed);
    else
        printf("sessions %u %.3f\n", crowd.up, (double)(os_monotonic_ms() - begun) / 1e3);
}

static void wait_for_all(unsigned seconds)
{
    all_arrive(seconds * 1000ull);
    printf("up %u %.3f %u\n", crowd.up,
           crowd.lost_since_ms != 0 ? (double)(crowd.last_up_ms - crowd.lost_since_ms) / 1e3 : 0.0,
           crowd.attempts_lost);
    crowd.lost_since_ms = 0;
    crowd.attempts_lost = 0;
}

static void lose_all(void)
{
    unsigned n = crowd.up;

    for (unsigned i = 0; i < started; i++)
        if (clients[i].state == UP)
            client_lose(&clients[i]);
    printf("lost %u\n", n);
}

static void drop_all(void)
{
    unsigned n = client_count;

    for (unsigned i = 0; i < started; i++) {
        client_release(&clients[i]);
        memset(&clients[i], 0, sizeof(clients[i]));
    }
    client_count = started = crowd.up = crowd.failed = 0;
    crowd.lost_since_ms = 0;
    printf("dropped %u\n", n);
}

/* ---- channels, blocking ------------------------------------------------------------------- */

static void fail(struct client *c, const char *what)
{
    client_give_up(c, what);
    exit(1);
}

static void echo(struct client *c, const char *target, int target_port, size_t bytes)
{
    static char out[BLOCK], in[BLOCK];
    LIBSSH2_CHANNEL *ch = libssh2_channel_direct_tcpip(c->ssh, target, target_port);
    ssize_t n;

    if (ch == NULL)
        fail(c, "open");
    while (bytes > 0) {
        size_t part = bytes < BLOCK ? bytes : BLOCK;

        memset(out, (int)(bytes & 0xff), part);
        for (size_t done = 0; done < part; done += (size_t)n)
            if ((n = libssh2_channel_write(ch, out + done, part - done)) <= 0)
                fail(c, "write");
        for (size_t done = 0; done < part; done += (size_t)n)
            if ((n = libssh2_channel_read(ch, in + done, part - done)) <= 0)
                fail(c, "read");
        if (memcmp(in, out, part) != 0)
            fail(c, "echo differs");
        bytes -= part;
    }
    libssh2_channel_free(ch);
}

static void echo_all(const char *target, int target_port, size_t bytes)
{
    for (unsigned i = 0; i < client_count; i++) {
        struct client *c = &clients[i];

        if (c->state != UP)
            continue;
        libssh2_session_set_blocking(c->ssh, 1);
        echo(c, target, target_port, bytes);
        libssh2_session_set_blocking(c->ssh, 0);
    }
    printf("echoed %u\n", crowd.up);
}

static void open_once(struct client *c, const char *target, int target_port)
{
    char *text = NULL;

    libssh2_session_set_blocking(c->ssh, 1);
    LIBSSH2_CHANNEL *ch = libssh2_channel_direct_tcpip(c->ssh, target, target_port);
    if (ch != NULL) {
        puts("opened");
        libssh2_channel_free(ch);
    } else {
        libssh2_session_last_error(c->ssh, &text, NULL, 0);
        printf("refused %s\n", text);
    }
    libssh2_session_set_blocking(c->ssh, 0);
}

/* ---- commands ----------------------------------------------------------------------------- */

static void obey(const char *line)
{
    char target[256];
    long long number, bytes;
    unsigned n, at_once = PARALLEL_DEFAULT;

    if (sscanf(line, "login %u %u", &n, &at_once) >= 1)
        log_in(n, at_once > 0 ? at_once : 1);
    else if (sscanf(line, "wait %u", &n) == 1)
        wait_for_all(n);
    else if (sscanf(line, "sources %u", &n) == 1)
        printf("sources %u\n", crowd.source_count = n <= 65000 ? n : 65000);
    else if (strcmp(line, "stats\n") == 0)
        printf("up %u of %u, failed %u\n", crowd.up, client_count, crowd.failed);
    else if (strcmp(line, "lose\n") == 0)
        lose_all();
    else if (strcmp(line, "drop\n") == 0)
        drop_all();
    else if (sscanf(line, "echo %255s %lld %lld", target, &number, &bytes) == 3)
        echo_all(target, (int)number, (size_t)bytes);
    else if (sscanf(line, "open %255s %lld", target, &number) == 2 && crowd.up > 0)
        open_once(&clients[0], target, (int)number);
    else
        printf("unknown command\n");
    fflush(stdout);
}

static int live(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    char line[512];
    size_t have = 0;

    if (epoll_ctl(crowd.epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &e) != 0)
        crowd_die("standard input");
    for (;;) {
        if (!turn())
            continue;
        ssize_t n = read(STDIN_FILENO, line + have, 1); /* commands come one at a time */
        if (n <= 0)
            return 0;
        if (line[have++] != '\n' && have < sizeof(line) - 1)
            continue;
        line[have] = '\0';
        have = 0;
        obey(line);
    }
}

static void prepare(void)
{
    struct rlimit files;
    char clock[32];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(crowd.hello, sizeof(crowd.hello),
             "{\"type\":\"hello\",\"proto\":1,\"version\":\"0.0.0\",\"os\":\"test\","
             "\"machine\":\"0123456789abcdef\",\"clock\":\"%s\",\"lang\":\"en\","
             "\"binding\":\"bound\"}\n",
             clock);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    crowd.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (crowd.epoll_fd < 0 || libssh2_init(0) != 0)
        crowd_die("start");
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "keys") == 0) {
        crowd.seed = argv[2];
        return crowd_print_keys((unsigned)strtoul(argv[3], NULL, 10),
                                (unsigned)strtoul(argv[4], NULL, 10));
    }
    crowd.many = argc == 7 && strcmp(argv[1], "many") == 0;
    crowd.plain = argc == 7 && strcmp(argv[1], "plain") == 0;
    crowd.gateway.sin_family = AF_INET;
    if (argc != 7 || (!crowd.many && !crowd.plain && strcmp(argv[1], "one") != 0) ||
        inet_pton(AF_INET, argv[2], &crowd.gateway.sin_addr) != 1) {
        fprintf(stderr, "usage: crowd keys SEED FIRST COUNT\n"
                        "       crowd one|many|plain HOST PORT SEED USER FIRST\n");
        return 2;
    }
    crowd.gateway.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
    crowd.seed = argv[4];
    crowd.user = argv[5];
    crowd.first = (unsigned)strtoul(argv[6], NULL, 10);
    prepare();
    return live();
}
