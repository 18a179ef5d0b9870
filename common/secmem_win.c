/* Pages for secrets by VirtualAlloc(). In front of the caller's bytes stands how many there are. */
#include "common/secmem.h"

#include <stdatomic.h>

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

static size_t page_size(void)
{
    SYSTEM_INFO info;

    GetSystemInfo(&info);
    return info.dwPageSize;
}

void *secmem_new(size_t len)
{
    size_t page = page_size();
    struct head *head;
    uint8_t *all;
    int none = 0;

    if (len > SIZE_MAX / 2 - HEAD_LEN - 3 * page)
        return NULL;
    len = (len + HEAD_LEN + page - 1) / page * page;
    /* What is reserved and not committed cannot be touched: the guards. */
    all = VirtualAlloc(NULL, len + 2 * page, MEM_RESERVE, PAGE_NOACCESS);
    if (all == NULL)
        return NULL;
    /* cppcheck-suppress leakReturnValNotUsed ; it is `all` + page */
    if (VirtualAlloc(all + page, len, MEM_COMMIT, PAGE_READWRITE) == NULL) {
        (void)VirtualFree(all, 0, MEM_RELEASE);
        return NULL;
    }
    if (!VirtualLock(all + page, len))
        (void)atomic_compare_exchange_strong(&lock_error, &none, win_errno(GetLastError()));
    head = (struct head *)(void *)(all + page);
    head->len = len;
    return all + page + HEAD_LEN;
}

void secmem_free(void *p)
{
    uint8_t *first;

    if (p == NULL)
        return;
    first = (uint8_t *)p - HEAD_LEN;
    crypto_wipe(first, ((struct head *)(void *)first)->len);
    (void)VirtualFree(first - page_size(), 0, MEM_RELEASE); /* unlocks, too */
}
