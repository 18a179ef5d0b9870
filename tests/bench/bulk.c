/*
 * Load generator and target of the benchmarks: bulk transfer in both directions, 1-byte round
 * trips, new connections, and a relay that only copies (the limit that two user-space hops have).
 *
 *   bulk serve PORT [SNDBUF-KIB]         target; one thread per connection
 *   bulk up|down PORT STREAMS BYTES      moves BYTES in all, prints seconds
 *   bulk ping PORT COUNT [SECONDS]       round trips on one connection, for so long at most; prints
 *                                        p50, p99 and the longest in us, and their number
 *   bulk open PORT COUNT                 connect + round trip + close, prints the same
 *   bulk relay PORT TARGET-PORT          copies, one thread per direction
 *
 * Everything is on 127.0.0.1. Loops end with their counts; a relay and a target end by signal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK       (256u * 1024)
#define STREAMS_MAX 64
#define COUNT_MAX   100000
#define IO_LIMIT_S  120

/* A request to the target: what to do, and for how many bytes. */
enum mode { MODE_UP = 'U', MODE_DOWN = 'D', MODE_PING = 'P' };
struct request {
    uint64_t bytes;
    uint8_t mode;
} __attribute__((packed));

static void die(const char *what)
{
    fprintf(stderr, "bulk: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void write_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            die("send");
        p += n;
        len -= (size_t)n;
    }
}

static void read_exactly(int fd, void *data, size_t len)
{
    uint8_t *p = data;

    while (len > 0) {
        ssize_t n = recv(fd, p, len, 0);

        if (n <= 0)
            die("recv");
        p += n;
        len -= (size_t)n;
    }
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int dial(uint16_t port)
{
    struct sockaddr_in to = loopback(port);
    struct timeval limit = {.tv_sec = IO_LIMIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    return fd;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1024) < 0)
        die("listen");
    return fd;
}

static void start_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, arg) != 0)
        die("thread");
    pthread_detach(thread);
}

/* ---- target ------------------------------------------------------------------------------- */

/* Receives (or sends) exactly `bytes`; stops early when the peer goes away. */
static void move(int fd, uint64_t bytes, uint8_t *chunk, int receive)
{
    while (bytes > 0) {
        size_t want = bytes < CHUNK ? (size_t)bytes : CHUNK;
        ssize_t n = receive ? recv(fd, chunk, want, 0) : send(fd, chunk, want, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes -= (uint64_t)n;
    }
}

static void *serve_one(void *arg)
{
    int fd = (int)(intptr_t)arg;
    uint8_t *chunk = calloc(1, CHUNK);
    struct request r;

    if (chunk != NULL && recv(fd, &r, sizeof(r), MSG_WAITALL) == (ssize_t)sizeof(r)) {
        if (r.mode == MODE_PING) {
            while (recv(fd, chunk, 1, 0) == 1 && send(fd, chunk, 1, MSG_NOSIGNAL) == 1)
                ;
        } else {
            move(fd, r.bytes, chunk, r.mode == MODE_UP);
            if (r.mode == MODE_UP)
                (void)!send(fd, "", 1, MSG_NOSIGNAL); /* all of it arrived */
        }
    }
    free(chunk);
    close(fd);
    return NULL;
}

static _Noreturn void serve(uint16_t port, int send_buffer)
{
    int listener = listen_on(port);

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        if (send_buffer > 0)
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
        start_thread(serve_one, (void *)(intptr_t)fd);
    }
}

/* ---- relay -------------------------------------------------------------------------------- */

struct pipe_ends {
    int from, to;
};

static void *copy(void *arg)
{
    struct pipe_ends ends = *(struct pipe_ends *)arg;
    uint8_t *chunk = malloc(CHUNK);
    ssize_t n;

    free(arg);
    while (chunk != NULL && (n = recv(ends.from, chunk, CHUNK, 0)) > 0) {
        const uint8_t *p = chunk;

        while (n > 0) {
            ssize_t sent = send(ends.to, p, (size_t)n, MSG_NOSIGNAL);

            if (sent <= 0)
                goto out;
            p += sent;
            n -= sent;
        }
    }
out:
    shutdown(ends.to, SHUT_WR);
    shutdown(ends.from, SHUT_RD);
    free(chunk);
    return NULL; /* the descriptors live as long as this short program */
}

static void copy_between(int from, int to)
{
    struct pipe_ends *ends = malloc(sizeof(*ends));

    if (ends == NULL)
        die("memory");
    *ends = (struct pipe_ends){from, to};
    start_thread(copy, ends);
}

static _Noreturn void relay(uint16_t port, uint16_t target)
{
    int listener = listen_on(port);

    for (;;) {
        int in = accept(listener, NULL, NULL);

        if (in < 0)
            continue;
        setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        int out = dial(target);
        copy_between(in, out);
        copy_between(out, in);
    }
}

