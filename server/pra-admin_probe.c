/*
 * Name and target of `explain`, tried from this process: it runs on the gateway's host and may
 * wait, which prad's keeper may not.
 */
#include "server/pra-admin.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/os.h"
#include "server/policy/policy.h"

#define CONNECT_TIMEOUT_MS 3000

/* ---- the name ---------------------------------------------------------------------------------- */

static void add_address(struct probe *p, const struct sockaddr *sa)
{
    struct addr_ip ip;
    uint16_t ignored;

    if (p->count == ADMIN_ADDRESSES_MAX || addr_from_sockaddr(sa, &ip, &ignored) != 0)
        return;
    for (size_t i = 0; i < p->count; i++) {
        if (addr_ip_equal(&p->ips[i], &ip))
            return;
    }
    p->ips[p->count++] = ip;
}

/* Asks as prad's resolver does, for the same addresses in the same order. */
static void look_up(struct probe *p, const char *name)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int rc = getaddrinfo(name, NULL, &hints, &list);

    if (rc != 0) {
        p->error = gai_strerror(rc);
        return;
    }
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
        add_address(p, a->ai_addr);
    freeaddrinfo(list);
    if (p->count == 0)
        p->error = "no address";
}

static json_t *address_list(const struct probe *p)
{
    json_t *list = json_array();
    char text[46];

    for (size_t i = 0; i < p->count; i++)
        json_array_append_new(list, json_string(addr_format_ip(&p->ips[i], text)));
    return list;
}

void probe_resolve(json_t *args, struct probe *p)
{
    struct policy_target t;

    if (policy_parse_target(json_string_value(json_object_get(args, "target")), &t, NULL) != 0 ||
        t.is_network || t.port_first != t.port_last)
        return;
    p->port = t.port_first;
    if (t.host.is_ip) {
        p->ips[p->count++] = t.host.ip;
        return;
    }
    look_up(p, t.host.name);
    json_object_set_new(args, "addresses", address_list(p));
}

/* ---- the target -------------------------------------------------------------------------------- */

/* Returns 0 or an errno. */
static int try_connect(const struct addr_ip *ip, uint16_t port)
{
    struct sockaddr_storage to;
    socklen_t len = addr_to_sockaddr(ip, port, &to), size = sizeof(int);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
    struct pollfd poller = {.fd = fd, .events = POLLOUT};

    if (fd < 0)
        return errno;
    if (connect(fd, (struct sockaddr *)&to, len) != 0 && errno != EINPROGRESS)
        err = errno;
    else if (poll(&poller, 1, CONNECT_TIMEOUT_MS) != 1)
        err = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0)
        err = errno;
    close(fd);
    return err;
}

void probe_connect(const struct probe *p, json_t *result)
{
    const char *decision = json_string_value(json_object_get(result, "decision"));
    bool refused = decision != NULL && strcmp(decision, "deny") == 0 &&
                   json_array_size(json_object_get(result, "addresses")) == 0;
    uint64_t begun = os_monotonic_ms();
    bool found = p->count > 0;
    int err;

    if (refused || p->port == 0) {
        json_object_set_new(result, "dns", json_null());
        json_object_set_new(result, "connect", json_null());
        return;
    }
    err = found ? try_connect(&p->ips[0], p->port) : 0;
    json_object_set_new(result, "dns",
                        json_pack("{s:b, s:o, s:s?}", "ok", found, "addresses", address_list(p),
                                  "error", p->error));
    json_object_set_new(result, "connect",
                        json_pack("{s:b, s:I, s:s?}", "ok", found && err == 0, "ms",
                                  (json_int_t)(os_monotonic_ms() - begun), "error",
                                  !found     ? "the name could not be resolved"
                                  : err == 0 ? NULL
                                             : strerrordesc_np(err)));
}
