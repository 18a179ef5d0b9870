/* rtnetlink(7): the address of an interface with its lifetime, and who set the default route. */
#include "client/netinfo.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "common/addr.h"
#include "common/err.h"

#define REPLY_MAX         65536
#define REPLY_WAIT_SEC    2
#define LIFETIME_INFINITE 0xffffffffu

struct request {
    struct nlmsghdr header;
    union {
        struct ifaddrmsg address;
        struct rtmsg route;
    } body;
};

/* Sends a dump request and hands every message of the answer to `take`. Returns 0, PRA_EIO. */
static int dump(struct request *request, void (*take)(const struct nlmsghdr *, void *), void *arg)
{
    static char reply[REPLY_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct timeval wait = {.tv_sec = REPLY_WAIT_SEC};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), rc = PRA_EIO;

    if (fd < 0)
        return PRA_EIO;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (send(fd, request, request->header.nlmsg_len, 0) < 0)
        goto out;
    for (;;) {
        ssize_t got = recv(fd, reply, sizeof(reply), 0);
        size_t left = got > 0 ? (size_t)got : 0;

        if (left == 0)
            goto out;
        for (const struct nlmsghdr *h = (const struct nlmsghdr *)reply; NLMSG_OK(h, left);
             h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
                rc = h->nlmsg_type == NLMSG_DONE ? 0 : PRA_EIO;
                goto out;
            }
            take(h, arg);
        }
    }
out:
    close(fd);
    return rc;
}

struct address_search {
    unsigned index;
    bool found;
    struct netinfo_kernel *out;
};

/* Notes the first IPv4 address of the interface; an IPv6 one of global scope if there is none. */
static void take_address(const struct nlmsghdr *h, void *arg)
{
    struct address_search *s = arg;
    const struct ifaddrmsg *m = NLMSG_DATA(h);
    size_t left = IFA_PAYLOAD(h);
    struct addr_ip ip = {.family = 0};
    uint32_t valid = LIFETIME_INFINITE;
    char text[46];

    if (h->nlmsg_type != RTM_NEWADDR || m->ifa_index != s->index || s->found ||
        m->ifa_scope != RT_SCOPE_UNIVERSE || (m->ifa_flags & IFA_F_SECONDARY) != 0)
        return;
    for (const struct rtattr *a = IFA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == IFA_ADDRESS && RTA_PAYLOAD(a) <= sizeof(ip.bytes)) {
            ip.family = m->ifa_family == AF_INET ? 4 : 6;
            memcpy(ip.bytes, RTA_DATA(a), RTA_PAYLOAD(a));
        }
        if (a->rta_type == IFA_CACHEINFO && RTA_PAYLOAD(a) >= sizeof(struct ifa_cacheinfo))
            valid = ((const struct ifa_cacheinfo *)RTA_DATA(a))->ifa_valid;
    }
    if (ip.family == 0)
        return;
    s->found = ip.family == 4;
    snprintf(s->out->address, sizeof(s->out->address), "%s/%u", addr_format_ip(&ip, text),
             m->ifa_prefixlen);
    /* IPv6 addresses of router advertisements have lifetimes too; that is no DHCP. */
    s->out->has_lifetime = ip.family == 4 && valid != LIFETIME_INFINITE;
}

struct route_owner {
    unsigned index;
    bool by_dhcp;
};

static void take_route(const struct nlmsghdr *h, void *arg)
{
    struct route_owner *r = arg;
    const struct rtmsg *m = NLMSG_DATA(h);
    size_t left = RTM_PAYLOAD(h);

    if (h->nlmsg_type != RTM_NEWROUTE || m->rtm_dst_len != 0 || m->rtm_family != AF_INET)
        return;
    for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        int index;

        if (a->rta_type != RTA_OIF || RTA_PAYLOAD(a) < sizeof(index))
            continue;
        memcpy(&index, RTA_DATA(a), sizeof(index));
        if ((unsigned)index == r->index && m->rtm_protocol == RTPROT_DHCP)
            r->by_dhcp = true;
    }
}

unsigned netinfo_index(const char *interface)
{
    return if_nametoindex(interface);
}

int netinfo_ask_kernel(const char *interface, struct netinfo_kernel *out)
{
    struct netinfo_kernel k = {.has_lifetime = false};
    struct address_search addresses = {.index = netinfo_index(interface), .out = &k};
    struct route_owner route = {.index = addresses.index};
    struct request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                   .nlmsg_type = RTM_GETADDR,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
    };

    if (addresses.index == 0)
        return PRA_ENOENT;
    if (dump(&request, take_address, &addresses) != 0)
        return PRA_EIO;
    if (k.address[0] == '\0')
        return PRA_ENOENT;
    memset(&request, 0, sizeof(request));
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg));
    request.header.nlmsg_type = RTM_GETROUTE;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.route.rtm_family = AF_INET;
    if (dump(&request, take_route, &route) == 0)
        k.route_by_dhcp = route.by_dhcp;
    *out = k;
    return 0;
}
