/* secmem_internal.h by mmap(2). */
#include "common/secmem_internal.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

size_t secmem_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *secmem_reserve(size_t len)
{
    /* cppcheck-suppress invalidFunctionArg ; -1 is what mmap(2) asks for without a file */
    void *all = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (all == MAP_FAILED)
        return NULL;
    return all;
}

bool secmem_commit(void *p, size_t len, int *lock_error)
{
    if (mprotect(p, len, PROT_READ | PROT_WRITE) != 0)
        return false;
    if (mlock(p, len) != 0)
        *lock_error = errno;
    /* Older kernels know neither; a process of ours makes no core (PR_SET_DUMPABLE) and its
       children are other programs. */
    (void)madvise(p, len, MADV_DONTDUMP);
    (void)madvise(p, len, MADV_WIPEONFORK);
    return true;
}

void secmem_release(void *all, size_t len)
{
    (void)munmap(all, len);
}
