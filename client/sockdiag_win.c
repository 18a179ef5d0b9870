/* sockdiag.h by the system's table of TCP connections with their processes. */
#include "client/sockdiag.h"

#include <iphlpapi.h>
#include <tlhelp32.h>

#include "client/pid_age.h"
#include "common/posix_win.h"

#define TABLE_TRIES 5
#define IDLE_PID    0

/* One end of a connection, or a listener, of either family. */
struct row {
    struct addr_ip local, remote;
    uint16_t local_port, remote_port;
    DWORD pid;
    uint64_t began; /* as FILETIME; 0 = not known */
};

/* Calls `fn` for each row until it returns true. Returns 0, PRA_EIO. */
typedef bool (*row_fn)(void *arg, const struct row *row);

/* Half of the table, as the system gives it, to be freed; it may grow between two calls. */
static void *read_table(ULONG family, bool listeners)
{
    TCP_TABLE_CLASS kind =
        listeners ? TCP_TABLE_OWNER_MODULE_LISTENER : TCP_TABLE_OWNER_MODULE_CONNECTIONS;
    DWORD len = 0;
    void *table = NULL;

    for (int i = 0; i < TABLE_TRIES; i++) {
        DWORD error = GetExtendedTcpTable(table, &len, FALSE, family, kind, 0);

        if (error == NO_ERROR && table != NULL)
            return table;
        free(table);
        if (error != ERROR_INSUFFICIENT_BUFFER)
            return NULL;
        len += 4096;
        table = malloc(len);
        if (table == NULL)
            return NULL;
    }
    free(table);
    return NULL;
}

static struct addr_ip ip4(DWORD address)
{
    struct addr_ip ip = {.family = 4};

    memcpy(ip.bytes, &address, 4);
    return ip;
}

static struct addr_ip ip6(const UCHAR bytes[16])
{
    struct addr_ip ip = {.family = 6};

    memcpy(ip.bytes, bytes, 16);
    return ip;
}

static struct row row4(const MIB_TCPROW_OWNER_MODULE *r)
{
    return (struct row){.local = ip4(r->dwLocalAddr),
                        .remote = ip4(r->dwRemoteAddr),
                        .local_port = ntohs((uint16_t)r->dwLocalPort),
                        .remote_port = ntohs((uint16_t)r->dwRemotePort),
                        .pid = r->dwOwningPid,
                        .began = (uint64_t)r->liCreateTimestamp.QuadPart};
}

static struct row row6(const MIB_TCP6ROW_OWNER_MODULE *r)
{
    return (struct row){.local = ip6(r->ucLocalAddr),
                        .remote = ip6(r->ucRemoteAddr),
                        .local_port = ntohs((uint16_t)r->dwLocalPort),
                        .remote_port = ntohs((uint16_t)r->dwRemotePort),
                        .pid = r->dwOwningPid,
                        .began = (uint64_t)r->liCreateTimestamp.QuadPart};
}

/* The two tables begin alike: with how many rows there are. */
static int each_row(int family, bool listeners, row_fn fn, void *arg)
{
    void *table = read_table(family == 6 ? AF_INET6 : AF_INET, listeners);
    const MIB_TCPTABLE_OWNER_MODULE *t4 = table;
    const MIB_TCP6TABLE_OWNER_MODULE *t6 = table;
    bool done = false;

    if (table == NULL)
        return PRA_EIO;
    for (DWORD i = 0; i < t4->dwNumEntries && !done; i++) {
        struct row row = family == 6 ? row6(&t6->table[i]) : row4(&t4->table[i]);

        done = fn(arg, &row);
    }
    free(table);
    return 0;
}

