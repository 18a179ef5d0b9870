/*
 * Many real protocol clients in one process, for measurements and for requests that no ordinary
 * client makes: sessions HOST PORT USER PRIVATE_KEY PUBLIC_KEY, then commands on standard input,
 * each answered by one line:
 *
 *   login N                  N more sessions: SSH login, hello, rules      -> "sessions TOTAL"
 *   echo HOST PORT BYTES     one channel to an echo target on each session -> "echoed TOTAL"
 *   open HOST PORT           one direct-tcpip on the first session         -> "opened" | "refused TEXT"
 *
 * PORT of `open` may be any 32-bit number. Ends at the end of its input. One thread, blocking.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libssh2.h>

#define SESSIONS_MAX 20000
#define BLOCK        16384
/* No answer of the gateway takes longer in a test. */
#define TIMEOUT_MS 20000

struct client {
    int fd;
    LIBSSH2_SESSION *ssh;
    LIBSSH2_CHANNEL *control;
};

static struct client clients[SESSIONS_MAX];
static size_t client_count;
static const char *host, *user, *private_key, *public_key;
static unsigned short port;

static void die(const struct client *c, const char *what)
{
    char *text = NULL;

    if (c != NULL && c->ssh != NULL)
        libssh2_session_last_error(c->ssh, &text, NULL, 0);
    fprintf(stderr, "sessions: session %zu: %s: %s\n", client_count, what,
            text != NULL ? text : "failed");
    exit(1);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        die(NULL, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* Says hello and reads until the rules have come. */
static void say_hello(struct client *c)
{
    char line[512], clock[32], answer[BLOCK];
    size_t have = 0;
    time_t now = time(NULL);
    struct tm tm;
    ssize_t n;

    gmtime_r(&now, &tm);
    strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%SZ", &tm);
    n = snprintf(line, sizeof(line),
                 "{\"type\":\"hello\",\"proto\":1,\"version\":\"0.0.0\",\"os\":\"test\","
                 "\"machine\":\"0123456789abcdef\",\"clock\":\"%s\",\"lang\":\"en\","
                 "\"binding\":\"bound\"}\n",
                 clock);
    if (libssh2_channel_write(c->control, line, (size_t)n) != n)
        die(c, "hello");
    while (have < sizeof(answer) - 1) {
        n = libssh2_channel_read(c->control, answer + have, sizeof(answer) - 1 - have);
        if (n <= 0)
            die(c, "no rules");
        have += (size_t)n;
        answer[have] = '\0';
        if (strstr(answer, "\"type\":\"rules\"") != NULL && answer[have - 1] == '\n')
            return;
    }
    die(c, "rules longer than expected");
}

static void login(struct client *c)
{
    c->fd = dial();
    c->ssh = libssh2_session_init();
    if (c->ssh == NULL)
        die(c, "memory");
    libssh2_session_set_timeout(c->ssh, TIMEOUT_MS);
    if (libssh2_session_handshake(c->ssh, c->fd) != 0)
        die(c, "handshake");
    if (libssh2_userauth_publickey_fromfile_ex(c->ssh, user, (unsigned)strlen(user), public_key,
                                               private_key, NULL) != 0)
        die(c, "login");
    c->control = libssh2_channel_open_session(c->ssh);
    if (c->control == NULL || libssh2_channel_subsystem(c->control, "pra@v1") != 0)
        die(c, "control channel");
    say_hello(c);
}

static void echo(struct client *c, const char *target, int target_port, size_t bytes)
{
    static char out[BLOCK], in[BLOCK];
    LIBSSH2_CHANNEL *ch = libssh2_channel_direct_tcpip(c->ssh, target, target_port);
    ssize_t n;

    if (ch == NULL)
        die(c, "open");
    while (bytes > 0) {
        size_t part = bytes < BLOCK ? bytes : BLOCK;

        memset(out, (int)(bytes & 0xff), part);
        for (size_t done = 0; done < part; done += (size_t)n)
            if ((n = libssh2_channel_write(ch, out + done, part - done)) <= 0)
                die(c, "write");
        for (size_t done = 0; done < part; done += (size_t)n)
            if ((n = libssh2_channel_read(ch, in + done, part - done)) <= 0)
                die(c, "read");
        if (memcmp(in, out, part) != 0)
            die(c, "echo differs");
        bytes -= part;
    }
    libssh2_channel_free(ch);
}

static void open_once(struct client *c, const char *target, int target_port)
{
    LIBSSH2_CHANNEL *ch = libssh2_channel_direct_tcpip(c->ssh, target, target_port);
    char *text = NULL;

    if (ch != NULL) {
        puts("opened");
        libssh2_channel_free(ch);
        return;
    }
    libssh2_session_last_error(c->ssh, &text, NULL, 0);
    printf("refused %s\n", text);
}

static void run_command(const char *line)
{
    char target[256];
    long long number, bytes;

    if (sscanf(line, "login %lld", &number) == 1) {
        while (number-- > 0 && client_count < SESSIONS_MAX) {
            login(&clients[client_count]);
            client_count++;
        }
        printf("sessions %zu\n", client_count);
    } else if (sscanf(line, "echo %255s %lld %lld", target, &number, &bytes) == 3) {
        for (size_t i = 0; i < client_count; i++)
            echo(&clients[i], target, (int)number, (size_t)bytes);
        printf("echoed %zu\n", client_count);
    } else if (sscanf(line, "open %255s %lld", target, &number) == 2) {
        open_once(&clients[0], target, (int)number);
    } else {
        fprintf(stderr, "sessions: unknown command: %s", line);
        exit(2);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    char line[512];

    if (argc != 6) {
        fprintf(stderr, "usage: sessions HOST PORT USER PRIVATE_KEY PUBLIC_KEY\n");
        return 2;
    }
    host = argv[1];
    port = (unsigned short)strtoul(argv[2], NULL, 10);
    user = argv[3];
    private_key = argv[4];
    public_key = argv[5];
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (libssh2_init(0) != 0)
        return 1;
    while (fgets(line, sizeof(line), stdin) != NULL)
        run_command(line);
    return 0;
}
