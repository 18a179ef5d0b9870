/*
 * A long way between two programs on this machine: a TCP relay that holds every byte back for a
 * set time and lets only so many through per second.
 *
 *   far PORT TARGET-PORT DELAY-US [MBYTES-PER-S [BUFFER-MIB]]
 *
 * DELAY-US is one way, so a round trip takes twice that. The rate (0 = none, the default) is that
 * of one cable: all connections of a direction share it. Each direction of a connection holds at
 * most BUFFER-MIB (256) on the way, then it stops reading. One thread, epoll; ends by signal.
 *
 * The bytes wait in pipes, into and out of which the kernel moves whole pages (splice): a relay that
 * copied them took a quarter of the processor time of a transfer, for which the programs on both
 * sides of it had to wait.
 *
 * What it cannot show: loss and reordering, and what TCP does about them. Each side's TCP runs to
 * the relay only, so its handshake, slow start and windows see no distance; what is measured is
 * what the programs above TCP make of distance.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (128u * 1024)
/* What arrives within this time travels together, so that single bytes do not take a pipe each. */
#define TOGETHER_NS 100000
/* How far a cable's sender may run ahead of it: the queue in front of a slow link. */
#define QUEUE_NS       50000000
#define EVENTS_MAX     64
#define READS_PER_TURN 16
#define LINKS_MAX      4096
#define UNWATCHED      UINT32_MAX

struct chunk {
    struct chunk *next;
    int64_t begun, due;
    int pipe[2];
    size_t taken, given;
};

/* One direction of one connection. `end` stands for the end of data, which travels like data. */
struct way {
    int in, out;
    struct chunk *first, *last;
    size_t held;
    int64_t end_due;
    bool ended, closed, out_full;
    unsigned cable;
};

struct link {
    struct link *next;
    struct way way[2];
    uint32_t watched[2]; /* what epoll is asked for, by descriptor: way[i].in */
    bool broken;
};

static struct chunk *spare; /* with empty pipes */
static struct link *links;
static unsigned link_count;
static int epoll_fd;
static int64_t delay_ns, cable_free[2];
static double ns_per_byte;
static size_t held_max = 256u << 20;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "far: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- one direction ------------------------------------------------------------------------ */

/* The chunk that more may still be put into, or NULL. */
static struct chunk *growing(const struct way *w, int64_t now)
{
    struct chunk *c = w->last;

    return c != NULL && c->taken < CHUNK && now - c->begun < TOGETHER_NS ? c : NULL;
}

static struct chunk *take_spare(void)
{
    struct chunk *c = spare;