static bool same_ip(const struct addr_ip *a, const struct addr_ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

static bool is_any(const struct addr_ip *ip)
{
    static const uint8_t zero[16];

    return memcmp(ip->bytes, zero, ip->family == 4 ? 4 : 16) == 0;
}

/* --- who connects ---------------------------------------------------------------------------- */

struct peer_search {
    struct addr_ip peer, local;
    uint16_t peer_port, local_port;
    bool found;
    DWORD pid;
    uint64_t began;
};

static bool peer_row(void *arg, const struct row *row)
{
    struct peer_search *s = arg;

    if (row->local_port != s->peer_port || row->remote_port != s->local_port ||
        !same_ip(&row->local, &s->peer) || !same_ip(&row->remote, &s->local))
        return false;
    s->found = true;
    s->pid = row->pid;
    s->began = row->began;
    return true;
}

/* When it was started, as FILETIME; 0 = the system does not tell. */
static uint64_t began(HANDLE process)
{
    FILETIME start, end, kernel, user;

    if (!GetProcessTimes(process, &start, &end, &kernel, &user))
        return 0;
    return ((uint64_t)start.dwHighDateTime << 32) | start.dwLowDateTime;
}

/* *uid is this user's getuid() exactly if the whole SID is this user's. */
static int user_of_open(HANDLE process, const struct peer_search *s, uid_t *uid, struct fault *f)
{
    uint8_t sid[WIN_SID_MAX], own[WIN_SID_MAX];

    if (!pid_age_fits(began(process), s->began))
        return fault_set(
            f, PRA_EIO,
            "process %lu was started after the connection (or the clock was set back): "
            "another one made it",
            (unsigned long)s->pid);
    if (!win_user_sid(process, sid) || !win_user_sid(NULL, own))
        return fault_set(f, PRA_EIO, "the user of process %lu cannot be told",
                         (unsigned long)s->pid);
    if (EqualSid(sid, own)) {
        *uid = getuid();
        return 0;
    }
    *uid = *GetSidSubAuthority(sid, (DWORD)*GetSidSubAuthorityCount(sid) - 1);
    if (*uid == getuid()) /* another domain's */
        *uid = (uid_t)-1;
    return 0;
}

/* While its handle is open a process's number is given to no other one. */
static int user_of(const struct peer_search *s, uid_t *uid, struct fault *f)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, s->pid);
    int rc;

    if (process == NULL)
        return fault_set(f, PRA_EIO, "process %lu of another user holds it", (unsigned long)s->pid);
    rc = user_of_open(process, s, uid, f);
    CloseHandle(process);
    return rc;
}

#ifdef PRA_TEST_PROVIDER
/*
 * Under wine the far end is a program of Linux, which has no process here; and wine takes seconds to
 * look for the owners of thousands of connections.
 */
static bool is_test(void)
{
    return getenv("PRA_TEST_FOREIGN_PEERS") != NULL;
}
#else
static bool is_test(void)
{
    return false;
}
#endif

int sockdiag_peer_uid(const struct sockaddr_storage *peer, const struct sockaddr_storage *local,
                      uid_t *uid, struct fault *f)
{
    struct peer_search s = {.found = false};
    int rc;

    if (is_test()) {
        *uid = getuid();
        return 0;
    }
    if (addr_from_sockaddr((const struct sockaddr *)peer, &s.peer, &s.peer_port) != 0 ||
        addr_from_sockaddr((const struct sockaddr *)local, &s.local, &s.local_port) != 0)
        return fault_set(f, PRA_EIO, "not an address");
    rc = each_row(s.peer.family, false, peer_row, &s);
    if (rc != 0)
        return fault_set(f, rc, "the system does not tell who connects");
    if (!s.found || s.pid == IDLE_PID)
        return fault_set(f, PRA_ENOENT, "no process holds its other end any more");
    return user_of(&s, uid, f);
}

/* --- who is in the way ------------------------------------------------------------------------ */

struct holder_search {
    struct addr_ip ip;
    uint16_t port;
    bool found;
    DWORD pid;
};

static bool holder_row(void *arg, const struct row *row)
{
    struct holder_search *s = arg;

    if (row->local_port != s->port ||
        !(is_any(&row->local) || is_any(&s->ip) || same_ip(&row->local, &s->ip)))
        return false;
    s->found = true;
    s->pid = row->pid;
    return same_ip(&row->local, &s->ip);
}

/* The list of processes names those of other users, too. */
static void name_program(DWORD pid, char *dst, size_t cap)
{
    PROCESSENTRY32W e = {.dwSize = sizeof(e)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    BOOL more = all != INVALID_HANDLE_VALUE && Process32FirstW(all, &e);

    (void)snprintf(dst, cap, "?");
    while (more && e.th32ProcessID != pid)
        more = Process32NextW(all, &e);
    if (more && !win_utf8(e.szExeFile, dst, cap))
        (void)snprintf(dst, cap, "?");
    if (all != INVALID_HANDLE_VALUE)
        CloseHandle(all);
}

int sockdiag_port_holder(const struct addr_ip *ip, uint16_t port,
                         const struct sockdiag_holder *known, struct sockdiag_holder *out)
{
    struct holder_search s = {.ip = *ip, .port = port};
    int rc = each_row(ip->family, true, holder_row, &s);

    /* A listener on [::] takes IPv4 as well. */
    if (rc == 0 && !s.found && ip->family == 4) {
        s.ip = (struct addr_ip){.family = 6};
        rc = each_row(6, true, holder_row, &s);
    }
    if (rc != 0 || !s.found)
        return rc != 0 ? rc : PRA_ENOENT;
    if (known != NULL && known->inode == s.pid) {
        *out = *known;
        return 0;
    }
    *out = (struct sockdiag_holder){.inode = s.pid, .pid = (long)s.pid};
    name_program(s.pid, out->program, sizeof(out->program));
    return 0;
}
