/*
 * Bounded steps of the network; see dial.h. The calling thread owns everything but `struct lookup`,
 * which it shares with the resolver thread under `lock`; whoever leaves last frees it.
 */
#include "client/dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "client/sock.h"
#include "common/os.h"

struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done, abandoned;
    int result; /* of getaddrinfo */
    struct dial_addresses found;
    char name[ADDR_HOST_MAX];
};

static void lookup_free(struct lookup *l)
{
    pthread_cond_destroy(&l->done_cond);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void collect(const struct addrinfo *list, struct dial_addresses *out)
{
    for (; list != NULL && out->count < DIAL_ADDRESSES_MAX; list = list->ai_next) {
        uint16_t port;

        if (addr_from_sockaddr(list->ai_addr, &out->ip[out->count], &port) == 0)
            out->count++;
    }
}

static void *lookup_thread(void *arg)
{
    struct lookup *l = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int result = getaddrinfo(l->name, NULL, &hints, &list);
    bool abandoned;

    pthread_mutex_lock(&l->lock);
    l->result = result;
    if (result == 0)
        collect(list, &l->found);
    l->done = true;
    abandoned = l->abandoned;
    pthread_cond_signal(&l->done_cond);
    pthread_mutex_unlock(&l->lock);
    if (result == 0)
        freeaddrinfo(list);
    if (abandoned)
        lookup_free(l);
    return NULL;
}

static struct lookup *lookup_start(const char *name)
{
    struct lookup *l = calloc(1, sizeof(*l));
    pthread_attr_t detached;
    pthread_t thread;
    int rc;

    if (l == NULL)
        return NULL;
    (void)snprintf(l->name, sizeof(l->name), "%s", name);
    pthread_mutex_init(&l->lock, NULL);
    os_cond_init(&l->done_cond);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    rc = pthread_create(&thread, &detached, lookup_thread, l);
    pthread_attr_destroy(&detached);
    if (rc == 0)
        return l;
    lookup_free(l);
    return NULL;
}

/* Waits for the thread. True when it has finished; otherwise it owns `l` from here on. */
static bool lookup_wait(struct lookup *l, int timeout_ms)
{
    struct timespec until;
    bool done;

    os_cond_deadline(&until, (unsigned)timeout_ms);
    pthread_mutex_lock(&l->lock);
    while (!l->done && pthread_cond_timedwait(&l->done_cond, &l->lock, &until) == 0)
        continue;
    done = l->done;
    l->abandoned = !done;
    pthread_mutex_unlock(&l->lock);
    return done;
}

int dial_resolve(const struct addr_host *host, int timeout_ms, struct dial_addresses *out,
                 struct fault *f)
{
    struct lookup *l;
    int rc = 0;

    if (host->is_ip) {
        out->ip[0] = host->ip;
        out->count = 1;
        return 0;
    }
    l = lookup_start(host->name);
    if (l == NULL)
        return fault_set(f, PRA_EIO, "the name lookup could not be started");
    if (!lookup_wait(l, timeout_ms))
        return fault_set(f, PRA_ETIMEOUT, "no answer from the name servers");
    if (l->result != 0)
        rc = fault_set(f, l->result == EAI_NONAME || l->result == EAI_NODATA ? PRA_ENOENT : PRA_EIO,
                       "%s", gai_strerror(l->result));
    else if (l->found.count == 0)
        rc = fault_set(f, PRA_ENOENT, "the name has no address");
    else
        *out = l->found;
    lookup_free(l);
    return rc;
}

/* Waits until `fd` is ready or the deadline (monotonic ms) has passed. */
static bool wait_ready(int fd, short events, uint64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        uint64_t now = os_monotonic_ms();
        int rc = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;

        if (rc >= 0 || errno != EINTR)
            return rc > 0;
    }
}

static int connect_one(const struct addr_ip *ip, uint16_t port, uint64_t deadline, int *fd)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(ip, port, &sa);
    int s = sock_connect((struct sockaddr *)&sa, len), rc;

    if (s < 0)
        return s;
    rc = wait_ready(s, POLLOUT, deadline) ? sock_connect_result(s) : UV_ETIMEDOUT;
    if (rc == 0)
        *fd = s;
    else
        sock_close(s);
    return rc;
}

int dial_connect(const struct dial_addresses *to, uint16_t port, int timeout_ms, int *fd,
                 size_t *used, struct fault *f)
{
    uint64_t start = os_monotonic_ms();
    int rc = UV_EHOSTUNREACH;

    for (size_t i = 0; i < to->count; i++) {
        /* An address that does not answer leaves time for the ones behind it. */
        uint64_t deadline = start + (uint64_t)timeout_ms * (i + 1) / to->count;

        rc = connect_one(&to->ip[i], port, deadline, fd);
        if (rc == 0) {
            *used = i;
            return 0;
        }
    }
    if (rc == UV_ETIMEDOUT)
        return fault_set(f, PRA_ETIMEOUT, "no answer within %d s", (timeout_ms + 999) / 1000);
    return fault_set(f, rc == UV_ECONNREFUSED ? PRA_ECLOSED : PRA_EIO, "%s", uv_strerror(rc));
}

int dial_write(int fd, const void *data, size_t len, int timeout_ms)
{
    uint64_t deadline = os_monotonic_ms() + (uint64_t)timeout_ms;
    const char *p = data;

    while (len > 0) {
        ssize_t n;

        if (!wait_ready(fd, POLLOUT, deadline))
            return PRA_ETIMEOUT;
        n = sock_write(fd, p, len);
        if (n < 0 && n != UV_EAGAIN)
            return PRA_ECLOSED;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int dial_read(int fd, void *dst, size_t cap, int timeout_ms, size_t *got)
{
    uint64_t deadline = os_monotonic_ms() + (uint64_t)timeout_ms;

    while (wait_ready(fd, POLLIN, deadline)) {
        ssize_t n = sock_read(fd, dst, cap);

        if (n == UV_EAGAIN)
            continue;
        if (n <= 0)
            return PRA_ECLOSED;
        *got = (size_t)n;
        return 0;
    }
    return PRA_ETIMEOUT;
}
