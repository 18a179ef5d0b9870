/*
 * sockdiag.h by NETLINK_SOCK_DIAG and /proc. One netlink socket is kept, since each new local
 * connection waits for an answer; questions are numbered, and a socket on which one went wrong is
 * thrown away, so that no answer can be taken for that of another question. Used by the thread that
 * owns the loop alone.
 */
#include "client/sockdiag.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/os.h"

#define REPLY_MAX  32768
#define ALL_STATES 0xffffffffu
#define TIMEOUT_MS 1000

struct request {
    struct nlmsghdr head;
    struct inet_diag_req_v2 diag;
};

/* Called per socket that the kernel names; returns false to stop. */
typedef bool (*on_socket)(void *arg, const struct inet_diag_msg *m);

static int netlink_fd = -1;
static uint32_t question;

static int netlink_open(void)
{
    struct timeval limit = {.tv_sec = TIMEOUT_MS / 1000, .tv_usec = 0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

/* Reads answers to the last question until the end. 0, PRA_ENOENT (the kernel says so), PRA_EIO. */
static int read_answers(int fd, bool dump, on_socket fn, void *arg)
{
    _Alignas(struct nlmsghdr) char data[REPLY_MAX];
    bool wanted = true;

    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len);
        size_t left;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || from.nl_pid != 0) /* 0: the kernel */
            return PRA_EIO;
        left = (size_t)n;
        for (const struct nlmsghdr *h = (const void *)data; NLMSG_OK(h, left);
             h = NLMSG_NEXT(h, left)) {
            const struct nlmsgerr *e = NLMSG_DATA(h);

            if (h->nlmsg_seq != question)
                return PRA_EIO;
            if (h->nlmsg_type == NLMSG_DONE)
                return 0;
            if (h->nlmsg_type == NLMSG_ERROR)
                return e->error == 0 ? 0 : e->error == -ENOENT ? PRA_ENOENT : PRA_EIO;
            if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
                h->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
                continue;
            /* A list is read to its end: what is left of it would answer the next question. */
            wanted = wanted && fn(arg, NLMSG_DATA(h));
            if (!dump)
                return 0;
        }
    }
}

static int ask(const struct request *r, on_socket fn, void *arg)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct request numbered = *r;
    int rc = PRA_EIO;

    if (netlink_fd < 0)
        netlink_fd = netlink_open();
    if (netlink_fd < 0)
        return PRA_EIO;
    numbered.head.nlmsg_seq = ++question;
    if (sendto(netlink_fd, &numbered, sizeof(numbered), 0, (const void *)&kernel, sizeof(kernel)) ==
        sizeof(numbered))
        rc = read_answers(netlink_fd, (r->head.nlmsg_flags & NLM_F_DUMP) != 0, fn, arg);
    if (rc == PRA_EIO) {
        close(netlink_fd);
        netlink_fd = -1;
    }
    return rc;
}

static struct request new_request(int family, uint16_t flags, uint32_t states)
{
    struct request r = {
        .head = {.nlmsg_len = sizeof(r),
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | flags},
        .diag = {.sdiag_family = (uint8_t)family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = states},
    };

    r.diag.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    r.diag.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return r;
}

static void set_address(const struct sockaddr_storage *sa, __be32 ip[4], __be16 *port)
{
    const struct sockaddr_in *in = (const void *)sa;
    const struct sockaddr_in6 *in6 = (const void *)sa;

    if (sa->ss_family == AF_INET) {
        memcpy(ip, &in->sin_addr, sizeof(in->sin_addr));
        *port = in->sin_port;
    } else {
        memcpy(ip, &in6->sin6_addr, sizeof(in6->sin6_addr));
        *port = in6->sin6_port;
    }
}

/* IPv4 may be spoken of in two ways (RFC 4291 2.5.5.2): a mapped address is the same one. */
static bool same_ip(int family_a, const __be32 a[4], int family_b, const __be32 b[4])
{
    struct addr_ip x = {.family = family_a == AF_INET ? 4 : 6};
    struct addr_ip y = {.family = family_b == AF_INET ? 4 : 6};

    memcpy(x.bytes, a, x.family == 4 ? 4 : 16);
    memcpy(y.bytes, b, y.family == 4 ? 4 : 16);
    x = addr_ip_unmap(&x);
    y = addr_ip_unmap(&y);
    return addr_ip_equal(&x, &y);
}

/* Is the answer about the very connection that was asked for? */
static bool same_connection(const struct request *r, const struct inet_diag_msg *m)
{
    const struct inet_diag_sockid *asked = &r->diag.id, *told = &m->id;
    int family = r->diag.sdiag_family;

    return told->idiag_sport == asked->idiag_sport && told->idiag_dport == asked->idiag_dport &&
           same_ip(family, asked->idiag_src, m->idiag_family, told->idiag_src) &&
           same_ip(family, asked->idiag_dst, m->idiag_family, told->idiag_dst);
}

static bool take_message(void *arg, const struct inet_diag_msg *m)
{
    *(struct inet_diag_msg *)arg = *m;
    return false;
}

/*
 * Since Linux 6.17 the user is kept in the socket; before, it was asked of the file, and an orphan
 * (closed by its process) read as owned by root.
 */
static bool kernel_names_orphans(void)
{
    static int known = -1;

    if (known < 0) {
        struct utsname u;
        char *end = u.release;
        unsigned long major = uname(&u) == 0 ? strtoul(u.release, &end, 10) : 0;
        unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

        known = major > 6 || (major == 6 && minor >= 17);
    }
    return known == 1;
}

/*
 * Is there a user in the answer? A socket without an inode is an orphan. Until the last of its data is
 * acknowledged, which the kernel leaves 40 ms to whoever accepts it, it is a socket still; later it
 * is only a number in a table, and reads as owned by root.
 */
