/*
 * The seccomp filters (sandbox.h), by libseccomp. The lists were written from what the C library does for
 * our sources and corrected by what the kernel's log said while the tests of tests/flow ran; the C library's
 * other ways to the same end are in them, since it may be newer where the program runs than where it was compiled.
 *
 * A call that is in a list without a condition costs next to nothing: the kernel finds out once, when the
 * filter is loaded, that the answer does not hang on arguments, and never runs the filter for it. So
 * conditions are only on calls that no byte of a tunnel makes.
 */
#include "server/sandbox/sandbox.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the second argument of socket(2); above it are SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define SOCKET_TYPE 0xf

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* Memory, clocks, threads that wait, descriptors that are open: every program. */
static const int BASE[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(munlock),
    SCMP_SYS(membarrier),
    SCMP_SYS(futex),
    SCMP_SYS(futex_waitv),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getcpu),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Files by name, to read; what Landlock allows. */
static const int FILES[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),     SCMP_SYS(openat2),   SCMP_SYS(stat),
    SCMP_SYS(lstat),      SCMP_SYS(newfstatat), SCMP_SYS(statx),     SCMP_SYS(access),
    SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(readlink),  SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64), SCMP_SYS(getcwd),     SCMP_SYS(statfs),    SCMP_SYS(fstatfs),
    SCMP_SYS(pread64),    SCMP_SYS(preadv),     SCMP_SYS(fadvise64), SCMP_SYS(umask),
};

/* An event loop, connections, name service. */
static const int NETWORK[] = {
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(eventfd2),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown),
};

/* Of who may connect to every port; for others see allow_sending(). */
static const int SENDING[] = {SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg)};

/* Files that are made, changed and removed. */
static const int WRITING[] = {
    SCMP_SYS(pwrite64),  SCMP_SYS(pwritev),   SCMP_SYS(fsync),     SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate), SCMP_SYS(truncate),  SCMP_SYS(fallocate), SCMP_SYS(flock),
    SCMP_SYS(rename),    SCMP_SYS(renameat),  SCMP_SYS(renameat2), SCMP_SYS(link),
    SCMP_SYS(linkat),    SCMP_SYS(unlink),    SCMP_SYS(unlinkat),  SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),   SCMP_SYS(rmdir),     SCMP_SYS(chmod),     SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),  SCMP_SYS(utimensat),
};

/* For what pra-mailer is given to read. */
static const int MEMORY_FILES[] = {SCMP_SYS(memfd_create)};

/* What is listened at is open by now. */
static const int SERVING[] = {SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(sendfile)};

/* What nobody does here who is not about to leave his place: the end of the process. */
static const int FORBIDDEN[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(personality),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(syslog),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(setfsuid),
    SCMP_SYS(setfsgid),
    SCMP_SYS(capset),
};

/* The leak check at the end stops all threads and reads them from a process of its own. */
static const int SANITIZER[] = {
    SCMP_SYS(getdents), SCMP_SYS(ptrace),    SCMP_SYS(clone),     SCMP_SYS(wait4),
    SCMP_SYS(prctl),    SCMP_SYS(tgkill),    SCMP_SYS(kill),      SCMP_SYS(mprotect),
    SCMP_SYS(mmap),     SCMP_SYS(prlimit64), SCMP_SYS(setrlimit), SCMP_SYS(personality),
    SCMP_SYS(gettid),
};

struct group {
    const int *call;
    size_t count;
};

#define GROUP(list)                                                                                \
    {                                                                                              \
        list, sizeof(list) / sizeof((list)[0])                                                     \
    }

