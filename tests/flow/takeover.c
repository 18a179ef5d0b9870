/*
 * What somebody can do who has taken over a process of ours: makes a running program call the kernel with
 * arguments of his choice, by ptrace(2), and prints what came of it. Nothing in the program helps; what
 * refuses is what would refuse an attacker. As root.
 *
 *     takeover PID CALL [ARGUMENT...]
 *
 * CALL is a name or a number. An argument is a number, or text or hex:BYTES, which are laid into the program's
 * memory and given by their address. Prints the result as the kernel gives it (-13 = EACCES), or "ended by SIGNAL".
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 6
#define TEXT_ROOM     512
/* Below what the interrupted code may use beneath its stack pointer. */
#define STACK_GAP 4096

static const struct {
    const char *name;
    long number;
} CALLS[] = {
    {"openat", SYS_openat},
    {"execve", SYS_execve},
    {"socket", SYS_socket},
    {"bind", SYS_bind},
    {"ptrace", SYS_ptrace},
    {"mount", SYS_mount},
    {"unshare", SYS_unshare},
    {"bpf", SYS_bpf},
    {"keyctl", SYS_keyctl},
    {"io_uring_setup", 425},
    {"clone", SYS_clone},
    {"userfaultfd", SYS_userfaultfd},
    {"mprotect", SYS_mprotect},
    {"mmap", SYS_mmap},
    {"prctl", SYS_prctl},
    {"kill", SYS_kill},
    {"setuid", SYS_setuid},
    {"getpid", SYS_getpid},
    {"memfd_create", SYS_memfd_create},
    {"connect", SYS_connect},
    {"sendto", SYS_sendto},
    {"listen", SYS_listen},
    {"unlinkat", SYS_unlinkat},
    {"inotify_init1", SYS_inotify_init1},
    {"process_vm_readv", SYS_process_vm_readv},
    {"init_module", SYS_init_module},
    {"setns", SYS_setns},
    {"prlimit64", SYS_prlimit64},
    {"acct", SYS_acct},
    {"chroot", SYS_chroot},
    {"perf_event_open", SYS_perf_event_open},
    {"kexec_load", SYS_kexec_load},
    {"clone3", 435},
    {"tgkill", SYS_tgkill},
    {"rt_sigaction", SYS_rt_sigaction},
};

#if defined(__x86_64__)
typedef struct user_regs_struct registers;
#define CALL_LEN  2 /* "syscall" */
#define CALL_CODE 0x050fUL
#define CALL_MASK 0xffffUL
static uint64_t counter_of(const registers *r)
{
    return r->rip;
}
static void set_call(registers *r, long number, const uint64_t *a)
{
    r->rax = (unsigned long long)number;
    r->orig_rax = (unsigned long long)-1; /* nothing that the kernel would begin again */
    r->rdi = a[0];
    r->rsi = a[1];
    r->rdx = a[2];
    r->r10 = a[3];
    r->r8 = a[4];
    r->r9 = a[5];
    r->rip -= CALL_LEN;
}
static uint64_t stack_of(const registers *r)
{
    return r->rsp;
}
static long result_of(const registers *r)
{
    return (long)r->rax;
}
#elif defined(__aarch64__)
typedef struct user_regs_struct registers;
#define CALL_LEN  4 /* "svc 0" */
#define CALL_CODE 0xd4000001UL
#define CALL_MASK 0xffffffffUL
static uint64_t counter_of(const registers *r)
{
    return r->pc;
}
static void set_call(registers *r, long number, const uint64_t *a)
{
    r->regs[8] = (uint64_t)number;
    for (int i = 0; i < ARGUMENTS_MAX; i++)
        r->regs[i] = a[i];
    r->pc -= CALL_LEN;
}
static uint64_t stack_of(const registers *r)
{
    return r->sp;
}
static long result_of(const registers *r)
{
    return (long)r->regs[0];
}
#endif

static void fail(const char *what)
{
    fprintf(stderr, "takeover: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void get(pid_t pid, registers *r)
{
    struct iovec v = {r, sizeof(*r)};
    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) != 0)
        fail("registers");
}

static void set(pid_t pid, registers *r)
{
    struct iovec v = {r, sizeof(*r)};
    if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v) != 0)
        fail("registers");
}