static bool has_owner(const struct inet_diag_msg *m)
{
    return m->idiag_inode != 0 || (m->idiag_state == TCP_FIN_WAIT1 && kernel_names_orphans());
}

int sockdiag_peer_uid(const struct sockaddr_storage *peer, const struct sockaddr_storage *local,
                      uid_t *uid, struct fault *f)
{
    struct request r = new_request(peer->ss_family, 0, ALL_STATES);
    struct inet_diag_msg m = {0};
    int rc;

    /* Seen from the far end, its own address is the source. */
    set_address(peer, r.diag.id.idiag_src, &r.diag.id.idiag_sport);
    set_address(local, r.diag.id.idiag_dst, &r.diag.id.idiag_dport);
    rc = ask(&r, take_message, &m);
    if (rc == PRA_EIO)
        return fault_set(f, rc, "the system does not tell who owns the connection (sock_diag)");
    /* Where there is no such connection the kernel names a listener of that address, whose far end
       is port 0. */
    if (rc != 0 || !has_owner(&m) || !same_connection(&r, &m))
        return fault_set(f, PRA_ENOENT, "its program has closed it already, what it sent is lost");
    *uid = (uid_t)m.idiag_uid;
    return 0;
}

struct search {
    const struct addr_ip *ip;
    bool found;
    struct inet_diag_msg best;
};

static bool in_the_way(const struct addr_ip *want, const struct inet_diag_msg *m)
{
    static const struct addr_ip any4 = {.family = 4}, any6 = {.family = 6};
    struct addr_ip ip = {.family = m->idiag_family == AF_INET ? 4 : 6};

    memcpy(ip.bytes, m->id.idiag_src, ip.family == 4 ? 4 : 16);
    ip = addr_ip_unmap(&ip);
    return addr_ip_equal(&ip, want) || addr_ip_equal(&ip, &any4) || addr_ip_equal(&ip, &any6);
}

static bool consider(void *arg, const struct inet_diag_msg *m)
{
    struct search *s = arg;

    if (m->idiag_inode == 0 || !in_the_way(s->ip, m))
        return true;
    s->best = *m;
    s->found = true;
    return m->idiag_state != TCP_LISTEN; /* a listener is the best answer there is */
}

static int search_port(const struct addr_ip *ip, uint16_t port, struct search *s)
{
    static const int families[] = {AF_INET, AF_INET6};

    *s = (struct search){.ip = ip};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        struct request r = new_request(families[i], NLM_F_DUMP, ALL_STATES);
        int rc;

        r.diag.id.idiag_sport = htons(port);
        rc = ask(&r, consider, s);
        if (rc != 0 && rc != PRA_ENOENT)
            return rc;
        if (s->found && s->best.idiag_state == TCP_LISTEN)
            break;
    }
    return s->found ? 0 : PRA_ENOENT;
}

/* Does the process hold a descriptor of the socket `link` ("socket:[123]")? */
static bool holds(const char *pid, const char *link)
{
    char path[64], target[64];
    bool found = false;
    struct dirent *e;
    int folder;
    DIR *d;

    (void)snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
    d = opendir(path);
    if (d == NULL)
        return false;
    folder = dirfd(d);
    while (folder >= 0 && !found && (e = readdir(d)) != NULL) {
        ssize_t n = readlinkat(folder, e->d_name, target, sizeof(target) - 1);

        if (n > 0) {
            target[n] = '\0';
            found = strcmp(target, link) == 0;
        }
    }
    closedir(d);
    return found;
}

static void name_program(const char *pid, char *dst, size_t cap)
{
    char path[64], *text = NULL;
    size_t len = 0;

    (void)snprintf(dst, cap, "?");
    (void)snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
    if (os_file_read(path, SOCKDIAG_PROGRAM_MAX, &text, &len, NULL) != 0)
        return;
    for (size_t i = 0; i < len; i++) /* any process may choose its own name */
        if (!isprint((unsigned char)text[i]))
            text[i] = '\0';
    if (text[0] != '\0')
        (void)snprintf(dst, cap, "%s", text);
    free(text);
}

static void name_user(uid_t uid, char *dst, size_t cap)
{
    char data[1024];
    struct passwd pw, *found = NULL;

    if (getpwuid_r(uid, &pw, data, sizeof(data), &found) == 0 && found != NULL)
        (void)snprintf(dst, cap, "a program of user %.40s", pw.pw_name);
    else
        (void)snprintf(dst, cap, "a program of user %lu", (unsigned long)uid);
}

static void find_process(struct sockdiag_holder *h)
{
    char link[64];
    struct dirent *e;
    DIR *d = opendir("/proc");

    (void)snprintf(link, sizeof(link), "socket:[%llu]", (unsigned long long)h->inode);
    while (d != NULL && h->pid == 0 && (e = readdir(d)) != NULL) {
        if (!isdigit((unsigned char)e->d_name[0]) || !holds(e->d_name, link))
            continue;
        h->pid = strtol(e->d_name, NULL, 10);
        name_program(e->d_name, h->program, sizeof(h->program));
    }
    if (d != NULL)
        closedir(d);
    if (h->pid == 0)
        name_user(h->uid, h->program, sizeof(h->program));
}

int sockdiag_port_holder(const struct addr_ip *ip, uint16_t port,
                         const struct sockdiag_holder *known, struct sockdiag_holder *out)
{
    struct search s;
    int rc = search_port(ip, port, &s);

    if (rc != 0)
        return rc;
    if (known != NULL && known->inode == s.best.idiag_inode) {
        *out = *known;
        return 0;
    }
    *out = (struct sockdiag_holder){.inode = s.best.idiag_inode, .uid = (uid_t)s.best.idiag_uid};
    find_process(out);
    return 0;
}