static const struct program {
    struct group group[7];
    bool sockets, local, threads; /* local: Unix sockets, too */
    bool ports;                   /* it may connect to some only */
    bool
        told; /* what was refused stands in the kernel's log: not for those that live for a second */
} PROGRAMS[] = {
    [SANDBOX_PRAD] = {.group = {GROUP(BASE), GROUP(FILES), GROUP(NETWORK), GROUP(SENDING),
                                GROUP(WRITING), GROUP(SERVING), GROUP(MEMORY_FILES)},
                      .sockets = true,
                      .local = true,
                      .told = true},
    [SANDBOX_PORTAL] = {.group = {GROUP(BASE), GROUP(FILES), GROUP(NETWORK), GROUP(WRITING),
                                  GROUP(SERVING)},
                        .sockets = true,
                        .local = true,
                        .ports = true,
                        .told = true},
    [SANDBOX_MAILER] = {.group = {GROUP(BASE), GROUP(FILES), GROUP(NETWORK)},
                        .sockets = true,
                        .ports = true,
                        .threads = true},
    [SANDBOX_PASSKEY] = {.group = {GROUP(BASE)}},
};

/* ---- the end ------------------------------------------------------------------------------------- */

static atomic_int report_fd = -1;

/* Only what may be called in a handler: the thread may hold any lock. */
static void on_forbidden(int number, siginfo_t *info, void *context)
{
    int fd = atomic_load(&report_fd), call = info->si_syscall;

    (void)context;
    if (fd >= 0 && write(fd, &call, sizeof(call)) < 0)
        _exit(128 + number); /* nobody is left to be told */
    /* The handler was taken off when it was called, so this is the end, and tells init why. */
    syscall(SYS_tgkill, getpid(), gettid(), number);
    _exit(128 + number);
}

static int watch_for_it(int report)
{
    struct sigaction act = {.sa_sigaction = on_forbidden,
                            .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER)};
    sigset_t it;

    atomic_store(&report_fd, report);
    sigemptyset(&act.sa_mask);
    sigemptyset(&it);
    sigaddset(&it, SIGSYS);
    return sigaction(SIGSYS, &act, NULL) == 0 && sigprocmask(SIG_UNBLOCK, &it, NULL) == 0 ? 0
                                                                                          : PRA_EIO;
}

/* ---- the filter ---------------------------------------------------------------------------------- */

static int allow(scmp_filter_ctx filter, const int *call, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call[i], 0);
    return rc;
}

static bool for_sanitizer(int call)
{
    for (size_t i = 0; SANDBOX_SANITIZED && i < sizeof(SANITIZER) / sizeof(SANITIZER[0]); i++) {
        if (SANITIZER[i] == call)
            return true;
    }
    return false;
}

static int forbid(scmp_filter_ctx filter)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(FORBIDDEN) / sizeof(FORBIDDEN[0]); i++) {
        if (!for_sanitizer(FORBIDDEN[i]))
            rc = seccomp_rule_add(filter, SCMP_ACT_TRAP, FORBIDDEN[i], 0);
    }
    return rc;
}

/* A call whose first condition decides; what the sanitizers need is allowed them without one. */
static int when(scmp_filter_ctx filter, uint32_t action, int call, struct scmp_arg_cmp condition)
{
    return for_sanitizer(call) ? 0 : seccomp_rule_add_array(filter, action, call, 1, &condition);
}

/* TCP and UDP. MPTCP, SCTP and what else IP carries are no TCP for Landlock: they would reach every port. */
static int allow_ip(scmp_filter_ctx filter, int family)
{
    static const struct {
        scmp_datum_t type, protocol;
    } kinds[] = {
        {SOCK_STREAM, 0}, {SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, 0}, {SOCK_DGRAM, IPPROTO_UDP}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family),
                              SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE, kinds[i].type),
                              SCMP_A2(SCMP_CMP_EQ, kinds[i].protocol));
    return rc;
}

/* IP and what getaddrinfo() and the list of own addresses ask the kernel by; 17 and above are packets, the
   kernel's ciphers, virtual machines, buses. Unix sockets only for who needs them: Landlock does not keep
   anybody from connecting to one, and a socket takes the uid for its answer to who is there. */
static int allow_sockets(scmp_filter_ctx filter, bool local)
{
    int rc = when(filter, SCMP_ACT_TRAP, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_GT, AF_NETLINK));

    if (rc == 0)
        rc = allow_ip(filter, AF_INET);
    if (rc == 0)
        rc = allow_ip(filter, AF_INET6);
    if (rc == 0)
        rc =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                             SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_EQ, NETLINK_ROUTE));
    if (rc == 0 && local)
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
    if (rc == 0 && local)
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
    return rc;
}