static long number_of(const char *word)
{
    char *end;
    long n = strtol(word, &end, 0);
    if (*end == '\0' && end != word)
        return n;
    for (size_t i = 0; i < sizeof(CALLS) / sizeof(CALLS[0]); i++)
        if (strcmp(CALLS[i].name, word) == 0)
            return CALLS[i].number;
    fprintf(stderr, "takeover: %s is not in the table\n", word);
    exit(2);
}

/* What is laid into memory for an argument that is no number. Returns its length. */
static size_t bytes_of(const char *word, uint8_t *dst)
{
    size_t len = strlen(word);
    if (len >= TEXT_ROOM) {
        fprintf(stderr, "takeover: an argument is too long\n");
        exit(2);
    }
    if (strncmp(word, "hex:", 4) != 0) {
        memcpy(dst, word, len + 1);
        return len + 1;
    }
    for (size_t i = 4; i + 1 < len; i += 2)
        dst[i / 2 - 2] = (uint8_t)strtoul((char[]){word[i], word[i + 1], '\0'}, NULL, 16);
    return len / 2 - 2;
}

/* Numbers as they are, the others by their address below the stack. */
static void put_arguments(pid_t pid, uint64_t at, char **argv, int argc, uint64_t *a)
{
    for (int i = 0; i < argc && i < ARGUMENTS_MAX; i++) {
        uint8_t bytes[TEXT_ROOM];
        char *end;
        a[i] = (uint64_t)strtoll(argv[i], &end, 0);
        if (*end == '\0' && end != argv[i])
            continue;
        struct iovec here = {bytes, bytes_of(argv[i], bytes)}, there = {(void *)at, here.iov_len};
        if (process_vm_writev(pid, &here, 1, &there, 1, 0) < 0)
            fail("text");
        a[i] = at;
        at += TEXT_ROOM;
    }
}

static void say_end(int status)
{
    if (WIFSIGNALED(status))
        printf("ended by %s\n", sigabbrev_np(WTERMSIG(status)));
    else
        printf("ended with %d\n", WEXITSTATUS(status));
    exit(0);
}

/* The next stop of the thread. A signal for it (SIGSYS) is what the call brought, and it gets it. */
static void step(pid_t pid)
{
    int status, give = 0;
    for (;;) {
        if (ptrace(PTRACE_SINGLESTEP, pid, 0, give) != 0)
            fail("step");
        if (waitpid(pid, &status, __WALL) != pid)
            fail("wait");
        if (!WIFSTOPPED(status))
            say_end(status);
        if (WSTOPSIG(status) == SIGTRAP)
            return;
        give = WSTOPSIG(status);
        if (give == SIGSYS) { /* the end: nothing is to be put back */
            ptrace(PTRACE_CONT, pid, 0, give);
            while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
                ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status) == SIGSYS ? SIGSYS : 0);
            say_end(status);
        }
    }
}

/* Stops it where it waits in the kernel: only there is a call in front of where it is. */
static void stop_in_call(pid_t pid, registers *r)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    int status;
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0)
        fail("seize");
    for (int tries = 0; tries < 5000; tries++) {
        if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0 || waitpid(pid, &status, __WALL) != pid)
            fail("stop");
        if (!WIFSTOPPED(status))
            say_end(status);
        get(pid, r);
        errno = 0;
        unsigned long code =
            (unsigned long)ptrace(PTRACE_PEEKTEXT, pid, counter_of(r) - CALL_LEN, 0);
        if (errno == 0 && (code & CALL_MASK) == CALL_CODE)
            return;
        ptrace(PTRACE_CONT, pid, 0, 0);
        nanosleep(&moment, NULL);
    }
    errno = EBUSY;
    fail("it does not wait for anything");
}

int main(int argc, char **argv)
{
    registers before, r;
    uint64_t a[ARGUMENTS_MAX] = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: takeover PID CALL [ARGUMENT...]\n");
        return 2;
    }
    pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
    stop_in_call(pid, &before);
    r = before;
    put_arguments(pid, (stack_of(&before) - STACK_GAP) & ~UINT64_C(15), argv + 3, argc - 3, a);
    set_call(&r, number_of(argv[2]), a);
    set(pid, &r);
    step(pid);
    get(pid, &r);
    printf("%ld\n", result_of(&r));
    set(pid, &before);
    ptrace(PTRACE_DETACH, pid, 0, 0);
    return 0;
}
