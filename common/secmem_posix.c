/* Pages for secrets by mmap(2). In front of the caller's bytes stands how many pages there are. */
#include "common/secmem.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/crypto.h"

#define HEAD_LEN 64u /* keeps what follows aligned for anything */

struct head {
    size_t len; /* of the pages between the two guards */
};

static _Atomic int lock_error;

int secmem_lock_error(void)
{
    return atomic_load(&lock_error);
}

static void protect(void *p, size_t len)
{
    int none = 0;

    if (mlock(p, len) != 0)
        (void)atomic_compare_exchange_strong(&lock_error, &none, errno);
    /* Older kernels know neither; a process of ours makes no core (PR_SET_DUMPABLE) and its
       children are other programs. */
    (void)madvise(p, len, MADV_DONTDUMP);
    (void)madvise(p, len, MADV_WIPEONFORK);
}

void *secmem_new(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct head *head;
    uint8_t *all;

    if (len > SIZE_MAX / 2 - HEAD_LEN - 3 * page)
        return NULL;
    len = (len + HEAD_LEN + page - 1) / page * page;
    /* cppcheck-suppress invalidFunctionArg ; -1 is what mmap(2) asks for without a file */
    all = mmap(NULL, len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    if (mprotect(all + page, len, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(all, len + 2 * page);
        return NULL;
    }
    protect(all + page, len);
    head = (struct head *)(void *)(all + page);
    head->len = len;
    return all + page + HEAD_LEN;
}

void secmem_free(void *p)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), len;
    uint8_t *first;

    if (p == NULL)
        return;
    first = (uint8_t *)p - HEAD_LEN;
    len = ((struct head *)(void *)first)->len;
    crypto_wipe(first, len);
    (void)munmap(first - page, len + 2 * page); /* unlocks, too */
}