    if (c != NULL)
        spare = c->next;
    else if ((c = malloc(sizeof(*c))) == NULL || pipe2(c->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        die("one more pipe");
    c->next = NULL;
    c->taken = c->given = 0;
    return c;
}

static void give_spare(struct chunk *c)
{
    c->next = spare;
    spare = c;
}

static void append(struct way *w, struct chunk *c, int64_t now)
{
    c->begun = now;
    if (w->last != NULL)
        w->last->next = c;
    else
        w->first = c;
    w->last = c;
}

static void drop_first(struct way *w)
{
    struct chunk *c = w->first;

    w->first = c->next;
    if (w->first == NULL)
        w->last = NULL;
    if (c->given == c->taken) {
        give_spare(c);
        return;
    }
    close(c->pipe[0]);
    close(c->pipe[1]);
    free(c);
}

/* When `n` bytes that enter the cable now come out of it. */
static int64_t due_of(unsigned cable, size_t n, int64_t now)
{
    if (ns_per_byte <= 0)
        return now + delay_ns;
    if (cable_free[cable] < now)
        cable_free[cable] = now;
    cable_free[cable] += (int64_t)((double)n * ns_per_byte);
    return cable_free[cable] + delay_ns;
}

static bool may_read(const struct way *w, int64_t now)
{
    return !w->ended && w->held < held_max && cable_free[w->cable] < now + QUEUE_NS;
}

/* Moves what has arrived into a pipe: of `c`, or of one more if that is NULL or has no room. As recv(). */
static ssize_t take_some(struct way *w, struct chunk *c, int64_t now)
{
    struct chunk *more = NULL;
    ssize_t n = -1;

    if (c != NULL)
        n = splice(w->in, NULL, c->pipe[1], NULL, CHUNK - c->taken, SPLICE_F_NONBLOCK);
    if (c == NULL || (n < 0 && errno == EAGAIN)) {
        c = more = take_spare();
        n = splice(w->in, NULL, c->pipe[1], NULL, CHUNK, SPLICE_F_NONBLOCK);
    }
    if (n > 0) {
        c->taken += (size_t)n;
        c->due = due_of(w->cable, (size_t)n, now);
        w->held += (size_t)n;
        if (more != NULL)
            append(w, more, now);
    } else if (more != NULL) {
        give_spare(more);
    }
    return n;
}

/* Takes what has arrived. False: the connection broke. */
static bool take(struct way *w, int64_t now)
{
    for (int i = 0; i < READS_PER_TURN && may_read(w, now); i++) {
        ssize_t n = take_some(w, growing(w, now), now);

        if (n > 0)
            continue;
        w->ended = n == 0;
        w->end_due = due_of(w->cable, 0, now);
        return n == 0 || errno == EAGAIN || errno == EINTR;
    }
    return true;
}

/* Gives what is due. False: the connection broke. */
static bool give(struct way *w, int64_t now)
{
    while (w->first != NULL && w->first->due <= now) {
        struct chunk *c = w->first;
        ssize_t n = splice(c->pipe[0], NULL, w->out, NULL, c->taken - c->given, SPLICE_F_NONBLOCK);

        if (n < 0) {
            w->out_full = errno == EAGAIN;
            return errno == EAGAIN || errno == EINTR;
        }
        w->held -= (size_t)n;
        c->given += (size_t)n;
        if (c->given == c->taken)
            drop_first(w);
    }
    w->out_full = false;
    if (w->ended && !w->closed && w->first == NULL && w->end_due <= now) {
        w->closed = true;
        shutdown(w->out, SHUT_WR);
    }
    return true;
}

/* When something is to be done though no descriptor wakes us; INT64_MAX: never. */
static int64_t next_of(const struct way *w, int64_t now)
{
    int64_t at = INT64_MAX;

    if (w->first != NULL && !w->out_full)
        at = w->first->due;
    else if (w->first == NULL && w->ended && !w->closed)
        at = w->end_due;
    if (!w->ended && w->held < held_max && !may_read(w, now) &&
        cable_free[w->cable] - QUEUE_NS + 1 < at)
        at = cable_free[w->cable] - QUEUE_NS + 1;
    return at;
}

/* ---- connections -------------------------------------------------------------------------- */

static void watch(struct link *l, int side, int op)
{
    /* way[side] reads from this descriptor, the other way writes to it. */
    uint32_t want = (may_read(&l->way[side], now_ns()) ? EPOLLIN : 0) |
                    (l->way[1 - side].out_full ? EPOLLOUT : 0);
    struct epoll_event e = {.events = want, .data.ptr = l};

    /* Nothing comes or goes any more; the kernel would report the hang-up again and again. */
    if (l->way[side].ended && l->way[1 - side].closed)
        want = UNWATCHED;
    if (op == EPOLL_CTL_MOD && want == l->watched[side])
        return;
    l->watched[side] = want;
    if (want == UNWATCHED)
        op = EPOLL_CTL_DEL;
    if (epoll_ctl(epoll_fd, op, l->way[side].in, &e) != 0)
        die("epoll_ctl");
}

static void adopt(int near, uint16_t target)
{
    struct sockaddr_in to = loopback(target);
    int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct link *l = calloc(1, sizeof(*l));

    if (far < 0 || l == NULL)
        die("new connection");
    if (link_count >= LINKS_MAX || connect(far, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(far);
        close(near);
        free(l);
        return;
    }
    fcntl(far, F_SETFL, O_NONBLOCK);
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    l->way[0] = (struct way){.in = near, .out = far, .cable = 0};
    l->way[1] = (struct way){.in = far, .out = near, .cable = 1};
    l->next = links;
    links = l;
    link_count++;
    watch(l, 0, EPOLL_CTL_ADD);
    watch(l, 1, EPOLL_CTL_ADD);
}

static void drop(struct link *l)
{
    const struct linger hard = {.l_onoff = 1};

    for (int i = 0; i < 2; i++) {
        if (l->broken)
            setsockopt(l->way[i].in, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        close(l->way[i].in);
        while (l->way[i].first != NULL)
            drop_first(&l->way[i]);
    }
    free(l);
    link_count--;
}

/* Serves every connection once; returns when the next one is due. */
static int64_t serve_all(void)
{
    int64_t now = now_ns(), at = INT64_MAX;

    for (struct link **p = &links; *p != NULL;) {
        struct link *l = *p;

        for (int i = 0; i < 2 && !l->broken; i++)
            l->broken = !take(&l->way[i], now) || !give(&l->way[i], now);
        if (l->broken || (l->way[0].closed && l->way[1].closed)) {
            *p = l->next;
            drop(l);
            continue;
        }
        for (int i = 0; i < 2; i++) {
            int64_t next = next_of(&l->way[i], now);

            watch(l, i, EPOLL_CTL_MOD);
            at = next < at ? next : at;
        }
        p = &l->next;
    }
    return at;
}

/* Every pipe takes two descriptors; as many as this process may have. */
static void raise_descriptors(void)
{
    struct rlimit most;

    if (getrlimit(RLIMIT_NOFILE, &most) != 0)
        die("descriptors");
    most.rlim_cur = most.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &most) != 0)
        die("descriptors");
}

static void run(int listener, uint16_t target)
{
    struct epoll_event e = {.events = EPOLLIN}, seen[EVENTS_MAX];

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e) != 0)
        die("epoll");
    for (;;) {
        int64_t at = serve_all(), wait = at - now_ns();
        struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
        int n;

        if (wait < 0)
            timeout = (struct timespec){0};
        n = epoll_pwait2(epoll_fd, seen, EVENTS_MAX, at == INT64_MAX ? NULL : &timeout, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll_pwait2");
        for (int i = 0; i < n; i++) {
            struct link *l = seen[i].data.ptr;
            int near;

            if (l != NULL)
                l->broken |= (seen[i].events & EPOLLERR) != 0;
            else if ((near = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
                adopt(near, target);
        }
    }
}

/* A whole number between 0 and max, or the end of the program. */
static int64_t number(const char *text, int64_t max)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);

    if (errno != 0 || *end != '\0' || end == text || n < 0 || n > max) {
        fprintf(stderr, "far: '%s' is not a number from 0 to %lld\n", text, (long long)max);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: far PORT TARGET-PORT DELAY-US [MBYTES-PER-S [BUFFER-MIB]]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    delay_ns = number(argv[3], 10000000) * 1000;
    if (argc > 4 && number(argv[4], 1000000) > 0)
        ns_per_byte = 1e3 / (double)number(argv[4], 1000000);
    if (argc > 5)
        held_max = (size_t)number(argv[5], 4096) << 20;
    struct sockaddr_in at = loopback((uint16_t)number(argv[1], 65535));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, 1024) != 0)
        die("listen");
    run(listener, (uint16_t)number(argv[2], 65535));
}
