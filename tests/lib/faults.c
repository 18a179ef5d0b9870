/*
 * Preloaded into a program under test: makes its N-th allocation or system call fail, as one that has
 * no memory, a full disk, a bad disk or no descriptors would. What fails, and when, stands in a file
 * that the test maps as well (lib/faults.py), so one process can be made to fail at one place after
 * another. The stack at the last failure goes to the file PRA_FAULTS.trace.
 *
 * Threads of the process count together; every field is changed by atomic operations only.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The same names, in the same order, stand in lib/faults.py. */
enum call { MEMORY, READ, WRITE, SYNC, OPEN, ACCEPT, CONNECT, SOCKET, POLL, TRUNCATE, RENAME };
enum place { FILES = 1, SOCKETS = 2, OTHERS = 4 }; /* what a descriptor leads to */

struct orders {
    uint32_t calls;  /* bits of enum call that are counted; 0: nothing fails */
    uint32_t places; /* of READ, WRITE and SYNC: bits of enum place */
    uint64_t at;     /* the first that fails, from 1; 0: they are only counted */
    uint64_t times;  /* so many fail from there on */
    int32_t error;   /* errno; 0: READ and WRITE do a part of what they were asked for */
    uint32_t thread; /* only this thread counts; 0: all */
    uint64_t counted, failed;
};

static struct orders *orders;
static int trace = -1;
static char program[4096];  /* which file it is, whatever it calls itself; with a newline */
static __thread int inside; /* what a failure itself calls does not count */

#define REAL(name)                                                                                 \
    static __typeof__(name) *real;                                                                 \
    if (real == NULL)                                                                              \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("PRA_FAULTS");
    char name[4096];
    void *frames[1], *map;
    int fd;

    if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
        return;
    backtrace(frames, 1); /* its first call allocates */
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 2);
    program[n > 0 ? n : 0] = '\n';
    snprintf(name, sizeof(name), "%s.trace", path);
    trace = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    map = mmap(NULL, sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED)
        orders = map;
}

static void note_stack(void)
{
    void *frames[24];
    int n;

    inside++;
    n = backtrace(frames, 24);
    if (trace >= 0 && ftruncate(trace, 0) == 0 && write(trace, program, strlen(program)) > 0)
        backtrace_symbols_fd(frames, n, trace);
    inside--;
}

/* Shall this call fail? Then *error is what it says. */
static int fails(enum call call, int *error)
{
    uint64_t now, at;

    if (orders == NULL || inside ||
        !(__atomic_load_n(&orders->calls, __ATOMIC_ACQUIRE) & 1U << call))
        return 0;
    if (orders->thread != 0 && orders->thread != (uint32_t)gettid())
        return 0;
    now = __atomic_add_fetch(&orders->counted, 1, __ATOMIC_ACQ_REL);
    at = orders->at;
    if (at == 0 || now < at || now - at >= orders->times)
        return 0;
    *error = orders->error;
    note_stack();
    __atomic_add_fetch(&orders->failed, 1, __ATOMIC_ACQ_REL);
    return 1;
}

static enum place place_of(int fd)
{
    struct stat st;
    int saved = errno;
    enum place place = OTHERS;

    if (fd > STDERR_FILENO && fstat(fd, &st) == 0) /* a log to a file is no disk of the store */
        place = S_ISREG(st.st_mode) ? FILES : S_ISSOCK(st.st_mode) ? SOCKETS : OTHERS;
    errno = saved;
    return place;
}

/* The same of a call with a descriptor. */
static int fails_on(enum call call, int fd, int *error)
{
    return orders != NULL && (orders->calls & 1U << call) && (orders->places & place_of(fd)) &&
           fails(call, error);
}