/* Not TCP fast open: it connects without asking Landlock. Of prad, where every byte goes through these, and
   which may connect to every port, nothing is asked. */
static int allow_sending(scmp_filter_ctx filter)
{
    int rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto),
                  SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));

    if (rc == 0)
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg),
                  SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
    if (rc == 0)
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmmsg),
                  SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
    return rc;
}

/* Threads, if any are to come; never a process. clone3 hides its flags from a filter, so it is in no
   list: the C library takes the kernel for too old to have it. */
static int allow_threads(scmp_filter_ctx filter, bool threads)
{
    const scmp_datum_t kind = CLONE_VM | CLONE_THREAD;
    int rc =
        when(filter, SCMP_ACT_TRAP, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));

    if (rc == 0 && threads)
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, kind, kind));
    return rc;
}

/* Memory is written to or run, never both, and what was written never becomes code; but a file may, which
   no filter can tell from a library: the units mount what can be written as not to be run. */
static int allow_memory(scmp_filter_ctx filter)
{
    int rc =
        when(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

    if (rc == 0)
        rc =
            when(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc == 0) /* libraries, of name services */
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC));
    return rc;
}

/* Whoever handled SIGSYS himself would not be ended by what is forbidden. */
static int allow_handlers(scmp_filter_ctx filter)
{
    return when(filter, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), SCMP_A0(SCMP_CMP_NE, SIGSYS));
}

/* Questions, and names of threads and of memory. Not PR_SET_DUMPABLE. */
static int allow_questions(scmp_filter_ctx filter)
{
    static const unsigned asked[] = {PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS, PR_GET_DUMPABLE,
                                     PR_SET_NAME,    PR_GET_NAME,         PR_SET_VMA};
    static const unsigned controls[] = {FIONREAD, FIONBIO, FIOCLEX, TIOCOUTQ, TCGETS};
    int rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));

    if (rc == 0) /* to itself: abort(), and the end above */
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    for (size_t i = 0; rc == 0 && i < sizeof(asked) / sizeof(asked[0]); i++)
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, asked[i]));
    for (size_t i = 0; rc == 0 && i < sizeof(controls) / sizeof(controls[0]); i++)
        rc = when(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, controls[i]));
    return rc;
}

static int fill(scmp_filter_ctx filter, const struct program *p)
{
    int rc = forbid(filter);

    for (size_t i = 0; rc == 0 && i < sizeof(p->group) / sizeof(p->group[0]); i++)
        rc = allow(filter, p->group[i].call, p->group[i].count);
    if (rc == 0 && SANDBOX_SANITIZED)
        rc = allow(filter, SANITIZER, sizeof(SANITIZER) / sizeof(SANITIZER[0]));
    if (rc == 0 && SANDBOX_SANITIZED)
        rc = allow(filter, FILES, sizeof(FILES) / sizeof(FILES[0]));
    if (rc == 0 && p->sockets)
        rc = allow_sockets(filter, p->local);
    if (rc == 0 && p->ports)
        rc = allow_sending(filter);
    if (rc == 0)
        rc = allow_threads(filter, p->threads);
    if (rc == 0)
        rc = allow_memory(filter);
    if (rc == 0)
        rc = allow_handlers(filter);
    if (rc == 0)
        rc = allow_questions(filter);
    return rc;
}

static int load(const struct program *p)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int rc;

    if (filter == NULL)
        return -ENOMEM;
    rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc == 0 && p->told)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
    if (rc == 0)
        rc = fill(filter, p);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc;
}

int sandbox_calls(enum sandbox_program program, int report, struct fault *f)
{
    int rc = watch_for_it(report);

    if (rc == 0)
        rc = load(&PROGRAMS[program]);
    return rc == 0 ? 0 : fault_set(f, PRA_EIO, "seccomp: %s", strerror(rc < 0 ? -rc : rc));
}

void sandbox_call_name(unsigned call, char dst[SANDBOX_CALL_MAX])
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)call);

    snprintf(dst, SANDBOX_CALL_MAX, "%s", name != NULL ? name : "unknown");
    free(name);
}
