/* Trying a target; see probe.h. */
#include "server/prad/probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/os.h"

struct answer {
    bool done;
    struct lookup_result result;
};

static void on_resolved(void *ctx, const struct lookup_result *r)
{
    struct answer *a = ctx;
    a->result = *r;
    a->done = true;
}

static int time_left(uint64_t end)
{
    uint64_t now = os_monotonic_ms();
    return now < end ? (int)(end - now) : 0;
}

static void look_up(struct resolver *r, struct mailbox *box, const char *name, uint64_t end,
                    struct answer *a)
{
    struct lookup *l = NULL;
    a->result.error = -1; /* no EAI_ code of its own: "cannot be resolved" */
    if (resolver_start(r, name, box, on_resolved, a, &l) != 0)
        return;
    while (!a->done) {
        struct pollfd p = {.fd = mailbox_fd(box), .events = POLLIN};
        if (poll(&p, 1, time_left(end)) <= 0 && time_left(end) == 0) {
            lookup_cancel(l);
            return;
        }
        mailbox_deliver(box, box);
    }
}

static int try_connect(const struct addr_ip *ip, uint16_t port, uint64_t end)
{
    struct sockaddr_storage to;
    socklen_t len = addr_to_sockaddr(ip, port, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int err = connect(fd, (struct sockaddr *)&to, len) == 0 ? 0 : errno;
    if (err == EINPROGRESS) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof(err);
        if (poll(&p, 1, time_left(end)) <= 0)
            err = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0)
            err = errno;
    }
    close(fd);
    return err;
}

json_t *probe_target(struct resolver *r, struct mailbox *box, const struct addr_host *host,
                     uint16_t port)
{
    uint64_t begun = os_monotonic_ms(), end = begun + PROBE_WAIT_MS;
    struct answer a = {0};
    if (host->is_ip) {
        a.result.ip[0] = host->ip;
        a.result.count = 1;
    } else {
        look_up(r, box, host->name, end, &a);
    }
    json_t *addresses = json_array();
    char text[46];
    for (size_t i = 0; i < a.result.count; i++)
        json_array_append_new(addresses, json_string(addr_format_ip(&a.result.ip[i], text)));
    bool found = a.result.count > 0;
    int err = found ? try_connect(&a.result.ip[0], port, end) : 0;
    return json_pack("{s:{s:b, s:o, s:s?}, s:{s:b, s:I, s:s?}}", "dns", "ok", found, "addresses",
                     addresses, "error", found ? NULL : resolver_error_text(a.result.error),
                     "connect", "ok", found && err == 0, "ms",
                     (json_int_t)(os_monotonic_ms() - begun), "error",
                     !found     ? "not tried"
                     : err == 0 ? NULL
                                : strerrordesc_np(err));
}