#define FAIL_IF(cond, error)                                                                       \
    do {                                                                                           \
        if (cond) {                                                                                \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

/* --- memory ------------------------------------------------------------------------------------- */

/*
 * AddressSanitizer's where it is in the program, else glibc's, by names of their own: dlsym()
 * allocates, so the real ones cannot be looked up by it.
 */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
#define WEAK __attribute__((weak))
extern WEAK void *__interceptor_malloc(size_t), *__interceptor_calloc(size_t, size_t);
extern WEAK void *__interceptor_realloc(void *, size_t), *__interceptor_memalign(size_t, size_t);
#define ALLOCATE(what, ...)                                                                        \
    (__interceptor_##what ? __interceptor_##what(__VA_ARGS__) : __libc_##what(__VA_ARGS__))

static int no_memory(void)
{
    int error;

    if (!fails(MEMORY, &error))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return no_memory() ? NULL : ALLOCATE(malloc, n);
}

void *calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : ALLOCATE(calloc, n, size);
}

void *realloc(void *p, size_t n)
{
    return n != 0 && no_memory() ? NULL : ALLOCATE(realloc, p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return no_memory() ? NULL : ALLOCATE(memalign, align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    void *p = no_memory() ? NULL : ALLOCATE(memalign, align, n);

    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}

/* --- reading and writing ------------------------------------------------------------------------ */

/* A part of n: one byte at least, so that it is no end of the file. */
static size_t part(size_t n)
{
    return n > 1 ? n / 2 : n;
}

#define TRANSFER(call, name, params, fd, n, full, shortened)                                       \
    ssize_t name params                                                                            \
    {                                                                                              \
        int error;                                                                                 \
        REAL(name);                                                                                \
        if (fails_on(call, fd, &error)) {                                                          \
            FAIL_IF(error != 0, error);                                                            \
            return real shortened;                                                                 \
        }                                                                                          \
        return real full;                                                                          \
    }

TRANSFER(READ, read, (int fd, void *p, size_t n), fd, n, (fd, p, n), (fd, p, part(n)))
TRANSFER(READ, pread64, (int fd, void *p, size_t n, off64_t at), fd, n, (fd, p, n, at),
         (fd, p, part(n), at))
TRANSFER(READ, pread, (int fd, void *p, size_t n, off_t at), fd, n, (fd, p, n, at),
         (fd, p, part(n), at))
TRANSFER(READ, recvfrom, (int fd, void *p, size_t n, int flags, struct sockaddr *a, socklen_t *len),
         fd, n, (fd, p, n, flags, a, len), (fd, p, part(n), flags, a, len))
TRANSFER(READ, recv, (int fd, void *p, size_t n, int flags), fd, n, (fd, p, n, flags),
         (fd, p, part(n), flags))
TRANSFER(READ, recvmsg, (int fd, struct msghdr *m, int flags), fd, 0, (fd, m, flags),
         (fd, m, flags))
TRANSFER(READ, readv, (int fd, const struct iovec *v, int n), fd, n, (fd, v, n),
         (fd, v, (int)part((size_t)n)))
TRANSFER(WRITE, write, (int fd, const void *p, size_t n), fd, n, (fd, p, n), (fd, p, part(n)))
TRANSFER(WRITE, pwrite64, (int fd, const void *p, size_t n, off64_t at), fd, n, (fd, p, n, at),
         (fd, p, part(n), at))
TRANSFER(WRITE, pwrite, (int fd, const void *p, size_t n, off_t at), fd, n, (fd, p, n, at),
         (fd, p, part(n), at))
TRANSFER(WRITE, sendto,
         (int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t len), fd,
         n, (fd, p, n, flags, a, len), (fd, p, part(n), flags, a, len))
TRANSFER(WRITE, send, (int fd, const void *p, size_t n, int flags), fd, n, (fd, p, n, flags),
         (fd, p, part(n), flags))
TRANSFER(WRITE, sendmsg, (int fd, const struct msghdr *m, int flags), fd, 0, (fd, m, flags),
         (fd, m, flags))
TRANSFER(WRITE, writev, (int fd, const struct iovec *v, int n), fd, n, (fd, v, n),
         (fd, v, (int)part((size_t)n)))

/* What _FORTIFY_SOURCE calls in their place. */
ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags);

TRANSFER(READ, __read_chk, (int fd, void *p, size_t n, size_t room), fd, n, (fd, p, n, room),
         (fd, p, part(n), room))
TRANSFER(READ, __recv_chk, (int fd, void *p, size_t n, size_t room, int flags), fd, n,
         (fd, p, n, room, flags), (fd, p, part(n), room, flags))

/* --- everything else ---------------------------------------------------------------------------- */

#define PLAIN(call, name, params, args)                                                            \
    int name params                                                                                \
    {                                                                                              \
        int error;                                                                                 \
        REAL(name);                                                                                \
        FAIL_IF(fails(call, &error), error);                                                       \
        return real args;                                                                          \
    }

#define ON_FD(call, name, params, fd, args)                                                        \
    int name params                                                                                \
    {                                                                                              \
        int error;                                                                                 \
        REAL(name);                                                                                \
        FAIL_IF(fails_on(call, fd, &error), error);                                                \
        return real args;                                                                          \
    }

ON_FD(SYNC, fsync, (int fd), fd, (fd))
ON_FD(SYNC, fdatasync, (int fd), fd, (fd))
ON_FD(TRUNCATE, ftruncate, (int fd, off_t n), fd, (fd, n))
ON_FD(TRUNCATE, ftruncate64, (int fd, off64_t n), fd, (fd, n))
PLAIN(RENAME, rename, (const char *from, const char *to), (from, to))
PLAIN(ACCEPT, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags))
PLAIN(CONNECT, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
PLAIN(SOCKET, socket, (int domain, int type, int protocol), (domain, type, protocol))
PLAIN(POLL, epoll_ctl, (int fd, int op, int which, struct epoll_event *e), (fd, op, which, e))

#define OPENS(name, params, last, full)                                                            \
    int name params                                                                                \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        int error;                                                                                 \
        REAL(name);                                                                                \
        if (flags & (O_CREAT | O_TMPFILE)) {                                                       \
            va_list list;                                                                          \
            va_start(list, last);                                                                  \
            mode = va_arg(list, mode_t);                                                           \
            va_end(list);                                                                          \
        }                                                                                          \
        FAIL_IF(fails(OPEN, &error), error);                                                       \
        return real full;                                                                          \
    }

OPENS(open, (const char *path, int flags, ...), flags, (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), flags, (path, flags, mode))
OPENS(openat, (int dir, const char *path, int flags, ...), flags, (dir, path, flags, mode))
OPENS(openat64, (int dir, const char *path, int flags, ...), flags, (dir, path, flags, mode))

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    int error;

    REAL(fopen);
    if (fails(OPEN, &error)) {
        errno = error;
        return NULL;
    }
    return real(path, mode);
}
