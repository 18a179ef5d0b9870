/*
 * Name and reachability for `explain` while prad is down. Blocks, which this program may.
 */
#include "server/pra-admin.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/os.h"

#define CONNECT_TIMEOUT_MS 3000
#define ADDRESSES_MAX      16

static json_t *failed(const char *why)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

static json_t *connect_to(const struct addr_ip *ip, uint16_t port)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(ip, port, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
    uint64_t start = os_monotonic_ms();
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    socklen_t err_len = sizeof(err);
    json_t *result;

    if (fd < 0)
        return failed(strerror(errno));
    if (connect(fd, (struct sockaddr *)&sa, len) != 0 && errno != EINPROGRESS)
        err = errno;
    else if (poll(&p, 1, CONNECT_TIMEOUT_MS) != 1)
        err = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &err_len) != 0)
        err = errno;
    result = err != 0 ? failed(strerror(err))
                      : json_pack("{s:b, s:I, s:n}", "ok", 1, "ms",
                                  (json_int_t)(os_monotonic_ms() - start), "error");
    close(fd);
    return result;
}

static size_t resolve(const struct addr_host *host, struct addr_ip *ips, const char **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    size_t n = 0;
    int rc;

    if (host->is_ip) {
        ips[0] = host->ip;
        return 1;
    }
    rc = getaddrinfo(host->name, NULL, &hints, &list);
    if (rc != 0) {
        *error = gai_strerror(rc);
        return 0;
    }
    for (struct addrinfo *a = list; a != NULL && n < ADDRESSES_MAX; a = a->ai_next) {
        uint16_t ignored;

        if (addr_from_sockaddr(a->ai_addr, &ips[n], &ignored) == 0)
            n++;
    }
    freeaddrinfo(list);
    *error = "no address";
    return n;
}

json_t *probe_target(void *ctx, const struct addr_host *host, uint16_t port)
{
    struct addr_ip ips[ADDRESSES_MAX];
    const char *error = NULL;
    size_t n = resolve(host, ips, &error);
    json_t *addresses = json_array(), *reached = NULL;

    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        char text[46];

        json_array_append_new(addresses, json_string(addr_format_ip(&ips[i], text)));
    }
    if (n > 0)
        reached = connect_to(&ips[0], port);
    return json_pack("{s:{s:b, s:o, s:o}, s:o}", "dns", "ok", n > 0, "addresses", addresses,
                     "error", n > 0 ? json_null() : json_string(error), "connect",
                     reached != NULL ? reached : failed("the name could not be resolved"));
}