/* ---- load --------------------------------------------------------------------------------- */

struct stream {
    pthread_t thread;
    uint16_t port;
    struct request request;
};

static void *run_stream(void *arg)
{
    const struct stream *s = arg;
    uint8_t *chunk = calloc(1, CHUNK);
    uint64_t left = s->request.bytes;
    int fd = dial(s->port);

    if (chunk == NULL)
        die("memory");
    write_all(fd, &s->request, sizeof(s->request));
    while (left > 0) {
        size_t n = left < CHUNK ? (size_t)left : CHUNK;

        if (s->request.mode == MODE_UP)
            write_all(fd, chunk, n);
        else
            read_exactly(fd, chunk, n);
        left -= n;
    }
    if (s->request.mode == MODE_UP)
        read_exactly(fd, chunk, 1);
    close(fd);
    free(chunk);
    return NULL;
}

static int bulk(enum mode mode, uint16_t port, unsigned streams, uint64_t bytes)
{
    static struct stream s[STREAMS_MAX];
    double start = now();

    for (unsigned i = 0; i < streams; i++) {
        s[i].port = port;
        s[i].request = (struct request){.mode = (uint8_t)mode, .bytes = bytes / streams};
        if (pthread_create(&s[i].thread, NULL, run_stream, &s[i]) != 0)
            die("thread");
    }
    for (unsigned i = 0; i < streams; i++)
        pthread_join(s[i].thread, NULL);
    printf("%.6f\n", now() - start);
    return 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_percentiles(double *seconds, unsigned count)
{
    qsort(seconds, count, sizeof(*seconds), compare);
    printf("%.1f %.1f %.1f %u\n", seconds[count / 2] * 1e6, seconds[count - 1 - count / 100] * 1e6,
           seconds[count - 1] * 1e6, count);
}

static int ping(uint16_t port, unsigned count, unsigned limit_s)
{
    static double took[COUNT_MAX];
    struct request r = {.mode = MODE_PING};
    int fd = dial(port);
    double end = now() + limit_s;
    unsigned i;
    uint8_t byte = 0;

    write_all(fd, &r, sizeof(r));
    for (i = 0; i < count && (i == 0 || now() < end); i++) {
        double start = now();

        write_all(fd, &byte, 1);
        read_exactly(fd, &byte, 1);
        took[i] = now() - start;
    }
    close(fd);
    print_percentiles(took, i);
    return 0;
}

static int open_many(uint16_t port, unsigned count)
{
    static double took[COUNT_MAX];
    struct request r = {.mode = MODE_PING};
    uint8_t byte = 0;

    for (unsigned i = 0; i < count; i++) {
        double start = now();
        int fd = dial(port);

        write_all(fd, &r, sizeof(r));
        write_all(fd, &byte, 1);
        read_exactly(fd, &byte, 1);
        took[i] = now() - start;
        close(fd);
    }
    print_percentiles(took, count);
    return 0;
}

/* A whole number between min and max, or the end of the program. */
static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);

    if (errno != 0 || *end != '\0' || end == text || n < min || n > max) {
        fprintf(stderr, "bulk: '%s' is not a number from %llu to %llu\n", text,
                (unsigned long long)min, (unsigned long long)max);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc >= 3) {
        const char *what = argv[1];
        uint16_t port = (uint16_t)number(argv[2], 1, 65535);

        if (strcmp(what, "serve") == 0 && (argc == 3 || argc == 4))
            serve(port, argc == 4 ? (int)number(argv[3], 1, 1 << 20) * 1024 : 0);
        if (strcmp(what, "relay") == 0 && argc == 4)
            relay(port, (uint16_t)number(argv[3], 1, 65535));
        if (strcmp(what, "ping") == 0 && (argc == 4 || argc == 5))
            return ping(port, (unsigned)number(argv[3], 1, COUNT_MAX),
                        argc == 5 ? (unsigned)number(argv[4], 1, IO_LIMIT_S) : IO_LIMIT_S);
        if (strcmp(what, "open") == 0 && argc == 4)
            return open_many(port, (unsigned)number(argv[3], 1, COUNT_MAX));
        if ((strcmp(what, "up") == 0 || strcmp(what, "down") == 0) && argc == 5)
            return bulk(what[0] == 'u' ? MODE_UP : MODE_DOWN, port,
                        (unsigned)number(argv[3], 1, STREAMS_MAX),
                        number(argv[4], 1, UINT64_MAX / 2));
    }
    fprintf(
        stderr,
        "usage: bulk serve PORT [SNDBUF-KIB] | relay PORT TARGET | up|down PORT STREAMS BYTES | "
        "ping|open PORT COUNT [SECONDS]\n");
    return 2;
}
